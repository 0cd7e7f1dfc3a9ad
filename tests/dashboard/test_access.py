"""Who may do what: roles by address, checked on the server before every change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, actions
from dashboard.access import Refused, Role, clean_name, person
from raccroche.config import DashboardConfig
from raccroche.store import Filters
from tests.dashboard import samples
from tests.dashboard.conftest import APP

LISTS = DashboardConfig(
    login=True,
    readers=("@asso.example", "lecteur@autre.example"),
    annotators=("zoe@asso.example",),
    admins=("chef@asso.example",),
)


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("chef@asso.example", Role.ADMIN),
        ("Zoe@Asso.Example", Role.ANNOTATOR),
        ("bob@asso.example", Role.READER),
        ("lecteur@autre.example", Role.READER),
        ("bob@autre.example", Role.NONE),
        ("bob@evil.example@asso.example.evil.example", Role.NONE),
        ("", Role.NONE),
    ],
)
def test_the_lists_give_the_role(address: str, role: Role) -> None:
    assert person(LISTS, {"email": address, "email_verified": True}).role == role


def test_an_address_that_is_not_verified_opens_nothing() -> None:
    claims = {"email": "chef@asso.example", "email_verified": False}
    assert person(LISTS, claims).role == Role.NONE


def test_labels_carry_the_local_part_unless_two_people_share_it() -> None:
    zoe = {"email": "zoe@asso.example"}
    assert person(LISTS, zoe).name == "zoe"
    two = DashboardConfig(annotators=("zoe@asso.example", "zoe@autre.example"))
    assert person(two, zoe).name == "zoe.at.asso.example"


@pytest.mark.parametrize(
    ("written", "name"),
    [(" Claire ", "claire"), ("<b>x</b>", "b-x-b"), ("adjudicated", ""), ("é" * 99, "é" * 40)],
)  # fmt: skip
def test_a_written_name_is_made_safe(written: str, name: str) -> None:
    assert clean_name(written) == name


def test_every_action_asks_for_the_role(
    monkeypatch: pytest.MonkeyPatch, configured: Callable[[Path], Path], database: Path
) -> None:
    configured(database)
    monkeypatch.setattr(access, "me", lambda: access.STRANGER)
    asked = Filters(labeller=samples.MODEL)
    refused: list[Callable[[], object]] = [
        lambda: actions.set_alert(1, state="vue"),
        lambda: actions.next_post("claire", "random"),
        lambda: actions.fill_queue("random", samples.MODEL, 5),
        lambda: actions.report(["x"]),
        lambda: actions.archive_later(asked, "csv", "exports"),
    ]
    for action in refused:
        with pytest.raises(Refused):
            action()


def test_stable_pseudonyms_are_for_administrators(
    monkeypatch: pytest.MonkeyPatch, configured: Callable[[Path], Path], database: Path
) -> None:
    configured(database)
    monkeypatch.setattr(access, "me", lambda: access.Person(Role.ANNOTATOR, "zoe"))
    with pytest.raises(Refused):
        actions.archive_later(
            Filters(labeller=samples.MODEL), "csv", "exports", stable_pseudonyms=True
        )


def test_with_login_nothing_is_shown_before(
    configured: Callable[[Path], Path], filled: Path
) -> None:
    path = configured(filled)
    text = path.read_text(encoding="utf-8").replace("[dashboard]", "[dashboard]\nlogin = true")
    path.write_text(text, encoding="utf-8")
    app = AppTest.from_file(APP, default_timeout=30).run()
    assert not app.exception
    assert [one.label for one in app.button] == ["Se connecter"]
    assert not app.metric
