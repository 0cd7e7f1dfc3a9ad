"""The article of 21 July 2015 and its reader comments, where the shared folder holds it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from raccroche.demo.content import Message, Thread

FILE = Path(__file__).parents[2] / ".." / "shared" / "seed" / "en-contact-2015-07-21.txt"
ARTICLE = 4200
PUBLISHED = datetime(2015, 7, 21, 8, 0, tzinfo=UTC)
_COMMENT = re.compile(r"^ {2}(\d)\. (.*?)(?=^ {2}\d\. |^Laisser un commentaire)", re.M | re.S)


def missing() -> str:
    """Why the article cannot be read; "" when it can."""
    return "" if FILE.exists() else "the shared folder with the seed article is not here"


def number_of(listed: int) -> int:
    """The number here of the comment that the page lists as *listed* (1: newest, 8: oldest)."""
    return ARTICLE + 10 - listed


def article() -> Thread:
    """The article with its eight comments, which carry no dates: each follows five hours later."""
    text = FILE.read_text("utf-8")
    title, _, rest = text.partition("\n")
    body = rest.split("Abonnez-vous", 1)[0].split("En-Contact\n", 1)[1]
    return Thread(ARTICLE, title.strip(), PUBLISHED, body.strip().lstrip("-"), _comments(text))


def _comments(text: str) -> tuple[Message, ...]:
    found = [
        Message(
            number=number_of(int(listed)),
            at=PUBLISHED + timedelta(hours=5 * (9 - int(listed))),
            author=f"lecteur {listed}" if listed not in "12" else "la rédaction",
            text="\n".join(line.strip() for line in words.strip().splitlines()),
        )
        for listed, words in _COMMENT.findall(text)
    ]
    return tuple(sorted(found, key=lambda message: message.number))
