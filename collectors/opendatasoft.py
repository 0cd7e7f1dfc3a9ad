"""
Official volumes of an Opendatasoft portal (SignalConso: reports a month and sector), as a series.

API: https://help.opendatasoft.com/apis/ods-explore-v2/ . The open data has neither text nor brand:
it is a baseline of a sector, never posts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.fields import optional, rows
from collectors.html import one_line
from collectors.settings import several, web_address, words
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

PLATFORM = "opendatasoft"
TITLE = "Opendatasoft (SignalConso volumes)"
NEEDS = ""
LEGAL = (
    "Open data of the state, under the licence that the portal names; published 3 to 7 days late."
)

_LIMIT = 100
_UNIT = "reports"


@dataclass(frozen=True, slots=True)
class Settings:
    """
    *categories*: of the dataset, one series each (none: all together). *date*, *category*: names
    of its fields.
    """

    portal: str = "https://data.economie.gouv.fr"
    dataset: str = "signalconso"
    categories: tuple[str, ...] = ("TelephonieFaiMedias",)
    date: str = "creationdate"
    category: str = "category"

    def __post_init__(self) -> None:
        object.__setattr__(self, "portal", web_address(self.portal, "portal"))
        object.__setattr__(self, "categories", several(self.categories, "categories", least=0))
        for name in ("dataset", "date", "category"):
            if not re.fullmatch(r"[\w-]+", words(getattr(self, name), name)):
                raise ValueError(f"{name}: {getattr(self, name)!r} is no name in a portal")
        for one in self.categories:
            if '"' in one or "\\" in one:
                raise ValueError(f"categories: {one!r} holds a quotation mark")


def requests(settings: Settings, state: State) -> Iterator[Request]:
    """Counts a month, all of them: the portal corrects the past."""
    url = f"{settings.portal}/api/explore/v2.1/catalog/datasets/{settings.dataset}/records"
    params = {
        "select": "count(*) as n",
        "group_by": f'date_format({settings.date}, "yyyy-MM") as period',
        "order_by": "period",
        "limit": str(_LIMIT),
        "offset": "0",
    }
    for one in settings.categories or ("",):
        where = {"where": f'{settings.category}="{one}"'} if one else {}
        name = f"{settings.dataset}:{one}" if one else settings.dataset
        context = {"series": name, "accept_status": "400,401,403"}
        yield Request(url, params={**params, **where}, context=context)


def parse(answer: Answer) -> Page:
    """The counts of one answer, whichever version of the API gave them. No posts, ever."""
    data = answer.json()
    if isinstance(data, Mapping) and ("error_code" in data or "errorcode" in data):
        return _refusal(answer, data)
    name = answer.context.get("series") or _dataset(data, answer)
    values = tuple(_values(data, name, answer))
    return Page(series=values, next=_next(answer, data), note=None if values else _why(data))


def recognises(answer: Answer) -> int:
    start = answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.search(r"/api/(?:explore/v2|records/1\.0|v2/catalog)", answer.url):
        return 92
    if not start.startswith(b"{"):
        return 0
    body = answer.body
    if b'"nhits"' in body and b'"parameters"' in body:
        return 90
    if b'"total_count"' in body and re.search(rb'"(?:results|records)"\s*:\s*\[', body):
        return 85
    if b'"signalement_transmis"' in body:
        return 85
    return (
        70 if re.match(rb'\{\s*"(?:results|aggregations)"\s*:\s*\[\s*\{\s*"period"', start) else 0
    )


def _refusal(answer: Answer, data: Mapping[str, Any]) -> Page:
    said = one_line(str(data.get("message") or data.get("error") or data.get("error_code")))[:200]
    if answer.status in (401, 403):
        return Page(verdict=Verdict.LOGIN_WALL, note=f"the dataset is not public: {said}")
    if answer.status == 429:
        return Page(verdict=Verdict.RATE_LIMITED, note=f"the portal says: {said}")
    raise SourceError(f"opendatasoft: the portal answered {said}", url=answer.url)


# Shapes ----------------------------------------------------------------------------------------

Value = tuple[str, str, float, str]


def _values(data: Any, name: str, answer: Answer) -> Iterator[Value]:
    if isinstance(data, list):  # version 1, /analyze
        yield from _counted(data, name, answer)
        return
    if not isinstance(data, Mapping):
        raise SourceError("opendatasoft: expected an object", url=answer.url)
    groups = data.get("facet_groups", data.get("facets"))
    if groups is not None:
        yield from _facets(rows(groups, answer.url, "facets"), name)
        return
    for key in ("results", "aggregations", "records"):
        if key in data:
            yield from _counted(rows(data[key], answer.url, key), name, answer)
            return
    raise SourceError("field results (or records, facets) is missing", url=answer.url)


def _counted(listed: list[Any], name: str, answer: Answer) -> Iterator[Value]:
    """Rows with a period and a count; single records have no count and give nothing."""
    for row in listed:
        if not isinstance(row, Mapping):
            raise SourceError("opendatasoft: a row is no object", url=answer.url)
        count = next((_number(row[key]) for key in _COUNTS if key in row), None)
        if count is None:
            continue
        found = [(key, period) for key, value in row.items() if (period := _period(value))]
        if not found:
            raise SourceError("field period is missing or no date", url=answer.url)
        key, period = found[0]
        others = [
            one_line(value)
            for field, value in sorted(row.items())
            if isinstance(value, str) and field != key and value
        ]
        yield (":".join([name, *others]), period, count, _UNIT)


_COUNTS = ("n", "count", "count(*)", "nb", "total", "series1", "series1-1")


def _number(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if usable and abs(value) < 1e15 else None


_PERIOD = re.compile(r"((?:19|20)\d\d)(?:[-/](0[1-9]|1[0-2])(?:[-/](\d\d))?)?(?:[T ][\d:.+Z-]*)?")


def _period(value: Any) -> str | None:
    """`2026`, `2026-11` or `2026-11-24`; a month told as its first midnight is that month."""
    if isinstance(value, Mapping):
        parts = [value.get(part) for part in ("year", "month", "day")]
        known = [part for part in parts if isinstance(part, int) and not isinstance(part, bool)]
        value = "-".join(f"{part:02d}" for part in known)
    if not isinstance(value, str) or len(value) > 40:
        return None
    found = _PERIOD.fullmatch(value)
    if not found:
        return None
    year, month, day = found.groups()
    if day == "01" and "T00:00:00" in value:
        day = None
    return "-".join(part for part in (year, month, day) if part)


def _facets(groups: list[Any], name: str) -> Iterator[Value]:
    """Counts beside a list of records, by date, of the finest kind; others have no period."""
    for group in groups:
        dated: list[tuple[str, int]] = []
        for facet in optional(group, "facets", list) or []:
            path = optional(facet, "path", str) or optional(facet, "value", str)
            period = _period(path or optional(facet, "name", str))
            count = optional(facet, "count", int)
            if period and count is not None:
                dated.append((period, count))
        finest = max((len(period) for period, _ in dated), default=0)
        yield from (
            (name, period, float(count), _UNIT) for period, count in dated if len(period) == finest
        )


def _dataset(data: Any, answer: Answer) -> str:
    found = re.search(r"/datasets/([\w-]+)/|[?&]dataset=([\w-]+)", answer.url)
    if found:
        return found.group(1) or found.group(2)
    named = optional(data, "parameters.dataset", str)
    listed = optional(data, "parameters.dataset", list) or []
    return named or next((str(one) for one in listed if isinstance(one, str)), "opendatasoft")


def _why(data: Any) -> str | None:
    total = optional(data, "total_count", int) or optional(data, "nhits", int)
    return f"{total} single records, which are no posts, and no counts by period" if total else None


# Paging ----------------------------------------------------------------------------------------


def _next(answer: Answer, data: Any) -> tuple[Request, ...]:
    asked = answer.request
    got = len(optional(data, "results", list) or [])
    if asked is None or "offset" not in asked.params or got < int(asked.params["limit"]):
        return ()
    offset = str(int(asked.params["offset"]) + got)
    return (replace(asked, params={**asked.params, "offset": offset}),)
