"""The only reader of config.toml: frozen dataclasses, checked before the first request."""

import difflib
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from raccroche.errors import ConfigError

DEFAULT = Path("config.toml")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreConfig:
    url: str = "data/raccroche.sqlite3"


@dataclass(frozen=True, slots=True)
class CollectConfig:
    contact: str = ""
    user_agent: str = "Raccroche/0.1"
    rate: float = 1.0
    concurrency: int = 8
    timeout: float = 30.0
    longest_wait: float = 300.0
    max_body_mb: float = 20.0
    overlap_hours: float = 48.0
    allow_hosts: tuple[str, ...] = ()
    budget_requests: int = 2_000
    budget_mb: float = 500.0
    budget_minutes: float = 60.0
    cache: str = "data/http-cache.sqlite3"
    archive: str = "data/warc"
    archive_days: int = 30


@dataclass(frozen=True, slots=True)
class NlpConfig:
    labeller: str = "embedded"
    model: str = ""
    task: str = "sequence-classification"
    offline: bool = True
    batch_size: int = 512
    workers: int = 1


@dataclass(frozen=True, slots=True)
class PrivacyConfig:
    key_file: str = "data/pseudonym.key"
    mask: bool = True
    text_days: int = 395
    controller: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    cron: str = "17 */6 * * *"
    timezone: str = "Europe/Paris"
    jitter_seconds: int = 120
    health_file: str = "data/health.json"
    metrics_file: str = ""
    publish: str = ""


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    notify: tuple[str, ...] = ()
    feed: str = "data/alerts.atom"
    min_posts: int = 5
    min_authors: int = 3
    max_repost_share: float = 0.7
    false_discovery_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class DashboardConfig:
    host: str = "127.0.0.1"
    port: int = 8501
    public_url: str = ""
    banner: str = ""
    login: bool = False
    readers: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchConfig:
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BrandConfig:
    """A brand added by the user, in the shape of raccroche/reference/brands.toml."""

    id: str
    name: str
    family: str = ""
    sector: str = ""
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """
    One source to collect. *settings* go to its platform's Settings, secrets already filled in.
    """

    name: str
    platform: str
    enabled: bool = False
    purpose: str = ""
    cron: str = ""
    budget_requests: int | None = None
    budget_mb: float | None = None
    budget_minutes: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    path: Path
    store: StoreConfig = StoreConfig()
    collect: CollectConfig = CollectConfig()
    nlp: NlpConfig = NlpConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    alerts: AlertsConfig = AlertsConfig()
    dashboard: DashboardConfig = DashboardConfig()
    watch: WatchConfig = WatchConfig()
    brands: tuple[BrandConfig, ...] = ()
    sources: tuple[SourceConfig, ...] = ()

    @property
    def folder(self) -> Path:
        """Relative paths of the file are relative to the file itself."""
        return self.path.resolve().parent

    def resolve(self, path: str) -> Path:
        return self.folder / Path(path).expanduser()

    @property
    def store_url(self) -> str:
        """
        The database as SQLAlchemy names it; RACCROCHE_STORE_URL, which may hold a password, comes
        first.
        """
        url = os.environ.get("RACCROCHE_STORE_URL") or self.store.url
        return url if "://" in url else f"sqlite:///{self.resolve(url)}"


_SECTIONS: dict[str, type[Any]] = {
    "store": StoreConfig,
    "collect": CollectConfig,
    "nlp": NlpConfig,
    "privacy": PrivacyConfig,
    "schedule": ScheduleConfig,
    "alerts": AlertsConfig,
    "dashboard": DashboardConfig,
    "watch": WatchConfig,
}
_POSITIVE = {
    "collect": (
        "rate", "concurrency", "timeout", "max_body_mb", "budget_requests", "budget_mb",
        "budget_minutes",
    ),
    "nlp": ("batch_size", "workers"),
    "dashboard": ("port",),
}  # fmt: skip
_BOUNDS: dict[tuple[str, str], tuple[int, int]] = {
    ("collect", "archive_days"): (1, 36_500),
    ("collect", "longest_wait"): (0, 86_400),
    ("collect", "overlap_hours"): (0, 87_600),
    ("privacy", "text_days"): (1, 36_500),
    ("schedule", "jitter_seconds"): (0, 86_400),
}
_REACHABLE = re.compile(r"[^\s@<>]+@[^\s@<>]+|https?://[^\s/]")


def default_path() -> Path:
    """The file that is read when none is named."""
    return Path(os.environ.get("RACCROCHE_CONFIG", DEFAULT))


def load(path: Path | None = None) -> Config:
    """
    Read *path* (default: the file named by RACCROCHE_CONFIG, then ./config.toml).

    Raises ConfigError naming the file and the key: a missing or broken file, an unknown key, a
    wrong type, a missing secret.
    """
    path = path or default_path()
    table = _read(path)
    known = {*_SECTIONS, "brands", "sources"}
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: unknown section [{key}]{_hint(key, known)}")
    sections = {
        name: _build(kind, table.get(name, {}), where=f"{path}: [{name}]")
        for name, kind in _SECTIONS.items()
    }
    config = Config(
        path=path,
        brands=tuple(
            _build(BrandConfig, one, where=f"{path}: [[brands]] number {number}")
            for number, one in enumerate(_list(table, "brands", path), start=1)
        ),
        sources=tuple(
            _source(name, one, path) for name, one in _table(table, "sources", path).items()
        ),
        **sections,
    )
    _check(config)
    return config


def with_secrets(source: SourceConfig, path: Path) -> SourceConfig:
    """
    *source* with every `NAME_env = "VARIABLE"` replaced by NAME and the value of that environment
    variable.
    """
    settings: dict[str, Any] = {}
    for key, value in source.settings.items():
        if not key.endswith("_env"):
            settings[key] = value
            continue
        secret = os.environ.get(str(value))
        if not secret:
            raise ConfigError(
                f"{path}: [sources.{source.name}] {key}: "
                f"the environment variable {value} is not set"
            )
        settings[key.removesuffix("_env")] = secret
    return replace(source, settings=settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file; give one with --config, or copy config.toml of the repository"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _source(name: str, table: Any, path: Path) -> SourceConfig:
    where = f"{path}: [sources.{name}]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    own = {f.name for f in fields(SourceConfig)} - {"name", "settings"}
    if "platform" not in table:
        raise ConfigError(f"{where} platform is missing")
    built: SourceConfig = _build(
        SourceConfig, {"name": name} | {k: v for k, v in table.items() if k in own}, where=where
    )
    return replace(built, settings={k: v for k, v in table.items() if k not in own})


def _build(kind: type[T], table: Any, *, where: str) -> T:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    for key in table:
        if key not in known:
            raise ConfigError(f"{where} unknown key {key!r}{_hint(key, known)}")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise ConfigError(f"{where} {name} is missing")
    return kind(**{k: _value(v, hints[k], f"{where} {k}") for k, v in table.items()})


def _value(value: Any, hint: Any, where: str) -> Any:
    """*value* as the type that the dataclass declares, or ConfigError."""
    if isinstance(hint, types.UnionType):
        hint = next(h for h in typing.get_args(hint) if h is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ConfigError(f"{where} must be a list of texts")
    if typing.get_origin(hint) is not None:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise ConfigError(f"{where} must be {names.get(hint, hint)}, not {value!r}")
    return value


def _list(table: Mapping[str, Any], key: str, path: Path) -> list[Any]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise ConfigError(f"{path}: write [[{key}]] with two pairs of brackets")
    return value


def _table(table: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: write [{key}.NAME], one table a source")
    return value


def _check(config: Config) -> None:
    for section, names in _POSITIVE.items():
        for name in names:
            value = getattr(getattr(config, section), name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"{config.path}: [{section}] {name} must be above 0 and finite")
    for (section, name), (least, most) in _BOUNDS.items():
        value = getattr(getattr(config, section), name)
        if not least <= value <= most:
            raise ConfigError(
                f"{config.path}: [{section}] {name} must be from {least} to {most}, not {value}"
            )
    _check_headers(config)
    seen: set[str] = set()
    for brand in config.brands:
        if brand.id in seen:
            raise ConfigError(f"{config.path}: [[brands]] id {brand.id!r} is there twice")
        seen.add(brand.id)


def _check_headers(config: Config) -> None:
    """Both texts are sent with every request; an empty contact is refused when a round begins."""
    for name in ("contact", "user_agent"):
        value = getattr(config.collect, name)
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(
                f"{config.path}: [collect] {name} must be one line of ASCII letters and signs"
            )
    contact = config.collect.contact.strip()
    if contact and not _REACHABLE.search(contact):
        raise ConfigError(
            f"{config.path}: [collect] contact must hold an e-mail address or an http(s) address, "
            f"not {contact!r}"
        )


def _hint(word: str, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
