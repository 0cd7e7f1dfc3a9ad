"""The schema, step by step: a list that is only ever extended."""

import logging
import time
from collections.abc import Collection

from sqlalchemy import Connection, inspect, select

from raccroche.errors import StoreError
from raccroche.store.locks import hold
from raccroche.store.recount import fresh, stretches
from raccroche.store.tables import CELLS, PAIRS, counts, schema_version

_LOG = logging.getLogger(__name__)


def _statements(sql: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in sql.split(";") if part.strip())


# {key}: a surrogate key; {rowless}: clustered by the primary key where the database can;
# {big_key}: a key that we number; {harassing}: the condition as SQLAlchemy writes it
_FIRST = _statements(
    """
    create table counters (name text primary key, value bigint not null);
    insert into counters values ('seq', 0), ('version', 0);
    create table sources (n {key}, source text not null, platform text not null,
        unique (source, platform));
    create table authors (n {key}, name text not null unique);
    create table posts (n {big_key}, seq bigint not null unique,
        id text not null unique, source_n bigint not null references sources (n),
        via text not null, kind text not null, author_n bigint references authors (n),
        published bigint, edited bigint, day integer not null, day_only boolean not null,
        title text, text text not null, url text, uri text, parent text, thread text,
        thread_title text, rating double precision, engagement text, language text,
        context_brand text, by_brand boolean not null, quoted text, added bigint not null,
        text_key bigint, uri_key bigint, group_n bigint not null);
    create index posts_by_source on posts (source_n, n);
    create index posts_by_group on posts (group_n, n);
    create index posts_by_author on posts (author_n) where author_n is not null;
    create index posts_by_text on posts (text_key, n) where text_key is not null;
    create index posts_by_uri on posts (uri_key) where uri_key is not null;
    create table edits (post_n bigint not null, at bigint not null, old_hash text not null,
        primary key (post_n, at));
    create table bands (band bigint not null, post_n bigint not null, primary key (band,
        post_n)) {rowless};
    create table arrivals (via text not null, day integer not null, posts bigint not null,
        primary key (via, day));
    create table cursors (via text not null, key text not null, value text not null,
        primary key (via, key));
    create table pending (n {key}, via text not null, key text not null,
        request text not null, unique (via, key));
    create table runs (n {key}, source text not null, platform text not null,
        started bigint not null, finished bigint not null, verdict text not null,
        new bigint not null, known bigint not null, edited bigint not null,
        deleted bigint not null, got bigint not null, declared bigint, requests bigint not null,
        bytes bigint not null, not_modified bigint not null, robots text not null,
        message text not null);
    create index runs_by_source on runs (source, finished);
    create index runs_by_time on runs (finished);
    create table labellers (n {key}, name text not null unique, human boolean not null,
        done_seq bigint not null, posts bigint not null, first_at bigint, last_at bigint);
    create table labels (post_n bigint not null,
        labeller_n bigint not null references labellers (n), sentiment smallint not null,
        harassment boolean not null, testimony boolean not null, relation text not null,
        topics text, signals text, facts text, probabilities text, spans text, language text,
        language_probability double precision, refused text, at bigint not null,
        primary key (post_n, labeller_n)) {rowless};
    create table brands (n {key}, name text not null unique, family text);
    insert into brands (n, name) values (0, '*'), (1, 'inconnue');
    create table terms (n {key}, kind text not null, name text not null, unique (kind, name));
    create table mentions (post_n bigint not null, labeller_n bigint not null,
        brand_n bigint not null, position smallint not null, sentiment smallint not null,
        harassment boolean not null, role text not null, inherited boolean not null,
        probability double precision, primary key (post_n, labeller_n, brand_n)) {rowless};
    create index mentions_by_brand on mentions (labeller_n, brand_n, post_n);
    create index mentions_harassing on mentions (labeller_n, brand_n, post_n)
        where {harassing};
    create table marks (labeller_n bigint not null, term_n bigint not null,
        post_n bigint not null, primary key (labeller_n, term_n, post_n)) {rowless};
    create table counts (labeller_n bigint not null, term_n bigint not null,
        source_n bigint not null, brand_n bigint not null, day integer not null,
        month integer not null, {cells}, primary key (labeller_n, term_n, source_n, brand_n,
        day)) {rowless};
    create table claims (labeller_n bigint not null, post_n bigint not null,
        until bigint not null, primary key (labeller_n, post_n)) {rowless};
    create table suppressions (kind text not null, hash text not null, primary key (kind, hash));
    create table takedowns (n {key}, at bigint not null, kind text not null,
        hash text not null, reason text not null, posts bigint not null);
    create table review (queue text not null, post_n bigint not null, reason text not null,
        added bigint not null, primary key (queue, post_n));
    create table assignments (post_n bigint not null, annotator text not null,
        at bigint not null, primary key (post_n, annotator));
    create table alerts (n {key}, brand text not null, signal text not null,
        period text not null, observed double precision not null,
        expected double precision not null, bound double precision not null,
        posts bigint not null, authors bigint not null, repost_share double precision not null,
        state text not null, sent text not null, note text not null, at bigint not null,
        unique (brand, signal, period));
    create table exports (n {key}, at bigint not null, record text not null);
    create table series (series text not null, period text not null, source text not null,
        value double precision not null, unit text not null, primary key (series, period, source));
    create table settings (key text primary key, value text not null);
    """
)
_FIRST_SQLITE = (
    """create virtual table posts_fts using fts5(title, text, content='posts', content_rowid='n',
        tokenize='unicode61 remove_diacritics 2')""",
    """create trigger posts_fts_add after insert on posts begin
        insert into posts_fts (rowid, title, text) values (new.n, new.title, new.text); end""",
    """create trigger posts_fts_delete after delete on posts begin
        insert into posts_fts (posts_fts, rowid, title, text)
        values ('delete', old.n, old.title, old.text); end""",
    """create trigger posts_fts_edit after update of title, text on posts begin
        insert into posts_fts (posts_fts, rowid, title, text)
        values ('delete', old.n, old.title, old.text);
        insert into posts_fts (rowid, title, text) values (new.n, new.title, new.text); end""",
)
_FIRST_POSTGRESQL = (
    "create extension if not exists unaccent",
    "create text search configuration raccroche (copy = french)",
    """alter text search configuration raccroche
        alter mapping for hword, hword_part, word with unaccent, french_stem""",
    # title and text in one, kept beside the text: phrases and the newest matches of common words
    # would otherwise read texts anew; the first 110,000 characters bound the size of a tsvector
    """alter table posts add column words tsvector generated always as
        (to_tsvector('raccroche', left(coalesce(title, '') || ' ' || text, 110000))) stored""",
    "create index posts_words on posts using gin (words)",
    # tables that live by their newest rows
    "alter table counts set (fillfactor = 80)",
)

# whose account, of a brand, wrote a post and is answered by it: no person, so no pseudonym
_SECOND = _statements(
    """
    alter table posts add column author_brand text;
    alter table posts add column reply_to_brand text;
    """
)

# posts are counted under every two of their terms as well: more rows, and no other table
_THIRD: tuple[str, ...] = ()
_COUNTED = 3

_COMMON: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND, _THIRD)
_OWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "sqlite": (_FIRST_SQLITE, (), ()),
    "postgresql": (_FIRST_POSTGRESQL, (), ()),
}
_CELLS = ", ".join(f"{cell} integer not null" for cell in CELLS)
_WORDS = {
    "sqlite": {
        "key": "integer primary key",
        "big_key": "integer primary key",
        "rowless": "without rowid",
        "harassing": "harassment = 1",
        "cells": _CELLS,
    },
    "postgresql": {
        "key": "bigint generated by default as identity (start with 2) primary key",
        "big_key": "bigint primary key",
        "rowless": "",
        "harassing": "harassment",
        "cells": _CELLS,
    },
}
CURRENT = len(_COMMON)


def version(conn: Connection) -> int | None:
    """The schema version of a database; None where there is no Raccroche schema."""
    if not inspect(conn).has_table("schema_version"):
        return None
    found = conn.execute(select(schema_version.c.version)).scalars().all()
    return max(found, default=None)


def foreign(names: Collection[str], name: str) -> None:
    """StoreError where tables are there, and ours are not: another program's database."""
    if names and "schema_version" not in names:
        shown = ", ".join(sorted(names)[:3])
        raise StoreError(f"{name} is another program's database (tables: {shown}): name another")


def migrate(conn: Connection) -> None:
    """Bring the schema to `CURRENT` in the transaction of *conn*; StoreError where it is newer."""
    found = version(conn)
    if found is not None and found > CURRENT:
        raise StoreError(newer(found))
    if found == CURRENT:
        return
    hold(conn)
    found = version(conn)  # another process may have been first
    if found == CURRENT:
        return
    if found is None:
        conn.exec_driver_sql(
            "create table schema_version (version integer primary key, applied bigint not null)"
        )
    _bring_up(conn, found or 0)
    if found is not None and found < _COUNTED:
        _count_pairs(conn)


def _bring_up(conn: Connection, found: int) -> None:
    for number in range(found, CURRENT):
        for statement in _COMMON[number] + _OWN[conn.dialect.name][number]:
            conn.exec_driver_sql(_worded(statement, conn.dialect.name))
        conn.execute(
            schema_version.insert().values(version=number + 1, applied=time.time_ns() // 1000)
        )


def _count_pairs(conn: Connection) -> None:
    """In the transaction of the new version: a store counts pairs of all its posts, or of none."""
    _LOG.warning(
        "the database is brought up to date: its posts are counted under every two of their terms, "
        "which takes minutes where there are millions"
    )
    conn.execute(counts.delete().where(counts.c.term_n >= PAIRS))
    for stretch in list(stretches(conn)):
        counted = fresh(conn, stretch)
        counted.cells = {key: cells for key, cells in counted.cells.items() if key[1] >= PAIRS}
        counted.write(conn)


def newer(found: int) -> str:
    """The sentence for a database of a later release."""
    return f"the database has schema {found}, this release knows up to {CURRENT}: upgrade Raccroche"


def _worded(statement: str, dialect: str) -> str:
    for word, replacement in _WORDS[dialect].items():
        statement = statement.replace("{" + word + "}", replacement)
    return statement
