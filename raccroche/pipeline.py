"""The loops: sources to posts, posts to labels, once and safe to repeat."""

import asyncio
import gc
import logging
import os
import re
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol

from collectors.contract import (
    ONLY_BRANDS,
    Source,
    obeys_robots,
    session_headers,
    trusted_hosts,
)
from collectors.table import sources
from collectors.whole import parsed
from nlp.lexicon import french
from nlp.text import words
from nlp.types import Labeller, Text
from nlp.types import Labels as NlpLabels
from raccroche.config import Config, SourceConfig, with_secrets
from raccroche.errors import (
    BudgetSpent,
    ConfigError,
    FetchError,
    RaccrocheError,
    SourceError,
)
from raccroche.http import Budget, Client, Session
from raccroche.labelling import brand_table, family_of
from raccroche.post import Added, Answer, Labels, Mention, Page, Post, Request, Run, State, Verdict
from raccroche.privacy import Pseudonyms, admitted, pseudonyms
from raccroche.store import Answered, SeriesValue, Store, StoredPost

log = logging.getLogger(__name__)

# A failure of one of many pages of a source; the others go on.
_PAGE_ONLY = frozenset({404, 410})
# What a page may say that makes asking for more of this source pointless.
_WALLS = frozenset({Verdict.LOGIN_WALL, Verdict.BLOCKED, Verdict.RATE_LIMITED})
# After so many pages that failed in one run, it ends: fewer may be faults of these pages.
_MOST_BROKEN = 3
# How long a page at hand may still take when the run is to stop, in seconds: a server that dawdles,
# or a wait that one asked for, may last a quarter of an hour.
GRACE = 5.0


class Progress(Protocol):
    """What a terminal shows while sources are read: called after every page."""

    def __call__(self, source: str, *, got: int, new: int, declared: int | None) -> None: ...


def silent(source: str, *, got: int, new: int, declared: int | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Job:
    """One configured source, checked and ready to run."""

    config: SourceConfig
    platform: Source
    settings: Any


@dataclass(slots=True)
class Tally:
    """What a source gave so far in this run."""

    added: Added = Added()
    got: int = 0
    declared: dict[str, int] = field(default_factory=dict)
    verdict: Verdict | None = None
    messages: list[str] = field(default_factory=list)

    def fail(self, verdict: Verdict, message: str) -> None:
        self.verdict = self.verdict or verdict
        self.messages.append(message)

    @property
    def declared_total(self) -> int | None:
        return sum(self.declared.values()) if self.declared else None


# --------------------------------------------------------------------------------------- collect


def jobs(config: Config, only: Sequence[str] = ()) -> list[Job]:
    """
    The enabled sources of *config* (or those named in *only*), each with its settings validated.

    Raises ConfigError before any request: unknown source or platform, missing purpose, bad setting.
    """
    known = {source.name: source for source in config.sources}
    for name in only:
        if name not in known:
            raise ConfigError(
                f"{config.path}: no source {name!r}; known: {', '.join(sorted(known)) or 'none'}"
            )
    chosen = [known[name] for name in only] or [s for s in config.sources if s.enabled]
    return [_job(source, config) for source in chosen]


def _job(source: SourceConfig, config: Config) -> Job:
    where = f"{config.path}: [sources.{source.name}]"
    if source.platform not in sources():
        raise ConfigError(
            f"{where} unknown platform {source.platform!r}; known: {', '.join(sorted(sources()))}"
        )
    if not source.enabled:
        raise ConfigError(f"{where} is not enabled; set enabled = true and say its purpose")
    if not source.purpose.strip():
        raise ConfigError(f"{where} purpose is missing: say what these posts are collected for")
    platform = sources()[source.platform]
    try:
        settings = platform.Settings(**with_secrets(source, config.path).settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where} {_setting_error(error)}") from error
    return Job(source, platform, settings)


def _setting_error(error: Exception) -> str:
    """Python's words for a wrong keyword, in ours."""
    text = re.sub(r"^\w+\.__init__\(\) ", "", str(error))
    if "unexpected keyword argument" in text:
        return "unknown setting " + text.rsplit(" ", 1)[-1]
    if "required" in text and "argument" in text:
        return "missing setting " + text.split(": ", 1)[-1]
    return text


async def collect(
    config: Config,
    store: Store,
    client: Client,
    *,
    only: Sequence[str] = (),
    since: datetime | None = None,
    progress: Progress = silent,
    stop: asyncio.Event | None = None,
) -> list[Run]:
    """
    Ask every enabled source, side by side, and store what is new; one `Run` each.

    A source that fails stops no other: its failure is its verdict. A store that fails stops all.
    *stop* ends each source after the page at hand; the next run goes on from there.
    """
    todo = jobs(config, only)
    names = pseudonyms(config, store)
    gate = asyncio.Semaphore(config.collect.concurrency)

    async def one(job: Job) -> Run:
        async with gate:
            collector = Collector(config, store, client, job, names, progress, stop)
            return await collector.run(since)

    try:
        with seldom_swept():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(job)) for job in todo]
    except ExceptionGroup as failed:
        raise _said(failed) from failed
    return [task.result() for task in tasks]


_SWEEP_AFTER = 20_000  # objects made and not gone; Python's own is 700


@contextmanager
def seldom_swept() -> Iterator[None]:
    """
    Look for garbage in cycles seldom, and never among what was there before.

    A page makes thousands of objects and hardly a cycle: looking costs a fifth of its CPU.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_SWEEP_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _said(failed: "ExceptionGroup[Exception]") -> Exception:
    """The first error where all were raised on purpose (a full disk meets every source at once)."""
    said, others = failed.split(RaccrocheError)
    if said is None or others is not None:
        return failed
    first: Exception = said
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


class Collector:
    """One run of one source: walks its pages and stores each with its cursor in one transaction."""

    def __init__(
        self,
        config: Config,
        store: Store,
        client: Client,
        job: Job,
        names: Pseudonyms,
        progress: Progress,
        stop: asyncio.Event | None,
    ) -> None:
        self.config = config
        self.store = store
        self.job = job
        self.name = job.config.name
        self.names = names
        self.progress = progress
        self.stop = stop
        self.since: datetime | None = None
        self.walled = False
        self.only_news = False
        self.left = False
        self.broken = 0
        self.queue: deque[Request] = deque()
        self.tally = Tally()
        self.session: Session = client.session(
            self.name,
            headers=session_headers(job.platform, job.settings),
            budget=_budget(config, job.config),
            hosts=trusted_hosts(job.platform, job.settings),
            robots=obeys_robots(job.platform, job.settings),
        )

    async def run(self, since: datetime | None) -> Run:
        """
        Walk, then record what came of it. This is the only place where a source's failure is
        caught.
        """
        started = datetime.now(UTC)
        self.since = since
        cursor = self.store.cursor(self.name)
        overlap = timedelta(hours=self.config.collect.overlap_hours)
        state = State(cursor, since or self._last_ok(overlap), started)
        self.only_news = self._asks_only_for_news(state)
        try:
            async with self._until_stopped():
                await self._walk(state)
        except TimeoutError:
            self._leave("interrupted")
        except BudgetSpent as error:
            self._leave("budget spent", f": {error}")
        except FetchError as error:
            self.tally.fail(Verdict(error.verdict), str(error))
        except SourceError as error:
            self.tally.fail(Verdict.LAYOUT_CHANGED, str(error))
        run = self._result(started, first=not cursor)
        self.store.record_run(run)
        log.info("%s: %s, %d new of %d", run.source, run.verdict, run.new, run.got)
        return run

    def _last_ok(self, overlap: timedelta) -> datetime | None:
        """
        Where to read from: the start of the last good run, less the overlap for late and edited
        posts.
        """
        good = next((r for r in self.store.runs(source=self.name) if r.verdict.ok), None)
        return good.started_at - overlap if good else None

    def _asks_only_for_news(self, state: State) -> bool:
        """Whether the platform is asked for less than the first time: then no post is no fault."""
        ask = self.job.platform.requests
        beginning = replace(state, since=None)
        return list(ask(self.job.settings, state)) != list(ask(self.job.settings, beginning))

    async def _walk(self, state: State) -> None:
        first = list(self.job.platform.requests(self.job.settings, state))
        queue = self.queue = deque([*first, *_without(self.store.pending(self.name), first)])
        seen: set[str] = set()
        while queue and not self.walled:
            if self.stop and self.stop.is_set():
                self._leave("interrupted")
                return
            request = queue[0]
            asked = (request.method, request.url, sorted(request.params.items()))
            key = repr((*asked, request.json, request.form))
            if key in seen:  # a page that names itself, or an earlier one, as the next
                self.store.add_page(self.name, [], done=queue.popleft())
                continue
            seen.add(key)
            try:
                following = await self._page(request, state)
            except (FetchError, SourceError) as error:
                if request in first or not self._go_on_without(error):
                    raise
                following = []
            queue.popleft()
            queue.extend(following)

    def _go_on_without(self, error: FetchError | SourceError) -> bool:
        """
        Whether the other pages are asked after one failed, which is asked again in the next run: a
        page that fails for good must not keep what comes after it away for ever.
        """
        verdict = Verdict.LAYOUT_CHANGED
        if isinstance(error, FetchError):
            verdict = Verdict(error.verdict)
        self.broken += 1
        if isinstance(error, BudgetSpent) or verdict in _WALLS or self.broken >= _MOST_BROKEN:
            return False
        self.tally.fail(verdict, str(error))
        return True

    def _leave(self, why: str, more: str = "") -> None:
        """
        Keep what was not asked for the next run, which would else begin where this one did: a run
        that was cut short by us is no failure.
        """
        self.store.add_page(self.name, [], pending=[r for r in self.queue if not r.transient])
        self.left = True
        self.tally.messages.append(f"{why}, the rest is left for the next run{more}")

    @asynccontextmanager
    async def _until_stopped(self) -> AsyncIterator[None]:
        """TimeoutError where the block lasts for longer than `GRACE` after *stop* was set."""
        if self.stop is None:
            yield
            return
        stop = self.stop
        async with asyncio.timeout(None) as limit:

            async def watch() -> None:
                await stop.wait()
                limit.reschedule(asyncio.get_running_loop().time() + GRACE)

            watching = asyncio.create_task(watch())
            try:
                yield
            finally:
                watching.cancel()

    async def _page(self, request: Request, state: State) -> list[Request]:
        """Fetch, parse and store one page; return what to ask after it."""
        try:
            answer = await self.session.fetch(request)
        except FetchError as error:
            if error.status in _PAGE_ONLY and not request.transient:
                self.store.add_page(self.name, [], done=request)
                self.tally.messages.append(str(error))
                if self.tally.got == 0 and request.phase == "":
                    self.tally.verdict = self.tally.verdict or Verdict(error.verdict)
                return []
            if error.verdict == Verdict.REFUSED_BY_ROBOTS:
                self.store.add_page(self.name, [], done=request)
                self.tally.fail(Verdict.REFUSED_BY_ROBOTS, str(error))
                return []
            raise
        if answer.status == 304:
            self.store.add_page(self.name, [], done=request)
            return []
        page = page_of(self.config, self.job.platform, answer)
        return self._store(request, answer, page, state)

    def _store(self, request: Request, answer: Answer, page: Page, state: State) -> list[Request]:
        self.session.headers.update(page.session)
        came = [self._of_here(post, answer) for post in page.posts]
        posts = admitted(self.config, came, self.names)
        if self.since is not None:
            posts = [p for p in posts if p.published_at is None or p.published_at >= self.since]
        failed = page.verdict is not None and not page.verdict.ok
        added = self.store.add_page(
            self.name,
            posts,
            cursor={} if failed else page.cursor,
            done=None if failed else request,  # a page that failed is asked again next time
            pending=page.next,
            deleted=page.deleted,
        )
        following = list(page.next)
        if self._read_enough(page.posts, added, state):
            following = [r for r in page.next if not r.only_while_new]
            for dropped in (r for r in page.next if r.only_while_new):
                self.store.add_page(self.name, [], done=dropped)
        if page.series:
            self.store.put_series(SeriesValue(*row, source=self.name) for row in page.series)
        self._count(request, answer, page, added)
        # Only now, and only of a page that leads to nothing but its elders: a 304 must hide neither
        # posts that were lost nor new ones on a page behind it.
        if not failed and all(request.only_while_new for request in page.next):
            self.session.keep(answer)
        if page.verdict in _WALLS:
            self.walled = True
        return following

    def _read_enough(self, posts: Sequence[Post], added: Added, state: State) -> bool:
        """
        Whether older pages need not be asked: nothing new here, and past the overlap.

        A page with anything new goes on, however old, so that an interrupted history is filled;
        only a date given by the user ends it for good.
        """
        if not posts:
            return False
        if self.since is not None and _all_older(posts, self.since):
            return True
        return not added.new and (state.since is None or _all_older(posts, state.since))

    def _of_here(self, post: Post, answer: Answer) -> Post:
        context = post.context_brand or answer.context.get("context_brand")
        return replace(post, via=self.name, context_brand=context)

    def _count(self, request: Request, answer: Answer, page: Page, added: Added) -> None:
        tally = self.tally
        tally.added = tally.added + added
        tally.got += len(page.posts) + len(page.series)
        if page.declared is not None:
            key = request.context.get("thread") or answer.url.split("?")[0]
            tally.declared[key] = max(page.declared, tally.declared.get(key, 0))
        if page.verdict is not None and not page.verdict.ok:
            tally.fail(page.verdict, page.note or f"the page at {answer.url} says so")
        elif page.note:
            tally.messages.append(page.note)
        self.progress(self.name, got=tally.got, new=tally.added.new, declared=tally.declared_total)

    def _result(self, started: datetime, *, first: bool) -> Run:
        tally, session = self.tally, self.session
        verdict = tally.verdict or self._plain_verdict(first)
        return Run(
            source=self.name,
            platform=self.job.platform.PLATFORM,
            started_at=started,
            finished_at=datetime.now(UTC),
            verdict=verdict,
            new=tally.added.new,
            known=tally.added.known,
            edited=tally.added.edited,
            deleted=tally.added.deleted,
            got=tally.got,
            declared=tally.declared_total,
            requests=session.requests,
            bytes=session.bytes,
            not_modified=session.not_modified,
            robots=session.robots,
            message="; ".join(dict.fromkeys(tally.messages))[:2000],
        )

    def _plain_verdict(self, first: bool) -> Verdict:
        """
        `new` or `nothing_new`; `layout_changed` where history, or the page, says there should be
        posts.
        """
        tally = self.tally
        if tally.added.new:
            return Verdict.NEW
        if self.left:  # what was not asked says nothing
            return Verdict.NOTHING_NEW
        if tally.got == 0 and (tally.declared_total or 0) > 0 and first:
            tally.messages.append(f"declared {tally.declared_total}, got 0")
            return Verdict.LAYOUT_CHANGED
        silent_now = tally.got == 0 and not self.only_news and not self.session.not_modified
        if silent_now and first and self._gave_before():
            tally.messages.append("this source gave posts before and now gives none")
            return Verdict.LAYOUT_CHANGED
        return Verdict.NOTHING_NEW

    def _gave_before(self) -> bool:
        return any(run.got > 0 for run in self.store.runs(source=self.name))


def page_of(config: Config, platform: Source, answer: Answer) -> Page:
    """What *answer* holds; of a stream of everything, the posts that name a brand."""
    page = parsed(platform, answer)
    if ONLY_BRANDS not in answer.context:
        return page
    return replace(page, posts=tuple(p for p in page.posts if _names_a_brand(config, p.text)))


def _names_a_brand(config: Config, text: str) -> bool:
    read = words(text)
    return bool(brand_table(config).find(read, text, french().encode(read.forms)))


def _budget(config: Config, source: SourceConfig) -> Budget:
    common = config.collect
    return Budget(
        requests=source.budget_requests or common.budget_requests,
        bytes=int((source.budget_mb or common.budget_mb) * 1_000_000),
        minutes=source.budget_minutes or common.budget_minutes,
    )


def _without(pending: Iterable[Request], first: Sequence[Request]) -> list[Request]:
    asked = {(r.url, tuple(sorted(r.params.items()))) for r in first}
    return [r for r in pending if (r.url, tuple(sorted(r.params.items()))) not in asked]


def _all_older(posts: Sequence[Post], since: datetime | None) -> bool:
    """Whether a page is wholly from before *since*; a page with an undated post is not."""
    if since is None or not posts:
        return False
    return all(post.published_at is not None and post.published_at < since for post in posts)


# ----------------------------------------------------------------------------------------- label


def label(
    config: Config,
    store: Store,
    labeller: Labeller,
    *,
    batch_size: int = 512,
    progress: Callable[[int], None] = lambda done: None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """
    Label every post that *labeller*, in this version, has not seen; return how many.

    Several processes may do so at once: none labels what another has in hand. [nlp] workers
    processes share each batch.
    """
    name = labeller_id(labeller)
    done = 0
    with store.queue(name) as queue, _shared(labeller, config.nlp.workers) as labelled:
        while not stop() and (batch := queue.take(batch_size)):
            texts = _as_texts(store, batch)
            store.add_labels(
                [
                    as_labels(config, post, labels, name)
                    for post, labels in zip(batch, labelled(texts), strict=True)
                ]
            )
            done += len(batch)
            progress(len(batch))
    return done


def _as_texts(store: Store, batch: Sequence[StoredPost]) -> list[Text]:
    above = store.answered({parent_id(post) for post in batch if post.parent})
    threads = store.thread_texts(batch)
    return [as_text(post, above.get(parent_id(post)), threads.get(post.id, ())) for post in batch]


@contextmanager
def _shared(
    labeller: Labeller, workers: int
) -> Iterator[Callable[[Sequence[Text]], Iterable[NlpLabels]]]:
    """*labeller*'s `label`, or one that shares texts among as many processes, in order."""
    if workers < 2:
        yield labeller.label
        return
    # spawned, not forked: the threads of a scheduler or a database do not survive a fork
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(labeller,)
    ) as pool:

        def label_all(texts: Sequence[Text]) -> Iterable[NlpLabels]:
            size = -(-len(texts) // workers)
            parts = [texts[at : at + size] for at in range(0, len(texts), size)]
            with _children_deaf_to_ctrl_c():
                found = pool.map(_label_part, parts)
            return chain.from_iterable(found)

        yield label_all


_WORKING: list[Labeller] = []  # the labeller of a worker process


def _start_worker(labeller: Labeller) -> None:
    _WORKING[:] = [labeller]
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for ever."""
    if parent := parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def _children_deaf_to_ctrl_c() -> Iterator[None]:
    """
    A terminal sends Ctrl-C to all processes at once. The parent ends its batch; processes begun
    here, which inherit what the thread blocks, make their part of it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _label_part(texts: Sequence[Text]) -> list[NlpLabels]:
    return list(_WORKING[0].label(texts))


def labeller_id(labeller: Labeller) -> str:
    """`name@version`: the key of its labels, so that a new version labels everything again."""
    return f"{labeller.name}@{labeller.version}"


def parent_id(post: StoredPost) -> str:
    """The id of the post that *post* answers, which is of the same place."""
    return f"{post.source}:{post.parent}"


def as_text(post: StoredPost, above: Answered | None = None, thread: Sequence[str] = ()) -> Text:
    """
    A stored post as the classifier takes it, beside what its markup quotes, the post *above* that
    it answers, and texts of its *thread*: those of which it repeats a passage.
    """
    answered = [above.text] if above is not None and above.text else []
    return Text(
        id=post.id,
        text=post.text,
        title=post.title,
        context_brand=post.context_brand,
        kind=str(post.kind),
        published_at=post.published_at.date() if post.published_at else None,
        thread_title=post.thread_title,
        reply_to_brand=post.reply_to_brand or (above.brand if above is not None else None),
        others=(*post.quoted, *answered, *_repeated(post.text, thread)),
    )


_PASSAGE = re.compile(r"[^.!?\n\u2026]{30,}")  # the classifier asks for forty characters


def _repeated(text: str, others: Sequence[str]) -> list[str]:
    """Those of *others* of which *text* repeats a passage."""
    if not others:
        return []
    passages = [found.strip() for found in _PASSAGE.findall(text)]
    return [one for one in others if any(passage in one for passage in passages)]


def as_labels(config: Config, post: StoredPost, labels: NlpLabels, name: str) -> Labels:
    """What the classifier said, as the store keeps it."""
    day = post.published_at.date() if post.published_at else None
    return Labels(
        post_id=post.id,
        labeller=name,
        sentiment=labels.sentiment,
        phone_harassment=labels.phone_harassment,
        testimony=labels.testimony and not post.by_brand,
        topics=labels.topics,
        signals=labels.signals,
        mentions=tuple(
            Mention(
                brand=brand,
                sentiment=one.sentiment,
                harassment=one.harassment,
                role=one.role,
                inherited=one.inherited,
                probability=one.probability,
                family=family_of(config, brand, day),
            )
            for brand, one in labels.brands.items()
        ),
        facts=labels.facts.to_dict(),
        probabilities=labels.probabilities,
        spans=labels.spans,
        language=labels.language,
        language_probability=labels.language_probability,
        refused=labels.refused,
    )
