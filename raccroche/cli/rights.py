"""
Commands for persons' rights and for keeping the data: erase, object, register, purge, rotate-key,
backup, copy.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from collectors.table import sources as platforms
from raccroche import privacy, rights
from raccroche.cli.common import bar, err, load_config, open_store, out
from raccroche.errors import StoreError
from raccroche.routine import archive_of
from raccroche.store import Store

AuthorOption = Annotated[str, typer.Option(help="Name of the account, or its pseudonym p_...")]
PlatformOption = Annotated[
    list[str] | None, typer.Option(help="Platforms of the account. Default: all.")
]
UrlOption = Annotated[list[str] | None, typer.Option(help="Address of a post: http(s)://...")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the log; name nobody.")]


def register(app: typer.Typer) -> None:
    app.command()(erase)
    app.command("object")(object_)
    app.command("register")(register_)
    app.command()(purge)
    app.command()(rotate_key)
    app.command()(backup)
    app.command()(restore)
    app.command()(copy)
    app.command()(rebuild_counts)


def erase(
    author: AuthorOption = "",
    platform: PlatformOption = None,
    post: Annotated[list[str] | None, typer.Option(help="Id of a post: platform/site:id.")] = None,
    url: UrlOption = None,
    reason: ReasonOption = "",
) -> None:
    """
    Remove posts everywhere - rows, labels, index, raw answers - and never collect them again.

    Example: `raccroche erase --url https://blog.example/2026/09/article#comment-12`
    """
    if not (author or post or url):
        raise typer.BadParameter("name an --author, a --post or a --url")
    _check(post or (), url or ())
    config = load_config()
    with open_store(config) as store:
        report = rights.erase(
            config,
            store,
            archive_of(config),
            author=author,
            platforms=platform or list(platforms()),
            post_ids=post or (),
            urls=url or (),
            reason=reason,
        )
    out.print(
        f"{report.posts} posts, {report.labels} labels and {report.archived} raw answers erased"
    )
    if author and not report.posts:
        err.print(rights.not_found(author, platform or list(platforms())), highlight=False)
    if (post or url) and not report.posts:
        _say(rights.not_stored(post or (), url or ()))
    if report.published:
        out.print(
            f"removed from {report.published} at the next `raccroche run`: "
            "until then that folder holds the text",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    for record in report.exports:
        out.print(
            f"issue anew: {record.path} ({record.at:%Y-%m-%d})",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip


def _check(posts: Sequence[str], urls: Sequence[str]) -> None:
    """Refuse what no post can be named by, before anything is recorded."""
    for one in posts:
        if not rights.is_post_id(one):
            raise typer.BadParameter(
                f"--post {one!r} is no id: platform/site:id, as in wordpress/blog.example:12"
            )
    for one in urls:
        if not rights.is_address(one):
            raise typer.BadParameter(
                f"--url {one!r} is no http(s) address, as in https://blog.example/article#comment-12"
            )


def _say(line: str) -> None:
    err.print(line, highlight=False, markup=False, soft_wrap=True)


def object_(
    author: AuthorOption = "",
    platform: PlatformOption = None,
    url: UrlOption = None,
    reason: ReasonOption = "",
) -> None:
    """
    Record an objection: an author or an address is not collected from now on. Nothing is removed.

    Example: `raccroche object --author ana@serveur.example --platform mastodon`
    """
    if not (author or url):
        raise typer.BadParameter("name an --author or a --url")
    _check((), url or ())
    config = load_config()
    with open_store(config) as store:
        added = rights.object_to(
            config,
            store,
            author=author,
            platforms=platform or list(platforms()),
            urls=url or (),
            reason=reason,
        )
        stored = bool(url) and bool(store.named(urls=rights.spellings(url or ())))
    if url and not stored:
        _say(rights.not_stored((), url))
    out.print(f"{added} keys are refused from now on; `raccroche erase` removes what is stored")


def register_(
    public: Annotated[
        bool, typer.Option("--public", help="The page for the persons concerned instead.")
    ] = False,
) -> None:
    """
    Print the record of processing (GDPR art. 30), or the information page (art. 14), in French.

    Example: `raccroche register --public > information.md`
    """
    config = load_config()
    if public:
        typer.echo(rights.information(config), nl=False)
        return
    with open_store(config, read_only=True) as store:
        typer.echo(rights.register(config, store), nl=False)


def purge() -> None:
    """
    Apply the retention of config.toml: blank old texts, drop old raw answers. Labels stay.

    Example: `raccroche purge`
    """
    config = load_config()
    with open_store(config) as store:
        done = rights.purge(config, store, archive_of(config), datetime.now(UTC))
    out.print(f"{done.texts} texts blanked, {done.archived} raw answers dropped")


def rotate_key(
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Destroy the keys of before instead of making a new one: for good."
        ),
    ] = False,
) -> None:
    """
    Give the pseudonyms a new key. Authors of before and after are then different persons.

    The old key is kept beside the new one, so that erasures and objections go on finding people;
    `--forget` destroys it later. Example: `raccroche rotate-key`
    """
    config = load_config()
    with open_store(config) as store:
        if forget:
            gone = privacy.forget(config, store)
            out.print(f"{gone} old keys destroyed: their pseudonyms are anonymous")
            return
        kept = privacy.rotate(config, store)
    out.print(
        f"new key in force, {kept} old kept in {privacy.retired_path(privacy.key_path(config))}"
    )
    out.print("copy both files to your safe place and to every machine that collects")


def backup(target: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """
    Write a whole, checked copy of the SQLite database while it is in use.

    The pseudonym key is not in it: keep that file apart. Example: `raccroche backup copy.sqlite3`
    """
    with open_store(load_config()) as store:
        out.print(f"written and checked: {store.backup(target)}", highlight=False)


def restore(source: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")]) -> None:
    """
    Put a backup in the place of the SQLite database; stop the other programs first.

    Example: `raccroche restore copy.sqlite3`
    """
    url = load_config().store_url
    if not url.startswith("sqlite:///"):
        raise StoreError("restore is for SQLite; PostgreSQL has pg_restore")
    Store.restore(source, url.removeprefix("sqlite:///"))
    out.print(f"restored from {source}", highlight=False)


def copy(
    to: Annotated[str, typer.Option(help="postgresql+psycopg://user@host/database, or a path.")],
) -> None:
    """
    Copy the whole database, to PostgreSQL for instance; interrupted, it goes on where it stopped.

    Example: `raccroche copy --to postgresql+psycopg://raccroche@localhost/raccroche`
    """
    with (
        open_store(load_config(), read_only=True) as store,
        Store.open(to) as target,
        bar("copying") as (progress, task),
    ):
        rows = store.copy_to(
            target,
            lambda table, done, total: progress.update(
                task, description=f"copying {table}", completed=done, total=total
            ),
        )
    out.print(f"{rows} rows copied")


def rebuild_counts() -> None:
    """
    Count everything again from the labels; `doctor` says when that is needed.

    Example: `raccroche rebuild-counts`
    """
    with open_store(load_config()) as store:
        out.print(f"{store.rebuild_counts()} counts")
