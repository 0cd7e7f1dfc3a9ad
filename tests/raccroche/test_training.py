"""Training from the command line: from our own export to a labeller that labels."""

import json
from pathlib import Path

import pytest

from raccroche.config import Config, NlpConfig
from raccroche.errors import ImportFileError
from raccroche.labelling import load_labeller
from raccroche.training import training_rows

POST = {
    "id": "test/site:1",
    "text": "Mandarine m'appelle cinq fois par jour",
    "sentiment": "negative",
    "phone_harassment": True,
    "testimony": True,
    "topics": ["phone_harassment"],
    "signals": ["excessive_frequency"],
    "is_copy": False,
}
MENTION = {
    "post_id": "test/site:1",
    "brand": "Mandarine",
    "sentiment": "negative",
    "harassment": True,
    "role": "caller",
}


def exported(folder: Path, *posts: dict[str, object]) -> Path:
    folder.mkdir()
    (folder / "posts.jsonl").write_text("\n".join(map(json.dumps, posts)), "utf-8")
    (folder / "mentions.jsonl").write_text(json.dumps(MENTION), "utf-8")
    return folder


def test_an_exported_dataset_gives_rows_with_their_brands(tmp_path: Path) -> None:
    (row,) = training_rows([exported(tmp_path / "out", POST, POST | {"is_copy": True})])
    assert row["brands"] == {
        "Mandarine": {"sentiment": "negative", "harassment": True, "role": "caller"}
    }


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.jsonl", None, "no such file"),
        ("broken.jsonl", '{"id": 1', "broken.jsonl"),
        ("empty.jsonl", "", "no labelled row"),
    ],
)
def test_data_that_cannot_be_used_are_named(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(ImportFileError, match=words):
        training_rows([tmp_path / name])


def test_a_folder_without_posts_says_how_to_export(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="--format jsonl"):
        training_rows([tmp_path])


def test_a_model_file_of_the_configuration_is_loaded(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "nlp/models/embedded.npz"
    (tmp_path / "ours.npz").write_bytes(shipped.read_bytes())
    config = Config(tmp_path / "config.toml", nlp=NlpConfig(model="ours.npz"))
    assert load_labeller(config).version == load_labeller(Config(tmp_path / "c.toml")).version
