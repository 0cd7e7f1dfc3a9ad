"""Erasure leaves nothing, and what was erased does not come back."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from raccroche.errors import StoreError
from raccroche.store import Filters, Store
from raccroche.store.tables import takedowns
from tests.raccroche.store.samples import MODEL, NOON, crowd, labels, mention, post

SECRET = "zyxwvutsecret"


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def filled(store: Store) -> None:
    posts, said = crowd(60)
    store.add_page("blog", posts)
    store.add_labels(said)
    gone = [
        post("e1", f"Un appel de {SECRET} ce matin", title=f"Le {SECRET}a", author="author-secret",
             url=f"https://blog.example/{SECRET}b", thread_title=f"{SECRET}c"),
        post("e2", f"Et encore {SECRET}d hier soir, comme tous les jours", author="author-secret"),
    ]  # fmt: skip
    store.add_page("blog", gone)
    store.add_labels(
        [labels(one, mention(f"{SECRET}e"), facts={"calls": {"per": SECRET}}) for one in gone]
    )
    store.add_labels([labels(gone[0], mention(), labeller="human:ada")])


def test_no_byte_of_an_erased_post_is_left_in_the_file(store: Store) -> None:
    filled(store)
    if store.path is None:
        pytest.skip("the bytes of a PostgreSQL server are its administrator's")
    assert SECRET.encode() in bytes_on_disk(store.path)
    erased = store.erase(authors=["author-secret"], reason="asked by the author")
    assert (erased.posts, erased.labels) == (2, 3)
    left = bytes_on_disk(store.path)
    # brand names are no words of the post's author, but they came from these posts alone
    assert SECRET.encode() not in left
    assert b"author-secret" not in left
    with store._db.read() as conn:
        conn.exec_driver_sql(
            "create virtual table temp.words using fts5vocab('main', 'posts_fts', 'row')"
        )
        words = [row[0] for row in conn.exec_driver_sql("select term from temp.words")]
    assert "demarchage" in words
    assert not [word for word in words if word.startswith(SECRET[:6])]


def test_an_erased_post_is_gone_from_every_answer(store: Store) -> None:
    filled(store)
    before = store.totals(Filters(MODEL))
    erased = store.erase(post_ids=[post("e1").id], urls=["https://blog.example/none"])
    assert erased.post_ids == (post("e1").id,)
    assert store.post(post("e1").id) is None
    assert store.labels_of(post("e1").id) == []
    assert store.search(SECRET, Filters(MODEL)).total == 0
    assert store.totals(Filters(MODEL)).posts == before.posts - 1
    assert store.check() == []


@pytest.mark.parametrize(
    "key",
    [
        {"post_ids": [post("e1").id]},
        {"authors": ["author-secret"]},
        {"urls": [f"https://blog.example/{SECRET}b"]},
    ],
)
def test_what_was_erased_is_not_collected_again(store: Store, key: dict[str, list[str]]) -> None:
    filled(store)
    assert store.erase(**key, reason="asked", shrink=False).posts >= 1  # type: ignore[arg-type]
    again = post("e1", "Le même", author="author-secret", url=f"https://blog.example/{SECRET}b")
    added = store.add_page("blog", [again, post("new")])
    assert added.new_ids == (post("new").id,)
    assert store.suppressed(again)
    assert not store.suppressed(post("new"))


def test_an_objection_keeps_out_what_was_never_collected(store: Store) -> None:
    assert store.suppress(authors=["pseudonym-1"], reason="objection") == 1
    assert store.suppress(authors=["pseudonym-1"], reason="objection") == 0
    assert store.add_page("blog", [post("1", author="pseudonym-1"), post("2")]).new == 1


def test_a_known_post_of_a_suppressed_author_is_not_touched_by_a_new_page(store: Store) -> None:
    store.add_page("blog", [post("1", author="pseudonym-1")])
    store.suppress(authors=["pseudonym-1"])
    added = store.add_page("blog", [post("1", "Changé", author="pseudonym-1")])
    assert (added.new, added.edited) == (0, 0)


def test_the_takedown_log_holds_hashes_and_reasons_only(store: Store) -> None:
    filled(store)
    store.erase(authors=["author-secret"], reason="request 12", shrink=False)
    (entry,) = store.takedowns()
    assert (entry.kind, entry.reason, entry.posts) == ("author", "request 12", 2)
    assert "secret" not in entry.hash


def test_a_request_with_many_keys_is_one_entry_with_its_number_of_posts(store: Store) -> None:
    filled(store)
    names = ["author-secret", *(f"pseudonym-{n}" for n in range(35))]
    store.erase(authors=names, post_ids=["none:1"], reason="request 13", shrink=False)
    (entry,) = store.takedowns()
    assert (entry.kind, entry.reason, entry.posts) == ("author, post", "request 13", 2)
    store.suppress(urls=["https://blog.example/1", "https://blog.example/2"])
    assert [one.kind for one in store.takedowns()] == ["url", "author, post"]
    assert [one.kind for one in store.takedowns(limit=1)] == ["url"]


def test_the_rows_that_an_older_release_wrote_a_key_are_read_as_one_request(store: Store) -> None:
    with store._db.write() as conn:
        for at, key in ((1, "a"), (1, "b"), (2, "c")):
            entry = {"at": at, "kind": "author", "hash": key, "reason": "asked", "posts": 8}
            conn.execute(insert(takedowns), entry)
    assert [(one.hash, one.posts) for one in store.takedowns()] == [("c", 8), ("a", 8)]


def test_an_erasure_that_a_reader_holds_up_says_so(open_store: Callable[..., Store]) -> None:
    store = open_store(timeout=0.3)
    filled(store)
    if store.path is None:
        pytest.skip("the log is SQLite's")
    reader = open_store()
    with reader._db.read() as conn:
        conn.exec_driver_sql("select count(*) from posts").one()
        with pytest.raises(StoreError, match="locked|reader keeps"):
            store.erase(authors=["author-secret"])
    assert store.erase(authors=["author-secret"]).posts == 0
    assert SECRET.encode() not in bytes_on_disk(store.path)


def test_erasing_nobody_removes_nothing(store: Store) -> None:
    filled(store)
    assert store.erase().posts == 0
    assert store.erase(authors=["' or 1=1 --", "%"]).posts == 0
    assert store.status().posts == 62


def test_a_purge_removes_what_is_older_than_a_day(store: Store) -> None:
    posts = [post(str(n), published_at=NOON + timedelta(days=n)) for n in range(6)]
    store.add_page("blog", [*posts, post("undated", published_at=None)])
    store.add_labels([labels(one, mention()) for one in posts])
    assert store.purge(date(2025, 3, 6)) == 3
    assert store.status().posts == 4
    assert store.known_ids([one.id for one in posts]) == {one.id for one in posts[3:]}
    assert store.check() == []
