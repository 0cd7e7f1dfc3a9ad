"""A fictional loopback site in real formats, and the configuration that collects it."""

from pathlib import Path

from raccroche import config as configuration
from raccroche.config import Config
from raccroche.demo.brands import brands, read
from raccroche.demo.content import APP_NUMBERS, slug
from raccroche.demo.mastodon import TAG
from raccroche.demo.site import Site, serving

__all__ = ["Site", "demo_config", "serving"]

BANNER = (
    "Données fictives : ces messages et ces marques ont été inventés pour la démonstration ; "
    "toute ressemblance avec une entreprise réelle serait fortuite."
)
_APP = """
[sources.avis-{name}]
platform = "appstore"
enabled = true
purpose = "Démonstration : les avis sur une application."
server = "{server}"
apps = ["{number}"]
context_brand = "{firm}"
"""
_MADE_HERE = ("raccroche.sqlite3", "http-cache.sqlite3")


def demo_config(site: Site, folder: Path) -> Config:
    """
    Write folder/config.toml for *site* and load it. What an earlier demonstration stored there is
    removed, nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _MADE_HERE:
        for suffix in ("", "-wal", "-shm", "-journal"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    path = folder / "config.toml"
    path.write_text(config_text(site), encoding="utf-8")
    return configuration.load(path)


def config_text(site: Site) -> str:
    """The config.toml of the demonstration."""
    hosts = sorted(url.removeprefix("http://") for url in site.addresses.values())
    watched = [brand.name for brand in brands()][:7]
    head = read("config.toml").format(
        allow_hosts=_listed(hosts), watched=_listed(watched), banner=BANNER, tag=TAG,
        **site.addresses,
    )  # fmt: skip
    apps = "".join(
        _APP.format(number=number, server=site.addresses["apps"], firm=firm, name=slug(firm))
        for firm, number in APP_NUMBERS.items()
    )
    return f"{head}{apps}\n{read('brands.toml')}"


def _listed(items: list[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"
