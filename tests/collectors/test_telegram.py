"""Telegram: previews of channels, backwards; what has no preview says so."""

from pathlib import Path
from typing import Any

import pytest

from collectors import telegram
from raccroche.errors import SourceError
from raccroche.post import Answer, State, Verdict

CHANNEL = (Path(__file__).parents[1] / "samples" / "telegram" / "channel.html").read_bytes()


@pytest.mark.parametrize(
    "name",
    ["infos_exemple", "@infos_exemple", "https://t.me/s/infos_exemple", "t.me/infos_exemple/"],
)
def test_a_channel_may_be_given_in_any_usual_form(name: str) -> None:
    (asked,) = telegram.requests(telegram.Settings(channels=(name,)), State())

    assert asked.url == "https://t.me/s/infos_exemple"


def test_older_messages_are_asked_while_anything_is_new() -> None:
    (asked,) = telegram.requests(
        telegram.Settings(channels=("infos_exemple",), search="mobiloux"), State()
    )

    (older,) = telegram.parse(Answer(asked.url, CHANNEL, request=asked)).next

    assert older.params == {"q": "mobiloux", "before": "10"}
    assert older.only_while_new
    assert telegram.parse(Answer(asked.url, CHANNEL, request=older)).next == ()


def test_a_channel_without_messages_is_empty_and_a_group_is_closed() -> None:
    empty = Answer("https://t.me/s/x", b'<section class="tgme_channel_history"></section>')
    group = Answer("https://t.me/x", b'<div class="tgme_page">120 members</div>')

    assert telegram.parse(empty).verdict is None
    assert telegram.parse(group).verdict == Verdict.LOGIN_WALL


def test_a_page_that_is_none_of_telegrams_is_told() -> None:
    with pytest.raises(SourceError, match="no messages"):
        telegram.parse(Answer("https://t.me/s/x", b"<html><body>?</body></html>"))


def test_a_message_that_lost_its_date_is_told() -> None:
    body = b'<div class="tgme_widget_message" data-post="a/1"><time>0:16</time></div>'

    with pytest.raises(SourceError, match="no date"):
        telegram.parse(Answer("https://t.me/s/a", body))


@pytest.mark.parametrize(
    "settings",
    [{"channels": []}, {"channels": ["a b"]}, {"channels": ["https://x.example/s/abcde"]}],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="channels"):
        telegram.Settings(**settings)
