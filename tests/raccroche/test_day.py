"""A day of scheduled rounds in a minute, faults all the while: nothing lost, nothing doubled."""

import pytest

from tests.servers import postgres

pytest.importorskip("time_machine")
from benchmarks.simulated_day import run  # noqa: E402 - it travels in time


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def test_a_day_with_faults_ends_with_everything_there_once(name: str) -> None:
    if name == "postgresql" and postgres.binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    said = run(name, seconds=45, posts=900, seed=11)
    assert said["wrong"] == []
    assert said["posts"] == 900 + 1200
    assert sum(said["faults"].values()) >= 4  # type: ignore[attr-defined]
    assert said["reader"]["looks"] > 5  # type: ignore[index]
