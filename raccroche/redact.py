"""
What may be shown of a URL or a header: secrets are replaced before they reach a log or an archive.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HIDDEN = "REDACTED"

_SECRET = re.compile(
    r"(?:^|_)(?:api|app|client|consumer|access|auth|private|session)?_?"
    r"(?:key|keys|token|tokens|secret|password|passwd|pwd|pass|signature|sig|auth|authorization|"
    r"credential|credentials|jwt|bearer|sid|session|sessionid|session_id|code)$"
)
_PAGING = re.compile(r"(?:^|_)(?:page|next|previous|pagination|continuation|sync)_?token$")
_LONG_HEX = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
_SECRET_HEADERS = re.compile(
    r"^(?:proxy-)?authorization$|^(?:set-)?cookie2?$|key|token|secret|password|session|x-nntp-user",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """
    Whether a query or form field of this name holds a secret (`apiKey`, `access_token`; not
    `pageToken`).
    """
    snake = _CAMEL.sub("_", name).lower().replace("-", "_").replace("[", "_").strip("_]")
    return bool(_SECRET.search(snake)) and not _PAGING.search(snake)


def is_secret_header(name: str) -> bool:
    return bool(_SECRET_HEADERS.search(name))


def url_without_secrets(url: str) -> str:
    """
    *url* without user info, and with the values of secret-looking query fields replaced. Else
    unchanged.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    fields = parse_qsl(query, keep_blank_values=True)
    if any(value and is_secret_name(name) for name, value in fields):
        query = urlencode(
            [(name, HIDDEN if value and is_secret_name(name) else value) for name, value in fields]
        )
    return urlunsplit(parts._replace(netloc=host, query=query))


def shown(url: str) -> str:
    """
    *url* for people: no secrets, no long hexadecimal value under any name, no fragment, 300
    characters at most.
    """
    clean = urlsplit(url_without_secrets(url))
    query = _LONG_HEX.sub(HIDDEN, clean.query)
    text = urlunsplit(clean._replace(query=query, fragment=""))
    return text if len(text) <= 300 else text[:297] + "..."


def headers_without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not is_secret_header(name)}
