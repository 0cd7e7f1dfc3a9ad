"""Secrets are replaced before a URL or a header is shown or kept."""

import pytest

from raccroche.redact import (
    headers_without_secrets,
    is_secret_name,
    shown,
    url_without_secrets,
)


@pytest.mark.parametrize(
    "name",
    [
        *("key", "api_key", "apiKey", "apikey", "api-key", "X-Api-Key", "private_key"),
        *("token", "access_token", "accessToken", "refreshToken", "client_secret", "jwt", "code"),
        *("password", "passwd", "pwd", "sig", "signature", "auth", "authorization"),
        *("session", "sid", "sessionId"),
    ],
)
def test_a_field_that_holds_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("page", "q", "cursor", "since_id", "author", "feed", "user", "before", "signal"),
        *("pageToken", "page_token", "next_token", "pagination_token", "nextPageToken"),
        *("monkey", "keyword", "tokens_per_page", "postcode"),
    ],
)
def test_an_ordinary_field_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)


def test_a_url_is_shown_without_its_secrets() -> None:
    url = "https://me:pw@api.example/v3?part=snippet&key=AbC&q=sfr+ou+orange&pageToken=CAUQAA#x"
    assert shown(url) == (
        "https://api.example/v3?part=snippet&key=REDACTED&q=sfr+ou+orange&pageToken=CAUQAA"
    )


def test_a_url_without_secrets_is_kept_byte_for_byte() -> None:
    url = "https://forum.example/t.php?a=1&b&c=%C3%A9+d;e=f"
    assert url_without_secrets(url) == url


def test_a_long_hexadecimal_value_is_not_shown_under_any_name() -> None:
    assert (
        shown(f"https://r.example/.rss?feed={'0af1' * 10}")
        == "https://r.example/.rss?feed=REDACTED"
    )


def test_what_is_no_url_is_not_shown() -> None:
    assert shown("http://[bad?key=x") == "(not a URL)"


def test_headers_with_secrets_are_left_out() -> None:
    headers = {
        "Authorization": "Bearer x",
        "Cookie": "a",
        "set-cookie": "a",
        "X-API-Key": "k",
        "x-nntp-user": "u",
        "x-nntp-password": "p",
        "accept": "*/*",
        "etag": '"1"',
    }
    assert headers_without_secrets(headers) == {"accept": "*/*", "etag": '"1"'}
