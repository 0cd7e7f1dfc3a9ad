"""
The tables as SQLAlchemy sees them; `migrations` makes them, and a test holds the two together.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

metadata = MetaData()

SENTIMENTS = ("negative", "neutral", "positive")
# The twelve exclusive cells of a count: every measure and every filter is a sum of some of them.
CELLS = tuple(
    sentiment + harassment + testimony
    for testimony in ("", "_testimony")
    for harassment in ("", "_harassment")
    for sentiment in SENTIMENTS
)
ALL = 0  # term, source or brand number of the rows that do not tell them apart
ANY_BRAND = "*"  # its brand row has number ALL: the post, each once
UNKNOWN_BRAND = "inconnue"  # harassment posts that accuse nobody by name
UNKNOWN_BRAND_N = 1
UNDATED = -1_000_000  # the day of posts without a date
PAIRS = 1 << 24  # numbers of terms from here on are pairs of terms; there will never be as many


def pair(one: int, other: int) -> int:
    """The term number of the counts of posts that hold both of two terms; no term has it."""
    return min(one, other) * PAIRS + max(one, other)


def _table(name: str, *columns: Column[object]) -> Table:
    return Table(name, metadata, *columns)


def _int(name: str, **options: object) -> Column[object]:
    return Column(name, BigInteger, **options)  # type: ignore[arg-type]


def _text(name: str, **options: object) -> Column[object]:
    return Column(name, Text, **options)  # type: ignore[arg-type]


def _flag(name: str) -> Column[object]:
    return Column(name, Boolean)


def _real(name: str) -> Column[object]:
    return Column(name, Float)


schema_version = _table("schema_version", _int("version", primary_key=True), _int("applied"))
counters = _table("counters", _text("name", primary_key=True), _int("value"))

sources = _table("sources", _int("n", primary_key=True), _text("source"), _text("platform"))
authors = _table("authors", _int("n", primary_key=True), _text("name"))
posts = _table(
    "posts",
    _int("n", primary_key=True, autoincrement=False),
    _int("seq"),
    _text("id"),
    _int("source_n"),
    _text("via"),
    _text("kind"),
    _int("author_n"),
    _int("published"),
    _int("edited"),
    _int("day"),
    _flag("day_only"),
    _text("title"),
    _text("text"),
    _text("url"),
    _text("uri"),
    _text("parent"),
    _text("thread"),
    _text("thread_title"),
    _real("rating"),
    _text("engagement"),
    _text("language"),
    _text("context_brand"),
    _flag("by_brand"),
    _text("author_brand"),
    _text("reply_to_brand"),
    _text("quoted"),
    _int("added"),
    _int("text_key"),
    _int("uri_key"),
    _int("group_n"),
)
edits = _table(
    "edits",
    _int("post_n", primary_key=True, autoincrement=False),
    _int("at", primary_key=True, autoincrement=False),
    _text("old_hash"),
)
bands = _table("bands", _int("band", primary_key=True), _int("post_n", primary_key=True))
arrivals = _table(
    "arrivals", _text("via", primary_key=True), _int("day", primary_key=True), _int("posts")
)
cursors = _table(
    "cursors", _text("via", primary_key=True), _text("key", primary_key=True), _text("value")
)
pending = _table(
    "pending", _int("n", primary_key=True), _text("via"), _text("key"), _text("request")
)
runs = _table(
    "runs",
    _int("n", primary_key=True),
    _text("source"),
    _text("platform"),
    _int("started"),
    _int("finished"),
    _text("verdict"),
    _int("new"),
    _int("known"),
    _int("edited"),
    _int("deleted"),
    _int("got"),
    _int("declared"),
    _int("requests"),
    _int("bytes"),
    _int("not_modified"),
    _text("robots"),
    _text("message"),
)

labellers = _table(
    "labellers",
    _int("n", primary_key=True),
    _text("name"),
    _flag("human"),
    _int("done_seq"),
    _int("posts"),
    _int("first_at"),
    _int("last_at"),
)
labels = _table(
    "labels",
    _int("post_n", primary_key=True, autoincrement=False),
    _int("labeller_n", primary_key=True, autoincrement=False),
    Column("sentiment", SmallInteger),
    _flag("harassment"),
    _flag("testimony"),
    _text("relation"),
    _text("topics"),
    _text("signals"),
    _text("facts"),
    _text("probabilities"),
    _text("spans"),
    _text("language"),
    _real("language_probability"),
    _text("refused"),
    _int("at"),
)
brands = _table("brands", _int("n", primary_key=True), _text("name"), _text("family"))
terms = _table("terms", _int("n", primary_key=True), _text("kind"), _text("name"))
mentions = _table(
    "mentions",
    _int("post_n", primary_key=True, autoincrement=False),
    _int("labeller_n", primary_key=True, autoincrement=False),
    _int("brand_n", primary_key=True, autoincrement=False),
    Column("position", SmallInteger),
    Column("sentiment", SmallInteger),
    _flag("harassment"),
    _text("role"),
    _flag("inherited"),
    _real("probability"),
)
marks = _table(
    "marks",
    _int("labeller_n", primary_key=True, autoincrement=False),
    _int("term_n", primary_key=True, autoincrement=False),
    _int("post_n", primary_key=True, autoincrement=False),
)
counts = _table(
    "counts",
    *(
        _int(name, primary_key=True, autoincrement=False)
        for name in ("labeller_n", "term_n", "source_n", "brand_n", "day")
    ),
    _int("month"),
    *(_int(cell) for cell in CELLS),
)
claims = _table(
    "claims",
    _int("labeller_n", primary_key=True, autoincrement=False),
    _int("post_n", primary_key=True, autoincrement=False),
    _int("until"),
)

suppressions = _table(
    "suppressions", _text("kind", primary_key=True), _text("hash", primary_key=True)
)
takedowns = _table(
    "takedowns",
    _int("n", primary_key=True),
    _int("at"),
    _text("kind"),
    _text("hash"),
    _text("reason"),
    _int("posts"),
)
review = _table(
    "review",
    _text("queue", primary_key=True),
    _int("post_n", primary_key=True, autoincrement=False),
    _text("reason"),
    _int("added"),
)
assignments = _table(
    "assignments",
    _int("post_n", primary_key=True, autoincrement=False),
    _text("annotator", primary_key=True),
    _int("at"),
)
alerts = _table(
    "alerts",
    _int("n", primary_key=True),
    _text("brand"),
    _text("signal"),
    _text("period"),
    _real("observed"),
    _real("expected"),
    _real("bound"),
    _int("posts"),
    _int("authors"),
    _real("repost_share"),
    _text("state"),
    _text("sent"),
    _text("note"),
    _int("at"),
)
exports = _table("exports", _int("n", primary_key=True), _int("at"), _text("record"))
series = _table(
    "series",
    _text("series", primary_key=True),
    _text("period", primary_key=True),
    _text("source", primary_key=True),
    _real("value"),
    _text("unit"),
)
settings = _table("settings", _text("key", primary_key=True), _text("value"))
