"""The article of 21 July 2015 and its readers, by the whole path: two ways in, one set of posts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from raccroche import pipeline
from raccroche.config import Config
from raccroche.demo.site import Server, running
from raccroche.demo.wordpress import WordPress
from raccroche.http import Client
from raccroche.labelling import load_labeller
from raccroche.post import Kind, Labels, Run, Verdict
from raccroche.store import Filters, Store, StoredPost
from tests.servers import seed
from tests.servers import wordpress as real
from tests.servers.collecting import configured
from tests.servers.seed import number_of

pytestmark = pytest.mark.skipif(bool(seed.missing()), reason=seed.missing() or "here")

# Who each comment accuses, numbered as the page lists them; 5 complains of calls and names nobody.
ACCUSED: dict[int, set[str]] = {
    1: set(),
    2: set(),
    3: {"Free"},
    4: {"SFR"},
    5: set(),
    6: {"Canal+", "MAIF"},
    7: {"SFR", "Sofinco"},
    8: set(),
}
COMPLAINS = {3, 4, 5, 6, 7}
# How many of the eight the default labeller must get right; this floor only rises.
FLOOR = 8


def config(folder: Path, url: str) -> Config:
    sources = "".join(
        f"""
[sources.{way}]
platform = "wordpress"
enabled = true
purpose = "test"
site = "{url}"
via = "{way}"
articles = true
"""
        for way in ("rest", "html")
    )
    return configured(
        folder,
        [url],
        f"""
{sources}""",
        key_file="../key",
    )


def collect(loaded: Config, *ways: str) -> list[Run]:
    async def work() -> list[Run]:
        options = loaded.collect
        client = Client(
            options.contact, options.user_agent, allow_hosts=options.allow_hosts, rate=options.rate
        )
        with Store.open(loaded.store_url) as store:
            async with client as polite:
                return await pipeline.collect(loaded, store, polite, only=ways)

    return asyncio.run(work())


def stored(loaded: Config) -> dict[str, StoredPost]:
    with Store.open(loaded.store_url, read_only=True) as store:
        return {post.native_id: post for post in store.unlabelled("nobody@1", 100)}


def told(post: StoredPost) -> tuple[object, ...]:
    """What must be the same whichever way a post came."""
    return post.kind, post.text, post.author, post.published_at, post.title, post.quoted


def same_posts_by_both_ways(folder: Path, url: str) -> None:
    by_rest, by_html = config(folder / "a", url), config(folder / "b", url)
    assert collect(by_rest, "rest")[0].verdict is Verdict.NEW
    assert collect(by_html, "html")[0].verdict is Verdict.NEW
    first, second = stored(by_rest), stored(by_html)
    assert len(first) == 9
    assert {n: told(p) for n, p in first.items()} == {n: told(p) for n, p in second.items()}
    (run,) = collect(by_rest, "html")
    assert (run.verdict, run.new) == (Verdict.NOTHING_NEW, 0)
    assert len(stored(by_rest)) == 9


@pytest.fixture(scope="module")
def magazine() -> Iterator[str]:
    """The article on a small server in WordPress's formats."""
    with running(Server()) as server:
        article = seed.article()
        server.application = WordPress(server.url, "Magazine", [article], comments_per_page=5)
        yield server.url


@pytest.fixture(scope="module")
def collected(magazine: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    loaded = config(tmp_path_factory.mktemp("seed") / "house", magazine)
    collect(loaded, "rest")
    return loaded


def labelled(loaded: Config, labeller_name: str) -> dict[str, Labels]:
    labeller = load_labeller(loaded, labeller_name)
    with Store.open(loaded.store_url) as store:
        pipeline.label(loaded, store, labeller)
        found = store.labels_by(pipeline.labeller_id(labeller))
    return {one.post_id.rpartition(":")[2]: one for one in found}


@pytest.fixture(scope="module")
def labels(collected: Config) -> dict[str, Labels]:
    """What the rules say: every model is held against them."""
    return labelled(collected, "rules")


def accused(labels: Labels) -> set[str]:
    return {mention.brand for mention in labels.mentions if mention.harassment}


def test_the_file_holds_an_article_and_eight_comments() -> None:
    article = seed.article()
    assert len(article.messages) == 8
    assert len(article.text) > 2000
    assert all(len(message.text) > 100 for message in article.messages)


def test_both_ways_give_the_same_posts_once(magazine: str, tmp_path: Path) -> None:
    same_posts_by_both_ways(tmp_path, magazine)


def test_article_and_comments_keep_their_own_dates(collected: Config) -> None:
    posts = stored(collected)
    article = posts.pop(f"post-{seed.ARTICLE}")
    assert (article.kind, article.published_at) == (Kind.ARTICLE, seed.PUBLISHED)
    written = {str(m.number): m.at for m in seed.article().messages}
    assert {number: post.published_at for number, post in posts.items()} == written


def test_the_comment_sent_twice_is_one_group(collected: Config) -> None:
    posts = stored(collected)
    groups: dict[str, set[str]] = {}
    for number, post in posts.items():
        groups.setdefault(post.group, set()).add(number)
    copies = [members for members in groups.values() if len(members) > 1]
    assert copies == [{str(number_of(1)), str(number_of(2))}]


def test_copies_count_once(collected: Config, labels: dict[str, Labels]) -> None:
    name = next(iter(labels.values())).labeller
    with Store.open(collected.store_url, read_only=True) as store:
        assert store.totals(Filters(name)).posts == 8
        assert store.totals(Filters(name, with_copies=True)).posts == 9


def test_numbers_are_masked_before_they_are_stored(collected: Config) -> None:
    texts = [post.text for post in stored(collected).values()]
    assert not [text for text in texts if "25 02 74" in text]
    assert sum("01 71 25" in text for text in texts) == 1


def test_authors_are_pseudonyms(collected: Config) -> None:
    authors = {post.author for post in stored(collected).values() if post.author}
    assert authors
    assert not [author for author in authors if "lecteur" in author or "rédaction" in author]


def test_an_article_is_counted_but_is_no_testimony(
    collected: Config, labels: dict[str, Labels]
) -> None:
    name = next(iter(labels.values())).labeller
    only_in_the_article = Filters(name, brands=("Numericable",))
    with Store.open(collected.store_url, read_only=True) as store:
        (row,) = store.daily_counts(only_in_the_article, by=("brand",)).to_dict("records")
    assert (row["mentions"], row["testimonies"], row["harassment_testimonies"]) == (1, 0, 0)


@pytest.mark.parametrize("listed", sorted(ACCUSED))
def test_readers_accuse_whom_they_accuse(listed: int, labels: dict[str, Labels]) -> None:
    assert accused(labels[str(number_of(listed))]) == ACCUSED[listed]


@pytest.mark.parametrize("listed", sorted(COMPLAINS))
def test_readers_who_complain_of_calls_are_heard(listed: int, labels: dict[str, Labels]) -> None:
    assert labels[str(number_of(listed))].phone_harassment


def test_the_default_labeller_keeps_its_floor(collected: Config) -> None:
    found = labelled(collected, "")
    right = [n for n, brands in ACCUSED.items() if accused(found[str(number_of(n))]) == brands]
    assert len(right) >= FLOOR, right


def test_what_a_reader_quotes_is_not_what_he_says(labels: dict[str, Labels]) -> None:
    quoting = labels[str(number_of(5))]
    assert quoting.phone_harassment
    assert not accused(quoting) & {"Orange", "Free", "Bouygues Telecom"}


def test_declared_frequencies_are_read(labels: dict[str, Labels]) -> None:
    assert labels[str(number_of(4))].facts["calls"] == {"min": 4, "max": 4, "per": "day"}
    six_months = labels[str(number_of(5))].facts["calls"]
    assert (six_months["min"], six_months["max"], six_months["per"]) == (2, 3, "day")


@pytest.mark.server
@pytest.mark.skipif(bool(real.missing()), reason=real.missing() or "here")
@pytest.mark.parametrize("theme", ["plain", "twentytwentythree"])
def test_a_real_wordpress_gives_the_same_posts_by_both_ways(
    wordpress: real.WordPress, theme: str, tmp_path: Path
) -> None:
    wordpress.theme(theme)
    same_posts_by_both_ways(tmp_path, wordpress.url)


@pytest.fixture(scope="module")
def wordpress() -> Iterator[real.WordPress]:
    with real.wordpress() as site:
        site.fill([seed.article()])
        yield site
