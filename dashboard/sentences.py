"""What the numbers say, in words: sentences generated from figures, careful where they must be."""

import datetime as dt
from collections.abc import Sequence

from dashboard import intervals, words
from dashboard.intervals import Difference, Interval
from dashboard.words import tr
from raccroche.store import Totals

LEAP_YEAR = 366
NAMED = 5  # pairs named in a sentence


def overview(
    now: Totals, change: Interval | None, leader: str | None, start: dt.date, end: dt.date
) -> str:
    """
    The sentence above the first chart. *change*: ratio of this period's rate to the one before;
    *leader*: the one brand whose rate stands above all others, where there is one.
    """
    if not now.harassment:
        return tr(
            f"{_when(start, end)}, aucune des {words.number(now.posts)} publications lues ne "
            "rapporte de harcèlement téléphonique.",
            f"{_when(start, end)}, none of the {words.number(now.posts)} posts read reports phone "
            "harassment.",
        )
    said = words.plural(
        now.harassment,
        tr("publication rapporte", "post reports"),
        tr("publications rapportent", "posts report"),
    )
    first = tr(
        f"{_when(start, end)}, **{said} du démarchage ou du harcèlement téléphonique**, "
        f"sur {words.number(now.posts)} lues.",
        f"{_when(start, end)}, **{said} phone canvassing or harassment**, "
        f"of {words.number(now.posts)} read.",
    )
    return " ".join(part for part in (first, _change(change), _leader(leader)) if part)


def _when(start: dt.date, end: dt.date) -> str:
    """`En 90 jours`; beyond a year, the two dates."""
    days = (end - start).days + 1
    if days <= LEAP_YEAR:
        return tr(f"En {days} jours", f"In {days} days")
    first, last = (words.day(one, weekday=False) for one in (start, end))
    return tr(f"Du {first} au {last}", f"From {first} to {last}")


def _change(change: Interval | None) -> str:
    if change is None:
        return tr(
            "La période précédente ne permet pas de comparaison.",
            "The period before allows no comparison.",
        )
    digits = 1 if change.high - change.low < 0.05 else 0
    span = words.span((change.low - 1) * 100, (change.high - 1) * 100, digits)
    unit = f"{words.NARROW}%" if words.language() == "fr" else "%"
    moved = f"{words.signed((change.value - 1) * 100, digits)}{unit}"
    interval = tr(f"intervalle {span}{unit}", f"interval {span}{unit}")
    if change.low > 1:
        return tr(
            f"Leur part **augmente** par rapport à la période précédente ({moved} ; {interval}).",
            f"Their share **rises** against the period before ({moved}; {interval}).",
        )
    if change.high < 1:
        return tr(
            f"Leur part **recule** par rapport à la période précédente ({moved} ; {interval}).",
            f"Their share **falls** against the period before ({moved}; {interval}).",
        )
    return tr(
        f"L’écart avec la période précédente n’est **pas établi** ({moved} ; {interval}).",
        f"The difference from the period before is **not shown** ({moved}; {interval}).",
    )


def _leader(leader: str | None) -> str:
    if leader is None:
        return ""
    return tr(
        f"Une marque se détache nettement : **{leader}**.",
        f"One brand clearly stands out: **{leader}**.",
    )


def differences(found: Sequence[Difference], brands: int) -> str:
    """Which pairs really differ, after control of the false discovery rate."""
    real = sorted((one for one in found if one.differs), key=lambda one: one.p)
    if brands < 2:
        return tr("Il faut deux marques pour comparer.", "It takes two brands to compare.")
    if not real:
        return tr(
            "**Aucune différence n’est établie** entre ces marques : leurs intervalles se "
            "recouvrent trop (comparaisons deux à deux, taux de fausses découvertes tenu à 5 %).",
            "**No difference is shown** between these brands: their intervals overlap too much "
            "(all pairs, false discovery rate held at 5%).",
        )
    pairs = [
        tr(f"{_high(one)} au-dessus {words.of_brand(_low(one))}", f"{_high(one)} above {_low(one)}")
        for one in real[:NAMED]
    ]
    rest = len(real) - len(pairs)
    more = tr(f", et {rest} autres", f", and {rest} more") if rest > 0 else ""
    return tr(
        f"**{len(real)} écarts établis sur {len(found)}** : {', '.join(pairs)}{more}. "
        "Les autres paires ne se distinguent pas.",
        f"**{len(real)} of {len(found)} pairs differ**: {', '.join(pairs)}{more}. "
        "The others cannot be told apart.",
    )


def _high(one: Difference) -> str:
    return one.first if one.gap.value > 0 else one.second


def _low(one: Difference) -> str:
    return one.second if one.gap.value > 0 else one.first


def panel(brand: str, harassment: int, mentions: int, share: Interval | None) -> str:
    """One brand in the period: `131 sur 466 mentions · 28,1 % (24,2 à 32,4 %)`; few: no rate."""
    said = tr(
        f"{words.number(harassment)} sur {words.plural(mentions, 'mention', 'mentions')}",
        f"{words.number(harassment)} of {words.plural(mentions, 'mention', 'mentions')}",
    )
    if share is None or intervals.too_few(harassment, mentions):
        return said
    bounds = words.span(share.low, share.high, 1, share=True)
    return f"{said} · {words.percent(share.value)} ({bounds})"


def gaps(found: Sequence[tuple[object, object]]) -> str:
    if not found:
        return ""
    return tr(
        f"Ligne interrompue : rien n’a été collecté ({words.plural(len(found), 'trou', 'trous')}).",
        f"Broken line: nothing was collected ({words.plural(len(found), 'gap', 'gaps')}).",
    )
