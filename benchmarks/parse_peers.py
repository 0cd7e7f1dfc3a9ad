"""
Items that we and the field's libraries recover from the same recorded answers, of those expected.

    python benchmarks/parse_peers.py [--peers PYTHON] [--samples FOLDER] [--each]

The answers and how many items each holds come from shared/samples beside the repository
(`expected.json`, whose oracles are not ours); where that folder is absent the reason is
printed. *PYTHON* is an interpreter that has the peers; a peer that it lacks is left out, said so.

requirements of that interpreter: trafilatura, forumscraper, feedparser, extruct

How a peer's items are counted: trafilatura gives the comments of a page as one text, so its
paragraphs are counted, never more than expected; forumscraper's own rules for the forum's software
are applied to the saved page, posts with an id or a text count; feedparser's entries; extruct's
items of a schema.org type for comments, reviews and postings in microdata, JSON-LD and RDFa. More
items than expected recover none of what is beyond. "named and dated" are items with both an author
and a date. A page of 0 items is a trap: right is 0.
"""

import argparse
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / ".." / "shared" / "samples"
PEERS = ("trafilatura", "forumscraper", "feedparser", "extruct")
OURS = "raccroche"
Found = tuple[int, int]  # items, those with an author and a date

# forumscraper's rule for a folder of samples
RULES = {
    "forum_phpbb": "phpbb/posts.reliq",
    "forum_phpbb3": "phpbb/posts.reliq",
    "forum_smf2": "smf2/posts.reliq",
    "forum_vbulletin": "vbulletin/posts.reliq",
    "forum_xenforo": "xenforo2/post.reliq",
}
SCHEMA_TYPES = (
    "Comment",
    "UserComments",
    "Review",
    "UserReview",
    "DiscussionForumPosting",
    "Answer",
)


# What each reads of one file ---------------------------------------------------------------------


def read_ours(path: Path, expected: int) -> Found:
    """As `raccroche parse` does: the platform is recognised."""
    sys.path.insert(0, str(ROOT))
    from collectors.table import recognise
    from raccroche.errors import SourceError
    from raccroche.post import Answer

    answer = Answer(path.name, path.read_bytes())
    source = recognise(answer)
    try:
        posts = source.parse(answer).posts if source else ()
    except SourceError:
        posts = ()
    return len(posts), sum(bool(post.author and post.published_at) for post in posts)


def read_trafilatura(path: Path, expected: int) -> Found | None:
    if path.suffix != ".html":
        return None
    import trafilatura

    document = trafilatura.bare_extraction(path.read_bytes(), include_comments=True)
    comments = (document.comments if document else None) or ""
    return min(len([line for line in comments.splitlines() if line.strip()]), expected or 999), 0


def read_forumscraper(path: Path, expected: int) -> Found | None:
    rule = RULES.get(path.parent.name)
    if rule is None:
        return None
    if not hasattr(itertools, "batched"):  # forumscraper needs Python 3.12's
        itertools.batched = _batched  # type: ignore[attr-defined, unused-ignore]
    from forumscraper.defs import reliq

    page = reliq(path.read_bytes().decode("utf-8", "replace"))
    if rule == "xenforo2/post.reliq":
        tags = page.search(r'div #E>(js-)?post-[0-9]+ || article id | "%i\n"').split("\n")[:-1]
        posts = [reliq(tag).json(Path(rule)) for tag in tags]
    else:
        posts = page.json(Path(rule))["posts"]
    kept = [post for post in posts if post.get("id") or post.get("postid") or _words(post)]
    return len(kept), sum(bool(post.get("user") and post.get("date")) for post in kept)


def _words(post: dict[str, Any]) -> str:
    return str(post.get("content") or post.get("body") or post.get("text") or "").strip()


def _batched(rows: Any, size: int) -> Iterator[tuple[Any, ...]]:
    several = iter(rows)
    while batch := tuple(itertools.islice(several, size)):
        yield batch


def read_feedparser(path: Path, expected: int) -> Found | None:
    if path.parent.name != "feeds":
        return None
    import feedparser

    entries = feedparser.parse(path.read_bytes()).entries
    dated = [e for e in entries if e.get("author") and (e.get("published") or e.get("updated"))]
    return len(entries), len(dated)


def read_extruct(path: Path, expected: int) -> Found | None:
    if path.suffix != ".html":
        return None
    import extruct

    html = path.read_bytes().decode("utf-8", "replace")
    data = extruct.extract(html, syntaxes=["microdata", "json-ld", "rdfa"], errors="ignore")
    items = [item for listed in data.values() for item in _typed(listed)]
    fields = [item.get("properties", item) for item in items]
    dated = [
        f for f in fields if f.get("author") and (f.get("datePublished") or f.get("dateCreated"))
    ]
    return len(items), len(dated)


def _typed(data: Any) -> Iterator[dict[str, Any]]:
    """The objects of a type for what people wrote, at any depth."""
    todo = [data]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, dict):
            kinds = one.get("@type") or one.get("type") or ""
            names = [
                str(k).rpartition("/")[2] for k in (kinds if isinstance(kinds, list) else [kinds])
            ]
            if set(names) & set(SCHEMA_TYPES):
                yield one
            todo.extend(one.values())


READERS: dict[str, Callable[[Path, int], Found | None]] = {
    OURS: read_ours,
    "trafilatura": read_trafilatura,
    "forumscraper": read_forumscraper,
    "feedparser": read_feedparser,
    "extruct": read_extruct,
}


def work(name: str) -> None:
    """Read what standard input lists, `[[path, expected], ...]`; print what was found in each."""
    rows = json.load(sys.stdin)
    print(json.dumps([READERS[name](Path(path), expected) for path, expected in rows]))


# The table ---------------------------------------------------------------------------------------


def cases(samples: Path) -> list[tuple[Path, int]]:
    """(file, items it holds) of every expectation that speaks of one file and of posts."""
    found: list[tuple[Path, int]] = []
    for name, said in json.loads((samples / "expected.json").read_text("utf-8")).items():
        several = "*" in name and not name.startswith("feeds/")
        if " " in name or several or said.get("items") is None or said.get("kind") == "topics":
            continue
        files = [p for p in sorted(samples.glob(name)) if p.suffix in (".html", ".json", ".xml")]
        found.append((files[0], said["items"]))
    return found


def ask(name: str, python: str, listed: list[tuple[Path, int]]) -> list[Found | None] | str:
    """What *name* finds in each file, or why it was not asked."""
    if name != OURS:
        absent = subprocess.run(
            [
                python,
                "-c",
                f"import importlib.util, sys; sys.exit(not importlib.util.find_spec('{name}'))",
            ]
        )
        if absent.returncode:
            return "not installed"
    done = subprocess.run(
        [sys.executable if name == OURS else python, __file__, "--work", name],
        input=json.dumps([[str(path), items] for path, items in listed]),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:200]
    rows = json.loads(done.stdout.splitlines()[-1])
    return [tuple(row) if row else None for row in rows]


def recovered(found: Found, expected: int) -> int:
    """Items of those expected; a trap is one point for nothing."""
    return int(found[0] == 0) if expected == 0 else min(found[0], expected)


def table(
    listed: list[tuple[Path, int]], answers: dict[str, list[Found | None]], *, each: bool
) -> None:
    """By folder of samples (or by file): recovered / expected, and how many named and dated."""
    print(f"| {'file' if each else 'samples'} | expected | {' | '.join(answers)} |")
    print("|---|--:|" + "--:|" * len(answers))
    groups: dict[str, list[int]] = defaultdict(list)
    for index, (path, _) in enumerate(listed):
        groups[f"{path.parent.name}/{path.name}" if each else path.parent.name].append(index)
    for group, places in [*sorted(groups.items()), ("**all that it reads**", range(len(listed)))]:
        cells = [_cell(answers[name], listed, places) for name in answers]
        expected = sum(max(listed[i][1], 1) for i in places)
        print(f"| {group} | {expected} | {' | '.join(cells)} |")


def _cell(found: list[Found | None], listed: list[tuple[Path, int]], places: Any) -> str:
    read = [(found[i], listed[i][1]) for i in places if found[i] is not None]
    if not read:
        return "-"
    got = sum(recovered(one, expected) for one, expected in read if one)
    full = sum(min(one[1], expected) for one, expected in read if one)
    return f"{got}/{sum(max(expected, 1) for _, expected in read)} ({full})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--samples", type=Path, default=SAMPLES)
    parser.add_argument("--each", action="store_true", help="a line a file")
    parser.add_argument("--work", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work)
        return
    if not (options.samples / "expected.json").exists():
        print("skipped: the recorded answers (shared/samples beside the repository) are not here")
        return
    listed = cases(options.samples)
    answers: dict[str, list[Found | None]] = {}
    for name in READERS:
        said = ask(name, options.peers, listed)
        if isinstance(said, str):
            print(f"{name} is left out: {said}\n")
        else:
            answers[name] = said
    table(listed, answers, each=options.each)
    print("\nrecovered/expected (of them named and dated); a trap counts as one; -: not its format")


if __name__ == "__main__":
    main()
