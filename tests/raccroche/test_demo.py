"""The demonstration: fictional sites that speak real formats, collected by the real path."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pytest

from dashboard.views import parts
from nlp.brands import BrandSpec, BrandTable
from nlp.lexicon import french
from nlp.rules import RuleLabeller
from nlp.text import words
from nlp.types import Text
from raccroche import labelling, pipeline, reference
from raccroche.alerts import find_alerts, week_name
from raccroche.config import Config
from raccroche.demo import Site, demo_config, serving
from raccroche.demo.calendar import CONSENT, PARIS, Era
from raccroche.demo.content import FORUM, World, own, slug, world
from raccroche.http import Client
from raccroche.post import Run, Verdict
from raccroche.store import Alert, Filters, Store

POSTS = 300
# A Wednesday and a Thursday early in a week, another year, a clock that is late.
DAYS = (date(2026, 12, 2), date(2027, 9, 16), date(2026, 1, 1))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(POSTS) as running:
        yield running


@pytest.fixture(scope="module")
def collected(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = demo_config(site, tmp_path_factory.mktemp("demo"))
    runs = asyncio.run(collect(config))
    assert {run.verdict for run in runs} == {Verdict.NEW}
    return config


async def collect(config: Config, *names: str) -> list[Run]:
    options = config.collect
    client = Client(
        options.contact, options.user_agent, allow_hosts=options.allow_hosts, rate=options.rate
    )
    with Store.open(config.store_url) as store:
        async with client as polite:
            return await pipeline.collect(config, store, polite, only=names)


def ask(url: str, **headers: str) -> tuple[int, dict[str, str]]:
    """Status and headers of one GET."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, headers=named), timeout=5) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}
    except HTTPError as error:
        error.close()
        return error.code, {k.lower(): v for k, v in error.headers.items()}


@pytest.fixture(scope="module", params=DAYS, ids=str)
def fiction(request: pytest.FixtureRequest) -> World:
    return world(2000, day=request.param)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_same_world_is_made_every_time(day: date) -> None:
    assert list(world(120, day=day).messages()) == list(world(120, day=day).messages())


@pytest.mark.parametrize("days", range(7))
def test_the_newest_posts_are_never_old(days: int) -> None:
    """The dashboard warns where they are of more than three days ago."""
    told = date(2027, 2, 26) + timedelta(days=days)
    newest = max(m.at.astimezone(PARIS).date() for m in world(2000, day=told).messages())
    assert newest == Era.told_on(told).last
    assert 1 <= (told - newest).days <= parts.STALE_DAYS


def test_the_site_tells_its_fiction_today(site: Site) -> None:
    assert site.world is not None
    assert site.world.era == Era.told_on(datetime.now(PARIS).date())


@pytest.mark.parametrize("posts", [60, 300, 2000])
def test_the_world_holds_as_many_posts_as_asked_for(posts: int) -> None:
    assert world(posts).posts == posts


@pytest.mark.parametrize("posts", [60, 150])
def test_an_app_without_reviews_is_no_failed_source(posts: int, tmp_path: Path) -> None:
    """An empty first page is asked for at every address that the store is known to answer."""
    with serving(posts) as small:
        assert small.world is not None
        bare = [f"avis-{slug(firm)}" for firm, reviews in small.world.apps if not reviews]
        config = demo_config(small, tmp_path)
        runs = {run.source: run for run in asyncio.run(collect(config, *bare))}
    assert bare
    assert {name: (run.verdict, run.new) for name, run in runs.items()} == {
        name: (Verdict.NOTHING_NEW, 0) for name in bare
    }


def test_every_message_has_a_number_of_its_own(fiction: World) -> None:
    numbers = Counter(m.number for m in fiction.messages() if not m.copied)
    assert numbers.most_common(1)[0][1] == 1


def test_every_post_that_is_served_is_stored_once(site: Site, collected: Config) -> None:
    with Store.open(collected.store_url, read_only=True) as store:
        stored = store.unlabelled("nobody@1", 10_000)
    assert len(stored) == site.posts == POSTS
    assert len({post.id for post in stored}) == POSTS


def test_stored_dates_are_those_of_the_messages(site: Site, collected: Config) -> None:
    assert site.world is not None
    written = {str(m.number): m.at for t in site.world.forum for m in t.messages}
    with Store.open(collected.store_url, read_only=True) as store:
        forum = [p for p in store.unlabelled("nobody@1", 10_000) if p.platform == "phpbb"]
    assert {post.native_id: post.published_at for post in forum} == written


async def test_a_second_collection_finds_nothing_new(collected: Config) -> None:
    runs = await collect(collected)
    assert {(run.verdict, run.new) for run in runs} == {(Verdict.NOTHING_NEW, 0)}


def test_a_copy_on_another_server_counts_once(site: Site, collected: Config) -> None:
    assert site.world is not None
    copies = {m.number for m in site.world.relay if m.copied}
    with Store.open(collected.store_url, read_only=True) as store:
        posts = [p for p in store.unlabelled("nobody@1", 10_000) if p.platform == "mastodon"]
    by_uri: dict[str, set[str]] = {}
    for post in posts:
        by_uri.setdefault(str(post.uri), set()).add(post.group)
    seen_twice = Counter(str(p.uri) for p in posts)
    assert sum(many == 2 for many in seen_twice.values()) == len(copies) > 0
    assert all(len(groups) == 1 for groups in by_uri.values())


def test_what_is_quoted_is_kept_apart(collected: Config) -> None:
    with Store.open(collected.store_url, read_only=True) as store:
        quoting = [p for p in store.unlabelled("nobody@1", 10_000) if p.quoted]
    assert {p.platform for p in quoting} == {"wordpress", "phpbb"}
    assert all(passage in post.text for post in quoting for passage in post.quoted)


def test_numbers_and_addresses_are_masked(collected: Config) -> None:
    with Store.open(collected.store_url, read_only=True) as store:
        texts = [p.text for p in store.unlabelled("nobody@1", 10_000)]
    assert not [text for text in texts if "39 98" in text or "@exemple.invalid" in text]


def test_accounts_of_firms_are_known_as_such(site: Site, collected: Config) -> None:
    assert site.world is not None
    handles = {
        handle.removeprefix("mastodon:") for brand in collected.brands for handle in brand.handles
    }
    written = sum(m.author in handles for m in (*site.world.pouet, *site.world.relay))
    with Store.open(collected.store_url, read_only=True) as store:
        marked = sum(p.by_brand for p in store.unlabelled("nobody@1", 10_000))
    assert marked == written > 0


def test_a_new_demonstration_starts_with_an_empty_database(site: Site, tmp_path: Path) -> None:
    config = demo_config(site, tmp_path)
    with Store.open(config.store_url) as store:
        store.set_cursor("pouet", {"tag:x": "1"})
    (tmp_path / "notes.txt").write_text("mine")
    with Store.open(demo_config(site, tmp_path).store_url) as store:
        assert store.cursor("pouet") == {}
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_configuration_asks_this_machine_only(site: Site, tmp_path: Path) -> None:
    config = demo_config(site, tmp_path)
    assert all(host.startswith("127.0.0.1:") for host in config.collect.allow_hosts)
    assert config.dashboard.banner.startswith("Données fictives")
    assert config.watch.brands[:3] == ("Mandarine", "Libre", "NT")


def test_a_page_that_did_not_change_is_answered_without_a_body(site: Site) -> None:
    status, headers = ask(f"{site.url}/wp-json/wp/v2/comments")
    assert status == 200
    assert ask(f"{site.url}/wp-json/wp/v2/comments", If_None_Match=headers["etag"])[0] == 304


def test_a_busy_server_asks_for_patience_once() -> None:
    with serving(60) as fresh:
        url = f"{fresh.addresses['relay']}/api/v1/timelines/tag/teleconso"
        status, headers = ask(url)
        assert (status, headers["retry-after"]) == (429, "1")
        assert ask(url)[0] == 200


def test_the_api_of_the_blog_behaves_past_its_end(site: Site) -> None:
    status, headers = ask(f"{site.url}/wp-json/wp/v2/comments?per_page=100&page=99")
    assert (status, int(headers["x-wp-total"]) > 0) == (200, True)
    assert ask(f"{site.url}/wp-json/wp/v2/posts?page=99")[0] == 400
    assert ask(f"{site.url}/wp-json/wp/v2/comments?per_page=101")[0] == 400
    assert ask(f"{site.url}/wp-json/wp/v2/nothing")[0] == 404


def test_fruits_colours_and_free_time_are_no_firms(site: Site, tmp_path: Path) -> None:
    table = labelling.brand_table(demo_config(site, tmp_path))
    rows = own("asides")
    texts = [Text(id=str(n), text=row["text"]) for n, row in enumerate(rows)]
    wrong = [
        (row["text"], sorted(found.brands))
        for row, found in zip(rows, RuleLabeller(table).label(texts), strict=True)
        if set(found.brands) & _fictional(table) != set(row.get("named", ()))
    ]
    assert wrong == []


def _fictional(table: BrandTable) -> set[str]:
    real = {block["name"] for block in reference.brand_blocks()}
    return {spec.name for spec in table.specs} - real


def test_no_real_firm_is_named(fiction: World) -> None:
    blocks = [b for b in reference.brand_blocks() if b["sector"] != "public"]
    table = BrandTable([BrandSpec.from_mapping(b) for b in blocks], french())
    articles = [t for site in (fiction.blog, fiction.gazette, fiction.kiosk) for t in site]
    texts = [m.text for m in fiction.messages()] + [f"{t.title}. {t.text}" for t in articles]
    assert [(m.brand, text) for text in texts for m in table.find(words(text), text)] == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_wave_of_calls_is_about_one_firm(number: int, fiction: World) -> None:
    wave = fiction.era.waves[number]
    messages = [m for m in fiction.messages() if wave.holds(m.at.date()) and not m.copied]
    accused = Counter(name for m in messages for name in m.accused)
    (first, most), (_, next_most) = accused.most_common(2)
    assert first == wave.firm
    assert most > 3 * next_most


def test_the_last_week_holds_a_rise_and_one_site_fell_silent_long_ago(fiction: World) -> None:
    week = [m for m in fiction.messages() if m.at.date() >= fiction.era.last - timedelta(days=6)]
    calls = [m for m in week if "Chaîne+" in m.accused and not m.copied]
    assert len(calls) >= 5
    assert len({m.author for m in calls}) >= 3
    assert max(m.at.date() for t in fiction.gazette for m in t.messages) < date(2020, 1, 1)


@pytest.mark.slow
def test_the_demonstration_raises_its_two_alerts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "raccroche", "demo", "--headless", "--no-serve"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path / "demo")], capture_output=True, text=True, check=True
    )
    assert "2000 posts labelled" in done.stdout
    with Store.open(tmp_path / "demo" / "raccroche.sqlite3", read_only=True) as store:
        alerts = store.alerts()
    assert f"{len(alerts)} alerts" in done.stdout
    check_alerts(alerts, Era.told_on(datetime.now(PARIS).date()).last)


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS, ids=str)
async def test_its_alerts_are_raised_on_any_day(day: date, tmp_path: Path) -> None:
    with serving(2000, day=day) as told:
        config = demo_config(told, tmp_path)
        await collect(config)
    labeller = labelling.load_labeller(config)
    last = Era.told_on(day).last
    with Store.open(config.store_url) as store:
        pipeline.label(config, store, labeller)
        name = pipeline.labeller_id(labeller)
        alerts = find_alerts(store, name, config.alerts, last + timedelta(days=1))
    check_alerts(alerts, last)


def check_alerts(alerts: Sequence[Alert], last: date) -> None:
    """A source that fell silent, and the rise of one firm in the last week, whole or by signal."""
    silent = [alert.signal for alert in alerts if not alert.brand]
    assert silent == ["source:silent:gazette-du-combine"]
    rises = [alert for alert in alerts if alert.brand == "Chaîne+"]
    assert {alert.period for alert in rises} == {week_name(last)}
    rise = max(rises, key=lambda alert: alert.observed)
    assert rise.observed == max(alert.observed for alert in alerts if alert.brand)
    assert rise.posts >= 5
    assert rise.authors >= 3
    assert rise.observed > rise.bound > rise.expected


def test_a_letter_goes_from_hand_to_hand(fiction: World) -> None:
    letters = [row["text"].strip()[:60] for row in own("letters")]
    copies = Counter(start for start in letters for m in fiction.messages() if start in m.text)
    assert min(copies[start] for start in letters) >= 3


def test_calls_change_with_the_law_of_2026(fiction: World) -> None:
    before = _share(fiction, date(2026, 1, 1), CONSENT)
    after = _share(fiction, CONSENT, fiction.era.waves[-1].first)
    assert after < 0.8 * before


def _share(fiction: World, start: date, end: date) -> float:
    """Of the posts that name a firm, how many accuse one."""
    naming = [m for m in fiction.messages() if start <= m.at.date() < end and m.named]
    return sum(bool(m.accused) for m in naming) / len(naming)


def test_nothing_was_written_on_the_forum_while_it_was_closed(fiction: World) -> None:
    days = {m.at.date() for t in fiction.forum for m in t.messages}
    ((first, last),) = FORUM.gaps
    assert not [day for day in days if first <= day <= last]
    assert min(days) < first < last < max(days)


def test_nobody_speaks_of_what_did_not_exist_yet(fiction: World) -> None:
    early = [m.text for m in fiction.messages() if m.at.date() < date(2016, 6, 1)]
    assert not [text for text in early if "bloctel" in text.casefold()]


def test_the_labeller_of_the_demonstration_finds_its_firms(collected: Config) -> None:
    labeller = labelling.load_labeller(collected, "rules")
    with Store.open(collected.store_url) as store:
        pipeline.label(collected, store, labeller)
        counts = store.daily_counts(Filters(pipeline.labeller_id(labeller)), by=("brand",))
    found = dict(zip(counts["brand"], counts["mentions"], strict=True))
    assert min(found["Mandarine"], found["NT"], found["Libre"]) > 15


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_opens_the_dashboard_and_a_signal_stops_everything(
    tmp_path: Path, name: signal.Signals
) -> None:
    command = [sys.executable, "-m", "raccroche", "demo", "--headless", "--posts", "60"]
    process = subprocess.Popen(
        [*command, "--folder", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    address = next(line.split()[1] for line in process.stdout if line.startswith("dashboard: http"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert httpx.get(f"{address}/_stcore/health").text == "ok"
            break
        except httpx.TransportError:
            time.sleep(0.1)
    process.send_signal(name)
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/_stcore/health")


def test_the_shipped_model_hears_calls_told_in_words_it_never_learnt(
    collected: Config, fiction: World
) -> None:
    """A floor that only rises; these posts are no part of what the model learns from."""
    posts = {message.text: message for message in fiction.messages()}
    texts = [
        Text(str(n), text, published_at=message.at.date())
        for n, (text, message) in enumerate(posts.items())
    ]
    labeller = labelling.load_labeller(collected, "embedded")
    said = [labels.phone_harassment for labels in labeller.label(texts)]
    told = [bool(message.accused) for message in posts.values()]
    hits = sum(a and b for a, b in zip(said, told, strict=True))
    assert 2 * hits / (sum(said) + sum(told)) >= 0.58
