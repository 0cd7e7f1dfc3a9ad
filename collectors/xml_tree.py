"""Reads XML as sites send it: wrong encodings, broken entities, forbidden characters."""

import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from raccroche.errors import SourceError
from raccroche.post import Answer

_NUMBERED = re.compile(r"&#(?:x0*([0-9a-f]{4})|0*([0-9]{5}));", re.IGNORECASE)


def xml_root(answer: Answer, *, what: str = "the feed") -> Any:
    """
    The root element of *answer*, read as far as it can be; SourceError where nothing can.

    The text is decoded before, whatever its declaration says, and references to surrogates are
    replaced: lxml would fail later, on whichever element holds one.
    """
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, huge_tree=False, encoding="utf-8"
    )
    text = _NUMBERED.sub(_sound, answer.text.lstrip())
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceError(f"{what} is no XML ({error})"[:300], url=answer.url) from error
    if root is None:
        raise SourceError(f"{what} is empty", url=answer.url)
    return root


def _sound(reference: re.Match[str]) -> str:
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else reference.group()
