"""Labelling what is stored: what a reader copies is not his own word; processes share the work."""

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import parent_process
from pathlib import Path

import pytest

from nlp.types import Labels as Said
from nlp.types import Text
from raccroche import pipeline
from raccroche.config import BrandConfig, Config, NlpConfig
from raccroche.labelling import load_labeller
from raccroche.post import Kind, Labels, Post
from raccroche.store import Store

CALLED = "Mobiloux m’appelle dix fois par jour, c’est du harcèlement téléphonique."
SOURCE = "wordpress/blog.example"


def config(folder: Path, workers: int = 1) -> Config:
    brand = BrandConfig(id="mobiloux", name="Mobiloux")
    nlp = NlpConfig(labeller="rules", workers=workers)
    return replace(Config(folder / "config.toml"), brands=(brand,), nlp=nlp)


def post(number: int, text: str, parent: int | None = None) -> Post:
    at = datetime(2026, 9, 1, 8, number % 60, tzinfo=UTC)
    above = str(parent) if parent else None
    return Post(SOURCE, "wordpress", str(number), text, Kind.COMMENT, published_at=at, parent=above)


def labelled(folder: Path, posts: list[Post], workers: int = 1) -> dict[str, Labels]:
    folder.mkdir(exist_ok=True)
    loaded = config(folder, workers)
    labeller = load_labeller(loaded)
    with Store.open(folder / "db.sqlite3") as store:
        store.add_posts(posts)
        assert pipeline.label(loaded, store, labeller, batch_size=7) == len(posts)
        found = store.labels_by(pipeline.labeller_id(labeller))
    return {one.post_id: one for one in found}


def accused(labels: Labels) -> list[str]:
    return [mention.brand for mention in labels.mentions if mention.harassment]


def test_a_sentence_copied_from_the_post_that_is_answered_is_not_the_reader_s(
    tmp_path: Path,
) -> None:
    answer = f"{CALLED} Vous avez essayé de leur écrire une lettre recommandée au siège ?"
    alone = labelled(tmp_path / "alone", [post(2, answer)])
    below = labelled(tmp_path / "below", [post(1, CALLED), post(2, answer, parent=1)])

    assert accused(alone[f"{SOURCE}:2"]) == ["Mobiloux"]
    assert accused(below[f"{SOURCE}:1"]) == ["Mobiloux"]
    assert accused(below[f"{SOURCE}:2"]) == []


def threaded(number: int, text: str, thread: str = "a") -> Post:
    return replace(post(number, text), thread=thread)


def test_a_sentence_copied_from_an_earlier_post_of_the_thread_is_not_the_reader_s(
    tmp_path: Path,
) -> None:
    """No parent is named: forums in HTML often name none."""
    answer = f"{CALLED} Vous avez essayé de leur écrire une lettre recommandée au siège ?"
    between = [threaded(n, f"Rien à voir, message {n}.") for n in range(2, 30)]

    below = labelled(tmp_path / "below", [threaded(1, CALLED), *between, threaded(40, answer)])
    apart = labelled(tmp_path / "apart", [threaded(1, CALLED), threaded(40, answer, "b")])
    above = labelled(tmp_path / "above", [threaded(1, answer), threaded(40, CALLED)])

    assert accused(below[f"{SOURCE}:1"]) == ["Mobiloux"]
    assert accused(below[f"{SOURCE}:40"]) == []
    assert accused(apart[f"{SOURCE}:40"]) == ["Mobiloux"]
    # what was written first is its author's own, whoever repeats it later
    assert accused(above[f"{SOURCE}:1"]) == ["Mobiloux"]


@pytest.mark.slow
def test_several_processes_label_as_one_does(tmp_path: Path) -> None:
    posts = [
        post(n, f"{CALLED} Fois {n}." if n % 2 else f"Rien à dire, {n}.") for n in range(1, 20)
    ]

    assert labelled(tmp_path / "two", posts, 2) == labelled(tmp_path / "one", posts)


class CtrlC:
    """A labeller whose processes hear of the Ctrl-C that a terminal sends to all of them."""

    name, version = "rules", "ctrl-c"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def label(self, texts: Sequence[Text]) -> list[Said]:
        assert parent_process() is not None
        os.kill(os.getpid(), signal.SIGINT)
        return load_labeller(config(self.folder)).label(texts)


@pytest.mark.slow
def test_processes_that_share_the_work_leave_ctrl_c_to_the_one_that_began_them(
    tmp_path: Path,
) -> None:
    loaded = config(tmp_path, workers=2)
    with Store.open(tmp_path / "db.sqlite3") as store:
        store.add_posts([post(number, CALLED) for number in range(1, 9)])
        assert pipeline.label(loaded, store, CtrlC(tmp_path), batch_size=4) == 8
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
