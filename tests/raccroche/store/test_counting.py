"""Every number a chart shows, against a count by hand of the same posts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raccroche.errors import StoreError
from raccroche.post import Kind, Labels, Mention
from raccroche.store import UNKNOWN_BRAND, Filters, Store, StoredPost
from raccroche.store.counts import MEASURES
from raccroche.store.tables import ANY_BRAND
from tests.raccroche.store.conftest import BOTH, place
from tests.raccroche.store.samples import MODEL, NOON, crowd, labels, mention, post

PARIS = ZoneInfo("Europe/Paris")
PERIOD = datetime(2025, 3, 10, tzinfo=PARIS) - NOON  # from the posts' first noon


def units(
    rows: Sequence[tuple[StoredPost, Labels]], filters: Filters, by: Sequence[str]
) -> Counter[tuple[Any, ...]]:
    """Count by hand, as the docstring of the package says: keys and measure -> how many."""
    found: Counter[tuple[Any, ...]] = Counter()
    branded = bool({"brand", "family"} & set(by)) or bool(filters.brands)
    for about, said in rows:
        if not counts_at_all(about, said) or not wanted(about, said, filters):
            continue
        testimony = said.testimony and not about.by_brand and about.kind != Kind.ARTICLE
        for brand, sentiment, harassment in (
            pairs(said) if branded else [("*", said.sentiment, said.phone_harassment)]
        ):
            if filters.brands and brand not in filters.brands:
                continue
            if filters.sentiments and sentiment not in filters.sentiments:
                continue
            if (filters.harassment_only and not harassment) or (
                filters.testimony_only and not testimony
            ):
                continue
            for key in keys(about, said, brand, filters, by):
                found[*key, "mentions"] += 1
                found[*key, "harassment"] += harassment
                found[*key, "testimonies"] += testimony
                found[*key, "harassment_testimonies"] += harassment and testimony
                found[*key, sentiment] += 1
    return Counter({key: many for key, many in found.items() if many})


def counts_at_all(about: StoredPost, said: Labels) -> bool:
    dated = about.published_at is not None
    return dated and not about.is_copy and said.refused is None and said.language in (None, "fr")


def wanted(about: StoredPost, said: Labels, filters: Filters) -> bool:
    assert about.published_at is not None
    day = about.published_at.astimezone(PARIS).date()
    return all(
        (
            filters.start is None or day >= filters.start,
            filters.end is None or day <= filters.end,
            not filters.sources or about.source in filters.sources,
            not filters.platforms or about.platform in filters.platforms,
            not filters.topics or set(filters.topics) & set(said.topics),
            not filters.signals or set(filters.signals) & set(said.signals),
            not filters.relations or said.relation in filters.relations,
        )
    )


def pairs(said: Labels) -> Iterator[tuple[str, str, bool]]:
    for one in said.mentions:
        yield one.brand, one.sentiment, one.harassment
    if said.phone_harassment and not any(one.harassment for one in said.mentions):
        yield UNKNOWN_BRAND, said.sentiment, True


def keys(
    about: StoredPost, said: Labels, brand: str, filters: Filters, by: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    assert about.published_at is not None
    day = about.published_at.astimezone(PARIS).date()
    terms: Sequence[str | None] = [None]
    if "topic" in by:
        terms = [name for name in said.topics if not filters.topics or name in filters.topics]
    if "signal" in by:
        terms = [name for name in said.signals if not filters.signals or name in filters.signals]
    if "relation" in by:
        terms = [said.relation]
    single = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "brand": brand,
        "source": about.source,
        "platform": about.platform,
    }
    for term in terms:
        yield tuple(single.get(key, term) for key in by)


def table(store: Store, filters: Filters, by: Sequence[str]) -> Counter[tuple[Any, ...]]:
    """What the store counts, in the same form."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in store.daily_counts(filters, by).to_dict("records"):
        key = tuple(
            row["period"].date() if name in ("day", "week", "month") else row[name] for name in by
        )
        for measure in MEASURES:
            found[*key, measure] += int(row[measure])
    return Counter({key: many for key, many in found.items() if many})


def fill(store: Store, many: int = 150) -> list[tuple[StoredPost, Labels]]:
    posts, said = crowd(many)
    for start in range(0, many, 40):
        store.add_page("blog", posts[start : start + 40])
        store.add_labels(said[start : start + 40])
    stored = {one.id: one for one in store.unlabelled("nobody@1", many)}
    return [(stored[one.post_id], one) for one in said]


Filled = tuple[Store, list[tuple[StoredPost, Labels]]]


@pytest.fixture(scope="module", params=BOTH)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """One store of 150 posts, for the tests that only read."""
    with place(request, tmp_path_factory.mktemp("filled")) as url, Store.open(url) as store:
        yield store, fill(store)


SIGNALS = Filters(MODEL, signals=("robocall", "silent_call"))


@pytest.mark.parametrize(
    "by",
    [
        (), ("day",), ("week", "brand"), ("month", "brand", "platform"), ("brand", "source"),
        ("brand", "topic"),
        ("week", "signal"), ("month", "relation", "brand"), ("source",), ("platform", "topic"),
        ("brand", "signal"), ("month", "topic"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "filters",
    [
        Filters(MODEL),
        Filters(MODEL, start=date(2025, 3, 10), end=date(2025, 4, 6)),
        Filters(MODEL, brands=("Pomme", "Libre"), sentiments=("negative",)),
        Filters(MODEL, brands=(UNKNOWN_BRAND,)),
        Filters(MODEL, brands=("Pomme", UNKNOWN_BRAND), topics=("billing", "network")),
        Filters(MODEL, sources=("wordpress/forum.example",), harassment_only=True),
        Filters(MODEL, platforms=("mastodon",), topics=("billing",)),
        Filters(MODEL, relations=("customer", "prospect"), testimony_only=True),
        replace(SIGNALS, topics=("billing",), sentiments=("positive", "neutral")),
        SIGNALS,
        Filters(MODEL, topics=("billing",), signals=("robocall",)),
        Filters(MODEL, topics=("billing", "network"), relations=("customer", "prospect")),
        Filters(MODEL, topics=("billing", "network", "cancellation"), harassment_only=True),
        Filters(MODEL, topics=("phone_harassment",), relations=("unknown",), signals=("robocall",)),
    ],
)
def test_counts_are_those_of_a_count_by_hand(
    filled: Filled, filters: Filters, by: tuple[str, ...]
) -> None:
    store, rows = filled
    assert table(store, filters, by) == units(rows, filters, by)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_filter_counts_as_by_hand(filled: Filled, data: st.DataObject) -> None:
    store, rows = filled

    def some(*names: str, most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
        return st.lists(st.sampled_from(names), max_size=most, unique=True).map(tuple)

    filters = Filters(
        MODEL,
        brands=data.draw(some("Pomme", "Libre", "BT", UNKNOWN_BRAND, "Absente")),
        platforms=data.draw(some("mastodon", "wordpress")),
        sentiments=data.draw(some("negative", "neutral", "positive")),
        topics=data.draw(some("billing", "network", "phone_harassment", "absent", most=3)),
        signals=data.draw(some("robocall", "silent_call")),
        relations=data.draw(some("customer", "prospect")),
        harassment_only=data.draw(st.booleans()),
        testimony_only=data.draw(st.booleans()),
    )
    terms = data.draw(st.sampled_from([(), ("topic",), ("signal",), ("relation",)]))
    by = (*data.draw(st.sampled_from([("brand",), ("month",), ("week", "brand"), ()])), *terms)
    assert table(store, filters, by) == units(rows, filters, by)
    listed = {row.post.id for row in store.iterate(filters) if row.post.published_at}
    assert store.totals(filters).posts == len(listed)


TWO_TERMS = (
    ({"topics": ("phone_harassment",), "signals": ("robocall",)}, ("week", "brand")),
    ({"topics": ("billing",), "brands": ("Pomme",), "testimony_only": True}, ("brand", "signal")),
    ({"signals": ("robocall", "silent_call")}, ("month", "brand")),
    ({"topics": ("billing",), "relations": ("customer", "prospect")}, ("day",)),
    ({"topics": ("billing", "network"), "signals": ("robocall",)}, ("month", "topic")),
    ({"number_classes": ("mobile",)}, ("brand", "signal")),
)


@pytest.mark.parametrize(("chosen", "by"), TWO_TERMS, ids=str)
def test_two_terms_are_counted_without_reading_posts(
    store: Store, chosen: dict[str, Any], by: tuple[str, ...]
) -> None:
    fill(store)
    before = table(store, Filters(MODEL, **chosen), by)
    assert before
    with store._db.write() as conn:
        for name in ("marks", "mentions", "labels"):
            conn.exec_driver_sql(f"delete from {name}")
    assert table(store, Filters(MODEL, **chosen), by) == before


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_two_terms_are_counted_rightly_whatever_happened_to_the_posts(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Posts change, go, come twice, and are labelled again, by models and by people."""
    seed = data.draw(st.integers(0, 9))
    posts, said = crowd(40, seed)
    others = crowd(40, seed + 100)[1]
    again = {
        mine.id: replace(other, post_id=mine.id) for mine, other in zip(posts, others, strict=True)
    }
    with Store.open(tmp_path_factory.mktemp("changed") / "raccroche.db") as store:
        store.add_page("blog", posts)
        store.add_labels(said)
        for what, at in data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["edit", "copy", "erase", "take down", "people", "rebuild"]),
                    st.integers(0, 39),
                ),
                max_size=12,
            )
        ):
            one = posts[at]
            if what == "edit":
                store.add_page("blog", [replace(one, text=f"{one.text} Ajout {at}.")])
            elif what == "copy":
                store.add_page("blog", [replace(one, text=posts[at - 1].text)])
            elif what == "erase":
                store.erase(post_ids=[one.id], suppress=False, shrink=False)
            elif what == "take down":
                store.add_page("blog", [], deleted=[one.id])
            elif what == "people":
                person = replace(again[one.id], labeller="human:ada")
                store.add_labels([person, replace(said[at], labeller="human:bob")])
            else:
                store.rebuild_counts()
            store.add_labels([again[left.id] for left in store.unlabelled(MODEL, 100)])
        assert store.check() == []
        for labeller in (MODEL, "human:ada"):
            rows = [
                (row.post, row.labels)
                for row in store.iterate(Filters(labeller, with_copies=True))
                if row.labels is not None
            ]
            for chosen, by in TWO_TERMS[:-1]:
                filters = Filters(labeller, **chosen)
                assert table(store, filters, by) == units(rows, filters, by)


@pytest.mark.parametrize(
    "chosen",
    [
        {"brands": ("Pomme",)},
        {"brands": ("Pomme", "Rouge")},
        {"brands": ("Pomme", "Rouge", UNKNOWN_BRAND)},
        {"brands": ("Pomme", "Rouge", "Libre"), "harassment_only": True},
        {"brands": ("Pomme", "BT"), "sentiments": ("negative", "neutral")},
        {"brands": ("Pomme", "BT"), "platforms": ("wordpress",), "testimony_only": True},
        {"brands": ("Pomme", "Rouge"), "topics": ("phone_harassment",)},
        {"brands": ("Pomme", "Rouge"), "topics": ("phone_harassment", "other")},
        {"platforms": ("wordpress", "mastodon")},
        {"platforms": ("inconnue",)},
    ],
    ids=str,
)
def test_a_post_of_several_chosen_brands_or_places_is_one_post(
    filled: Filled, chosen: dict[str, Any]
) -> None:
    store, _ = filled
    filters = Filters(MODEL, **chosen)
    posts = [row.post for row in store.iterate(filters)]
    dated = [one for one in posts if one.published_at is not None]
    assert store.totals(filters).posts == len(dated)
    listed = store.posts(filters, size=200).rows
    assert [row.post.id for row in listed] == [one.id for one in reversed(posts)][:200]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(MODEL),
        Filters(MODEL, platforms=("wordpress",)),
        Filters(MODEL, topics=("phone_harassment", "billing")),
        Filters(MODEL, topics=("phone_harassment",), signals=("robocall",)),
        Filters(MODEL, testimony_only=True, with_copies=True),
    ],
    ids=str,
)
def test_posts_counted_once_come_with_those_of_each_brand(filled: Filled, filters: Filters) -> None:
    store, _ = filled
    found = store.daily_counts(filters, ("week", "brand"), whole=True)
    once = found["brand"] == ANY_BRAND
    whole = found[once].drop(columns="brand").reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, store.daily_counts(filters, ("week",)))
    own = found[~once].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, store.daily_counts(filters, ("week", "brand")))


@pytest.mark.parametrize("limit", [3, 1_000])
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"brands": ("Pomme",)},
        {"brands": ("Pomme", "BT", UNKNOWN_BRAND)},
        {"brands": ("Pomme", "Rouge"), "topics": ("phone_harassment",)},
        {"topics": ("phone_harassment", "billing"), "testimony_only": True},
        {"topics": ("phone_harassment",), "signals": ("robocall",)},
        {"platforms": ("wordpress", "mastodon")},
        {"sources": ("wordpress/blog.example",)},
        {"start": date(2025, 3, 1)},
        {"sentiments": ("negative",), "with_copies": True},
    ],
    ids=str,
)
def test_facts_are_those_of_the_newest_accusing_posts(
    filled: Filled, chosen: dict[str, Any], limit: int
) -> None:
    store, _ = filled
    filters = Filters(MODEL, **chosen)
    told = [
        (row.post.id, row.labels.facts)
        for row in store.iterate(filters)
        if row.labels and row.labels.phone_harassment and row.labels.facts
    ]
    found = store.facts(filters, limit)
    assert [(one.post_id, one.facts) for one in found] == told[::-1][:limit]
    quick = store.facts(filters, limit, accused=False)
    assert [replace(one, brands=()) for one in found] == quick


@pytest.mark.parametrize("copies", [True, False])
def test_what_no_reading_gives_is_counted_by_reason(filled: Filled, copies: bool) -> None:
    store, rows = filled
    filters = Filters(MODEL, start=date(2025, 3, 10), with_copies=copies)
    since = [(p, s) for p, s in rows if p.published_at and p.published_at >= NOON + PERIOD]
    left = store.left_out(filters)
    counted = sum(1 for _ in store.iterate(filters))
    assert counted + left["refused"] + left["not_french"] + left["copies"] == len(since)
    assert left["refused"] == sum(said.refused is not None for _, said in since)
    assert bool(left["copies"]) is not copies
    assert left["undated"]


def test_a_post_that_accuses_one_brand_and_praises_another_counts_for_both(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention("Pomme"), mention("Libre", False, "positive"))])
    found = store.daily_counts(Filters(MODEL), ("brand",)).set_index("brand")
    assert found.loc["Pomme", ["mentions", "harassment", "negative"]].tolist() == [1, 1, 1]
    assert found.loc["Libre", ["mentions", "harassment", "positive"]].tolist() == [1, 0, 1]
    totals = store.totals(Filters(MODEL))
    assert (totals.posts, totals.mentions, totals.harassment) == (1, 2, 1)


def test_harassment_without_a_named_caller_is_seen_under_its_own_name(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention("Pomme", harassment=False), phone_harassment=True)])
    found = store.daily_counts(Filters(MODEL), ("brand",)).set_index("brand")["harassment"]
    assert found.to_dict() == {"Pomme": 0, UNKNOWN_BRAND: 1}


@pytest.mark.parametrize("fields", [{"kind": Kind.ARTICLE}, {"by_brand": True}])
def test_articles_and_brand_accounts_are_never_testimony(
    store: Store, fields: dict[str, Any]
) -> None:
    store.add_page("blog", [post("1", **fields)])
    store.add_labels([labels(post("1"), mention())])
    totals = store.totals(Filters(MODEL))
    assert (totals.harassment, totals.testimonies) == (1, 0)
    assert store.posts(Filters(MODEL, testimony_only=True)).total == 0


@pytest.mark.parametrize("fields", [{"refused": "language"}, {"language": "en"}])
def test_a_refused_or_foreign_post_counts_nowhere(store: Store, fields: dict[str, Any]) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention(), **fields)])
    assert store.daily_counts(Filters(MODEL)).empty
    assert store.posts(Filters(MODEL)).rows == ()


def test_an_undated_post_is_listed_and_counted_apart(store: Store) -> None:
    store.add_page("blog", [post("1", published_at=None)])
    store.add_labels([labels(post("1"), mention())])
    totals = store.totals(Filters(MODEL))
    assert (totals.posts, totals.undated) == (0, 1)
    assert store.posts(Filters(MODEL)).total == 1
    for bounds in ({"start": date(1990, 1, 1)}, {"end": date(2100, 1, 1)}):
        page = store.posts(Filters(MODEL, **bounds))
        assert (page.rows, page.total) == ((), 0)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (
            datetime(2025, 3, 29, 22, 59, tzinfo=UTC),
            date(2025, 3, 29),
        ),  # winter time: 23:59 in Paris
        (datetime(2025, 3, 29, 23, 0, tzinfo=UTC), date(2025, 3, 30)),
        (datetime(2025, 3, 30, 22, 0, tzinfo=UTC), date(2025, 3, 31)),  # summer time since 3 a.m.
        (datetime(1989, 12, 31, 23, 30, tzinfo=UTC), date(1990, 1, 1)),
    ],
)
def test_a_day_is_a_day_of_paris(store: Store, moment: datetime, day: date) -> None:
    store.add_page("blog", [post("1", published_at=moment)])
    store.add_labels([labels(post("1"), mention())])
    assert store.daily_counts(Filters(MODEL), ("day",))["period"].dt.date.tolist() == [day]
    assert store.totals(Filters(MODEL, start=day, end=day)).posts == 1
    assert store.totals(Filters(MODEL, end=day - timedelta(days=1))).posts == 0


def test_a_family_adds_its_brands(store: Store) -> None:
    store.add_page("blog", [post("1"), post("2")])
    store.add_labels(
        [
            labels(post("1"), Mention("Pomme", "negative", True, family="Fruits")),
            labels(
                post("2"), Mention("Poire", "neutral", False, family="Fruits"), mention("Libre")
            ),
        ]
    )
    found = store.daily_counts(Filters(MODEL), ("family",)).dropna().set_index("family")
    assert found.loc["Fruits", ["mentions", "harassment"]].tolist() == [2, 1]
    only = store.daily_counts(Filters(MODEL, families=("Fruits",)), ("brand",))
    assert only["brand"].tolist() == ["Poire", "Pomme"]
    assert [(one.brand, one.family, one.mentions) for one in store.brands_seen(MODEL)] == [
        ("Libre", None, 1),
        ("Poire", "Fruits", 1),
        ("Pomme", "Fruits", 1),
    ]


def test_classes_of_numbers_are_counted_once_a_post(store: Store) -> None:
    store.add_page("blog", [post("1")])
    facts = {"numbers": [{"class": "mobile"}, {"class": "mobile"}, {"class": "geographic"}]}
    store.add_labels([labels(post("1"), mention(), facts=facts)])
    found = store.daily_counts(Filters(MODEL), ("number_class", "brand"))
    assert found[["number_class", "mentions"]].to_numpy().tolist() == [
        ["geographic", 1],
        ["mobile", 1],
    ]
    (fact,) = store.facts(Filters(MODEL))
    assert (fact.brands, fact.day) == (("Pomme",), date(2025, 3, 3))
    assert fact.facts == facts


def test_authors_are_told_from_posts(store: Store) -> None:
    posts = [post(str(n), author="ada") for n in range(3)] + [
        post("3", author="bob"),
        post("4", author=None),
    ]
    store.add_page("blog", posts)
    store.add_labels([labels(one, mention(harassment=one.native_id != "1")) for one in posts])
    clusters = store.cluster_counts(Filters(MODEL))
    assert clusters.to_numpy().tolist() == [["Pomme", 1, 1, 2], ["Pomme", 3, 2, 1]]
    found = store.author_counts(Filters(MODEL), ("week", "brand"))
    assert found[["brand", "authors", "posts", "copies"]].to_numpy().tolist() == [
        ["Pomme", 3, 4, 0]
    ]
    assert store.author_counts(Filters(MODEL), ()).to_numpy().tolist() == [[3, 4, 0]]


def test_a_labeller_that_said_nothing_has_empty_answers(store: Store) -> None:
    nobody = Filters("nobody@1")
    found = store.daily_counts(nobody)
    assert found.empty
    assert list(found.columns) == ["period", "brand", *MEASURES]
    assert store.totals(nobody).posts == 0
    assert store.cluster_counts(nobody).empty
    assert store.author_counts(nobody).empty
    assert store.posts(nobody).rows == ()
    assert store.search("mot", nobody).rows == ()
    assert store.facts(nobody) == []
    assert list(store.iterate(nobody)) == []


@pytest.mark.parametrize(
    "by", [("hour",), ("day", "week"), ("topic", "signal"), ("brand; drop table posts",)]
)
def test_an_unknown_way_of_counting_is_refused(store: Store, by: tuple[str, ...]) -> None:
    with pytest.raises(StoreError, match="counts go by"):
        store.daily_counts(Filters(MODEL), by)


def test_hostile_values_of_filters_are_only_values(store: Store) -> None:
    store.add_page("blog", [post("1")])
    store.add_labels([labels(post("1"), mention())])
    hostile = ("'; drop table posts; --", "\x00", '"', "%", "Pomme' or '1'='1")
    filters = Filters(MODEL, brands=hostile, sources=hostile, topics=hostile, sentiments=hostile)
    assert store.daily_counts(filters).empty
    assert store.posts(filters).rows == ()
    assert store.status().posts == 1


def test_fresh_counts_equal_those_kept_along_the_way(store: Store) -> None:
    fill(store, 60)
    before = table(store, Filters(MODEL), ("day", "brand", "source"))
    assert store.check() == []
    store.rebuild_counts()
    assert table(store, Filters(MODEL), ("day", "brand", "source")) == before != Counter()


def test_a_wrong_count_is_found_and_put_right(store: Store) -> None:
    fill(store, 40)
    with store._db.write() as conn:
        conn.exec_driver_sql(
            "update counts set negative = negative + 1 where brand_n = 0 and term_n = 0"
        )
    assert any("counts differ" in line for line in store.check())
    store.rebuild_counts()
    assert store.check() == []


def test_sources_are_listed_with_their_days(store: Store) -> None:
    store.add_page(
        "blog",
        [post("1"), post("2", published_at=NOON + timedelta(days=9)), post("3", published_at=None)],
    )
    (found,) = store.sources_seen()
    assert (found.source, found.platform, found.posts) == ("wordpress/blog.example", "wordpress", 3)
    assert (found.first_day, found.last_day) == (date(2025, 3, 3), date(2025, 3, 12))
