"""A dashboard that asks for a login whose provider is missing or badly written: nobody gets in."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dashboard import samples
from tests.servers import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.chromium() is None, reason="Debian's chromium is not installed"),
]
INCOMPLETE = '[auth]\nredirect_uri = "http://127.0.0.1/oauth2callback"\n'


def config_of(folder: Path, *, login: bool) -> Path:
    database = folder / "s.sqlite3"
    samples.fill(database, many=30)
    config = samples.write_config(folder, database)
    if login:
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[dashboard]\n", "[dashboard]\nlogin = true\n"), "utf-8")
    return config


def dashboard(config: Path, secrets: Path) -> AbstractContextManager[str]:
    return browser.dashboard(config, "--secrets.files", str(secrets))


def opened(page: "Page", address: str) -> str:
    """What the page says at first, and after the button to log in was pressed."""
    page.goto(f"{address}/publications")
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_test_id("stAlert").wait_for()
    return page.inner_text("body")


@pytest.mark.parametrize("secrets", [None, 'other = "x"\n', INCOMPLETE, "not = [toml"])
def test_without_a_provider_the_door_stays_shut_and_says_why(
    tmp_path: Path, secrets: str | None
) -> None:
    place = tmp_path / "secrets.toml"
    if secrets is not None:
        place.write_text(secrets, encoding="utf-8")
    config = config_of(tmp_path, login=True)
    with dashboard(config, place) as address, browser.browser() as chromium:
        page = browser.new_page(chromium)
        said = opened(page, address)
        assert "secrets.toml" in said
        assert "Mandarine" not in said
        assert page.get_by_test_id("stException").count() == 0


def test_secrets_of_something_else_change_nothing_where_no_login_is_asked(tmp_path: Path) -> None:
    place = tmp_path / "secrets.toml"
    place.write_text('other = "x"\n', encoding="utf-8")
    config = config_of(tmp_path, login=False)
    with dashboard(config, place) as address, browser.browser() as chromium:
        page = browser.new_page(chromium)
        page.goto(f"{address}/publications")
        browser.settle(page)
        assert page.locator("h1").inner_text() == "Publications"
        assert page.get_by_role("button", name="Se connecter").count() == 0
