"""Everything that changes the data from the dashboard; each asks first who the reader is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from dashboard import archives, data, sampling
from dashboard.access import ADJUDICATOR, Refused, Role, clean_name, require
from dashboard.words import tr
from raccroche.post import Labels
from raccroche.store import Filters, StoredPost

ADJUDICATED = f"human:{ADJUDICATOR}"


def set_alert(n: int, *, state: str | None = None, note: str | None = None) -> None:
    """Change what became of an alert, or the note beside it."""
    require(Role.ANNOTATOR)
    data.store().set_alert(n, state=state, note=note)


def annotator(written: str = "") -> str:
    """
    The name under which the reader labels: that of the login, else the one they wrote.

    Raises Refused for readers, and for a name that is empty or kept by the store.
    """
    person = require(Role.ANNOTATOR)
    name = person.name or clean_name(written)
    if not name:
        raise Refused(tr("Il faut un nom d’annotateur.", "An annotator needs a name."))
    return name


def next_post(written: str, queue: str) -> StoredPost | None:
    """The next post of a queue for this person; others see it at most once more."""
    return data.store().next_review(annotator(written), queue=queue)


def save(labels: Labels, written: str) -> None:
    """Store what a person says of a post; a second answer replaces their first."""
    name = annotator(written)
    data.store().add_labels([replace(labels, labeller=f"human:{name}")])


def adjudicate(labels: Labels, written: str) -> None:
    """Store the decision of a third person; those who labelled the post may not decide."""
    name = annotator(written)
    items = [one for one in data.store().review_items() if one.post_id == labels.post_id]
    if not items:
        raise Refused(tr("Cette publication n’est dans aucune file.", "The post is in no queue."))
    if f"human:{name}" in items[0].annotators:
        raise Refused(
            tr(
                "Une troisième personne départage : vous avez étiqueté cette publication.",
                "A third person decides: you labelled this post.",
            )
        )
    data.store().add_labels([replace(labels, labeller=ADJUDICATED)])


def fill_queue(queue: str, labeller: str, many: int) -> int:
    """Add posts to the random or the uncertain queue; how many were not in it."""
    require(Role.ANNOTATOR)
    draw = sampling.random_posts if queue == "random" else sampling.uncertain_posts
    chosen = draw(data.store(), Filters(labeller=labeller), many)
    return data.store().add_review(queue, chosen, reason=labeller)


def report(post_ids: Sequence[str], reason: str = "") -> int:
    """Put posts that somebody doubts into the queue of reported ones."""
    require(Role.READER)
    return data.store().add_review("reported", post_ids, reason=reason)


def archive_later(
    asked: Filters,
    form: str,
    page: str,
    *,
    split: bool = False,
    stable_pseudonyms: bool = False,
) -> Callable[[], bytes]:
    """
    Makes a dataset as a zip when it is called, noted in the history with who asked on which *page*.

    Who the reader is is asked now: Streamlit calls the result outside their session, where nobody
    is logged in. Pseudonyms that stay the same across exports are for administrators.
    """
    person = require(Role.ADMIN if stable_pseudonyms else Role.READER)
    maker = archives.Maker(person.name or "dashboard", person.role.name.lower(), page)
    return partial(
        archives.zipped,
        data.settings(),
        data.store(),
        asked,
        form=form,
        by=str(maker),
        split=split,
        stable_pseudonyms=stable_pseudonyms,
    )
