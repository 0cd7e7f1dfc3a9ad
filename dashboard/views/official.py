"""Figures that authorities publish, each in a panel and on a scale of its own."""

import streamlit as st

from dashboard import data, figures, officials, words
from dashboard.views import parts
from dashboard.words import tr

ACROSS = 2  # panels side by side


def page() -> None:
    parts.heading(
        tr("Séries officielles", "Official series"),
        tr(
            "Ce que publient les autorités et les associations. Ces chiffres ne s’ajoutent jamais "
            "aux nôtres et ne partagent aucun axe avec eux.",
            "What authorities and associations publish. These figures are never added to ours "
            "and share no axis with them.",
        ),
    )
    for title, keys in officials.groups():
        _section(title, keys)
    _per_customers()
    _collected()
    _sanctions()


def _section(title: str, keys: tuple[str, ...]) -> None:
    st.header(title, anchor=False)
    for at in range(0, len(keys), ACROSS):
        row = keys[at : at + ACROSS]
        for column, key in zip(st.columns(ACROSS, gap="medium"), row, strict=False):
            with column:
                _panel(officials.panel(key))


def _panel(panel: officials.Panel) -> None:
    st.subheader(parts.escape(panel.title), anchor=False)
    table = officials.table(panel)
    known = table[table["value"].notna()]
    if len(known) < 3:
        _few(panel)
        return
    first, last = known.iloc[0], known.iloc[-1]
    unit = panel.unit[0].upper() + panel.unit[1:]
    ends = f"{first['said']} ({first['period']}), {last['said']} ({last['period']}). "
    summary = tr(f"{unit} : {ends}", f"{unit}: {ends}")
    shown = known[["period", "said", "source"]].rename(
        columns={
            "period": tr("Période", "Period"),
            "said": panel.unit,
            "source": tr("Source", "Source"),
        }
    )
    drawn = figures.official(table, parts.look())
    parts.chart(drawn, summary + panel.note, shown, key=f"official-{panel.key}")


def _few(panel: officials.Panel) -> None:
    """One or two values make no line: they are written."""
    for point in panel.points:
        said = officials.said(point.value)
        percent = panel.unit.startswith("%")
        value = f"{said}{words.NARROW if words.language() == 'fr' else ''}%" if percent else said
        st.metric(officials.when(point.period) or panel.unit, value)
    found = dict.fromkeys(officials.source(one.source) for one in panel.points)
    unit = panel.unit.removeprefix("%").strip()
    told = [f"{unit[0].upper()}{unit[1:]}." if unit else "", panel.note]
    told.append(f"{tr('Source :', 'Source:')} {words.listing(list(found))}")
    parts.note(" ".join(one for one in told if one))


def _per_customers() -> None:
    st.header(
        tr("Alertes à l’Arcep pour 100 000 clients", "Alerts to Arcep per 100,000 customers"),
        anchor=False,
    )
    found = officials.per_customers()
    found["group"] = found["family"].map(words.family)
    found = found.sort_values(["group", "year"])
    found["name"] = found["group"] + " " + found["year"].astype(str)
    found["said"] = found["value"].map(words.number)
    years = " → ".join(dict.fromkeys(found["year"].astype(str)))
    moved = [f"{group} {' → '.join(own['said'])}" for group, own in found.groupby("group")]
    said = tr(f"{years} : {words.listing(moved)}.", f"{years}: {words.listing(moved)}.")
    shown = found[["group", "year", "said"]].rename(
        columns={
            "group": tr("Groupe", "Group"),
            "year": tr("Année", "Year"),
            "said": tr("Alertes", "Alerts"),
        }
    )
    parts.chart(figures.bars(found, parts.look()), said, shown, key="per-customers")
    parts.note(
        tr(
            "La seule série publique de plaintes par client et par opérateur. Toutes causes, "
            "surtout réseau et fibre. Après 2019, l’Arcep n’a publié que des rangs et des "
            "graphiques. Source : clubic.com.",
            "The only public series of complaints per customer and operator. All causes, mostly "
            "network and fibre. After 2019 Arcep published ranks and charts only. "
            "Source: clubic.com.",
        )
    )


def _collected() -> None:
    if not data.exists():
        return
    found = data.store().series()
    if not found:
        return
    st.header(tr("Séries collectées", "Series collected"), anchor=False)
    parts.show_table(officials.collected(found), key="collected")


def _sanctions() -> None:
    st.header(tr("Sanctions publiées", "Published sanctions"), anchor=False)
    parts.show_table(officials.sanctions(), key="sanctions")
    parts.note(
        tr(
            "Lues dans la presse ou sur le site de l’autorité ; un recours a pu changer l’issue.",
            "Read in the press or on the authority’s site; an appeal may have changed the outcome.",
        )
    )
