"""Alerts, numbers, official series, quality, exports and method: filled, empty, broken, English."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import actions, archives, officials
from dashboard.archives import Maker
from raccroche.store import Alert, Filters, Store
from tests.dashboard import samples
from tests.dashboard.conftest import Open, everything

PAGES = ("alertes", "numeros", "series", "relecture", "qualite", "exports", "methode")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_itself_in_both_languages(page: str, language: str, open_page: Open) -> None:
    app = open_page(page, lang=language)
    assert not app.exception
    assert app.title[0].value


@pytest.mark.parametrize("page", PAGES)
def test_missing_empty_and_broken_databases_are_no_traceback(
    page: str, open_page: Open, tmp_path: Path
) -> None:
    missing, empty, broken = (tmp_path / f"{name}.sqlite3" for name in ("no", "empty", "broken"))
    Store.open(empty).close()
    broken.write_bytes(b"this is not a database, and longer than its header" * 50)
    for path in (missing, empty, broken):
        app = open_page(page, database=path)
        assert not app.exception
        assert app.title[0].value
    assert not missing.exists()


@pytest.mark.parametrize("page", PAGES)
def test_unknown_values_of_the_url_are_no_traceback(page: str, open_page: Open) -> None:
    hostile = {"etat": "x", "alerte": "<b>", "vue": "y", "file": "z", "volet": "?", "format": "exe"}
    assert not open_page(page, **hostile).exception


def test_an_alert_is_told_with_what_was_expected_and_its_state_can_be_changed(
    open_page: Open, database: Path
) -> None:
    app = open_page("alertes", database=database)
    assert "12 publications" in everything(app)
    assert "4,2 attendues" in everything(app)
    n = next(str(one.key) for one in app.button if str(one.key).startswith("save-"))[5:]
    app.text_area(key=f"note-{n}").set_value("Un article de presse.").run()
    app.session_state[f"state-{n}"] = "expliquee"
    app.button(key=f"save-{n}").click().run()
    assert not app.exception
    with Store.open(database) as store:
        (alert,) = store.alerts()
    assert (alert.state, alert.note) == ("expliquee", "Un article de presse.")


def test_a_silent_source_is_an_alert_about_collection(open_page: Open, database: Path) -> None:
    with Store.open(database) as store:
        store.add_alerts(
            [Alert("", "source:silent:forum", "2026-W40", 12.5, 0, 4, 0, 0, 0, note="x")]
        )
        n = next(one.n for one in store.alerts() if not one.brand)
    app = open_page("alertes", database=database, alerte=str(n))
    assert not app.exception
    assert "Rien de nouveau depuis" in everything(app)
    assert app.text_area(key=f"note-{n}").value == ""  # the machine's reason is no person's note
    said = everything(open_page("apercu", database=database))
    assert "silencieuse" in said
    assert "rien de nouveau depuis 12 jours" in said.replace("\u202f", " ").replace("\xa0", " ")
    assert "source:silent" not in said


def test_an_alert_of_an_unknown_signal_or_period_is_no_traceback(
    open_page: Open, database: Path
) -> None:
    with Store.open(database) as store:
        store.add_alerts([Alert("Disparue", "gone_signal", "someday", 9, 1, 4, 9, 9, 0)])
        n = next(one.n for one in store.alerts() if one.brand == "Disparue")
    assert not open_page("alertes", database=database, alerte=str(n)).exception


def test_numbers_are_classes_and_never_whole(open_page: Open) -> None:
    app = open_page("numeros")
    said = everything(app)
    assert "Jamais un numéro entier" in said
    assert "déclarations dans" in said


def test_official_lines_are_broken_where_no_figure_was_published() -> None:
    table = officials.table(officials.panel("mediator_referrals"))
    missing = table.loc[table["value"].isna(), "year"].tolist()
    assert missing == [2018, 2019]


@pytest.mark.parametrize("key", [key for _, keys in officials.groups() for key in keys])
def test_every_official_panel_has_words_and_values(key: str) -> None:
    panel = officials.panel(key)
    assert panel.title
    assert panel.points
    assert officials.table(panel)["value"].notna().any()


def test_quality_names_each_source_with_its_verdict(open_page: Open) -> None:
    app = open_page("qualite")
    table = app.dataframe[0].value
    assert "blog" in set(table["Source"])


def test_too_few_posts_have_no_percentage_of_copies(open_page: Open, tmp_path: Path) -> None:
    small = tmp_path / "small.sqlite3"
    samples.fill(small, many=3)
    few, many = (open_page("qualite", database=one).metric[2].value for one in (small, None))
    assert few == "–"
    assert many.endswith("%")


def test_the_share_of_days_collected_weighs_days_and_not_stretches(open_page: Open) -> None:
    said = everything(open_page("qualite")).replace("\u202f", " ")
    (told,) = re.findall(r"(\d+) % des jours-sources collectés sur 180 jours ; (\d+) inter", said)
    assert 70 <= int(told[0]) < 100, "thirty days of 180 are missing, in one stretch of few"


@pytest.mark.parametrize(("page", "gap"), [("qualite", True), ("", False)])
def test_the_days_that_each_source_covered_are_a_table_too(
    open_page: Open, page: str, gap: bool
) -> None:
    tables = [one.value for one in open_page(page).dataframe]
    (days,) = [one for one in tables if "Jours collectés" in one.columns]
    row = days[days["Source"] == "blog"].iloc[0]
    assert row["Jours collectés"] > 90
    assert bool(row["Rien"] >= 25) == gap, "of 180 days and of 120"


def test_without_reviewed_posts_no_score_is_shown(open_page: Open) -> None:
    app = open_page("qualite", volet="modele")
    assert any("n’est pas mesurée" in one.value for one in app.info)


def test_the_export_of_a_selection_opens_and_is_in_the_history(
    configured: Callable[[Path], Path], open_page: Open, database: Path
) -> None:
    configured(database)
    asked = Filters(labeller=samples.MODEL, brands=("Indigo",), harassment_only=True)
    packed = zipfile.ZipFile(
        io.BytesIO(actions.archive_later(asked, "jsonl", "exports", split=True)())
    )
    lines = packed.read("raccroche/posts.jsonl").decode().splitlines()
    assert {json.loads(line)["split"] for line in lines} <= {"train", "dev", "test"}
    assert json.loads(packed.read("raccroche/metadata.json"))["query"]["brands"] == ["Indigo"]
    app = open_page("exports", database=database)
    history = app.dataframe[-1].value
    assert history["Par"][0] == "page Exports"
    assert "Indigo" in history["Question"][0]


def test_the_history_says_who_made_an_export_in_which_role_on_which_page() -> None:
    for made in (Maker("zoe", "annotator", "publications"), Maker("dashboard", "admin", "exports")):
        assert archives.maker(str(made)) == made
    assert archives.maker("zoe@publications") == Maker("zoe", "", "publications"), "of before"
    for command in ("zoe@asso.example", "run", ""):
        assert archives.maker(command) == Maker(command)


def test_the_method_gives_limits_rights_and_dated_denominators(open_page: Open) -> None:
    app = open_page("methode")
    said = everything(app)
    assert "Ce que l’outil ne permet pas de dire" in said
    assert "Les droits des personnes" in said
    assert "moins de 5, pas de taux" in said.replace("\u202f", " ")
    assert app.dataframe[0].value["Date"].str.contains("2025").any()
