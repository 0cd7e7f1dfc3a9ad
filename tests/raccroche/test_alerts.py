"""Spikes: what is expected, what fires, what must not, and what is said of it."""

import sqlite3
import urllib.parse
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from raccroche.alerts import find_alerts, find_spikes, week_name
from raccroche.alerts.forecast import Series, forecast
from raccroche.alerts.notify import ATOM, headline, link, send_alerts, write_feed
from raccroche.alerts.silence import silent_sources
from raccroche.config import AlertsConfig, Config
from raccroche.errors import ConfigError, StoreError
from raccroche.post import Labels, Mention, Post, Run, Verdict
from raccroche.store import Alert, Store

MONDAY = date(2026, 10, 5)
SUNDAY = date(2026, 10, 11)
LABELLER = "test@1"


def steady(days: int, mean: float, seed: int = 1) -> Series:
    """Poisson counts up to SUNDAY, every day collected."""
    counts = np.random.default_rng(seed).poisson(mean, days).astype(float)
    return Series(SUNDAY - timedelta(days=days - 1), counts, np.ones(days))


def with_last_week(series: Series, each_day: float) -> Series:
    counts = series.counts.copy()
    counts[-7:] = each_day
    return Series(series.first, counts, series.covered)


@pytest.mark.parametrize("days", [40, 120, 700])
def test_a_steady_series_is_expected_to_go_on(days: int) -> None:
    outlook = forecast(steady(days, 3.0), MONDAY, SUNDAY)
    assert outlook is not None
    assert 14 <= outlook.expected <= 28  # 21, give or take
    assert outlook.method == ("ears_c2" if days < 63 else "quasi_poisson")


@pytest.mark.parametrize("days", [40, 120, 700])
def test_a_fivefold_week_is_beyond_the_bound(days: int) -> None:
    series = with_last_week(steady(days, 3.0), 15.0)
    outlook = forecast(series, MONDAY, SUNDAY)
    assert outlook is not None
    assert outlook.bound < 105
    assert outlook.p_value < 0.005


def test_two_weeks_are_no_history() -> None:
    assert forecast(steady(15, 3.0), MONDAY, SUNDAY) is None


def test_a_trend_is_followed() -> None:
    days = 700
    mean = np.linspace(1, 10, days)
    counts = np.random.default_rng(2).poisson(mean).astype(float)
    outlook = forecast(
        Series(SUNDAY - timedelta(days=days - 1), counts, np.ones(days)), MONDAY, SUNDAY
    )
    assert outlook is not None
    assert 55 < outlook.expected < 90  # 70: not 38, the mean of the history


def test_half_the_sources_means_half_the_posts() -> None:
    series = steady(200, 4.0)
    covered = series.covered.copy()
    covered[-7:] = 0.5
    whole = forecast(series, MONDAY, SUNDAY)
    half = forecast(Series(series.first, series.counts, covered), MONDAY, SUNDAY)
    assert whole is not None
    assert half is not None
    assert half.expected == pytest.approx(whole.expected / 2, rel=0.05)


def test_an_old_outbreak_does_not_hide_a_new_one() -> None:
    series = steady(300, 2.0)
    counts = series.counts.copy()
    counts[100:114] = 40.0
    with_old = Series(series.first, counts, series.covered)
    outlook = forecast(with_last_week(with_old, 9.0), MONDAY, SUNDAY)
    assert outlook is not None
    assert outlook.bound < 63


def test_false_alarms_are_rare_on_quiet_series() -> None:
    """At the 99.5 % bound, 200 quiet weeks should give about one alarm; many more is a fault."""
    alarms = 0
    for seed in range(200):
        series = steady(250, 1.5, seed)
        outlook = forecast(series, MONDAY, SUNDAY)
        assert outlook is not None
        alarms += series.counts[-7:].sum() > outlook.bound
    assert alarms <= 6


# In the store -----------------------------------------------------------------------------------


def fill(store: Store, day: date, brand: str, count: int, *, harassment: bool = True) -> None:
    add(store, *made(day, brand, count, harassment=harassment))


def add(store: Store, posts: list[Post], labels: list[Labels]) -> None:
    store.add_posts(posts)
    store.add_labels(labels)


def made(
    day: date, brand: str, count: int, *, harassment: bool = True
) -> tuple[list[Post], list[Labels]]:
    posts, labels = [], []
    for number in range(count):
        at = datetime(day.year, day.month, day.day, 9, number % 60, tzinfo=UTC)
        post = Post(
            source="test/site",
            platform="test",
            native_id=f"{brand}-{day}-{number}-{harassment}",
            text=f"{brand} {day} {number} {'appelle' if harassment else 'va bien'}",
            author=f"a{number}",
            published_at=at,
        )
        posts.append(post)
        labels.append(
            Labels(
                post_id=post.id,
                labeller=LABELLER,
                sentiment="negative",
                phone_harassment=harassment,
                testimony=True,
                topics=("phone_harassment",) if harassment else ("other",),
                signals=("robocall",) if harassment else (),
                mentions=(Mention(brand, "negative", harassment, "caller"),),
                language="fr",
            )
        )
    return posts, labels


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Twenty quiet weeks of two brands: one post a day each."""
    opened = Store.open(tmp_path / "s.sqlite3")
    days = [SUNDAY - timedelta(days=back) for back in range(8, 140)]
    pairs = [made(day, brand, 1) for day in days for brand in ("Mandarine", "Libre")]
    add(
        opened, [p for posts, _ in pairs for p in posts], [x for _, labels in pairs for x in labels]
    )
    return opened


def test_a_spike_of_one_brand_is_an_alert_for_that_brand_only(store: Store) -> None:
    for back in range(7):
        day = SUNDAY - timedelta(days=back)
        fill(store, day, "Mandarine", 12)
        fill(store, day, "Libre", 1)
    # the other brand's usual talk goes on, so that the collector's volume did not jump alone
    found = find_spikes(store, LABELLER, AlertsConfig(), SUNDAY + timedelta(days=1))
    assert {alert.brand for alert in found} == {"Mandarine"}
    assert {alert.signal for alert in found} == {"", "robocall"}
    assert all(alert.period == "2026-W41" and alert.authors == 12 for alert in found)


def test_an_alert_found_twice_is_stored_once_and_keeps_its_state(store: Store) -> None:
    fill(store, SUNDAY, "Mandarine", 40)
    today = SUNDAY + timedelta(days=1)
    find_alerts(store, LABELLER, AlertsConfig(), today)
    (first, *_) = store.alerts()
    store.set_alert(first.n, state="vue")
    find_alerts(store, LABELLER, AlertsConfig(), today)
    assert len(store.alerts()) == 2
    assert {alert.state for alert in store.alerts() if alert.n == first.n} == {"vue"}


def test_few_authors_are_no_alert(store: Store) -> None:
    fill(store, SUNDAY, "Mandarine", 40)
    rules = AlertsConfig(min_authors=41)
    assert find_spikes(store, LABELLER, rules, SUNDAY + timedelta(days=1)) == []


def test_a_jump_of_the_whole_collection_is_no_alert(store: Store) -> None:
    """Ten times the posts, for every brand and of every kind: the collector grew, not the calls."""
    for back in range(7):
        for brand in ("Mandarine", "Libre"):
            fill(store, SUNDAY - timedelta(days=back), brand, 10)
    assert find_spikes(store, LABELLER, AlertsConfig(), SUNDAY + timedelta(days=1)) == []


def test_an_empty_store_has_no_alert(tmp_path: Path) -> None:
    with Store.open(tmp_path / "e.sqlite3") as empty:
        assert find_alerts(empty, LABELLER, AlertsConfig(), SUNDAY) == []


def run(source: str, day: date, verdict: Verdict, new: int = 0) -> Run:
    at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    return Run(source, "wordpress", at, at, verdict, new=new, message="")


def test_a_source_blocked_twice_in_a_row_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "r.sqlite3") as store:
        store.record_run(run("forum", MONDAY, Verdict.NEW, 3))
        store.record_run(run("forum", MONDAY + timedelta(days=1), Verdict.BLOCKED))
        assert silent_sources(store, SUNDAY) == []
        store.record_run(run("forum", MONDAY + timedelta(days=2), Verdict.BLOCKED))
        (alert,) = silent_sources(store, SUNDAY)
    assert alert.signal == "source:blocked:forum"


def test_a_source_quiet_for_longer_than_usual_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "r.sqlite3") as store:
        for back in range(40, 20, -1):
            store.record_run(run("forum", SUNDAY - timedelta(days=back), Verdict.NEW, 2))
        for back in range(20, 0, -1):
            store.record_run(run("forum", SUNDAY - timedelta(days=back), Verdict.NOTHING_NEW))
        (alert,) = silent_sources(store, SUNDAY)
    assert alert.signal == "source:silent:forum"


def test_a_long_outage_is_one_alert_told_once(tmp_path: Path) -> None:
    with Store.open(tmp_path / "r.sqlite3") as store:
        store.record_run(run("forum", MONDAY, Verdict.NEW, 3))
        for day in range(1, 60):
            today = MONDAY + timedelta(days=day)
            store.record_run(run("forum", today, Verdict.UNREACHABLE))
            store.add_alerts(silent_sources(store, today))
        (alert,) = store.alerts()
    assert (alert.signal, alert.period, alert.observed) == (
        "source:unreachable:forum",
        "2026-W41",
        59,
    )


def test_a_second_outage_is_another_alert(tmp_path: Path) -> None:
    with Store.open(tmp_path / "r.sqlite3") as store:
        for start in (0, 30):
            for day, verdict in enumerate([Verdict.NEW, Verdict.BLOCKED, Verdict.BLOCKED]):
                today = MONDAY + timedelta(days=start + day)
                store.record_run(run("forum", today, verdict, 3 * verdict.ok))
                store.add_alerts(silent_sources(store, today))
        assert [alert.period for alert in store.alerts()] == ["2026-W45", "2026-W41"]


@pytest.mark.parametrize(("last", "told"), [(0, 0), (20, 0), (60, 1)])
def test_a_source_that_stopped_years_ago_is_told_at_the_first_run(
    tmp_path: Path, last: int, told: int
) -> None:
    """One post every third day, then nothing for *last* days: over 28 of them are a silence."""
    with Store.open(tmp_path / "r.sqlite3") as store:
        days = [SUNDAY - timedelta(days=last + 3 * n) for n in range(30)]
        for day in days:
            store.add_posts(made(day, "Mandarine", 1)[0], via="forum")
        store.record_run(run("forum", SUNDAY, Verdict.NEW, 30))
        found = silent_sources(store, SUNDAY)
    assert [alert.signal for alert in found] == ["source:silent:forum"] * told


def test_a_source_that_is_no_longer_asked_is_not_silent(tmp_path: Path) -> None:
    with Store.open(tmp_path / "r.sqlite3") as store:
        for n in range(30):
            store.add_posts(made(MONDAY - timedelta(days=n), "Mandarine", 1)[0], via="forum")
        store.record_run(run("forum", MONDAY, Verdict.NEW, 30))
        assert silent_sources(store, MONDAY + timedelta(days=400)) == []


# Said -------------------------------------------------------------------------------------------


def config(folder: Path, notify: tuple[str, ...] = ()) -> Config:
    return Config(folder / "config.toml", alerts=AlertsConfig(notify=notify, feed="alerts.atom"))


SPIKE = Alert("Mandarine", "robocall", "2026-W41", 40, 3.0, 9, 40, 12, 0.1)


def test_the_feed_holds_each_alert_with_its_link(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.sqlite3") as store:
        store.add_alerts([SPIKE])
        path = write_feed(config(tmp_path), store)
    assert path is not None
    feed = ElementTree.parse(path).getroot()
    (entry,) = feed.findall(f"{{{ATOM}}}entry")
    assert "Mandarine" in (entry.findtext(f"{{{ATOM}}}title") or "")
    href = entry.find(f"{{{ATOM}}}link")
    assert href is not None
    query = urllib.parse.urlsplit(href.attrib["href"]).query
    assert dict(urllib.parse.parse_qsl(query)) == {
        "periode": "dates",
        "debut": "2026-10-05",
        "fin": "2026-10-11",
        "marques": "Mandarine",
        "signaux": "robocall",
        "accusations": "1",
    }


def test_a_headline_is_in_french_and_names_the_week() -> None:
    assert headline(SPIKE).startswith("Mandarine : ")
    assert headline(SPIKE).endswith("semaine 2026-W41")


def test_the_link_leads_to_the_public_address(tmp_path: Path) -> None:
    assert link(SPIKE, config(tmp_path)).startswith("http://127.0.0.1:8501/publications?")


def test_an_alert_is_sent_once(tmp_path: Path) -> None:
    from tests.servers.inbox import inbox

    with Store.open(tmp_path / "s.sqlite3") as store, inbox() as server:
        store.add_alerts([SPIKE])
        loaded = config(tmp_path, (f"json://127.0.0.1:{server.server_port}/hook",))
        assert send_alerts(loaded, store) == 1
        assert send_alerts(loaded, store) == 0
        assert len(server.received) == 1
        assert "Mandarine" in server.received[0]


def test_what_cannot_be_noted_is_not_sent(tmp_path: Path) -> None:
    """Else a locked database or a full disk would send the same alert every round."""
    from tests.servers.inbox import inbox

    file = tmp_path / "s.sqlite3"
    with Store.open(file, timeout=0.1) as store, inbox() as server:
        store.add_alerts([SPIKE])
        loaded = config(tmp_path, (f"json://127.0.0.1:{server.server_port}/hook",))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("begin exclusive")
            with pytest.raises(StoreError, match="locked"):
                send_alerts(loaded, store)
        assert server.received == []
        assert send_alerts(loaded, store) == 1
        assert len(server.received) == 1


def test_a_missing_address_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RACCROCHE_HOOK", raising=False)
    with Store.open(tmp_path / "s.sqlite3") as store:
        store.add_alerts([SPIKE])
        with pytest.raises(ConfigError, match="RACCROCHE_HOOK is not set"):
            send_alerts(config(tmp_path, ("env:RACCROCHE_HOOK",)), store)


def test_weeks_are_iso_weeks() -> None:
    assert week_name(date(2027, 1, 1)) == "2026-W53"


def test_a_trend_drawn_through_nothing_does_not_hide_a_wave() -> None:
    days = 515
    counts = np.zeros(days)
    counts[[-22, -24, -26, -28, -29, -31, -33, -35]] = 1  # the two weeks before the guarded ones
    outlook = forecast(
        Series(SUNDAY - timedelta(days=days - 1), counts, np.ones(days)), MONDAY, SUNDAY
    )
    assert outlook is not None
    assert outlook.expected < 10  # with its trend: far above all that was ever seen
