"""
Raw answers as WARC 1.1 files: written as they come, read again for replay, purged and erased from.
"""

from raccroche.archive.folder import Archive
from raccroche.archive.reading import read_warc

__all__ = ["Archive", "read_warc"]
