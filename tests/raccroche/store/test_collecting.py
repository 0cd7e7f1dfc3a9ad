"""Posts in, once each, together with their cursor and queue."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from raccroche.errors import StoreError
from raccroche.post import MAX_TEXT, Kind, Request
from raccroche.store import Filters, Store
from raccroche.store.migrations import CURRENT
from tests.raccroche.store.samples import MODEL, NOON, crowd, ids, labels, mention, post


def test_a_post_collected_twice_is_stored_once(store: Store) -> None:
    first = store.add_page("blog", [post("1"), post("2")])
    again = store.add_page("blog", [post("2"), post("3")])
    assert (first.new, first.known) == (2, 0)
    assert (again.new, again.known, again.new_ids) == (1, 1, ("wordpress/blog.example:3",))
    assert store.status().posts == 3


def test_a_post_twice_in_one_page_is_stored_once(store: Store) -> None:
    assert store.add_page("blog", [post("1"), post("1")]).new == 1


def test_the_same_post_through_two_sources_is_one_post(store: Store) -> None:
    store.add_page("feed", [post("1")])
    assert store.add_page("rest", [post("1")]).known == 1
    detail = store.post("wordpress/blog.example:1")
    assert detail is not None
    assert detail.post.via == "feed"


def test_every_field_of_a_post_comes_back_as_it_went_in(store: Store) -> None:
    full = post(
        "12:a/b",
        "Déçu… 😡 « C'est \u202f!»\nfin",
        kind=Kind.REVIEW,
        title="Un titre",
        url="https://blog.example/?p=1#c2",
        uri="https://blog.example/objets/1",
        parent="7",
        thread="fil",
        thread_title="Le fil",
        rating=1.5,
        engagement={"likes": 3},
        language="fr",
        edited_at=NOON + timedelta(hours=1, microseconds=7),
        published_at=NOON + timedelta(microseconds=123_456),
        day_only=True,
        context_brand="Pomme",
        by_brand=True,
        author_brand="Poire",
        reply_to_brand="Pomme",
        quoted=("C'est",),
        via="blog",
    )
    store.add_page("blog", [full])
    detail = store.post(full.id)
    assert detail is not None
    found = detail.post
    assert {name: getattr(found, name) for name in full.__dataclass_fields__} == {
        name: getattr(full, name) for name in full.__dataclass_fields__
    }
    assert found.id == full.id


def test_what_no_database_can_hold_becomes_a_replacement_character(store: Store) -> None:
    store.add_page("blog", [post("1", "avant\0après \ud83d fin", title="\0")])
    detail = store.post("wordpress/blog.example:1")
    assert detail is not None
    assert detail.post.text == "avant\ufffdaprès \ufffd fin"
    assert detail.post.title == "\ufffd"
    assert store.add_page("blog", [post("1", "avant\0après \ud83d fin", title="\0")]).edited == 0


def test_the_longest_text_is_stored_and_found(store: Store) -> None:
    store.add_page("blog", [post("1", "é" * 10 + " mot " * (MAX_TEXT // 5 - 3) + "final")])
    store.add_labels([labels("wordpress/blog.example:1")])
    assert ids(store.search("final", Filters(MODEL)).rows) == ["1"]


def test_the_cursor_moves_with_the_posts(store: Store) -> None:
    store.add_page("blog", [post("1")], cursor={"since": "1", "page": "2"})
    store.add_page("blog", [post("2")], cursor={"since": "2"})
    assert store.cursor("blog") == {"since": "2", "page": "2"}
    assert store.cursor("other") == {}


def test_a_page_that_fails_moves_nothing(store: Store) -> None:
    store.add_page(
        "blog", [post("1")], cursor={"since": "1"}, pending=[Request("https://a.example/2")]
    )
    wrong = replace(post("2"), by_brand=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="by_brand"):
        store.add_page(
            "blog", [post("3"), wrong], cursor={"since": "3"}, done=Request("https://a.example/2")
        )
    assert store.cursor("blog") == {"since": "1"}
    assert store.pending("blog") == [Request("https://a.example/2")]
    assert store.known_ids(["wordpress/blog.example:3"]) == set()


def test_the_queue_keeps_requests_whole_and_in_order(store: Store) -> None:
    whole = Request(
        "https://a.example/api",
        params={"page": "2"},
        headers={"accept": "application/json"},
        method="POST",
        json={"q": ["é", 1]},
        context={"tag": "démarchage"},
        phase="comments",
        only_while_new=True,
    )
    form = Request("https://a.example/form", form={"a": "b"})
    store.add_page("blog", [], pending=[whole, form, whole])
    assert store.pending("blog") == [whole, form]
    store.add_page("blog", [], done=whole)
    assert store.pending("blog") == [form]
    assert store.drop_pending("blog") == 1


def test_a_transient_request_is_never_stored(store: Store) -> None:
    store.add_page("blog", [], pending=[Request("https://a.example/login", transient=True)])
    assert store.pending("blog") == []


def test_an_edited_text_replaces_the_old_one_and_is_labelled_again(store: Store) -> None:
    store.add_page("blog", [post("1", "Pomme m'appelle tous les jours")])
    about = "wordpress/blog.example:1"
    person = labels(about, mention(), labeller="human:ada")
    store.add_labels([labels(about, mention()), person])
    added = store.add_page("blog", [post("1", "EDIT : tout est arrangé", edited_at=NOON)])
    assert (added.new, added.known, added.edited) == (0, 0, 1)
    assert store.labels_of(about) == [person]
    assert store.daily_counts(Filters(MODEL)).empty
    assert ids(store.unlabelled(MODEL, 10)) == ["1"]
    assert store.post(about).post.text == "EDIT : tout est arrangé"  # type: ignore[union-attr]
    store.add_labels([labels(about, labeller="human:ada")])
    assert store.search("arrangé", Filters("human:ada")).total == 1
    assert store.search("jours", Filters("human:ada")).total == 0
    assert store.check() == []


def test_a_post_that_its_platform_says_is_gone_is_removed_with_its_counts(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2")])
    store.add_labels([labels(post("1"), mention()), labels(post("2"), mention())])
    added = store.add_page("blog", [], deleted=[post("1").id, "wordpress/blog.example:unknown"])
    assert added.deleted == 1
    assert store.totals(Filters(MODEL)).posts == 1
    assert store.check() == []


def test_what_a_source_already_brought_is_known(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2", published_at=NOON + timedelta(days=3))])
    assert store.known_ids([post("1").id, post("9").id]) == {post("1").id}
    assert store.latest("blog") == NOON + timedelta(days=3)
    assert store.latest("other") is None


def test_the_data_version_changes_with_the_data_alone(store: Store) -> None:
    before = store.data_version()
    store.add_page("blog", [post("1")], cursor={"a": "1"})
    added = store.data_version()
    store.add_page("blog", [post("1")], cursor={"a": "2"})
    assert store.data_version() == added > before
    store.add_labels([labels(post("1"))])
    assert store.data_version() > added


def test_a_closed_store_is_found_again(open_store: Callable[..., Store]) -> None:
    first = open_store()
    first.add_page("blog", crowd(30)[0])
    first.close()
    assert open_store().status().posts == 30


def test_the_status_says_what_is_there(store: Store) -> None:
    posts, said = crowd(20)
    store.add_page("blog", posts, pending=[Request("https://a.example/2")])
    store.add_labels(said)
    status = store.status()
    assert (status.posts, status.labels, status.pending, status.runs) == (20, 20, 1, 0)
    assert status.bytes > 4096
    assert status.schema == CURRENT


def test_a_page_on_a_store_opened_for_reading_is_refused(
    store: Store, open_store: Callable[..., Store]
) -> None:
    store.add_page("blog", [post("1")])
    reader = open_store(read_only=True)
    assert reader.status().posts == 1
    with pytest.raises(StoreError, match="for reading only"):
        reader.add_page("blog", [post("2")])
