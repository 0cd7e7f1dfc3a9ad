"""A model against what people decided: confusion, precision and recall of each label."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.access import ADJUDICATOR
from raccroche.post import Labels


@dataclass(frozen=True, slots=True)
class Confusion:
    """One label: found and true, found and false, missed, rightly left; over posts."""

    label: str
    hits: int
    false: int
    missed: int
    left: int

    @property
    def posts(self) -> int:
        return self.hits + self.false + self.missed + self.left

    @property
    def found(self) -> int:
        """Posts on which the model put the label: what precision is a share of."""
        return self.hits + self.false

    @property
    def true(self) -> int:
        """Posts on which people put the label: what recall is a share of."""
        return self.hits + self.missed


def has(labels: Labels, label: str) -> bool:
    """Whether labels hold a flag, `topic:NAME` or `signal:NAME`."""
    kind, _, name = label.partition(":")
    if kind == "topic":
        return name in labels.topics
    if kind == "signal":
        return name in labels.signals
    return bool(getattr(labels, label))


def decided(people: Sequence[Labels]) -> dict[str, list[Labels]]:
    """post -> the answers that count: the decision where there is one, else everybody's."""
    by_post: dict[str, list[Labels]] = defaultdict(list)
    for one in people:
        if one.refused is None:
            by_post[one.post_id].append(one)
    for post_id, answers in by_post.items():
        final = [one for one in answers if one.labeller == f"human:{ADJUDICATOR}"]
        by_post[post_id] = final or answers
    return dict(by_post)


def confusions(people: Sequence[Labels], model: Mapping[str, Labels]) -> list[Confusion]:
    """
    Each label that people or the model used, over the posts of both.

    A post on whose label people still differ is left out of that label.
    """
    truths = {key: found for key, found in decided(people).items() if key in model}
    pairs = [(found, model[key]) for key, found in truths.items() if model[key].refused is None]
    every = [one for found, predicted in pairs for one in (*found, predicted)]
    topics = {f"topic:{name}" for one in every for name in one.topics} - {"topic:phone_harassment"}
    signals = {f"signal:{name}" for one in every for name in one.signals}
    labels = ["phone_harassment", "testimony", *sorted(topics), *sorted(signals)]
    return [_confusion(label, pairs) for label in labels] if pairs else []


def _confusion(label: str, pairs: Sequence[tuple[Sequence[Labels], Labels]]) -> Confusion:
    counts = {(True, True): 0, (False, True): 0, (True, False): 0, (False, False): 0}
    for answers, predicted in pairs:
        truths = {has(one, label) for one in answers}
        if len(truths) == 1:
            counts[(truths.pop(), has(predicted, label))] += 1
    return Confusion(
        label,
        hits=counts[True, True],
        false=counts[False, True],
        missed=counts[True, False],
        left=counts[False, False],
    )


def by_source(
    people: Sequence[Labels], model: Mapping[str, Labels], source: Callable[[str], str]
) -> dict[str, Confusion]:
    """Harassment in the posts of each source; *source* says where a post is from."""
    own: dict[str, list[Labels]] = defaultdict(list)
    for one in people:
        own[source(one.post_id)].append(one)
    found = {}
    for name, answers in sorted(own.items()):
        first = confusions(answers, model)[:1]
        if first:
            found[name] = first[0]
    return found
