"""Feeds and pages that declare no encoding, or a wrong one, come out as they were written."""

import pytest

from collectors import feeds
from raccroche.post import Answer, Request, Verdict

FRENCH = "Démarchage à Évry : « on nous rappelle » même l’été."
RUSSIAN = "Опять звонят с незнакомого номера, просим больше не звонить."


def _read(text: str, encoding: str, content_type: str = "", declared: str = "") -> str:
    said = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    feed = f"{said}<rss><channel><item><title>x</title><description>{text}</description></item>"
    body = f"{feed}</channel></rss>".encode(encoding)
    headers = {"content-type": content_type} if content_type else {}
    (post,) = feeds.parse(Answer("https://blog.example/feed", body, headers=headers)).posts
    return post.text


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/rss+xml; charset=utf-8"])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH, "utf-8"),
        (FRENCH, "windows-1252"),
        (FRENCH, "utf-16"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "windows-1251"),
    ],
)
def test_an_undeclared_encoding_is_found(text: str, encoding: str, content_type: str) -> None:
    assert _read(text, encoding, content_type) == text


@pytest.mark.parametrize("encoding", ["koi8-r", "windows-1251", "iso-8859-5"])
def test_a_declared_encoding_is_believed(encoding: str) -> None:
    assert _read(RUSSIAN, encoding, declared=encoding) == RUSSIAN
    assert _read(RUSSIAN, encoding, f"text/xml; charset={encoding}") == RUSSIAN


def test_a_french_text_with_a_single_accent_is_not_taken_for_broken_utf_8() -> None:
    text = "Le service ne répond plus, on attend une heure pour rien, et la ligne coupe. " * 3
    assert Answer("https://blog.example/", text.encode("windows-1252")).text == text


def test_a_few_bad_bytes_make_no_other_encoding_of_utf_8() -> None:
    body = FRENCH.encode() + b"\xe9\xff"
    assert Answer("https://blog.example/", body).text == FRENCH + "\ufffd\ufffd"


@pytest.mark.parametrize("said", ["koi8-r", "iso-8859-1", "utf-16", "no-such-charset"])
def test_utf_8_is_read_as_such_whatever_the_server_says(said: str) -> None:
    for text in (FRENCH, "<p>ASCII</p>"):
        headers = {"content-type": f"text/html; charset={said}"}
        assert Answer("https://blog.example/", text.encode(), headers=headers).text == text


def test_utf_16_without_a_mark_is_read_where_it_is_declared() -> None:
    headers = {"content-type": "text/html; charset=utf-16-le"}
    body = FRENCH.encode("utf-16-le")
    assert Answer("https://blog.example/", body, headers=headers).text == FRENCH


def test_a_feed_that_is_cut_short_is_no_feed_with_half_an_entry() -> None:
    item = "<item><guid>{0}</guid><title>T{0}</title><description>Texte {0}</description></item>"
    whole = '<rss version="2.0"><channel><title>F</title>{}</channel></rss>'.format(
        "".join(item.format(number) for number in range(3))
    ).encode()
    asked = Request("https://blog.example/feed/")

    cut = feeds.parse(Answer(asked.url, whole[: whole.index(b"Texte 2") + 3], request=asked))
    page = feeds.parse(Answer(asked.url, whole, request=asked))

    assert [post.text for post in cut.posts] == ["Texte 0", "Texte 1"]
    assert (cut.verdict, "cut short" in (cut.note or "")) == (Verdict.LAYOUT_CHANGED, True)
    assert ([post.text for post in page.posts][-1], page.verdict) == ("Texte 2", None)
