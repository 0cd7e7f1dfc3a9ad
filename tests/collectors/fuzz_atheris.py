"""
A coverage-guided fuzzer of every parser, for atheris (libFuzzer): `SourceError` or a sound page.

    python tests/collectors/fuzz_atheris.py [--only PLATFORM] [-runs=20000] [-max_total_time=60]

The first byte chooses the platform, the second what becomes of the rest: read as it is, or as the
number of a way to break one of the platform's samples (`fuzzing.broken`). Everything else goes to
libFuzzer. `python -m pytest tests/collectors/test_fuzz_atheris.py` runs it for a while where
atheris is installed.
"""

import random
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["collectors"]):
    from collectors.table import recognise, sources

    sources()

from tests.collectors.fuzzing import PLATFORMS, SEEDS, answer_of, broken, parse

PLAIN = 128  # second bytes below: the rest is the answer itself


def platforms() -> list[str]:
    """All, or the one that `--only` names; libFuzzer never sees that option."""
    if "--only" not in sys.argv:
        return PLATFORMS
    at = sys.argv.index("--only")
    name = sys.argv[at + 1]
    del sys.argv[at : at + 2]
    return [name]


CHOSEN = platforms()


def one_input(data: bytes) -> None:
    if len(data) < 3:
        return
    platform = CHOSEN[data[0] % len(CHOSEN)]
    chance = random.Random(data)
    if data[1] < PLAIN or not SEEDS[platform]:
        answer = answer_of(data[2:], chance)
    else:
        answer = broken(platform, chance)
    parse(platform, answer)
    if data[1] % 8 == 0:
        recognise(answer)


def seed_corpus(folder: Path) -> None:
    """The samples as inputs, so that coverage starts from sound answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, platform in enumerate(CHOSEN):
        for seed in SEEDS[platform]:
            name = f"{platform}-{seed.name}"
            (folder / name).write_bytes(bytes((number, 0)) + seed.body)


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    if folders:
        seed_corpus(folders[0])
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
