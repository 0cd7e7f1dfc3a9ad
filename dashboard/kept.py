"""Answers kept for all sessions: one session computes, the others wait for it and take a copy."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import pandas as pd

P = ParamSpec("P")
T = TypeVar("T")


class Answers:
    """The newest answers of one function; thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._asked: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """
        The answer kept under *key*, else that of *compute*, which runs once however many ask.

        An error is nobody's answer: the next who waits tries again.
        """
        found = self._look(key)
        if found is None:
            with self._lock:
                asked = self._asked.setdefault(key, threading.Lock())
            with asked:
                found = self._look(key) or self._answered(key, compute)
        return cast(T, _lent(found[0]))

    def forget(self) -> None:
        with self._lock:
            self._known.clear()
            self._asked.clear()

    def _look(self, key: Hashable) -> tuple[Any] | None:
        with self._lock:
            found: tuple[Any] | None = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def _answered(self, key: Hashable, compute: Callable[[], T]) -> tuple[Any]:
        try:
            answer = (compute(),)
            with self._lock:
                self._known[key] = answer
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
        finally:
            with self._lock:
                self._asked.pop(key, None)
        return answer


def _lent(answer: T) -> T:
    """An answer that its reader may change: tables, lists and dictionaries are copied."""
    if isinstance(answer, pd.DataFrame | pd.Series):
        return cast(T, answer.copy())
    return cast(T, answer.copy()) if isinstance(answer, list | dict) else answer


_every: list[Answers] = []


def kept(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """
    A function whose *most* newest answers are kept, by its arguments, which must be hashable.

    `st.cache_data` does the same, but reads the answer from bytes and hashes the arguments part by
    part: with a hundred questions a page that was a fifth of it.
    """

    def remembering(compute: Callable[P, T]) -> Callable[P, T]:
        answers = Answers(most)
        _every.append(answers)

        @wraps(compute)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (args, tuple(sorted(kwargs.items())))
            return answers.get(key, lambda: compute(*args, **kwargs))

        return asked

    return remembering


def forget() -> None:
    """Forget all answers: for tests and benchmarks."""
    for answers in _every:
        answers.forget()
