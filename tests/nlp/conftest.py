"""One brand table and one reader for the tests of the rules."""

import pytest

from nlp.brands import BrandTable
from nlp.numbers import NumberingPlan
from nlp.rules import Reader, brand_table
from raccroche import reference

FICTIONAL = (
    {"name": "Télénova", "aliases": ["telenova*"], "sector": "telecom", "family": "nova"},
    {"name": "Zéphyr", "weak": ["zephyr"], "aliases": ["@zephyr*"], "sector": "telecom",
     "exclude": ["zephyr doux"], "family": "nova"},
    {"name": "Assurbleu", "aliases": ["assurbleu"], "sector": "insurance", "family": "bleu"},
    {"name": "Mobilor", "aliases": ["mobilor"], "sector": "telecom", "family": "or"},
)  # fmt: skip


@pytest.fixture(scope="session")
def table() -> BrandTable:
    return brand_table([*reference.brand_blocks(), *FICTIONAL])


@pytest.fixture(scope="session")
def plan() -> NumberingPlan:
    return NumberingPlan((row.prefix, row.number_class, row.since) for row in reference.numbering())


@pytest.fixture(scope="session")
def reader(table: BrandTable, plan: NumberingPlan) -> Reader:
    return Reader(table, plan)
