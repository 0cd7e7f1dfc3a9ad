"""The command line: read options, call one function, say what happened in plain words."""

import os
import sys

from raccroche.cli import data, labels, operate, rights, sources
from raccroche.cli.common import app
from raccroche.errors import RaccrocheError

__all__ = ["app", "main"]

for group in (sources, labels, data, operate, rights):
    group.register(app)


def main() -> None:
    """
    Exit codes: 0 all well, 1 an error said in one sentence, 2 wrong usage, 3 some sources failed
    and others succeeded; `collect` or `run` stopped by Ctrl-C 130, by SIGTERM 143.
    """
    try:
        app()
    except RaccrocheError as error:
        print(f"raccroche: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # `raccroche predict | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
