"""A small observatory about firms that do not exist: posts, labels, runs, the same each time."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from raccroche.post import Kind, Labels, Mention, Post, Run, Verdict
from raccroche.store import Alert, Store

MODEL = "essai@1"
BRANDS = ("Mandarine", "Indigo", "Chaîne+", "MUTIF", "Cofipret")
_ACCUSING = {"Mandarine": 0.6, "Indigo": 0.25, "Chaîne+": 0.3, "MUTIF": 0.1, "Cofipret": 0.3}
_OFTEN = {"Mandarine": 9, "Indigo": 8, "Chaîne+": 5, "MUTIF": 2, "Cofipret": 2}
GAP = (timedelta(days=120), timedelta(days=150))  # before the end: nothing was collected
DAYS = 400
_COMPLAINTS = (
    "{b} m’appelle {k} fois par jour depuis un mois, malgré mes refus.",
    "Encore un appel de {b} ce matin, personne au bout du fil.",
    "Un robot de {b} a laissé un message sur mon répondeur.",
)
_OTHERS = ("Panne chez {b} ce soir.", "Ma facture {b} augmente.", "Content de {b}.")

CONFIG = """
[store]
url = "{url}"

[watch]
brands = {brands}

[privacy]
key_file = "{folder}/pseudonym.key"

[dashboard]
banner = "Données fictives d’essai"
"""


def write_config(folder: Path, database: Path) -> Path:
    """A config.toml for that database; brands are declared so that colours and names are ours."""
    path = folder / "config.toml"
    listed = "[" + ", ".join(f'"{name}"' for name in BRANDS) + "]"
    blocks = "".join(
        f'\n[[brands]]\nid = "b{at}"\nname = "{name}"\nfamily = "groupe_{at // 2}"\n'
        f'sector = "telecom"\naliases = ["{name.lower()}"]\n'
        for at, name in enumerate(BRANDS)
    )
    text = CONFIG.format(url=database, brands=listed, folder=folder)
    path.write_text(text + blocks, encoding="utf-8")
    return path


def fill(database: Path, many: int = 900, end: datetime | None = None) -> None:
    """*many* labelled posts over the last DAYS days, with a gap, some copies, runs and an alert."""
    end = end or datetime.now(UTC)
    draw = random.Random(7)
    pairs = [_pair(draw, at, end) for at in range(many)]
    with Store.open(database, near_duplicates=False) as store:
        store.add_posts([post for post, _ in pairs], via="blog")
        store.add_labels([labels for _, labels in pairs])
        for run in _runs(end):
            store.record_run(run)
        store.add_alerts([_alert(end)])


def _when(draw: random.Random, end: datetime) -> datetime:
    while True:
        age = timedelta(seconds=draw.random() * DAYS * 86_400)
        if not GAP[0] < age < GAP[1]:
            return end - age


def _pair(draw: random.Random, at: int, end: datetime) -> tuple[Post, Labels]:
    brand = draw.choices(BRANDS, [_OFTEN[name] for name in BRANDS])[0]
    accused = draw.random() < _ACCUSING[brand]
    often = draw.choice([2, 3, 5])
    text = draw.choice(_COMPLAINTS if accused else _OTHERS).format(b=brand, k=often)
    copied = draw.random() < 0.02
    platform = draw.choice(["wordpress", "mastodon"])
    post = Post(
        source=f"{platform}/{platform}.example",
        platform=platform,
        native_id=str(at),
        text=text if copied else f"{text} [{at}]",
        kind=Kind.COMMENT,
        author=f"auteur-{draw.randrange(many_authors(at))}",
        published_at=_when(draw, end),
        url=f"https://{platform}.example/{at}",
    )
    return post, labels_of(post, brand, draw, accused=accused, often=often)


def many_authors(at: int) -> int:
    return max(3, at // 2 + 3)


def labels_of(
    post: Post, brand: str, draw: random.Random, *, accused: bool, often: int = 2
) -> Labels:
    facts: dict[str, Any] = {}
    if accused:
        facts = {
            "calls": {"min": often, "max": often, "per": "day"},
            "hours": [f"{draw.choice([8, 11, 15, 21]):02d}:00"],
            "numbers": [{"class": draw.choice(["mobile", "geographic", "masked"])}],
        }
    family = f"groupe_{BRANDS.index(brand) // 2}" if brand in BRANDS else None
    return Labels(
        post_id=post.id,
        labeller=MODEL,
        sentiment="negative" if accused else "neutral",
        phone_harassment=accused,
        testimony=accused and draw.random() < 0.8,
        topics=("phone_harassment",) if accused else (draw.choice(["billing", "network"]),),
        signals=("excessive_frequency", draw.choice(["robocall", "silent_call"]))
        if accused
        else (),
        mentions=(
            Mention(
                brand,
                "negative" if accused else "neutral",
                accused,
                role="caller" if accused else "cited",
                probability=0.9 if accused else 0.1,
                family=family,
            ),
        ),
        facts=facts,
        probabilities={"phone_harassment": 0.9 if accused else 0.1},
        spans=((0, 12, "sig.excessive_frequency"),) if accused else (),
        language="fr",
        relation=draw.choice(["customer", "prospect", "unknown"]),
    )


def _runs(end: datetime) -> Sequence[Run]:
    found = []
    for back in range(DAYS, -1, -1):
        if GAP[0] < timedelta(days=back) < GAP[1]:
            continue
        at = end - timedelta(days=back)
        verdict = Verdict.BLOCKED if back % 40 == 3 else Verdict.NEW
        found.append(Run("blog", "wordpress", at, at + timedelta(minutes=1), verdict, new=2, got=2))
    return found


def _alert(end: datetime) -> Alert:
    year, week, _ = end.isocalendar()
    return Alert(
        brand="Mandarine",
        signal="robocall",
        period=f"{year}-W{week:02d}",
        observed=12,
        expected=4.2,
        bound=9,
        posts=12,
        authors=11,
        repost_share=0.1,
    )


def add_post(
    database: Path, native_id: str, text: str, brand: str = "Mandarine", **more: Any
) -> str:
    """One more accusing post, newest of all; its id."""
    post = Post(
        source="wordpress/wordpress.example",
        platform="wordpress",
        native_id=native_id,
        text=text,
        kind=Kind.COMMENT,
        author="auteur-un",
        published_at=datetime.now(UTC) - timedelta(minutes=5),
        **more,
    )
    with Store.open(database, near_duplicates=False) as store:
        store.add_posts([post], via="blog")
        store.add_labels([labels_of(post, brand, random.Random(1), accused=True)])
    return post.id
