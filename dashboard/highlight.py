"""Text of strangers as safe HTML: everything escaped, then what matters marked."""

import html
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
Reason = tuple[int, int, str]
SNIPPET = 230  # characters of a post in a list


def to_html(text: str, found: Sequence[Span] = (), reasons: Sequence[Reason] = ()) -> str:
    """
    *text* escaped whole, in `<span class="post">`, with two kinds of marks.

    *found* are searched words, *reasons* the spans that made a label, with their name. Spans may
    overlap, stand in any order or reach outside the text.
    """
    parts = []
    for start, end in _pieces(len(text), found, reasons):
        piece = html.escape(text[start:end])
        why = sorted({reason for s, e, reason in reasons if s <= start and end <= e})
        searched = any(s <= start and end <= e for s, e in found)
        parts.append(_marked(piece, why, searched=searched))
    return f'<span class="post">{"".join(parts)}</span>'


def _pieces(length: int, found: Iterable[Span], reasons: Iterable[Reason]) -> list[Span]:
    """The text cut wherever a mark begins or ends."""
    cuts = {0, length}
    for start, end in [*found, *((start, end) for start, end, _ in reasons)]:
        if start < end:
            cuts |= {min(max(start, 0), length), min(max(end, 0), length)}
    ordered = sorted(cuts)
    return list(zip(ordered, ordered[1:], strict=False))


def _marked(piece: str, why: Sequence[str], *, searched: bool) -> str:
    if why:
        title = html.escape(", ".join(why), quote=True)
        piece = f'<mark class="why" title="{title}">{piece}</mark>'
    return f'<mark class="found">{piece}</mark>' if searched else piece


def snippet(text: str, found: Sequence[Span] = (), reasons: Sequence[Reason] = ()) -> str:
    """The part of a post that a list shows: around its first mark, on one line, as safe HTML."""
    first = min([*(s for s, _ in found), *(s for s, _, _ in reasons)], default=0)
    start = 0 if first < SNIPPET - 60 else text.rfind(" ", 0, max(first - 60, 0)) + 1
    end = min(start + SNIPPET, len(text))
    cut = text[start:end].replace("\n", " ")
    moved = [(s - start, e - start) for s, e in found if e > start and s < end]
    why = [(s - start, e - start, r) for s, e, r in reasons if e > start and s < end]
    before = "… " if start else ""
    after = " …" if end < len(text) else ""
    return f"{before}{to_html(cut, moved, why)}{after}"


def safe_link(url: str | None) -> str | None:
    """The address of a post, where it is one that a browser may open from here."""
    if url is None or not url.lower().startswith(("https://", "http://")):
        return None
    return url
