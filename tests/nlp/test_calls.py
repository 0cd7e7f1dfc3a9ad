"""Who calls whom, and what part each brand plays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.calls import HARASSMENT_THRESHOLD, holds
from nlp.reading import within
from nlp.rules import Reader
from nlp.types import Text


def reports(reader: Reader, text: str) -> bool:
    return reader.analyse(Text("t", text)).score >= HARASSMENT_THRESHOLD


@pytest.mark.parametrize(
    "text",
    [
        "Télénova m'appelle cinq fois par jour, c'est du harcèlement téléphonique.",
        "Je suis harcelée au téléphone par un démarcheur, stop !",
        "marre des appels intempestifs de vos commerciaux",
        "On m'appelle tous les jours pour me vendre une box alors que j'ai dit non.",
        "Démarchage abusif : ils ont forcé ma mère de 84 ans à souscrire par téléphone.",
        "Comment faire pour ne plus recevoir d'appels commerciaux incessants de Mobilor ?",
        "ils narretent pas de mappeler 3 fois par jour cest du harcelement",
        "Inscrit sur Bloctel et toujours autant d'appels de démarchage.",
        "Du démarchage au téléphone, proche du harcèlement, par une conseillère très sympathique.",
        "Lettres d'huissier, harcèlement téléphonique : tout y passe pour 12 euros.",
        "Chez Mobilor on vous appelle dix fois par jour pour vous vendre la fibre, ça suffit",
        "Ils nous appellent chaque minute pour placer leur assurance.",
        "Assurbleu stop aux appels !",
        "Nous recevions d'incessants appels téléphoniques de leur courtier.",
        "Ils ont démarché ma grand-mère par téléphone, elle a tout signé.",
    ],
)
def test_unwanted_sales_calls_are_harassment(reader: Reader, text: str) -> None:
    assert reports(reader, text)


@pytest.mark.parametrize(
    "text",
    [
        "J'ai appelé Télénova huit fois ce matin et personne ne décroche.",
        "Mon voisin me harcèle pour une histoire de haie.",
        "Chez Mobilor je n'ai jamais été harcelé au téléphone, rien à dire.",
        "Aucun appel commercial en trois ans, très satisfait.",
        "Le technicien m'a appelé pour confirmer le rendez-vous.",
        "J'attends toujours d'être rappelé par le service client.",
        "J'ai dû harceler l'assurance pour avoir mon remboursement.",
        "Panne de réseau depuis trois jours, le débit est nul.",
        "Ils me harcèlent de lettres recommandées pour une facture.",
        "J'espère ne pas être harcelé au téléphone après ce devis.",
        "On me harcèle pour un formulaire que j'ai rendu deux fois.",
        "J'ai changé de numéro : les amis de l'ancien abonné m'appellent encore.",
        "J'ai fait appel à un médiateur, mes démarches par téléphone n'ont rien donné.",
        "Quand on vous appelle, personne ne répond.",
        "On vous relance chaque jour pour notre remboursement.",
        "Je n'ai jamais eu de harcèlement téléphonique chez eux.",
        "Toutes les démarches par téléphone échouent.",
    ],
)
def test_the_other_way_round_denied_private_or_on_paper_is_not(reader: Reader, text: str) -> None:
    assert not reports(reader, text)


@pytest.mark.parametrize(
    ("text", "incoming"),
    [
        ("J'ai été contacté par Télénova.", True),
        ("J'ai reçu un appel de Télénova ce matin.", True),
        ("Ils ont trouvé le moyen de m'appeler quatre fois.", True),
        ("Impossible d'appeler le service client.", False),
        ("J'ai contacté Télénova ce matin.", False),
        ("Quand on vous appelle, personne ne répond.", False),
    ],
)
def test_a_call_received_is_no_call_made(reader: Reader, text: str, *, incoming: bool) -> None:
    hits = reader.analyse(Text("t", text)).hits
    assert ("call.in" in hits) is incoming
    assert ("call.out" in hits) is not incoming


def parts(reader: Reader, text: str, **source: str) -> dict[str, str]:
    reading = reader.analyse(Text("t", text, **source))  # type: ignore[arg-type]
    return {brand: part.role for brand, part in reading.parts.items()}


def test_the_brand_that_calls_is_told_from_the_brand_one_left_for(reader: Reader) -> None:
    text = (
        "J'ai quitté Mobilor pour Télénova, rien à dire, mais Assurbleu m'appelle 5 fois par jour."
    )
    found = parts(reader, text)
    assert found["Assurbleu"] == "caller"
    assert found["Télénova"] not in ("caller", "suspected_principal")
    assert found["Mobilor"] not in ("caller", "suspected_principal")


def test_a_brand_whose_name_is_borrowed_is_no_caller(reader: Reader) -> None:
    text = "Un escroc se fait passer pour Télénova et m'appelle tous les jours en numéro masqué."
    assert parts(reader, text)["Télénova"] == "impersonated"


def test_a_brand_that_has_its_calls_made_is_the_principal(reader: Reader) -> None:
    text = "Un prestataire mandaté par Mobilor me harcèle au téléphone chaque matin."
    assert parts(reader, text)["Mobilor"] == "suspected_principal"


def test_the_operator_asked_to_block_calls_does_not_make_them(reader: Reader) -> None:
    text = (
        "Je suis harcelé au téléphone par Assurbleu. J'ai demandé à Télénova de bloquer le numéro."
    )
    found = parts(reader, text)
    assert found["Assurbleu"] == "caller"
    assert found["Télénova"] == "line_operator"


def test_a_brand_that_leaves_people_in_peace_is_compared(reader: Reader) -> None:
    text = "Mobilor m'appelle cinq fois par jour. Chez Télénova jamais un appel commercial."
    found = parts(reader, text)
    assert found["Mobilor"] == "caller"
    assert found["Télénova"] in ("compared", "solution")


def test_the_reviewed_company_is_taken_for_the_caller(reader: Reader) -> None:
    found = parts(reader, "Harcèlement téléphonique, à fuir.", context_brand="Assurbleu")
    assert found == {"Assurbleu": "caller"}


def test_a_watchdog_never_calls(reader: Reader) -> None:
    text = "Je suis harcelé au téléphone malgré Bloctel, et la CNIL ne répond pas."
    assert set(parts(reader, text).values()) == {"cited"}


def test_nobody_named_nobody_accused(reader: Reader) -> None:
    assert parts(reader, "On m'appelle dix fois par jour en numéro masqué.") == {}


MARKS = st.lists(st.integers(0, 40), max_size=8).map(sorted)


@given(st.integers(0, 40), st.integers(0, 40), MARKS)
def test_a_span_holds_a_mark_where_looking_at_each_says_so(
    first: int, last: int, marks: list[int]
) -> None:
    assert holds(first, last, marks) == any(first <= mark < last for mark in marks)


@given(st.lists(st.integers(0, 40), max_size=10, unique=True).map(sorted), MARKS)
def test_marks_are_counted_in_spans_as_looking_at_each_counts_them(
    edges: list[int], marks: list[int]
) -> None:
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    counted = sum(first <= mark < last for mark in marks for first, last in spans)
    assert within(spans, marks) == counted
