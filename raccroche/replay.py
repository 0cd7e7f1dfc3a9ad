"""Raw answers parsed again: our own archive with today's parsers, or anybody's WARC."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from collectors.contract import Source
from collectors.table import recognise, sources
from raccroche.config import Config
from raccroche.errors import SourceError
from raccroche.pipeline import page_of
from raccroche.post import Added, Answer
from raccroche.privacy import Pseudonyms, admitted, pseudonyms
from raccroche.store import Store


@dataclass(frozen=True, slots=True)
class Replayed:
    """*answers* read, *unknown* to every platform, *broken* for theirs; what the posts changed."""

    answers: int = 0
    unknown: int = 0
    broken: int = 0
    added: Added = Added()


def replay(
    config: Config,
    store: Store,
    answers: Iterable[Answer],
    *,
    via: str,
    progress: Callable[[int], None] = lambda done: None,
) -> Replayed:
    """
    Parse *answers* again and store the posts that were missed; nothing is asked of anybody.

    An answer of our archive goes to the platform of its source, another to the one that recognises
    it.
    """
    names = pseudonyms(config, store)
    platforms = {source.name: source.platform for source in config.sources}
    done = Replayed()
    for answer in answers:
        name = answer.context.get("source", "")
        source = sources().get(platforms.get(name, "")) or recognise(answer)
        done = _one(config, store, answer, source, names, name or via, done)
        progress(1)
    return done


def _one(
    config: Config,
    store: Store,
    answer: Answer,
    source: Source | None,
    names: Pseudonyms,
    via: str,
    done: Replayed,
) -> Replayed:
    done = replace(done, answers=done.answers + 1)
    if source is None or answer.status != 200:
        return replace(done, unknown=done.unknown + 1)
    try:
        page = page_of(config, source, answer)
    except SourceError:
        return replace(done, broken=done.broken + 1)
    posts = admitted(config, [replace(post, via=via) for post in page.posts], names)
    return replace(done, added=done.added + store.add_posts(posts, via=via))
