"""Entry point: title, navigation, language, filters, and a word when the database is silent."""

from importlib import import_module
from importlib.util import find_spec

import streamlit as st

from dashboard import access, data, filters, words
from dashboard.views import broken, parts
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
    if path == HOME:  # Streamlit keeps the path of the first page, and serves nothing there
        return st.Page(view.page, title=title, url_path="accueil", default=True)
    return st.Page(view.page, title=title, url_path=path)


def _home_by_name() -> st.Page:
    """The first page has no path of its own: who asks for it by its name finds it too."""
    (first, *_), *_ = (entries for _, entries in PAGES)
    module, path, fr, en = first
    view = import_module(f"dashboard.views.{module}")
    return st.Page(view.page, title=tr(fr, en), url_path=path, visibility="hidden")


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
        labelled = data.exists() and data.known().labellers
        if page.url_path not in FREE and not labelled:
            parts.nothing_yet()
            return
        page.run()
    except RaccrocheError as error:
        broken.show(error)


def _let_in() -> bool:
    """Whether the reader may see anything; a broken configuration lets nobody in."""
    try:
        return access.admitted()
    except RaccrocheError as error:
        broken.show(error)
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
    page = st.navigation({**pages, "": [_home_by_name()]}, expanded=True)
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
