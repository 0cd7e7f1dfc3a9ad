"""What pages are made of: headings, charts with words and table, empty and broken states."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from dashboard import charts, data, filters, intervals, sentences, series, words
from dashboard.selection import Selection
from dashboard.words import tr
from raccroche.errors import ConfigError, RaccrocheError

STALE_DAYS = 3

# Streamlit's own elements only, set closer; nothing of a post is ever written as HTML.
_STYLE = """
<style>
.stMainBlockContainer {padding-top: 3.2rem; padding-bottom: 4rem; max-width: 1320px;}
h1 {font-size: 1.9rem !important; letter-spacing: -0.015em; padding: 0 0 .2rem !important;}
h2 {font-size: 1.25rem !important; letter-spacing: -0.01em; padding: 1.1rem 0 .1rem !important;}
h3 {font-size: 1.02rem !important; padding: .4rem 0 0 !important;}
[data-testid="stMetricValue"] {font-size: 1.9rem; font-variant-numeric: tabular-nums;}
[data-testid="stMetricLabel"] p {font-size: .86rem;}
[data-testid="stCaptionContainer"] p {line-height: 1.45;}
.st-key-lead p {font-size: 1.16rem; line-height: 1.55; max-width: 62rem;}
.st-key-banner [data-testid="stAlertContainer"] {padding: .45rem .8rem; min-height: 0;}
.st-key-banner p {font-size: .86rem;}
[data-testid="stSidebarNavItems"] span {font-size: .93rem;}
[data-testid="stHeadingWithActionElements"] a {display: none;}
@media (max-width: 640px) {
  .stMainBlockContainer {padding: 4.4rem 1rem 3rem;}
  h1 {font-size: 1.5rem !important;}
}
@media print {
  [data-testid="stSidebar"], .st-key-filters, [data-testid="stToolbar"] {display: none;}
}
</style>
"""


_POSTS = """
<style>
[data-testid="stCaptionContainer"] p {{color: {soft}; opacity: 1;}}
[data-testid="stCaptionContainer"] {{color: {soft}; opacity: 1;}}
button[data-selected="true"] p {{color: {ink};}}
[data-testid="stBaseButton-primary"] p {{color: {on_accent};}}
.post {{white-space: pre-wrap; overflow-wrap: anywhere;}}
.post-full {{font-size: 1.04rem; line-height: 1.6;}}
.row-text .post {{white-space: normal;}}
.row-text {{font-size: .95rem; line-height: 1.45; color: {ink};}}
.row-head {{font-size: .82rem; display: flex; flex-wrap: wrap; gap: .45rem; color: {soft};}}
.row-head .accused {{color: {warm}; font-weight: 600;}}
.row-head .accused::before {{content: "● "; font-size: .7em; vertical-align: .12em;}}
mark.why {{background: {why}; color: inherit; border-radius: 3px; padding: 0 .1em;}}
mark.found {{background: {found}; color: {found_ink}; border-radius: 3px; padding: 0 .1em;}}
.st-key-post-detail {{position: sticky; top: 3.6rem;}}
@media (max-width: 640px) {{
  .st-key-split-open > div > [data-testid="stHorizontalBlock"],
  .st-key-split-open > [data-testid="stHorizontalBlock"] {{flex-direction: column-reverse;}}
}}
[class*="st-key-row-"] {{padding: .55rem .8rem .7rem;}}
[class*="st-key-row-open"] {{border-color: {accent}; box-shadow: 0 0 0 1px {accent};}}
</style>
"""


def style() -> None:
    """The look of every page; colours of marked text follow the reader's theme."""
    now = look()
    st.html(_STYLE)
    st.html(
        _POSTS.format(
            ink=now.ink,
            soft=now.soft,
            warm=now.warm,
            on_accent="#0B0E12" if now.dark else "#FFFFFF",
            accent=now.accent,
            why="#4A3A12" if now.dark else "#FFF0C2",
            found="#F3D34A" if now.dark else "#FFD84D",
            found_ink="#15130A" if now.dark else "inherit",
        )
    )


_HANDSET = (
    "M-13 -4 q0 -5 5 -5 h16 q5 0 5 5 v4 q0 3 -3 3 h-3 q-3 0 -3 -3 v-2 h-8 v2 q0 3 -3 3 "
    "h-3 q-3 0 -3 -3z"
)
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="190" height="40" viewBox="0 0 190 40">'
    '<path transform="translate(20 20) rotate(135)" fill="{accent}" d="{handset}"/>'
    '<text x="42" y="28" font-family="Helvetica, Arial, sans-serif" font-size="23" '
    'font-weight="700" letter-spacing="-.6" fill="{ink}">Raccroche</text></svg>'
)


def logo() -> None:
    """The name of the house, drawn in the colours of the reader's theme."""
    now = look()
    st.logo(_LOGO.format(accent=now.accent, ink=now.ink, handset=_HANDSET), size="large")


def look() -> charts.Look:
    """How charts are drawn for this reader: on light or dark, in French or English."""
    return charts.Look(dark=st.context.theme.type == "dark", language=words.language())


def styles(brands: Sequence[str]) -> dict[str, charts.BrandStyle]:
    """How each brand is drawn: the same on every page."""
    order = (*data.watched(), *data.known().brands)
    return charts.brand_styles(brands, look(), order=order)


def heading(title: str, what: str = "") -> None:
    """The title of a page and, in one sentence, what it answers."""
    st.title(title, anchor=False)
    if what:
        st.caption(what)


def begin(title: str, what: str = "") -> Selection:
    """The top of a page about posts: title, operator's banner, filter bar; what is chosen."""
    heading(title, what)
    banner(data.today())
    filters.bar(data.known())
    return filters.selection()


def lead(sentence: str) -> None:
    """The sentence in words that stands above the first chart."""
    with st.container(key="lead"):
        st.markdown(escape(sentence))


def escape(text: str) -> str:
    """Markdown that shows *text* as it is; `**bold**` of ours is kept."""
    return charts.markdown_safe(text)


def chart(
    drawn: Any,
    summary: str,
    table: pd.DataFrame | None = None,
    *,
    key: str,
    columns: Mapping[str, Any] | None = None,
    on_point: Callable[[Mapping[str, Any]], None] | None = None,
    show_summary: bool = True,
) -> None:
    """
    A chart with its words and its table. *table* holds what may be read and copied: no names, no
    whole numbers. *on_point* receives the fields of the point that was clicked (`charts.POINT`).
    """
    alternative = summary.replace("**", "")
    if on_point is None:
        st.altair_chart(drawn, theme=None, key=key, alt=alternative)
    else:
        event = st.altair_chart(
            drawn,
            theme=None,
            key=key,
            alt=alternative,
            on_select="rerun",
            selection_mode=charts.POINT,
        )
        points = event.selection.get(charts.POINT, [])
        if points:
            on_point(points[0])
    if show_summary:
        st.caption(escape(summary))
    if table is not None:
        with st.expander(tr("Tableau des valeurs", "Table of values")):
            show_table(table, columns=columns, key=f"{key}-table")


def show_table(
    table: pd.DataFrame, *, key: str, columns: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """A table of ours, numbers in the reader's format."""
    return st.dataframe(table, hide_index=True, key=key, column_config=columns, **options)


def note(text: str) -> None:
    """A remark on method beside a chart."""
    st.caption(escape(text))


def nothing(text: str = "") -> None:
    """The one empty state: no post meets the filters."""
    st.info(
        text
        or tr(
            "Aucune publication ne correspond à ces filtres. "
            "Élargissez la période ou retirez un filtre.",
            "No post meets these filters. Choose a longer period or remove a filter.",
        )
    )


def nothing_yet() -> None:
    """The database is missing, or nobody has labelled anything in it."""
    heading(tr("Rien à montrer pour l’instant", "Nothing to show yet"))
    st.markdown(
        tr(
            "La base ne contient pas encore de publications étiquetées. Pour commencer :",
            "The database holds no labelled posts yet. To begin:",
        )
    )
    st.code(
        tr(
            "raccroche demo    # un site fictif, pour voir\nraccroche run     # vos sources",
            "raccroche demo    # a fictional site, to look\nraccroche run     # your sources",
        ),
        "bash",
    )
    st.caption(
        tr(
            "Activez d’abord une source dans config.toml ; `raccroche sources` les énumère.",
            "First enable a source in config.toml; `raccroche sources` lists them.",
        )
    )


def broken(error: RaccrocheError) -> None:
    """An error a person can act on, in words; never a traceback."""
    heading(tr("Les données ne sont pas lisibles", "The data cannot be read"))
    st.code(str(error), None, wrap_lines=True)
    advice = (
        tr("Corrigez config.toml, puis rechargez la page.", "Correct config.toml, then reload.")
        if isinstance(error, ConfigError)
        else tr(
            "Si une collecte est en cours, patientez puis rechargez ; "
            "sinon lancez « raccroche doctor ».",
            "If a collection is running, wait and reload; otherwise run “raccroche doctor”.",
        )
    )
    st.caption(advice)


def sidebar_foot() -> None:
    """The date of the data, or that there is none; a broken configuration is told in the page."""
    try:
        if not data.exists():
            return
        last = data.known().last_day
    except RaccrocheError:
        return
    if last is not None:
        st.caption(tr("Données jusqu’au ", "Data up to ") + words.day(last))


def banner(today: dt.date) -> None:
    """The operator's sentence, and a warning when the data are old."""
    text = data.settings().dashboard.banner
    box = st.container(key="banner", gap="xsmall")
    if text:
        box.info(escape(tr(text, text)))
    last = data.known().last_day
    if last is not None and (today - last).days > STALE_DAYS:
        age = words.plural((today - last).days, tr("jour", "day"), tr("jours", "days"))
        box.warning(
            tr(
                f"La publication la plus récente a {age} : la collecte est peut-être arrêtée.",
                f"The newest post is {age} old: collection may have stopped.",
            )
        )


def figure(label: str, value: str, below: str, help: str) -> None:
    """One of the numbers on top: what it is, its interval and denominator, how it is made."""
    with st.container(border=True):
        st.metric(label, value, help=help)
        st.caption(escape(below))


def panel(
    brand: str,
    rows: pd.DataFrame,
    drawn: Any,
    *,
    key: str,
    open_posts: Callable[[Mapping[str, Any]], None],
) -> None:
    """A small chart of one brand under its name and its numbers."""
    settled = rows[rows["state"] != "missing"]
    harassment, mentions = int(settled["harassment"].sum()), int(settled["mentions"].sum())
    said = sentences.panel(brand, harassment, mentions, intervals.share(harassment, mentions))
    name = data.display(brand)
    st.subheader(escape(name), anchor=False)
    st.caption(escape(said))
    chart(drawn, f"{name} : {said}", key=key, on_point=open_posts, show_summary=False)


def series_table(table: pd.DataFrame, step: str, *, key: str) -> None:
    """The values behind lines: one row a brand and period."""
    states = {
        "settled": "",
        "provisional": tr("provisoire", "provisional"),
        "missing": tr("rien de collecté", "nothing collected"),
    }
    shown = pd.DataFrame(
        {
            tr("Marque", "Brand"): table["brand"].map(data.display),
            tr("Période", "Period"): table["period"].dt.date,
            tr("Accusations", "Accusations"): table["harassment"],
            tr("Bas", "Low"): table["low"].round(1),
            tr("Haut", "High"): table["high"].round(1),
            tr("Mentions", "Mentions"): table["mentions"],
            tr("Collecte", "Collected"): table["coverage"].round(2),
            tr("État", "State"): table["state"].map(states),
        }
    )
    show_table(shown, key=key)


def open_period(brand: str, period: Any, step: str) -> NoReturn:
    """The posts behind a point: its brand, and the days of its period."""
    first = as_day(period)
    last = series.last_of(first, step)
    filters.go(
        "publications",
        marques=brand,
        periode="dates",
        debut=first.isoformat(),
        fin=last.isoformat(),
        accusations="1",
    )


def as_day(value: Any) -> dt.date:
    """The day of a clicked point: Vega gives milliseconds since 1970, or a text."""
    moment = (
        pd.Timestamp(value, unit="ms") if isinstance(value, int | float) else pd.Timestamp(value)
    )
    return (moment + pd.Timedelta(hours=12)).date()
