"""Datasets that open where analysts work, hold no secret, and are never half written."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from collectors.table import sources
from nlp.corpus import text_of
from raccroche import pipeline
from raccroche.config import BrandConfig, Config, PrivacyConfig
from raccroche.errors import ConfigError, RaccrocheError
from raccroche.export import FORMATS, UnknownValue, data_files, export_dataset
from raccroche.export.files import Dataset
from raccroche.export.metadata import DESCRIPTIONS
from raccroche.export.rows import SCHEMAS
from raccroche.export.terms import UNKNOWN, terms_of
from raccroche.labelling import load_labeller
from raccroche.post import Labels, Mention, Post
from raccroche.store import Filters, Store
from tests.servers import forked

LABELLER = "test@1"
ALL = Filters(labeller=LABELLER, with_copies=True)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "config.toml", privacy=PrivacyConfig(key_file="key"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.sqlite3") as opened:
        for month in (7, 8, 9):
            fill(opened, [at(month, day) for day in (1, 2, 3)])
        yield opened


def data(folder: Path, table: str = "posts") -> Path:
    """The one file of a table, as the manifest names it."""
    (found,) = data_files(folder, table)
    return found


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 9, tzinfo=UTC)


def fill(store: Store, moments: list[datetime]) -> None:
    posts = [
        Post(
            source="test/site",
            platform="test",
            native_id=f"{moment:%m%d}",
            title="=1+1" if moment.day == 1 else None,
            text=f"Message du {moment:%d/%m}, « cité ; » d'un été\nà la ligne",
            author=f"p_{moment.day}",
            thread=f"t{moment.month}",
            published_at=moment,
        )
        for moment in moments
    ]
    store.add_posts(posts)
    store.add_labels(
        [
            Labels(
                post_id=post.id,
                labeller=LABELLER,
                sentiment="negative",
                phone_harassment=True,
                testimony=True,
                topics=("phone_harassment", "billing"),
                signals=("robocall",),
                mentions=(
                    Mention("Mandarine", "negative", True, "caller", probability=0.9),
                    Mention("Libre", "positive", False, "compared"),
                ),
                facts={"calls": {"min": 2, "max": 5, "per": "day"}},
                probabilities={"phone_harassment": 0.97},
                language="fr",
            )
            for post in posts
        ]
    )


@pytest.mark.parametrize("form", FORMATS)
def test_pandas_reads_every_format(tmp_path: Path, config: Config, store: Store, form: str) -> None:
    export_dataset(config, store, tmp_path / "out", form=form, filters=ALL)
    read = {
        "csv": lambda t: pd.read_csv(data(tmp_path / "out", t)),
        "jsonl": lambda t: pd.read_json(data(tmp_path / "out", t), lines=True),
        "parquet": lambda t: pd.read_parquet(tmp_path / "out" / t),
    }[form]
    posts, mentions = read("posts"), read("mentions")
    assert len(posts) == 9
    assert len(mentions) == 18
    assert set(posts.columns) == set(SCHEMAS["posts"].names)
    assert mentions["harassment"].sum() == 9
    assert set(mentions["post_id"]) == set(posts["id"])
    assert posts["text"].str.contains("d'un été\nà la ligne").all()


@pytest.mark.parametrize("form", FORMATS)
def test_duckdb_reads_every_format(tmp_path: Path, config: Config, store: Store, form: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    export_dataset(config, store, tmp_path / "out", form=form, filters=ALL)
    place = tmp_path / "out" / ("posts/*.parquet" if form == "parquet" else f"posts-*.{form}")
    with duckdb.connect() as connection:
        count = connection.sql(f"select count(*), min(calls_max) from '{place}'").fetchall()
    assert count == [(9, 5)]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_load_dataset_reads_every_format(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    """In its own process: the library changes warnings and caches of the whole interpreter."""
    pytest.importorskip("datasets")
    export_dataset(config, store, tmp_path / "out", form=form, filters=ALL)
    code = textwrap.dedent(
        f"""
        from datasets import load_dataset
        for table, rows in (("posts", 9), ("mentions", 18)):
            read = load_dataset({str(tmp_path / "out")!r}, table, split="train")
            assert read.num_rows == rows, read
        """
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_metadata_say_what_how_many_and_by_whom(
    tmp_path: Path, config: Config, store: Store
) -> None:
    result = export_dataset(config, store, tmp_path / "out", form="csv", filters=ALL)
    facts = json.loads((tmp_path / "out/metadata.json").read_text("utf-8"))
    assert facts["counts"] == {"posts": 9, "mentions": 18}
    assert facts["labeller"] == LABELLER
    assert facts["query"]["with_copies"] is True
    for one in facts["files"]:
        body = (tmp_path / "out" / one["path"]).read_bytes()
        assert (len(body), sha256(body).hexdigest()) == (one["bytes"], one["sha256"])
    assert result.rows == 9
    assert [record.rows for record in store.exports()] == [9]


@pytest.mark.parametrize("form", FORMATS)
def test_the_descriptions_are_valid_and_complete(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    export_dataset(config, store, tmp_path / "out", form=form, filters=ALL)
    package = json.loads((tmp_path / "out/datapackage.json").read_text("utf-8"))
    assert [resource["name"] for resource in package["resources"]] == ["posts", "mentions"]
    for resource in package["resources"]:
        paths = resource["path"] if isinstance(resource["path"], list) else [resource["path"]]
        assert all((tmp_path / "out" / path).is_file() for path in paths)
    croissant = json.loads((tmp_path / "out/croissant.json").read_text("utf-8"))
    assert croissant["conformsTo"].endswith("/1.0")
    told = {one["@id"]: one for one in croissant["distribution"]}
    files = [one for one in told.values() if one["@type"] == "cr:FileObject"]
    assert {one["contentUrl"] for one in files} == {
        one["path"] for one in manifest(tmp_path / "out")["files"]
    }
    for records in croissant["recordSet"]:
        for one in records["field"]:
            place = one["source"].get("fileSet") or one["source"]["fileObject"]
            named = told[place["@id"]].get("includes", [place["@id"]])
            assert named == [
                file["@id"] for file in files if file["@id"].startswith(records["name"])
            ]


@pytest.mark.slow
@pytest.mark.parametrize("form", [*FORMATS, "excel"])
def test_croissant_tools_read_every_row_of_every_file(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    """The reference library, in its own process: valid, no warning about it, all rows and lists."""
    pytest.importorskip("mlcroissant")
    excel = form == "excel"
    export_dataset(
        config, store, tmp_path / "out", form="csv" if excel else form, filters=ALL, excel=excel
    )
    code = textwrap.dedent(
        f"""
        import mlcroissant
        read = mlcroissant.Dataset(jsonld={str(tmp_path / "out/croissant.json")!r})
        issues = read.metadata.ctx.issues
        assert not issues.errors and not issues.warnings, issues.report()
        for table, rows in () if {excel} else (("posts", 9), ("mentions", 18)):
            found = list(read.records(table))
            assert len(found) == rows, found
            if table == "posts":
                assert {{row["posts/text"][:11].decode() for row in found}} == {{"Message du "}}
                topics = [b"phone_harassment", b"billing"]
                assert all(row["posts/topics"] == topics for row in found)
                assert {{str(row["posts/published_at"])[:7] for row in found}} == {{
                    "2026-07", "2026-08", "2026-09"
                }}
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "not standard" not in done.stderr


@pytest.mark.parametrize("excel", [False, True])
def test_frictionless_finds_no_fault_in_the_csv(
    tmp_path: Path, config: Config, store: Store, excel: bool
) -> None:
    pytest.importorskip("frictionless")
    export_dataset(config, store, tmp_path / "out", form="csv", filters=ALL, excel=excel)
    code = (
        "import sys, frictionless; r = frictionless.validate('datapackage.json');"
        "sys.exit(None if r.valid else str(r.flatten(['message'])))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_each_source_of_the_dataset_is_told_with_its_terms(
    tmp_path: Path, config: Config, store: Store
) -> None:
    places = (
        ("reddit/www.reddit.com", "reddit"),
        ("stackexchange/stackoverflow.com", "stackexchange"),
        ("hfr/forum.example.org/23", "hfr"),
        ("files/avis", "files"),
        ("mastodon/elsewhere.example", "mastodon"),
    )
    posts = [Post(source, platform, "1", f"Un appel, {source}", published_at=at(9, 9))
             for source, platform in places]  # fmt: skip
    store.add_posts(posts)
    store.add_labels([Labels(post.id, LABELLER, "neutral", False, False) for post in posts[:4]])
    export_dataset(config, store, tmp_path / "out", form="csv", filters=ALL)
    told = {
        one["source"]: one
        for one in json.loads((tmp_path / "out/metadata.json").read_text("utf-8"))["sources"]
    }
    assert set(told) == {"test/site", *(source for source, _ in places[:4])}, "of the dataset only"
    assert told["test/site"]["posts"] == 9
    assert told["test/site"]["first_day"] == "2026-07-01"
    assert told["test/site"]["last_day"] == "2026-09-03"
    reddit = told["reddit/www.reddit.com"]
    assert "Data API" in reddit["terms"]
    assert reddit["address"].endswith("/data-api-terms")
    assert told["stackexchange/stackoverflow.com"]["licence"].startswith("CC BY-SA 4.0")
    forum = told["hfr/forum.example.org/23"]
    assert forum["robots"] == "https://forum.example.org/robots.txt"
    assert forum["address"] == "https://forum.example.org/"
    assert (told["files/avis"]["address"], told["files/avis"]["robots"]) == ("", "")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert all(f"`{source}`" in card and one["terms"] in card for source, one in told.items())


def test_every_platform_has_terms() -> None:
    for platform, module in sources().items():
        found = terms_of(f"{platform}/example.org", platform)
        assert found.terms == module.LEGAL
        assert found.licence
    assert terms_of("gone/example.org", "gone").terms == UNKNOWN


def test_the_brand_whose_account_a_post_answers_goes_with_it_and_tells_its_labeller(
    tmp_path: Path, config: Config
) -> None:
    """Without it nobody who has the dataset could tell why "from you" accuses that brand."""
    said = "Dix appels par jour de votre part, arrêtez !"
    with Store.open(tmp_path / "one.sqlite3") as store:
        store.add_posts([
            Post("test/site", "test", "1", said, published_at=at(9, 1), reply_to_brand="Orange"),
            Post("test/site", "test", "2", "Rien à dire.", published_at=at(9, 2)),
        ])  # fmt: skip
        labeller = load_labeller(config)
        pipeline.label(config, store, labeller)
        ours = Filters(labeller=pipeline.labeller_id(labeller))
        export_dataset(config, store, tmp_path / "out", form="jsonl", filters=ours)

    lines = data(tmp_path / "out").read_text("utf-8").splitlines()
    rows = {row["id"]: row for row in map(json.loads, lines)}
    assert [rows[f"test/site:{n}"]["reply_to_brand"] for n in (1, 2)] == ["Orange", None]
    (labels,) = labeller.label([text_of(rows["test/site:1"])])
    assert labels.brands["Orange"].harassment


def test_every_column_is_explained() -> None:
    for schema in SCHEMAS.values():
        assert set(schema.names) <= set(DESCRIPTIONS)


def test_a_formula_is_made_harmless_in_csv_only(
    tmp_path: Path, config: Config, store: Store
) -> None:
    export_dataset(config, store, tmp_path / "csv", form="csv", filters=ALL)
    export_dataset(config, store, tmp_path / "jsonl", form="jsonl", filters=ALL)
    with data(tmp_path / "csv").open(encoding="utf-8", newline="") as file:
        titles = {row["title"] for row in csv.DictReader(file)}
    assert titles == {"", "'=1+1"}
    lines = data(tmp_path / "jsonl").read_text("utf-8").splitlines()
    assert "=1+1" in {json.loads(line)["title"] for line in lines}


def test_french_excel_gets_a_mark_semicolons_and_commas(
    tmp_path: Path, config: Config, store: Store
) -> None:
    export_dataset(config, store, tmp_path / "out", form="csv", filters=ALL, excel=True)
    body = data(tmp_path / "out").read_bytes()
    assert body.startswith(b"\xef\xbb\xbfid;source;")
    assert b";0,97;" in body


def test_pseudonyms_are_stable_in_one_dataset_and_differ_in_another(
    tmp_path: Path, config: Config, store: Store
) -> None:
    def authors(name: str, *, stable: bool = False) -> dict[str, str]:
        export_dataset(
            config, store, tmp_path / name, form="jsonl", filters=ALL, stable_pseudonyms=stable
        )
        lines = data(tmp_path / name).read_text("utf-8").splitlines()
        return {row["id"]: row["author"] for row in map(json.loads, lines)}

    one = authors("one")
    assert len(set(one.values())) == 3
    assert authors("one") == one
    assert set(authors("two").values()).isdisjoint(one.values())
    assert set(authors("raw", stable=True).values()) == {"p_1", "p_2", "p_3"}


def test_only_the_month_that_changed_is_written_again(
    tmp_path: Path, config: Config, store: Store
) -> None:
    out = tmp_path / "out"
    export_dataset(config, store, out, form="parquet", filters=ALL)
    before = {path.name: path.stat().st_ino for path in out.rglob("*.parquet")}
    fill(store, [at(9, 20)])
    result = export_dataset(config, store, out, form="parquet", filters=ALL)
    after = {path.name: path.stat().st_ino for path in out.rglob("*.parquet")}
    assert result.unchanged == 4  # two tables, July and August
    assert {n: i for n, i in after.items() if "-09-" not in n}.items() <= before.items()
    assert len(after) == 6
    listed = {Path(one["path"]).name for one in manifest(out)["files"]}
    assert listed == set(after)


def manifest(folder: Path) -> dict[str, list[dict[str, str]]]:
    read: dict[str, list[dict[str, str]]] = json.loads((folder / "manifest.json").read_text())
    return read


def test_no_author_and_no_thread_is_in_two_parts(
    tmp_path: Path, config: Config, store: Store
) -> None:
    store.add_posts([])
    export_dataset(config, store, tmp_path / "out", form="jsonl", filters=ALL, split=True)
    lines = data(tmp_path / "out").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for key in ("author", "thread"):
        parts: dict[str, set[str]] = {}
        for row in rows:
            parts.setdefault(row[key], set()).add(row["split"])
        assert all(len(found) == 1 for found in parts.values())


def test_a_folder_that_holds_something_else_is_left_alone(
    tmp_path: Path, config: Config, store: Store
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/these.txt").write_text("mine")
    with pytest.raises(ConfigError, match="no Raccroche dataset"):
        export_dataset(config, store, tmp_path / "out", form="csv", filters=ALL)
    assert (tmp_path / "out/these.txt").read_text() == "mine"


def test_an_unknown_format_is_named(tmp_path: Path, config: Config, store: Store) -> None:
    with pytest.raises(ConfigError, match="'xls'"):
        export_dataset(config, store, tmp_path / "out", form="xls", filters=ALL)


def test_an_export_that_dies_leaves_the_earlier_one_whole(
    tmp_path: Path, config: Config, store: Store
) -> None:
    out = tmp_path / "out"
    export_dataset(config, store, out, form="parquet", filters=ALL)
    before = {path.name: path.read_bytes() for path in out.rglob("*.parquet")}

    def die(rows: int) -> None:
        raise OSError(28, "No space left on device")

    fill(store, [at(9, 4)])
    with pytest.raises(RaccrocheError, match="No space left"):
        export_dataset(config, store, out, form="parquet", filters=ALL, progress=die)
    assert {path.name: path.read_bytes() for path in out.rglob("*.parquet")} == before
    listed = {Path(one["path"]).name for one in manifest(out)["files"]}
    assert listed == set(before)
    assert not list(out.glob(".new-*"))


@pytest.mark.parametrize("moment", ["place", "switch"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_a_killed_export_left_is_gone_after_the_next(
    tmp_path: Path,
    config: Config,
    store: Store,
    form: str,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The export dies after its files are in place, before or after the manifest names them."""
    target = tmp_path / "set"
    export_dataset(config, store, target, form=form, filters=ALL)
    fill(store, [at(9, 20)])
    finish = getattr(Dataset, moment)

    def die(self: Dataset, *given: object) -> None:
        if moment == "place":
            finish(self)
        else:
            monkeypatch.setattr(Dataset, "_strays", lambda self: {}["killed here"])
            finish(self, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Dataset, moment, die)
        with pytest.raises((KeyboardInterrupt, KeyError)):
            export_dataset(config, store, target, form=form, filters=ALL)
    monkeypatch.undo()
    fill(store, [at(9, 21)])
    result = export_dataset(config, store, target, form=form, filters=ALL)
    left = {
        path.relative_to(target).as_posix()
        for path in target.rglob("*")
        if path.suffix in (".csv", ".jsonl", ".parquet")
    }
    assert left == {one.path for one in result.files}
    assert result.rows == 11


def test_the_metadata_count_what_is_left_out_and_the_days_that_are_in(
    tmp_path: Path, config: Config, store: Store
) -> None:
    words = "Encore un appel ce matin de la même société, cela ne peut plus durer"
    said = {
        "copy": {"language": "fr"},
        "first": {"language": "fr"},
        "foreign": {"language": "en"},
        "refused": {"language": "fr", "refused": "too short"},
    }
    posts = [
        Post("test/site", "test", name, words if name in ("copy", "first") else name,
             published_at=at(8, 20) if name == "first" else at(8, 21))
        for name in said
    ]  # fmt: skip
    undated = Post("test/site", "test", "undated", "sans date")
    store.add_posts([*posts, undated])
    store.add_labels(
        [Labels(one.id, LABELLER, "neutral", False, False, **said.get(one.native_id, {}))
         for one in (*posts, undated)]
    )  # fmt: skip
    august = Filters(LABELLER, start=at(8, 1).date(), end=at(8, 31).date())
    export_dataset(config, store, tmp_path / "set", form="jsonl", filters=august)
    facts = json.loads((tmp_path / "set" / "metadata.json").read_text("utf-8"))
    assert facts["excluded"] == {"refused": 1, "not_french": 1, "copies": 1, "undated": 1}
    assert (facts["first_day"], facts["last_day"]) == ("2026-08-01", "2026-08-20")


def test_days_without_posts_give_empty_tables_with_their_columns(
    tmp_path: Path, config: Config, store: Store
) -> None:
    before = replace(ALL, end=at(1, 1).date())
    result = export_dataset(config, store, tmp_path / "out", form="csv", filters=before)
    assert result.rows == 0
    assert list(pd.read_csv(data(tmp_path / "out")).columns) == SCHEMAS["posts"].names


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"brands": ("Libre", "mandarin")}, "unknown brand 'mandarin'; near: Mandarine"),
        ({"families": ("orang",)}, "unknown family 'orang'; near: orange"),
        ({"labeller": "test@2"}, "unknown labeller 'test@2'; near: test@1"),
        ({"topics": ("biling",)}, "unknown topic 'biling'; near: billing"),
        ({"signals": ("robot_call",)}, "unknown signal 'robot_call'; near: robocall"),
        ({"platforms": ("mastodont",)}, "unknown platform 'mastodont'; near: mastodon"),
        ({"sources": ("elsewhere",)}, "unknown source 'elsewhere'; known: test/site"),
        ({"start": at(9, 2).date(), "end": at(9, 1).date()}, "first day, 2026-09-02, is after"),
    ],
)
def test_a_query_for_what_does_not_exist_is_an_error_and_writes_nothing(
    tmp_path: Path, config: Config, store: Store, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnknownValue, match=re.escape(told)):
        export_dataset(config, store, tmp_path / "out", form="csv", filters=replace(ALL, **changes))
    assert not (tmp_path / "out").exists()
    assert store.exports() == []


def test_a_brand_that_nobody_named_yet_is_no_error(
    tmp_path: Path, config: Config, store: Store
) -> None:
    named = replace(config, brands=(BrandConfig("b", "Cramoisie"),))
    asked = replace(ALL, brands=("Cramoisie",))
    assert export_dataset(named, store, tmp_path / "out", form="csv", filters=asked).rows == 0


def test_a_round_that_found_nothing_yet_publishes_an_empty_dataset(
    tmp_path: Path, config: Config
) -> None:
    with Store.open(tmp_path / "empty.sqlite3") as empty:
        assert export_dataset(config, empty, tmp_path / "out", form="csv", filters=ALL).rows == 0


def test_a_folder_written_once_has_plain_names(
    tmp_path: Path, config: Config, store: Store
) -> None:
    result = export_dataset(config, store, tmp_path / "o", form="csv", filters=ALL, once=True)
    assert [one.path for one in result.files] == ["posts.csv", "mentions.csv"]
    assert len(pd.read_csv(tmp_path / "o/posts.csv")) == 9


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_dataset_of_plain_names_gives_way_to_the_new_one(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    """Those that earlier versions of Raccroche wrote."""
    for once in (True, False):
        export_dataset(config, store, tmp_path / "o", form=form, filters=ALL, once=once)
    assert len(list((tmp_path / "o").glob(f"*.{form}"))) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_never_sees_old_and_new_files_together(
    tmp_path: Path, config: Config, store: Store, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every rename and removal of an export, what the descriptions name is one whole set."""
    out, seen = tmp_path / "out", 0

    def look() -> None:
        nonlocal seen
        seen += 1
        assert whole_sets(out) <= {9, 10}

    def after(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given: Any, **named: Any) -> Any:
            look()
            done = act(*given, **named)
            look()
            return done

        return acted

    export_dataset(config, store, out, form=form, filters=ALL)
    fill(store, [at(9, 20)])
    monkeypatch.setattr(os, "replace", after(os.replace))
    monkeypatch.setattr(Path, "unlink", after(Path.unlink))
    export_dataset(config, store, out, form=form, filters=ALL)
    assert seen >= 2 * 9  # two tables, four descriptions, the manifest, two old files
    assert whole_sets(out) == {10}


def whole_sets(out: Path) -> set[int]:
    """The posts of the sets that manifest and metadata name; every file of them is as they say."""
    found = set()
    for name in ("manifest.json", "metadata.json"):
        files = json.loads((out / name).read_text("utf-8"))["files"]
        for one in files:
            body = (out / one["path"]).read_bytes()
            assert (len(body), sha256(body).hexdigest()) == (one["bytes"], one["sha256"]), name
        rows = {t: sum(one["rows"] for one in files if one["table"] == t) for t in SCHEMAS}
        assert rows["mentions"] == 2 * rows["posts"]
        found.add(rows["posts"])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_an_export_killed_at_any_moment_leaves_one_whole_set(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    """SIGKILL at random moments of the last part of an export, where files are put in place."""
    config.path.write_text(
        f'[store]\nurl = "{tmp_path / "s.sqlite3"}"\n[privacy]\nkey_file = "key"\n', "utf-8"
    )
    out, draw, killed = tmp_path / "out", random.Random(20261124), 0
    export_dataset(config, store, out, form=form, filters=ALL)
    for trial in range(20):
        fill(store, [at(9, 4 + trial)])
        process = forked.begin(config.path, "export", str(out), "--format", form)
        until = time.monotonic() + 60
        while not list(out.glob(".new-*")) and process.is_alive() and time.monotonic() < until:
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.08))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        assert whole_sets(out) <= set(range(9, 11 + trial))
    assert killed >= 5
    fill(store, [at(10, 1)])
    assert export_dataset(config, store, out, form=form, filters=ALL).rows == 30
    assert whole_sets(out) == {30}
