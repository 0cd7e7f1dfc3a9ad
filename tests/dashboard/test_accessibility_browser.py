"""Every page under axe-core in a real browser, light and dark; narrow screens; hostile posts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from raccroche.store import Alert, Store
from tests.dashboard import samples
from tests.dashboard.test_browser import HOSTILE
from tests.servers import browser, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = running.home() / "web" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "", "marques", "chronologie", "sujets", "publications", "alertes", "numeros", "series",
    "relecture", "qualite", "exports", "methode",
)  # fmt: skip
pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.chromium() is None, reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("axe")
    database = folder / "axe.sqlite3"
    samples.fill(database)
    post_id = samples.add_post(database, "hostile", HOSTILE, title=HOSTILE)
    with Store.open(database, near_duplicates=False) as store:
        store.add_review("random", [post_id])
        store.add_alerts([Alert("Mandarine", "", "2026-W40", 9, 1, 4, 9, 9, 0.1, note=HOSTILE)])
    with browser.dashboard(samples.write_config(folder, database)) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with browser.browser() as opened:
        yield opened


def faults(page: "Page") -> list[dict[str, Any]]:
    """
    What axe-core finds serious or critical in what is ours.

    Left out: the list of pages in the sidebar, whose markup is Streamlit's (sections in a `ul`).
    """
    page.add_script_tag(path=str(AXE))
    found: dict[str, Any] = page.evaluate(
        "axe.run({exclude: [['[data-testid=stSidebarNavItems]']]}, {resultTypes: ['violations']})"
    )
    return [
        {"rule": one["id"], "nodes": [node["html"][:160] for node in one["nodes"][:3]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.skipif(not AXE.is_file(), reason="tests/servers/install.sh web was not run")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_serious_fault(path: str, dark: bool, chromium: "Browser", site: str) -> None:
    page = browser.new_page(chromium, dark=dark)
    page.goto(f"{site}/{path}")
    browser.settle(page)
    found = faults(page)
    page.context.close()
    assert found == []


@pytest.mark.parametrize("path", PAGES[5:])
def test_a_page_fits_a_telephone_and_asks_nobody_else(
    path: str, chromium: "Browser", site: str
) -> None:
    page = browser.new_page(chromium, width=390, height=844)
    outside = browser.outside_requests(page)
    page.goto(f"{site}/{path}")
    browser.settle(page)
    wide = page.evaluate("document.querySelector('.stMain').scrollWidth")
    page.context.close()
    assert wide <= 390
    assert outside == []


@pytest.mark.parametrize("path", ["relecture", "alertes?etat=toutes", "exports"])
def test_a_hostile_post_stays_text_on_every_page(path: str, chromium: "Browser", site: str) -> None:
    page = browser.new_page(chromium)
    outside = browser.outside_requests(page)
    page.goto(f"{site}/{path}")
    browser.settle(page)
    if path == "relecture":
        name = page.get_by_label("Votre nom d’annotateur")
        name.fill("claire")
        name.press("Enter")
        shown = page.locator(".post-full > .post")
        shown.wait_for()
        assert shown.inner_text().startswith("<script>window.harmed=1</script><img")
        assert page.locator(".st-key-review-post :is(img, iframe, script, a)").count() == 0
    assert page.evaluate("window.harmed") is None
    assert outside == []
    page.context.close()
