"""Kappa and alpha against published examples and statsmodels; what counts as a pair."""

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from dashboard import agreement
from raccroche.post import Labels


def table(first: str, second: str) -> agreement.Table:
    values = sorted(set(first) | set(second))
    found = np.zeros((len(values), len(values)))
    for a, b in zip(first, second, strict=True):
        found[values.index(a), values.index(b)] += 1
    return found


def answer(post: str, who: str, *, harassment: bool, refused: str | None = None) -> Labels:
    return Labels(post, f"human:{who}", "negative", harassment, True, refused=refused)


def test_alpha_is_that_of_krippendorffs_binary_example() -> None:
    # Computing Krippendorff's Alpha-Reliability (2011), A
    assert agreement.alpha(table("0100000010", "1110010000")) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_that_of_krippendorffs_nominal_example() -> None:
    # the same, B
    found = agreement.alpha(table("aabbdcccedda", "babbbcccedd" + "d"))
    assert found == pytest.approx(0.692, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_statsmodels(seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(1, 20, size=(3, 3)).astype(float)
    assert agreement.kappa(drawn) == pytest.approx(cohens_kappa(drawn).kappa)


def test_chance_agreement_is_near_zero_and_full_agreement_is_one() -> None:
    assert agreement.kappa(np.array([[25.0, 25], [25, 25]])) == pytest.approx(0)
    assert agreement.kappa(np.array([[30.0, 0], [0, 20]])) == 1
    assert agreement.alpha(np.array([[30.0, 0], [0, 20]])) == 1


def test_a_pair_is_two_people_on_one_post_and_refusals_are_none() -> None:
    labels = [
        answer("p1", "b", harassment=True),
        answer("p1", "a", harassment=False),
        answer("p2", "a", harassment=True),
        answer("p3", "a", harassment=True),
        answer("p3", "b", harassment=False, refused="unreadable"),
    ]
    (pair,) = agreement.pairs(labels)
    assert [one.labeller for one in pair] == ["human:a", "human:b"]


def test_under_ten_posts_there_is_no_coefficient() -> None:
    labels = [answer(f"p{n}", who, harassment=n % 2 == 0) for n in range(9) for who in ("a", "b")]
    found = {one.label: one for one in agreement.of(labels)}
    assert found["phone_harassment"].pairs == 9
    assert found["phone_harassment"].kappa is None


def test_an_interval_holds_its_coefficient_and_narrows_with_more_posts() -> None:
    def measured(many: int) -> agreement.Agreement:
        labels = [
            answer(f"p{n}", who, harassment=n % 2 == 0 and (who == "a" or n % 10 > 1))
            for n in range(many)
            for who in ("a", "b")
        ]
        return next(one for one in agreement.of(labels) if one.label == "phone_harassment")

    few, more = measured(30).kappa, measured(300).kappa
    assert few is not None
    assert more is not None
    assert few.low < few.value < few.high
    assert more.high - more.low < (few.high - few.low) / 2


def test_what_differs_is_named() -> None:
    found = agreement.differing(
        answer("p", "a", harassment=True), answer("p", "b", harassment=False)
    )
    assert found == ["phone_harassment"]


def test_full_agreement_leaves_a_doubt_and_a_rare_label_has_no_coefficient() -> None:
    same = [answer(f"p{n}", who, harassment=n < 12) for n in range(30) for who in ("a", "b")]
    kappa = agreement.of(same)[1].kappa
    assert kappa is not None
    assert kappa.low < 0.99
    assert kappa.value == kappa.high == 1
    rare = [answer(f"p{n}", who, harassment=n < 4) for n in range(30) for who in ("a", "b")]
    assert agreement.of(rare)[1].kappa is None
