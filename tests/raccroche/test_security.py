"""Hostile words, files and paths; secrets and permissions. HTTP's own dangers: test_http_*.py."""

import ast
import json
import logging
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collectors import appstore, feeds
from nlp.numbers import mask
from nlp.rules import RuleLabeller
from nlp.types import Text
from raccroche.archive import Archive
from raccroche.cli import app
from raccroche.cli.common import JsonLines, without_secrets
from raccroche.config import Config
from raccroche.errors import SourceError, StoreError
from raccroche.export import files
from raccroche.labelling import brand_table
from raccroche.post import MAX_TEXT, Answer, Labels, Mention, Post
from raccroche.privacy import Pseudonyms
from raccroche.store import Filters, Store
from tests.servers import postgres

ROOT = Path(__file__).parents[2]
CODE = [
    path
    for folder in ("raccroche", "collectors", "nlp", "dashboard")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
LABELLER = "test@1"
ATTACKS = [
    "'; drop table posts; --",
    '" or 1=1 --',
    "') union select name from sqlite_master --",
    "%' or '1'='1",
    "NEAR(a b) OR text:* AND",
    "'); select pg_sleep(30); --",
    "') union select usename, passwd from pg_shadow --",
    "$$; drop table posts cascade; $$",
    "\\'; delete from posts; --",
    "a & | !( <-> b:* %s %(x)s :word",
    "\x00",
    "\ud800",
    "a" * 10_000,
]
SECRET = "hunter2hunter2"
RULES = RuleLabeller(brand_table(Config(Path("config.toml"))))


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.server() as url, postgres.database(url) as database:
        yield database


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]
)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """One labelled post, which every attack must leave alone."""
    place = str(tmp_path_factory.mktemp("attacked") / "s.sqlite3")
    if request.param == "postgresql":
        place = request.getfixturevalue("postgres_url")
    with Store.open(place) as opened:
        post = Post(
            source="wordpress/blog.example",
            platform="wordpress",
            native_id="1",
            text="La société Mandarine appelle tous les jours",
            author="p_1",
            published_at=datetime(2026, 11, 1, tzinfo=UTC),
        )
        opened.add_posts([post])
        mention = Mention("Mandarine", "negative", True, "caller")
        opened.add_labels(
            [Labels(post.id, LABELLER, "negative", True, True, mentions=(mention,), language="fr")]
        )
        yield opened


@pytest.mark.parametrize("words", ATTACKS)
def test_words_that_are_sql_are_only_searched_for(store: Store, words: str) -> None:
    begun = time.perf_counter()
    page = store.search(words, Filters(labeller=LABELLER))

    assert len(page.rows) <= (words in ("\x00", "\ud800"))  # no word at all: nothing is asked
    assert time.perf_counter() - begun < 20  # of the thirty seconds that one of them asks for
    assert store.status().posts == 1
    assert store.check() == []


@pytest.mark.parametrize("words", ATTACKS)
@pytest.mark.parametrize(
    "name", ["brands", "families", "sources", "platforms", "topics", "signals"]
)
def test_a_filter_that_is_sql_matches_nothing(store: Store, name: str, words: str) -> None:
    filters = Filters(labeller=LABELLER, **{name: (words,)})  # type: ignore[arg-type]

    assert store.totals(filters).posts == 0
    assert not store.posts(filters).rows
    assert store.daily_counts(filters).empty
    assert store.status().posts == 1


@pytest.mark.parametrize("words", ATTACKS)
def test_a_cursor_that_is_sql_is_refused_or_empty(store: Store, words: str) -> None:
    try:
        rows = store.posts(Filters(labeller=LABELLER), after=words).rows
    except (StoreError, ValueError):
        rows = ()
    assert len(rows) <= 1
    assert store.status().posts == 1


BOMB = "<!DOCTYPE x [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
)
FEED = (
    "<?xml version='1.0'?>{doctype}<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry>"
    "<id>1</id><title>{word}</title><updated>2026-11-01T00:00:00Z</updated><content>{word}</content>"
    "</entry></feed>"
)


@pytest.mark.parametrize("platform", [feeds, appstore], ids=lambda module: module.PLATFORM)
@pytest.mark.parametrize(
    ("doctype", "word"),
    [
        (BOMB, "&a9;"),
        ("<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>", "&f;"),
        ("<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'>", "mot"),
    ],
    ids=["billion laughs", "external entity", "external subset"],
)
def test_xml_expands_no_bomb_and_reads_no_file(platform: object, doctype: str, word: str) -> None:
    answer = Answer(
        "https://site.example/rss", FEED.format(doctype=doctype, word=word).encode(),
        headers={"content-type": "application/atom+xml"},
    )  # fmt: skip
    try:
        posts = platform.parse(answer).posts  # type: ignore[attr-defined]
    except SourceError:
        posts = ()
    text = "".join(f"{post.title} {post.text}" for post in posts)
    assert len(text) < 10_000
    assert "root:" not in text


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_nothing_is_unpickled_evaluated_or_run_by_a_shell() -> None:
    forbidden = {"eval", "exec", "os.system", "os.popen", "yaml.load", "joblib.load", "torch.load",
                 "pickle.load", "pickle.loads", "marshal.loads", "pd.read_pickle"}  # fmt: skip
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno} {name}"
        for path in CODE
        for name, call in calls(path)
        if name in forbidden
        or any(
            word.arg in ("shell", "allow_pickle", "trust_remote_code")
            and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in call.keywords
        )
    ]
    assert found == []


def test_no_module_imports_pickle() -> None:
    modules = {
        (path.relative_to(ROOT), alias.name)
        for path in CODE
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if alias.name.split(".")[0] in {"pickle", "marshal", "shelve", "dill", "joblib"}
    }
    assert modules == set()


CONFIG = """
[store]
url = "db.sqlite3"
[collect]
contact = "test@example.org"
archive = ""
cache = ""
[privacy]
key_file = "key"
[alerts]
notify = ["env:WHERE"]
[sources.tag]
platform = "mastodon"
enabled = true
purpose = "test"
instance = "https://serveur.example"
search = ["demarchage"]
token_env = "TOKEN"
"""


def test_secrets_show_in_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv("WHERE", f"mailto://me:{SECRET}@mail.example")
    Store.open(tmp_path / "db.sqlite3").close()
    for command in ("status", "sources", "doctor", "register"):
        result = CliRunner().invoke(app, ["-c", str(tmp_path / "config.toml"), command])
        assert result.output
        assert SECRET not in result.output


def test_the_password_of_a_database_is_not_in_an_error() -> None:
    with pytest.raises(StoreError) as error:
        Store.open(f"postgresql://me:{SECRET}@127.0.0.1:1/none", timeout=0.1)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        f"asked https://api.example/v1?access_token={SECRET}&q=sfr",
        f"cannot reach https://me:{SECRET}@api.example/",
        f"postgresql+psycopg://me:{SECRET}@db/raccroche failed",
    ],
)
def test_a_log_line_holds_no_secret(text: str) -> None:
    assert SECRET not in without_secrets(text)
    try:
        raise ValueError(text)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, text, (), sys.exc_info())
    line = JsonLines().format(record)
    assert SECRET not in line
    assert "api.example" in line or "db/raccroche" in line


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    Pseudonyms.from_file(tmp_path / "key")
    with Store.open(tmp_path / "db.sqlite3") as store:
        store.set_setting("a", 1)
        databases = list(tmp_path.glob("db.sqlite3*"))
        assert databases
        assert {mode(path) for path in databases} == {0o600}
    archive = Archive(tmp_path / "warc")
    archive.add(Answer("https://blog.example/", b"<p>mot"), source="blog", sent={})
    archive.close()
    assert mode(tmp_path / "key") == 0o600
    assert archive.files()
    assert {mode(path) for path in archive.files()} == {0o600}


def test_ids_and_names_that_are_paths_leave_nothing_outside(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    rows = folder / "avis.csv"
    rows.write_text(
        "id,text,author\n../../outside,La société Mandarine appelle,../../etc\n", encoding="utf-8"
    )
    run = CliRunner()
    start = ["-c", str(folder / "config.toml")]
    assert run.invoke(app, [*start, "import", str(rows)]).exit_code == 0
    assert run.invoke(app, [*start, "label", "--labeller", "rules"]).exit_code == 0
    result = run.invoke(app, [*start, "export", str(folder / "out"), "--format", "jsonl"])
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.fixture
def start(tmp_path: Path) -> list[str]:
    """How commands begin in a house with one labelled post."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    rows = folder / "avis.csv"
    rows.write_text("id,text,author\n1,La société Mandarine appelle,zoe\n", encoding="utf-8")
    options = ["-c", str(folder / "config.toml")]
    assert CliRunner().invoke(app, [*options, "import", str(rows)]).exit_code == 0
    assert CliRunner().invoke(app, [*options, "label", "--labeller", "rules"]).exit_code == 0
    return options


@pytest.mark.parametrize(
    "path", ["../victim", "/etc/hostname", "victim", "posts/../../victim", "posts.csv\n", "posts/x"]
)
def test_the_manifest_of_a_stranger_s_dataset_removes_no_file(
    tmp_path: Path, start: list[str], path: str
) -> None:
    """A dataset that was received, unpacked and exported over is a list of files to remove."""
    target = tmp_path / "received"
    target.mkdir()
    victims = [tmp_path / "victim", target / "victim"]
    for victim in victims:
        victim.write_text("mine", encoding="utf-8")
    said = {"path": path, "table": "posts", "rows": 1, "bytes": 1, "sha256": "0"}
    manifest = json.dumps({"dataset": "d", "files": [said]})
    (target / "manifest.json").write_text(manifest, encoding="utf-8")
    result = CliRunner().invoke(app, [*start, "export", str(target), "--format", "jsonl"])
    assert result.exit_code == 1
    assert [victim.read_text("utf-8") for victim in victims] == ["mine", "mine"]


FORMULAS = [
    "=1+1", " =1+1", "@SUM(A1)", "+33 1", "-2+3", "\t=1", "\r=1", "＝1+1", "＠x", "\n=1",
    "bonjour;=cmd|' /C calc'!A0", "un,=1+1", "un\t=1", "un\n=1", "un;-2+3", "un;@SUM(A1)",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("excel", [False, True])
def test_no_cell_is_a_formula_whatever_a_spreadsheet_splits_at(
    text: str, separator: str, excel: bool
) -> None:
    """Quotes do not help where another separator is expected: the line is then split bare."""
    cell = files._cell(text, excel=excel)
    for part in [cell, *cell.replace("\r", "\n").replace("\n", separator).split(separator)[1:]]:
        assert not part.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_words_that_are_no_formula_stay_as_written() -> None:
    for text in ("bof ;-)", "bonjour, @ana", "5 fois, -10 % hier", "a=b", "x - y", "1;2"):
        assert files._cell(text, excel=True) == text


@pytest.mark.parametrize("piece", [";", "; ", " ", "\n \n", "=", ";=", "\t"])
def test_no_text_makes_a_cell_slow(piece: str) -> None:
    begun = time.process_time()
    files._cell(piece * (100_000 // len(piece)), excel=False)
    assert time.process_time() - begun < 1


HOSTILE = {
    "digits": "0 6 " * 25_000,
    "one digit": "1" * 100_000,
    "separated": "06." * 33_000,
    "mail": "a@" * 50_000,
    "dots": "a." * 50_000 + "@",
    "addresses": "https://" * 12_500,
    "iban": "FR76" * 25_000,
    "street": "12 rue " * 14_000,
    "spaces": " " * 100_000,
    "negations": "ne pas " * 14_000,
    "hours": "8 h " * 25_000,
    "quotes": "« " * 50_000,
    "emoji": "👩‍" * 30_000,
    "accents": "e\u0301" * 50_000,
    "hashes": "#" * 100_000,
    "one word": "appel" * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_makes_masks_logs_or_rules_slow(name: str) -> None:
    """A text is cut at 100,000 characters before: a reader must be linear in those."""
    text = HOSTILE[name][:MAX_TEXT]
    begun = time.process_time()
    mask(text)
    without_secrets(text)
    RULES.label([Text("1", text)])
    assert time.process_time() - begun < 10


def test_what_else_is_made_is_for_its_owner_alone(tmp_path: Path, start: list[str]) -> None:
    folder = Path(start[1]).parent
    run = CliRunner()
    assert run.invoke(app, [*start, "backup", str(folder / "b.sqlite3")]).exit_code == 0
    assert run.invoke(app, [*start, "restore", str(folder / "b.sqlite3")]).exit_code == 0
    assert run.invoke(app, [*start, "copy", "--to", str(folder / "c.sqlite3")]).exit_code == 0
    assert run.invoke(app, [*start, "rotate-key"]).exit_code == 0
    made = {path.name: oct(mode(path)) for path in folder.iterdir() if path.is_file()}
    given = {"config.toml", "avis.csv"}
    assert {"key", "key.retired", "b.sqlite3", "c.sqlite3", "db.sqlite3"} <= made.keys()
    assert {
        name: bits for name, bits in made.items() if name not in given and bits != "0o600"
    } == {}


def test_nothing_is_deserialised_by_a_reader_that_runs_code() -> None:
    """What a name list would miss: numpy archives, torch, YAML and XML readers of other modules."""
    risky = {"np.load", "numpy.load", "torch.load", "yaml.load", "yaml.unsafe_load",
             "pd.read_pickle", "pandas.read_pickle", "pd.read_hdf", "shelve.open", "dill.load",
             "cloudpickle.load", "xmlrpc.client.loads", "logging.config.listen"}  # fmt: skip
    found = {
        (str(path.relative_to(ROOT)), name): call
        for path in CODE
        for name, call in calls(path)
        if name in risky
    }
    for (path, name), call in found.items():
        given = {word.arg: word.value for word in call.keywords}
        safe = given.get("allow_pickle") or given.get("weights_only")
        pickles = isinstance(safe, ast.Constant) and safe.value is (name == "torch.load")
        assert name in ("np.load", "numpy.load", "torch.load"), path
        assert pickles or name != "torch.load" and "allow_pickle" not in given, path
