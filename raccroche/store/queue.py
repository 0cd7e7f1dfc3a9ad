"""Posts shared out among labellers: none is given twice, and what a killed one held is free."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from raccroche.errors import StoreError
from raccroche.store import labelling
from raccroche.store.engine import Database
from raccroche.store.locks import Presence, presence
from raccroche.store.records import StoredPost

# A claim ends with its labels, or when the last labeller finds itself alone; this is for the rest.
_SECONDS = 3600.0


class Queue:
    """The posts that one labeller has not seen, as one of several processes gets them."""

    def __init__(self, db: Database, labeller: str, there: Presence) -> None:
        self._db, self._labeller, self._there = db, labeller, there
        self._held: list[int] = []

    def take(self, limit: int) -> list[StoredPost]:
        """
        At most *limit* posts that nobody else holds, in the order of arrival.

        Empty when all are labelled or held by labellers that are alive.
        """
        self._there.enter()
        found = self._claim(limit)
        if not found and self._there.alone():
            with self._db.write() as conn:
                labelling.drop_claims(conn, self._labeller)
            found = self._claim(limit)
            self._there.enter()
        self._held = [post.n for post in found]
        return found

    def _claim(self, limit: int) -> list[StoredPost]:
        with self._db.write() as conn:
            return labelling.claim(conn, self._labeller, limit, after=None, seconds=_SECONDS)

    def give_back(self) -> None:
        """Let others have what was taken and not labelled."""
        with self._db.write() as conn:
            labelling.drop_claims(conn, self._labeller, self._held)


@contextmanager
def shared_queue(db: Database, labeller: str) -> Iterator[Queue]:
    """A place at the queue of *labeller* until the block ends, or the process, however it ends."""
    with presence(db, f"labelling {labeller}") as there:
        queue = Queue(db, labeller, there)
        try:
            yield queue
        except BaseException:
            with suppress(StoreError):
                queue.give_back()
            raise
