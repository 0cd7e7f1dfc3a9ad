"""Labels in, side by side, and the queue of what still lacks them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from raccroche.post import Labels, Mention
from raccroche.store import Filters, Store
from tests.raccroche.store.samples import MODEL, NOON, crowd, ids, labels, mention, post


def test_labels_come_back_as_they_went_in(store: Store) -> None:
    said = Labels(
        post_id=post("1").id,
        labeller=MODEL,
        sentiment="negative",
        phone_harassment=True,
        testimony=True,
        topics=("phone_harassment", "billing"),
        signals=("robocall", "silent_call"),
        mentions=(
            Mention("Pomme", "negative", True, "caller", False, 0.875, "Fruits"),
            Mention("L'Été & Cie", "positive", False, "solution", True),
        ),
        facts={"calls": {"min": 2, "max": 5, "per": "day"}, "numbers": [{"class": "mobile"}]},
        probabilities={"phone_harassment": 0.99, "topic:billing": 0.125},
        spans=((0, 5, "appel"), (7, 9, "marque")),
        language="fr",
        language_probability=0.5,
        relation="former_customer",
    )
    store.add_page("blog", [post("1")])
    assert store.add_labels([said]) == 1
    assert store.labels_of(said.post_id) == [said]
    assert store.posts(Filters(MODEL)).rows[0].labels == said


def test_the_same_labels_twice_change_nothing(store: Store) -> None:
    store.add_page("blog", [post("1")])
    said = [labels(post("1"), mention())]
    assert store.add_labels(said) == 1
    version = store.data_version()
    assert store.add_labels(said) == 0
    assert store.add_labels([*said, *said]) == 0
    assert store.data_version() == version
    assert store.totals(Filters(MODEL)).harassment == 1


def test_a_model_never_overwrites_what_it_said(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention())])
    assert store.add_labels([labels(post("1"))]) == 0
    assert store.labels_of(post("1").id)[0].phone_harassment


def test_a_persons_second_answer_replaces_the_first_with_its_counts(store: Store) -> None:
    store.add_page("blog", [post("1")])
    first = labels(post("1"), mention(), labeller="human:ada")
    second = labels(
        post("1"), mention("Libre", harassment=False), labeller="human:ada", signals=("robocall",)
    )
    assert store.add_labels([first]) == 1
    assert store.add_labels([first]) == 0
    assert store.add_labels([second]) == 1
    assert store.labels_of(post("1").id) == [second]
    assert store.daily_counts(Filters("human:ada"), ("brand",))["brand"].tolist() == ["Libre"]
    assert store.check() == []


def test_models_and_people_stand_side_by_side(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels(
        [
            labels(post("1"), mention(), labeller=name)
            for name in ("model@1", "model@2", "human:ada")
        ]
    )
    assert [one.labeller for one in store.labels_of(post("1").id)] == [
        "human:ada",
        "model@1",
        "model@2",
    ]
    assert [one.labeller for one in store.labels_by("human:")] == ["human:ada"]
    assert {(one.name, one.human, one.posts) for one in store.labellers()} == {
        ("model@1", False, 1),
        ("model@2", False, 1),
        ("human:ada", True, 1),
    }


def test_labels_of_a_post_that_is_gone_are_left_out(store: Store) -> None:
    store.add_page("blog", [post("1")])
    assert store.add_labels([labels("wordpress/blog.example:gone"), labels(post("1"))]) == 1


def test_a_brand_named_twice_is_one_mention_that_accuses_if_either_does(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention(harassment=False), mention(harassment=True))])
    assert [one.harassment for one in store.labels_of(post("1").id)[0].mentions] == [True]


def test_the_queue_gives_what_came_first_and_ends(store: Store) -> None:
    posts, said = crowd(25)
    store.add_page("blog", posts)
    first = store.unlabelled(MODEL, 10)
    assert ids(first) == [str(n) for n in range(10)]
    assert ids(store.unlabelled(MODEL, 10, after=first[-1].seq)) == [str(n) for n in range(10, 20)]
    store.add_labels(said[5:15])
    assert ids(store.unlabelled(MODEL, 7)) == ["0", "1", "2", "3", "4", "15", "16"]
    store.add_labels(said)
    assert store.unlabelled(MODEL, 10) == []
    store.add_page("blog", [post("old", published_at=NOON - timedelta(days=4000))])
    assert ids(store.unlabelled(MODEL, 10)) == ["old"], (
        "an old post that arrives late is not forgotten"
    )
    assert len(store.unlabelled("model@2", 100)) == 26


def test_the_queue_reads_what_is_left_and_not_the_whole_store(
    open_store: Callable[..., Store],
) -> None:
    store = open_store()
    if store.dialect != "sqlite":
        pytest.skip("SQLite says in words how it will read")
    posts, said = crowd(40)
    store.add_page("blog", posts)
    store.add_labels(said)
    with store._db.read() as conn:
        plan = conn.exec_driver_sql(
            "explain query plan select n from posts where seq > 40 and not exists "
            "(select 1 from labels where post_n = posts.n and labeller_n = 1) order by seq limit 5"
        ).all()
        done = conn.exec_driver_sql("select done_seq from labellers").scalar_one()
    assert done == 40
    assert any("SEARCH posts USING" in str(line) and "seq>" in str(line) for line in plan)
    assert not any("SCAN posts" in str(line) for line in plan)


def test_two_labellers_at_once_take_different_posts(open_store: Callable[..., Store]) -> None:
    one, other = open_store(), open_store()
    posts, said = crowd(10)
    one.add_page("blog", posts)
    mine = one.unlabelled(MODEL, 6, claim_seconds=60)
    theirs = other.unlabelled(MODEL, 6, claim_seconds=60)
    assert not set(ids(mine)) & set(ids(theirs))
    assert len(mine) + len(theirs) == 10
    one.add_labels([labels(p) for p in mine])
    assert other.unlabelled(MODEL, 6, claim_seconds=60) == []
    assert ids(other.unlabelled(MODEL, 6)) == ids(theirs)


def test_a_claim_that_ran_out_is_taken_again(store: Store) -> None:
    store.add_page("blog", crowd(4)[0])
    assert len(store.unlabelled(MODEL, 4, claim_seconds=0.000_001)) == 4
    assert len(store.unlabelled(MODEL, 4, claim_seconds=60)) == 4


def test_a_queue_gives_no_post_to_two_labellers(open_store: Callable[..., Store]) -> None:
    one, other = open_store(), open_store()
    one.add_page("blog", crowd(10)[0])
    with one.queue(MODEL) as mine, other.queue(MODEL) as theirs:
        first, second = mine.take(6), theirs.take(6)
        assert (len(first), len(second)) == (6, 4)
        assert not set(ids(first)) & set(ids(second))
        other.add_labels([labels(p) for p in second])
        assert theirs.take(6) == [], "the rest is held by one that is alive"
        one.add_labels([labels(p) for p in first])
    assert one.unlabelled(MODEL, 10) == []


def test_the_last_at_the_queue_gets_what_the_dead_held(open_store: Callable[..., Store]) -> None:
    one, dead = open_store(), open_store()
    one.add_page("blog", crowd(10)[0])
    with one.queue(MODEL) as mine:
        held = ids(dead.unlabelled(MODEL, 6, claim_seconds=3600))  # and never heard of again
        one.add_labels([labels(p) for p in mine.take(6)])
        assert ids(mine.take(6)) == held


def test_what_a_failed_labeller_held_is_free_at_once(open_store: Callable[..., Store]) -> None:
    one, other = open_store(), open_store()
    one.add_page("blog", crowd(10)[0])
    with other.queue(MODEL) as theirs:
        with suppress(ZeroDivisionError), one.queue(MODEL) as mine:
            assert len(mine.take(10)) == 10
            raise ZeroDivisionError
        assert len(theirs.take(10)) == 10


def test_the_queues_of_two_labellers_are_apart(open_store: Callable[..., Store]) -> None:
    one, other = open_store(), open_store()
    one.add_page("blog", crowd(4)[0])
    with one.queue(MODEL) as mine, other.queue("other@1") as theirs:
        assert len(mine.take(4)) == len(theirs.take(4)) == 4


def test_dropping_a_labeller_forgets_all_it_said(store: Store) -> None:
    posts, said = crowd(30)
    store.add_page("blog", posts)
    store.add_labels(said)
    store.add_labels([labels(posts[0], mention(), labeller="human:ada")])
    assert store.drop_labels(MODEL) == 30
    assert store.daily_counts(Filters(MODEL)).empty
    assert [one.name for one in store.labellers()] == ["human:ada"]
    assert len(store.unlabelled(MODEL, 100)) == 30
    assert store.check() == []
