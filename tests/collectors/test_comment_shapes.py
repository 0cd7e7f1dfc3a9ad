"""A comment read by the shape of another is what the walk over its elements reads."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors import comment_lists
from collectors.comment_lists import Found, Shapes, comments, numbered
from collectors.comment_shapes import own_markup
from collectors.html import tree
from collectors.spip import _CARRIERS as SPIP_CARRIERS
from collectors.spip import _number as spip_number
from raccroche.post import Answer

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples"


def both(html: str) -> tuple[list[Found], list[Found]]:
    """The comments of a page by shape, and by the walk."""
    page = tree(html)
    return comments(page, now=NOW), comments(tree(html), now=NOW, by_shape=False)


def read_by_shape(html: str) -> tuple[int, int]:
    """(how many comments were read by a shape, how many there are)."""
    units = comment_lists._units(tree(html).css(comment_lists._CARRIERS), numbered)
    owner = {part.mem_id: unit.number for unit in units.values() for part in unit.parts}
    shapes = Shapes(units, owner, comment_lists._Above(units, owner), NOW)
    for unit in units.values():
        shapes.read(unit, None)
    return shapes.read_by_shape, len(units)


def item(
    number: int, *, inner: str = "", text: str = "<p>Encore un appel.</p>", **parts: str
) -> str:
    """One comment as WordPress' own walker writes it."""
    name = parts.get("name", f'<a href="https://un.example/{number}" class="url">Zoé {number}</a>')
    when = parts.get(
        "when", f'<time datetime="2024-05-{number % 27 + 1:02d}T10:00:00+02:00">le 3</time>'
    )
    return (
        f'<li id="comment-{number}" class="comment {parts.get("kind", "even")} depth-1">'
        f'<article id="div-comment-{number}" class="comment-body"><footer class="comment-meta">'
        f'<div class="comment-author vcard">{parts.get("avatar", "")}<b class="fn">{name}</b>'
        f'<span class="says">dit :</span></div><div class="comment-metadata">'
        f'<a href="/a/#comment-{number}">{when}</a></div>{parts.get("meta", "")}</footer>'
        f'<div class="comment-content">{text}</div>{parts.get("after", "")}</article>{inner}</li>\n'
    )


def listed(*items: str) -> str:
    return f"<html><body><ol class='comment-list'>{''.join(items)}</ol></body></html>"


def test_comments_that_differ_in_words_alone_are_read_by_one_shape() -> None:
    """All but the first, which the shape is made of."""
    page = listed(*(item(n, text=f"<p>Appel {n} &amp; <b>rappel</b>.</p>") for n in range(1, 31)))
    assert read_by_shape(page) == (29, 30)
    by_shape, walked = both(page)
    assert by_shape == walked
    assert walked[4].text.text == "Appel 5 & rappel."
    assert walked[4].author == "Zoé 5"


def test_answers_within_are_cut_out_wherever_they_stand() -> None:
    children = "<ol class='children'>{}</ol><!-- .children -->"
    pages = [
        listed(*(item(n, inner=children.format(item(n + 50))) for n in range(1, 20))),
        listed(
            *(
                item(n, inner=children.format(item(n + 50) + item(n + 90)) if n % 3 else "")
                for n in range(1, 20)
            )
        ),
        listed(*(item(n) for n in range(1, 9)), item(9, text=f"<p>a</p>{item(60)}<p>b</p>")),
        listed(*(item(n) for n in range(1, 9)), item(9, name=f"Zoé {item(60)}")),
        listed(*(item(n) for n in range(1, 9)), item(9, meta=item(60))),
        listed(*(item(n, name="") for n in range(1, 9)), item(9, name=item(60))),
    ]
    for page in pages:
        by_shape, walked = both(page)
        assert by_shape == walked
    assert len(both(pages[0])[0]) == 38
    assert read_by_shape(pages[0])[0] >= 36


ODD = {
    "text": [
        "<p>Un <a href='/b/#comment-3'>lien</a></p>",
        "<blockquote>Un autre</blockquote><p>Non</p>",
        "<p>Voir <time datetime='2001-01-01T00:00:00Z'>hier</time></p>",
        "<cite>Quelqu’un</cite> dit : 3 mai 2020 à 10:00",
        "",
        " ",
        "&nbsp;",
        "sans paragraphe<br>deux lignes &lt;b&gt;",
        "<p>a\u2003b</p><p></p><p> c </p>\n\n<p>d</p>",
        "<!-- note --><p>avant<!-- x -->après</p>",
        "<script>var a = '<li id=\"comment-9\">'</script><p>fin</p>",
        '<div class="comment-content">dedans</div>',
        "[…] repris ailleurs […]",
        "Pingback : un autre blog",
    ],
    "name": [
        "Léa", "", "&nbsp;", "dit :", "<b>Jo</b> <i>B</i>",
        " A &amp; B ", "<a>par Max</a>", "x" * 90,
    ],
    "when": [
        "le 15 mai 2019 à 15h24",
        "22 juin 2018",
        "<time>hier</time>",
        "",
        '<time datetime="2024-13-01T00:00:00Z">15/05/2019 16:00</time>',
        '<time datetime="2024-05-01">1er mai 2024 à 9:30</time>',
        '<time datetime="2024-05-01T24:00:00+02:00">2 mai 2024 à 9:30</time>',
        '<abbr title="2024-05-01T10:00:00+00:00">mai</abbr>',
        '<abbr title="">3 mai 2021 10:00</abbr>',
    ],
    "kind": ["odd alt", "pingback even", "byuser comment-author-lea", "bypostauthor"],
    "avatar": [
        '<img class="avatar" alt="" src="/a.png">',
        '<img class="emoji" alt="\U0001f642">', "Léo ",
    ],
    "meta": [
        '<span class="comment-like-count">3</span>', "<em>modéré</em>",
        '<h4 class="comment-title">Titre</h4>',
    ],
    "after": ['<div><a class="comment-reply-link" aria-label="Répondre à X">R</a></div>'],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_pages_of_any_mixture_are_read_as_the_walk_reads_them(seed: int) -> None:
    """Every field of the markup varies, alone and with others, in lists and under answers."""
    chance = random.Random(seed)
    usual = {key: chance.choice(values) for key, values in ODD.items() if chance.random() < 0.4}
    items: list[str] = []
    for number in range(1, 40):
        parts = dict(usual)
        for key in chance.sample(sorted(ODD), chance.choice((0, 0, 1, 2))):
            parts[key] = chance.choice(ODD[key])
        inner = ""
        if items and chance.random() < 0.2:
            inner = f'<ol class="children">{items.pop()}</ol>'
        text = parts.pop("text", f"<p>Appel {number}</p>")
        items.append(item(number, inner=inner, text=text, **parts))
    by_shape, walked = both(listed(*items))
    assert by_shape == walked


def test_a_link_to_another_comment_is_not_taken_for_the_date() -> None:
    linked = '<p>Voir <a href="/a/#comment-1">le 1er mars 2020 à 10:00</a></p>'
    page = listed(*(item(n, when="", meta="le 3 mai 2021 à 9:00") for n in range(1, 9)))
    page = page.replace("<p>Encore un appel.</p>", linked, 2)
    by_shape, walked = both(page)
    assert by_shape == walked


def test_deep_answers_are_written_out_a_bounded_number_of_times() -> None:
    """Five hundred levels: by the walk, which looks at every element once."""
    page = ""
    for number in range(400, 0, -1):
        page = item(number, inner=f"<ol class='children'>{page}</ol>")
    by_shape, walked = both(listed(page))
    assert by_shape == walked
    assert read_by_shape(listed(page))[0] == 0


def test_own_markup_marks_where_answers_were() -> None:
    assert own_markup("<li>a<b>x</b><!-- end --></li>", ["<b>x</b>"]) == "<li>a\0</li>"
    assert own_markup("<li>a</li>", ["<b>x</b>"]) is None
    assert own_markup('<li title="<!-- -->"></li>', []) is None


def saved_pages() -> list[Path]:
    found = sorted(SAMPLES.rglob("*.html")) if SAMPLES.exists() else []
    return [path for path in found if path.name != "README.md"]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not beside this checkout")
def test_every_recorded_page_is_read_as_the_walk_reads_it() -> None:
    expected = json.loads((SAMPLES / "expected.json").read_text("utf-8"))
    assert expected
    shaped = 0
    for path in saved_pages():
        html = Answer("", path.read_bytes()).text
        assert both(html)[0] == both(html)[1], path.name
        spip = {"carriers": SPIP_CARRIERS, "number_of": spip_number}
        by_shape = comments(tree(html), now=NOW, **spip)  # type: ignore[arg-type]
        walked = comments(tree(html), now=NOW, by_shape=False, **spip)  # type: ignore[arg-type]
        assert by_shape == walked, path.name
        shaped += read_by_shape(html)[0]
    assert shaped >= 2
