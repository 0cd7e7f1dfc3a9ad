"""
A SQLite database of very many labelled posts, written as rows: `many_posts.py FILE 1000000`.

Posts of three years about 130 fictional firms (Zipf), of forty sites, with authors who write often,
copies, undated and foreign posts, labels, runs with gaps, alerts and two people's answers. A
million take minutes instead of hours because indexes, the search index and the count tables are
made at the end; `Store.check` finds nothing wrong with the result, which a test holds.
"""

import json
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from raccroche.post import Labels, Mention, Verdict
from raccroche.store import Alert, Filters, Store
from raccroche.store.duplicates import text_key
from raccroche.store.rows import PARIS, day_number, month_of
from raccroche.store.tables import CELLS, UNDATED, metadata, pair, posts

MODEL = "essai@1"
DAYS = 3 * 365
STRETCH = 7  # days made at a time
SITES, VIAS = 40, 12
ONSET = ("Manda", "Indi", "Cofi", "Télé", "Assur", "Éco", "Vita", "Nova", "Boré", "Sola")
CODA = ("rine", "go", "pret", "vox", "lis", "flux", "tis", "nergie", "mut", "com", "dis", "ria")
BRANDS = tuple(f"{a}{b}" for b in CODA for a in ONSET) + tuple(f"Réseau {n}" for n in range(10))
FAMILIES = 45
TOPICS = (
    *("billing", "network", "cancellation", "customer_service", "installation", "fraud"),
    *("forced_sale", "personal_data", "praise", "law_regulation", "other"),
)
SIGNALS = (
    *("excessive_frequency", "silent_call", "robocall", "masked_number", "voicemail"),
    *("forbidden_hours", "refusal_ignored", "number_rotation", "local_or_mobile_number"),
)
RELATIONS = ("customer", "former_customer", "prospect", "unknown")
CLASSES = ("mobile", "geographic", "masked", "canvassing")
HEADS = tuple(
    """
    de la le et les des je un une pas que est pour qui en du ne sur au me plus avec appel appels
    matin robot répondeur facture conseiller réseau panne contrat fibre numéro masqué client
    service box mobile encore toujours jamais démarchage ligne résiliation opérateur commercial
    semaine mois offre prix débit technicien agence
    """.split()  # noqa: SIM905
)
SYLLABLES = tuple(
    "ba bé bo cal cri da dou fer fi gra jo lan lé ma mi nou pa pla ré ri sa so ti va vi".split()  # noqa: SIM905
)
COMPLAINTS = (
    "{b} m’appelle {k} fois par jour malgré mes refus",
    "encore un appel de {b} ce matin et personne au bout du fil",
    "un robot de {b} a laissé un message sur mon répondeur",
)


@dataclass(slots=True)
class Rows:
    """What a stretch of days adds to each table, and the cells it counts for."""

    posts: list[tuple[Any, ...]] = field(default_factory=list)
    labels: list[tuple[Any, ...]] = field(default_factory=list)
    mentions: list[tuple[Any, ...]] = field(default_factory=list)
    marks: list[tuple[int, int, int]] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    arrived: Counter[tuple[str, int]] = field(default_factory=Counter)


def build(path: Path, many: int, *, seed: int = 3, end: date | None = None) -> None:
    """Make the database; *end*: its last day, by default yesterday."""
    Store.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -400000"):
            conn.execute(f"pragma {pragma}")
        later = _set_aside(conn)
        makes = Maker(many, seed, end or _yesterday())
        conn.execute("begin")
        _insert(conn, "labellers", [(1, MODEL, 0, many, many, makes.at, makes.at)])
        _insert(conn, "brands", makes.brand_rows())
        _insert(conn, "sources", makes.source_rows())
        _insert(conn, "terms", [(n, kind, name) for (kind, name), n in makes.terms.items()])
        counted = _fill(conn, makes)
        _insert(conn, "authors", ((n, f"{n:08x}") for n in range(1, makes.authors + 1)))
        _insert(conn, "counts", _count_rows(counted, makes.first_day))
        _insert(conn, "runs", _runs(makes.end))
        conn.execute("update counters set value = ? where name = 'seq'", (many,))
        conn.execute("update counters set value = 1 where name = 'version'")
        conn.execute("commit")
        for statement in later:
            _say(statement[:50])
            conn.execute(statement)
    with Store.open(path, near_duplicates=False) as store:
        _people(store, makes.end)


def _yesterday() -> date:
    return datetime.now(PARIS).date() - timedelta(1)


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _set_aside(conn: sqlite3.Connection) -> list[str]:
    """Drop indexes and triggers; the statements that bring them back, and the search index."""
    found = conn.execute(
        "select type, name, sql from sqlite_master where sql is not null "
        "and type in ('index', 'trigger') order by type, name"
    ).fetchall()
    for kind, name, _ in found:
        conn.execute(f"drop {kind} {name}")
    rebuild = "insert into posts_fts (posts_fts) values ('rebuild')"
    return [*(sql for _, _, sql in found), rebuild]


def _insert(conn: sqlite3.Connection, table: str, rows: Any) -> None:
    names = metadata.tables[table].c.keys()  # in our order: later columns stand last in the file
    places = ", ".join("?" * len(names))
    conn.executemany(f"insert into {table} ({', '.join(names)}) values ({places})", rows)


def _fill(conn: sqlite3.Connection, makes: "Maker") -> tuple[Any, Any]:
    """Write all posts; the sorted keys of the cells that count, and how often each does."""
    waiting: list[tuple[Any, Any]] = []
    arrived: Counter[tuple[str, int]] = Counter()
    for number, rows in enumerate(makes.stretches()):
        for table in ("posts", "labels", "mentions", "marks"):
            found = getattr(rows, table)
            _insert(conn, table, sorted(found) if table == "marks" else found)
        arrived += rows.arrived
        waiting.append(np.unique(np.array(rows.cells, dtype=np.int64), return_counts=True))
        if len(waiting) > 30:
            waiting = [_merged(waiting)]
        if number % 20 == 0:
            _say(f"{makes.made:,} posts")
    _insert(conn, "arrivals", [(via, day, n) for (via, day), n in arrived.items()])
    return _merged(waiting)


def _merged(parts: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    keys = np.concatenate([key for key, _ in parts])
    order = np.argsort(keys, kind="stable")
    keys, many = keys[order], np.concatenate([n for _, n in parts]).astype(np.int64)[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first], np.add.reduceat(many, first)


_DAYS, _BRANDS, _SITES = 4096, 256, 64  # room for each in the key of a cell


def _key(term: int, site: int, brand: int, day: int, cell: int) -> int:
    return (((term * _SITES + site) * _BRANDS + brand) * _DAYS + day) * len(CELLS) + cell


def _count_rows(counted: tuple[Any, Any], first_day: int) -> Iterator[tuple[int, ...]]:
    """Rows of the table counts, in the order of its key; place 0 of the days is undated."""
    keys, many = counted
    groups = keys // len(CELLS)
    first = np.flatnonzero(np.concatenate(([True], groups[1:] != groups[:-1])))
    _say(f"{len(first):,} count rows")
    for low, high in zip(first, np.append(first[1:], len(keys)), strict=True):
        group = int(groups[low])
        cells = [0] * len(CELLS)
        for at in range(low, high):
            cells[int(keys[at]) - group * len(CELLS)] = int(many[at])
        rest, place = divmod(group, _DAYS)
        rest, brand = divmod(rest, _BRANDS)
        term, site = divmod(rest, _SITES)
        day = first_day + place - 1 if place else UNDATED
        yield (1, term, site, brand, day, month_of(day), *cells)


class Maker:
    """Draws posts and their labels, day after day."""

    def __init__(self, many: int, seed: int, end: date) -> None:
        self.many, self.made, self.end = many, 0, end
        self.draw = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.start = end - timedelta(DAYS - 1)
        self.first_day = day_number(self.start)
        self.authors = max(many // 4, 10)
        self.at = int(datetime.now(UTC).timestamp() * 1_000_000)
        names = [("relation", name) for name in RELATIONS]
        names += [("topic", name) for name in ("phone_harassment", *TOPICS)]
        names += [("signal", name) for name in SIGNALS]
        names += [("number_class", name) for name in CLASSES]
        self.terms = {pair: n for n, pair in enumerate(names, start=1)}
        weights = 1 / (np.arange(len(BRANDS)) + 1.5)
        self.often = np.cumsum(weights / weights.sum())
        self.accused = [0.08 + 0.42 * self.draw.random() for _ in BRANDS]
        self.words = np.array([*HEADS, *self._rare(20_000)], dtype=object)
        frequent = 1 / (np.arange(len(self.words)) + 2.7)
        self.frequent = np.cumsum(frequent / frequent.sum())

    def _rare(self, many: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < many:
            found["".join(self.draw.choices(SYLLABLES, k=self.draw.choice((2, 3, 3, 4))))] = None
        return list(found)

    def brand_rows(self) -> list[tuple[int, str, str]]:
        return [(n, name, family_of(n - 2)) for n, name in enumerate(BRANDS, start=2)]

    def source_rows(self) -> list[tuple[int, str, str]]:
        return [(n + 1, *_site(n)) for n in range(SITES)]

    def stretches(self) -> Iterator[Rows]:
        """All posts, some days at a time; the newest days have the most."""
        growth = np.linspace(0.6, 1.4, DAYS) * (1 + 0.25 * np.sin(np.arange(DAYS) * 2 * np.pi / 7))
        a_day = self.numbers.multinomial(self.many, growth / growth.sum())
        for first in range(0, DAYS, STRETCH):
            rows = Rows()
            for place in range(first, min(first + STRETCH, DAYS)):
                self._day(rows, place, int(a_day[place]))
            yield rows

    def _day(self, rows: Rows, place: int, many: int) -> None:
        day = self.start + timedelta(place)
        noon = datetime.combine(day, clock(12), PARIS).timestamp()
        seconds = np.sort(self.numbers.triangular(4 * 3600, 18 * 3600, 86_399, many))
        lengths = np.clip(self.numbers.lognormal(3.4, 0.75, many), 3, 600).astype(int)
        drawn = np.searchsorted(self.frequent, self.numbers.random(int(lengths.sum())))
        words = self.words[np.minimum(drawn, len(self.words) - 1)].tolist()
        brands = np.minimum(
            np.searchsorted(self.often, self.numbers.random(many)), len(BRANDS) - 1
        ).tolist()
        sites = (SITES * self.numbers.random(many) ** 2).astype(int).tolist()
        authors = (1 + self.authors * self.numbers.random(many) ** 1.6).astype(int).tolist()
        at = 0
        today: list[tuple[Any, ...]] = []
        for post in range(many):
            text = " ".join(words[at : at + lengths[post]])
            at += lengths[post]
            moment = noon - 43_200 + float(seconds[post])
            dated = self.draw.random() > 0.004
            today.append(
                self._post(rows, today, text, brands[post], sites[post], authors[post],
                           moment if dated else None, place + 1 if dated else 0)
            )  # fmt: skip

    def _post(
        self,
        rows: Rows,
        today: Sequence[tuple[Any, ...]],
        text: str,
        brand: int,
        site: int,
        author: int,
        moment: float | None,
        place: int,
    ) -> tuple[Any, ...]:
        """One post and its labels into *rows*; the post's row."""
        draw = self.draw
        self.made += 1
        seq = self.made
        minute = 0 if moment is None else int(moment - _FIRST_MINUTE) // 60
        n = (minute << 27) | seq
        accused = draw.random() < self.accused[brand]
        said = draw.choice(COMPLAINTS).format(b=BRANDS[brand], k=draw.choice((2, 3, 5, 10)))
        text = f"{text} {said}" if accused else f"{BRANDS[brand]} {text}"
        key, group = text_key(text), n
        if draw.random() < 0.04 and today and moment is not None:
            copied = today[draw.randrange(len(today))]
            if copied[_TEXT_KEY] is not None and copied[_DAY] != UNDATED:
                text, key, group = copied[_TEXT], copied[_TEXT_KEY], copied[_GROUP]
        source = _site(site)[0]
        day = UNDATED if moment is None else self.first_day + place - 1
        via = f"veille-{site % VIAS}"
        rows.arrived[via, day] += 1
        row = (
            n, seq, f"{source}:{seq:08d}", site + 1, via, "comment",
            None if draw.random() < 0.02 else author,
            None if moment is None else int(moment * 1_000_000), None, day, 0,
            None if draw.random() < 0.7 else text[:60], text,
            f"https://{source.split('/')[1]}/{seq}", None, None, str(seq // 12), None,
            float(draw.randrange(1, 6)) if site % 5 == 0 else None, None, "fr", None,
            int(draw.random() < 0.01), None, None, None, self.at, key, None, group,
        )  # fmt: skip
        rows.posts.append(row)
        self._labels(rows, row, brand, place, accused=accused)
        return row

    def _labels(
        self, rows: Rows, post: tuple[Any, ...], brand: int, place: int, *, accused: bool
    ) -> None:
        draw, n = self.draw, post[0]
        others = [brand]
        if draw.random() < 0.18:
            others.append(int(np.searchsorted(self.often, draw.random())) % len(BRANDS))
        named = list(dict.fromkeys(others)) if draw.random() < 0.94 else []
        testimony = accused and draw.random() < 0.8
        topics = ["phone_harassment"] if accused else []
        topics += draw.sample(TOPICS, draw.choice((0, 1, 1, 2)))
        signals = draw.sample(SIGNALS, draw.choice((0, 1, 1, 2, 3))) if accused else []
        facts: dict[str, Any] = {}
        if accused and draw.random() < 0.4:
            facts = {
                "calls": {"min": draw.choice((1, 2, 3, 5, 10)), "max": None, "per": "day"},
                "hours": [f"{draw.choice((8, 9, 11, 13, 15, 19, 21)):02d}:00"],
                "numbers": [{"class": draw.choice(CLASSES)}],
            }
        relation = draw.choice(RELATIONS)
        sentiment = 0 if accused else draw.choice((0, 1, 1, 2))
        odds = round(0.5 + draw.random() / 2 if accused else draw.random() / 2, 3)
        refused = "too short" if draw.random() < 0.003 else None
        language = "fr" if draw.random() < 0.97 else "en"
        rows.labels.append(
            (n, 1, sentiment, int(accused), int(testimony), relation, _pack(topics),
             _pack(signals), _pack(facts), f'{{"phone_harassment":{odds},"testimony":{odds}}}',
             '[[0,12,"sig.excessive_frequency"]]' if signals else None, language, 0.98, refused,
             self.at)
        )  # fmt: skip
        units = [(0, sentiment, accused)]
        for position, other in enumerate(named):
            harassing = accused and position == 0
            feeling = 0 if harassing else draw.choice((0, 1, 1, 2))
            rows.mentions.append(
                (n, 1, other + 2, position, feeling, int(harassing),
                 "caller" if harassing else "cited", 0, odds)
            )  # fmt: skip
            units.append((other + 2, feeling, harassing))
        if accused and not named:
            units.append((1, sentiment, True))
        pairs = [("relation", relation), *(("topic", one) for one in topics)]
        pairs += [("signal", one) for one in signals]
        pairs += [("number_class", one["class"]) for one in facts.get("numbers", ())]
        told = [self.terms[pair] for pair in pairs]
        rows.marks.extend((1, term, n) for term in told)
        if refused or language != "fr" or post[_GROUP] != n:
            return
        witnessed = 6 * (testimony and not post[_BY_BRAND])
        places = [(term, site) for term in (0, *told) for site in (0, post[3])]
        places += [(pair(*both), 0) for both in combinations(told, 2)]
        for number, feeling, harassing in units:
            cell = feeling + 3 * harassing + witnessed
            rows.cells.extend(_key(term, site, number, place, cell) for term, site in places)


_FIRST_MINUTE = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
_PLACES = {column.name: place for place, column in enumerate(posts.c)}
_TEXT, _TEXT_KEY, _GROUP = _PLACES["text"], _PLACES["text_key"], _PLACES["group_n"]
_DAY, _BY_BRAND = _PLACES["day"], _PLACES["by_brand"]


def _pack(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def _site(n: int) -> tuple[str, str]:
    platform = ("mastodon", "wordpress", "discourse", "forum", "reviews")[n % 5]
    return f"{platform}/site{n:02d}.example", platform


def family_of(place: int) -> str:
    return f"groupe_{place % FAMILIES}"


def _runs(end: date) -> Iterator[tuple[Any, ...]]:
    """A run a day and configured source, with gaps and refusals."""
    number = 0
    for via in range(VIAS):
        for back in range(DAYS - 1, -1, -1):
            if (back + via * 37) % 61 in (3, 4) or (via == 2 and 120 < back < 150):
                continue
            number += 1
            at = int(datetime.combine(end - timedelta(back), clock(5), PARIS).timestamp())
            verdict = Verdict.BLOCKED if back % 40 == via else Verdict.NEW
            yield (
                number, f"veille-{via}", "wordpress", at * 1_000_000, (at + 60) * 1_000_000,
                str(verdict), 9, 0, 0, 0, 9, None, 3, 9_000, 0, "allowed", "",
            )  # fmt: skip


def _people(store: Store, end: date) -> None:
    """What people and the daily run leave: alerts, a queue, two people's answers."""
    year, week, _ = (end - timedelta(7)).isocalendar()
    store.add_alerts(
        [
            Alert(brand, "robocall", f"{year}-W{week:02d}", 40, 18.5, 31, 44, 39, 0.1)
            for brand in BRANDS[:12]
        ]
    )
    rows = store.posts(Filters(MODEL), size=300).rows
    store.add_review("random", [row.post.id for row in rows])
    for place, name in enumerate(("human:ana", "human:bob")):
        store.add_labels(
            [_answer(row.labels, name) for row in rows[place * 50 : 200] if row.labels is not None]
        )


def _answer(labels: Labels, name: str) -> Labels:
    return Labels(
        post_id=labels.post_id,
        labeller=name,
        sentiment=labels.sentiment,
        phone_harassment=labels.phone_harassment,
        testimony=labels.testimony,
        topics=labels.topics,
        signals=labels.signals,
        mentions=tuple(
            Mention(one.brand, one.sentiment, one.harassment, role=one.role)
            for one in labels.mentions
        ),
        language="fr",
        relation=labels.relation,
    )


def write_config(folder: Path, database: Path) -> Path:
    """A config.toml for that database, with the firms declared."""
    blocks = "".join(
        f'\n[[brands]]\nid = "b{at}"\nname = "{name}"\nfamily = "{family_of(at)}"\n'
        f'sector = "telecom"\naliases = ["{name.lower()}"]\n'
        for at, name in enumerate(BRANDS)
    )
    head = (
        f'[store]\nurl = "{database}"\n\n[privacy]\nkey_file = "{folder}/pseudonym.key"\n\n'
        '[dashboard]\nbanner = "Données fictives d’essai"\n'
    )
    path = folder / "config.toml"
    path.write_text(head + blocks, encoding="utf-8")
    return path


def main() -> None:
    path, many = Path(sys.argv[1]), int(sys.argv[2])
    if path.exists():
        raise SystemExit(f"{path} is there already")
    build(path, many)
    write_config(path.parent, path)


if __name__ == "__main__":
    main()
