"""Markup in everything that others write, on every page of a real browser: it stays text."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from raccroche.post import Kind, Labels, Mention, Post, Run, Verdict
from raccroche.store import Alert, ExportRecord, SeriesValue, Store
from tests.dashboard import samples
from tests.servers import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.chromium() is None, reason="Debian's chromium is not installed"),
]

# one for each way of being run, short enough for a name
EVIL = (
    "<img src=//evil.example/x onerror=window.harmed=1>"
    "![i](//evil.example/y)[l](javascript:window.harmed=1)<script>window.harmed=1</script>"
)
PAGES = (
    "", "?libre=1", "marques", "marques?niveau=family", "chronologie",
    "sujets", "sujets?ensemble=1", "publications", "publications?q=zyzzyva",
    "alertes?etat=toutes", "numeros", "series", "relecture", "relecture?vue=accord",
    "relecture?vue=departager", "relecture?vue=files", "qualite", "qualite?volet=modele",
    "exports", "methode",
)  # fmt: skip


def post(at: int, end: datetime) -> Post:
    return Post(
        source=f"wordpress/{EVIL}",
        platform="wordpress",
        native_id=f"{EVIL}{at}",
        text=f"{EVIL} {samples.BRANDS[0]} appelle sans cesse zyzzyva {at}",
        title=EVIL,
        author=f"{EVIL} {at}",
        thread=EVIL,
        url="javascript:window.harmed=1",
        context_brand=EVIL,
        kind=Kind.COMMENT,
        published_at=end - timedelta(days=at),
    )


def labels(one: Post, at: int, labeller: str) -> Labels:
    return Labels(
        post_id=one.id,
        labeller=labeller,
        sentiment="negative",
        phone_harassment=True,
        testimony=True,
        topics=("phone_harassment", EVIL),
        signals=("robocall", EVIL),
        mentions=(
            Mention(EVIL, "negative", True, "caller", family=EVIL, probability=0.9),
            Mention(samples.BRANDS[0], "negative", at % 2 == 0, "caller", probability=0.9),
        ),
        facts={"calls": {"min": 2, "max": 5, "per": EVIL}, "numbers": [{"class": EVIL}],
               "hours": [EVIL]},
        probabilities={"phone_harassment": 0.97},
        language="fr",
        relation=EVIL,
        spans=((0, 6, EVIL),),
    )  # fmt: skip


def fill(database: Path, end: datetime) -> None:
    posts = [post(at, end) for at in range(40)]
    with Store.open(database, near_duplicates=False) as store:
        store.add_posts(posts, via=EVIL)
        for labeller in (samples.MODEL, f"human:{EVIL}", "human:zoe"):
            store.add_labels([labels(one, at, labeller) for at, one in enumerate(posts)])
        for queue in ("random", "reported"):
            store.add_review(queue, [one.id for one in posts], reason=EVIL)
        run = Run(EVIL, EVIL, end, end, Verdict.LAYOUT_CHANGED, robots=EVIL, message=EVIL)
        store.record_run(run)
        alerts = [(EVIL, EVIL, f"{end:%G-W%V}"), ("", f"source:silent:{EVIL}", f"{end:%G-W%V}"),
                  (samples.BRANDS[0], "robocall", EVIL)]  # fmt: skip
        store.add_alerts([Alert(*who, 9, 1, 4, 9, 9, 0.1, note=EVIL) for who in alerts])
        store.add_export(
            ExportRecord(EVIL, EVIL, 3, {"brands": [EVIL]}, by=f"{EVIL}/{EVIL}@exports", at=end)
        )
        store.put_series([SeriesValue(EVIL, EVIL, 1.0, EVIL, EVIL)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    database = folder / "hostile.sqlite3"
    random.seed(1)
    samples.fill(database, many=200)
    fill(database, datetime.now(UTC) - timedelta(hours=1))
    config = samples.write_config(folder, database)
    text = config.read_text(encoding="utf-8")
    text = text.replace('brands = ["', f'brands = ["{EVIL}", "').replace("fictives", EVIL)
    block = (
        f'\n[[brands]]\nid = "evil"\nname = "{EVIL}"\nfamily = "{EVIL}"\naliases = ["zyzzyva"]\n'
    )
    config.write_text(text + block, encoding="utf-8")
    with browser.dashboard(config) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with browser.browser() as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
def test_what_others_write_stays_text(path: str, chromium: "Browser", site: str) -> None:
    page = browser.new_page(chromium, height=2400)
    outside = browser.outside_requests(page)
    page.goto(f"{site}/{path}")
    browser.settle(page)
    for summary in page.locator("[data-testid=stExpander] summary").all():
        summary.click()
    browser.settle(page)
    assert page.evaluate("window.harmed") is None
    assert outside == []
    assert page.locator("[onerror], [src*=evil], [href*=evil], [href^='javascript:']").count() == 0
    assert page.get_by_test_id("stException").count() == 0
    page.context.close()


def test_the_hostile_words_are_there_to_be_seen(chromium: "Browser", site: str) -> None:
    """Otherwise the test above would hold on empty pages."""
    page = browser.new_page(chromium, height=2400)
    for path in ("", "publications?q=zyzzyva", "alertes?etat=toutes"):
        page.goto(f"{site}/{path}")
        browser.settle(page)
        assert "evil.example" in page.inner_text("[data-testid=stMain]"), path
    page.context.close()
