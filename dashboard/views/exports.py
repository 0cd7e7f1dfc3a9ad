"""From a question to a file that can be published, with all that is needed to cite it."""

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, actions, archives, data, filters, words
from dashboard.access import Role
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr
from raccroche.store import ExportRecord, Filters, PostRow

FORMS = {
    "excel": "CSV (Excel, « ; »)",
    "csv": "CSV",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
}
SHOWN = 12  # rows of the preview
CUT = 160  # characters of a text in the preview


def page() -> None:
    if not data.exists() or not data.known().labellers:
        parts.nothing_yet()
        return
    chosen = parts.begin(
        tr("Exports", "Exports"),
        tr(
            "Un jeu de données étiqueté, masqué, avec ses métadonnées, sa fiche et ses sommes de "
            "contrôle.",
            "A labelled dataset, masked, with its metadata, its card and its checksums.",
        ),
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        asked, options = _question(chosen)
    with right:
        total = _preview(asked)
    with left:
        _download(asked, options, total)
    _history()


def _question(chosen: Selection) -> tuple[Filters, dict[str, Any]]:
    st.header(tr("1. La question", "1. The question"), anchor=False)
    only = filters.switch("accusations", tr("Accusations seulement", "Accusations only"))
    copies = filters.switch(
        "copies",
        tr("Avec les copies", "With copies"),
        help=tr(
            "Elles sont marquées is_copy ; à écarter pour compter.",
            "They are marked is_copy; leave them out to count.",
        ),
    )
    split = filters.switch(
        "decoupe",
        tr("Découper en train, dev et test", "Split into train, dev and test"),
        help=tr(
            "Aucun auteur ni fil n’est dans deux parts.", "No author and no thread is in two parts."
        ),
    )
    form = filters.choose("format", tr("Format", "Format"), tuple(FORMS), show=FORMS.__getitem__)
    stable = access.may(Role.ADMIN) and filters.switch(
        "stables",
        tr("Pseudonymes stables", "Stable pseudonyms"),
        help=tr(
            "Les mêmes d’un export à l’autre : permet de suivre un auteur. À éviter pour publier.",
            "The same from one export to the next: an author can be followed. Not for publishing.",
        ),
    )
    asked = replace(chosen.filters(harassment_only=only), with_copies=copies)
    return asked, {"form": form, "split": split, "stable_pseudonyms": stable}


def _preview(asked: Filters) -> int:
    st.header(tr("2. L’aperçu", "2. The preview"), anchor=False)
    found = data.posts(asked, size=SHOWN)
    total = found.total or 0
    if not found.rows:
        parts.nothing()
        return 0
    about = "" if found.exact else tr("au moins ", "at least ")
    st.caption(
        tr(
            f"{about}{words.number(total)} publications ; voici les {len(found.rows)} plus "
            f"récentes. Étiqueteur : {asked.labeller}.",
            f"{about}{words.number(total)} posts; here are the newest {len(found.rows)}. "
            f"Labeller: {asked.labeller}.",
        )
    )
    parts.show_table(_rows(found.rows), key="preview")
    return total


def _rows(rows: tuple[PostRow, ...]) -> pd.DataFrame:
    """The masked columns of the first rows."""
    return pd.DataFrame(
        {
            tr("Date", "Date"): [_day(row) for row in rows],
            tr("Harcèlement", "Harassment"): [
                tr("oui", "yes") if row.labels and row.labels.phone_harassment else ""
                for row in rows
            ],
            tr("Marques", "Brands"): [
                ", ".join(data.display(one.brand) for one in row.labels.mentions)
                if row.labels
                else ""
                for row in rows
            ],
            tr("Plateforme", "Platform"): [row.post.platform for row in rows],
            tr("Texte masqué", "Masked text"): [_cut(row.post.text) for row in rows],
        }
    )  # fmt: skip


def _day(row: PostRow) -> str:
    moment = row.post.published_at
    return words.short_day(moment.astimezone(data.PARIS).date()) if moment else "–"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CUT else line[:CUT].rsplit(" ", 1)[0] + " …"


def _download(asked: Filters, options: dict[str, Any], total: int) -> None:
    st.header(tr("3. Le fichier", "3. The file"), anchor=False)
    if total > archives.MOST:
        parts.note(
            tr(
                f"Plus de {words.number(archives.MOST)} publications : trop pour un navigateur. "
                "« raccroche export » les écrit sur le disque, sans limite.",
                f"Over {words.number(archives.MOST)} posts: too many for a browser. “raccroche "
                "export” writes them to disk, without a limit.",
            )
        )
        return
    if not total:
        return
    st.download_button(
        tr("Télécharger le jeu de données", "Download the dataset"),
        data=actions.archive_later(asked, page="exports", **options),
        file_name=f"raccroche-{data.today().isoformat()}.zip",
        mime="application/zip",
        type="primary",
        on_click="rerun",
        key="download",
    )
    parts.note(
        tr(
            "Dans le zip : posts et mentions, metadata.json (question, comptes, exclus, versions, "
            "sources et conditions, citation), README, datapackage.json, croissant.json. Les "
            "textes restent à leurs auteurs : vérifiez les conditions de chaque source avant "
            "de publier.",
            "In the zip: posts and mentions, metadata.json (query, counts, exclusions, versions, "
            "sources and terms, citation), README, datapackage.json, croissant.json. Texts remain "
            "their authors’: check each source’s terms before publishing.",
        )
    )  # fmt: skip


def _history() -> None:
    st.header(tr("Exports passés", "Past exports"), anchor=False)
    found = data.exports()
    if not found:
        parts.note(tr("Aucun pour l’instant.", "None so far."))
        return
    table = pd.DataFrame(
        {
            tr("Date", "Date"): [_when(one) for one in found],
            tr("Par", "By"): [_maker(one) for one in found],
            tr("Format", "Format"): [one.format for one in found],
            tr("Publications", "Posts"): [words.number(one.rows) for one in found],
            tr("Question", "Query"): [_query(one) for one in found],
            "SHA-256": [one.sha256[:12] or tr("dans le zip", "in the zip") for one in found],
        }
    )
    parts.show_table(table, key="history")


def _maker(one: ExportRecord) -> str:
    """Who made it, in which role, and where: the page of the dashboard, or the command line."""
    maker = archives.maker(one.by)
    where = {
        "publications": tr("page Publications", "page Posts"),
        "exports": tr("page Exports", "page Exports"),
    }.get(maker.page, tr("ligne de commande", "command line"))
    if maker.name in ("", "dashboard"):
        return where
    role = {
        "reader": tr("lecture", "reader"),
        "annotator": tr("annotation", "annotator"),
        "admin": tr("administration", "administrator"),
    }.get(maker.role)
    return f"{maker.name} ({role}), {where}" if role else f"{maker.name}, {where}"


def _when(one: ExportRecord) -> str:
    if one.at is None:
        return "–"
    local = one.at.astimezone(data.PARIS)
    return f"{words.short_day(local.date())}, {local:%H:%M}"


def _query(one: ExportRecord) -> str:
    """What was asked, in short: only what filters."""
    said = [
        ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in one.query.items()
        if value and key != "labeller" and value is not True
    ]
    return " · ".join(said) or tr("tout", "everything")
