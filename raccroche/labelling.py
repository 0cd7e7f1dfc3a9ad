"""The labeller that config.toml asks for, and the table of brands it knows."""

from dataclasses import asdict
from datetime import date
from functools import cache

from nlp.brands import BrandSpec, BrandTable
from nlp.lexicon import french
from nlp.types import Labeller
from raccroche import reference
from raccroche.config import BrandConfig, Config
from raccroche.errors import ConfigError, LabelError
from raccroche.post import Post

LABELLERS = ("embedded", "rules", "transformers")
# Platforms on which an author's name is an account that a brand may hold.
_ACCOUNTS = frozenset({"x", "mastodon", "bluesky", "youtube", "telegram"})


@cache
def _table(added: tuple[BrandConfig, ...]) -> BrandTable:
    names = {brand.name for brand in added}
    blocks = [block for block in reference.brand_blocks() if block.get("name") not in names]
    try:
        specs = [BrandSpec.from_mapping(b) for b in [*blocks, *map(asdict, added)]]
    except ValueError as error:
        raise ConfigError(f"[[brands]] {error}") from error
    return BrandTable(specs, french())


def brand_table(config: Config) -> BrandTable:
    """
    The reference brands and those of [[brands]]; a user's brand replaces ours of the same name.
    """
    return _table(config.brands)


def known_brands(config: Config) -> frozenset[str]:
    """The names that `evaluate` scores."""
    from nlp.evaluate import KNOWN_BRANDS

    return KNOWN_BRANDS | {brand.name for brand in config.brands}


def family_of(config: Config, brand: str, day: date | None) -> str | None:
    """The family that *brand* belonged to on *day*; None for a brand the table lacks."""
    return brand_table(config).family(brand, day)


def load_labeller(config: Config, name: str = "") -> Labeller:
    """
    The labeller called *name*, or the one of [nlp] labeller.

    Raises ConfigError for an unknown name, LabelError when its model is missing or broken.
    """
    name = name or config.nlp.labeller
    table = brand_table(config)
    if name == "rules":
        from nlp.rules import RuleLabeller

        return RuleLabeller(table)
    if name == "embedded":
        from nlp.classifier import load_default
        from nlp.errors import NlpError

        try:
            return load_default(table)
        except NlpError as error:
            raise LabelError(str(error)) from error
    if name == "transformers":
        return _transformer(config, table)
    raise ConfigError(f"[nlp] labeller {name!r}: one of {', '.join(LABELLERS)}")


def _transformer(config: Config, table: BrandTable) -> Labeller:
    from nlp.errors import NlpError
    from nlp.transformer import TransformerLabeller

    if not config.nlp.model:
        raise ConfigError("[nlp] model is empty: name a model of the hub or a folder")
    try:
        return TransformerLabeller(
            config.nlp.model, task=config.nlp.task, offline=config.nlp.offline, table=table
        )
    except NlpError as error:
        raise LabelError(str(error)) from error


@cache
def _accounts(added: tuple[BrandConfig, ...]) -> frozenset[str]:
    handles = [handle for brand in reference.brands() for handle in brand.handles]
    handles += [handle for brand in added for handle in brand.handles]
    return frozenset(handle.lstrip("@").casefold() for handle in handles)


def is_brand_account(config: Config, post: Post) -> bool:
    """Whether *post*, not yet pseudonymised, was written by an account of a brand."""
    if not post.author or post.platform not in _ACCOUNTS:
        return False
    handle = post.author.lstrip("@").split("@")[0].removesuffix(".bsky.social").casefold()
    return handle in _accounts(config.brands)
