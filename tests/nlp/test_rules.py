"""The rule labeller answers the whole schema, on fair posts and on foul ones."""

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest

from nlp.brands import BrandTable
from nlp.numbers import NumberingPlan
from nlp.rules import (
    BRAND_FEATURES,
    RULE_FEATURES,
    Reader,
    RuleLabeller,
    brand_features,
    rule_features,
)
from nlp.text import MAX_CHARS
from nlp.types import ROLES, SENTIMENTS, SIGNALS, TOPICS, Labels, Text

SEED = Path(__file__).parents[2] / ".." / "shared" / "seed" / "en-contact-2015-07-21.txt"


@pytest.fixture(scope="session")
def labeller(table: BrandTable, plan: NumberingPlan) -> RuleLabeller:
    return RuleLabeller(table, plan)


def label(labeller: RuleLabeller, text: str, **more: object) -> Labels:
    return labeller.label([Text("t", text, **more)])[0]  # type: ignore[arg-type]


def test_a_full_complaint_gets_every_kind_of_label(labeller: RuleLabeller) -> None:
    text = (
        "Télénova m'appelle 3 à 4 fois par jour depuis 2 mois, même le dimanche à 20h45, en "
        "numéro masqué. J'ai demandé d'arrêter mais ils continuent. Je vais porter plainte !"
    )
    labels = label(labeller, text, published_at=date(2024, 5, 1))
    assert labels.phone_harassment
    assert labels.testimony
    assert labels.sentiment == "negative"
    assert "phone_harassment" in labels.topics
    assert {
        "excessive_frequency", "forbidden_hours", "masked_number", "refusal_ignored",
        "action_taken",
    } <= set(labels.signals)  # fmt: skip
    assert labels.brands["Télénova"].harassment
    assert labels.brands["Télénova"].role == "caller"
    facts = labels.facts.to_dict()
    assert facts["calls"] == {"min": 3, "max": 4, "per": "day", "duration_days": 60}
    assert facts["hours"] == ["20:45"]
    assert facts["days"] == ["sunday"]
    assert {"class": "masked", "shown": ""} in facts["numbers"]


def test_spans_show_the_words_that_made_a_signal(labeller: RuleLabeller) -> None:
    text = "Mobilor m'appelle sans arrêt en numéro masqué, c'est du harcèlement téléphonique."
    spans = label(labeller, text).spans
    shown = {why: text[start:end] for start, end, why in spans}
    assert shown["masked_number"] == "numéro masqué"


def test_a_title_is_read_but_spans_stay_in_the_text(labeller: RuleLabeller) -> None:
    text = "Numéro masqué à chaque fois."
    labels = label(labeller, text, title="Mobilor me harcèle au téléphone")
    assert labels.phone_harassment
    assert [text[start:end] for start, end, _ in labels.spans] == ["Numéro masqué"]


def test_spans_stand_in_the_post_as_published(labeller: RuleLabeller) -> None:
    text = (
        "<p>Mobilor me harc&egrave;le au t&eacute;l&eacute;phone, num&eacute;ro masqu&eacute;</p>"
    )
    spans = label(labeller, text).spans
    assert any("num&eacute;ro masqu&eacute;" in text[start:end] for start, end, _ in spans)


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("je décroche, personne au bout du fil, ça raccroche, tous les jours", "silent_call"),
        ("un robot m'appelle chaque matin, tapez 1", "robocall"),
        ("leurs commerciaux saturent mon répondeur de messages vocaux chaque jour", "voicemail"),
        (
            "inscrit sur Bloctel et je reçois toujours des appels de démarchage",
            "do_not_call_list_useless",
        ),
        ("ancien client, Mobilor m'appelle chaque semaine pour revenir", "former_customer"),
        ("jamais été client chez Mobilor et ils m'appellent tous les jours", "no_consent_prospect"),
        (
            "client chez Mobilor depuis dix ans, on m'appelle chaque jour pour une box",
            "current_customer",
        ),
        ("un centre d'appels au Maroc m'appelle chaque jour pour Mobilor", "call_centre"),
        (
            "je bloque, ils rappellent d'un autre numéro chaque jour, marre des appels",
            "number_rotation",
        ),
        ("ils m'appellent tous les jours avec un 06 pour vendre", "local_or_mobile_number"),
        ("il se fait passer pour Télénova et m'appelle tous les jours", "impersonated_brand"),
        (
            "mon numéro est usurpé par des démarcheurs, des inconnus me rappellent",
            "own_number_spoofed",
        ),
        ("un commercial agressif m'appelle chaque jour et m'insulte", "aggressive"),
        ("sous prétexte d'une panne ils m'appellent chaque jour pour vendre", "deceptive_pretext"),
        ("ils me harcèlent par sms et par téléphone chaque jour", "sms_messaging"),
        ("leurs appels incessants réveillent le bébé pendant la sieste", "life_impact"),
    ],
)
def test_each_signal_is_heard(labeller: RuleLabeller, text: str, signal: str) -> None:
    labels = label(labeller, text)
    assert labels.phone_harassment
    assert signal in labels.signals


def test_signals_need_harassment_but_for_messages(labeller: RuleLabeller) -> None:
    labels = label(labeller, "Trois SMS de pub par semaine de Mobilor, le STOP ne marche pas.")
    assert not labels.phone_harassment
    assert labels.signals == ("sms_messaging",)


def test_quoted_words_are_not_the_authors(labeller: RuleLabeller) -> None:
    text = "> Mobilor me harcèle au téléphone cinq fois par jour\n\nMerci pour le partage."
    assert not label(labeller, text).phone_harassment


def test_a_retweet_without_a_word_is_no_testimony(labeller: RuleLabeller) -> None:
    labels = label(labeller, "RT @quelquun: Mobilor me harcèle au téléphone chaque jour")
    assert not labels.phone_harassment
    assert not labels.testimony


def test_praise_is_positive(labeller: RuleLabeller) -> None:
    labels = label(labeller, "Très satisfait, service rapide et conseiller aimable.")
    assert labels.sentiment == "positive"
    assert "praise" in labels.topics


@pytest.mark.parametrize("text", ["", "   ", "😡😡😡", "...", "\x00"])
def test_a_post_without_words_is_refused_not_neutral(labeller: RuleLabeller, text: str) -> None:
    labels = label(labeller, text)
    assert labels.refused == "no_words"
    assert labels.to_dict()["refused"] == "no_words"


def test_another_language_is_refused_by_name(labeller: RuleLabeller) -> None:
    text = "They keep calling me every day and I never asked for it"
    assert label(labeller, text).refused == "language:en"


@pytest.mark.parametrize(
    "text",
    [
        "MOBILOR ME HARCELE AU TELEPHONE TOUS LES JOURS",
        "mobilor me harcele au telephone tt les jours svp stop",
        "Mobilor me harce\u0300le au te\u0301le\u0301phone tous les jours",
        "<p>Mobilor me harc&egrave;le au t&eacute;l&eacute;phone<br>tous les jours</p>",
        "Mobilor me harcèle\x00 au téléphone \ud83d tous les jours",
    ],
)
def test_foul_writing_is_still_read(labeller: RuleLabeller, text: str) -> None:
    labels = label(labeller, text)
    assert labels.phone_harassment
    assert labels.brands["Mobilor"].harassment
    json.dumps(labels.to_dict())


def test_every_label_belongs_to_the_schema(labeller: RuleLabeller) -> None:
    texts = ["Mobilor me harcèle", "Merci", "prix en hausse chez Assurbleu", "la loi change"]
    for labels in labeller.label([Text(str(i), text) for i, text in enumerate(texts)]):
        assert labels.sentiment in SENTIMENTS
        assert set(labels.topics) <= set(TOPICS)
        assert set(labels.signals) <= set(SIGNALS)
        assert all(brand.role in ROLES for brand in labels.brands.values())
        assert labels.topics


def test_features_have_stable_names(reader: Reader) -> None:
    reading = reader.analyse(Text("t", "Mobilor m'appelle 3 fois par jour, @zephyr aussi"))
    assert set(rule_features(reading)) <= set(RULE_FEATURES)
    assert len(set(RULE_FEATURES)) == len(RULE_FEATURES)
    for brand in reading.parts:
        assert set(brand_features(reading, brand)) <= set(BRAND_FEATURES)


SIZE = MAX_CHARS // 8
HOSTILE = {
    "one letter": "a",
    "calls": "appelle ",
    "pronouns": "m'",
    "quotes": "« ",
    "straight quotes": '" ',
    "markup": "<a ",
    "entities": "&amp",
    "digits": "0",
    "pairs": "06 ",
    "brands": "bouygues telecom de la poste ",
    "mentions": "@free ",
    "wrote": "x a écrit : \n",
    "combining": "e\u0301",
    "spaces": " ",
    "addresses": "12 rue ",
    "mails": "a@",
    "every rule": "ils ne m'appellent pas tous les jours par téléphone mais encore non ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_costs_no_more_a_character(labeller: RuleLabeller, piece: str) -> None:
    """Four times the text, at most some eight times the time: linear, with room for noise."""
    small = _seconds(labeller, piece, SIZE)
    large = _seconds(labeller, piece, 4 * SIZE)
    assert large < 8 * small + 0.05


def _seconds(labeller: RuleLabeller, piece: str, size: int) -> float:
    text = (piece * (size // len(piece) + 1))[:size]
    best = float("inf")
    for _ in range(2):
        start = time.process_time()
        label(labeller, text)
        best = min(best, time.process_time() - start)
    return best


def _seed_comments() -> list[str]:
    if not SEED.exists():
        pytest.skip("the shared article is not here")
    body = SEED.read_text(encoding="utf-8").split("Commentaires")[1].split("Laisser un")[0]
    pieces = re.split(r"\n\s*\d+\. ", body)[1:]
    return ["\n".join(line.strip() for line in piece.splitlines()).strip() for piece in pieces]


@pytest.fixture(scope="session")
def seed(labeller: RuleLabeller) -> list[Labels]:
    comments = _seed_comments()
    texts = [
        Text(
            str(number),
            comment,
            published_at=date(2015, 7, 21),
            others=tuple(other for other in comments if other != comment),
        )
        for number, comment in enumerate(comments, start=1)
    ]
    return labeller.label(texts)


def accused(labels: Labels) -> set[str]:
    return {brand for brand, said in labels.brands.items() if said.harassment}


def test_the_seed_article_has_eight_comments(seed: list[Labels]) -> None:
    assert len(seed) == 8


def test_seed_a_masked_call_is_put_down_to_the_brand_that_made_it(seed: list[Labels]) -> None:
    assert accused(seed[2]) == {"Free"}
    assert "masked_number" in seed[2].signals


def test_seed_four_calls_a_day_from_a_number_shown_short(seed: list[Labels]) -> None:
    facts = seed[3].facts.to_dict()
    assert accused(seed[3]) == {"SFR"}
    assert facts["calls"] == {"min": 4, "max": 4, "per": "day"}
    assert facts["numbers"] == [{"class": "geographic", "shown": "01 71 25 .. .."}]


def test_seed_a_quoted_comment_accuses_nobody_for_its_quoter(seed: list[Labels]) -> None:
    assert seed[4].phone_harassment
    assert accused(seed[4]) == set()
    assert {"Orange", "Bouygues Telecom", "Free"} <= set(seed[4].brands)
    assert {"robocall", "voicemail", "excessive_frequency"} <= set(seed[4].signals)
    assert seed[4].facts.to_dict()["calls"] == {
        "min": 2, "max": 3, "per": "day", "duration_days": 180,
    }  # fmt: skip


def test_seed_two_brands_two_counts(seed: list[Labels]) -> None:
    assert accused(seed[5]) == {"Canal+", "MAIF"}
    calls = seed[5].facts.to_dict()["calls"]
    assert (calls["min"], calls["per"]) == (12, "week")


def test_seed_everybody_but_one_and_a_stop(seed: list[Labels]) -> None:
    assert accused(seed[6]) == {"SFR", "Sofinco"}


def test_seed_the_original_of_the_copy_keeps_its_words(seed: list[Labels]) -> None:
    assert not seed[7].phone_harassment
    assert {"Orange", "Bouygues Telecom", "Free"} <= set(seed[7].brands)


def test_a_thread_about_canvassing_adds_to_what_a_comment_says_of_calls(
    labeller: RuleLabeller,
) -> None:
    title = "Le télémarketing de Télénova irrite ses clients"
    short = "Pareil ici, une dizaine d'appels dans la semaine."
    reader = labeller.reader

    def evidence_of(text: str, title: str | None) -> float:
        return reader.analyse(Text("t", text, thread_title=title)).score

    assert evidence_of(short, title) == evidence_of(short, None) + 1
    assert evidence_of(short, "Le nouveau forfait de Télénova") == evidence_of(short, None)
    assert evidence_of("Bravo pour cet article.", title) <= 0
    opinion = "Le démarchage, tout le monde en fait."
    assert evidence_of(opinion, title) == evidence_of(opinion, None)
