"""Posts and labels made up for the tests of the store; the firms in them do not exist."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from raccroche.post import Labels, Mention, Post

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)  # a Monday
MODEL = "model@1"


def post(native_id: str = "1", text: str = "", **fields: Any) -> Post:
    """A comment on a fictional blog; its text is its own unless given."""
    values: dict[str, Any] = {
        "source": "wordpress/blog.example",
        "platform": "wordpress",
        "native_id": native_id,
        "text": text or f"Message {native_id}, sans rien de particulier.",
        "published_at": NOON,
        "author": f"auteur-{native_id}",
    }
    return Post(**values | fields)


def mention(brand: str = "Pomme", harassment: bool = True, sentiment: str = "negative") -> Mention:
    return Mention(brand, sentiment, harassment, role="caller" if harassment else "cited")


def labels(about: Post | str, *mentions: Mention, labeller: str = MODEL, **fields: Any) -> Labels:
    """Harassment by the brands that *mentions* accuse; none at all without."""
    accused = any(one.harassment for one in mentions)
    values: dict[str, Any] = {
        "post_id": about if isinstance(about, str) else about.id,
        "labeller": labeller,
        "sentiment": "negative" if mentions else "neutral",
        "phone_harassment": accused,
        "testimony": accused,
        "topics": ("phone_harassment",) if accused else ("other",),
        "mentions": mentions,
        "language": "fr",
    }
    return Labels(**values | fields)


def crowd(many: int, seed: int = 1) -> tuple[list[Post], list[Labels]]:
    """
    Posts and labels of every kind, the same for a seed: copies, articles, refusals, foreign and
    undated ones.
    """
    draw = random.Random(seed)
    posts = [_one(draw, at) for at in range(many)]
    return posts, [_labelled(draw, one) for one in posts]


def _one(draw: random.Random, at: int) -> Post:
    host = draw.choice(["blog.example", "forum.example", "social.example"])
    platform = "mastodon" if host == "social.example" else "wordpress"
    copied = draw.random() < 0.15
    number = draw.randrange(6) if copied else at
    words = f"Encore un appel de démarchage ce matin, le numéro {number} de la journée, cela suffit"
    moment = NOON + timedelta(minutes=draw.randrange(60 * 24 * 60))
    return post(
        str(at),
        words,
        source=f"{platform}/{host}",
        platform=platform,
        author=draw.choice([None, *(f"auteur-{n}" for n in range(20))]),
        published_at=None if draw.random() < 0.05 else moment,
        kind=draw.choice(["comment", "post", "article"]),
        by_brand=draw.random() < 0.1,
    )


def _labelled(draw: random.Random, about: Post) -> Labels:
    brands = draw.sample(["Pomme", "Libre", "Rouge", "BT"], draw.randrange(4))
    named = [
        Mention(brand, draw.choice(["negative", "neutral", "positive"]), draw.random() < 0.4)
        for brand in brands
    ]
    harassment = any(one.harassment for one in named) or draw.random() < 0.1
    topics = draw.sample(["billing", "network", "cancellation"], draw.randrange(1, 3))
    return labels(
        about,
        *named,
        sentiment=draw.choice(["negative", "neutral", "positive"]),
        phone_harassment=harassment,
        testimony=draw.random() < 0.5,
        topics=tuple(["phone_harassment"] * harassment + topics),
        signals=tuple(draw.sample(["robocall", "silent_call"], draw.randrange(3)))
        if harassment
        else (),
        relation=draw.choice(["customer", "prospect", "unknown"]),
        language=draw.choice(["fr", "fr", "fr", "en", None]),
        refused="too short" if draw.random() < 0.05 else None,
        facts={"numbers": [{"class": "mobile"}, {"class": "mobile"}]}
        if draw.random() < 0.2
        else {},
    )


def ids(rows: Sequence[Any]) -> list[str]:
    """Native ids of rows or posts, in order."""
    found = [getattr(row, "post", row) for row in rows]
    return [one.native_id for one in found]
