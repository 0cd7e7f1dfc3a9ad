"""Alerts sent once each, by mail, webhook or chat (Apprise), and as an Atom feed."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

from raccroche.config import Config
from raccroche.errors import ConfigError, RaccrocheError
from raccroche.reference import title
from raccroche.store import Alert, Store

ATOM = "http://www.w3.org/2005/Atom"
IN_FEED = 100
TRIED = "alert_tried"  # setting: the alert that was about to be sent last, and when


def send_alerts(config: Config, store: Store) -> int:
    """
    Send every new alert that was not sent yet to the addresses of [alerts] notify; how many went.

    An alert is marked as sent only when Apprise says that it went; the next run tries again.
    """
    waiting = [a for a in store.alerts(state="nouvelle") if "apprise" not in a.sent]
    addresses = [_address(text, config) for text in config.alerts.notify]
    if not waiting or not addresses:
        return 0
    import apprise

    sender = apprise.Apprise()
    for number, address in enumerate(addresses, start=1):
        if not sender.add(address):
            raise ConfigError(
                f"{config.path}: [alerts] notify: address number {number} is not an Apprise address"
            )
    sent = 0
    for alert in waiting:
        # what cannot be noted is not sent; a note that changes nothing would not touch the disk
        store.set_setting(TRIED, f"{alert.n} {datetime.now(UTC).isoformat()}")
        if not sender.notify(title=headline(alert), body=body(alert, config)):
            raise RaccrocheError(
                f"{len(waiting) - sent} alerts could not be sent; the next run tries again"
            )
        store.set_alert(alert.n, sent=(*alert.sent, "apprise"))
        sent += 1
    return sent


def _address(text: str, config: Config) -> str:
    """The address itself, or that of the environment variable it names (`env:NAME`)."""
    if not text.startswith("env:"):
        return text
    value = os.environ.get(text[4:])
    if not value:
        raise ConfigError(
            f"{config.path}: [alerts] notify: the environment variable {text[4:]} is not set"
        )
    return value


def headline(alert: Alert) -> str:
    """One line in French: what rose, for whom, when."""
    if alert.signal.startswith("source:"):
        _, what, source = alert.signal.split(":", 2)
        return f"Collecte : la source {source} ({what})"
    what = title(alert.signal) if alert.signal else "démarchage signalé"
    return f"{alert.brand} : {what}, semaine {alert.period}"


def body(alert: Alert, config: Config) -> str:
    """The numbers, the caution, and the link that opens the dashboard on the posts."""
    if alert.signal.startswith("source:"):
        return alert.note or "Cette source ne donne plus rien."
    lines = [
        f"Publications : {alert.observed:g} (attendu {alert.expected:g}, seuil {alert.bound:g}).",
        f"Auteurs : {alert.authors}. Part de reprises : {alert.repost_share:.0%}.",
        "Ce sont des témoignages publics : ils disent ce que leurs auteurs allèguent.",
    ]
    return "\n".join([*lines, link(alert, config)])


def link(alert: Alert, config: Config) -> str:
    """The dashboard's page of the posts behind *alert*."""
    options = config.dashboard
    base = options.public_url.rstrip("/") or f"http://{options.host}:{options.port}"
    first = datetime.strptime(f"{alert.period}-1", "%G-W%V-%u").date()
    last = datetime.strptime(f"{alert.period}-7", "%G-W%V-%u").date()
    query = {
        "periode": "dates",
        "debut": first,
        "fin": last,
        "marques": alert.brand,
        "signaux": alert.signal,
        "accusations": "1",
    }
    return f"{base}/publications?{urlencode({k: v for k, v in query.items() if v})}"


def write_feed(config: Config, store: Store) -> Path | None:
    """
    The Atom feed of the newest alerts, whole or not at all; None where the configuration wants
    none.
    """
    if not config.alerts.feed:
        return None
    path = config.resolve(config.alerts.feed)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    ElementTree.register_namespace("", ATOM)
    tree = ElementTree.ElementTree(_feed(config, store.alerts(limit=IN_FEED)))
    try:
        tree.write(temporary, encoding="utf-8", xml_declaration=True)
        os.replace(temporary, path)
    except OSError as error:
        raise RaccrocheError(f"{path}: the feed cannot be written: {error.strerror}") from error
    return path


def _feed(config: Config, alerts: Sequence[Alert]) -> ElementTree.Element:
    feed = ElementTree.Element(f"{{{ATOM}}}feed")
    newest = max((a.at for a in alerts if a.at), default=datetime(2026, 1, 1, tzinfo=UTC))
    _add(feed, "id", "urn:raccroche:alerts")
    _add(feed, "title", "Raccroche : alertes")
    _add(feed, "updated", newest.isoformat())
    _add(_add(feed, "author"), "name", "Raccroche")
    for alert in alerts:
        entry = _add(feed, "entry")
        _add(entry, "id", f"urn:raccroche:alert:{alert.n}")
        _add(entry, "title", headline(alert))
        _add(entry, "updated", (alert.at or newest).isoformat())
        _add(entry, "content", body(alert, config)).set("type", "text")
        if not alert.signal.startswith("source:"):
            _add(entry, "link").set("href", link(alert, config))
    return feed


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}")
    child.text = text
    return child
