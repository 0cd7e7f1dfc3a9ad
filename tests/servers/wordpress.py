"""A real WordPress (Debian's, with a MariaDB of its own) on loopback, filled by tests."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raccroche.demo.content import Thread
from tests.servers.running import answers_http, folder, free_port, process, run

_CODE = Path("/usr/share/wordpress")
_LOADER = Path(__file__).with_name("wordpress.php")
_ROUTER = """<?php
$path = urldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($path !== '/' && is_file(__DIR__ . $path)) return false;
$_SERVER['SCRIPT_NAME'] = '/index.php';
require __DIR__ . '/index.php';
"""
_CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
# The smallest classic theme: comments as WordPress itself lists them.
_THEME = {
    "style.css": "/*\nTheme Name: Plain\n*/",
    "functions.php": "<?php add_theme_support('title-tag');",
    "index.php": """<!DOCTYPE html><html <?php language_attributes(); ?>><head>
<meta charset="<?php bloginfo('charset'); ?>"><?php wp_head(); ?></head>
<body <?php body_class(); ?>>
<?php while (have_posts()) { the_post(); ?><article <?php post_class(); ?>>
<h1 class="entry-title"><?php the_title(); ?></h1>
<time class="entry-date" datetime="<?php echo get_the_date('c'); ?>"><?php the_date(); ?></time>
<div class="entry-content"><?php the_content(); ?></div></article>
<?php if (is_singular()) comments_template(); } wp_footer(); ?></body></html>""",
}


def missing() -> str:
    """Why no server can be started; "" when one can."""
    if not (_CODE / "index.php").exists():
        return "WordPress is not installed: tests/servers/wordpress.sh install"
    return "" if shutil.which("mariadbd") else "MariaDB is not installed"


@dataclass(frozen=True, slots=True)
class WordPress:
    url: str
    root: Path

    def fill(self, threads: Sequence[Thread]) -> None:
        """Publish articles with their comments, which keep their numbers and dates."""
        self._php("fill", stdin=json.dumps({"articles": [_article(t) for t in threads]}))

    def theme(self, name: str) -> None:
        """`plain` (classic comment lists) or `twentytwentythree` (blocks)."""
        self._php("theme", name)

    def options(self, **values: object) -> None:
        """Set WordPress's own options, such as `comments_per_page`."""
        self._php("options", stdin=json.dumps(values))

    def shut(self, closed: bool) -> None:
        """Whether only members may read, by page, feed and API."""
        self._php("shut", "yes" if closed else "no")

    def install(self) -> None:
        self._php("install")

    def _php(self, *words: str, stdin: str = "") -> None:
        done = subprocess.run(
            ["php", str(_LOADER), str(self.root), *words],
            input=stdin, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(
                f"wordpress.php {words}: {done.stdout[-1500:]} {done.stderr[-1500:]}"
            )


def _article(thread: Thread) -> dict[str, Any]:
    return {
        "number": thread.number,
        "title": thread.title,
        "slug": thread.slug,
        "at": _utc(thread.at),
        "text": thread.text,
        "comments": [
            {"number": m.number, "author": m.author, "at": _utc(m.at), "text": m.text,
             "parent": m.parent}
            for m in thread.messages
        ],
    }  # fmt: skip


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def wordpress() -> Iterator[WordPress]:
    """An installed, empty blog with the theme `plain`."""
    with folder("wordpress") as state, ExitStack() as stack:
        socket = stack.enter_context(_mariadb(state))
        port = free_port()
        site = WordPress(f"http://127.0.0.1:{port}", state / "www")
        _lay_out(site, socket)
        site.install()
        site.theme("plain")
        command = [
            "php", "-d", "memory_limit=256M", "-S", f"127.0.0.1:{port}",
            "-t", str(site.root), str(site.root / "router.php"),
        ]  # fmt: skip
        workers = {"PHP_CLI_SERVER_WORKERS": "3"}
        ready = answers_http(f"{site.url}/wp-login.php")
        stack.enter_context(process(command, ready=ready, log=state / "php.log", env=workers))
        yield site


@contextmanager
def _mariadb(state: Path) -> Iterator[Path]:
    """A database server that listens on a socket only; yields the socket."""
    data, socket = state / "mysql", state / "my.sock"
    who = ["--user=root"] if os.geteuid() == 0 else []
    run(
        "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
        "--auth-root-authentication-method=normal", *who,
    )  # fmt: skip
    ask = ["mariadb", "--no-defaults", "-uroot", f"--socket={socket}", "-e"]

    def ready() -> bool:
        done = subprocess.run([*ask, "select 1"], capture_output=True, check=False, timeout=20)
        return done.returncode == 0

    command = [
        "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", *who,
        "--skip-networking", "--innodb-buffer-pool-size=32M", "--skip-log-bin",
        "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4",
    ]  # fmt: skip
    with process(command, ready=ready, log=state / "mysqld.log"):
        run(*ask, "create database wordpress character set utf8mb4")
        yield socket


def _lay_out(site: WordPress, socket: Path) -> None:
    """Debian's code with a configuration and themes of our own."""
    themes = site.root / "wp-content" / "themes"
    (themes / "plain").mkdir(parents=True)
    for name, text in _THEME.items():
        (themes / "plain" / name).write_text(text)
    (themes / "twentytwentythree").symlink_to(_CODE / "wp-content/themes/twentytwentythree")
    for name in ("wp-includes", "wp-admin"):
        (site.root / name).symlink_to(_CODE / name)
    for file in _CODE.glob("*.php"):
        if file.name != "wp-config.php":
            shutil.copy(file, site.root / file.name)
    (site.root / "router.php").write_text(_ROUTER)
    (site.root / "wp-config.php").write_text(_CONFIG.format(socket=socket, url=site.url))
