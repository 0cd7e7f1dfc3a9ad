"""Training from the command line: from our own export to a labeller that labels."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raccroche.cli import app
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


def test_the_manifest_of_a_dataset_says_which_files_are_read(tmp_path: Path) -> None:
    folder = exported(tmp_path / "out", POST, POST | {"id": "test/site:2"})
    files = []
    for table, rows in (("posts", [POST]), ("mentions", [MENTION])):
        name = f"{table}-0123456789ab.jsonl"
        (folder / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")
        files.append({"path": name, "table": table, "rows": 1, "bytes": 1, "sha256": "0"})
    (folder / "manifest.json").write_text(json.dumps({"dataset": "d", "files": files}), "utf-8")
    (row,) = training_rows([folder])
    assert row["id"] == POST["id"]


def test_a_dataset_in_another_format_is_no_training_set(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="export with --format jsonl"):
        training_rows([tmp_path])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.jsonl", None, "no such file"),
        ("broken.jsonl", '{"id": 1', "broken.jsonl"),
        ("empty.jsonl", "", "no labelled row"),
        (
            "texts.jsonl",
            '{"id": "1", "text": "Mandarine"}',
            "row in .*texts.jsonl: of 1",
        ),
        ("nulls.jsonl", '{"text": "a", "sentiment": null, "brands": {}}', "no labelled row in"),
        ("list.jsonl", "[1, 2]", "row 1: must be a JSON object"),
    ],
)
def test_data_that_cannot_be_used_are_named(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(ImportFileError, match=words):
        training_rows([tmp_path / name])


@pytest.mark.parametrize("label", [{"sentiment": "neutral"}, {"topics": []}, {"testimony": False}])
def test_one_label_makes_a_file_one_to_train_on(tmp_path: Path, label: dict[str, object]) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps({"text": "a"}) + "\n" + json.dumps({"text": "b"} | label), "utf-8")
    assert len(training_rows([path])) == 2


@pytest.mark.parametrize("kind", [["--out", "ours.npz"], ["--scratch", "--out", "ours"]])
def test_training_without_labels_writes_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.jsonl").write_text('{"id": "1", "text": "Mandarine"}\n', "utf-8")
    result = CliRunner().invoke(app, ["train", "texts.jsonl", *kind])
    assert isinstance(result.exception, ImportFileError)
    assert "no labelled row in texts.jsonl" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl"]


def test_cross_validations_below_none_are_refused(tmp_path: Path) -> None:
    line = ["train", str(tmp_path), "--out", str(tmp_path / "ours.npz"), "--repeats", "-1"]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 2
    assert "--repeats" in result.output


def test_a_folder_without_posts_says_how_to_export(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="--format jsonl"):
        training_rows([tmp_path])


def test_a_model_file_of_the_configuration_is_loaded(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "nlp/models/embedded.npz"
    (tmp_path / "ours.npz").write_bytes(shipped.read_bytes())
    config = Config(tmp_path / "config.toml", nlp=NlpConfig(model="ours.npz"))
    assert load_labeller(config).version == load_labeller(Config(tmp_path / "c.toml")).version
