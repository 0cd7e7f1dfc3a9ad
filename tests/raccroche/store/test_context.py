"""What stands around a post: the one it answers, and what its thread held before it."""

from collections.abc import Sequence
from datetime import timedelta

from raccroche.post import Post
from raccroche.store import Answered, Store
from raccroche.store.context import _MOST, _REACH
from tests.raccroche.store.samples import MODEL, NOON, post

PLACE = "wordpress/blog.example"


def at(number: int, text: str, **more: object) -> Post:
    moment = NOON + timedelta(minutes=number)
    return post(str(number), text, **{"published_at": moment, "thread": "fil", **more})


def threads(store: Store, posts: Sequence[Post]) -> dict[str, tuple[str, ...]]:
    store.add_page("blog", posts)
    found = store.thread_texts(store.unlabelled(MODEL, 10_000))
    return {name.rsplit(":", 1)[1]: texts for name, texts in found.items()}


def test_a_post_that_is_answered_is_given_with_its_brand(store: Store) -> None:
    store.add_page("blog", [at(1, "Un texte", author_brand="Pomme", by_brand=True), at(2, "Deux")])
    found = store.answered([f"{PLACE}:1", f"{PLACE}:2", f"{PLACE}:absent"])
    assert found == {f"{PLACE}:1": Answered("Un texte", "Pomme"), f"{PLACE}:2": Answered("Deux")}


def test_a_thread_is_told_up_to_the_post_the_newest_first(store: Store) -> None:
    found = threads(
        store, [at(3, "trois"), at(1, "un"), at(2, "deux"), at(4, "ailleurs", thread="b")]
    )
    assert found == {"2": ("un",), "3": ("deux", "un")}


def test_posts_without_a_date_stand_in_the_order_they_came(store: Store) -> None:
    undated = [at(n, f"texte {n}", published_at=None) for n in (1, 2)]
    assert threads(store, undated) == {"2": ("texte 1",)}


def test_a_thread_of_the_same_name_elsewhere_is_another(store: Store) -> None:
    other = at(1, "un", source="wordpress/autre.example")
    assert threads(store, [other, at(2, "deux")]) == {}


def test_a_long_thread_costs_no_more_than_what_arrived_near(store: Store) -> None:
    many = [at(n, f"texte {n}") for n in range(1, 2 * _REACH)]
    found = threads(store, many)
    last = found[str(2 * _REACH - 1)]
    assert (len(last), last[0]) == (_MOST, f"texte {2 * _REACH - 2}")
    far = at(2 * _REACH, "le dernier", published_at=NOON)  # older than all but the place it came
    assert threads(store, [far]).get(str(2 * _REACH)) is None
