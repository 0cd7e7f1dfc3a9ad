"""Posts that brands' accounts wrote, or that answer them: kept as brands, never as people."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import bluesky, discourse, mastodon, reddit, x
from collectors.html import host
from raccroche import pipeline
from raccroche.accounts import brand_of, with_brand_accounts
from raccroche.config import BrandConfig, Config
from raccroche.http import Client
from raccroche.labelling import load_labeller
from raccroche.post import Answer, Labels, Post
from raccroche.store import Store, StoredPost
from tests.servers.collecting import configured, source_table
from tests.servers.mastodon import Mastodon
from tests.servers.mastodon import mastodon as running

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
HANDLES = ("exemplis", "did:plc:exemplis", "exemplis.example", "exemplis@social.example",
           "reddit:exemplis_tel", "discourse:Conseiller_Exemplis", "mastodon:exemplis_partout",
           "youtube:Exemplis")  # fmt: skip
BRAND = BrandConfig("exemplis", "Exemplis", sector="telecom", handles=HANDLES)
CONFIG = replace(Config(Path("config.toml")), brands=(BRAND,))
ANGRY = "dix appels par jour de votre part, c'est du harcèlement téléphonique, arrêtez !"


def parsed(module: Any, url: str, data: Any) -> dict[str, Post]:
    """The posts of an answer, as the pipeline sees them before they are stored."""
    page = module.parse(Answer(url, json.dumps(data).encode()))
    return {post.native_id: post for post in with_brand_accounts(CONFIG, page.posts)}


# Which account is which brand's -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "account"),
    [
        ("x", "@Exemplis"),
        ("mastodon", "exemplis@social.example"),
        ("activitypub", "exemplis@social.example"),
        ("mastodon", "exemplis_partout@any.example"),
        ("youtube", "@exemplis"),
        ("bluesky", "exemplis.example"),
        ("bluesky", "did:plc:exemplis"),
        ("reddit", "Exemplis_Tel"),
        ("discourse", "conseiller_exemplis"),
    ],
)
def test_an_account_of_the_table_is_the_brand_s(platform: str, account: str) -> None:
    assert brand_of(CONFIG, platform, account) == "Exemplis"


@pytest.mark.parametrize(
    ("platform", "account"),
    [
        # a name without its server or platform is an account on X: elsewhere anybody may have it
        ("reddit", "exemplis"),
        ("wordpress", "exemplis"),
        ("mastodon", "exemplis@joke.example"),
        ("mastodon", "exemplis"),
        ("bluesky", "exemplis.bsky.social"),
        ("telegram", "Exemplis"),
        ("wordpress", "exemplis@social.example"),  # an address where names are free
        ("lemmy", "exemplis_partout@any.example"),
        ("x", "exemplis_tel"),
        ("x", "exemplis.bsky.example"),
        ("x", ""),
        ("x", None),
    ],
)
def test_everybody_else_is_a_person(platform: str, account: str | None) -> None:
    assert brand_of(CONFIG, platform, account) is None


# What the platforms tell --------------------------------------------------------------------------


def tweet(number: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "text": text, "author_id": "7", **more}


def test_on_x_the_user_who_is_answered_tells() -> None:
    found = parsed(
        x,
        "https://api.x.com/2/tweets/search/recent",
        {
            "data": [
                tweet("1", "@exemplis bonjour", in_reply_to_user_id="8"),
                tweet("2", "@exemplis @zoe oui", in_reply_to_user_id="9"),
            ],
            "includes": {"users": [{"id": "8", "username": "Exemplis"},
                                   {"id": "9", "username": "zoe"}]},
        },
    )  # fmt: skip
    assert (found["1"].reply_to_brand, found["2"].reply_to_brand) == ("Exemplis", None)
    assert found["1"].reply_to is None


def test_x_is_asked_who_is_answered() -> None:
    settings = x.Settings(search=("exemplis",), token="t")
    (asked,) = x.requests(settings, pipeline.State())
    assert "in_reply_to_user_id" in asked.params["tweet.fields"]
    assert "in_reply_to_user_id" in asked.params["expansions"]


def status(number: str, text: str, author: str = "zoe", **more: Any) -> dict[str, Any]:
    at = f"2026-09-01T08:{int(number):02}:00Z"
    account = {"id": author, "acct": author, "url": f"https://social.example/@{author}"}
    return {"id": number, "uri": f"https://social.example/{number}", "created_at": at,
            "content": f"<p>{text}</p>", "visibility": "public", "account": account,
            **more}  # fmt: skip


def test_on_mastodon_the_account_that_is_answered_is_among_those_mentioned() -> None:
    mentions = [{"id": "5", "acct": "ami@a.example"}, {"id": "8", "acct": "exemplis"},
                {"id": "9", "acct": "exemplis@joke.example"}]  # fmt: skip
    found = parsed(
        mastodon,
        "https://social.example/api/v1/timelines/tag/x",
        [
            status("1", "@exemplis @ami non", in_reply_to_id="90", in_reply_to_account_id="8",
                   mentions=mentions),
            status("2", "@exemplis @ami non", in_reply_to_id="91", in_reply_to_account_id="5",
                   mentions=mentions),
            status("3", "@exemplis non", in_reply_to_id="92", in_reply_to_account_id="9",
                   mentions=mentions),
            status("4", "@exemplis vous exagérez", in_reply_to_id="93"),  # of which server?
            status("5", "@exemplis@social.example vous exagérez", in_reply_to_id="93"),
            status("6", "@exemplis@social.example vous exagérez"),
        ],
    )  # fmt: skip
    told = {number: post.reply_to_brand for number, post in found.items()}
    assert told == {"1": "Exemplis", "5": "Exemplis", **dict.fromkeys("2346")}


def skeet(did: str, key: str, text: str, parent: str | None = None) -> dict[str, Any]:
    record: dict[str, Any] = {"text": text, "createdAt": "2026-09-01T08:00:00Z"}
    if parent:
        record["reply"] = {"parent": {"uri": parent}, "root": {"uri": parent}}
    return {"uri": f"at://{did}/app.bsky.feed.post/{key}", "record": record,
            "author": {"did": did, "handle": f"{did.rsplit(':')[-1]}.example"}}  # fmt: skip


def test_on_bluesky_the_parent_s_author_tells_by_handle_or_by_did() -> None:
    others = "at://did:plc:exemplis/app.bsky.feed.post/k0"
    friend = "at://did:plc:ami/app.bsky.feed.post/k1"
    found = parsed(
        bluesky,
        "https://api.bsky.example/xrpc/app.bsky.feed.searchPosts",
        {
            "posts": [
                skeet("did:plc:a", "1", "non merci", others),
                skeet("did:plc:b", "2", "d'accord", friend),
                skeet("did:plc:c", "3", "@exemplis.example et moi ?", friend),
            ]
        },
    )
    told = [post.reply_to_brand for post in found.values()]
    assert told == ["Exemplis", None, "Exemplis"]


def test_on_discourse_the_user_who_is_answered_tells() -> None:
    row = {"id": 2, "topic_id": 1, "post_number": 2, "cooked": "<p>Merci bien</p>",
           "username": "zoe", "created_at": "2026-09-01T08:00:00Z",
           "reply_to_user": {"username": "Conseiller_Exemplis"}}  # fmt: skip
    found = parsed(
        discourse, "https://forum.example/t/1.json", {"id": 1, "post_stream": {"posts": [row]}}
    )
    assert found["2"].reply_to_brand == "Exemplis"


def comment(name: str, author: str, parent: str) -> dict[str, Any]:
    return {"kind": "t1", "data": {"id": name, "name": f"t1_{name}", "author": author,
            "body": "Bonjour à tous", "created_utc": 1788249600, "parent_id": parent,
            "link_id": "t3_a", "permalink": f"/r/x/comments/a/{name}/",
            "subreddit": "x"}}  # fmt: skip


def test_on_reddit_the_author_of_the_comment_above_tells() -> None:
    rows = [comment("b", "Exemplis_tel", "t3_a"), comment("c", "zoe", "t1_b")]
    found = parsed(
        reddit,
        "https://oauth.reddit.com/r/x/comments",
        {"kind": "Listing", "data": {"children": rows}},
    )
    answers = {post.text: post for post in found.values() if post.parent and post.author == "zoe"}
    assert [post.reply_to_brand for post in answers.values()] == ["Exemplis"]
    assert {post.author: post.author_brand for post in found.values()} == {
        "Exemplis_tel": "Exemplis",
        "zoe": None,
    }


# The whole path -----------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Mastodon]:
    with running() as server:
        yield server


def config(folder: Path, site: Mastodon) -> Config:
    return configured(
        folder,
        [site.url],
        """
[nlp]
labeller = "rules"
[[brands]]
id = "exemplis"
name = "Exemplis"
sector = "telecom"
handles = ["exemplis@"""
        + host(site.url)
        + """"]
"""
        + source_table("tag", "mastodon", instance=site.url, tags=["demarchage"], page_size=5),
    )


def collect(loaded: Config) -> dict[str, StoredPost]:
    async def run() -> None:
        allowed = loaded.collect.allow_hosts
        with Store.open(loaded.store_url) as store:
            async with Client("a@example.org", "t/1", allow_hosts=allowed, polite=False) as client:
                await pipeline.collect(loaded, store, client)

    asyncio.run(run())
    with Store.open(loaded.store_url) as store:
        return {post.native_id: post for post in store.unlabelled("nobody@1", 100)}


def label(loaded: Config) -> dict[str, Labels]:
    labeller = load_labeller(loaded)
    with Store.open(loaded.store_url) as store:
        pipeline.label(loaded, store, labeller, batch_size=3)
        found = store.labels_by(pipeline.labeller_id(labeller))
    return {one.post_id.rsplit(":", 1)[-1]: one for one in found}


def say(site: Mastodon, number: int, text: str, author: str, **more: Any) -> None:
    site.add(number, text, START + timedelta(minutes=number), author)
    site.statuses[-1].update(more)


def accused(labels: Mapping[str, Labels], number: str) -> list[str]:
    return [one.brand for one in labels[number].mentions if one.harassment]


def test_a_reply_to_a_brand_s_account_accuses_that_brand(tmp_path: Path, site: Mastodon) -> None:
    mention = [{"id": "8", "acct": "exemplis"}]
    say(site, 1, ANGRY, "zoe")
    say(site, 2, ANGRY + " (2)", "max", in_reply_to_id="900", in_reply_to_account_id="8",
        mentions=mention)  # fmt: skip
    loaded = config(tmp_path, site)

    stored = collect(loaded)
    labels = label(loaded)

    assert {n: post.reply_to_brand for n, post in stored.items()} == {"1": None, "2": "Exemplis"}
    assert accused(labels, "1") == []
    assert accused(labels, "2") == ["Exemplis"]
    written = (tmp_path / "db.sqlite3").read_bytes().lower()
    assert b"max@" not in written
    assert b"exemplis@" not in written


def test_the_brand_s_own_post_tells_whom_a_reply_met_later_answers(
    tmp_path: Path, site: Mastodon
) -> None:
    say(site, 1, "Bonjour, une question sur votre contrat ?", "exemplis")
    for number in range(2, 9):
        say(site, number, f"Autre chose, numéro {number}", "lea")
    loaded = config(tmp_path, site)
    collect(loaded)
    say(site, 9, ANGRY, "zoe", in_reply_to_id="1")  # on another page, in another run

    stored = collect(loaded)
    labels = label(loaded)

    assert (stored["1"].by_brand, stored["1"].author_brand) == (True, "Exemplis")
    assert stored["9"].reply_to_brand is None
    assert accused(labels, "9") == ["Exemplis"]
    assert not labels["1"].testimony
