"""How people are called, by brand: signals, topics, declared calls a day and hours."""

from collections.abc import Mapping
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from dashboard import charts, data, declared, filters, intervals, together, words
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr
from raccroche import reference

SHOWN = 10  # brands in the map when none is chosen
NEWEST = 2_000  # posts in which labels that go together are counted


def page() -> None:
    chosen = parts.begin(tr("Sujets et signaux", "Topics and signals"))
    kind = _kind()
    brands = filters.shown_brands(chosen, SHOWN)
    table = _map(chosen, brands, kind)
    if table.empty:
        parts.nothing()
        return
    _draw(table, kind)
    if kind != "relation":
        _together(chosen, kind)
    st.header(tr("Ce que les auteurs déclarent", "What authors declare"), anchor=False)
    facts = data.facts(chosen.filters())
    if len(facts) >= data.FACTS:
        newest = words.number(data.FACTS)
        parts.note(
            tr(
                f"Sur les {newest} accusations les plus récentes.",
                f"Of the newest {newest} accusations.",
            )
        )
    left, right = st.columns(2, gap="large")
    with left:
        _calls(declared.calls_a_day(facts))
    with right:
        _hours(declared.hours(facts))


def _kind() -> str:
    names = {
        "signal": tr("Signaux", "Signals"),
        "topic": tr("Sujets", "Topics"),
        "relation": tr("Relation à la marque", "Relation to the brand"),
    }
    return filters.choose("carte", tr("Carte par", "Map by"), tuple(names), show=names.__getitem__)


def _map(chosen: Selection, brands: tuple[str, ...], kind: str) -> pd.DataFrame:
    """A row a brand and term: n, out of how many, share (none under 20)."""
    asked = chosen.filters(brands=brands, harassment_only=kind != "topic")
    counts = data.daily_counts(asked, by=("brand", kind))
    totals = data.daily_counts(asked, by=("brand",)).set_index("brand")
    measure = "mentions" if kind == "topic" else "harassment"
    terms = _terms(kind)
    counts = counts[counts[kind].isin(terms)]
    if counts.empty:
        return counts
    grid = pd.MultiIndex.from_product([totals.index, terms], names=["brand", kind])
    n = counts.set_index(["brand", kind])[measure].reindex(grid, fill_value=0).reset_index()
    n = n.rename(columns={measure: "n", kind: "term"})
    n["total"] = n["brand"].map(totals[measure])
    n["share"] = (n["n"] / n["total"]).where(n["total"] >= intervals.FEW_FOR_PERCENT)
    n["name"] = n["brand"].map(data.display)
    n["title"] = n["term"].map(terms)
    n["said"] = [
        f"{words.number(a)} {tr('sur', 'of')} {words.number(b)}"
        + ("" if pd.isna(s) else f" ({words.percent(s, 0)})")
        for a, b, s in n[["n", "total", "share"]].itertuples(index=False, name=None)
    ]
    return n[n["total"] > 0]


def _terms(kind: str) -> dict[str, str]:
    if kind == "relation":
        return {one: filters.relation_label(one) for one in filters.RELATIONS}
    found = reference.signals() if kind == "signal" else reference.topics()
    return {term.id: term.title(words.language()) for term in found}


def _draw(table: pd.DataFrame, kind: str) -> None:
    keys = {"signal": "signaux", "topic": "sujets", "relation": "relations"}

    def open_posts(point: Mapping[str, Any]) -> NoReturn:
        more = {} if kind == "topic" else {"accusations": "1"}
        filters.go(
            "publications", marques=str(point["brand"]), **{keys[kind]: str(point["term"])}, **more
        )

    order = table.groupby("title")["n"].sum().sort_values(ascending=False)
    drawn = charts.heat_map(table, parts.look(), terms=list(order.index[order > 0]))
    parts.chart(
        drawn,
        _summary(table, kind),
        _readable(table),
        key=f"map-{kind}",
        on_point=open_posts,
    )
    what = (
        tr("de toutes les mentions de la marque", "of all mentions of the brand")
        if kind == "topic"
        else tr("des accusations contre la marque", "of accusations against the brand")
    )
    parts.note(
        tr(
            f"Couleur : part {what}, dans chaque marque ; nombre dans chaque case. Sous 20, pas de "
            "couleur. Une publication peut porter plusieurs signaux.",
            f"Colour: share {what}, within each brand; the count in each cell. Under 20, no "
            "colour. A post may carry several signals.",
        )
    )


def _summary(table: pd.DataFrame, kind: str) -> str:
    total = table.drop_duplicates("brand")["total"].sum()
    order = table.groupby("title")["n"].sum().sort_values(ascending=False).head(3)
    said = words.listing(
        [f"**{name.lower()}** ({words.number(n)})" for name, n in order.items()]  # type: ignore[attr-defined]
    )
    return tr(
        f"Sur {words.number(total)} {'mentions' if kind == 'topic' else 'accusations'}, le plus "
        f"souvent : {said}.",
        f"Of {words.number(total)} {'mentions' if kind == 'topic' else 'accusations'}, most "
        f"often: {said}.",
    )


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    return table.pivot(index="title", columns="name", values="said").reset_index(
        names=tr("Terme", "Term")
    )


def _together(chosen: Selection, kind: str) -> None:
    """Which labels come together, on demand: posts are read for it."""
    with parts.row():
        st.header(tr("Ce qui va ensemble", "What goes together"), anchor=False)
        wanted = filters.switch(
            "ensemble",
            tr("Afficher", "Show"),
            help=tr(
                f"Lit les {words.number(NEWEST)} publications les plus récentes de la sélection.",
                f"Reads the newest {words.number(NEWEST)} posts of the selection.",
            ),
        )
    if not wanted:
        return
    asked = chosen.filters(harassment_only=kind == "signal")
    rows = data.posts(asked, size=NEWEST).rows
    labels = [row.labels for row in rows if row.labels is not None]
    titles = _terms(kind)
    found = [one.signals if kind == "signal" else one.topics for one in labels]
    known = [[term for term in one if term in titles] for one in found]
    table = together.pairs(known, titles.__getitem__)
    if table.empty:
        parts.note(tr("Rien ne va ensemble ici.", "Nothing goes together here."))
        return
    _draw_pairs(table, kind, len(labels))


def _draw_pairs(table: pd.DataFrame, kind: str, many: int) -> None:
    key = "signaux" if kind == "signal" else "sujets"

    def open_posts(point: Mapping[str, Any]) -> NoReturn:
        more = {"accusations": "1"} if kind == "signal" else {}
        filters.go("publications", **{key: str(point["brand"])}, **more)

    order = list(dict.fromkeys(table["name"]))
    said = words.listing(
        [
            f"**{row['name'].lower()}** {tr('et', 'and')} **{row['title'].lower()}** "
            f"({words.number(row['n'])})"
            for row in together.strongest(table).to_dict("records")
        ]
    )
    of = words.number(many)
    summary = tr(
        f"Sur les {of} publications les plus récentes, le plus souvent ensemble : {said}.",
        f"Of the newest {of} posts, most often together: {said}.",
    )
    drawn = charts.heat_map(table, parts.look(), terms=order, columns=order)
    parts.chart(drawn, summary, _readable(table), key=f"pairs-{kind}", on_point=open_posts)
    parts.note(
        tr(
            "Chaque case : combien de publications portent les deux ; couleur : leur part parmi "
            "celles de la colonne. Sous 20, pas de couleur. Un clic ouvre celles de la colonne.",
            "Each cell: how many posts carry both; colour: their share of those of the column. "
            "Under 20, no colour. A click opens those of the column.",
        )
    )


def _calls(table: pd.DataFrame) -> None:
    st.subheader(tr("Appels par jour", "Calls a day"), anchor=False)
    n = int(table["n"].sum())
    if n < intervals.FEW_FOR_RATE:
        parts.note(tr("Trop peu de déclarations.", "Too few declarations."))
        return
    median = declared.median(table)
    parts.chart(
        charts.columns(table, parts.look(), title=tr("appels par jour", "calls a day")),
        tr(
            f"{words.plural(n, 'auteur déclare', 'auteurs déclarent')} un nombre ; la moitié "
            f"au moins {words.number(median)} par jour.",
            f"{words.plural(n, 'author declares', 'authors declare')} a number; half at least "
            f"{words.number(median)} a day.",
        ),
        table.rename(columns={"bin": tr("Appels par jour", "Calls a day"), "n": "n"})[
            [tr("Appels par jour", "Calls a day"), "n"]
        ],
        key="calls",
    )


def _hours(table: pd.DataFrame) -> None:
    st.subheader(tr("Heures citées", "Hours named"), anchor=False)
    n = int(table["n"].sum())
    if n < intervals.FEW_FOR_RATE:
        parts.note(tr("Trop peu de déclarations.", "Too few declarations."))
        return
    outside = int(table.loc[~table["allowed"], "n"].sum())
    share = intervals.share(outside, n)
    many = share and n >= intervals.FEW_FOR_PERCENT
    bounds = f" ({words.span(share.low, share.high, 0, share=True)})" if share and many else ""
    parts.chart(
        charts.columns(
            table, parts.look(), title=tr("heure", "hour"), second=tr("hors des heures", "outside")
        ),
        tr(
            f"{words.number(outside)} heures sur {words.number(n)} tombent hors des plages du "
            f"décret de 2023, 10 h–13 h et 14 h–20 h{bounds}. L’heure est celle que l’auteur "
            "cite ; le jour, souvent, manque.",
            f"{words.number(outside)} of {words.number(n)} hours fall outside those of the 2023 "
            f"decree, 10–13 h and 14–20 h{bounds}. The hour is the one the author names; the "
            "day is often missing.",
        ),
        table[["bin", "n"]].rename(columns={"bin": tr("Heure", "Hour")}),
        key="hours",
    )
