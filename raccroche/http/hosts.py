"""One host, one queue: spacing, slowing down, and staying away as long as asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]

_LONGEST_PENALTY = 60.0  # seconds between two requests to a host that struggles


class TooLongToWait(Exception):
    """
    The host may be asked again only after *seconds*, and that is longer than we wait in a run.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next request may go in {seconds:.0f} s")
        self.seconds = seconds


class Host:
    """
    The queue of one host: one request at a time, *spacing* seconds from start to start.

    *penalty* is added by the host's own behaviour: doubled by every 429 and 503, at least as long
    as slow answers take, and it fades with every good answer.
    """

    def __init__(self, name: str, *, spacing: float, clock: Clock, sleep: Sleep) -> None:
        self.name = name
        self.spacing = spacing
        self.penalty = 0.0
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._lock = asyncio.Lock()

    @property
    def delay(self) -> float:
        """Seconds that must now pass between two requests."""
        return max(self.spacing, self.penalty)

    def slow_to(self, seconds: float) -> None:
        """A Crawl-delay: never faster than this."""
        self.spacing = max(self.spacing, seconds)

    def stay_away(self, seconds: float) -> None:
        """No request within *seconds* from now."""
        self._next = max(self._next, self._clock() + seconds)

    def struck(self) -> None:
        """The host said it is overloaded."""
        self.penalty = min(_LONGEST_PENALTY, max(2 * self.delay, 1.0))

    def answered(self, seconds: float) -> None:
        """The host answered well, within *seconds*."""
        self.penalty = min(
            _LONGEST_PENALTY, max(self.penalty * 0.8, seconds if seconds > 1 else 0.0)
        )
        if self.penalty < self.spacing:
            self.penalty = 0.0

    @asynccontextmanager
    async def turn(self, longest: float) -> AsyncIterator[float]:
        """
        Our turn to ask; gives the seconds waited. The next turn comes after this one ends.

        Raises TooLongToWait, at once, where the wait would be longer than *longest*.
        """
        async with self._lock:
            wait = self._next - self._clock()
            if wait > longest:
                raise TooLongToWait(wait)
            if wait > 0:
                await self._sleep(wait)
            started = self._clock()
            try:
                yield max(wait, 0.0)
            finally:
                self._next = max(self._next, started + self.spacing, self._clock() + self.penalty)

    def line(self) -> str:
        """What happened at this host, for the log."""
        return f"{self.name}: " + ", ".join(
            f"{value:g} {name}" for name, value in self.counts.items()
        )
