"""
Errors that Raccroche raises on purpose; anything else is a bug.

    RaccrocheError            one sentence a user can act on; the CLI prints it and exits 1
      + ConfigError           config.toml (or a command's option) says something it may not
      + SourceError           a source answered in a way we do not understand; carries the URL
      + FetchError            no usable answer came; carries the URL and the verdict of the run
        + BudgetSpent         our own budget for the source is spent; the rest is left for the next
        run
      + StoreError            the database is missing, locked, full, read-only or corrupt
      + ImportFileError       a file given to `import`, `parse` or `evaluate` cannot be used
      + LabelError            the labeller cannot be loaded or run
"""


class RaccrocheError(Exception):
    """Base of every error a user can act on."""


class ConfigError(RaccrocheError):
    """The configuration names something unknown, or misses something needed."""


class SourceError(RaccrocheError):
    """The source changed. Carries the URL so that the log line is enough to reproduce it."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(f"{message} [{url}]" if url else message)
        self.url = url


class FetchError(RaccrocheError):
    """No usable answer: *verdict* is a `raccroche.post.Verdict`, *status* the HTTP one if any."""

    def __init__(self, message: str, *, url: str, verdict: str, status: int | None = None) -> None:
        super().__init__(f"{message} [{url}]")
        self.url = url
        self.verdict = verdict
        self.status = status


class BudgetSpent(FetchError):
    """
    The source's budget of requests, bytes or minutes is spent: nothing was asked. Not a fault of
    the source.
    """


class StoreError(RaccrocheError):
    """The database cannot be read or written; what was stored before is whole."""


class ImportFileError(RaccrocheError):
    """A file cannot be used; says which file, where and why."""


class LabelError(RaccrocheError):
    """The labeller cannot be loaded or run; nothing was labelled wrong."""
