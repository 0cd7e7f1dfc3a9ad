"""How many customers a family had: the denominators of rates, each with its date and source."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from raccroche import reference

Base = Literal["mobile", "fixed", "lines"]
INHABITANTS = 68.6  # millions in France on 1 January 2025: Insee, bilan démographique 2024
COUNTED = dt.date(2025, 1, 1)
MAX_AGE = dt.timedelta(days=3 * 365)  # an older figure says little of the period


@dataclass(frozen=True, slots=True)
class Customers:
    """Millions of customers of one family at a date."""

    family: str
    millions: float
    date: dt.date
    perimeter: str
    source: str


def customers(family: str, on: dt.date, base: Base) -> Customers | None:
    """The published base nearest before *on* (else the nearest after); None where none is known."""
    found = [one for row in reference.subscribers() if (one := _base(row, base)) is not None]
    own = [one for one in found if one.family == family and abs(one.date - on) <= MAX_AGE]
    return min(own, key=lambda one: (one.date > on, abs(one.date - on)), default=None)


def population(name: str) -> Customers:
    """Everybody who may be called without being a customer: the same for every brand."""
    return Customers(name, INHABITANTS, COUNTED, "France", "Insee")


def _base(row: reference.Subscribers, base: Base) -> Customers | None:
    parts = {
        "mobile": (row.mobile_millions,),
        "fixed": (row.fixed_millions,),
        "lines": (row.mobile_millions, row.fixed_millions),
    }[base]
    if row.date is None or None in parts:
        return None
    total = sum(part for part in parts if part is not None)
    return Customers(row.family, total, row.date, row.perimeter, row.source)
