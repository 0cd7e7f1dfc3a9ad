"""The coverage-guided fuzzer finds nothing in a bounded number of runs, where atheris is there."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("fuzz_atheris.py")
RUNS = 5_000


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_some_thousand_guided_inputs_crash_no_parser(tmp_path: Path) -> None:
    command = [sys.executable, str(HARNESS), str(tmp_path / "corpus"), f"-runs={RUNS}", "-seed=1"]
    command += ["-max_len=60000", "-timeout=20", "-rss_limit_mb=2048", "-max_total_time=120"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
