"""Brands side by side: dots, intervals, and which pairs really differ."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, cast

import pandas as pd
import streamlit as st

from dashboard import bases, charts, comparison, data, filters, intervals, sentences, words
from dashboard.bases import Base
from dashboard.intervals import Difference
from dashboard.selection import Selection
from dashboard.views import parts
from dashboard.words import tr
from raccroche.store import UNKNOWN_BRAND

MOST = 14  # brands shown when none is chosen


def page() -> None:
    chosen = parts.begin(tr("Comparer les marques", "Compare brands"))
    measure, relation, level, by_value = _controls()
    if relation != "all":
        chosen = replace(chosen, relations=(relation,))
    outsiders = set(chosen.relations) == {"prospect"}
    key = "family" if level == "family" or (measure == "customers" and not outsiders) else "brand"
    counts = _counts(chosen, key)
    if counts.empty:
        parts.nothing()
        return
    if measure != "customers":
        table = _table(chosen, counts, measure, key)
        _draw(chosen, table, measure, key, by_value=by_value)
    elif outsiders:
        _per_inhabitants(chosen, counts, key, by_value=by_value)
    else:
        _per_customers(chosen, counts, by_value=by_value)


def _controls() -> tuple[str, str, str, bool]:
    """measure, relation, level, whether in order of value"""
    measure_names = {
        "share": tr("Part de ses mentions", "Share of its mentions"),
        "customers": tr("Par million", "Per million"),
        "count": tr("Nombre", "Count"),
    }
    relations = {"all": tr("Tous", "Everybody")} | {
        one: filters.relation_label(one) for one in ("customer", "former_customer", "prospect")
    }
    level_names = {"brand": tr("Marques", "Brands"), "family": tr("Groupes", "Groups")}
    order_names = {"name": tr("Par nom", "By name"), "value": tr("Par valeur", "By value")}
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        measure = filters.choose(
            "mesure", tr("Mesure", "Measure"), tuple(measure_names), show=measure_names.__getitem__
        )
        relation = filters.choose(
            "qui",
            tr("Personne appelée", "Person called"),
            tuple(relations),
            show=relations.__getitem__,
            widget="select",
            width=170,
            help=tr(
                "Ce que l’auteur dit être pour la marque. Le dénominateur suit : les clients de la "
                "marque, ou toute la population pour qui ne l’a jamais été.",
                "What the author says to be to the brand. The denominator follows: the customers "
                "of the brand, or the whole population for those who never were.",
            ),
        )
        level = filters.choose(
            "niveau",
            tr("Niveau", "Level"),
            tuple(level_names),
            show=level_names.__getitem__,
            help=tr(
                "Groupe : le propriétaire de la marque à la date de la publication. Les bases de "
                "clients ne sont publiées que par groupe.",
                "Group: who owned the brand on the day of the post. Customer bases are published "
                "by group only.",
            ),
        )
        order = filters.choose(
            "ordre", tr("Ordre", "Order"), tuple(order_names), show=order_names.__getitem__
        )
    return measure, relation, level, order == "value"


def _counts(chosen: Selection, key: str) -> pd.DataFrame:
    """name, harassment, mentions of what is compared: brands chosen, else the most mentioned."""
    counts = data.daily_counts(chosen.filters(), by=(key,)).rename(columns={key: "name"})
    counts = counts[counts["name"].notna() & (counts["name"] != UNKNOWN_BRAND)]
    if chosen.brands or key == "family":
        return counts
    watched = counts["name"].isin(data.watched())
    enough = counts["mentions"] >= intervals.FEW_FOR_PERCENT
    many = counts[enough & counts["name"].map(data.is_company)]
    first = many.sort_values("mentions", ascending=False)["name"].head(MOST)
    return counts[watched | counts["name"].isin(first)]


def _table(chosen: Selection, counts: pd.DataFrame, measure: str, key: str) -> pd.DataFrame:
    if measure == "count":
        return comparison.plain_counts(counts)
    if key == "brand":
        return comparison.shares(counts, data.rates(chosen, tuple(counts["name"])))
    found = {
        str(name): intervals.share(int(hits), int(total))
        for name, hits, total in counts[["name", "harassment", "mentions"]].itertuples(
            index=False, name=None
        )
        if total >= intervals.FEW_FOR_PERCENT
    }
    return comparison.shares(counts, {name: one for name, one in found.items() if one})


def _titles(measure: str) -> str:
    return {
        "share": tr(
            "Part des mentions de la marque qui l’accusent de harcèlement téléphonique",
            "Share of the brand’s mentions that accuse it of phone harassment",
        ),
        "count": tr("Publications qui accusent la marque", "Posts that accuse the brand"),
        "customers": tr(
            "Accusations par an et par million de clients",
            "Accusations a year and million customers",
        ),
        "inhabitants": tr(
            "Accusations par an et par million d’habitants",
            "Accusations a year and million inhabitants",
        ),
    }[measure]


def _draw(
    chosen: Selection, table: pd.DataFrame, measure: str, key: str, *, by_value: bool
) -> None:
    name_of = data.display if key == "brand" else _family_name
    shown = table.assign(id=table["name"], name=table["name"].map(name_of))
    order = comparison.ordered(shown, by_value=by_value)
    ids = dict(zip(shown["name"], shown["id"], strict=True))
    look = parts.look()
    styles = parts.styles([_style_of(ids[name], key) for name in order])
    by_name = {name: styles[_style_of(ids[name], key)] for name in order}
    drawn = charts.intervals_by_name(
        shown,
        look,
        by_name,
        order=order,
        title="",
        share=measure == "share",
        digits=",.2f" if measure in ("customers", "inhabitants") else "",
    )
    st.subheader(_titles(measure), anchor=False)
    names, found = comparison.comparable(shown)
    pairs = intervals.differences(names, found)
    summary = sentences.differences(pairs, len(names))
    if measure == "count":
        counted = words.listing(
            [f"{one['name']} {words.number(one['harassment'])}" for one in shown.to_dict("records")]
        )
        summary = tr(
            f"{counted}. Un nombre ne compare pas des marques : il suit leur taille et ce qui est "
            "collecté. Pour comparer, prenez la part des mentions.",
            f"{counted}. A count does not compare brands: it follows their size and what is "
            "collected. To compare, take the share of mentions.",
        )
    parts.chart(
        drawn,
        summary,
        _readable(shown),
        key=f"compare-{measure}-{key}",
        on_point=lambda point: _open(ids[str(point["name"])], key),
    )
    real = [one for one in pairs if one.differs]
    if measure != "count" and len(real) > sentences.NAMED:
        with st.expander(tr("Toutes les paires qui diffèrent", "All pairs that differ")):
            parts.show_table(_pairs(real, share=measure == "share"), key="pairs")
    parts.note(_method(measure, key))


def _pairs(found: Sequence[Difference], *, share: bool) -> pd.DataFrame:
    """The higher name, the lower, and the gap with its interval, the widest first."""
    turned = [(one, 1 if one.gap.value > 0 else -1) for one in found]
    turned.sort(key=lambda pair: -abs(pair[0].gap.value))

    def gap(one: Difference, sign: int) -> str:
        ends = sorted((one.gap.low * sign, one.gap.high * sign))
        factor, digits = (100, 1) if share else (1, 2)
        said = words.number(abs(one.gap.value) * factor, digits)
        return f"{said} ({words.span(ends[0] * factor, ends[1] * factor, digits)})"

    unit = tr("Écart, en points", "Gap, in points") if share else tr("Écart", "Gap")
    return pd.DataFrame(
        {
            tr("Au-dessus", "Higher"): [a.first if s > 0 else a.second for a, s in turned],
            tr("Au-dessous", "Lower"): [a.second if s > 0 else a.first for a, s in turned],
            unit: [gap(one, sign) for one, sign in turned],
        }
    )


def _open(name: str, key: str) -> NoReturn:
    if key == "brand":
        filters.go("publications", marques=name, accusations="1")
    brands = [one for one in data.known().brands if data.family_of(one) == name]
    filters.go("publications", marques=brands, accusations="1")


def _style_of(name: str, key: str) -> str:
    """The brand whose colour a family takes: the one that leads it in the palette."""
    if key == "brand":
        return name
    return charts.leading_brand(name) or name


def _family_name(family: str) -> str:
    name = words.family(family)
    lead = charts.leading_brand(family)
    if lead is None or data.display(lead).casefold() == name.casefold():
        return name
    return f"{name} ({data.display(lead)})"


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Marque", "Brand"): table["name"],
            tr("Accusations", "Accusations"): table["harassment"].astype(int),
            tr("Mentions", "Mentions"): table["mentions"].astype(int),
            tr("Valeur et intervalle à 95 %", "Value and 95% interval"): table["short"],
        }
    )


def _method(measure: str, key: str) -> str:
    if measure == "share" and key == "brand":
        return tr(
            "Intervalle de Wilson à 95 %, élargi par rééchantillonnage des auteurs : une personne "
            "qui écrit dix fois ne pèse pas dix fois. Gris : moins de 5 cas. Rang à partir de "
            "10 cas seulement. Ces publications ne sont pas un échantillon représentatif des "
            "clients.",
            "95% Wilson interval, widened by resampling authors: a person who writes ten times "
            "does not count ten times over. Grey: fewer than 5 cases. Rank only from 10 cases on. "
            "These posts are no representative sample of customers.",
        )
    if measure == "share":
        return tr(
            "Intervalle de Wilson à 95 %. Groupe : propriétaire à la date de la publication.",
            "95% Wilson interval. Group: owner on the day of the post.",
        )
    return tr(
        "Intervalle de Poisson exact à 95 %. Gris : moins de 5 cas.",
        "Exact 95% Poisson interval. Grey: fewer than 5 cases.",
    )


def _per_customers(chosen: Selection, counts: pd.DataFrame, *, by_value: bool) -> None:
    base_names = {
        "lines": tr("Lignes (mobile + fixe)", "Lines (mobile + fixed)"),
        "mobile": tr("Mobile", "Mobile"),
        "fixed": tr("Fixe", "Fixed"),
    }
    base = filters.choose(
        "base",
        tr("Clients comptés", "Customers counted"),
        tuple(base_names),
        show=base_names.__getitem__,
    )
    if set(chosen.relations) & {"prospect", "former_customer"}:
        st.warning(
            tr(
                "Un taux par client n’a pas de sens pour des personnes qui ne sont pas clientes. "
                "D’anciens clients, aucun nombre de départs n’est publié : comparez la part des "
                "mentions. Pour qui n’a jamais été client, choisissez « Jamais client » : la base "
                "est la population.",
                "A rate per customer makes no sense for people who are not customers. Of former "
                "customers no number is published: compare the share of mentions. For those who "
                "never were, choose “Never a customer”: the base is the population.",
            )
        )
        return
    customers = comparison.known_bases(list(counts["name"]), chosen.end, cast(Base, base))
    known = counts[counts["name"].isin(customers) | counts["name"].isin(_watched_families())]
    if not customers:
        parts.nothing(
            tr(
                "Aucune base de clients publiée pour ces marques à cette date.",
                "No customer base published for these brands at that date.",
            )
        )
        return
    table = comparison.per_million(known, chosen.days, customers)
    _draw(chosen, table, "customers", "family", by_value=by_value)
    with st.expander(tr("Bases de clients, dates et sources", "Customer bases, dates, sources")):
        parts.show_table(_bases_table(customers), key="bases")
    parts.note(
        tr(
            "Le classement change avec le dénominateur : mobile, fixe ou lignes. Regardez les "
            "trois avant d’écrire. Une enquête de 2016-2017 attribuait 96 % des appels non "
            "voulus à des entreprises dont on n’est pas client (UFC-Que Choisir).",
            "The order changes with the denominator: mobile, fixed or lines. Look at all three "
            "before you write. A survey of 2016-2017 put 96% of unwanted calls down to firms of "
            "which one is not a customer (UFC-Que Choisir).",
        )
    )


def _per_inhabitants(chosen: Selection, counts: pd.DataFrame, key: str, *, by_value: bool) -> None:
    everybody = {str(name): bases.population(str(name)) for name in counts["name"]}
    table = comparison.per_million(counts, chosen.days, everybody)
    _draw(chosen, table, "inhabitants", key, by_value=by_value)
    parts.note(
        tr(
            f"{words.number(bases.INHABITANTS, 1)} millions d’habitants au "
            f"{words.day(bases.COUNTED, weekday=False)} (Insee). La même base pour toutes les "
            "marques : elle change l’échelle, pas l’ordre.",
            f"{words.number(bases.INHABITANTS, 1)} million inhabitants on "
            f"{words.day(bases.COUNTED, weekday=False)} (Insee). One base for all brands: it "
            "changes the scale, not the order.",
        )
    )


def _watched_families() -> set[str]:
    return {family for brand in data.watched() if (family := data.family_of(brand))}


def _bases_table(customers: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            tr("Groupe", "Group"): [_family_name(name) for name in customers],
            tr("Millions", "Millions"): [
                words.number(one.millions, 2) for one in customers.values()
            ],
            tr("Date", "Date"): [words.short_day(one.date) for one in customers.values()],
            tr("Périmètre", "Perimeter"): [one.perimeter for one in customers.values()],
            tr("Source", "Source"): [one.source for one in customers.values()],
        }
    )
