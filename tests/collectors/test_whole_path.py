"""APIs that no real server here speaks: page after page into a database, then only what is new."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import googleplay, hackernews, stackexchange
from raccroche.config import Config
from raccroche.post import Verdict
from raccroche.store import Store
from tests.servers.collecting import collect, source, stored
from tests.servers.replaying import replaying

NOW = datetime.now(UTC).replace(microsecond=0)
OLD = 130
Query = Mapping[str, str]


@dataclass
class Api:
    """*many* posts, the first `OLD` three days old; *closed* to whoever has no account."""

    many: int = OLD
    closed: bool = False
    url: str = ""

    @property
    def newest_first(self) -> list[int]:
        return list(range(self.many, 0, -1))

    def at(self, number: int) -> datetime:
        age = timedelta(days=3) if number <= OLD else timedelta(hours=3)
        return NOW - age + timedelta(minutes=number)

    def iso(self, number: int) -> str:
        return self.at(number).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def __call__(self, path: str, query: Query, form: Query) -> tuple[int, Any]:
        return self.refuse() if self.closed else (200, self.answer(path, query, form))

    def refuse(self) -> tuple[int, Any]:
        return 401, {"error": "not_logged_in"}

    def answer(self, path: str, query: Query, form: Query) -> Any:
        raise NotImplementedError

    def settings(self) -> dict[str, object]:
        raise NotImplementedError


class Discourse(Api):
    def settings(self) -> dict[str, object]:
        return {"site": self.url}

    def refuse(self) -> tuple[int, Any]:
        return 403, {"errors": ["Il faut un compte."], "error_type": "not_logged_in"}

    def answer(self, path: str, query: Query, form: Query) -> Any:
        assert path == "/posts.json"
        last = int(query.get("before", self.many))
        numbers = [n for n in self.newest_first if last - 50 < n <= last]
        return {"latest_posts": [self.row(n) for n in numbers]}

    def row(self, n: int) -> dict[str, Any]:
        return {
            "id": n, "username": "ada", "created_at": self.iso(n), "updated_at": self.iso(n),
            "version": 1, "cooked": f"<p>message {n}</p>", "post_number": n, "post_type": 1,
            "topic_id": 9, "topic_slug": "appels", "topic_title": "Appels",
        }  # fmt: skip


class Lemmy(Api):
    def settings(self) -> dict[str, object]:
        return {"instance": self.url, "search": ["mobiloux"]}

    def answer(self, path: str, query: Query, form: Query) -> Any:
        assert path == "/api/v3/search"
        first = (int(query["page"]) - 1) * int(query["limit"])
        numbers = self.newest_first[first : first + int(query["limit"])]
        return {"type_": "All", "posts": [], "comments": [self.view(n) for n in numbers],
                "communities": [], "users": []}  # fmt: skip

    def view(self, n: int) -> dict[str, Any]:
        comment = {"id": n, "content": f"message {n}", "published": self.iso(n), "path": f"0.{n}",
                   "ap_id": f"{self.url}/comment/{n}", "deleted": False, "removed": False,
                   "post_id": 7}  # fmt: skip
        post = {"id": 7, "name": "Appels", "ap_id": f"{self.url}/post/7"}
        return {"comment": comment, "post": post, "counts": {"upvotes": 1},
                "creator": {"name": "ada", "actor_id": f"{self.url}/u/ada"}}  # fmt: skip


class PeerTube(Api):
    def settings(self) -> dict[str, object]:
        return {"instance": self.url, "search": ["mobiloux"]}

    def answer(self, path: str, query: Query, form: Query) -> Any:
        if path == "/api/v1/search/videos":
            video = {"uuid": "abcdefgh1234", "name": "Le démarchage", "publishedAt": self.iso(1),
                     "url": f"{self.url}/videos/watch/abcdefgh1234"}  # fmt: skip
            return {"total": 1, "data": [video]}
        assert path == "/api/v1/videos/abcdefgh1234/comment-threads"
        first = int(query["start"])
        numbers = self.newest_first[first : first + int(query["count"])]
        return {"total": self.many, "data": [self.comment(n) for n in numbers]}

    def comment(self, n: int) -> dict[str, Any]:
        return {
            "id": n, "url": f"{self.url}/w/abcdefgh1234;threadId={n}", "text": f"message {n}",
            "threadId": n, "inReplyToCommentId": None, "videoId": 5, "createdAt": self.iso(n),
            "updatedAt": self.iso(n), "isDeleted": False, "totalReplies": 0,
            "account": {"name": "ada", "host": "videos.example"},
        }  # fmt: skip


class StackExchange(Api):
    def settings(self) -> dict[str, object]:
        return {"site": "expatriates", "search": ["mobiloux"], "page_size": 50}

    def refuse(self) -> tuple[int, Any]:
        return 400, {"error_id": 402, "error_name": "invalid_access_token",
                     "error_message": "the token is not valid"}  # fmt: skip

    def answer(self, path: str, query: Query, form: Query) -> Any:
        if path != "/search/advanced":
            return {"items": [], "has_more": False, "quota_remaining": 250}
        since = int(query.get("min", 0))
        found = [n for n in self.newest_first if self.at(n).timestamp() >= since]
        first = (int(query["page"]) - 1) * int(query["pagesize"])
        last = first + int(query["pagesize"])
        items = [self.question(n) for n in found[first:last]]
        return {"items": items, "has_more": last < len(found), "quota_remaining": 250}

    def question(self, n: int) -> dict[str, Any]:
        at = int(self.at(n).timestamp())
        return {
            "question_id": n, "title": f"question {n}", "body": f"<p>message {n}</p>",
            "link": f"https://expatriates.stackexchange.com/questions/{n}/x", "tags": ["phone"],
            "owner": {"user_id": 2, "display_name": "Ada"}, "answer_count": 0, "score": 1,
            "creation_date": at, "last_activity_date": at,
        }  # fmt: skip


class HackerNews(Api):
    def settings(self) -> dict[str, object]:
        return {"search": ["mobiloux"], "page_size": 50}

    def answer(self, path: str, query: Query, form: Query) -> Any:
        assert path == "/search_by_date"
        since = int(query.get("numericFilters", "created_at_i>0").split(">")[1])
        found = [n for n in self.newest_first if self.at(n).timestamp() > since]
        size, page = int(query["hitsPerPage"]), int(query["page"])
        hits = [self.hit(n) for n in found[page * size : (page + 1) * size]]
        return {"hits": hits, "nbHits": len(found), "page": page, "hitsPerPage": size,
                "nbPages": -(-len(found) // size)}  # fmt: skip

    def hit(self, n: int) -> dict[str, Any]:
        return {
            "objectID": str(n), "author": "ada", "comment_text": f"message {n}",
            "created_at": self.iso(n), "created_at_i": int(self.at(n).timestamp()),
            "parent_id": 1, "story_id": 1, "story_title": "Calls", "_tags": ["comment"],
        }  # fmt: skip


class GooglePlay(Api):
    def settings(self) -> dict[str, object]:
        return {"apps": ["com.shop.example"], "right": "an app of our own"}

    def answer(self, path: str, query: Query, form: Query) -> bytes:
        asked = json.loads(json.loads(form["f.req"])[0][0][1])
        first = int(asked[1][2][2] or 0)
        numbers = self.newest_first[first : first + 50]
        token = str(first + 50) if first + 50 < self.many else None
        inner = [[self.review(n) for n in numbers], [None, token]]
        row = ["wrb.fr", "oCPfdb", json.dumps(inner), None, None, None, "generic"]
        return (")]}'\n\n" + json.dumps([row])).encode()

    def review(self, n: int) -> list[Any]:
        at = [int(self.at(n).timestamp()), 0]
        return [f"gp:{n}", ["Ada", [None]], 1, None, f"message {n}", at, 0, None, None, None, "3"]


ROOTS = {  # platforms whose address is no setting
    "stackexchange": (stackexchange, "_ROOT", ""),
    "hackernews": (hackernews, "_ROOT", ""),
    "googleplay": (googleplay, "_URL", "/batchexecute"),
}
APIS: dict[str, type[Api]] = {
    "discourse": Discourse,
    "lemmy": Lemmy,
    "peertube": PeerTube,
    "stackexchange": StackExchange,
    "hackernews": HackerNews,
    "googleplay": GooglePlay,
}


def configured(folder: Path, name: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> Config:
    if name in ROOTS:
        module, constant, path = ROOTS[name]
        monkeypatch.setattr(module, constant, api.url + path)
    return source(folder, name, api.url, api.settings())


@pytest.mark.parametrize("name", APIS)
def test_every_page_is_stored_then_nothing_then_what_is_new(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = APIS[name]()
    with replaying(api) as server:
        api.url = server.url
        loaded = configured(tmp_path, name, api, monkeypatch)
        first, second = collect(loaded), collect(loaded)
        api.many += 3
        third = collect(loaded)

    assert (first.verdict, first.new) == (Verdict.NEW, OLD), first.message
    assert first.requests > 2
    assert (second.verdict, second.new) == (Verdict.NOTHING_NEW, 0)
    assert second.requests < first.requests
    assert (third.verdict, third.new) == (Verdict.NEW, 3)
    found = {post.text.removeprefix("question ") for post in stored(loaded).values()}
    assert found == {f"message {n}" for n in range(1, OLD + 4)}


@pytest.mark.parametrize(
    "name", [name for name in APIS if name not in ("hackernews", "googleplay")]
)
def test_a_door_that_closes_is_a_login_wall_and_what_was_read_stays(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = APIS[name](many=20)
    with replaying(api) as server:
        api.url = server.url
        loaded = configured(tmp_path, name, api, monkeypatch)
        collect(loaded)
        api.closed = True
        run = collect(loaded)

    assert (run.verdict, run.new) == (Verdict.LOGIN_WALL, 0), run.message
    assert len(stored(loaded)) == 20


def test_a_portal_s_months_are_a_series_that_a_second_run_corrects(tmp_path: Path) -> None:
    months = [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(130)]
    counts = {month: 10 for month in months}

    def portal(path: str, query: Query, form: Query) -> tuple[int, Any]:
        assert path == "/api/explore/v2.1/catalog/datasets/signalconso/records"
        first = int(query["offset"])
        asked = months[first : first + int(query["limit"])]
        return 200, {"results": [{"period": month, "n": counts[month]} for month in asked]}

    with replaying(portal) as server:
        loaded = source(tmp_path, "opendatasoft", server.url, {"portal": server.url})
        first = collect(loaded)
        counts[months[4]] = 12
        second = collect(loaded)
    assert (first.got, first.requests, first.new) == (130, 2, 0)
    assert second.verdict == Verdict.NOTHING_NEW
    with Store.open(loaded.store_url) as store:
        values = {str(row.period)[:7]: row.value for row in store.series()}
    assert values == counts
