"""Entry point: title, navigation, language, filters, and a word when the database is silent."""

from importlib import import_module
from importlib.util import find_spec

import streamlit as st

from dashboard import access, data, filters, words
from dashboard.views import parts
from dashboard.words import tr
from raccroche.errors import RaccrocheError

# section -> (module, URL path, title); a module that is not there has no page
PAGES: tuple[tuple[tuple[str, str], tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        ("Observer", "Observe"),
        (
            ("overview", "apercu", "Vue d’ensemble", "Overview"),
            ("compare", "marques", "Comparer les marques", "Compare brands"),
            ("timeline", "chronologie", "Chronologie", "Timeline"),
            ("topics", "sujets", "Sujets et signaux", "Topics and signals"),
            ("posts", "publications", "Publications", "Posts"),
        ),
    ),
    (
        ("Approfondir", "Look closer"),
        (
            ("alerts", "alertes", "Alertes", "Alerts"),
            ("numbers", "numeros", "Numéros", "Numbers"),
            ("official", "series", "Séries officielles", "Official series"),
        ),
    ),
    (
        ("Vérifier", "Check"),
        (
            ("review", "relecture", "Relecture", "Review"),
            ("quality", "qualite", "Collecte et qualité", "Collection and quality"),
            ("method", "methode", "Méthode", "Method"),
        ),
    ),
    (("Partager", "Share"), (("exports", "exports", "Exports", "Exports"),)),
)
HOME = "apercu"
# Pages that need neither posts nor the filter bar.
FREE = frozenset({"methode", "series", "qualite", "relecture", "exports"})


def _page(module: str, path: str, title: str) -> st.Page:
    view = import_module(f"dashboard.views.{module}")
    return st.Page(view.page, title=title, url_path=path, default=path == HOME)


def _pages() -> dict[str, list[st.Page]]:
    found: dict[str, list[st.Page]] = {}
    for section, entries in PAGES:
        found[tr(*section)] = [
            _page(module, path, tr(fr, en))
            for module, path, fr, en in entries
            if find_spec(f"dashboard.views.{module}")
        ]
    return {section: pages for section, pages in found.items() if pages}


def _show(page: st.Page) -> None:
    """The page with its filters, or a helpful word when there is nothing to show."""
    try:
        if page.url_path not in FREE:
            data.settings()
            if not data.exists() or not data.known().labellers:
                parts.nothing_yet()
                return
        page.run()
    except RaccrocheError as error:
        parts.broken(error)


def _let_in() -> bool:
    """Whether the reader may see anything; a broken configuration lets nobody in."""
    try:
        return access.admitted()
    except RaccrocheError as error:
        parts.broken(error)
        return False


def main() -> None:
    st.set_page_config(page_title="Raccroche", layout="wide", menu_items={})
    filters.read_url()
    words.speak(filters.language())
    parts.style()
    if not _let_in():
        return
    parts.logo()
    pages = _pages()
    page = st.navigation(pages, expanded=True)
    every = [each for row in pages.values() for each in row]
    filters.remember_pages({each.url_path or HOME: each for each in every})
    with st.sidebar:
        filters.language_switch()
        parts.sidebar_foot()
        access.log_out_button()
    notes = st.container()
    try:
        _show(page)
    finally:
        filters.write_url()
    filters.show_notes(notes)


if __name__ == "__main__":
    main()
