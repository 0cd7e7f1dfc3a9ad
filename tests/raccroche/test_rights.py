"""Erasure, objection, retention and register, through the commands that do them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raccroche import rights
from raccroche.archive import Archive
from raccroche.cli import app
from raccroche.config import CollectConfig, Config, PrivacyConfig, SourceConfig
from raccroche.post import Answer, Labels, Mention, Post
from raccroche.privacy import Pseudonyms, protect
from raccroche.store import ExportRecord, Filters, Store

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LABELLER = "test@1"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        tmp_path / "config.toml",
        collect=CollectConfig(contact="contact@observatoire.example", archive="warc"),
        privacy=PrivacyConfig(
            key_file="key", controller="L'Observatoire", basis="intérêt légitime"
        ),
        sources=(SourceConfig("forum", "wordpress", enabled=True, purpose="compter"),),
    )


@pytest.fixture
def store(tmp_path: Path, config: Config) -> Iterator[Store]:
    with Store.open(tmp_path / "s.sqlite3") as opened:
        keep(opened, config, post(1, "zoe_martin", "Zwyx", days=10))
        keep(opened, config, post(2, "zoe_martin", "Qwyx", days=500))
        keep(opened, config, post(3, "paul_durand", "Vwyx", days=500))
        yield opened


def post(number: int, author: str, word: str, *, days: int) -> Post:
    return Post(
        source="wordpress/blog.example",
        platform="wordpress",
        native_id=str(number),
        title=f"Titre {word}",
        text=f"{word} : la société Mandarine appelle trois fois par jour, numéro {number}",
        author=author,
        url=f"https://blog.example/article#comment-{number}",
        published_at=NOW - timedelta(days=days),
    )


def keep(store: Store, config: Config, given: Post) -> None:
    safe = protect(given, Pseudonyms.from_file(config.resolve("key")))
    store.add_posts([safe])
    store.add_labels(
        [
            Labels(
                post_id=safe.id,
                labeller=LABELLER,
                sentiment="negative",
                phone_harassment=True,
                testimony=True,
                topics=("phone_harassment",),
                mentions=(Mention("Mandarine", "negative", True, "caller"),),
                language="fr",
            )
        ]
    )


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("s.sqlite3*"))


def test_an_author_is_erased_everywhere_and_kept_out(
    tmp_path: Path, config: Config, store: Store
) -> None:
    archive = Archive(tmp_path / "warc")
    for name in ("zoe_martin", "paul_durand"):
        body = f'[{{"author_name": "{name}", "content": "..."}}]'.encode()
        archive.add(Answer(f"https://blog.example/{name}", body), source="forum", sent={})
    store.add_export(ExportRecord("exports/august", "csv", 3))
    assert b"Zwyx" in bytes_of(tmp_path)
    report = rights.erase(
        config, store, archive, author="zoe_martin", platforms=["wordpress"], reason="demande"
    )
    archive.close()
    assert (report.posts, report.labels, report.archived) == (2, 2, 1)
    assert [record.path for record in report.exports] == [str(tmp_path / "exports/august")]
    assert b"Zwyx" not in bytes_of(tmp_path)
    assert b"Qwyx" not in bytes_of(tmp_path)
    assert b"Vwyx" in bytes_of(tmp_path)
    assert [answer.url for answer in archive.answers()] == ["https://blog.example/paul_durand"]
    keep_again = protect(post(1, "zoe_martin", "Zwyx", days=10), Pseudonyms(key(config)))
    assert store.add_posts([keep_again]).new == 0
    assert store.totals(Filters(labeller=LABELLER)).harassment == 1
    assert store.check() == []


WRITTEN = {  # as WordPress writes JSON, as a page shows it, as an API gives it
    "php": r'[{"author_name":"zoe","link":"https:\/\/blog.example\/article#comment-7",'
    r'"content":{"rendered":"<p>Appel\u00e9 au 06\u00a012 34 56 78 par une dame, c\u2019est"}}]',
    "page": '<li id="comment-7"><b>zoe</b><p>Appelé au 06 12 34 56 78 par une dame<br>c&#8217;est',
    "api": '{"who": "zoe", "body": "Appelé au 06 12 34 56 78 par une dame, c’est trop"}',
}


@pytest.mark.parametrize("form", WRITTEN)
def test_raw_answers_with_posts_of_a_short_name_are_erased(
    tmp_path: Path, config: Config, store: Store, form: str
) -> None:
    """Three letters would match everybody's pages: the author's posts tell which answers go."""
    text = "Appelé au 06 12 34 56 78 par une dame de la société Mandarine, c’est trop"
    keep(store, config, replace(post(7, "zoe", "", days=1), text=text))
    archive = Archive(tmp_path / "warc")
    said = WRITTEN[form].replace("par une dame", "par une dame de la société Mandarine")
    if form == "php":
        said = said.replace("société", r"soci\u00e9t\u00e9")
    archive.add(Answer("https://blog.example/a", said.encode()), source="forum", sent={})
    other = b'{"who": "zoenne", "body": "Autre chose, sans rapport avec elle"}'
    archive.add(Answer("https://blog.example/b", other), source="forum", sent={})
    report = rights.erase(config, store, archive, author="zoe", platforms=["wordpress"])
    archive.close()
    assert (report.posts, report.archived) == (1, 1)
    assert [answer.url for answer in archive.answers()] == ["https://blog.example/b"]


CONFIG = """
[store]
url = "s.sqlite3"
[collect]
contact = "contact@observatoire.example"
archive = ""
[privacy]
key_file = "key"
"""


def test_an_erasure_that_finds_nobody_says_what_was_tried(config: Config, store: Store) -> None:
    config.path.write_text(CONFIG, encoding="utf-8")
    run = CliRunner()
    command = ["-c", str(config.path), "erase", "--author", "@Paul_D", "--platform", "wordpress"]
    result = run.invoke(app, command)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "0 posts" in said
    assert "no post on wordpress is by an author named '@paul_d' or 'paul_d'" in said
    assert "raccroche parse" in said
    found = run.invoke(app, [*command[:4], "@Paul_Durand", *command[5:]])
    assert "1 posts" in found.output
    assert "no post on" not in found.output


def command(config: Config, *words: str) -> tuple[int, str]:
    """Exit code and what was said, on one line."""
    if not config.path.exists():
        config.path.write_text(CONFIG, encoding="utf-8")
    result = CliRunner().invoke(app, ["-c", str(config.path), *words], env={"COLUMNS": "300"})
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("option", "value", "form"),
    [
        ("--post", "wordpress/blog.example:99", "An id is platform/site:id"),
        ("--url", "https://blog.example/article#comment-99", "article/#comment-99"),
    ],
)
def test_an_erasure_of_an_unknown_post_says_what_was_tried_and_refuses_it_from_now_on(
    config: Config, store: Store, option: str, value: str, form: str
) -> None:
    store.add_export(ExportRecord("exports/august", "csv", 3))
    code, said = command(config, "erase", option, value)
    assert code == 0, said
    assert "0 posts" in said
    assert "no post has the" in said
    assert value in said
    assert form in said
    assert "refused from now on" in said
    assert "issue anew" not in said
    assert store.suppressed(replace(post(99, "x", "Rwyx", days=1)))


@pytest.mark.parametrize("name", ["erase", "object"])
@pytest.mark.parametrize("value", ["blog.example/article", "ftp://blog.example/a", "https://", ""])
def test_what_is_no_address_is_refused(config: Config, store: Store, name: str, value: str) -> None:
    code, said = command(config, name, "--url", value)
    assert code == 2, said
    assert "is no http(s) address" in said
    assert store.takedowns() == []


@pytest.mark.parametrize("value", ["3", "blog.example:3", "https://blog.example/article:3"])
def test_what_is_no_id_of_a_post_is_refused(config: Config, store: Store, value: str) -> None:
    code, said = command(config, "erase", "--post", value)
    assert code == 2, said
    assert "platform/site:id" in said
    assert store.takedowns() == []


def test_a_post_is_erased_by_its_id_and_by_its_address_with_another_slash(
    config: Config, store: Store
) -> None:
    code, said = command(config, "erase", "--post", "wordpress/blog.example:3")
    assert (code, said[:7]) == (0, "1 posts")
    code, said = command(config, "erase", "--url", "https://blog.example/article/#comment-2")
    assert (code, said[:7]) == (0, "1 posts")
    assert "no post has" not in said
    assert [one.kind for one in store.takedowns()] == ["url", "post"]


def test_an_objection_to_an_address_that_is_not_stored_says_so(
    config: Config, store: Store
) -> None:
    code, said = command(config, "object", "--url", "https://blog.example/article#comment-77")
    assert code == 0, said
    assert "no post has the address" in said
    _, said = command(config, "object", "--url", "https://blog.example/article#comment-3")
    assert "no post has the address" not in said


def test_each_export_to_issue_anew_is_named_once_and_the_published_folder_apart(
    tmp_path: Path, config: Config, store: Store
) -> None:
    published = tmp_path / "out"
    published.mkdir()
    config.path.write_text(CONFIG + "[schedule]\npublish = 'out'\n", encoding="utf-8")
    for path in ("exports/august", "exports/august", str(published), "exports/july"):
        store.add_export(ExportRecord(path, "csv", 3, at=NOW))
    code, said = command(config, "erase", "--post", "wordpress/blog.example:3")
    assert code == 0, said
    assert f"removed from {published} at the next `raccroche run`" in said
    assert said.count("issue anew") == 2
    for path in ("exports/august", "exports/july"):
        assert f"issue anew: {tmp_path / path} (2026-11-24)" in said


def test_the_key_is_rotated_and_the_old_one_destroyed_by_commands(
    config: Config, store: Store
) -> None:
    config.path.write_text(CONFIG, encoding="utf-8")
    run, start = CliRunner(), ["-c", str(config.path)]
    before = key(config)
    result = run.invoke(app, [*start, "rotate-key"])
    assert result.exit_code == 0, result.output
    assert key(config) != before
    assert before.hex() not in result.output
    erased = run.invoke(app, [*start, "erase", "--author", "zoe_martin", "--reason", "demande"])
    assert "2 posts" in erased.output
    forgotten = run.invoke(app, [*start, "rotate-key", "--forget"])
    assert "1 old keys destroyed" in forgotten.output


def key(config: Config) -> bytes:
    return config.resolve("key").read_bytes()


def test_a_post_is_erased_by_its_address(config: Config, store: Store) -> None:
    report = rights.erase(config, store, None, urls=["https://blog.example/article#comment-3"])
    assert report.posts == 1
    assert store.post("wordpress/blog.example:3") is None


def test_an_objection_removes_nothing_and_keeps_the_next_posts_out(
    config: Config, store: Store
) -> None:
    added = rights.object_to(config, store, author="paul_durand", platforms=["wordpress"])
    assert added == 1
    assert store.post("wordpress/blog.example:3") is not None
    later = protect(post(9, "paul_durand", "Nwyx", days=1), Pseudonyms(key(config)))
    assert store.add_posts([later]).new == 0


def test_retention_blanks_texts_and_keeps_labels_and_counts(
    tmp_path: Path, config: Config, store: Store
) -> None:
    before = store.totals(Filters(labeller=LABELLER))
    done = rights.purge(config, store, None, NOW)
    assert done.texts == 2
    assert store.totals(Filters(labeller=LABELLER)) == before
    assert b"Qwyx" not in bytes_of(tmp_path)
    assert b"Zwyx" in bytes_of(tmp_path)
    assert len(store.search("Mandarine", Filters(labeller=LABELLER)).rows) == 1
    assert store.check() == []


def test_a_text_that_is_gone_does_not_come_back(config: Config, store: Store) -> None:
    rights.purge(config, store, None, NOW)
    again = protect(post(2, "zoe_martin", "Qwyx", days=500), Pseudonyms(key(config)))
    added = store.add_posts([again])
    assert (added.known, added.edited) == (1, 0)
    detail = store.post("wordpress/blog.example:2")
    assert detail is not None
    assert detail.post.text == ""


def test_retention_twice_does_nothing_the_second_time(config: Config, store: Store) -> None:
    rights.purge(config, store, None, NOW)
    assert rights.purge(config, store, None, NOW).texts == 0


def test_the_register_names_sources_purposes_basis_and_retention(
    config: Config, store: Store
) -> None:
    text = rights.register(config, store)
    for word in ("L'Observatoire", "intérêt légitime", "forum", "compter", "395 jours", "30 jours"):
        assert word in text


def test_the_information_page_says_whom_to_write_to(config: Config) -> None:
    text = rights.information(config)
    assert "contact@observatoire.example" in text
    assert "CNIL" in text


def test_register_and_information_say_that_raw_answers_are_kept_as_received(
    config: Config, store: Store
) -> None:
    for text in (rights.register(config, store), rights.information(config)):
        said = " ".join(text.split())
        assert "gardées telles que reçues, noms et numéros compris, pendant 30 jours" in said
        assert "lisibles par l'exploitant seul" in said
        assert "l'effacement les atteint" in said
        assert "masquage avant la première écriture" not in said
    none = replace(config, collect=replace(config.collect, archive=""))
    for text in (rights.register(none, store), rights.information(none)):
        assert "telles que reçues" not in text
        assert "ne sont pas gardées" in text


def test_the_register_counts_requests_not_keys(config: Config, store: Store) -> None:
    everywhere = ["wordpress", "mastodon", "lemmy"]
    rights.erase(config, store, None, author="zoe_martin", platforms=everywhere)
    rights.object_to(config, store, author="paul_durand", platforms=everywhere)
    assert [one.posts for one in store.takedowns()] == [0, 2]
    assert "2 demandes inscrites au journal." in rights.register(config, store)


def test_raw_answers_are_readable_by_the_operator_only(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "warc")
    archive.add(Answer("https://blog.example/a", b"06"), source="forum", sent={})
    archive.close()
    (file,) = archive.files()
    assert file.stat().st_mode & 0o777 == 0o600
