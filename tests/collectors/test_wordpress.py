"""How a WordPress site is asked, page after page, and what its refusals mean."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors import wordpress
from collectors.wordpress import Settings, parse, requests
from raccroche.errors import SourceError
from raccroche.post import Answer, Kind, Request, State, Verdict

SAMPLES = Path(__file__).parents[1] / "samples" / "wordpress"
SITE = "https://blog.example"
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def _first(state: State | None = None, **settings: Any) -> list[Request]:
    return list(requests(Settings(SITE, **settings), state or State()))


def _answer(request: Request, body: bytes | str, status: int = 200, **headers: str) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(request.url, raw, status, named, request, NOW)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"site": "not a site"}, "site"),
        ({"site": ""}, "site"),
        ({"site": SITE, "via": "soap"}, "via"),
        ({"site": SITE, "via": "feed", "search": "orion"}, "search"),
        ({"site": SITE, "via": "html", "post": "12"}, "post"),
        ({"site": SITE, "page_size": 101}, "page_size"),
        ({"site": SITE, "articles": "yes"}, "articles"),
    ],
)
def test_a_wrong_setting_is_named_before_the_first_request(
    settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        Settings(**settings)


def test_comments_are_asked_oldest_first_and_since_the_last_run() -> None:
    (request,) = _first(State(since=datetime(2026, 11, 1, tzinfo=UTC)), search="orion")

    assert request.url == f"{SITE}/wp-json/wp/v2/comments"
    assert request.params["after"] == "2026-11-01T00:00:00Z"
    assert (request.params["order"], request.params["orderby"]) == ("asc", "date_gmt")
    assert request.params["search"] == "orion"


def test_pages_are_followed_to_the_declared_last_one_even_when_one_is_short() -> None:
    (request,) = _first()
    page = parse(_answer(request, "[]", x_wp_total="150", x_wp_totalpages="2"))

    assert page.declared == 150
    assert page.next[0].params["page"] == "2"
    assert not parse(_answer(page.next[0], "[]", x_wp_total="150", x_wp_totalpages="2")).next


def test_without_a_declaration_an_empty_page_is_the_end() -> None:
    (request,) = _first()
    full = parse(_answer(request, (SAMPLES / "comments.json").read_bytes()))

    assert full.next[0].params["page"] == "2"
    assert not parse(_answer(full.next[0], "[]")).next


def test_a_page_past_the_end_is_the_end_and_not_an_error() -> None:
    (request,) = _first()
    body = '{"code":"rest_post_invalid_page_number","message":"...","data":{"status":400}}'

    page = parse(_answer(request, body, 400))

    assert (page.posts, page.next, page.verdict) == ((), (), None)


def test_a_closed_api_is_a_login_wall_that_names_the_other_ways() -> None:
    (request,) = _first()
    page = parse(_answer(request, (SAMPLES / "closed.json").read_bytes(), 401))

    assert page.verdict is Verdict.LOGIN_WALL
    assert "feed" in (page.note or "")


@pytest.mark.parametrize(
    ("body", "status"),
    [('{"code":"rest_no_route","message":"Aucune route"}', 404), ("<html>accueil</html>", 200)],
)
def test_a_site_without_pretty_links_is_asked_by_rest_route(body: str, status: int) -> None:
    (request,) = _first()
    (again,) = parse(_answer(request, body, status)).next

    assert again.url == f"{SITE}/"
    assert again.params["rest_route"] == "/wp/v2/comments"
    with pytest.raises(SourceError, match="no REST API"):
        parse(_answer(again, body, status))


@pytest.mark.parametrize("field", ["id", "author_name", "date_gmt", "content", "link"])
def test_a_field_that_went_missing_is_named(field: str) -> None:
    rows = json.loads((SAMPLES / "comments.json").read_text("utf-8"))
    del rows[1][field]

    with pytest.raises(SourceError, match=field):
        parse(Answer(f"{SITE}/wp-json/wp/v2/comments", json.dumps(rows).encode()))


def test_pingbacks_are_dropped_when_collected() -> None:
    (request,) = _first(via="html", post=f"{SITE}/2024/03/encore-eux/")
    page = parse(_answer(request, (SAMPLES / "classic.html").read_bytes()))

    assert [post.native_id for post in page.posts] == ["101", "103", "105"]


def test_the_three_ways_give_the_same_posts() -> None:
    def read(name: str, **settings: Any) -> dict[str, tuple[Any, ...]]:
        (request, *_) = _first(**settings)
        posts = parse(_answer(request, (SAMPLES / name).read_bytes())).posts
        return {p.id: (p.text, p.author, p.published_at, p.parent, p.thread) for p in posts}

    rest = read("comments.json")
    html = read("classic.html", via="html", post=f"{SITE}/2024/03/encore-eux/")
    feed = read("feed.xml", via="feed")

    assert rest == feed
    same = "wordpress/blog.example:101"
    assert rest[same] == html[same]


def test_the_article_comes_along_when_asked() -> None:
    (request,) = _first(via="html", post=f"{SITE}/2024/03/encore-eux/", articles=True)
    article = parse(_answer(request, (SAMPLES / "classic.html").read_bytes())).posts[0]

    assert (article.kind, article.native_id, article.text) == (
        Kind.ARTICLE,
        "post-42",
        "Un article.",
    )


def test_an_article_without_a_box_of_its_own_ends_before_its_comments() -> None:
    body = (SAMPLES / "classic.html").read_text("utf-8")
    whole = body.replace("</article>\n<div id", "<div id", 1).replace("entry-content", "x")
    (request,) = _first(via="html", post=f"{SITE}/2024/03/encore-eux/", articles=True)

    assert parse(_answer(request, whole)).posts[0].text == "Un article."


def test_older_pages_of_comments_are_left_alone_once_nothing_is_new() -> None:
    request = Request(f"{SITE}/2024/03/encore-eux/", phase="html")
    (older,) = parse(_answer(request, (SAMPLES / "classic.html").read_bytes())).next

    assert older.only_while_new
    assert older.context["direction"] == "older"
    back = _answer(older, (SAMPLES / "classic.html").read_bytes())
    assert not parse(back).next  # page 1 does not lead to itself


LISTING = """<?xml version="1.0"?><rss version="2.0"
 xmlns:slash="http://purl.org/rss/1.0/modules/slash/"
 xmlns:wfw="http://wellformedweb.org/CommentAPI/"><channel>
<item><title>A</title><link>https://blog.example/a/</link><guid>g-
a</guid><slash:comments>3</slash:comments>
<pubDate>Tue, 03 Nov 2026 10:00:00
+0000</pubDate>
<wfw:commentRss>https://blog.example/a/feed/</wfw:commentRss></item>
<item><title>B</title><link>https://blog.example/b/</link><guid>g-
b</guid><slash:comments>0</slash:comments>
<pubDate>Mon, 02 Nov 2026 10:00:00 +0000</pubDate></item></channel></rss>"""


@pytest.mark.parametrize(("via", "url"), [("html", f"{SITE}/a/"), ("feed", f"{SITE}/a/feed/")])
def test_articles_without_comments_are_not_asked(via: str, url: str) -> None:
    listing = _first(via=via)[-1]
    article, more = parse(_answer(listing, LISTING)).next

    assert article.url == url
    assert more.params == {"paged": "2"}
    assert len(parse(_answer(more, LISTING)).next) == 1  # the same page again ends it


def test_the_list_of_articles_is_read_even_when_no_article_changed() -> None:
    assert _first(via="html")[-1].transient
    assert not parse(_answer(_first(via="html")[-1], LISTING)).next[0].transient


def test_after_a_first_success_a_run_without_posts_is_normal() -> None:
    (request,) = _first()

    assert parse(_answer(request, (SAMPLES / "comments.json").read_bytes())).cursor
    assert not parse(_answer(request, "[]")).cursor


def test_old_articles_end_the_listing_of_a_later_run() -> None:
    state = State(since=datetime(2027, 6, 1, tzinfo=UTC))
    listing = _first(state, via="html")[-1]

    assert all(r.phase != "articles" for r in parse(_answer(listing, LISTING)).next)


def test_wordpress_com_is_paged_to_its_count() -> None:
    (request,) = _first(via="wordpress.com", page_size=1)
    body = json.loads((SAMPLES / "dotcom.json").read_text("utf-8")) | {"found": 2}
    page = parse(_answer(request, json.dumps(body)))

    assert request.url.startswith("https://public-api.wordpress.com/rest/v1.1/sites/blog.example/")
    assert page.posts[0].source == "wordpress/blog.example"
    assert page.next[0].params["page"] == "2"


def test_an_article_given_by_its_address_is_looked_up() -> None:
    (request,) = _first(post=f"{SITE}/2024/03/encore-eux/")
    page = parse(_answer(request, '[{"id":42}]'))

    assert request.params == {"slug": "encore-eux"}
    assert page.next[0].params["post"] == "42"
    assert parse(_answer(request, "[]")).verdict is Verdict.UNREACHABLE


def test_a_page_with_a_password_is_a_login_wall() -> None:
    html = (
        '<html><link href="/wp-content/x.css"><form class="post-password-form" '
        'action="/wp-login.php"><input type="password"></form></html>'
    )

    assert parse(Answer(f"{SITE}/p", html.encode())).verdict is Verdict.LOGIN_WALL


def test_the_platform_needs_nothing() -> None:
    assert wordpress.NEEDS == ""
