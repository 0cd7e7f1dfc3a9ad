"""Events: those that lasted, those of a group, and brands that pass from one group to another."""

import datetime as dt

from dashboard import happenings
from dashboard.breaks import Break
from raccroche import reference

START, END = dt.date(2024, 1, 1), dt.date(2024, 12, 31)


def test_an_event_that_touches_the_period_from_before_is_shown() -> None:
    day = dt.date(2024, 10, 25)
    found = happenings.between(day, END, ["iliad"])
    lasting = next(one for one in found if one.kind == "leak")
    assert lasting.date < day
    rows = happenings.rows([lasting], [], day, END)
    assert rows.loc[0, "date"].date() == day
    assert rows.loc[0, "end"].date() == dt.date(2024, 11, 1)
    assert " – " in rows.loc[0, "words"]


def test_a_brand_that_passes_to_another_group_is_an_event_of_ownership() -> None:
    found = happenings.between(START, END, ["canal_plus"], ["ownership"], ["Canal+"])
    assert [one.date for one in found] == [dt.date(2024, 12, 16)]
    assert "Vivendi" in found[0].text("fr")


def test_a_change_of_group_that_the_list_tells_is_told_once() -> None:
    mobile = next(one for one in reference.brands() if one.id == "la_poste_mobile")
    found = happenings.between(START, END, ["bouygues"], ["ownership"], [mobile.name])
    assert [one.date for one in found] == [dt.date(2024, 11, 15)]


def test_a_break_stands_among_events_without_an_end() -> None:
    rows = happenings.rows([], [Break(dt.date(2024, 5, 5), "begins", ("b",))], START, END)
    assert list(rows["kind"]) == ["break"]
    assert rows["end"].isna().all()
