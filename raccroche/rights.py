"""
What persons may ask for, and what the law asks of the house: erasure, objection, retention,
register.
"""

import html
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from raccroche.archive import Archive
from raccroche.config import Config
from raccroche.post import Post
from raccroche.privacy import Pseudonyms, key_path
from raccroche.store import ExportRecord, Store

_SNIPPET = 60  # characters of a text that tell it apart in a raw answer
_SHORTEST = 8  # a shorter name or id would match other people's pages
_SHORTEST_TEXT = 20  # likewise for words of a text
_PSEUDONYM = re.compile(r"p_[0-9a-f]{20}")
_POST_ID = re.compile(r"[^\s:/]+/[^\s:].*:.+")
_ADDRESS = re.compile(r"https?://[^\s/?#]\S*|(?:at|news|tag):\S+", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+(?: [^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Report:
    """
    What an erasure removed, and the exports made before it, to be issued anew: the latest a folder,
    absolute paths. *published*: the folder of the program itself, which the next round writes anew.
    """

    posts: int
    labels: int
    archived: int
    exports: tuple[ExportRecord, ...]
    published: Path | None = None


@dataclass(frozen=True, slots=True)
class Purged:
    """What retention removed: texts blanked, raw answers dropped."""

    texts: int
    archived: int


def pseudonyms_of(config: Config, author: str, platforms: Sequence[str]) -> list[str]:
    """
    The pseudonyms under which *author* is or was stored: one a platform, key and spelling (with and
    without a leading @); a pseudonym stays as it is.
    """
    if _PSEUDONYM.fullmatch(author):
        return [author]
    keyed = Pseudonyms.from_file(key_path(config))
    found = [
        name
        for spelling in dict.fromkeys((author, author.strip().removeprefix("@")))
        for platform in platforms
        for name in keyed.every(platform, spelling)
    ]
    return list(dict.fromkeys(found))


def not_found(author: str, platforms: Sequence[str]) -> str:
    """What was looked for when an author has no post, and how to find the right name."""
    if _PSEUDONYM.fullmatch(author):
        return f"no post has the pseudonym {author}"
    where = platforms[0] if len(platforms) == 1 else f"any of {len(platforms)} platforms"
    bare = author.strip().removeprefix("@").casefold()
    spellings = " or ".join(repr(one) for one in dict.fromkeys((author.strip().casefold(), bare)))
    return (
        f"no post on {where} is by an author named {spellings}, in lower or upper case. Names are "
        "compared whole, as the platform writes them: name@server.example on Mastodon, Lemmy and "
        "PeerTube, the handle on Bluesky, the displayed name on forums, blogs and reviews. "
        "`raccroche parse` of a saved page shows the name in `author`; or give the address of a "
        "post with --url. The name is refused from now on all the same."
    )


def is_post_id(text: str) -> bool:
    """Whether *text* has the form of a post's id: platform/site:id."""
    return _POST_ID.fullmatch(text.strip()) is not None


def is_address(text: str) -> bool:
    """Whether *text* is an address a post may have: http(s), else at:, news: or tag:."""
    return _ADDRESS.fullmatch(text.strip()) is not None


def spellings(urls: Sequence[str]) -> list[str]:
    """Each address as given, then with or without the slash that ends its path."""
    return list(dict.fromkeys(one for url in urls for one in _with_and_without_slash(url.strip())))


def _with_and_without_slash(url: str) -> Iterator[str]:
    yield url
    if not url.lower().startswith(("http://", "https://")):
        return
    cut = re.search(r"[?#]|$", url)
    path = url[: cut.start()] if cut else url
    rest = url[len(path) :]
    yield (path[:-1] if path.endswith("/") else path + "/") + rest


def not_stored(posts: Sequence[str], urls: Sequence[str]) -> str:
    """What was looked for when no post has these ids or addresses, and the form that works."""
    said = []
    if posts:
        said.append(
            f"no post has the id {' or '.join(posts)}. An id is platform/site:id, as exports show "
            "it in `id`: wordpress/blog.example:12"
        )
    if urls:
        said.append(
            f"no post has the address {' or '.join(spellings(urls))}. Addresses are compared "
            "whole, with what follows #, as `raccroche parse` of a saved page shows them in `url`"
        )
    return ". ".join(said) + ". What was named is refused from now on all the same."


def erase(
    config: Config,
    store: Store,
    archive: Archive | None,
    *,
    author: str = "",
    platforms: Sequence[str] = (),
    post_ids: Sequence[str] = (),
    urls: Sequence[str] = (),
    reason: str = "",
) -> Report:
    """
    Remove posts everywhere: rows, labels, search index, raw answers; they are not collected again.

    The freed bytes leave the database file. Raw answers go whole when they hold one of the posts.
    """
    names = pseudonyms_of(config, author, platforms) if author else []
    post_ids, given, urls = [one.strip() for one in post_ids], urls, spellings(urls)
    going = store.named(post_ids=post_ids, authors=names, urls=urls)
    found = [detail.post for one in going if (detail := store.post(one)) is not None]
    needles = frozenset(_needles([author], found, given))
    # the raw answers first: cut short, the command finds the posts again and goes on
    archived = archive.erase(_asked(urls), holding=_holding(needles)) if archive else 0
    erased = store.erase(post_ids=post_ids, authors=names, urls=urls, reason=reason)
    if not erased.posts:
        return Report(0, 0, archived, ())
    published = _published(config)
    again = tuple(_to_issue_anew(config, store, published))
    return Report(erased.posts, erased.labels, archived, again, published)


def _published(config: Config) -> Path | None:
    """The folder that every round writes anew, where one is written."""
    if not config.schedule.publish:
        return None
    folder = config.resolve(config.schedule.publish).resolve()
    return folder if folder.exists() else None


def _to_issue_anew(config: Config, store: Store, published: Path | None) -> Iterator[ExportRecord]:
    """The latest export of each place, but for the one that the next round writes anew."""
    seen = {published}
    for record in store.exports(100_000):
        place = config.resolve(record.path).resolve()
        if place not in seen:
            seen.add(place)
            yield replace(record, path=str(place))


def object_to(
    config: Config,
    store: Store,
    *,
    author: str = "",
    platforms: Sequence[str] = (),
    urls: Sequence[str] = (),
    reason: str = "",
) -> int:
    """Record an objection: this author, these addresses are not collected from now on."""
    names = pseudonyms_of(config, author, platforms) if author else []
    return store.suppress(authors=names, urls=spellings(urls), reason=reason or "objection")


def purge(config: Config, store: Store, archive: Archive | None, now: datetime) -> Purged:
    """Blank the texts older than [privacy] text_days; drop raw answers older than archive_days."""
    limit = (now - timedelta(days=config.privacy.text_days)).date()
    texts = store.forget_texts(limit)
    archived = archive.purge() if archive else 0
    return Purged(texts, archived)


def _needles(names: Sequence[str], posts: Sequence[Post], urls: Sequence[str]) -> Iterator[bytes]:
    """Every spelling in which a raw answer may hold what is to go: plain, in JSON, in HTML."""
    words = [*names, *urls]
    for post in posts:
        words += [post.url or "", post.uri or "", _telling(post.text)]
    for word in words:
        if len(word) >= _SHORTEST:
            ascii_only = json.dumps(word)[1:-1]
            yield from (one.encode() for one in (word, html.escape(word), ascii_only))
            yield ascii_only.replace("/", "\\/").encode()  # as PHP writes JSON
            yield word.replace("/", "\\/").encode()


def _telling(text: str) -> str:
    """
    The longest run of plain words of a text, which no mask, markup or typography has changed; ""
    where it is too short to tell the text from others.
    """
    run = max(_WORDS.findall(text), key=len, default="")[:_SNIPPET]
    return run if len(run) >= _SHORTEST_TEXT else ""


def _holding(needles: Collection[bytes]) -> "_Holding":
    return _Holding(tuple(needles))


@dataclass(frozen=True, slots=True)
class _Holding:
    needles: tuple[bytes, ...]

    def __call__(self, body: bytes) -> bool:
        return any(needle in body for needle in self.needles)


@dataclass(frozen=True, slots=True)
class _asked:
    urls: Sequence[str]

    def __call__(self, url: str) -> bool:
        return url in self.urls


def register(config: Config, store: Store) -> str:
    """The record of processing activities (GDPR art. 30) as Markdown, from the configuration."""
    options = config.privacy
    lines = [
        "# Registre des traitements : Raccroche",
        "",
        f"- Établi le : {datetime.now(UTC).date()}",
        f"- Responsable : {options.controller or '**à renseigner** ([privacy] controller)'}",
        f"- Contact : {config.collect.contact or '**à renseigner** ([collect] contact)'}",
        f"- Base légale : {options.basis or '**à renseigner** ([privacy] basis)'}",
        "- Finalité : compter, par marque et dans le temps, les publications publiques qui "
        "parlent de démarchage téléphonique.",
        "- Personnes concernées : auteurs de publications publiques.",
        "- Données : texte public masqué (numéros, adresses électroniques, IBAN), pseudonyme "
        "à clé, date, adresse de la publication, étiquettes.",
        f"- Réponses brutes des sources : {_raw_kept(config)}",
        f"- Conservation : textes {options.text_days} jours, réponses brutes {_raw_days(config)}, "
        "étiquettes et comptes sans limite.",
        "- Sécurité : pseudonymes HMAC-SHA-256 dont la clé est hors de la base, masquage avant "
        "l'écriture dans la base, réponses brutes lisibles par l'exploitant seul (droits 0600), "
        "aucune publication de noms d'auteurs.",
        "- Destinataires : les personnes autorisées du tableau de bord ; exports à pseudonymes "
        "salés.",
        "",
        "## Sources",
        "",
        "| source | plateforme | active | finalité | robots et réserves à la dernière collecte |",
        "|---|---|---|---|---|",
    ]
    last = store.last_runs()
    for source in config.sources:
        run = last.get(source.name)
        lines.append(
            f"| {source.name} | {source.platform} | {'oui' if source.enabled else 'non'} | "
            f"{source.purpose} | {run.robots if run else 'jamais collectée'} |"
        )
    lines += [
        "",
        "## Retraits et oppositions",
        "",
        f"{_requests(len(store.takedowns(100_000)))} au journal.",
    ]
    return "\n".join(lines) + "\n"


def _requests(count: int) -> str:
    return f"{count} {'demande inscrite' if count < 2 else 'demandes inscrites'}"


def _raw_days(config: Config) -> str:
    return f"{config.collect.archive_days} jours" if config.collect.archive else "non gardées"


def _raw_kept(config: Config) -> str:
    """What the archive holds, for how long, for whom; one sentence."""
    if not config.collect.archive:
        return "elles ne sont pas gardées."
    return (
        "gardées telles que reçues, noms et numéros compris, pendant "
        f"{config.collect.archive_days} jours, lisibles par l'exploitant seul, puis supprimées ; "
        "l'effacement les atteint."
    )


def information(config: Config) -> str:
    """The page for the persons concerned (GDPR art. 14), in French, as Markdown."""
    options = config.privacy
    contact = config.collect.contact or "**adresse à renseigner**"
    return f"""# Vos publications et Raccroche

{options.controller or "**Le responsable, à renseigner,**"} observe ce que le public écrit du
démarchage téléphonique.

**Ce qui est lu.** Des publications et commentaires publics qui nomment une marque. Aucun accès
réservé n'est
contourné ; les refus exprimés par les sites (robots.txt, réserve de fouille) sont respectés.

**Ce qui est gardé.** Le texte, dont les numéros de téléphone, adresses électroniques et IBAN sont
masqués ; la date ;
l'adresse de la publication ; un pseudonyme calculé avec une clé secrète à la place de votre nom.
Les textes sont
effacés après {options.text_days} jours.

**Les réponses brutes des sites**, à part de ce qui précède : {_raw_kept(config)}

**Pourquoi.** Compter, par marque et dans le temps, les plaintes de démarchage. Base légale :
{options.basis or "**à renseigner**"}. Aucun profil n'est fait, aucun nom d'auteur n'est publié.

**Vos droits.** Vous pouvez demander l'accès, l'effacement, ou vous opposer à la lecture de vos
publications : écrivez à
{contact} en donnant l'adresse de la publication ou le nom du compte. L'effacement vaut aussi pour
l'avenir. Vous pouvez
saisir la CNIL.
"""
