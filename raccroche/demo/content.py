"""The fictional world: blogs, a forum, two Mastodon servers, app reviews; who says what when."""

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from raccroche.demo.brands import brands, read
from raccroche.demo.calendar import PARIS, Era, Window, between
from raccroche.demo.people import People
from raccroche.demo.texts import Stock, Written

SEED = 2015
BLOG = Window(gaps=((date(2018, 2, 5), date(2018, 3, 11)), (date(2025, 3, 3), date(2025, 3, 30))))
GAZETTE = Window(last=date(2019, 9, 30))
KIOSK = Window(first=date(2019, 3, 1))
FORUM = Window(gaps=((date(2021, 3, 1), date(2021, 4, 11)),))
FEDIVERSE = Window(first=date(2018, 4, 1), gaps=((date(2022, 7, 18), date(2022, 8, 14)),))
RELAY = Window(first=date(2023, 1, 1))
APPS = Window(first=date(2016, 1, 4))

# Shares of all posts; the blog takes the rest.
_SHARES = {
    "gazette": 0.09,
    "kiosk": 0.08,
    "forum": 0.19,
    "pouet": 0.23,
    "relay": 0.06,
    "apps": 0.15,
}
_PER_ARTICLE, _PER_TOPIC = 13, 7
_APPS = {"Mandarine": 6, "Libre": 5, "NT": 5, "Chaîne+": 4, "MUTIF": 2, "Braise Énergie": 2}
APP_NUMBERS = {firm: 990_000_001 + place for place, firm in enumerate(_APPS)}


@dataclass(frozen=True, slots=True)
class Message:
    """One post as its author wrote it; *quoted* is a passage of somebody else put above it."""

    number: int
    at: datetime
    author: str
    text: str
    title: str | None = None
    parent: int | None = None
    quoted: str | None = None
    quoted_author: str | None = None
    about: str | None = None
    rating: int | None = None
    copied: bool = False  # a bridged copy; *home* is where it was written
    home: str = ""
    accused: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """An article with its comments, or a topic of the forum (then *text* is empty)."""

    number: int
    title: str
    at: datetime
    text: str
    messages: tuple[Message, ...] = ()

    @property
    def slug(self) -> str:
        return f"{self.number}-{slug(self.title)}"


@dataclass(frozen=True, slots=True)
class World:
    """All that the fictional sites hold, oldest first, and the days that it is about."""

    era: Era
    blog: tuple[Thread, ...]
    gazette: tuple[Thread, ...]
    kiosk: tuple[Thread, ...]
    forum: tuple[Thread, ...]
    pouet: tuple[Message, ...]
    relay: tuple[Message, ...]
    apps: tuple[tuple[str, tuple[Message, ...]], ...]

    def messages(self) -> Iterator[Message]:
        for threads in (self.blog, self.gazette, self.kiosk, self.forum):
            for thread in threads:
                yield from thread.messages
        yield from self.pouet
        yield from self.relay
        for _, reviews in self.apps:
            yield from reviews

    @property
    def posts(self) -> int:
        """Messages, and the articles of the blog, which are collected too."""
        return sum(1 for _ in self.messages()) + len(self.blog)


@dataclass(slots=True)
class _Draft:
    """A thread while it is being filled."""

    number: int
    title: str
    at: datetime
    text: str = ""
    messages: list[Message] = field(default_factory=list)

    def done(self) -> Thread:
        ordered = tuple(sorted(self.messages, key=lambda m: (m.at, m.number)))
        return Thread(self.number, self.title, self.at, self.text, ordered)


@cache
def own(name: str) -> list[dict[str, Any]]:
    """The tables of data/NAME.toml, written for the demonstration."""
    rows: list[dict[str, Any]] = tomllib.loads(read(f"{name}.toml"))[name]
    return rows


def world(posts: int = 2000, seed: int = SEED, *, day: date | None = None) -> World:
    """What is told on *day* (today): the same world for the same *posts*, *seed* and *day*."""
    era = Era.told_on(day or datetime.now(PARIS).date())
    return _Builder(posts, random.Random(seed), era).world()


class _Builder:
    def __init__(self, posts: int, chance: random.Random, era: Era) -> None:
        self.era = era
        self.chance = chance
        self.stock = Stock(chance)
        self.people = People(chance)
        self.numbers = iter(range(1001, 10_000_000))
        self.many = {name: round(share * posts) for name, share in _SHARES.items()}
        self.many["blog"] = posts - sum(self.many.values())
        self.articles = iter(_repeated(own("articles")))
        self.titles = iter(_repeated(own("topics")))
        self.asides = {
            where: iter(self._shuffled(r for r in own("asides") if r["where"] == where))
            for where in ("tweet", "comment", "forum")
        }
        self.threads = self._shuffled(own("threads"))

    def _shuffled(self, rows: Any) -> list[dict[str, Any]]:
        listed = list(rows)
        self.chance.shuffle(listed)
        return listed

    def world(self) -> World:
        relay = self._relayed()
        pouet = self._statuses("pouet", FEDIVERSE, self.many["pouet"])
        copies = self.chance.sample([m for m in pouet if RELAY.holds(m.at.date())], len(relay) // 2)
        relay = _mixed(relay[len(copies) :], copies)
        return World(
            era=self.era,
            blog=self._site("blog", BLOG, articles_count=True),
            gazette=self._site("gazette", GAZETTE),
            kiosk=self._site("kiosk", KIOSK),
            forum=self._forum(),
            pouet=tuple(pouet),
            relay=tuple(relay),
            apps=tuple(self._apps()),
        )

    # One message ------------------------------------------------------------------------------

    def _text(self, shelf: str, at: datetime) -> Written:
        """Now and then an aside or a letter of our own, most often an example."""
        day = at.date()
        letter = self._letter(day) if shelf != "tweet" else None
        if letter is not None:
            return letter
        aside = next(self.asides[shelf], None) if self.chance.random() < 0.2 else None
        if aside is not None:
            return Written(aside["text"], False, named=tuple(aside.get("named", ())))
        harassment = self.chance.random() < self.era.complaint_share(day)
        wave = self.era.wave_on(day) if harassment and self.chance.random() < 0.95 else None
        return self.stock.draw(shelf, harassment, day, only=wave.firm if wave else "")

    def _letter(self, day: date) -> Written | None:
        """The text that people copied from each other at that time, some with a word added."""
        row = next((r for r in own("letters") if r["first"] <= day <= r["last"]), None)
        if row is None or self.chance.random() > row["share"]:
            return None
        added = self.chance.choice(("", "", "", *row["added"]))
        text = " ".join(f"{row['text'].strip()} {added}".split())
        accused = tuple(row.get("accused", ()))
        return Written(text, True, named=accused, accused=accused)

    def _message(self, shelf: str, at: datetime, *, place: str) -> Message:
        written = self._text(shelf, at)
        return Message(
            number=next(self.numbers),
            at=at,
            author=self.people.draw(place),
            text=written.text,
            about=written.about,
            accused=written.accused,
            named=written.named,
        )

    # Blogs and the forum ----------------------------------------------------------------------

    def _site(
        self, name: str, window: Window, *, articles_count: bool = False
    ) -> tuple[Thread, ...]:
        many = self.many[name]
        drafts = self._own_threads("comment", window, many // 3, window_title=name)
        left = many - sum(len(d.messages) for d in drafts)
        if articles_count:
            left -= len(drafts)
        count = max(1, round(left / (_PER_ARTICLE + articles_count)))
        if articles_count:
            left -= count
        when = self.era.moments(self.chance, window, left)
        articles = [self._article(at) for at in when[:: max(1, len(when) // count)][:count]]
        for at in when:
            self._comment(articles, at, shelf="comment", place=name)
        return _numbered([*drafts, *articles])

    def _article(self, at: datetime) -> _Draft:
        row = next(self.articles)
        published = at - timedelta(minutes=self.chance.randrange(5, 300))
        return _Draft(next(self.numbers), row["title"], published, row["text"])

    def _forum(self) -> tuple[Thread, ...]:
        many = self.many["forum"]
        topics = self._own_threads("forum", FORUM, many // 2, window_title="forum")
        left = many - sum(len(d.messages) for d in topics)
        fresh: list[_Draft] = []
        for at in self.era.moments(self.chance, FORUM, left):
            if not fresh or self.chance.random() < 1 / _PER_TOPIC:
                fresh.append(_Draft(next(self.numbers), next(self.titles)["title"], at))
                fresh[-1].messages.append(self._message("forum", at, place="forum"))
                continue
            self._comment(fresh, at, shelf="forum", place="forum")
        return _numbered([*topics, *fresh])

    def _comment(self, threads: Sequence[_Draft], at: datetime, *, shelf: str, place: str) -> None:
        """A message in one of the latest threads; some answer an earlier one, some quote it."""
        open_ones = [t for t in threads if t.at < at][-4:] or [threads[0]]
        thread = self.chance.choices(open_ones, range(1, len(open_ones) + 1))[0]
        message = self._message(shelf, at, place=place)
        if thread.messages and self.chance.random() < 0.18:
            answered = self.chance.choice(thread.messages)
            message = replace(message, parent=answered.number)
            if self.chance.random() < 0.4:
                passage = first_sentences(answered.text)
                message = replace(message, quoted=passage, quoted_author=answered.author)
        thread.messages.append(message)

    def _own_threads(
        self, where: str, window: Window, at_most: int, *, window_title: str
    ) -> list[_Draft]:
        """Discussions written for the demonstration that fall into *window*."""
        drafts: list[_Draft] = []
        size = 0
        for row in list(self.threads):
            day = _day_of(row)
            many = len(row["message"])
            if row["where"] != where or not window.holds(day) or size + many > at_most:
                continue
            self.threads.remove(row)
            size += many
            drafts.append(self._own_thread(row, day, window_title))
        return drafts

    def _own_thread(self, row: dict[str, Any], day: date, place: str) -> _Draft:
        (at,) = between(self.chance, day, day, 1)
        draft = _Draft(next(self.numbers), row["title"], at, row.get("text", ""))
        authors: dict[str, str] = {}
        for one in row["message"]:
            at += timedelta(minutes=self.chance.randrange(7, 60 * one.get("hours", 9)))
            author = authors.setdefault(one.get("by", ""), self.people.draw(place))
            author = author if one.get("by") else self.people.draw(place)
            source = draft.messages[one["quotes"] - 1] if "quotes" in one else None
            answered = draft.messages[one["answers"] - 1] if "answers" in one else source
            draft.messages.append(
                Message(
                    number=next(self.numbers),
                    at=at,
                    author=author,
                    text=one["text"].strip(),
                    parent=answered.number if answered else None,
                    quoted=one.get("passage") or (source.text if source else None),
                    quoted_author=source.author if source else None,
                    accused=tuple(one.get("accused", ())),
                    named=tuple(one.get("named", ())),
                )
            )
        return draft

    # The fediverse and the app store ----------------------------------------------------------

    def _statuses(self, name: str, window: Window, many: int) -> list[Message]:
        firms = {brand.handle: brand for brand in brands()}
        replies = iter(self._shuffled(own("replies")))
        found: list[Message] = []
        for at in self.era.moments(self.chance, window, many):
            message = replace(self._message("tweet", at, place=name), home=name)
            reply = next(replies, None) if found and self.chance.random() < 0.05 else None
            if reply is not None:
                handle = self.chance.choice(sorted(firms))
                text = reply["text"].replace("{auteur}", found[-1].author)
                message = replace(
                    message, author=handle, text=text, parent=found[-1].number, accused=(), named=()
                )
            found.append(message)
        return found

    def _relayed(self) -> list[Message]:
        return self._statuses("relay", RELAY, self.many["relay"])

    def _apps(self) -> Iterator[tuple[str, tuple[Message, ...]]]:
        left, total = self.many["apps"], sum(_APPS.values())
        for name, share in _APPS.items():
            many = round(self.many["apps"] * share / total)
            many = left if name == list(_APPS)[-1] else min(many, left)
            left -= many
            yield (
                name,
                tuple(self._review(name, at) for at in self.era.moments(self.chance, APPS, many)),
            )

    def _review(self, name: str, at: datetime) -> Message:
        harassment = self.chance.random() < self.era.complaint_share(at.date()) * 0.8
        written = self.stock.draw("review", harassment, at.date(), only=name)
        stars = {"negative": (1, 1, 2), "neutral": (3,), "positive": (4, 5, 5)}[written.sentiment]
        return Message(
            number=next(self.numbers),
            at=at,
            author=self.people.draw("apps"),
            text=written.text,
            title=self.chance.choice(_REVIEW_TITLES[written.sentiment]),
            about=name,
            rating=self.chance.choice(stars),
            accused=written.accused,
            named=written.named,
        )


_REVIEW_TITLES = {
    "negative": ("Déçu", "À fuir", "Bof", "Nul", "Lassé", "Dommage", "Pas content du tout", "Avis"),
    "neutral": ("Mitigé", "Correct", "Avis", "À voir", "Sans plus"),
    "positive": ("Très bien", "Merci", "Satisfaite", "Rien à dire", "Au top", "Je recommande"),
}


def _repeated(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, then again with a number behind their titles."""
    round_ = 1
    while True:
        for row in rows:
            yield row if round_ == 1 else {**row, "title": f"{row['title']} ({round_})"}
        round_ += 1


def _mixed(one: Sequence[Message], copies: Sequence[Message]) -> list[Message]:
    marked = [replace(m, copied=True) for m in copies]
    return sorted([*one, *marked], key=lambda m: (m.at, m.number))


def _numbered(drafts: Sequence[_Draft]) -> tuple[Thread, ...]:
    return tuple(draft.done() for draft in sorted(drafts, key=lambda d: d.at) if draft)


def _day_of(row: dict[str, Any]) -> date:
    day: date = row["day"]
    return day


_SENTENCE = re.compile(r"^.{20,220}?[.!?…](?=\s|$)", re.DOTALL)


def first_sentences(text: str) -> str:
    """The passage of *text* that somebody would quote: its first sentence, or its beginning."""
    found = _SENTENCE.match(text)
    return " ".join((found.group() if found else text[:160]).split())


def slug(title: str) -> str:
    """*title* as it stands in an address."""
    plain = title.casefold().translate(str.maketrans("àâäéèêëîïôöùûüçœ", "aaaeeeeiioouuuco"))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "sans-titre"
