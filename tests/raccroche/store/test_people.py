"""Review, alerts, exports, official figures and settings."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from raccroche.errors import StoreError
from raccroche.store import Alert, ExportRecord, SeriesValue, Store
from tests.raccroche.store.samples import crowd, ids, labels, mention, post


def test_two_people_label_a_post_blind_and_a_third_never_sees_it(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2")])
    assert (
        store.add_review("random", [post("1").id, post("2").id, "wordpress/blog.example:absent"])
        == 2
    )
    assert store.add_review("random", [post("1").id]) == 0
    for name in ("ada", "bob"):
        shown = store.next_review(name)
        assert shown is not None
        assert shown.native_id == "1"
        store.add_labels([labels(shown, mention(), labeller=f"human:{name}")])
    third = store.next_review("human:cleo")
    assert third is not None
    assert third.native_id == "2"
    items = store.review_items("random")
    assert [item.annotators for item in items] == [("human:ada", "human:bob"), ()]


def test_a_post_is_kept_for_the_person_who_was_shown_it(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2")])
    store.add_review("reported", [post("1").id, post("2").id])
    first = [store.next_review(name) for name in ("ada", "bob", "cleo", "ada")]
    assert ids([one for one in first if one]) == ["1", "1", "2", "1"]


def test_nobody_is_shown_a_post_twice_and_queues_are_apart(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2")])
    store.add_review("random", [post("1").id])
    store.add_review("uncertain", [post("2").id], reason="probability 0.5")
    store.add_labels([labels(post("1"), labeller="human:ada")])
    assert store.next_review("ada", queue="random") is None
    shown = store.next_review("ada", queue="uncertain")
    assert shown is not None
    assert shown.native_id == "2"
    assert store.review_items("uncertain")[0].reason == "probability 0.5"


def test_adjudication_is_a_label_beside_the_others(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_review("random", [post("1").id])
    store.add_labels(
        [labels(post("1"), labeller=f"human:{name}") for name in ("ada", "bob", "adjudicated")]
    )
    (item,) = store.review_items()
    assert (item.annotators, item.adjudicated) == (("human:ada", "human:bob"), True)


def test_an_unknown_queue_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="random, uncertain, reported"):
        store.add_review("other", [])


ALERT = Alert(
    "Pomme", "robocall", "2025-W10", 12.0, 3.5, 8.0, posts=14, authors=9, repost_share=0.1
)


def test_an_alert_keeps_its_state_when_its_figures_change(store: Store) -> None:
    assert store.add_alerts([ALERT, replace(ALERT, brand="Libre")]) == 2
    stored = next(one for one in store.alerts() if one.brand == "Pomme")
    store.set_alert(stored.n, state="vue", sent=["mail"], note="Vérifié")
    store.set_alert(stored.n, sent=["mail", "atom"])
    assert store.add_alerts([replace(ALERT, observed=20.0)]) == 0
    (seen,) = store.alerts(state="vue")
    assert (seen.observed, seen.note, seen.sent, seen.authors) == (
        20.0,
        "Vérifié",
        ("mail", "atom"),
        9,
    )
    assert [one.brand for one in store.alerts(state="nouvelle")] == ["Libre"]


def test_an_alert_has_four_states_and_must_exist(store: Store) -> None:
    store.add_alerts([ALERT])
    (stored,) = store.alerts()
    with pytest.raises(StoreError, match="nouvelle, vue, expliquee, fausse"):
        store.set_alert(stored.n, state="lost")
    with pytest.raises(StoreError, match="no alert 99"):
        store.set_alert(99, state="vue")


def test_exports_are_remembered(store: Store) -> None:
    record = ExportRecord("out.csv", "csv", 12, {"brands": ["Été"]}, "ab12", "ada")
    number = store.add_export(record)
    (found,) = store.exports()
    assert replace(found, at=None, n=0) == record
    assert found.n == number
    assert found.at is not None


def test_a_corrected_official_figure_replaces_the_old_one(store: Store) -> None:
    first = SeriesValue("reports", "2025-01", 10.0, "reports", "Observatory")
    other = SeriesValue("reports", "2025-02", 12.5, "reports", "Observatory")
    store.put_series([first, other])
    store.put_series([replace(first, value=11.0)])
    assert [one.value for one in store.series("reports")] == [11.0, 12.5]
    assert store.series("absent") == []


def test_settings_hold_any_json(store: Store, open_store: Callable[..., Store]) -> None:
    store.set_setting("purpose", {"fr": "étude", "n": [1, None]})
    store.set_setting("purpose", {"fr": "étude", "n": [2, None]})
    assert open_store().setting("purpose") == {"fr": "étude", "n": [2, None]}
    assert store.setting("absent", 7) == 7


def test_review_goes_with_an_erased_post(store: Store) -> None:
    posts, _ = crowd(3)
    store.add_page("blog", posts)
    store.add_review("random", [one.id for one in posts])
    store.next_review("ada")
    store.erase(post_ids=[posts[0].id], shrink=False)
    assert len(store.review_items()) == 2
    assert store.check() == []
