"""Brands are told from the words they look like, and the longest name wins."""

from datetime import date

import pytest

from nlp.brands import BrandSpec, BrandTable
from nlp.lexicon import french
from nlp.rules import Reader
from nlp.types import Text


def brands(reader: Reader, text: str, **source: str) -> list[str]:
    return [mention.brand for mention in reader.analyse(Text("t", text, **source)).mentions]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour @free et @Freebox", ["Free", "Free"]),
        ("Merci @Xavier75", ["Free"]),
        ("ma freebox redémarre", ["Free"]),
        ("l'offre RED by SFR", ["RED"]),
        ("je suis chez red depuis mars", ["RED"]),
        ("S.F.R. ou sfr", ["SFR", "SFR"]),
        ("bouygue telecom et Bouygues Télécom", ["Bouygues Telecom", "Bouygues Telecom"]),
        ("forfait B&You", ["B&You"]),
        ("forfait b and you", ["B&You"]),
        ("abonné Canal+ et canal plus", ["Canal+", "Canal+"]),
        ("La Poste Mobile n'est pas la poste", ["La Poste Mobile", "La Poste"]),
        ("la Maif et la Macif", ["MAIF", "MACIF"]),
        ("Quid d'Orange, BT et Free ?", ["Orange", "Bouygues Telecom", "Free"]),
        ("#Sosh c'est réglé", ["Sosh"]),
        ("Groupe EDF, engie", ["EDF", "Engie"]),
    ],
)
def test_names_handles_and_misspellings(reader: Reader, text: str, expected: list[str]) -> None:
    assert brands(reader, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "un jus d'orange au petit déjeuner",
        "vigilance orange canicule sur la Drôme, appels d'urgence",
        "inscrit sur liste orange depuis dix ans, encore des appels",
        "le feu orange, j'étais au téléphone",
        "sugar free et gluten free",
        "il travaille en freelance pour un client",
        "who wants free tickets, call me",
        "Bouygues Construction recrute un chef de chantier",
        "balade au bord du canal du Midi",
        "rejoignez mon canal Telegram, numéro en bio",
        "gros red flag ce mec",
        "écrivez à jean@orange.fr pour le rendez-vous",
        "le registre SFR du microcontrôleur",
        "un zéphyr doux ce soir, appel du large",
    ],
)
def test_words_that_only_look_like_a_brand(reader: Reader, text: str) -> None:
    assert brands(reader, text) == []


def test_a_weak_name_needs_its_context(reader: Reader) -> None:
    assert brands(reader, "quel beau zephyr") == []
    assert brands(reader, "zephyr et sa box en panne") == ["Zéphyr"]
    assert brands(reader, "quel beau zephyr", context_brand="Mobilor") == ["Zéphyr"]
    assert brands(reader, "quel beau zephyr", thread_title="Mobilor : les offres") == ["Zéphyr"]


def test_a_weak_name_with_a_capital_inside_a_sentence_is_a_name(reader: Reader) -> None:
    assert brands(reader, "ils disent que Zéphyr va grandir") == ["Zéphyr"]
    assert brands(reader, "Zéphyr") == []


def test_a_reviewed_brand_is_there_though_unnamed_and_marked_so(reader: Reader) -> None:
    parts = reader.analyse(Text("t", "Trop cher.", context_brand="Assurbleu")).parts
    assert parts["Assurbleu"].inherited


def test_a_reviewed_brand_that_the_table_knows_takes_its_canonical_name(reader: Reader) -> None:
    parts = reader.analyse(Text("t", "Trop cher.", context_brand="free mobile")).parts
    assert list(parts) == ["Free"]


def test_a_reviewed_brand_that_nobody_knows_keeps_its_name(reader: Reader) -> None:
    parts = reader.analyse(Text("t", "Trop cher.", context_brand="Firme Inconnue")).parts
    assert list(parts) == ["Firme Inconnue"]


def test_the_family_is_that_of_the_day(table: BrandTable) -> None:
    assert table.family("La Poste Mobile", date(2020, 1, 1)) == "la_poste"
    assert table.family("La Poste Mobile", date(2025, 1, 1)) == "bouygues"
    assert table.family("La Poste Mobile") == "bouygues"
    assert table.family("Firme Inconnue") is None


def test_a_user_adds_a_brand_with_a_name_alone() -> None:
    table = BrandTable([BrandSpec.from_mapping({"name": "Nouvelle Marque"})], french())
    assert table.resolve("nouvelle marque") == "Nouvelle Marque"


@pytest.mark.parametrize(
    "block", [{}, {"name": ""}, {"name": "A", "aliases": "a"}, {"name": "A", "weak": [1]}]
)
def test_a_badly_written_brand_is_refused(block: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="brand"):
        BrandSpec.from_mapping(block)
