"""Copies form groups of which the first counts."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from raccroche.post import Post
from raccroche.store import Filters, Store, duplicates
from tests.raccroche.store.samples import MODEL, NOON, ids, labels, mention, post

LONG = (
    "Bonjour, depuis trois semaines je reçois chaque matin un appel de démarchage au sujet "
    "de ma ligne, malgré mes refus, et personne au service client ne sait me dire comment "
    "cela peut enfin cesser."
)


def groups(store: Store, *posts: Post) -> list[str]:
    """The group of each post, as the native id of its first."""
    found = [store.post(one.id) for one in posts]
    return [one.post.group.rpartition(":")[2] for one in found if one is not None]


def test_the_same_words_in_two_places_are_one_group_and_the_earliest_counts(store: Store) -> None:
    late = post("late", LONG, published_at=NOON)
    early = post("early", LONG.upper() + " !!", source="mastodon/m.example", platform="mastodon",
                 published_at=NOON - timedelta(days=2))  # fmt: skip
    store.add_page("blog", [late])
    store.add_labels([labels(late, mention())])
    assert store.totals(Filters(MODEL)).harassment == 1
    store.add_page("social", [early])
    assert groups(store, late, early) == ["early", "early"]
    assert store.totals(Filters(MODEL)).harassment == 0, "the first of the group has no labels yet"
    store.add_labels([labels(early, mention())])
    counted = store.daily_counts(Filters(MODEL), ("day", "source"))
    assert counted["source"].tolist() == ["mastodon/m.example"]
    assert store.check() == []


def test_a_copy_is_folded_in_lists_unless_asked_for(store: Store) -> None:
    one, other = post("1", LONG), post("2", LONG, published_at=NOON + timedelta(days=1))
    store.add_page("blog", [one, other])
    store.add_labels([labels(one), labels(other)])
    page = store.posts(Filters(MODEL))
    assert ids(page.rows) == ["1"]
    assert page.rows[0].post.copies == 1
    assert ids(store.posts(Filters(MODEL, with_copies=True)).rows) == ["2", "1"]
    detail = store.post(one.id)
    assert detail is not None
    assert ids(detail.group) == ["2"]


@pytest.mark.parametrize(
    "other",
    [
        post("b", LONG + " Merci."),
        post("b", LONG.replace("chaque matin", "tous les matins")),
        post("b", "RT @quelquun: " + LONG + " https://m.example/1"),
    ],
)
def test_an_edited_copy_is_a_copy(store: Store, other: Post) -> None:
    one = post("a", LONG)
    store.add_page("blog", [one])
    store.add_page("blog", [other])
    assert groups(store, one, other) == ["a", "a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Merci beaucoup pour votre aide !", "Merci beaucoup pour votre aide !"),
        (LONG + " Signé Pomme", LONG + " Signé Libre"),
        (LONG + " Ils ont appelé 12 fois.", LONG + " Ils ont appelé 40 fois."),
        (
            LONG,
            "Rien à voir avec cela : ma box ne marche plus depuis hier, à rendre.",
        ),
    ],
)
def test_what_only_looks_alike_is_not_a_copy(store: Store, one: str, other: str) -> None:
    pair = post("a", one), post("b", other)
    store.add_page("blog", pair)
    assert groups(store, *pair) == ["a", "b"]


def test_reviews_of_two_brands_in_the_same_words_are_two_near_texts_apart(store: Store) -> None:
    pair = (
        post("a", LONG, context_brand="Pomme"),
        post("b", LONG + " Merci.", context_brand="Libre"),
    )
    store.add_page("blog", pair)
    assert groups(store, *pair) == ["a", "b"]


@pytest.mark.parametrize("given", ["context_brand", "reply_to_brand"])
@pytest.mark.parametrize("near", ["", " Merci."])
def test_the_same_words_about_another_brand_are_another_testimony(
    store: Store, given: str, near: str
) -> None:
    """Only the place says whom they accuse: each brand has its own, and copies about it."""
    told = [
        post(name, LONG + near * place, published_at=NOON + timedelta(days=place), **{given: brand})
        for place, (name, brand) in enumerate(
            [("a", "Pomme"), ("b", "Libre"), ("c", None), ("d", "Libre"), ("e", "Pomme")]
        )
    ]
    for one in told:
        store.add_page("blog", [one])
    assert groups(store, *told) == ["a", "b", "c", "b", "a"]
    assert store.check() == []


def test_words_that_name_both_brands_are_one_testimony_wherever_they_stand(store: Store) -> None:
    text = LONG + " Pomme et Libre Mobile font pareil."
    told = [post("a", text, context_brand="Pomme"), post("b", text, context_brand="Libre Mobile"),
            post("c", text)]  # fmt: skip
    store.add_page("blog", told)
    assert groups(store, *told) == ["a", "a", "a"]


def test_a_post_over_a_bridge_is_the_same_post_whatever_each_place_says_of_it(
    store: Store,
) -> None:
    told = [
        post("a", LONG, uri="at://x/1", reply_to_brand="Pomme"),
        post("b", LONG, uri="at://x/1"),
    ]
    store.add_page("blog", told)
    assert groups(store, *told) == ["a", "a"]


def test_a_long_quote_does_not_make_an_answer_a_copy(store: Store) -> None:
    one = post("a", LONG)
    answer = post(
        "b",
        f"{LONG}\nPareil pour moi, et cela dure depuis bien plus longtemps que cela.",
        quoted=(LONG,),
    )
    store.add_page("blog", [one, answer])
    assert groups(store, one, answer) == ["a", "b"]


def test_the_same_words_a_year_later_are_another_post_but_not_in_the_same_thread(
    store: Store,
) -> None:
    one = post("a", LONG, thread="t")
    year = post("b", LONG, published_at=NOON + timedelta(days=365))
    thread = post("c", LONG, published_at=NOON + timedelta(days=365), thread="t")
    store.add_page("blog", [one, year])
    assert groups(store, one, year) == ["a", "b"]
    store.add_page("blog", [thread])
    assert groups(store, one, thread) == ["a", "a"]


def test_a_post_that_came_over_a_bridge_is_the_same_post(store: Store) -> None:
    one = post("a", "Court", uri="https://m.example/objets/1")
    bridged = post("b", "Court (via un pont)", uri=one.uri, source="lemmy/l.example",
                   platform="lemmy", published_at=NOON + timedelta(days=400))  # fmt: skip
    store.add_page("a", [one])
    store.add_page("b", [bridged])
    assert groups(store, one, bridged) == ["a", "a"]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_the_groups_do_not_depend_on_the_order_of_arrival(
    store: Store, order: tuple[int, ...]
) -> None:
    chain = [post(str(at), LONG, published_at=NOON + timedelta(days=80 * at)) for at in range(4)]
    for at in order:
        store.add_page("blog", [chain[at]])
        store.add_labels([labels(chain[at], mention())])
    assert groups(store, *chain) == ["0", "0", "0", "0"]
    assert store.totals(Filters(MODEL)).harassment == 1
    assert store.check() == []


def test_when_the_first_of_a_group_goes_the_next_one_counts(store: Store) -> None:
    chain = [post(str(at), LONG, published_at=NOON + timedelta(days=at)) for at in range(3)]
    store.add_page("blog", chain)
    store.add_labels([labels(one, mention()) for one in chain])
    store.add_page("blog", [], deleted=[chain[0].id])
    assert groups(store, *chain[1:]) == ["1", "1"]
    assert store.daily_counts(Filters(MODEL), ("day",))["harassment"].tolist() == [1]
    assert store.check() == []


def test_an_edit_takes_a_post_out_of_its_group(store: Store) -> None:
    one, other = post("1", LONG), post("2", LONG, published_at=NOON + timedelta(days=1))
    store.add_page("blog", [one, other])
    store.add_labels([labels(one, mention()), labels(other, mention())])
    store.add_page("blog", [post("1", "Finalement, je retire ce que j'ai dit : tout est réglé.")])
    assert groups(store, one, other) == ["1", "2"]
    assert store.totals(Filters(MODEL)).harassment == 1
    assert store.check() == []


def test_an_undated_copy_never_comes_first(store: Store) -> None:
    undated, dated = post("a", LONG, published_at=None), post("b", LONG)
    store.add_page("blog", [undated, dated])
    assert groups(store, undated, dated) == ["b", "b"]


@given(st.text("ab c", max_size=60), st.text("ab c", max_size=60))
@example("a", "a")
@example("", "abcde")
@example("abcde" * 600, "abcde" * 599)
def test_texts_are_alike_by_the_share_of_their_pieces(one: str, other: str) -> None:
    """The short ways to the answer never change it."""
    left, right = duplicates._pieces(one), duplicates._pieces(other)
    share = len(left & right) / len(left | right)
    assert duplicates._are_alike(one, other) == (share >= 0.75)
    assert duplicates._are_alike(other, one) == (share >= 0.75)


def test_a_letter_sent_a_thousand_times_within_a_page_is_one_group(store: Store) -> None:
    """Each copy has an error of its own: they are compared with the first, not all with all."""
    many = [post(f"p{n:04}", f"{LONG} {'x' * (n % 9)}y{'z' * (n // 9 % 9)}") for n in range(1000)]
    store.add_page("blog", many)
    assert len(store.known_ids([one.id for one in many])) == 1000
    assert set(groups(store, *many[::99])) == {"p0000"}
