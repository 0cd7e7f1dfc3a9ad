"""Answers kept for all sessions: computed once, copied out, forgotten in turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from dashboard.kept import kept


def test_sessions_that_ask_at_once_wait_for_one_that_computes() -> None:
    begun, go = threading.Event(), threading.Event()
    computed = []

    @kept(4)
    def slow(question: str) -> str:
        computed.append(question)
        begun.set()
        assert go.wait(10)
        return question.upper()

    with ThreadPoolExecutor(20) as sessions:
        asked = [sessions.submit(slow, "one") for _ in range(20)]
        assert begun.wait(10)
        go.set()
        assert {one.result(10) for one in asked} == {"ONE"}
    assert computed == ["one"]


def test_different_questions_do_not_wait_for_each_other() -> None:
    both = threading.Barrier(2, timeout=10)

    @kept(4)
    def meet(question: str) -> int:
        return both.wait() * 0

    with ThreadPoolExecutor(2) as sessions:
        asked = [sessions.submit(meet, name) for name in ("one", "two")]
        assert [one.result(10) for one in asked] == [0, 0]


def test_a_reader_may_change_the_table_it_was_given() -> None:
    @kept(4)
    def table() -> pd.DataFrame:
        return pd.DataFrame({"n": [1, 2]})

    mine = table()
    mine.loc[0, "n"] = 99
    mine["more"] = 0
    assert table().to_dict("list") == {"n": [1, 2]}


def test_an_error_is_not_kept() -> None:
    failures = [ValueError("not now")]

    @kept(4)
    def sometimes() -> int:
        if failures:
            raise failures.pop()
        return 1

    with pytest.raises(ValueError, match="not now"):
        sometimes()
    assert sometimes() == 1


def test_the_oldest_answer_makes_room() -> None:
    computed = []

    @kept(2)
    def square(n: int) -> int:
        computed.append(n)
        return n * n

    assert [square(n) for n in (1, 2, 1, 3, 1, 2)] == [1, 4, 1, 9, 1, 4]
    assert computed == [1, 2, 3, 2]
