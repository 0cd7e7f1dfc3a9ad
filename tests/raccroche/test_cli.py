"""The command line as people use it: exit codes, one sentence for each error, nothing lost."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from raccroche.cli import main

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the shipped configuration."""
    text = (REPOSITORY / "config.toml").read_text("utf-8")
    (tmp_path / "config.toml").write_text(text, "utf-8")
    return tmp_path


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


def raccroche(folder: Path, *words: str, stdin: str | None = None) -> Result:
    """Run the command line in *folder*: in this process, or in its own when it reads stdin."""
    if stdin is not None:
        return raccroche_process(folder, *words, stdin=stdin)
    out, err = io.StringIO(), io.StringIO()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RACCROCHE_")}
    with (
        mock.patch.object(sys, "argv", ["raccroche", *words]),
        mock.patch.dict(os.environ, kept | {"COLUMNS": "200"}, clear=True),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Result(code, out.getvalue(), err.getvalue())


def raccroche_process(folder: Path, *words: str, stdin: str = "") -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "raccroche", *words],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def one_sentence(result: Result) -> str:
    """The error of a command that ended with 1: one line, no traceback."""
    assert result.returncode == 1, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("raccroche: ")
    return lines[0]


def write_csv(folder: Path) -> Path:
    path = folder / "avis.csv"
    path.write_text(
        "Numero;Avis;Quand;Qui\n"
        "1;Mandarine m'appelle trois fois par jour, stop !;2026-09-01 10:00;ana\n"
        "2;Rien à dire, tout marche.;2026-09-02;bo\n"
        "3;;2026-09-02;bo\n"
        "4;Une date fausse;le trente-deux;bo\n",
        "utf-8",
    )
    return path


def table_of(home: Path, table: str) -> Path:
    (found,) = (home / "out").glob(f"{table}-*.jsonl")
    return found


MAP = "id=Numero,text=Avis,published_at=Quand,author=Qui"


def test_a_file_goes_from_import_to_labels_to_export(home: Path) -> None:
    write_csv(home)
    imported = raccroche(home, "import", "avis.csv", "--map", MAP)
    assert imported.returncode == 0
    assert "2 new, 0 known, 2 bad rows" in imported.stdout
    assert "row 3: no text" in imported.stderr
    assert "row 4: the date 'le trente-deux' is not understood" in imported.stderr

    labelled = raccroche(home, "label", "--labeller", "rules")
    assert labelled.returncode == 0
    assert "2 posts labelled by rules@" in labelled.stdout

    exported = raccroche(home, "export", "out", "--format", "jsonl")
    assert exported.returncode == 0, exported.stderr
    rows = [json.loads(x) for x in table_of(home, "posts").read_text("utf-8").splitlines()]
    assert [row["phone_harassment"] for row in rows] == [True, False]
    assert all(row["author"].startswith("a_") for row in rows)


def test_an_export_of_a_brand_that_does_not_exist_is_wrong_usage(home: Path) -> None:
    write_csv(home)
    raccroche(home, "import", "avis.csv", "--map", MAP)
    raccroche(home, "label", "--labeller", "rules")
    for option, wrong, near in (
        ("--brand", "Orenge", "Orange"),
        ("--topic", "biling", "billing"),
        ("--signal", "robocal", "robocall"),
        ("--platform", "file", "files"),
        ("--labeller", "rule", "rules@"),
    ):
        done = raccroche(home, "export", "out", option, wrong)
        assert done.returncode == 2, done.stderr
        assert f"{wrong!r}" in done.stderr
        assert near in done.stderr
    assert not (home / "out").exists()
    asked = raccroche(home, "export", "out", "--topic", "billing", "--platform", "files")
    assert asked.returncode == 0


def test_a_row_that_says_something_else_under_an_id_of_the_file_is_bad(home: Path) -> None:
    (home / "two.csv").write_text(
        "id,text,author\n1,Le premier,ana\n1,Le second,ana\n1,Le premier,bo\n1,Le premier,ana\n"
    )
    done = raccroche(home, "import", "two.csv")
    assert done.returncode == 0
    assert "1 new" in done.stdout
    assert "2 bad rows" in done.stdout
    assert "row 2: id 1 stands twice in this file" in done.stderr
    raccroche(home, "label", "--labeller", "rules")
    raccroche(home, "export", "out", "--format", "jsonl")
    (row,) = map(json.loads, table_of(home, "posts").read_text("utf-8").splitlines())
    assert row["text"] == "Le premier"


def test_a_row_of_an_impossible_date_is_bad_and_a_file_of_such_rows_is_an_error(
    home: Path,
) -> None:
    (home / "dates.csv").write_text(
        "text,date\nUn texte,9999-12-31\nUn autre,0001-01-01\nEncore un,1979-12-31\n"
    )
    done = raccroche(home, "import", "dates.csv")
    assert done.returncode == 1
    assert "0 new, 0 known, 3 bad rows" in done.stdout
    assert "row 1: the date '9999-12-31' is in the future" in done.stderr
    assert "row 3: the date '1979-12-31' is before 1980" in done.stderr
    assert "no row of this file is a post" in done.stderr


@pytest.mark.parametrize("platform", ["", "Mon Forum", "a/b", "é"])
def test_a_platform_that_is_no_name_is_wrong_usage(home: Path, platform: str) -> None:
    write_csv(home)
    done = raccroche(home, "import", "avis.csv", "--map", MAP, "--platform", platform)
    assert done.returncode == 2
    assert "--platform" in done.stderr


def test_a_file_imported_twice_is_stored_once(home: Path) -> None:
    write_csv(home)
    raccroche(home, "import", "avis.csv", "--map", MAP)
    again = raccroche(home, "import", "avis.csv", "--map", MAP)
    assert "0 new, 2 known" in again.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"a,b\n1,2\n", "no column with the text"),
        (b"text\n", "holds no rows"),
    ],
)
def test_a_csv_that_cannot_be_used_is_one_sentence(
    home: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (home / "x.csv").write_bytes(content)
    assert words in one_sentence(raccroche(home, "import", "x.csv"))


def test_a_column_that_is_not_there_is_named(home: Path) -> None:
    write_csv(home)
    said = one_sentence(raccroche(home, "import", "avis.csv", "--map", "text=Commentaire"))
    assert "no column 'Commentaire'" in said


def test_a_field_that_posts_lack_is_wrong_usage(home: Path) -> None:
    write_csv(home)
    assert raccroche(home, "import", "avis.csv", "--map", "texte=Avis").returncode == 2


def test_without_configuration_the_error_says_what_to_do(tmp_path: Path) -> None:
    assert "no such file" in one_sentence(raccroche(tmp_path, "collect"))


def test_collect_without_enabled_sources_says_so(home: Path) -> None:
    assert "no source is enabled" in one_sentence(raccroche(home, "collect"))


def test_an_unknown_source_is_named(home: Path) -> None:
    assert "no source 'x'" in one_sentence(raccroche(home, "collect", "x"))


def test_a_corrupt_database_is_one_sentence_and_stays_as_it_is(home: Path) -> None:
    (home / "data").mkdir()
    database = home / "data/raccroche.sqlite3"
    database.write_bytes(b"not a database" * 1000)
    before = database.read_bytes()
    one_sentence(raccroche(home, "status"))
    one_sentence(raccroche(home, "label", "--labeller", "rules"))
    assert database.read_bytes() == before


def test_a_missing_database_is_one_sentence(home: Path) -> None:
    one_sentence(raccroche(home, "status"))


def test_predict_answers_in_order_and_reports_bad_lines(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "a", "text": "Orange m'appelle cinq fois par jour depuis un mois"}),
        "{broken",
        json.dumps({"id": "b"}),
        json.dumps({"id": "c", "text": "Le réseau est en panne à Nantes"}),
    ]
    result = raccroche(tmp_path, "predict", "--labeller", "rules", stdin="\n".join(lines))
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["a", "c"]
    assert rows[0]["brands"]["Orange"]["harassment"] is True
    assert rows[0]["facts"]["calls"] == {"min": 5, "max": 5, "per": "day", "duration_days": 30}
    assert "line 2" in result.stderr
    assert "line 3: text is missing" in result.stderr
    assert result.returncode == 3


def test_parse_prints_posts_and_a_summary(tmp_path: Path) -> None:
    page = tmp_path / "posts.jsonl"
    page.write_text(
        '{"id": 1, "text": "Bonjour", "author": "ana", "date": "2026-09-01"}\n', "utf-8"
    )
    result = raccroche(tmp_path, "parse", str(page))
    (post,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert post["author"] == "ana"  # nothing is stored: shown as it is
    summary = json.loads(result.stderr)
    assert (summary["platform"], summary["items"], summary["verdict"]) == ("files", 1, "new")


def test_parse_of_an_unknown_format_says_how_to_go_on(tmp_path: Path) -> None:
    page = tmp_path / "page.bin"
    page.write_bytes(b"\x00\x01\x02")
    assert "--platform" in one_sentence(raccroche(tmp_path, "parse", str(page)))


def test_evaluate_prints_every_measure(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    rows = [
        {"id": "1", "text": "Orange m'appelle tous les jours", "source": "x",
         "sentiment": "negative", "phone_harassment": True, "testimony": True,
         "topics": ["phone_harassment"], "topics_disputed": [], "signals": [],
         "signals_disputed": [], "brands_disputed": [],
         "brands": {"Orange": {"sentiment": "negative", "harassment": True}}},
    ]  # fmt: skip
    gold.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    result = raccroche(tmp_path, "evaluate", str(gold), "--labeller", "rules", "--json")
    assert result.returncode == 0, result.stderr
    measures = {row["measure"]: row for row in json.loads(result.stdout)}
    assert measures["phone_harassment"]["value"] == "1.000"
    assert {"testimony", "brand_mentions", "brand_harassment", "topics/phone_harassment"} <= set(
        measures
    )


def test_a_broken_gold_file_names_the_line(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"id": "1"}\n{"id"', "utf-8")
    assert "line 2" in one_sentence(raccroche(tmp_path, "evaluate", str(gold)))


def test_doctor_finds_a_key_that_others_can_read(home: Path) -> None:
    (home / "data").mkdir()
    key = home / "data/pseudonym.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    result = raccroche(home, "doctor")
    assert result.returncode == 1
    assert "readable by others" in result.stdout


def test_every_command_explains_itself_with_an_example() -> None:
    from raccroche.cli import app

    for command in app.registered_commands:
        assert command.callback is not None
        text = command.callback.__doc__ or ""
        assert "Example: `" in text, command.callback
        assert "raccroche " in text.split("Example: `")[1], command.callback


def test_the_command_line_starts_without_the_libraries_of_analysis() -> None:
    """They take two seconds to load; only the commands that compute with them pay that."""
    heavy = "{'scipy', 'pandas', 'statsmodels', 'pyarrow', 'numpy', 'sklearn'}"
    code = f"import sys, raccroche.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "[]"


def test_the_key_is_made_for_its_owner_only(home: Path) -> None:
    write_csv(home)
    raccroche(home, "import", "avis.csv", "--map", MAP)
    assert (home / "data/pseudonym.key").stat().st_mode & 0o777 == 0o600


def test_a_brand_added_later_is_found_by_labelling_again(home: Path) -> None:
    (home / "avis.jsonl").write_text('{"id": 1, "text": "Zoubidoo m\'appelle tous les jours"}\n')
    raccroche(home, "import", "avis.jsonl")
    raccroche(home, "label", "--labeller", "rules")
    with (home / "config.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[brands]]\nid = "zoubidoo"\nname = "Zoubidoo"\nsector = "telecom"\n')
    again = raccroche(home, "label", "--labeller", "rules", "--again")
    assert "1 posts labelled" in again.stdout
    raccroche(home, "export", "out", "--format", "jsonl")
    mention = json.loads(table_of(home, "mentions").read_text("utf-8"))
    assert (mention["brand"], mention["harassment"]) == ("Zoubidoo", True)


def test_evaluate_needs_no_more_than_the_labels_it_scores(tmp_path: Path) -> None:
    row = {"id": "1", "text": "SFR m'appelle tous les jours", "sentiment": "negative",
           "phone_harassment": True, "testimony": True, "topics": [], "signals": [],
           "brands": {"SFR": {"sentiment": "negative", "harassment": True}}}  # fmt: skip
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps(row), "utf-8")
    result = raccroche(tmp_path, "evaluate", str(gold), "--labeller", "rules")
    assert result.returncode == 0, result.stderr
    assert "phone_harassment" in result.stdout
    del row["topics"], row["brands"]
    gold.write_text(json.dumps(row), "utf-8")
    said = one_sentence(raccroche(tmp_path, "evaluate", str(gold), "--labeller", "rules"))
    assert "line 1: without topics, brands" in said
