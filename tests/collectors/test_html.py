"""Markup to text, and what pages say of themselves."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.html import (
    absolute,
    clean,
    clean_author,
    count_of,
    host,
    page_title,
    page_url,
    plain,
    soup,
    text_of,
    texts_of,
    tree,
    with_params,
    without_session,
)
from raccroche.post import Answer


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>Un.</p>\n<p>Deux<br>trois</p>", "Un.\n\nDeux\ntrois"),
        ("<p>Un.<br />\nDeux.</p>", "Un.\nDeux."),
        ("a<br><br>b", "a\n\nb"),
        ("<div>Un</div><div>Deux</div>", "Un\nDeux"),
        ("<ul><li>un</li><li>deux</li></ul><p>fin</p>", "- un\n- deux\n\nfin"),
        ("Voir <a href='https://a.example'>ce lien</a>.", "Voir ce lien."),
        ("<p>x</p><script>alert(1)</script><style>p{}</style><p>y</p>", "x\n\ny"),
        ("<p>x</p><p style='display: none'>piège</p><span hidden>non</span>", "x"),
        ("C&#8217;est l&eacute;ger &amp; vrai", "C’est léger & vrai"),
        ("sans\u200b blanc\u200b invisible", "sans blanc invisible"),
        ("merci <img class='wp-smiley' src='x.png' alt='🙂'>", "merci 🙂"),
        ("merci <img src='x.gif' alt=':)'> <img src='logo.png' alt='Logo Marque'>", "merci :)"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<p>&nbsp;</p><p>seul</p>", "seul"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("un <b>mot</b>,<i> deux</i>", "un mot, deux"),
        ("tout simple", "tout simple"),
        ("a < b", "a < b"),
        ("", ""),
    ],
)
def test_markup_reads_as_a_reader_sees_it(markup: str, expected: str) -> None:
    assert text_of(markup).text == expected


def test_a_fragment_a_node_and_a_tag_give_the_same_text() -> None:
    markup = "<div><p>Un <b>deux</b></p><blockquote>cité</blockquote></div>"
    from_tag = text_of(soup(markup).div)

    assert text_of(markup) == text_of(tree(markup).css_first("div")) == from_tag


@pytest.mark.parametrize(
    ("markup", "quoted"),
    [
        ("<blockquote><p>Ils appellent.</p></blockquote><p>Moi aussi.</p>", ("Ils appellent.",)),
        ("<p>Il dit <q>jamais</q> et <q>non</q></p>", ("jamais", "non")),
        (
            "<div class='quotecontent'>vieux <div class='quotecontent'>plus vieux</div></div>x",
            ("vieux\nplus vieux",),
        ),
        ("<blockquote></blockquote>rien", ()),
    ],
)
def test_quoted_passages_are_parts_of_the_text(markup: str, quoted: tuple[str, ...]) -> None:
    text, passages = text_of(markup)

    assert passages == quoted
    assert all(passage in text for passage in passages)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("degski says:", "degski"),
        ("Harm Otten sagt:", "Harm Otten"),
        ("Zoé a dit :", "Zoé"),
        ("Zoé a écrit\u00a0:", "Zoé"),
        ("Max wrote", "Max"),
        ("Ben — Antworten", "Ben"),
        ("Comment by Mirko", "Mirko"),
        ("Posté par  Line ", "Line"),
        ("Paul dit", "Paul"),
        ("De Oliveira", "De Oliveira"),
        ("Par hasard", "Par hasard"),
        ("Édith", "Édith"),
        ("dit", "dit"),
        ("", None),
        (" \u200b ", None),
    ],
)
def test_a_name_comes_out_alone(written: str, name: str | None) -> None:
    assert clean_author(written) == name


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/a?sid=0123456789abcdef0123&t=1#p2", "https://f.example/a?t=1#p2"),
        ("b.html;jsessionid=AB12?x=1", "https://f.example/d/b.html?x=1"),
        ("?s=22c09551c71c1a6b64e4364ca45cbf28", "https://f.example/d/"),
        ("?s=free&sid=12", "https://f.example/d/?s=free&sid=12"),
        (
            "index.php?PHPSESSID=0123456789abcdef01&topic=1.0",
            "https://f.example/d/index.php?topic=1.0",
        ),
        ("//g.example/x", "https://g.example/x"),
        ("javascript:void(0)", None),
        ("mailto:x@y.example", None),
        ("http://[broken", None),
        ("http://h.example:port/", None),
        (None, None),
    ],
)
def test_links_come_out_whole_and_without_sessions(href: str | None, url: str | None) -> None:
    assert absolute(href, "https://f.example/d/") == url


def test_hosts_and_parameters() -> None:
    assert host("https://user@WWW.Blog.Example:443/x") == "blog.example"
    assert host("http://127.0.0.1:8080/") == "127.0.0.1:8080"
    assert host("nothing") == ""
    assert with_params("https://a.example/?x=1&y=2", y="3") == "https://a.example/?x=1&y=3"
    assert without_session("http://[x") == "http://[x"


def test_a_saved_page_says_where_it_lived() -> None:
    page = tree(
        "<link rel=canonical href='https://b.example/p/?sid=0123456789abcdef01'><title>T </title>"
    )

    assert page_url(Answer("file:///p.html", b""), page) == "https://b.example/p/"
    assert page_url(Answer("https://c.example/#x", b""), page) == "https://c.example/"
    assert page_title(page) == "T"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.977 commentaires", 1977),
        ("1 648", 1648),
        ("37.2K vues", 37200),
        ("35 réponses", 35),
        ("aucun", None),
        ("1,5M", 1_500_000),
    ],
)
def test_counts_are_read_in_every_spelling(text: str, number: int | None) -> None:
    assert count_of(text) == number


def test_broken_characters_are_removed() -> None:
    assert clean("a\x00b\ud800c\u200b") == "ab?c"
    assert plain(" a \r\n\r\n\r\n b\t c ") == "a\n\nb c"


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 100_000 + "fond",
        "<b><i>" * 3_000 + "fond",
        "<blockquote>" * 20_000 + "fond",
        "<p " + " ".join(f"a{n}=1" for n in range(3_000)) + ">fond",
        "<p class='" + "x " * 500_000 + "'>fond",
        "<!--" * 50_000 + "-->fond",
    ],
    ids=["divs", "formatting", "quotes", "attributes", "classes", "comments"],
)
def test_hostile_markup_costs_little_time_and_no_stack(hostile: str) -> None:
    start = time.process_time()

    text = text_of(hostile).text
    soup(hostile)

    assert text.endswith("fond")
    assert time.process_time() - start < 5


@given(st.text(alphabet=st.sampled_from("<>/&;=\"' \nabpqli\u200b\ud800é-!"), max_size=300))
def test_any_markup_gives_text_and_quotes_within_it(markup: str) -> None:
    text, quoted = text_of(markup)

    assert all(passage in text for passage in quoted)
    text.encode()


_PIECES = [
    "<p>",
    "</p>",
    "<br>",
    "<br />",
    "<BR/>",
    "a",
    "é",
    " ",
    "\n",
    "&amp;",
    "&lt;b",
    "&nbsp;",
    "&",
    "&#8217;",
    "&eacute",
    "🙁",
    "\u200b",
    "&#38;lt;",
    "<b>",
    "</b>",
    "<em>",
    "</em> ",
    '<a href="https://x.example/?a=1&amp;b" rel="nofollow ugc">',
    "</a>",
    "<P>",
    "\t \f",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_simple_markup_reads_the_same_with_and_without_a_tree(pieces: list[str]) -> None:
    markup = "<p>" + "".join(pieces)  # without any markup a text keeps its line breaks

    assert text_of(markup) == text_of(f"<span></span>{markup}")


@given(st.lists(st.sampled_from(_PIECES), max_size=12))
def test_a_simple_node_reads_the_same_whatever_else_must_be_looked_at(pieces: list[str]) -> None:
    node = tree(f'<div class="comment-content">{"".join(pieces)}</div>').css_first("div")

    assert text_of(node, skip=lambda inner: False) == texts_of([node])


@pytest.mark.parametrize("before", [0, 1, 3, 19_998, 19_999, 20_000, 20_001, 39_999, 70_000])
@pytest.mark.parametrize("tags", ["", "<p>un</p>"])
def test_a_tag_of_thousands_of_attributes_is_cut_wherever_it_stands(before: int, tags: str) -> None:
    text = (tags + "un mot de plus ") * (before // (len(tags) + 15) + 1)
    attributes = "".join(f" a{number}='1'" for number in range(4_000))
    page = tree(text[:before].rsplit("<", 1)[0] + f"<p{attributes}>fin</p>")
    assert len(page.css("p")[-1].attributes) < 1_000
