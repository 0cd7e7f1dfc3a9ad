"""Which kinds of numbers call: classes by brand and over time, never a whole number."""

from collections.abc import Mapping
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from dashboard import charts, data, declarations, figures, filters, intervals, series, words
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr

ROTATION = "number_rotation"


def page() -> None:
    chosen = parts.begin(
        tr("Numéros", "Numbers"),
        tr(
            "Quels genres de numéros appellent. Jamais un numéro entier : seule sa classe est "
            "gardée.",
            "Which kinds of numbers call. Never a whole number: only its class is kept.",
        ),
    )
    counts = data.daily_counts(chosen.filters(), by=("brand", "number_class"))
    accusations = data.totals(chosen.filters()).harassment
    if not accusations:
        parts.nothing()
        return
    over_time = data.daily_counts(chosen.filters(), by=(chosen.step, "number_class"))
    if not declarations.classes(over_time):
        parts.nothing(
            tr(
                "Aucune publication de la sélection ne dit de quel numéro vient l’appel.",
                "No post of the selection says what number called.",
            )
        )
        _plan()
        return
    _over_time(chosen, over_time, accusations)
    brands = filters.shown_brands(chosen)
    totals = data.daily_counts(chosen.filters(brands=brands), by=("brand",))
    _by_brand(counts, totals, brands)
    _rotation(chosen, totals, brands)
    _plan()


def _over_time(chosen: Selection, counts: pd.DataFrame, accusations: int) -> None:
    st.header(tr("Classes déclarées, dans le temps", "Declared classes, over time"), anchor=False)
    periods = series.periods(chosen.start, chosen.end, chosen.step)
    table = declarations.by_period(counts, periods, chosen.step)
    order = declarations.classes(counts)
    totals = table.groupby("term")["n"].sum()
    first = order[0]
    declared = int(totals.sum())
    summary = tr(
        f"{words.plural(declared, 'déclaration', 'déclarations')} dans "
        f"{words.plural(accusations, 'publication', 'publications')} qui accusent ; la plus "
        f"fréquente : **{declarations.title(first).lower()}** ({words.number(totals[first])}). "
        "Une publication peut citer plusieurs numéros.",
        f"{words.plural(declared, 'declaration', 'declarations')} in "
        f"{words.plural(accusations, 'post', 'posts')} that accuse; most often: "
        f"**{declarations.title(first).lower()}** ({words.number(totals[first])}). "
        "A post may name several numbers.",
    )
    drawn = figures.composition(table, parts.look(), order, step=chosen.step)
    shown = table.pivot(index="period", columns="title", values="n").reset_index()
    shown["period"] = shown["period"].dt.date
    shown = shown.rename(columns={"period": tr("Période", "Period")})
    parts.chart(drawn, summary, shown, key="numbers-time")


def _by_brand(counts: pd.DataFrame, totals: pd.DataFrame, brands: tuple[str, ...]) -> None:
    st.header(tr("Par marque", "By brand"), anchor=False)
    names = {brand: filters.brand_label(brand) for brand in brands}
    table = declarations.by_brand(counts, totals, brands, names)
    if table.empty:
        parts.note(tr("Rien pour ces marques.", "Nothing for these brands."))
        return

    def open_posts(point: Mapping[str, Any]) -> NoReturn:
        filters.go("publications", marques=str(point["brand"]), accusations="1")

    order = table.groupby("title")["n"].sum().sort_values(ascending=False)
    shown = table.pivot(index="title", columns="name", values="said").reset_index(
        names=tr("Classe", "Class")
    )
    first = words.listing(
        [f"**{str(name).lower()}** ({words.number(n)})" for name, n in order[:3].items()]
    )
    summary = tr(f"Le plus souvent : {first}. ", f"Most often: {first}. ") + tr(
        "Couleur : part des accusations contre la marque qui citent cette classe de numéro ; "
        "nombre dans chaque case. Sous 20 accusations, pas de couleur.",
        "Colour: share of the accusations against the brand that name this class of number; "
        "the count in each cell. Under 20 accusations, no colour.",
    )
    drawn = charts.heat_map(table, parts.look(), terms=list(order.index))
    parts.chart(drawn, summary, shown, key="numbers-map", on_point=open_posts)


def _rotation(chosen: Selection, totals: pd.DataFrame, brands: tuple[str, ...]) -> None:
    st.header(tr("Numéros changeants", "Changing numbers"), anchor=False)
    counts = data.daily_counts(chosen.filters(brands=brands, signals=(ROTATION,)), by=("brand",))
    table = declarations.rotation(counts, totals, brands)
    table["brand"] = table["name"]
    table["name"] = table["name"].map(filters.brand_label)
    table = table.sort_values("name", key=lambda names: names.map(words.sort_key))
    table["text"] = [_said(dict(one)) for _, one in table.iterrows()]
    table["short"] = table["text"]
    own = charts.brand_styles(brands, parts.look())
    styles = {filters.brand_label(brand): style for brand, style in own.items()}
    n, of = int(table["n"].sum()), int(table["total"].sum())
    drawn = charts.intervals_by_name(
        table,
        parts.look(),
        styles,
        order=list(table["name"]),
        title=tr("part des accusations contre la marque", "share of accusations"),
        share=True,
    )
    parts.chart(
        drawn,
        rotation_told(n, of),
        table[["name", "n", "total", "text"]].rename(
            columns={
                "name": tr("Marque", "Brand"),
                "n": tr("Numéros changeants", "Changing numbers"),
                "total": tr("Accusations", "Accusations"),
                "text": tr("Part", "Share"),
            }
        ),
        key="rotation",
    )


def rotation_told(n: int, of: int) -> str:
    """How many of the accusations say that the number changes; the interval of many only."""
    every = words.plural(of, tr("accusation", "accusation"), tr("accusations", "accusations"))
    if n == 0:
        return tr(
            f"Sur {every}, aucune ne dit que le numéro change à chaque appel.",
            f"Of {every}, none says that the number changes with each call.",
        )
    share = None if intervals.too_few(n, of) else intervals.share(n, of)
    bounds = f" ({words.span(share.low, share.high, 1, share=True)})" if share else ""
    return tr(
        f"Sur {every}, {words.number(n)} {'dit' if n < 2 else 'disent'} que le numéro change à "
        f"chaque appel{bounds} : bloquer un numéro n’y fait rien.",
        f"Of {every}, {words.number(n)} {'says' if n == 1 else 'say'} that the number changes with "
        f"each call{bounds}: blocking one does not help.",
    )


def _said(row: Mapping[str, Any]) -> str:
    if row["few"]:
        few = intervals.FEW_FOR_PERCENT
        many = words.number(row["total"])
        return tr(f"{many} accusations : moins de {few}", f"{many} accusations: under {few}")
    bounds = words.span(row["low"], row["high"], 0, share=True)
    return f"{words.percent(row['value'], 0)} ({bounds})"


def _plan() -> None:
    with st.expander(tr("Ce que dit un préfixe", "What a prefix tells")):
        parts.note(
            tr(
                "Plan de numérotation français (Arcep). Une classe n’est pas une preuve : un "
                "numéro peut être usurpé, et une tranche réservée aux automates sert aussi aux "
                "sondages et aux rendez-vous.",
                "French numbering plan (Arcep). A class is no proof: a number may be spoofed, "
                "and a range for calling machines also serves surveys and appointments.",
            )
        )
        table = declarations.plan().rename(
            columns={
                "class": tr("Classe", "Class"),
                "meaning": tr("Sens", "Meaning"),
                "prefix": tr("Préfixes", "Prefixes"),
            }
        )
        parts.show_table(table, key="plan")
