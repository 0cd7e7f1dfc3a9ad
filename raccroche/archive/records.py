"""Turns an answer and its request into WARC records, without secrets."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from raccroche.post import Answer, Request
from raccroche.redact import HIDDEN, headers_without_secrets, is_secret_name, url_without_secrets

METADATA = "WARC-JSON-Metadata"
_HOP = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection"})


def response_record(writer: WARCWriter, answer: Answer, source: str) -> Any:
    request = answer.request or Request(answer.url)
    about: dict[str, Any] = {
        "source": source,
        "phase": request.phase,
        "method": request.method,
        "context": dict(request.context),
    }
    warc_headers = {"WARC-Date": _warc_date(answer.fetched_at)}
    headers = headers_without_secrets(answer.headers)
    url = url_without_secrets(answer.url)
    if urlsplit(url).scheme not in ("http", "https"):
        about["headers"] = headers
        warc_headers[METADATA] = json.dumps(about)
        kind = answer.content_type or "application/octet-stream"
        return writer.create_warc_record(
            url,
            "resource",
            payload=io.BytesIO(answer.body),
            length=len(answer.body),
            warc_content_type=kind,
            warc_headers_dict=warc_headers,
        )
    warc_headers[METADATA] = json.dumps(about)
    lines = [(f"x-archive-orig-{n}" if n in _HOP else n, v) for n, v in headers.items()]
    lines.append(("content-length", str(len(answer.body))))
    return writer.create_warc_record(
        url,
        "response",
        payload=io.BytesIO(answer.body),
        length=len(answer.body),
        http_headers=StatusAndHeaders(_status_line(answer.status), lines, protocol="HTTP/1.1"),
        warc_headers_dict=warc_headers,
    )


def request_record(writer: WARCWriter, answer: Answer, sent: Mapping[str, str]) -> Any:
    request = answer.request or Request(answer.url)
    url = url_without_secrets(answer.url)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"host": parts.netloc, **headers_without_secrets(sent)}
    form = _form(request)
    return writer.create_warc_record(
        url,
        "request",
        payload=io.BytesIO(form),
        length=len(form),
        http_headers=StatusAndHeaders(
            f"{request.method.upper()} {path} HTTP/1.1", list(headers.items()), is_http_request=True
        ),
        warc_headers_dict={"WARC-Date": _warc_date(answer.fetched_at)},
    )


def _form(request: Request) -> bytes:
    """What the request carried, secret fields replaced."""
    if request.json is not None:
        return json.dumps(_without_secrets(request.json)).encode()
    if request.form is not None:
        return urlencode(_without_secrets(request.form)).encode()
    return b""


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if is_secret_name(name) else value for name, value in fields.items()}


def _status_line(status: int) -> str:
    known = {int(s): s.phrase for s in HTTPStatus}
    return f"{status} {known.get(status, 'Unknown')}"


def _warc_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
