"""A real MediaWiki (Debian's, on SQLite) on loopback, with talk pages whose past tests write."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from tests.servers.running import answers_http, folder, free_port, process, run

_CODE = Path("/usr/share/mediawiki")
_SETTINGS = """
$wgJobRunRate = 0; $wgMainCacheType = CACHE_NONE; $wgCacheDirectory = __DIR__.'/cache';
$wgUploadDirectory = __DIR__.'/images'; $wgPingback = false; $wgRCMaxAge = 20*365*86400;
$wgLocaltimezone = 'Europe/Paris';
$wgGroupPermissions['*']['read'] = !is_file(__DIR__.'/PRIVATE');
$wgRateLimits = [];
"""
_ROUTER = """<?php
$path = urldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
foreach (['/api.php', '/load.php', '/rest.php', '/index.php'] as $script)
  if ($path === $script || strpos($path, "$script/") === 0) {
    $_SERVER['SCRIPT_NAME'] = $script;
    $_SERVER['SCRIPT_FILENAME'] = 'ROOT' . $script;
    if ($path !== $script) $_SERVER['PATH_INFO'] = substr($path, strlen($script));
    chdir('ROOT'); require 'ROOT' . $script; return;
  }
if ($path === '/') { header('Location: /index.php'); return; }
return false;
"""
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip


def missing() -> str:
    """Why no server can be started; "" when one can."""
    return "" if (_CODE / "index.php").exists() else "MediaWiki is not installed"


@dataclass(frozen=True, slots=True)
class Said:
    """One comment on a talk page: how deep it is indented, and when it was signed (UTC)."""

    author: str
    text: str
    at: datetime
    depth: int = 0
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Wiki:
    url: str
    state: Path

    def write(self, title: str, comments: Sequence[Said]) -> None:
        """Import *title* with one revision a comment, each by its author at its time."""
        dump = self.state / "dump.xml"
        dump.write_text(_dump(title, comments), encoding="utf-8")
        for name in sorted({comment.author for comment in comments}):
            self._maintain("createAndPromote.php", "--force", name, "mot-de-passe-de-test")
        self._maintain("importDump.php", "--no-updates", str(dump))
        self._maintain("rebuildrecentchanges.php")

    def shut(self, closed: bool) -> None:
        """Whether only members may read."""
        mark = self.state / "PRIVATE"
        mark.touch() if closed else mark.unlink(missing_ok=True)

    def _maintain(self, script: str, *arguments: str) -> None:
        env = {"MW_CONFIG_FILE": str(self.state / "LocalSettings.php")}
        run("php", str(_CODE / "maintenance" / script), *arguments, env=env)


def signature(comment: Said) -> str:
    """As the French MediaWiki signs: "(discuter) 1 février 2024 à 01:10 (CET)"."""
    local = comment.at + timedelta(hours=1)
    name = comment.author
    return (
        f"[[Utilisateur:{name}|{name}]] ([[Discussion utilisateur:{name}|discuter]]) "
        f"{local.day} {_MONTHS[local.month - 1]} {local.year} à {local:%H:%M} (CET)"
    )


def _dump(title: str, comments: Sequence[Said]) -> str:
    text, revisions = "", []
    for said in comments:
        text += f"\n== {said.heading} ==\n" if said.heading else ""
        text += f"{':' * said.depth}{said.text} {signature(said)}\n"
        revisions.append(
            f"<revision><timestamp>{said.at:%Y-%m-%dT%H:%M:%SZ}</timestamp>"
            f"<contributor><username>{escape(said.author)}</username></contributor>"
            "<comment>réponse</comment><model>wikitext</model><format>text/x-wiki</format>"
            f'<text xml:space="preserve">{escape(text)}</text></revision>'
        )
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="fr">'
        f"<page><title>{escape(title)}</title><ns>1</ns>{''.join(revisions)}</page></mediawiki>"
    )


@contextmanager
def mediawiki() -> Iterator[Wiki]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with folder("mediawiki") as state:
        for name in ("db", "images", "cache"):
            (state / name).mkdir()
        settings = state / "LocalSettings.php"
        env = {"MW_CONFIG_FILE": str(settings), "PHP_CLI_SERVER_WORKERS": "3"}
        run(
            "php", str(_CODE / "maintenance/install.php"), "--dbtype", "sqlite",
            "--dbpath", str(state / "db"), "--dbname", "wiki", "--server", url, "--scriptpath", "",
            "--lang", "fr", "--pass", "mot-de-passe-de-test", "--confpath", str(state),
            "Wiki des usagers", "admin", env=env,
        )  # fmt: skip
        with settings.open("a") as file:
            file.write(_SETTINGS)
        router = state / "router.php"
        router.write_text(_ROUTER.replace("ROOT", str(_CODE)))
        command = [
            "php",
            "-d",
            "opcache.enable_cli=1",
            "-S",
            f"127.0.0.1:{port}",
            "-t",
            str(_CODE),
            str(router),
        ]
        ready = answers_http(f"{url}/api.php?action=query&meta=siteinfo&format=json")
        with process(command, ready=ready, log=state / "log", env=env):
            yield Wiki(url, state)
