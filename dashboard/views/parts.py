"""What pages are made of: headings, charts with words and table, empty and broken states."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import pandas as pd
import streamlit as st

from dashboard import (
    breaks,
    charts,
    data,
    drawn,
    filters,
    intervals,
    panels,
    sentences,
    series,
    words,
)
from dashboard.breaks import Break
from dashboard.kept import Answers, kept
from dashboard.panels import Measure
from dashboard.selection import Selection
from dashboard.words import tr
from raccroche.errors import RaccrocheError
from raccroche.store import Filters, SourceChange

STALE_DAYS = 3
SHOWN_WHOLE = 16  # rows

# Streamlit's own elements only, set closer; nothing of a post is ever written as HTML.
_STYLE = """
<style>
.stMainBlockContainer {padding-top: 3.2rem; padding-bottom: 4rem; max-width: 1320px;}
h1 {font-size: 1.9rem !important; letter-spacing: -0.015em; padding: 0 0 .2rem !important;}
h2 {font-size: 1.25rem !important; letter-spacing: -0.01em; padding: 1.1rem 0 .45rem !important;}
h3 {font-size: 1.02rem !important; padding: .4rem 0 .3rem !important;}
[data-testid="stMetricValue"] {font-size: 1.9rem; font-variant-numeric: tabular-nums;}
[data-testid="stMetricLabel"] p {font-size: .86rem;}
[data-testid="stCaptionContainer"] p {line-height: 1.45;}
.st-key-lead p {font-size: 1.16rem; line-height: 1.55; max-width: 62rem;}
.st-key-banner [data-testid="stAlertContainer"] {padding: .45rem .8rem; min-height: 0;}
.st-key-banner p {font-size: .86rem;}
button[data-variant="segmented_control"] {min-height: 2.5rem;}
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
[data-testid="stBaseButton-primary"]:not(:disabled) p {{color: {on_accent};}}
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
    return _styles(tuple(brands), look(), data.watched(), data.known().brands)


@kept(data.KEPT)
def _styles(
    brands: tuple[str, ...], look: charts.Look, watched: tuple[str, ...], every: tuple[str, ...]
) -> dict[str, charts.BrandStyle]:
    return charts.brand_styles(brands, look, order=(*watched, *every))


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
    shown: Any,
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
        st.altair_chart(shown, theme=None, key=key, alt=alternative)
    else:
        event = st.altair_chart(
            shown,
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
    """A table of ours, numbers in the reader's format; one of a screen is shown whole."""
    if len(table) <= SHOWN_WHOLE:
        options.setdefault("height", "content")
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
        wrap_lines=True,
    )
    st.caption(
        tr(
            "Activez d’abord une source dans config.toml ; `raccroche sources` les énumère.",
            "First enable a source in config.toml; `raccroche sources` lists them.",
        )
    )


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


def row() -> Any:
    """Two things on one line, at its two ends; one under the other on a telephone."""
    return st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    )


def figure(label: str, value: str, below: str, help: str) -> None:
    """One of the numbers on top: what it is, its interval and denominator, how it is made."""
    with st.container(border=True, height="stretch"):
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
    settled = rows[rows["harassment"].notna()]
    harassment, mentions = int(settled["harassment"].sum()), int(settled["mentions"].sum())
    said = sentences.panel(brand, harassment, mentions, intervals.share(harassment, mentions))
    name = data.display(brand)
    st.subheader(escape(name), anchor=False)
    st.caption(escape(said))
    told = tr(f"{name} : {said}", f"{name}: {said}")
    chart(drawn, told, key=key, on_point=open_posts, show_summary=False)


def changes(chosen: Selection) -> list[Break]:
    """Where the series of a selection are cut, or were computed anew, in its period."""
    return _changes(data.store().url, data.store().data_version(), chosen)


@kept(data.KEPT)
def _changes(url: str, version: int, chosen: Selection) -> list[Break]:
    coverage = data.coverage(chosen.start, chosen.end)
    found = breaks.of_sources(coverage, source_changes(), chosen.start, chosen.end)
    found += breaks.of_labels(_labelled(chosen), chosen.labeller)
    found += breaks.of_models(data.labellers(), chosen.labeller, chosen.start, chosen.end)
    return sorted(found, key=lambda one: one.day)


def source_changes() -> list[SourceChange]:
    return _source_changes(data.store().url, data.store().data_version())


@kept(8)
def _source_changes(url: str, version: int) -> list[SourceChange]:
    return data.store().source_changes()


def _labelled(chosen: Selection) -> pd.Series:
    """The share of posts that the chosen labeller labelled, by period."""
    periods = series.periods(chosen.start, chosen.end, chosen.step)
    models = [one for one in data.known().labellers if not one.startswith("human:")]
    if len(models) < 2 or chosen.labeller not in models:
        return pd.Series(1.0, index=periods)
    counted = []
    for name in models:
        # the posts of the same places, whoever labelled them and whatever was said of them
        asked = Filters(
            labeller=name,
            start=chosen.start,
            end=chosen.end,
            platforms=chosen.platforms,
            sources=chosen.sources,
        )
        own = data.daily_counts(asked, by=(chosen.step,))
        counted.append(own[["period", "mentions"]].assign(labeller=name))
    counts = pd.concat(counted).rename(columns={"mentions": "posts"})
    return breaks.labelled(counts, chosen.labeller, periods)


def series_of(chosen: Selection, brands: Sequence[str], found: Sequence[Break]) -> pd.DataFrame:
    """
    Each brand over the selection's time: rows of `series.by_period`, cut at the breaks *found*,
    with moving averages where weeks or days hold few accusations.
    """
    told = words.language(), data.today()  # notes are in the reader's language
    url, version = data.store().url, data.store().data_version()
    return _series_of(url, version, chosen, tuple(brands), tuple(found), told)


@kept(data.KEPT)
def _series_of(
    url: str,
    version: int,
    chosen: Selection,
    brands: tuple[str, ...],
    found: tuple[Break, ...],
    told: tuple[str, dt.date],
) -> pd.DataFrame:
    table = data.series_of(chosen, brands)
    share = _labelled(chosen)
    if (share < 1).any():
        table = series.without_labels(table, share, breaks.LABELLED)
    return series.smoothed(breaks.cut(table, found, chosen.step))


def averaged(chosen: Selection, table: pd.DataFrame) -> bool:
    """Whether panels show moving averages: as asked, else when points hold few accusations."""
    asked = next(iter(filters.get("lissage")), "auto")
    if chosen.step == "month" or asked == "non":
        return False
    return asked == "oui" or series.is_sparse(table)


def reading(chosen: Selection, table: pd.DataFrame, found: Sequence[Break], drawn: Measure) -> str:
    """How to read the panels, in words: what a point is, what is cut, hatched or dashed."""
    step = {
        "day": tr("jour", "day"),
        "week": tr("semaine", "week"),
        "month": tr("mois", "month"),
    }[chosen.step]
    if drawn is panels.MEAN_SHARE:
        first = tr(
            f"Moyenne mobile centrée sur {series.WINDOW} {step}s, et son intervalle à 95 % ; rien "
            f"sous {intervals.FEW_FOR_PERCENT} mentions. ",
            f"Moving average centred on {series.WINDOW} {step}s, and its 95% interval; nothing "
            f"under {intervals.FEW_FOR_PERCENT} mentions. ",
        )
    elif drawn is panels.MEAN:
        first = tr(
            f"Colonnes : nombre par {step}. Ligne : moyenne mobile centrée sur {series.WINDOW} "
            f"{step}s, et son intervalle à 95 %. ",
            f"Columns: count a {step}. Line: moving average centred on {series.WINDOW} {step}s, "
            "and its 95% interval. ",
        )
    else:
        first = tr(
            f"Un point par {step} ; bande : intervalle à 95 %. ",
            f"One point a {step}; band: 95% interval. ",
        )
    late = tr(
        "Tirets en fin de ligne : dernières 48 heures, provisoires. ",
        "Dashes at the end: last 48 hours, provisional. ",
    )
    hatched = (table["coverage"] < series.FULL).any()
    part = tr(
        "Hachures : moins de 95 % de ce qui devait l’être a été collecté et étiqueté. ",
        "Hatching: less than 95% of what was to be was collected and labelled. ",
    )
    told = [sentences.gaps(series.gaps(table)), breaks.told(found)]
    return first + late + (part if hatched else "") + " ".join(one for one in told if one)


def series_table(table: pd.DataFrame, step: str, *, key: str) -> None:
    """The values behind lines: one row a brand and period."""
    asked = drawn.fingerprint("series_table", table, step)
    show_table(_said_series.get(asked, lambda: _series_in_words(table, step)), key=key)


_said_series = Answers(data.KEPT)


def _series_in_words(table: pd.DataFrame, step: str) -> pd.DataFrame:
    states = {
        "settled": "",
        "provisional": tr("provisoire", "provisional"),
        "missing": tr("rien de collecté", "nothing collected"),
        "unlabelled": tr("pas encore étiqueté", "not labelled yet"),
    }
    return pd.DataFrame(
        {
            tr("Marque", "Brand"): table["brand"].map(data.display),
            tr("Période", "Period"): [words.period(day.date(), step) for day in table["period"]],
            tr("Accusations", "Accusations"): _numbers(table["harassment"]),
            tr("Intervalle à 95 %", "95% interval"): [
                "–" if pd.isna(low) else words.span(low, high, 1)
                for low, high in table[["low", "high"]].itertuples(index=False, name=None)
            ],
            tr("Mentions", "Mentions"): _numbers(table["mentions"]),
            tr(f"Moyenne sur {series.WINDOW}", f"Mean of {series.WINDOW}"): _numbers(
                table["trend"], 1
            ),
            tr("Collecte", "Collected"): [words.percent(one, 0) for one in table["coverage"]],
            tr("État", "State"): table["state"].map(states),
            tr("Rupture", "Break"): table["note"],
        }
    )


def _numbers(values: pd.Series, digits: int = 0) -> list[str]:
    return [words.number(one, digits) for one in values]


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
