"""What a query may name: an unknown brand or topic is an error with near ones, no empty dataset."""

import difflib
from collections.abc import Iterable, Sequence

from collectors.table import sources
from raccroche import reference
from raccroche.config import Config
from raccroche.errors import ConfigError
from raccroche.store import Filters, Store

NEAR = 3  # names offered in place of an unknown one
FEW = 12  # so many known names are told where none is near


class UnknownValue(ConfigError):
    """A query names what neither the store nor the reference data know."""


def check_query(filters: Filters, store: Store, config: Config) -> None:
    """Raise UnknownValue, naming the value and near ones; what exists without posts is no error."""
    if filters.start and filters.end and filters.start > filters.end:
        raise UnknownValue(f"the first day, {filters.start}, is after the last, {filters.end}")
    if labellers := store.labellers():  # a round that found no post yet publishes an empty dataset
        _check("labeller", [filters.labeller], (one.name for one in labellers))
    if filters.brands or filters.families:
        brands = _brands(store, config)
        _check("brand", filters.brands, brands)
        _check("family", filters.families, brands.values())
    if filters.platforms or filters.sources:
        seen = store.sources_seen()
        _check("platform", filters.platforms, {*sources(), *(one.platform for one in seen)})
        _check("source", filters.sources, (one.source for one in seen))
    _check("topic", filters.topics, (one.id for one in reference.topics()))
    _check("signal", filters.signals, (one.id for one in reference.signals()))


def _brands(store: Store, config: Config) -> dict[str, str]:
    """The family of every brand that a post may name: seen, of the reference, of config.toml."""
    seen = (one for labeller in store.labellers() for one in store.brands_seen(labeller.name))
    return {
        **{one.brand: one.family or "" for one in seen},
        **{one.name: one.family for one in reference.brands()},
        **{one.name: one.family for one in config.brands},
    }


def _check(what: str, asked: Sequence[str], known: Iterable[str]) -> None:
    names = sorted({name for name in known if name})
    for value in asked:
        if value not in names:
            raise UnknownValue(f"unknown {what} {value!r}{near(value, names)}")


def near(value: str, names: Sequence[str]) -> str:
    """The names that *value* may have meant, as the end of a message; case counts for nothing."""
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(value.casefold(), folded, n=NEAR)
    if close:
        return f"; near: {', '.join(folded[one] for one in close)}"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= FEW else ""
