"""The application: posts, store, loops and the command line of Raccroche."""

__version__ = "0.1.0"
