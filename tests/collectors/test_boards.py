"""The way through a forum: which topics are entered, where, and when walking back ends."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors import boards, phpbb
from collectors.boards import Settings, declared_in, stated_zone
from raccroche.post import Answer, Page, Request, State

SAMPLES = Path(__file__).parents[1] / "samples" / "phpbb"
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def read(name: str, url: str, phase: str = "", **context: str) -> Page:
    request = Request(url, context=context, phase=phase)
    body = (SAMPLES / name).read_bytes()
    return phpbb.parse(Answer(url, body, request=request, fetched_at=NOW))


LIST = "https://forum.example/viewforum.php?f=4"
TOPIC = "https://forum.example/viewtopic.php?t=77&start=10"


def test_a_changed_topic_is_entered_at_its_last_page() -> None:
    page = read("list.html", LIST, since="2024-03-13T00:00:00Z")

    assert [(r.url, r.phase) for r in page.next] == [
        ("https://forum.example/viewtopic.php?f=4&t=77&start=20", "tail"),
        ("https://forum.example/viewforum.php?f=4&start=25", ""),
    ]
    assert "since" not in page.next[0].context
    assert page.next[1].context["since"] == "2024-03-13T00:00:00Z"


def test_a_list_whose_topics_are_all_old_ends_the_way() -> None:
    page = read("list.html", LIST, since="2024-06-01T00:00:00Z")

    assert page.next == ()
    assert page.cursor  # so that a run without new posts is no change of layout


def test_a_topic_met_in_a_list_is_walked_back_while_it_brings_new_posts() -> None:
    page = read("prosilver.html", TOPIC, "tail")
    back, forward = page.next

    assert (back.url, back.phase, back.only_while_new) == (
        "https://forum.example/viewtopic.php?t=77", "back", True,
    )  # fmt: skip
    assert forward.url.endswith("start=20")
    assert read("prosilver.html", TOPIC, "back").next == (back,)


def test_a_topic_entered_without_knowing_its_end_is_left_for_its_end() -> None:
    (last,) = read("prosilver.html", TOPIC, "enter").next

    assert (last.url.partition("&")[2], last.phase) == ("start=20", "tail")
    assert last.context["entered"] == TOPIC


def test_a_single_topic_goes_on_from_the_page_where_the_last_run_ended() -> None:
    start = "https://forum.example/viewtopic.php?t=77"
    page = read("prosilver.html", TOPIC, cursor=f"topic:{start}")
    (request,) = boards.requests(Settings(topics=(start,)), State(cursor=page.cursor))

    assert request.url == TOPIC
    assert [r.url for r in page.next] == ["https://forum.example/viewtopic.php?t=77&start=20"]


def test_session_ids_reach_neither_posts_nor_requests() -> None:
    for name, url in (("prosilver.html", TOPIC), ("list.html", LIST)):
        page = read(name, url)
        told = [*(p.url for p in page.posts), *(r.url for r in page.next)]
        assert told
        assert not any("sid=" in (where or "") for where in told)


@pytest.mark.parametrize(
    ("footer", "zone"),
    [
        ("Toutes les heures sont au format GMT + 1 Heure", "Etc/GMT-1"),
        ("Le fuseau horaire est UTC+1 heure [ Heure d’été ]", "Etc/GMT-2"),
        ("All times are UTC", "UTC"),
        ("All times are GMT -5. The time now is 10:00 PM.", "Etc/GMT+5"),
        ("Alle Zeitangaben in WEZ +2. Es ist jetzt 10:00 Uhr.", "Etc/GMT-2"),
        ('Fuseau horaire sur <span title="Europe/Paris">UTC+01:00</span>', "Europe/Paris"),
        ("Fuseau horaire sur UTC+02:00", None),  # the offset of today only: Paris
        ("Il est tard", None),
    ],
)
def test_dates_are_read_in_the_zone_that_the_footer_states(footer: str, zone: str | None) -> None:
    assert stated_zone(f"<html><p>{footer}</p></html>") == zone


@pytest.mark.parametrize(
    ("words", "total"),
    [
        ("Ergebnis 661 bis 680 von 795", 795),
        ("Résultats 1 à 10 sur 1 234", 1234),
        ("22 messages • Page 1 sur 2", 22),
        ("5 posts", 5),
        ("1.204 Beiträge • Seite 3 von 81", 1204),
        ("Page 1 sur 12", None),
        ("42 sujets", None),
    ],
)
def test_totals_are_read_as_pages_write_them(words: str, total: int | None) -> None:
    assert declared_in(words) == total


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "forums"),
        ({"forums": ("ftp://forum.example",)}, "forums"),
        ({"topics": ("https://forum.example/t",), "zone": "Mars/Olympus"}, "zone"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Settings(**settings)  # type: ignore[arg-type]
