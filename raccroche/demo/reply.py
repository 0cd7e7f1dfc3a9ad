"""What a fictional site answers, and how text becomes markup."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET: *path* without its query, header names in lower case."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, target: str, headers: Mapping[str, str]) -> "Ask":
        parts = urlsplit(target)
        return cls(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers)

    def whole(self, name: str, default: int) -> int:
        """The query's *name* as a number above zero."""
        value = self.query.get(name, "")
        return max(1, int(value)) if value.isdigit() else default


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Application(Protocol):
    """One fictional site, once it knows its own address."""

    def answer(self, ask: Ask) -> Reply: ...


def html(text: str, status: int = 200, **headers: str) -> Reply:
    return Reply(status, "text/html; charset=UTF-8", text.encode(), headers)


def xml(text: str) -> Reply:
    return Reply(200, "application/rss+xml; charset=UTF-8", text.encode())


def as_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(data, ensure_ascii=False).encode()
    return Reply(status, "application/json; charset=UTF-8", body, headers or {})


NOT_FOUND = html("<!DOCTYPE html><title>404</title><h1>Page introuvable</h1>", 404)


def paragraphs(text: str) -> str:
    """Plain text as WordPress marks it up: `<p>`, `<br />`, entities."""
    blocks = (escape(block.strip(), quote=False) for block in text.split("\n\n"))
    return "\n".join(f"<p>{block.replace(chr(10), '<br />')}</p>" for block in blocks if block)
