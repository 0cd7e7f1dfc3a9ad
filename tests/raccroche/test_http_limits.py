"""How long a server asks us to wait is understood in every spelling met."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raccroche.http.limits import Allowance, allowance, retry_after

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "30s"}, 30),
        ({"retry-after": "30, 60"}, 30),
        ({"retry-after": "Mon, 02 Mar 2026 12:00:45 GMT"}, 45),
        ({"retry-after": "Monday, 02-Mar-26 12:00:45 GMT"}, 45),
        ({"retry-after": "Mon Mar  2 12:00:45 2026"}, 45),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "2026-03-02T12:01:00Z"}, 60),
        ({"retry-after": str(EPOCH + 90)}, 90),
        ({"retry-after": str((EPOCH + 90) * 1000)}, 90),
        ({"x-retry-after": "9"}, 9),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_date_is_counted_from_the_clock_of_the_server() -> None:
    headers = {
        "date": "Mon, 02 Mar 2026 15:00:00 GMT",
        "retry-after": "Mon, 02 Mar 2026 15:00:10 GMT",
    }
    assert retry_after(headers, NOW) == 10


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # Mastodon: ISO 8601
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-03-02T12:05:00.000000Z"},
            Allowance(0, 300),
        ),
        # Bluesky: epoch, with a policy
        (
            {
                "ratelimit-limit": "3000",
                "ratelimit-remaining": "0",
                "ratelimit-reset": str(EPOCH + 200),
                "ratelimit-policy": "3000;w=300",
            },
            Allowance(0, 200),
        ),
        # X: epoch, a hyphen more
        (
            {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(EPOCH + 900)},
            Allowance(0, 900),
        ),
        # Reddit: seconds, fractions
        ({"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "42"}, Allowance(0, 42)),
        ({"x-ratelimit-remaining": "598.0", "x-ratelimit-reset": "42"}, Allowance(598, 42)),
        # Discord: wait
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "2.5"}, Allowance(0, 2.5)),
        # PeerTube, IETF drafts 0 to 2: seconds
        ({"ratelimit-remaining": "0", "ratelimit-reset": "10"}, Allowance(0, 10)),
        # a policy only: its window
        ({"ratelimit-remaining": "0", "ratelimit-policy": "10;w=60"}, Allowance(0, 60)),
        ({"ratelimit-remaining": "0", "ratelimit-limit": "10, 10;w=60"}, Allowance(0, 60)),
        # IETF drafts 3 to 7
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, Allowance(0, 50)),
        # IETF draft 8 on
        ({"ratelimit": '"default";r=0;t=30'}, Allowance(0, 30)),
        (
            {"ratelimit": '"burst";r=5;t=1, "day";r=0;t=70'},
            Allowance(0, 70),
        ),
        (
            {"ratelimit": '"default";r=0', "ratelimit-policy": '"default";q=100;w=60'},
            Allowance(0, 60),
        ),
        # several policies in one field
        ({"x-ratelimit-remaining": "12, 0", "x-ratelimit-reset": "5"}, Allowance(0, 5)),
        ({"x-ratelimit-remaining": "many"}, Allowance(None, None)),
        ({}, Allowance()),
    ],
)
def test_rate_limit_headers_are_read(headers: dict[str, str], expected: Allowance) -> None:
    assert allowance(headers, NOW) == expected


def test_nothing_is_waited_for_while_something_remains() -> None:
    assert Allowance(3, 60).wait == 0
    assert Allowance(None, 60).wait == 0
    assert Allowance(0, 60).wait == 60
    assert Allowance(0, None).wait == 0


NAMES = st.sampled_from(
    ["retry-after", "ratelimit", "ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset"]
    + ["ratelimit-policy", "date"]
)


@given(st.dictionaries(NAMES, st.text(max_size=80)))
def test_no_header_however_broken_makes_a_wait_negative_or_raises(headers: dict[str, str]) -> None:
    assert (retry_after(headers, NOW) or 0) >= 0
    assert allowance(headers, NOW).wait >= 0
