"""The main journeys in a real browser: open, filter, click, search, share, export; XSS."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from raccroche.store import Filters, Store
from tests.dashboard import samples
from tests.servers import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.chromium() is None, reason="Debian's chromium is not installed"),
]

HOSTILE = (
    '<script>window.harmed=1</script><img src="http://evil.example/x.png" '
    'onerror="window.harmed=1">![image](http://evil.example/y.png) '
    "[lien](javascript:window.harmed=1) <svg onload=window.harmed=1>"
    " :red[rouge] $x^2$ `code` <iframe src=http://evil.example></iframe> appelle sans cesse zyzzyva"
)
DATABASES: dict[str, Path] = {}  # address of a dashboard: its database


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    database = folder / "browser.sqlite3"
    samples.fill(database)
    samples.add_post(database, "hostile", HOSTILE, title=HOSTILE, url="javascript:window.harmed=1")
    with browser.dashboard(samples.write_config(folder, database)) as url:
        DATABASES[url] = database
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with browser.browser() as opened:
        yield opened


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    opened = browser.new_page(chromium)
    yield opened
    opened.context.close()


def test_no_request_leaves_the_machine(page: "Page", site: str) -> None:
    outside = browser.outside_requests(page)
    for path in ("", "marques", "chronologie", "sujets", "publications"):
        page.goto(f"{site}/{path}")
        browser.settle(page)
        assert not page.locator('[data-testid="stException"]').count()
    assert outside == []


def test_charts_are_in_french(page: "Page", site: str) -> None:
    page.goto(f"{site}/chronologie")
    browser.settle(page)
    axis = page.locator('[data-testid="stVegaLiteChart"]').nth(1).inner_text()
    months = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.")
    assert any(month in axis for month in months), axis
    page.goto(f"{site}/marques")
    browser.settle(page)
    assert "\u202f%" in page.locator('[data-testid="stVegaLiteChart"]').first.inner_text()


def test_a_filter_changes_the_page_and_the_url(page: "Page", site: str) -> None:
    page.goto(site)
    browser.settle(page)
    page.get_by_test_id("stPopover").nth(1).get_by_role("button").first.click()
    page.get_by_role("combobox", name="Marques").click()
    page.get_by_role("option", name="Indigo").click()
    page.wait_for_function("() => location.search.includes('marques=Indigo')")
    page.keyboard.press("Escape")
    browser.settle(page)
    assert page.get_by_role("heading", name="Indigo").count() == 1
    assert page.get_by_role("heading", name="MUTIF").count() == 0


def test_a_click_on_a_point_opens_its_posts(page: "Page", site: str) -> None:
    page.goto(f"{site}/?marques=Mandarine&pas=month")
    browser.settle(page)
    points = page.locator('[data-testid="stVegaLiteChart"]').first.locator(".mark-symbol path")
    points.nth(points.count() // 4).click(force=True)
    page.wait_for_url("**/publications?**")
    browser.settle(page)
    assert "marques=Mandarine" in page.url
    assert "debut=" in page.url
    assert "accusations=1" in page.url
    assert page.locator(".row-head .accused").first.inner_text() == "Mandarine"


def test_a_search_marks_the_words(page: "Page", site: str) -> None:
    page.goto(f"{site}/publications")
    browser.settle(page)
    box = page.get_by_role("textbox", name="Rechercher")
    box.fill("robot")
    box.press("Enter")
    page.wait_for_function("() => location.search.includes('q=robot')")
    browser.settle(page)
    assert page.locator("mark.found").first.inner_text().lower() == "robot"


def test_the_url_in_a_new_session_shows_the_same(chromium: "Browser", site: str) -> None:
    url = f"{site}/publications?q=robot&marques=Mandarine&accusations=1&periode=90j"
    seen = []
    for _ in range(2):
        page = browser.new_page(chromium)
        page.goto(url)
        browser.settle(page)
        seen.append(page.get_by_test_id("stMain").inner_text())
        url = page.url
        page.context.close()
    assert seen[0] == seen[1]
    assert "robot" in seen[0]


def test_the_choice_survives_a_change_of_page(page: "Page", site: str) -> None:
    page.goto(f"{site}/?marques=Indigo&periode=90j")
    browser.settle(page)
    page.get_by_role("link", name="Comparer les marques").click()
    page.wait_for_url("**/marques?**")
    browser.settle(page)
    assert "marques=Indigo" in page.url
    assert "periode=90j" in page.url


def test_a_hostile_post_is_shown_as_text(page: "Page", site: str) -> None:
    outside = browser.outside_requests(page)
    page.goto(f"{site}/publications?q=zyzzyva")
    browser.settle(page)
    shown = page.locator(".post-full .post").first
    assert shown.inner_text().startswith("<script>window.harmed=1</script><img")
    assert shown.locator("img, script, svg, iframe, a").count() == 0
    assert page.locator(".row-text img, .row-text a, .post-full a").count() == 0
    assert page.get_by_role("link", name="Voir à la source").count() == 0
    assert page.evaluate("window.harmed") is None
    assert outside == []


def test_a_post_is_labelled_with_the_keyboard_alone(page: "Page", site: str) -> None:
    database = DATABASES[site]
    with Store.open(database, near_duplicates=False) as store:
        rows = store.posts(Filters(labeller=samples.MODEL, brands=("Indigo",)), size=2).rows
        store.add_review("random", [row.post.id for row in rows])
    page.goto(f"{site}/relecture")
    browser.settle(page)
    name = page.get_by_label("Votre nom d’annotateur")
    name.fill("Zoé")
    name.press("Enter")
    page.locator(".post-full > .post").wait_for()
    page.locator("h1").click()  # out of the box, where letters are letters
    browser.settle(page)
    for many, key in enumerate(("n", "a", "2"), start=1):
        page.keyboard.press(key)
        page.get_by_role("button", name="✓").nth(many - 1).wait_for()
    save = page.get_by_role("button", name="Enregistrer")
    page.wait_for_function("button => !button.disabled", arg=save.element_handle())
    page.keyboard.press("Control+Enter")
    page.get_by_text("Reprendre la précédente").wait_for()
    with Store.open(database, near_duplicates=False) as store:
        (mine,) = store.labels_by("human:zoé")
        (model,) = [one for one in store.labels_by(samples.MODEL) if one.post_id == mine.post_id]
    assert (mine.phone_harassment, mine.testimony, mine.sentiment) == (False, False, "neutral")
    assert model.labeller == samples.MODEL, "what the model said stands beside"


def test_the_selection_is_exported_with_its_metadata(page: "Page", site: str) -> None:
    page.goto(f"{site}/publications?marques=Indigo&accusations=1")
    browser.settle(page)
    page.get_by_role("button", name="Exporter").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger la sélection").click()
    content = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        metadata = json.loads(archive.read(next(n for n in names if n.endswith("metadata.json"))))
    assert any(name.endswith(".csv") for name in names), names
    assert "Indigo" in json.dumps(metadata, ensure_ascii=False)


@pytest.mark.parametrize("path", ["", "marques", "chronologie", "sujets", "publications"])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_overflows_on_a_telephone(
    chromium: "Browser", site: str, path: str, dark: bool
) -> None:
    page = browser.new_page(chromium, width=390, height=844, dark=dark)
    page.goto(f"{site}/{path}")
    browser.settle(page)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid="stMain"] *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1
                     && !e.closest('[data-testid="stDataFrame"]') && !e.closest('[role=tooltip]'))
        .map(e => e.tagName + '.' + (e.className.baseVal ?? e.className)).slice(0, 5)"""
    )
    page.context.close()
    assert wide == []


def test_a_heat_map_is_read_on_a_telephone(chromium: "Browser", site: str) -> None:
    page = browser.new_page(chromium, width=390, height=844)
    page.goto(f"{site}/sujets")
    browser.settle(page)
    chart = page.locator('[data-testid="stVegaLiteChart"]').first
    sizes = chart.locator(".mark-text.layer_1_marks text").evaluate_all(
        "texts => texts.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    names = chart.locator(".role-axis-label tspan").all_text_contents()
    page.context.close()
    assert len(sizes) > 10
    assert min(sizes) >= 10, "pixels"
    assert "Fréquence" in names, "a long name stands on two lines"
