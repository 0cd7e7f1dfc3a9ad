"""
Errors that the classifier raises on purpose, each one sentence a user can act on.

    NlpError              base
      + ModelError        a model cannot be found, read, converted or run; nothing was labelled
      + MissingLibrary    a library of requirements-train.txt is not installed
"""


class NlpError(Exception):
    """Base of every error of the classifier that a user can act on."""


class ModelError(NlpError):
    """A model cannot be found, read, converted or run; nothing was labelled."""


class MissingLibrary(NlpError):
    """A library that only training and hub models need is not installed."""

    def __init__(self, library: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}: install it with `pip install -r requirements-train.txt`."
        )
        self.library = library
