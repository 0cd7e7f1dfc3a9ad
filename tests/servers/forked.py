"""
`raccroche` in processes of their own that begin at once: forked from one that has read the code.

A fresh interpreter takes a second, on a busy machine several, before its first line of ours.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "raccroche.cli", "raccroche.alerts", "raccroche.routine", "raccroche.export.files",
        "raccroche.replay", "collectors.mastodon", "collectors.wordpress", "nlp.classifier",
    ]
)  # fmt: skip
LONGEST = 120  # seconds


def begin(
    config: Path, *arguments: str, out: Path | None = None, err: Path | None = None
) -> ForkServerProcess:
    """`raccroche -c config ...`, whose words go to the files *out* and *err*."""
    command = ["-c", str(config), *arguments]
    places = (str(out or os.devnull), str(err or os.devnull))
    process = _CONTEXT.Process(target=_work, args=(command, *places))
    process.start()
    return process


def run(config: Path, said: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command from its first to its last line; its words pass through files in *said*."""
    number = len(list(said.glob("*.out")))
    out, err = said / f"{number}.out", said / f"{number}.err"
    out.touch()
    process = begin(config, *arguments, out=out, err=err)
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        raise subprocess.TimeoutExpired(arguments, LONGEST)
    words = out.read_text("utf-8"), err.read_text("utf-8")
    return subprocess.CompletedProcess(arguments, process.exitcode, *words)


def _work(command: Sequence[str], out: str, err: str) -> None:
    from raccroche.cli import main

    for place, stream in ((out, sys.stdout), (err, sys.stderr)):
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, stream.fileno())
        os.close(file)
    sys.argv = ["raccroche", *command]
    main()
