"""What a person says of a post, as labels; which answers differ, and what they have in common."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard import agreement, words
from dashboard.words import tr
from raccroche import reference
from raccroche.post import Labels, Mention, Post
from raccroche.store import ReviewItem

QUEUES = ("random", "uncertain", "reported")
ACCUSED = frozenset({"caller", "suspected_principal"})
PEOPLE = 2  # who label a post


@dataclass(frozen=True, slots=True)
class Answer:
    """The answers of one person to the questions of the guide; None: not answered yet."""

    harassment: bool | None
    testimony: bool | None
    sentiment: str | None
    topics: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    relation: str = "unknown"

    def missing(self) -> tuple[str, ...]:
        """The questions that must be answered before the answer can be kept."""
        asked = (
            (self.harassment, tr("le harcèlement", "harassment")),
            (self.testimony, tr("le témoignage", "testimony")),
            (self.sentiment, tr("la tonalité", "sentiment")),
        )
        return tuple(name for value, name in asked if value is None)

    def labels(self, post: Post, family: Callable[[str], str | None]) -> Labels:
        """
        The labels, still without their labeller.

        A brand is accused exactly when it calls, or is said to have others call, in a post that
        reports harassment; without harassment only SMS is kept of the signals.
        """
        harassed = bool(self.harassment)
        sentiment = self.sentiment or "neutral"
        topics = (("phone_harassment",) if harassed else ()) + self.topics
        signals = self.signals if harassed else tuple(
            one for one in self.signals if one == "sms_messaging"
        )  # fmt: skip
        return Labels(
            post_id=post.id,
            labeller="human:",
            sentiment=sentiment,
            phone_harassment=harassed,
            testimony=bool(self.testimony),
            topics=topics or ("other",),
            signals=signals,
            mentions=tuple(
                Mention(
                    brand=name,
                    sentiment=sentiment,
                    harassment=harassed and role in ACCUSED,
                    role=role,
                    family=family(name),
                )
                for name, role in self.roles.items()
            ),
            language="fr",
            relation=self.relation,
        )


def refused(post_id: str) -> Labels:
    """What is stored of a post that a person cannot judge; it counts nowhere."""
    return Labels(
        post_id=post_id,
        labeller="human:",
        sentiment="neutral",
        phone_harassment=False,
        testimony=False,
        refused="not_french_or_unreadable",
    )


def disputed(items: Sequence[ReviewItem], labels: Sequence[Labels]) -> list[tuple[Labels, Labels]]:
    """The pairs of answers that differ, of posts that nobody has decided on, in queue order."""
    by_post: dict[str, list[Labels]] = defaultdict(list)
    for one in sorted(labels, key=lambda labels: labels.labeller):
        by_post[one.post_id].append(one)
    found = {}
    for item in items:
        own = [one for one in by_post[item.post_id] if one.labeller in item.annotators]
        if not item.adjudicated and len(own) >= PEOPLE and _differ(own[0], own[1]):
            found[item.post_id] = (own[0], own[1])
    return list(found.values())


def _differ(first: Labels, second: Labels) -> bool:
    if first.refused or second.refused:
        return first.refused != second.refused
    return bool(agreement.differing(first, second))


def common(first: Labels, second: Labels) -> Labels | None:
    """What both answers say, as a start for the one who decides; None where a flag differs."""
    flags = ("phone_harassment", "testimony", "sentiment")
    if first.refused or second.refused:
        return None
    if any(getattr(first, name) != getattr(second, name) for name in flags):
        return None
    return Labels(
        post_id=first.post_id,
        labeller="human:",
        sentiment=first.sentiment,
        phone_harassment=first.phone_harassment,
        testimony=first.testimony,
        topics=tuple(one for one in first.topics if one in second.topics),
        signals=tuple(one for one in first.signals if one in second.signals),
        mentions=tuple(
            one
            for one in first.mentions
            if any(one.brand == other.brand and one.role == other.role for other in second.mentions)
        ),
        relation=first.relation if first.relation == second.relation else "unknown",
    )


def value(labels: Labels, label: str) -> str:
    """What an answer says under a label named as in `agreement`."""
    if labels.refused:
        return tr("illisible", "unreadable")
    kind, _, name = label.partition(":")
    if label == "sentiment":
        return reference.title(labels.sentiment, words.language())
    said = {
        "phone_harassment": labels.phone_harassment,
        "testimony": labels.testimony,
    }.get(label)
    if said is None and kind == "brand":
        said = any(one.brand == name and one.harassment for one in labels.mentions)
    elif said is None:
        said = name in (labels.topics if kind == "topic" else labels.signals)
    return tr("oui", "yes") if said else tr("non", "no")


def progress(item: ReviewItem) -> str:
    """How far a post of a queue is: waiting, once, twice or decided."""
    if item.adjudicated:
        return "decided"
    return ("waiting", "once", "twice")[min(len(item.annotators), PEOPLE)]


def stages() -> dict[str, str]:
    return {
        "waiting": tr("À lire", "To read"),
        "once": tr("Lues une fois", "Read once"),
        "twice": tr("Lues deux fois", "Read twice"),
        "decided": tr("Départagées", "Decided"),
    }
