"""The pages on a filled database, and where there is little or nothing."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.views import posts
from raccroche.store import Store
from tests.dashboard import samples
from tests.dashboard.conftest import APP, Open, everything, list_of

PAGES = ("", "marques", "chronologie", "sujets", "publications")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_itself_in_french(page: str, open_page: Open) -> None:
    app = open_page(page)
    assert not app.exception
    assert app.title[0].value
    assert "Données fictives d’essai" in everything(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_itself_in_english(page: str, open_page: Open) -> None:
    app = open_page(page, lang="en")
    assert not app.exception
    assert app.title[0].value in (
        "Overview",
        "Compare brands",
        "Timeline",
        "Topics and signals",
        "Posts",
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_missing_database_is_no_traceback_and_is_not_created(
    page: str, open_page: Open, tmp_path: Path
) -> None:
    missing = tmp_path / "none.sqlite3"
    app = open_page(page, database=missing)
    assert not app.exception
    assert "raccroche demo" in app.code[0].value
    assert not missing.exists()


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_database_is_no_traceback(page: str, open_page: Open, tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite3"
    Store.open(empty).close()
    app = open_page(page, database=empty)
    assert not app.exception
    assert "raccroche run" in app.code[0].value


@pytest.mark.parametrize("page", PAGES)
def test_three_posts_are_enough_for_a_page(page: str, open_page: Open, tmp_path: Path) -> None:
    small = tmp_path / "small.sqlite3"
    samples.fill(small, many=3)
    app = open_page(page, database=small)
    assert not app.exception
    assert app.title[0].value


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_is_no_database_is_told_in_words(
    page: str, open_page: Open, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"this is not a database, and longer than its header" * 50)
    app = open_page(page, database=broken)
    assert not app.exception
    assert app.title[0].value == "Les données ne sont pas lisibles"


def test_a_typo_in_the_configuration_is_named(
    open_page: Open, configured: Callable[[Path], Path], filled: Path
) -> None:
    path = configured(filled)
    path.write_text('[storre]\nurl = "x"\n', encoding="utf-8")
    app = AppTest.from_file(
        Path(__file__).parents[2] / "dashboard" / "app.py", default_timeout=30
    ).run()
    assert not app.exception
    assert "storre" in app.code[0].value


@pytest.mark.parametrize("page", PAGES)
def test_no_post_under_the_filters_is_told(page: str, open_page: Open) -> None:
    app = open_page(page, periode="dates", debut="2012-01-01", fin="2012-01-31")
    assert not app.exception
    assert any("Aucune publication" in one.value for one in app.info)


@pytest.mark.parametrize("page", PAGES)
def test_unknown_values_of_the_url_are_ignored_with_a_note(page: str, open_page: Open) -> None:
    app = open_page(
        page,
        marques=["Indigo", "<b>Rien</b>"],
        periode="jamais",
        plateformes="minitel",
        modele="autre@9",
        debut="hier",
        mesure="x",
        carte="y",
    )
    assert not app.exception
    notes = " ".join(one.value for one in app.warning)
    assert "periode" in notes
    assert "minitel" in notes
    assert "<b>" not in notes


def test_the_url_gives_the_filters_and_keeps_them(open_page: Open) -> None:
    app = open_page("", marques=["Indigo", "MUTIF"], periode="90j")
    assert app.multiselect(key="w_marques").value == ["Indigo", "MUTIF"]
    assert list_of(app, "marques") == ["Indigo", "MUTIF"]
    assert list_of(app, "periode") == ["90j"]


def test_a_choice_goes_into_the_url(open_page: Open) -> None:
    app = open_page("")
    app.multiselect(key="w_marques").set_value(["Cofipret"]).run()
    assert list_of(app, "marques") == ["Cofipret"]
    app.multiselect(key="w_marques").set_value([]).run()
    assert "marques" not in app.query_params


def test_what_is_default_is_not_written_into_the_url(open_page: Open) -> None:
    app = open_page("marques")
    assert dict(app.query_params) == {}


def test_the_overview_says_what_changed_with_intervals(open_page: Open) -> None:
    app = open_page("")
    assert len(app.metric) == 4
    words = everything(app)
    assert "publications rapportent" in words
    assert "intervalle" in words or "comparaison" in words
    assert "Robot" in words or "Automate" in words  # the alert


def test_the_overview_speaks_of_gaps(open_page: Open) -> None:
    assert "Ligne interrompue" in everything(open_page("", pas="week"))


def test_counts_come_with_the_warning_not_to_compare(open_page: Open) -> None:
    app = open_page("marques", mesure="count")
    assert "Un nombre ne compare pas des marques" in everything(app)


def test_brands_without_customer_base_have_no_rate(open_page: Open) -> None:
    app = open_page("marques", mesure="customers")
    assert not app.exception
    assert any("Aucune base de clients publiée" in one.value for one in app.info)


def test_rates_per_customer_are_refused_for_former_customers(open_page: Open) -> None:
    app = open_page("marques", mesure="customers", qui="former_customer")
    assert not app.exception
    found = [one.value for one in (*app.warning, *app.info)]
    assert any("n’a pas de sens" in one or "Aucune publication" in one for one in found)


def test_who_never_was_a_customer_is_counted_per_inhabitant(open_page: Open) -> None:
    app = open_page("marques", mesure="customers", qui="prospect")
    assert not app.exception
    said = everything(app)
    assert "million d’habitants" in said
    assert "68,6 millions d’habitants" in said
    assert list_of(app, "qui") == ["prospect"]


def test_before_and_after_is_called_correlation(open_page: Open) -> None:
    app = open_page("chronologie")
    assert any("Corrélation, pas cause" in one.value for one in app.warning)


def test_search_shows_the_posts_that_hold_the_word(open_page: Open) -> None:
    app = open_page("publications", q="robot")
    assert not app.exception
    assert "publications sur" in everything(app)


def test_a_search_without_result_is_told(open_page: Open) -> None:
    app = open_page("publications", q="introuvablissime")
    assert any("Aucune publication" in one.value for one in app.info)


@pytest.mark.parametrize("query", ['"', "(((", "-", "*", "AND OR NOT", "'; DROP TABLE posts; --"])
def test_any_search_is_safe(query: str, open_page: Open) -> None:
    assert not open_page("publications", q=query).exception


def test_older_posts_are_a_page_away_and_newer_ones_back(open_page: Open) -> None:
    app = open_page("publications")
    first = app.get("html")[5].proto.body
    app.button(key="older").click().run()
    assert "apres" in app.query_params
    app.button(key="newer").click().run()
    assert "apres" not in app.query_params
    assert app.get("html")[5].proto.body == first


def test_a_post_that_is_gone_is_told(open_page: Open) -> None:
    app = open_page("publications", post="wordpress/wordpress.example:none")
    assert any("n’est pas, ou plus, dans la base" in one.value for one in app.info)


def test_reading_a_post_puts_it_into_the_url(open_page: Open) -> None:
    app = open_page("publications")
    app.button(key="read-2").click().run()
    assert list_of(app, "post")[0].startswith(("wordpress/", "mastodon/"))


def test_a_broken_cursor_is_no_traceback(open_page: Open) -> None:
    app = open_page("publications", apres="../../etc/passwd")
    assert not app.exception


def test_filters_survive_a_change_of_page(open_page: Open) -> None:
    app = open_page("", periode="90j", marques=["Indigo"], temoignages="1")
    app._page_hash = calc_hash("marques")
    app.query_params.clear()  # as Streamlit does
    app.run()
    assert app.title[0].value == "Comparer les marques"
    assert list_of(app, "periode") == ["90j"]
    assert list_of(app, "marques") == ["Indigo"]
    assert list_of(app, "temoignages") == ["1"]


def test_a_report_goes_into_the_queue_of_reported_posts(open_page: Open, database: Path) -> None:
    app = open_page("publications", database=database)
    app.button(key="report").click().run()
    assert not app.exception
    with Store.open(database) as store:
        assert len(store.review_items("reported")) == 1


def test_a_stranger_sees_no_page_where_login_is_asked(
    configured: Callable[[Path], Path], filled: Path
) -> None:
    path = configured(filled)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[dashboard]\n", "[dashboard]\nlogin = true\n"), encoding="utf-8")
    app = AppTest.from_file(APP, default_timeout=30).run()
    assert not app.exception
    assert not app.metric
    assert app.button(key="log-in").label == "Se connecter"


def test_a_database_that_another_process_writes_is_read(open_page: Open, database: Path) -> None:
    writer = sqlite3.connect(database, isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        app = open_page("", database=database)
        assert not app.exception
        assert app.metric[0].value != "0"
    finally:
        writer.rollback()
        writer.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_database_that_may_not_be_written_is_read(open_page: Open, database: Path) -> None:
    database.chmod(0o444)
    app = open_page("", database=database)
    assert not app.exception
    assert app.metric[0].value != "0"


def test_no_label_is_said_to_be_quite_sure() -> None:
    assert posts._nearly(0.9999).replace("\u202f", " ") == "> 99 %"
    assert posts._nearly(0.994).replace("\u202f", " ") == "99 %"
