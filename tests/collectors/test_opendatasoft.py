"""Opendatasoft: volumes by month become a series, and nothing becomes a post."""

import json
from typing import Any

import pytest

from collectors import opendatasoft
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict

URL = "https://donnees.example/api/explore/v2.1/catalog/datasets/signalconso/records"


def _asked() -> Request:
    (asked,) = opendatasoft.requests(opendatasoft.Settings(), State())
    return asked


def _parse(data: Any, request: Request | None = None, status: int = 200) -> Page:
    return opendatasoft.parse(
        Answer(URL, json.dumps(data).encode(), status=status, request=request)
    )


def test_months_of_a_category_are_a_series_named_after_it() -> None:
    page = _parse({"results": [{"period": "2026-10", "n": 1350}]}, _asked())

    assert page.series == (("signalconso:TelephonieFaiMedias", "2026-10", 1350.0, "reports"),)
    assert page.posts == ()
    assert _asked().params["where"] == 'category="TelephonieFaiMedias"'


@pytest.mark.parametrize(
    "data",
    [
        {"results": [{"n": 7, "mois": "2026-10-01T00:00:00+00:00"}]},
        {"aggregations": [{"count": 7, "creationdate": "2026/10"}]},
        [{"x": {"year": 2026, "month": 10}, "series1": 7}],
        {
            "nhits": 7,
            "facet_groups": [
                {
                    "name": "creationdate",
                    "facets": [{"path": "2026", "count": 7}, {"path": "2026/10", "count": 7}],
                }
            ],
        },
        {
            "facets": [
                {"name": "creationdate", "facets": [{"name": "10", "value": "2026/10", "count": 7}]}
            ]
        },
    ],
    ids=["records", "aggregates", "analyze", "facets of version 1", "facets of version 2"],
)
def test_every_version_of_the_api_tells_the_same_month(data: Any) -> None:
    assert _parse(data).series == (("signalconso", "2026-10", 7.0, "reports"),)


def test_full_pages_lead_on() -> None:
    full = {"results": [{"period": f"{1950 + n}-01", "n": 1} for n in range(100)]}

    assert _parse(full, _asked()).next[0].params["offset"] == "100"


def test_single_records_are_neither_posts_nor_counts_and_said_to_be_so() -> None:
    page = _parse({"total_count": 2, "results": [{"category": "A", "creationdate": "2026-10-02"}]})

    assert (page.posts, page.series) == ((), ())
    assert "2 single records" in (page.note or "")


def test_a_refusal_is_told() -> None:
    error = {"error_code": "ODSQLError", "message": "Unknown field: period"}

    with pytest.raises(SourceError, match="Unknown field"):
        _parse(error, status=400)
    assert _parse(error, status=403).verdict == Verdict.LOGIN_WALL


def test_a_count_without_a_period_is_told() -> None:
    with pytest.raises(SourceError, match="period"):
        _parse({"results": [{"n": 7}]})


@pytest.mark.parametrize("settings", [{"portal": ""}, {"dataset": "a/b"}, {"categories": ['a"b']}])
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="portal|dataset|categories"):
        opendatasoft.Settings(**settings)
