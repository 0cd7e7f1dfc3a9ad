"""What changed in the period: the first page of the morning."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NoReturn

import streamlit as st

from dashboard import (
    collecting,
    data,
    filters,
    happenings,
    intervals,
    panels,
    sentences,
    series,
    words,
)
from dashboard.intervals import Interval
from dashboard.selection import Selection
from dashboard.views import alerts, parts
from dashboard.words import tr
from raccroche import reference
from raccroche.store import UNKNOWN_BRAND, Alert, Totals

COUNTED = 5_000  # accusing posts among which distinct authors are counted


def page() -> None:
    chosen = parts.begin(tr("Vue d’ensemble", "Overview"))
    now = data.totals(chosen.filters())
    if not now.posts:
        parts.nothing()
        return
    start, end = chosen.before()
    posts, accusing = data.posts_and_harassment(chosen.filters(start=start, end=end))
    rates = data.quick_rates(chosen)
    change = intervals.rate_ratio((accusing, posts), (now.harassment, now.posts))
    parts.lead(sentences.overview(now, change, _leader(rates), chosen.start, chosen.end))
    _figures(chosen, now)
    _panels(chosen, rates)
    left, right = st.columns(2, gap="large")
    with left:
        _alerts()
    with right:
        _coverage(chosen)


def _leader(rates: Mapping[str, Interval]) -> str | None:
    """The brand whose interval lies wholly above all others."""
    if len(rates) < 2:
        return None
    first, second = sorted(rates, key=lambda name: rates[name].value, reverse=True)[:2]
    highest = max(one.high for name, one in rates.items() if name != first)
    return data.display(first) if rates[first].low > highest else None


def _figures(chosen: Selection, now: Totals) -> None:
    share = intervals.share(now.harassment, now.posts)
    told = intervals.share(now.harassment_testimonies, now.harassment)
    weeks = max(chosen.days / 7, 1)
    count = intervals.count(now.harassment)
    digits = 1 if now.harassment < 100 else 0
    rate = now.harassment / weeks
    weekly = words.number(rate, 0 if rate > 100 else 1 if rate >= 0.1 or not rate else 2)
    one, two, three, four = st.columns(4)
    with one:
        parts.figure(
            tr("Mises en cause", "Posts that accuse"),
            words.number(now.harassment),
            tr(
                f"{words.span(count.low, count.high, digits)} · {weekly} par semaine",
                f"{words.span(count.low, count.high, digits)} · {weekly} a week",
            ),
            tr(
                "Publications qui rapportent du démarchage ou du harcèlement téléphonique, copies "
                "comptées une fois. Intervalle de Poisson exact à 95 %.",
                "Posts that report phone canvassing or harassment, copies counted once. Exact 95% "
                "Poisson interval.",
            ),
        )
    with two:
        parts.figure(
            tr("Part des publications", "Share of posts"),
            _percent(share, now.posts),
            tr(
                f"{_bounds(share, now.posts)} · sur {words.number(now.posts)} lues",
                f"{_bounds(share, now.posts)} · of {words.number(now.posts)} read",
            ),
            tr(
                "Parmi toutes les publications collectées de la sélection. Intervalle de Wilson "
                "à 95 %.",
                "Among all collected posts of the selection. 95% Wilson interval.",
            )
            + (_twice() if len(chosen.brands) > 1 else ""),
        )
    with three:
        parts.figure(
            tr("Témoignages directs", "First-hand accounts"),
            _percent(told, now.harassment),
            f"{_bounds(told, now.harassment)} · {words.number(now.harassment_testimonies)} "
            + tr("sur", "of")
            + f" {words.number(now.harassment)}",
            tr(
                "L’auteur raconte ce qu’il a vécu, ou un proche. Intervalle de Wilson à 95 %.",
                "The author tells an own or a relative’s experience. 95% Wilson interval.",
            ),
        )
    with four:
        _authors(chosen, now)


def _twice() -> str:
    return tr(
        " Une publication qui nomme deux des marques choisies compte pour chacune, des deux côtés.",
        " A post that names two of the chosen brands counts for each, on both sides.",
    )


def _authors(chosen: Selection, now: Totals) -> None:
    """How many people speak; of very many posts, how many firms are accused, which costs less."""
    if now.harassment > COUNTED:
        counts = data.daily_counts(chosen.filters(), by=("brand",))
        named = counts[(counts["harassment"] >= 5) & (counts["brand"] != UNKNOWN_BRAND)]
        parts.figure(
            tr("Marques accusées", "Accused brands"),
            words.number(len(named)),
            tr("par cinq publications au moins", "by five posts or more"),
            tr("Hors accusations sans marque nommée.", "Accusations without a name left out."),
        )
        return
    authors = data.author_counts(chosen.filters(), by=("platform",))
    who = int(authors["authors"].sum()) if len(authors) else 0
    texts = int(authors["posts"].sum() + authors["copies"].sum()) if who else 0
    each = words.number(texts / who, 2) if who else "–"
    parts.figure(
        tr("Auteurs différents", "Different authors"),
        words.number(who),
        tr(f"{each} texte par auteur, copies comprises", f"{each} texts an author, with copies"),
        tr(
            "Pseudonymes distincts : une personne présente sur deux sites y compte deux fois.",
            "Distinct pseudonyms: a person on two sites counts twice.",
        ),
    )


def _percent(share: Interval | None, total: int) -> str:
    if share is None or total < intervals.FEW_FOR_PERCENT:
        return "–"
    return words.percent(share.value)


def _bounds(share: Interval | None, total: int) -> str:
    if share is None or total < intervals.FEW_FOR_PERCENT:
        return tr("trop peu pour un pourcentage", "too few for a percentage")
    return words.span(share.low, share.high, 1, share=True)


def _panels(chosen: Selection, rates: Mapping[str, Interval]) -> None:
    brands = filters.shown_brands(chosen, 6)
    with parts.row():
        st.header(
            tr("Harcèlement rapporté, par marque", "Reported harassment, by brand"), anchor=False
        )
        shared = not filters.switch("libre", tr("Échelles libres", "Free scales"))
    found = parts.changes(chosen)
    table = parts.series_of(chosen, brands, found)
    mean = parts.averaged(chosen, table)
    drawn = panels.measure(share=False, mean=mean)
    marks = happenings.rows((), found, chosen.start, chosen.end)
    look, styles = parts.look(), parts.styles(brands)
    top = panels.top_of(table, drawn) if shared else None
    rows = [brands[at : at + 3] for at in range(0, len(brands), 3)]
    for row in rows:
        for column, brand in zip(st.columns(3, gap="medium"), row, strict=False):
            with column:
                own = table[table["brand"] == brand]
                chart = panels.brand_panel(
                    series.whole(own, chosen.start),
                    look,
                    styles[brand],
                    step=chosen.step,
                    drawn=drawn,
                    top=top,
                    marks=marks,
                    height=160,
                )
                parts.panel(brand, own, chart, key=f"panel-{brand}", open_posts=_open(chosen))
    parts.note(
        parts.reading(chosen, table, found, drawn)
        + tr(" Cliquez un point pour lire ses publications.", " Click a point to read its posts.")
    )
    with st.expander(tr("Tableau des valeurs", "Table of values")):
        parts.series_table(table, chosen.step, key="overview-table")


def _open(chosen: Selection) -> Any:
    def open_posts(point: Mapping[str, Any]) -> NoReturn:
        parts.open_period(str(point["brand"]), point["period"], chosen.step)

    return open_posts


def _alerts() -> None:
    st.header(tr("Alertes", "Alerts"), anchor=False)
    found = data.alerts(limit=50)
    fresh = alerts.ordered([one for one in found if one.state == "nouvelle"])[:5]
    if not fresh:
        parts.note(tr("Aucune alerte nouvelle.", "No new alert."))
    for one in fresh:
        _alert(one)
    inbox = filters.page("alertes")
    if inbox is not None:
        st.page_link(inbox, label=tr("Toutes les alertes", "All alerts"))


def _alert(one: Alert) -> None:
    """An alert in two lines, with the way to its posts or to the source."""
    first, last, when = happenings.alert_days(one.period)
    with st.container(border=True, key=f"row-alert-{one.n}", gap="xxsmall"):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.markdown(f"**{parts.escape(alerts.title(one))}**")
            name = tr("Voir", "See") if alerts.of_source(one) else tr("Lire", "Read")
            asked = st.button(name, key=f"alert-{one.n}", type="tertiary", help=alerts.title(one))
        parts.note(f"{alerts.gist(one)} · {when}")
    if not asked:
        return
    if alerts.of_source(one) or first is None:
        filters.go("alertes", alerte=str(one.n))
        return
    signals = [one.signal] if one.signal in {s.id for s in reference.signals()} else []
    filters.go(
        "publications",
        marques=one.brand,
        signaux=signals,
        periode="dates",
        debut=first.isoformat(),
        fin=(last or first).isoformat(),
        accusations="1",
    )


def _coverage(chosen: Selection) -> None:
    st.header(tr("Ce qui a été collecté", "What was collected"), anchor=False)
    start = max(chosen.start, chosen.end - dt.timedelta(119))
    strip = data.strip(start, chosen.end)
    if strip.empty:
        parts.note(tr("Aucune collecte enregistrée.", "No collection recorded."))
        return
    since = words.day(start, weekday=False)
    days = (strip["end"] - strip["day"]).dt.days
    share = float(days[strip["state"] == "full"].sum() / days.sum())
    summary = tr(
        f"{words.percent(share, 0)} des jours-sources collectés depuis le {since}.",
        f"{words.percent(share, 0)} of source-days collected since {since}.",
    )
    drawn = panels.coverage_strip(strip, parts.look())
    parts.chart(drawn, summary, collecting.strip_table(strip), key="coverage")
