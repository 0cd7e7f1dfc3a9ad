"""Every choice of the reader stands in the URL, on every page, and comes back from it."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import Open, list_of

PAGES = (
    "",
    "marques",
    "chronologie",
    "sujets",
    "publications",
    "alertes",
    "numeros",
    "series",
    "relecture",
    "qualite",
    "methode",
    "exports",
)
KINDS = ("segmented_control", "button_group", "selectbox", "multiselect", "toggle", "text_input")
# What a person writes or decides is no choice of what to see: it stands in the database.
WRITTEN = ("w_annotator", "state-", "note-")


def controls(app: AppTest) -> list[object]:
    return [one for kind in (*KINDS, "date_input", "number_input") for one in app.get(kind)]


@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_a_page_is_bound_to_the_url(page: str, open_page: Open) -> None:
    app = open_page(page)
    keys = {str(one.key) for one in controls(app)}  # type: ignore[attr-defined]
    assert {key for key in keys if not key.startswith(("w_", *WRITTEN))} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_switch_writes_itself_into_the_url(page: str, open_page: Open) -> None:
    app = open_page(page)
    for key in [str(one.key) for one in app.toggle]:
        app.toggle(key=key).set_value(True).run()
        assert not app.exception
        assert list_of(app, key.removeprefix("w_")) == ["1"]


@pytest.mark.parametrize("page", PAGES)
def test_every_list_writes_its_second_choice_into_the_url(page: str, open_page: Open) -> None:
    app = open_page(page)
    for key in [str(one.key) for one in app.selectbox if str(one.key).startswith("w_")]:
        box = app.selectbox(key=key)
        if len(box.options) < 2:
            continue
        box.select_index(0 if box.index else 1).run()
        assert not app.exception
        assert key.removeprefix("w_") in app.query_params


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        ("", "pas", "month"),
        ("", "lissage", "non"),
        ("", "libre", "1"),
        ("", "periode", "24m"),
        ("marques", "mesure", "count"),
        ("marques", "niveau", "family"),
        ("marques", "ordre", "value"),
        ("marques", "qui", "customer"),
        ("chronologie", "courbe", "share"),
        ("chronologie", "fenetre", "26"),
        ("chronologie", "evenements", "law"),
        ("sujets", "carte", "topic"),
        ("sujets", "ensemble", "1"),
        ("publications", "accusations", "1"),
        ("publications", "copies", "1"),
        ("publications", "q", "robot"),
        ("alertes", "etat", "toutes"),
        ("relecture", "vue", "files"),
        ("relecture", "file", "uncertain"),
        ("qualite", "volet", "modele"),
        ("exports", "format", "parquet"),
        ("exports", "decoupe", "1"),
        ("exports", "stables", "1"),
        ("methode", "lang", "en"),
    ],
)
def test_a_choice_of_the_url_is_taken_over_and_kept(
    page: str, key: str, value: str, open_page: Open
) -> None:
    app = open_page(page, **{key: value})
    assert not app.exception
    assert not [one.value for one in app.warning if key in one.value]
    assert list_of(app, key) == [value]
