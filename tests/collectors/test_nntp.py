"""NNTP: a real news server, and articles as badly made as Usenet has them."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import pytest

from collectors import nntp
from raccroche.errors import SourceError
from raccroche.post import Answer, Page, Request, State, Verdict
from tests.servers import inn as real
from tests.servers.collecting import collect, source, stored

START = datetime(2024, 2, 1, tzinfo=UTC)


def article(number: int) -> bytes:
    """Every tenth opens a thread that the next nine answer; charsets and encodings take turns."""
    message = EmailMessage(policy=SMTP)
    message["From"] = '"Élodie M." <elodie@example.invalid>'
    message["Newsgroups"] = real.GROUP
    message["Subject"] = ("Re: " if number % 10 else "") + f"Panne {number // 10} à Évry"
    message["Date"] = format_datetime(START + timedelta(minutes=number))
    message["Message-ID"] = f"<t{number}@example.invalid>"
    if number % 10:
        message["References"] = f"<t{number - number % 10}@example.invalid>"
    message.set_content(
        f"Le 1er février, Zoé a écrit :\n> c’est cassé\n\nMême chose, 3 € perdus (n° {number})\n",
        charset="utf-8" if number % 2 else "windows-1252",
        cte="quoted-printable" if number % 3 else "8bit",
    )
    return message.as_bytes()


@pytest.fixture(scope="module")
def news() -> Iterator[real.News]:
    if reason := real.missing():
        pytest.skip(reason)
    with real.inn() as running:
        running.post(*(article(number) for number in range(600)))
        yield running


def settings(news: real.News, **more: object) -> dict[str, object]:
    return {"server": "127.0.0.1", "port": news.port, "groups": [real.GROUP], **more}


def parsed(*raw: bytes, **headers: str) -> Page:
    lines = [
        json.dumps({"number": n, "raw_base64": base64.b64encode(text).decode()})
        for n, text in enumerate(raw, 1)
    ]
    names = {f"x-nntp-{name}": value for name, value in headers.items()}
    url = "nntp://news.example:119/fr.test?from=1"
    context = {"group": "fr.test", "base": "nntp://news.example:119/fr.test", "from": "1"}
    body = "\n".join(lines).encode()
    return nntp.parse(Answer(url, body, headers=names, request=Request(url, context=context)))


def test_the_next_request_begins_after_the_last_number_read() -> None:
    page = parsed(first="1", last="900", count="900", read="500")

    assert [request.url for request in page.next] == ["nntp://news.example:119/fr.test?from=501"]
    assert page.cursor == {"fr.test": "500"}
    assert page.declared == 900
    chosen = nntp.Settings("news.example", ("fr.test",))
    (request,) = nntp.requests(chosen, State(cursor=page.cursor))
    assert request.url == "nntp://news.example:119/fr.test?from=501"


def test_bare_bytes_in_headers_and_broken_dates_lose_no_article() -> None:
    page = parsed(
        b"From: Zo\xe9 <z@example.invalid>\r\nSubject: \xc3\xa9t\xc3\xa9\r\nDate: hier\r\n"
        b"Message-ID: <x@example.invalid>\r\n\r\nbonjour \xe9t\xe9\r\n"
    )
    (post,) = page.posts
    assert (post.author, post.title, post.text) == ("Zoé", "été", "bonjour été")
    assert post.published_at is None


def test_an_author_who_wants_no_archive_is_not_kept() -> None:
    page = parsed(b"From: a@b.example\r\nX-No-Archive: yes\r\nMessage-ID: <x@b.example>\r\n\r\nx")
    assert page.posts == ()


def test_a_cancelled_article_is_named_as_gone() -> None:
    page = parsed(
        b"From: a@b.example\r\nControl: cancel <old@b.example>\r\nMessage-ID: <c@b>\r\n\r\n"
    )
    assert (page.posts, page.deleted) == ((), ("nntp/fr.test:old@b.example",))


def test_a_line_that_is_no_article_is_heard() -> None:
    with pytest.raises(SourceError):
        nntp.parse(Answer("nntp://news.example/fr.test", b'{"number": 1, "raw_base64": "%%"}'))


@pytest.mark.server
def test_a_group_is_read_whole_and_later_from_where_it_ended(
    tmp_path: Path, news: real.News
) -> None:
    loaded = source(tmp_path, "nntp", f"//127.0.0.1:{news.port}", settings(news))
    first, second = collect(loaded), collect(loaded)
    assert (first.verdict, first.new, first.declared) == (Verdict.NEW, 600, 600)
    assert (second.verdict, second.got) == (Verdict.NOTHING_NEW, 0)

    news.post(article(700), article(701))
    third = collect(loaded)
    assert (third.verdict, third.got, third.new) == (Verdict.NEW, 2, 2)

    post = stored(loaded)["t11@example.invalid"]
    assert (post.parent, post.thread) == ("t10@example.invalid", "t10@example.invalid")
    assert post.published_at == START + timedelta(minutes=11)
    assert post.quoted == ("Le 1er février, Zoé a écrit :\n> c’est cassé",)
    assert post.text.endswith("Même chose, 3 € perdus (n° 11)")
    assert all("\ufffd" not in one.text for one in stored(loaded).values())


@pytest.mark.server
def test_a_server_for_members_is_a_login_wall_until_the_password_is_right(tmp_path: Path) -> None:
    if reason := real.missing():
        pytest.skip(reason)
    with real.inn(members_only=True) as news:
        news.post(article(1), login=real.LOGIN)
        url = f"//127.0.0.1:{news.port}"
        user, password = real.LOGIN
        without = collect(source(tmp_path / "0", "nntp", url, settings(news)))
        wrong = settings(news, user=user, password="faux")
        refused = collect(source(tmp_path / "1", "nntp", url, wrong))
        right = settings(news, user=user, password=password)
        let_in = collect(source(tmp_path / "2", "nntp", url, right))
    assert without.verdict == refused.verdict == Verdict.LOGIN_WALL
    assert (let_in.verdict, let_in.new) == (Verdict.NEW, 1)
