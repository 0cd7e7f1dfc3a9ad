"""Whatever a post holds, it is shown as text."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from dashboard import highlight

SPANS = st.lists(st.tuples(st.integers(-5, 80), st.integers(-5, 80)), max_size=6)


class Reader(HTMLParser):
    """What a browser would make of it: the tags and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"class", "title"}

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


HOSTILE = st.text(alphabet=st.sampled_from("<>&\"'/=abé \n;#x-!"), max_size=60) | st.sampled_from(
    ["<script>x</script>", '"><img src=x onerror=y>', "<!--", "</span><b>", "&lt;b&gt;", "<mark>"]
)


@given(HOSTILE, SPANS, SPANS)
def test_no_tag_of_a_post_survives_and_no_character_is_lost(
    text: str, found: list[tuple[int, int]], why: list[tuple[int, int]]
) -> None:
    reasons = [(start, end, '"><b onclick=x>') for start, end in why]
    reader = read(highlight.to_html(text, found, reasons))
    assert reader.tags <= {"span", "mark"}
    assert reader.text == text


def test_words_found_and_reasons_are_marked_differently() -> None:
    made = highlight.to_html("un robot appelle", [(3, 8)], [(0, 8, "Automate")])
    assert '<mark class="found"><mark class="why" title="Automate">robot</mark></mark>' in made
    assert '<mark class="why" title="Automate">un </mark>' in made


def test_a_snippet_shows_the_first_mark_of_a_long_post() -> None:
    text = "mot " * 300 + "robot " + "fin " * 100
    start = text.index("robot")
    made = highlight.snippet(text, [(start, start + 5)])
    assert '<mark class="found">robot</mark>' in made
    assert made.startswith("… ")
    assert len(re.sub("<[^>]+>", "", made)) < highlight.SNIPPET + 10


def test_only_web_addresses_are_links() -> None:
    assert highlight.safe_link("https://blog.example/1") == "https://blog.example/1"
    assert highlight.safe_link("javascript:alert(1)") is None
    assert highlight.safe_link("data:text/html,x") is None
    assert highlight.safe_link(None) is None
