"""Login against a real OpenID Connect provider in a real browser: who gets in, and as what."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from raccroche.store import Store
from tests.dashboard import samples
from tests.servers import browser, oidc

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest.importorskip("playwright")
pytest.importorskip("authlib")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(browser.chromium() is None, reason="Debian's chromium is not installed"),
    pytest.mark.skipif(not oidc.installed(), reason="tests/servers/install.sh web was not run"),
]
LISTS = """[dashboard]
login = true
readers = ["lea@asso.example", "faux@asso.example"]
annotators = ["zoe@asso.example"]
"""
DATABASES: dict[str, Path] = {}  # address of a dashboard: its database


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("login")
    database = folder / "login.sqlite3"
    samples.fill(database, many=60)
    config = samples.write_config(folder, database)
    text = config.read_text(encoding="utf-8").replace("[dashboard]\n", LISTS)
    config.write_text(text, encoding="utf-8")
    with oidc.dashboard(config, folder) as address:
        DATABASES[address] = database
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    with browser.browser() as opened:
        yield opened


def enter(chromium: "Browser", site: str, name: str) -> "Page":
    """A page of a new session in which *name* has logged in."""
    page = browser.new_page(chromium)
    page.goto(site)
    page.get_by_role("button", name="Se connecter").click()
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "x")
    page.click("button[type=submit]")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site}/**")
    browser.settle(page)
    return page


def test_a_stranger_sees_the_door_and_nothing_behind(chromium: "Browser", site: str) -> None:
    page = browser.new_page(chromium)
    page.goto(f"{site}/publications")
    page.get_by_role("button", name="Se connecter").wait_for()
    assert "Mandarine" not in page.inner_text("body")
    page.context.close()


def test_a_reader_reads_and_does_not_label(chromium: "Browser", site: str) -> None:
    page = enter(chromium, site, "lea")
    assert page.locator("h1").inner_text() == "Vue d’ensemble"
    page.goto(f"{site}/relecture")
    browser.settle(page)
    page.get_by_text("L’annotation est réservée aux annotateurs").wait_for()
    page.context.close()


def test_an_annotator_labels_under_the_name_of_the_login(chromium: "Browser", site: str) -> None:
    page = enter(chromium, site, "zoe")
    page.goto(f"{site}/relecture")
    browser.settle(page)
    page.get_by_text("Annotateur : zoe".replace(" :", "\u202f:")).wait_for()
    page.context.close()


def test_a_reader_downloads_a_dataset_that_the_history_puts_down_to_them(
    chromium: "Browser", site: str, tmp_path: Path
) -> None:
    page = enter(chromium, site, "lea")
    page.goto(f"{site}/exports")
    browser.settle(page)
    assert page.get_by_text("Pseudonymes stables").count() == 0, "for administrators"
    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger le jeu de données").click()
    download.value.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as packed:
        assert "raccroche/metadata.json" in packed.namelist()
    with Store.open(DATABASES[site]) as store:
        assert [record.by for record in store.exports()] == ["lea/reader@exports"]
    page.reload()
    browser.settle(page)
    page.get_by_text("Exports passés").wait_for()
    page.context.close()


@pytest.mark.parametrize("name", ["inconnu", "faux"])
def test_who_is_in_no_list_or_not_verified_stays_outside(
    chromium: "Browser", site: str, name: str
) -> None:
    page = enter(chromium, site, name)
    page.get_by_text("ne figure dans aucune liste").wait_for()
    assert "Mandarine" not in page.inner_text("body")
    page.context.close()
