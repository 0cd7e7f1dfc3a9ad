"""Every choice of the reader: in the URL, kept from page to page, and checked."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NoReturn, cast

import streamlit as st

from dashboard import data, words
from dashboard.data import Known
from dashboard.selection import Selection, Step
from dashboard.words import tr
from raccroche import reference
from raccroche.store import UNKNOWN_BRAND

State = dict[str, tuple[str, ...]]

GLOBAL = (
    "lang",
    "periode",
    "debut",
    "fin",
    "pas",
    "lissage",
    "marques",
    "plateformes",
    "sources",
    "sujets",
    "signaux",
    "relations",
    "temoignages",
    "modele",
)
PERIODS = {"30j": 30, "90j": 90, "12m": 365, "24m": 731, "tout": None, "dates": None}
DEFAULT_PERIOD = "12m"
STEPS = ("auto", "day", "week", "month")
MEANS = ("auto", "oui", "non")
RELATIONS = ("customer", "former_customer", "prospect", "relative", "professional", "unknown")


# the state and its URL


def _state() -> State:
    return cast(State, st.session_state.setdefault("state", {}))


def get(key: str) -> tuple[str, ...]:
    return _state().get(key, ())


def put(key: str, *values: str) -> None:
    """Set a value from outside its widget, which will show it."""
    _state()[key] = values
    st.session_state.pop(_widget(key), None)


def _widget(key: str) -> str:
    return f"w_{key}"


def read_url() -> None:
    """Take over the URL when it is not the one we wrote: a shared link, or the back button."""
    st.session_state["touched"] = []
    st.session_state["notes"] = []
    found = {key: tuple(st.query_params.get_all(key)) for key in st.query_params}
    if not found or found == st.session_state.get("written"):
        return
    for key in [*_state()]:
        if key in GLOBAL or key in found:
            put(key)
    for key, values in found.items():
        put(key, *values)


def write_url() -> None:
    """The state of the page as query parameters; what is not chosen is not written."""
    keys = dict.fromkeys([*GLOBAL, *st.session_state["touched"]])
    wanted = {key: values for key in keys if (values := get(key))}
    st.session_state["written"] = wanted
    if wanted != {key: tuple(st.query_params.get_all(key)) for key in st.query_params}:
        st.query_params.from_dict({key: list(values) for key, values in wanted.items()})


def reject(key: str, values: Iterable[str]) -> None:
    """Remember that the URL asked for something unknown; the page says so on top."""
    st.session_state["notes"].extend((key, value) for value in values)


def show_notes(box: Any) -> None:
    for key, value in dict.fromkeys(st.session_state["notes"]):
        box.warning(
            tr(
                f"Filtre ignoré : {key} = « {_short(value)} » est inconnu ici.",
                f"Filter ignored: {key} = “{_short(value)}” is unknown here.",
            ),
        )


def _short(value: str) -> str:
    """A value of the URL as it may be shown: no Markdown, no flood."""
    return "".join(one if one.isalnum() or one in " +-_.&@/" else "·" for one in value[:60])


# widgets bound to the state


def choose(
    key: str,
    label: str,
    options: Sequence[str],
    *,
    default: str | None = None,
    show: Callable[[str], str] = str,
    widget: Literal["segmented", "select"] = "segmented",
    help: str | None = None,
    hidden_label: bool = False,
    width: int | Literal["stretch"] = "stretch",
) -> str:
    """One of *options* (not empty), kept under *key* in the URL; *width*: of a list to open."""
    st.session_state["touched"].append(key)
    default = default if default is not None and default in options else options[0]
    _seed(key, next(iter(_allowed(key, options)), default), options, default)
    visibility: Any = "collapsed" if hidden_label else "visible"
    chosen: str | None
    if widget == "select":
        chosen = st.selectbox(
            label,
            options,
            format_func=show,
            key=_widget(key),
            help=help,
            label_visibility=visibility,
            width=width,
        )
    else:
        chosen = st.segmented_control(
            label,
            options,
            format_func=show,
            key=_widget(key),
            help=help,
            label_visibility=visibility,
            required=True,
            wrap=True,
        )
    value = chosen or default
    _state()[key] = () if value == default else (value,)
    return value


def choose_many(
    key: str, label: str, options: Sequence[str], *, show: Callable[[str], str] = str, **more: Any
) -> tuple[str, ...]:
    """Any number of *options*, kept under *key* in the URL; none means all."""
    st.session_state["touched"].append(key)
    widget = _widget(key)
    held = _hold(key, _allowed(key, options))
    st.session_state[widget] = [one for one in held if one in options]
    placeholder = tr("Toutes", "All")
    chosen = st.multiselect(
        label, options, format_func=show, key=widget, placeholder=placeholder, **more
    )
    _state()[key] = tuple(chosen)
    return tuple(chosen)


def switch(key: str, label: str, *, help: str | None = None) -> bool:
    """A yes or no, kept under *key* in the URL as `1`."""
    st.session_state["touched"].append(key)
    _hold(key, get(key) == ("1",))
    chosen = st.toggle(label, key=_widget(key), help=help)
    _state()[key] = ("1",) if chosen else ()
    return bool(chosen)


def text(key: str, label: str, *, placeholder: str = "", **more: Any) -> str:
    """A line of text, kept under *key* in the URL."""
    st.session_state["touched"].append(key)
    _hold(key, next(iter(get(key)), ""))
    chosen = st.text_input(label, key=_widget(key), placeholder=placeholder, **more) or ""
    _state()[key] = (chosen,) if chosen.strip() else ()
    return chosen.strip()


def pick_day(key: str, label: str, default: dt.date, **more: Any) -> dt.date:
    """A day, kept under *key* in the URL as YYYY-MM-DD."""
    st.session_state["touched"].append(key)
    now = _hold(key, _day(key) or default)
    low, high = more.get("min_value"), more.get("max_value")
    if (low and now < low) or (high and now > high):
        st.session_state[_widget(key)] = min(max(now, low or now), high or now)
    chosen = cast(dt.date, st.date_input(label, key=_widget(key), format="DD/MM/YYYY", **more))
    _state()[key] = () if chosen == default else (chosen.isoformat(),)
    return chosen


def remember(key: str, value: str) -> None:
    """Keep a value that has no widget of ours (a row of a table) under *key* in the URL."""
    st.session_state["touched"].append(key)
    _state()[key] = (value,) if value else ()


def _hold(key: str, value: Any) -> Any:
    """
    Set the widget of *key* to what it held, else to *value*.

    Set, not left alone: on another page the same widget is a new one, and would start anew.
    """
    held = st.session_state.get(_widget(key), value)
    st.session_state[_widget(key)] = held
    return held


def _seed(key: str, value: str, options: Sequence[str], default: str) -> None:
    if _hold(key, value) not in options:
        st.session_state[_widget(key)] = default


def _allowed(key: str, options: Sequence[str]) -> list[str]:
    """The values of the state that are options; the others are told."""
    values = get(key)
    reject(key, [value for value in values if value not in options])
    return [value for value in dict.fromkeys(values) if value in options]


def _day(key: str) -> dt.date | None:
    for value in get(key):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            reject(key, [value])
    return None


# language and pages


def language() -> words.Language:
    """The language of the run: the switch where it was touched, else the URL, else French."""
    chosen = st.session_state.get(_widget("lang")) or next(iter(get("lang")), "fr")
    return "en" if chosen == "en" else "fr"


def language_switch() -> None:
    choose(
        "lang",
        tr("Langue", "Language"),
        ("fr", "en"),
        show={"fr": "Français", "en": "English"}.__getitem__,
        hidden_label=True,
    )


def remember_pages(pages: Mapping[str, st.Page]) -> None:
    st.session_state["pages"] = dict(pages)


def page(path: str) -> st.Page | None:
    """The page with that URL path, for `st.page_link`; None where it is not installed."""
    return cast("st.Page | None", st.session_state["pages"].get(path))


def go(path: str, **state: str | Sequence[str]) -> NoReturn:
    """Open another page with these choices made: `go("publications", marques=[brand])`."""
    for key, value in state.items():
        put(key, *([value] if isinstance(value, str) else value))
    write_url()
    st.switch_page(st.session_state["pages"][path])


# the filter bar


def bar(known: Known) -> None:
    """The filters on top of a page; each button says what it holds."""
    _sync()
    with st.container(key="filters", horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover(_period_label(known), key="p_period"):
            _choose_period(known)
        with st.popover(_button(tr("Marques", "Brands"), "marques"), key="p_brands"):
            choose_many(
                "marques",
                tr("Marques", "Brands"),
                (*known.brands, UNKNOWN_BRAND),
                show=brand_label,
            )
        with st.popover(
            _button(tr("Sources", "Sources"), "plateformes", "sources"), key="p_sources"
        ):
            choose_many("plateformes", tr("Plateformes", "Platforms"), known.platforms)
            choose_many("sources", tr("Sites", "Sites"), known.sources)
        with st.popover(
            _button(tr("Contenu", "Content"), "sujets", "signaux", "relations", "temoignages"),
            key="p_content",
        ):
            _choose_content()
        if len(known.labellers) > 1:
            with st.popover(_button(tr("Étiqueteur", "Labeller"), "modele"), key="p_labeller"):
                choose(
                    "modele",
                    tr("Qui a étiqueté", "Who labelled"),
                    known.labellers,
                    widget="select",
                    help=tr(
                        "Un modèle et sa version, ou une personne ; jamais mélangés.",
                        "A model with its version, or a person; never mixed.",
                    ),
                )
        else:
            _allowed("modele", known.labellers)  # says so when the URL names one that is gone
        if any(get(key) for key in GLOBAL if key != "lang"):
            st.button(tr("Tout effacer", "Clear all"), type="tertiary", on_click=_clear)


def brand_label(brand: str) -> str:
    if brand == UNKNOWN_BRAND:
        return tr("Marque inconnue", "Unknown brand")
    return data.display(brand)


def relation_label(relation: str) -> str:
    names = {
        "customer": tr("Client", "Customer"),
        "former_customer": tr("Ancien client", "Former customer"),
        "prospect": tr("Jamais client", "Never a customer"),
        "relative": tr("Proche", "Relative"),
        "professional": tr("Professionnel", "Professional"),
        "unknown": tr("Non précisé", "Not stated"),
    }
    return names.get(relation, relation)


def _choose_content() -> None:
    topics, signals = reference.topics(), reference.signals()
    term = {one.id: one.title(words.language()) for one in (*topics, *signals)}
    choose_many("sujets", tr("Sujets", "Topics"), [t.id for t in topics], show=term.__getitem__)
    choose_many(
        "signaux",
        tr("Signaux", "Signals"),
        [s.id for s in signals],
        show=term.__getitem__,
    )
    choose_many(
        "relations",
        tr("Relation à la marque", "Relation to the brand"),
        RELATIONS,
        show=relation_label,
    )
    switch(
        "temoignages",
        tr("Témoignages directs seulement", "First-hand testimony only"),
        help=tr(
            "L’auteur raconte ce qu’il a vécu, ou un proche ; ni article, ni compte de marque.",
            "The author tells an own or a relative’s experience; no article, no brand account.",
        ),
    )


def period_name(period: str) -> str:
    return {
        "30j": tr("30 jours", "30 days"),
        "90j": tr("90 jours", "90 days"),
        "12m": tr("12 mois", "12 months"),
        "24m": tr("2 ans", "2 years"),
        "tout": tr("Tout", "All"),
        "dates": tr("Dates…", "Dates…"),
    }[period]


def step_name(step: str) -> str:
    return {
        "auto": tr("Automatique", "Automatic"),
        "day": tr("Jour", "Day"),
        "week": tr("Semaine", "Week"),
        "month": tr("Mois", "Month"),
    }[step]


def mean_name(mean: str) -> str:
    return {
        "auto": tr("Automatique", "Automatic"),
        "oui": tr("Oui", "Yes"),
        "non": tr("Non", "No"),
    }[mean]


def _choose_period(known: Known) -> None:
    chosen = choose(
        "periode", tr("Période", "Period"), tuple(PERIODS), default=DEFAULT_PERIOD, show=period_name
    )
    choose("pas", tr("Un point par", "One point a"), STEPS, show=step_name)
    choose(
        "lissage",
        tr("Moyenne mobile", "Moving average"),
        MEANS,
        show=mean_name,
        help=tr(
            "Sur cinq points ; d’office quand chacun compte moins de deux accusations.",
            "Of five points; by itself where each holds fewer than two accusations.",
        ),
    )
    if chosen != "dates" or known.last_day is None or known.first_day is None:
        put("debut")
        put("fin")
        return
    first = dt.date(min(known.first_day.year, 2011), 1, 1)
    bounds = {"min_value": first, "max_value": max(known.last_day, data.today())}
    pick_day(
        "debut",
        tr("Du", "From"),
        max(known.first_day, known.last_day - dt.timedelta(364)),
        **bounds,
    )
    pick_day("fin", tr("Au", "To"), known.last_day, **bounds)


def _period_label(known: Known) -> str:
    start, end = _period(known)
    chosen = next(iter(get("periode")), DEFAULT_PERIOD)
    if chosen in ("30j", "90j", "12m", "24m"):
        return tr("Derniers ", "Last ") + period_name(chosen)
    return f"{words.short_day(start)} – {words.short_day(end)}"


def _button(name: str, *keys: str) -> str:
    """A button's text: the name, and how many values it holds or which one."""
    values = [value for key in keys for value in get(key)]
    if not values:
        return name
    return f"{name} · {len(values)}"


def _sync() -> None:
    """Bring the state up to the widgets just touched, which are drawn after their buttons."""
    for key in ("marques", "plateformes", "sources", "sujets", "signaux", "relations"):
        chosen = st.session_state.get(_widget(key))
        if chosen is not None:
            _state()[key] = tuple(chosen)
    period = st.session_state.get(_widget("periode"))
    if period is not None:
        _state()["periode"] = () if period == DEFAULT_PERIOD else (period,)
    for key in ("debut", "fin"):
        day = st.session_state.get(_widget(key))
        if day is not None:
            _state()[key] = (day.isoformat(),)
    if _widget("temoignages") in st.session_state:
        _state()["temoignages"] = ("1",) if st.session_state[_widget("temoignages")] else ()


def _clear() -> None:
    for key in GLOBAL:
        if key != "lang":
            put(key)


def _period(known: Known) -> tuple[dt.date, dt.date]:
    last = known.last_day or data.today()
    first = known.first_day or last
    chosen = next(iter(get("periode")), DEFAULT_PERIOD)
    if chosen == "dates":
        start, end = _day("debut"), _day("fin")
        start = start or max(first, last - dt.timedelta(364))
        end = end or last
        return min(start, end), max(start, end)
    days = PERIODS.get(chosen, PERIODS[DEFAULT_PERIOD])
    if days is None:
        return first, last
    return last - dt.timedelta(days - 1), last


def selection() -> Selection:
    """What is chosen now; to be called after `bar`."""
    known = data.known()
    start, end = _period(known)
    labeller = next((one for one in get("modele") if one in known.labellers), known.labellers[0])
    chosen = Selection(
        labeller=labeller,
        start=start,
        end=end,
        brands=get("marques"),
        platforms=get("plateformes"),
        sources=get("sources"),
        topics=get("sujets"),
        signals=get("signaux"),
        relations=get("relations"),
        testimony_only=get("temoignages") == ("1",),
    )
    asked = next((one for one in get("pas") if one in STEPS[1:]), None)
    return replace(chosen, asked_step=cast("Step | None", asked))


def shown_brands(chosen: Selection, many: int = 8) -> tuple[str, ...]:
    """The brands that a page with a panel a brand shows: those chosen, else the watched ones."""
    return chosen.brands or data.watched()[:many]
