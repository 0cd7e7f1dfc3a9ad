"""Labelling by people: questions, what is stored, blindness, decisions, queues, scores."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import answers, judged, sampling
from dashboard.answers import Answer
from raccroche.post import Labels, Post
from raccroche.store import Filters, Store
from tests.dashboard import samples
from tests.dashboard.conftest import Open, everything

POST = Post(source="blog/blog.example", platform="wordpress", native_id="1", text="Un texte")


@pytest.fixture
def queued(database: Path) -> Path:
    """A database whose random queue holds the newest posts."""
    with Store.open(database, near_duplicates=False) as store:
        rows = store.posts(Filters(labeller=samples.MODEL), size=12).rows
        store.add_review("random", [row.post.id for row in rows])
    return database


def begin(open_page: Open, database: Path, name: str = "claire") -> AppTest:
    app = open_page("relecture", database=database)
    app.text_input(key="w_annotator").set_value(name).run()
    return app


def press(app: AppTest, end: str) -> None:
    next(one for one in app.button if str(one.key).endswith(end)).click().run()


def test_a_person_answers_and_the_labels_are_theirs(open_page: Open, queued: Path) -> None:
    app = begin(open_page, queued)
    assert app.button(key="review-save").disabled
    press(app, "-h-yes")
    press(app, "-t-yes")
    press(app, "-s-negative")
    app.button(key="review-save").click().run()
    assert not app.exception
    with Store.open(queued) as store:
        (mine,) = store.labels_by("human:claire")
        assert mine.phone_harassment
        assert mine.topics == ("phone_harassment",)
        models = [one.labeller for one in store.labels_of(mine.post_id)]
    assert samples.MODEL in models


def test_the_reader_sees_neither_the_model_nor_the_author(open_page: Open, queued: Path) -> None:
    app = begin(open_page, queued)
    shown = everything(app) + "".join(one.proto.body for one in app.get("html"))
    assert samples.MODEL not in shown
    assert "auteur-" not in shown
    assert '<mark class="why"' not in shown


def test_without_a_name_nothing_can_be_labelled(open_page: Open, queued: Path) -> None:
    app = open_page("relecture", database=queued)
    assert not [one for one in app.button if one.key == "review-save"]
    assert any("Écrivez votre nom" in one.value for one in app.info)


def test_a_post_that_cannot_be_judged_is_refused_and_counts_nowhere(
    open_page: Open, queued: Path
) -> None:
    app = begin(open_page, queued)
    app.button(key="review-refuse").click().run()
    with Store.open(queued) as store:
        (mine,) = store.labels_by("human:claire")
    assert mine.refused


def test_who_labelled_may_not_decide_and_a_third_may(open_page: Open, queued: Path) -> None:
    with Store.open(queued, near_duplicates=False) as store:
        post_id = store.review_items("random")[0].post_id
        for who, harassed in (("claire", True), ("paul", False)):
            answer = Answer(harassed, True, "negative").labels(POST, lambda brand: None)
            store.add_labels([_of(answer, post_id, who)])
    app = open_page("relecture", database=queued, vue="departager")
    app.text_input(key="w_annotator").set_value("claire").run()
    assert not [one for one in app.button if one.key == "decide"]
    app.text_input(key="w_annotator").set_value("anne").run()
    press(app, "-h-no")
    press(app, "-t-yes")
    press(app, "-s-negative")
    app.button(key="decide").click().run()
    assert not app.exception
    with Store.open(queued) as store:
        assert next(one for one in store.review_items() if one.post_id == post_id).adjudicated


def _of(labels: Labels, post_id: str, who: str) -> Labels:
    return Labels(
        post_id,
        f"human:{who}",
        labels.sentiment,
        labels.phone_harassment,
        labels.testimony,
        topics=labels.topics,
    )


def test_posts_are_added_to_a_queue(open_page: Open, database: Path) -> None:
    app = open_page("relecture", database=database, vue="files")
    app.button(key="fill").click().run()
    with Store.open(database) as store:
        assert len(store.review_items("random")) == 50


def test_agreement_shows_coefficients_when_there_are_enough_pairs(
    open_page: Open, queued: Path
) -> None:
    with Store.open(queued, near_duplicates=False) as store:
        for n, item in enumerate(store.review_items("random")):
            for who in ("claire", "paul"):
                answer = Answer(n % 2 == 0, True, "negative").labels(POST, lambda brand: None)
                store.add_labels([_of(answer, item.post_id, who)])
    app = open_page("relecture", database=queued, vue="accord")
    assert not app.exception
    assert "12 fois" in everything(app)
    quality = open_page("qualite", database=queued, volet="modele")
    assert not quality.exception
    assert "tirées au hasard et relues" in everything(quality)


def test_people_who_say_the_same_of_every_post_have_no_coefficient_and_no_traceback(
    open_page: Open, queued: Path
) -> None:
    with Store.open(queued, near_duplicates=False) as store:
        for item in store.review_items():
            for name in ("ana", "bob"):
                store.add_labels([Labels(item.post_id, f"human:{name}", "negative", True, True)])
    app = open_page("relecture", database=queued, vue="accord")
    assert not app.exception
    assert "Aucun coefficient" in everything(app)
    assert len(app.dataframe) == 1


def test_a_brand_is_accused_by_its_role_and_only_in_harassment() -> None:
    roles = {"Mandarine": "caller", "Indigo": "line_operator"}
    labels = Answer(True, True, "negative", roles=roles).labels(POST, lambda brand: "famille")
    assert {one.brand: one.harassment for one in labels.mentions} == {
        "Mandarine": True,
        "Indigo": False,
    }
    quiet = Answer(False, True, "negative", signals=("robocall", "sms_messaging"), roles=roles)
    labels = quiet.labels(POST, lambda brand: None)
    assert not any(one.harassment for one in labels.mentions)
    assert labels.signals == ("sms_messaging",)


def test_random_posts_are_distinct_and_each_day_has_its_share(filled: Path) -> None:
    with Store.open(filled) as store:
        asked = Filters(labeller=samples.MODEL)
        every = {row.post.id for row in store.iterate(asked)}
        drawn = sampling.random_posts(store, asked, 200, seed=3)
        assert len(drawn) == len(set(drawn)) == 200
        assert set(drawn) <= every
        assert set(sampling.random_posts(store, asked, 10**6, seed=3)) == every


def test_people_who_still_differ_are_left_out_of_the_scores() -> None:
    people = [
        Labels("p1", "human:a", "neutral", True, True),
        Labels("p1", "human:b", "neutral", False, True),
        Labels("p2", "human:a", "neutral", True, True),
        Labels("p3", "human:a", "neutral", False, True),
        Labels("p3", "human:adjudicated", "neutral", True, True),
    ]
    model = {
        name: Labels(name, "m@1", "neutral", name != "p3", True) for name in ("p1", "p2", "p3")
    }
    first = judged.confusions(people, model)[0]
    assert (first.hits, first.false, first.missed, first.left) == (1, 0, 1, 0)


def test_a_label_is_named_up_to_its_first_colon() -> None:
    """Labels that were imported may hold anything: a colon in a name is part of it."""
    odd = Labels("p1", "human:a", "neutral", True, True, topics=("a:b",), signals=("c:d",))
    model = {"p1": replace(odd, labeller="m@1", signals=())}
    found = {one.label: one for one in judged.confusions([odd], model)}
    assert (found["topic:a:b"].hits, found["signal:c:d"].missed) == (1, 1)
    assert answers.value(odd, "topic:a:b") == "oui"
