"""The inbox of spikes and silent sources: what was seen, what was expected, what became of it."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import access, actions, data, figures, filters, happenings, highlight, words
from dashboard.access import Role
from dashboard.views import parts, posts
from dashboard.words import tr
from raccroche import reference
from raccroche.store import Alert, Filters

STATES = ("nouvelle", "vue", "expliquee", "fausse")
MANY = 500  # alerts that are read
WEEKS = 16  # of history beside an alert
NEAR = dt.timedelta(days=7)
TOP = 5
_MACHINE = re.compile(r"(quasi_poisson|ears_c2), p=(\S+)")  # the note of `raccroche.alerts`


def page() -> None:
    parts.heading(
        tr("Alertes", "Alerts"),
        tr(
            "Ce qui a dépassé l’attendu, par marque et par signal ; et les sources qui se taisent.",
            "What rose above what was expected, by brand and signal; and sources gone silent.",
        ),
    )
    found = data.alerts(limit=MANY)
    if not found:
        st.info(
            tr(
                "Aucune alerte. Elles sont cherchées à chaque passage de « raccroche run ».",
                "No alert. They are looked for at each “raccroche run”.",
            )
        )
        _rules()
        return
    shown = _chosen(found)
    if shown:
        _inbox(shown)
    else:
        parts.nothing(tr("Aucune alerte dans cet état.", "No alert in this state."))
    _rules()


def state_name(state: str) -> str:
    return {
        "nouvelle": tr("Nouvelles", "New"),
        "vue": tr("Vues", "Seen"),
        "expliquee": tr("Expliquées", "Explained"),
        "fausse": tr("Fausses", "False"),
        "toutes": tr("Toutes", "All"),
    }[state]


def _one(state: str) -> str:
    return {
        "nouvelle": tr("Nouvelle", "New"),
        "vue": tr("Vue", "Seen"),
        "expliquee": tr("Expliquée", "Explained"),
        "fausse": tr("Fausse alerte", "False alarm"),
    }.get(state, state)


def _chosen(found: Sequence[Alert]) -> list[Alert]:
    counts = Counter(one.state for one in found)
    counts["toutes"] = len(found)
    state = filters.choose(
        "etat",
        tr("État", "State"),
        (*STATES, "toutes"),
        default="nouvelle" if counts["nouvelle"] else "toutes",
        show=lambda one: f"{state_name(one)} · {words.number(counts[one])}",
        hidden_label=True,
    )
    return ordered([one for one in found if state in (one.state, "toutes")])


def ordered(found: Sequence[Alert]) -> list[Alert]:
    """The newest weeks first; in one, what rose most; sources after what people say."""
    rises = [one for one in found if not of_source(one)]
    rises.sort(key=lambda one: (one.period, one.observed - one.expected), reverse=True)
    return [*rises, *(one for one in found if of_source(one))]


def of_source(alert: Alert) -> bool:
    return alert.signal.startswith("source:")


def _trouble(alert: Alert) -> tuple[str, str]:
    """What is wrong with which source, of `source:silent:forum`."""
    _, what, source = [*alert.signal.split(":", 2), "", ""][:3]
    return what, source


def title(alert: Alert) -> str:
    """The subject of an alert in words, without its week."""
    if of_source(alert):
        what, source = _trouble(alert)
        return tr(f"Source {source} : {_fault(what)}", f"Source {source}: {_fault(what)}")
    if not alert.signal:
        return f"{filters.brand_label(alert.brand)} · " + tr("tous signaux", "any signal")
    return f"{filters.brand_label(alert.brand)} · {_signal(alert.signal)}"


def gist(alert: Alert) -> str:
    """What was seen, in one line without the subject and the week."""
    if of_source(alert):
        what, _ = _trouble(alert)
        return _silence(alert) if what == "silent" else _failures(alert)
    return tr(
        f"{words.number(alert.observed)} publications, {_usual(alert)} · "
        f"{words.plural(alert.authors, 'auteur', 'auteurs')}",
        f"{words.number(alert.observed)} posts, {_usual(alert)} · "
        f"{words.plural(alert.authors, 'author', 'authors')}",
    )


def _usual(alert: Alert) -> str:
    """How many posts were expected, in words."""
    if alert.expected < 0.5:
        return tr("moins d’une attendue", "fewer than one expected")
    usual = words.number(alert.expected, 1)
    return tr(f"{usual} attendue{'s' if alert.expected >= 2 else ''}", f"{usual} expected")


def _silence(alert: Alert) -> str:
    days = words.number(alert.observed)
    return tr(f"rien de nouveau depuis {days} jours", f"nothing new for {days} days")


def _failures(alert: Alert) -> str:
    runs = words.number(alert.observed)
    return tr(f"{runs} passages de suite sans succès", f"{runs} runs in a row without success")


def _signal(signal: str) -> str:
    try:
        return reference.title(signal, words.language())
    except KeyError:  # of an older taxonomy
        return signal


def _fault(what: str) -> str:
    return {
        "silent": tr("silencieuse", "silent"),
        "blocked": tr("bloquée", "blocked"),
        "login_wall": tr("connexion exigée", "asks to log in"),
        "rate_limited": tr("débit limité", "rate limited"),
        "layout_changed": tr("présentation changée", "layout changed"),
        "refused_by_robots": tr("refusée par robots.txt", "refused by robots.txt"),
        "unreachable": tr("injoignable", "unreachable"),
    }.get(what, what)


def _inbox(shown: Sequence[Alert]) -> None:
    asked = next(iter(filters.get("alerte")), "")
    opened = next((one for one in shown if str(one.n) == asked), shown[0])
    filters.remember("alerte", asked if str(opened.n) == asked else "")
    with st.container(key="split-open" if asked else "split"):
        left, right = st.columns([4, 7], gap="large")
    with left:
        for one in shown[:100]:
            _row(one, opened=one.n == opened.n)
        if len(shown) > 100:
            parts.note(tr("Les 100 plus récentes.", "The newest 100."))
    with right, st.container(border=True, key="post-detail"):
        _source_detail(opened) if of_source(opened) else _detail(opened)
        _decide(opened)


def _row(alert: Alert, *, opened: bool) -> None:
    key = f"row-open-{alert.n}" if opened else f"row-{alert.n}"
    with st.container(border=True, key=key, gap="xxsmall"):
        st.markdown(f"**{parts.escape(title(alert))}**")
        _, _, when = happenings.alert_days(alert.period)
        st.caption(parts.escape(when))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(parts.escape(f"{_one(alert.state)} · {_in_short(alert)}"))
            st.button(
                tr("Voir", "See"),
                key=f"see-{alert.n}",
                type="tertiary",
                help=title(alert),
                on_click=filters.put,
                args=("alerte", str(alert.n)),
            )


def _in_short(alert: Alert) -> str:
    if of_source(alert):
        return tr("collecte", "collection")
    seen, usual = words.number(alert.observed), words.number(max(alert.expected, 0.1), 1)
    usual = f"< {usual}" if alert.expected < 0.1 else usual
    many = "s" if alert.expected >= 2 else ""
    return tr(f"{seen} pour {usual} attendue{many}", f"{seen} against {usual} expected")


# one alert


def _detail(alert: Alert) -> None:
    first, last, when = happenings.alert_days(alert.period)
    st.header(parts.escape(title(alert)), anchor=False)
    ratio = alert.observed / alert.expected if alert.expected >= 0.5 else None
    times = tr(f", {words.number(ratio, 1)} fois plus", f", {words.number(ratio, 1)} times as many")
    parts.lead(
        tr(
            f"**{words.number(alert.observed)} publications** ({when}), pour "
            f"{_usual(alert)}{times if ratio else ''} ; seuil d’alerte : "
            f"{words.number(alert.bound)}.",
            f"**{words.number(alert.observed)} posts** ({when}), against "
            f"{_usual(alert)}{times if ratio else ''}; alert bound: {words.number(alert.bound)}.",
        )
    )
    if method := _method(alert):
        parts.note(method)
    one, two, three = st.columns(3)
    one.metric(tr("Publications", "Posts"), words.number(alert.posts))
    two.metric(tr("Auteurs", "Authors"), words.number(alert.authors))
    three.metric(tr("Part de reprises", "Share of copies"), words.percent(alert.repost_share, 0))
    if first is None or last is None:
        return
    _history(alert, first)
    _near(alert, first, last)
    _top(alert, first, last)


def _asked(alert: Alert, start: dt.date, end: dt.date) -> Filters:
    known = data.known()
    return Filters(
        labeller=known.labellers[0],
        start=start,
        end=end,
        brands=(alert.brand,),
        signals=(alert.signal,) if alert.signal else (),
        harassment_only=True,
    )


def _history(alert: Alert, first: dt.date) -> None:
    start, end = first - dt.timedelta(weeks=WEEKS - 1), first + dt.timedelta(6)
    counts = data.daily_counts(_asked(alert, start, end), by=("week", "brand"))
    counts = counts[counts["brand"] == alert.brand]
    weeks = pd.date_range(start, first, freq="W-MON")
    n = counts.set_index("period")["harassment"].reindex(weeks, fill_value=0)
    table = pd.DataFrame({"period": weeks, "n": n.to_numpy(), "alert": weeks == weeks[-1]})
    table["words"] = [words.period(day.date(), "week") for day in weeks]
    usual = float(table["n"][:-1].median())
    summary = tr(
        f"Par semaine, sur {WEEKS} semaines ; médiane des précédentes : "
        f"{words.number(usual, int(usual % 1 > 0))}. En rouge, la semaine de l’alerte.",
        f"By week, over {WEEKS} weeks; median of those before: "
        f"{words.number(usual, int(usual % 1 > 0))}. "
        "In red, the week of the alert.",
    )
    drawn = figures.spike(table, parts.look(), expected=alert.expected, bound=alert.bound)
    shown = table[["words", "n"]].rename(
        columns={"words": tr("Semaine", "Week"), "n": tr("Publications", "Posts")}
    )
    parts.chart(drawn, summary, shown, key=f"spike-{alert.n}")


def _near(alert: Alert, first: dt.date, last: dt.date) -> None:
    family = data.family_of(alert.brand)
    events = happenings.between(first - NEAR, last + NEAR, [family] if family else [])
    st.subheader(tr("Événements à moins de sept jours", "Events within seven days"), anchor=False)
    if not events:
        parts.note(tr("Aucun dans la chronologie.", "None in the timeline."))
    for event in events:
        said = f"{words.day(event.date)} · {event.title(words.language())}"
        parts.note(f"{said} ({event.source})")


def _top(alert: Alert, first: dt.date, last: dt.date) -> None:
    st.subheader(tr("Publications", "Posts"), anchor=False)
    found = data.posts(_asked(alert, first, last), size=TOP)
    if not found.rows:
        parts.note(tr("Elles ne sont plus dans la base.", "They are no longer in the database."))
        return
    for row in found.rows:
        reasons = posts.named(row.labels.spans) if row.labels else []
        with st.container(border=True):
            when = row.post.published_at
            if when is not None:
                st.caption(words.day(when.astimezone(data.PARIS).date()))
            st.html(f'<div class="row-text">{highlight.snippet(row.post.text, (), reasons)}</div>')
    total = words.number(found.total)
    if st.button(tr(f"Lire les {total} publications", f"Read the {total} posts"), key="read-all"):
        filters.go(
            "publications",
            marques=alert.brand,
            signaux=[alert.signal] if alert.signal else [],
            periode="dates",
            debut=first.isoformat(),
            fin=last.isoformat(),
            accusations="1",
        )


def _source_detail(alert: Alert) -> None:
    what, _ = _trouble(alert)
    st.header(parts.escape(title(alert)), anchor=False)
    if what == "silent":
        parts.lead(
            tr(
                f"Rien de nouveau depuis **{words.number(alert.observed)} jours** ; le plus "
                f"long silence habituel est de {words.number(alert.bound)} jours.",
                f"Nothing new for **{words.number(alert.observed)} days**; the longest usual "
                f"silence is {words.number(alert.bound)} days.",
            )
        )
    else:
        parts.lead(
            tr(
                f"**{words.number(alert.observed)} passages de suite** sans succès.",
                f"**{words.number(alert.observed)} runs in a row** without success.",
            )
        )
        if alert.note and alert.state == "nouvelle":
            st.code(alert.note, None, wrap_lines=True)
    parts.note(
        tr(
            "Une source muette fait baisser les courbes sans que rien ait changé au téléphone.",
            "A silent source lowers the curves though nothing has changed on the telephone.",
        )
    )
    quality = filters.page("qualite")
    if quality is not None:
        st.page_link(quality, label=tr("Voir la collecte", "See collection"))


# what becomes of it


def _decide(alert: Alert) -> None:
    st.subheader(tr("Suite donnée", "What became of it"), anchor=False)
    if not access.may(Role.ANNOTATOR):
        parts.note(_one(alert.state) + (f" · {alert.note}" if alert.note else ""))
        return
    key = f"state-{alert.n}"
    st.session_state.setdefault(key, alert.state)
    state = st.segmented_control(
        tr("État", "State"), STATES, format_func=_one, key=key, required=True
    )
    note = st.text_area(
        tr("Note", "Note"),
        value=_note(alert),
        key=f"note-{alert.n}",
        max_chars=500,
        height=80,
        help=tr(
            "Ce qui explique la hausse, pour qui relira.", "What explains the rise, for readers."
        ),
    )
    if st.button(tr("Enregistrer", "Save"), key=f"save-{alert.n}", type="primary"):
        actions.set_alert(alert.n, state=state, note=note)
        st.toast(tr("Alerte enregistrée.", "Alert saved."))
        st.session_state.pop(key, None)
        st.rerun()
    if alert.sent:
        parts.note(tr("Envoyée par : ", "Sent by: ") + words.listing(list(alert.sent)))


def _note(alert: Alert) -> str:
    """What a person wrote; a machine leaves its reason there, and is told in words above."""
    reason = of_source(alert) and alert.state == "nouvelle"
    return "" if reason or _MACHINE.fullmatch(alert.note) else alert.note


def _method(alert: Alert) -> str:
    """By which model the posts were expected, and how seldom chance alone brings as many."""
    found = _MACHINE.fullmatch(alert.note)
    if found is None:
        return ""
    model = {
        "quasi_poisson": tr(
            "régression de Poisson surdispersée", "overdispersed Poisson regression"
        ),
        "ears_c2": tr("moyenne de quatre semaines (EARS C2)", "mean of four weeks (EARS C2)"),
    }[found[1]]
    chance = max(float(found[2]), 1e-6)
    times = words.number(float(f"{1 / chance:.1g}"))
    return tr(
        f"Attendu par {model} ; le hasard seul en amène autant moins d’une fois sur {times}.",
        f"Expected by {model}; chance alone brings as many less than once in {times}.",
    )


def _rules() -> None:
    rules = data.settings().alerts
    with st.expander(tr("La règle, et où vont les alertes", "The rule, and where alerts go")):
        st.markdown(
            parts.escape(
                tr(
                    "L’attendu vient des deux années qui précèdent : régression de Poisson "
                    "surdispersée avec tendance, fin de semaine et couverture de la collecte, où "
                    "les hausses passées pèsent moins ; avec moins de huit semaines, moyenne de "
                    "quatre semaines (EARS C2). Une alerte dépasse la borne à 99,5 %, réunit au "
                    f"moins {rules.min_posts} publications de {rules.min_authors} auteurs, compte "
                    f"au plus {words.percent(rules.max_repost_share, 0)} de reprises, et résiste "
                    "au contrôle des fausses découvertes "
                    f"({words.percent(rules.false_discovery_rate, 0)}) sur tous les couples "
                    "marque × signal. Quand tout augmente à la fois, la hausse est celle de la "
                    "collecte et ne compte pas.",
                    "What is expected comes from the two years before: overdispersed Poisson "
                    "regression with trend, weekend and coverage, past rises weighing less; with "
                    "under eight weeks, a four-week mean (EARS C2). An alert exceeds the 99.5% "
                    f"bound, has at least {rules.min_posts} posts by {rules.min_authors} authors, "
                    f"at most {words.percent(rules.max_repost_share, 0)} copies, and stands after "
                    "control of false discoveries "
                    f"({words.percent(rules.false_discovery_rate, 0)}) over all pairs of brand "
                    "and signal. When everything rises at once, it is the collection that rose.",
                )
            )
        )
        ways = [tr(f"{len(rules.notify)} destinataires", f"{len(rules.notify)} addresses")]
        ways += [tr("un flux Atom", "an Atom feed")] if rules.feed else []
        parts.note(
            tr("Envoi : ", "Sent to: ")
            + words.listing(ways)
            + tr(". Réglages : [alerts] de config.toml.", ". Settings: [alerts] of config.toml.")
        )
