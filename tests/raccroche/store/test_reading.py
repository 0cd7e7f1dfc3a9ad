"""Pages of posts, search, and streams."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raccroche.errors import StoreError
from raccroche.store import Filters, Store
from tests.raccroche.store.conftest import BOTH, place
from tests.raccroche.store.samples import MODEL, NOON, crowd, ids, labels, mention, post


def fill(store: Store, *texts: str) -> None:
    posts = [
        post(str(n), text, published_at=NOON + timedelta(hours=n)) for n, text in enumerate(texts)
    ]
    store.add_page("blog", posts)
    store.add_labels([labels(one, mention()) for one in posts])


def test_pages_follow_each_other_without_gap_or_repeat(store: Store) -> None:
    posts, said = crowd(60)
    store.add_page("blog", posts)
    store.add_labels(said)
    for order in ("newest", "oldest"):
        found, after = [], None
        while True:
            page = store.posts(Filters(MODEL), size=7, after=after, order=order)
            found += page.rows
            after = page.next
            if after is None:
                break
        times = [row.post.published_at or NOON - timedelta(days=9999) for row in found]
        minutes = [time.replace(second=0, microsecond=0) for time in times]
        assert minutes == sorted(minutes, reverse=order == "newest")
        assert len({row.post.id for row in found}) == len(found) == page.total
    assert len(list(store.iterate(Filters(MODEL), chunk=7))) == page.total


def test_a_page_stays_where_it_was_when_new_posts_arrive(store: Store) -> None:
    fill(store, *[f"Le message {n} de la liste" for n in range(6)])
    first = store.posts(Filters(MODEL), size=2)
    newer = post("newer", published_at=NOON + timedelta(days=9))
    store.add_page("blog", [newer])
    store.add_labels([labels(newer)])
    assert ids(first.rows) == ["5", "4"]
    assert ids(store.posts(Filters(MODEL), size=2, after=first.next).rows) == ["3", "2"]


def test_a_cursor_that_is_not_ours_gives_an_empty_page(store: Store) -> None:
    fill(store, "Un message", "Un autre message")
    for cursor in ("", "abc", "-1", "1 or 1=1", "9" * 40, "٣"):
        assert store.posts(Filters(MODEL), after=cursor).rows == ()
        assert store.search("message", Filters(MODEL), after=cursor).rows == ()


def test_an_unknown_order_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="newest or oldest"):
        store.posts(Filters(MODEL), order="n; drop table posts")


def test_a_post_is_found_by_its_id_with_everything_said_of_it(store: Store) -> None:
    fill(store, "Un message")
    store.add_labels([labels("wordpress/blog.example:0", labeller="human:ada")])
    detail = store.post("wordpress/blog.example:0")
    assert detail is not None
    assert [one.labeller for one in detail.labels] == ["human:ada", MODEL] or [
        one.labeller for one in detail.labels
    ] == [MODEL, "human:ada"]
    only = store.post("wordpress/blog.example:0", MODEL)
    assert only is not None
    assert [one.labeller for one in only.labels] == [MODEL]
    assert store.post("wordpress/blog.example:absent") is None


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("harcele", ["0"]),  # accents and case aside
        ("HARCELÉ matin", ["0"]),
        ("appelle", ["1"]),
        ('"chaque matin"', ["0"]),
        ('"matin chaque"', []),
        ("matin -chaque", ["1"]),
        ("demarch*", ["2", "1"]),
        ("l'opérateur", ["2"]),
        ("matin", ["1", "0"]),
        ("Titre", ["2"]),
        ("rien de tel", []),
        ("-matin", []),
        ("AND", []),
    ],
)
def test_words_are_found_as_people_type_them(
    talkative: Store, typed: str, found: list[str]
) -> None:
    page = talkative.search(typed, Filters(MODEL))
    assert (ids(page.rows), page.total, page.exact) == (found, len(found), True)


@pytest.fixture(scope="module", params=BOTH)
def talkative(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Three posts to search, for the tests that only read."""
    texts = [
        "Harcelé chaque matin au téléphone 😡",
        "On m'appelle tôt le matin : un démarchage de plus",
        "Démarchage encore, l’opérateur insiste",
    ]
    posts = [
        post(str(n), text, published_at=NOON + timedelta(hours=n)) for n, text in enumerate(texts)
    ]
    posts[2] = post("2", texts[2], title="Le titre", published_at=NOON + timedelta(hours=2))
    with place(request, tmp_path_factory.mktemp("words")) as url, Store.open(url) as store:
        store.add_page("blog", posts)
        store.add_labels([labels(one) for one in posts])
        yield store


def test_the_found_words_are_marked_where_they_stand(store: Store) -> None:
    fill(store, "😡 Harcelé ! Oui, harcelé chaque matin.")
    (row,) = store.search("harcele matin", Filters(MODEL)).rows
    marked = [row.post.text[start:end] for start, end in row.highlights]
    assert marked == ["Harcelé", "harcelé", "matin"]


def test_search_goes_with_filters_and_pages(store: Store) -> None:
    posts, said = crowd(80)
    store.add_page("blog", posts)
    store.add_labels(said)
    filters = Filters(MODEL, brands=("Pomme",), start=date(2025, 3, 10))
    listed = [row.post.id for row in store.posts(filters, size=200).rows]
    found, after = [], None
    while True:
        page = store.search("démarchage", filters, size=3, after=after)
        found += [row.post.id for row in page.rows]
        after = page.next
        if after is None:
            break
    assert found == listed != []
    assert page.total == len(listed)


SIGNS = ['"', "*", "-", "AND", "NEAR(", "(", ")", ":", "^", "\0", "matin", "title:", "'", "\\"]
TYPED = st.text(max_size=60) | st.lists(st.sampled_from([*SIGNS, ";", "&", "|", "!", "<->"])).map(
    " ".join
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TYPED)
def test_nothing_typed_breaks_the_search(searched: Store, typed: str) -> None:
    page = searched.search(typed, Filters(MODEL))
    assert len(page.rows) == page.total
    for row in page.rows:
        assert all(0 <= start < end <= len(row.post.text) for start, end in row.highlights)


@pytest.fixture
def searched(store: Store) -> Store:
    fill(store, "Un appel ce matin", "Rien", "title: AND 'matin' -- 100 % \\ fin")
    return store


def test_a_total_too_long_to_count_says_at_least(store: Store) -> None:
    posts = [post(str(n), f"Bonjour, message {n} du matin") for n in range(1100)]
    store.add_page("blog", posts)
    store.add_labels([labels(one, signals=("robocall",)) for one in posts])
    page = store.search("matin", Filters(MODEL), size=5)
    assert (page.total, page.exact) == (1000, False)
    exact = store.posts(Filters(MODEL), size=5)
    assert (exact.total, exact.exact) == (1100, True)
    two = Filters(MODEL, topics=("other",), relations=("unknown",))
    assert store.posts(two, size=5).total == 1100
    three = replace(two, signals=("robocall",))
    assert store.posts(three, size=5).total == 1000
