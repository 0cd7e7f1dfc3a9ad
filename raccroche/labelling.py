"""The labeller that config.toml asks for, and the table of brands it knows."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from hashlib import sha256

from nlp.brands import BrandSpec, BrandTable
from nlp.errors import NlpError
from nlp.lexicon import french
from nlp.numbers import NumberingPlan
from nlp.types import Labeller, Labels, Text
from raccroche import reference
from raccroche.config import BrandConfig, Config
from raccroche.errors import ConfigError, LabelError
from raccroche.store import Store

LABELLERS = ("embedded", "rules", "transformers")


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
    The labeller called *name*, or the one of [nlp] labeller, that knows the brands of [[brands]].

    These are part of its version: a brand added later is looked for in the old posts too.
    Raises ConfigError for an unknown name, LabelError when its model is missing or broken.
    """
    name = name or config.nlp.labeller
    if name not in LABELLERS:
        raise ConfigError(f"[nlp] labeller {name!r}: one of {', '.join(LABELLERS)}")
    try:
        labeller = _load(config, name)
    except NlpError as error:
        raise LabelError(str(error)) from error
    return _WithBrands(labeller, brands_digest(config)) if config.brands else labeller


def brands_digest(config: Config) -> str:
    """Six hexadecimal digits that change with [[brands]], not with its order."""
    rows = sorted((asdict(brand) for brand in config.brands), key=lambda row: str(row["name"]))
    return sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True)
class _WithBrands:
    """A labeller whose version says which brands the user added."""

    inner: Labeller
    digest: str

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def version(self) -> str:
        return f"{self.inner.version}+brands-{self.digest}"

    def label(self, texts: Sequence[Text]) -> list[Labels]:
        version = self.version
        return [replace(one, model_version=version) for one in self.inner.label(texts)]


def _load(config: Config, name: str) -> Labeller:
    table, plan = brand_table(config), numbering_plan()
    if name == "rules":
        from nlp.rules import RuleLabeller

        return RuleLabeller(table, plan)
    if name == "embedded":
        from nlp.classifier import EmbeddedLabeller, Model, load_default

        if config.nlp.model:  # one that `raccroche train` wrote
            return EmbeddedLabeller(Model.load(config.resolve(config.nlp.model)), table, plan)
        return load_default(table, plan)
    from nlp.finetune import load_transformer
    from nlp.transformer import Options

    if not config.nlp.model:
        raise ConfigError("[nlp] model is empty: name a model of the hub or a folder")
    options = Options(offline=config.nlp.offline)
    return load_transformer(config.nlp.model, table, plan, task=config.nlp.task, options=options)


@cache
def numbering_plan() -> NumberingPlan:
    """The numbering plan of the reference, by date."""
    return NumberingPlan((r.prefix, r.number_class, r.since) for r in reference.numbering())


def shown_labeller(store: Store) -> str:
    """
    Whose labels are shown and exported where none are named: the model that labelled last.

    Raises ConfigError while nothing is labelled.
    """
    models = [one.name for one in store.labellers() if not one.human]
    if not models:
        raise ConfigError("nothing is labelled yet: `raccroche label` does it")
    return models[0]
