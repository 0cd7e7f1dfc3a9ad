"""The labeller that the configuration asks for, and the brands that are part of its version."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nlp.types import Text
from raccroche import labelling, pipeline
from raccroche.config import BrandConfig, Config, NlpConfig
from raccroche.labelling import load_labeller
from raccroche.post import Post
from raccroche.store import Filters, Store

MINE = BrandConfig("exemple", "Exemplis", sector="telecom", aliases=("exemplis",))
OTHER = BrandConfig("autre", "Tartempion", sector="telecom", aliases=("tartempion",))


def config(folder: Path, *brands: BrandConfig) -> Config:
    return Config(folder / "config.toml", nlp=NlpConfig(labeller="rules"), brands=brands)


def test_a_brand_added_later_is_found_in_posts_that_were_labelled_before(tmp_path: Path) -> None:
    text = "Exemplis m'appelle dix fois par jour, c'est du harcèlement"
    with Store.open(tmp_path / "s.sqlite3") as store:
        at = datetime(2026, 10, 1, tzinfo=UTC)
        store.add_posts([Post("test/a", "test", "1", text, published_at=at)])
        before, after = config(tmp_path), config(tmp_path, MINE)
        assert pipeline.label(before, store, load_labeller(before)) == 1
        assert pipeline.label(after, store, load_labeller(after)) == 1
        assert pipeline.label(after, store, load_labeller(after)) == 0
        name = pipeline.labeller_id(load_labeller(after))
        counts = store.daily_counts(Filters(name), by=("brand",))
        assert counts[["brand", "harassment"]].to_numpy().tolist() == [["Exemplis", 1]]
        assert labelling.shown_labeller(store) == name


def test_the_version_tells_the_brands_and_not_their_order(tmp_path: Path) -> None:
    both = load_labeller(config(tmp_path, MINE, OTHER)).version
    assert both == load_labeller(config(tmp_path, OTHER, MINE)).version
    assert both != load_labeller(config(tmp_path, MINE)).version
    plain = load_labeller(config(tmp_path)).version
    assert both.startswith(f"{plain}+brands-")
    assert len(both) == len(f"{plain}+brands-") + 6


@pytest.mark.parametrize(
    "changed",
    [
        BrandConfig("exemple", "Exemplis", sector="telecom", aliases=("exemplis", "exempl*")),
        BrandConfig("exemple", "Exemplis", sector="telecom", aliases=("exemplis",), weak=("ex",)),
    ],
)
def test_another_spelling_is_another_version(tmp_path: Path, changed: BrandConfig) -> None:
    one, other = (load_labeller(config(tmp_path, brand)) for brand in (MINE, changed))
    assert one.version != other.version


def test_answers_carry_the_version_that_gave_them(tmp_path: Path) -> None:
    labeller = load_labeller(config(tmp_path, MINE))
    (answer,) = labeller.label([Text(id="1", text="Exemplis m'appelle encore")])
    assert answer.model_version == labeller.version
    assert "Exemplis" in answer.brands
