"""A real Misago forum on loopback, on a PostgreSQL of its own, with topics that tests write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.servers import postgres
from tests.servers.running import answers_http, folder, free_port, home, process, run

_SETTINGS = """
from devproject.settings import *
DEBUG = False; ALLOWED_HOSTS = ["*"]; LANGUAGE_CODE = "fr"; TIME_ZONE = "Europe/Paris"
DATABASES["default"].update(
    NAME="misago", USER="tester", PASSWORD="", HOST="127.0.0.1", PORT=int(os.environ["PGPORT"])
)
CELERY_BROKER_URL = None; CELERY_TASK_ALWAYS_EAGER = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS = [app for app in INSTALLED_APPS if "debug_toolbar" not in app]
MIDDLEWARE = [one for one in MIDDLEWARE if "debug_toolbar" not in one]
MISAGO_ADDRESS = "http://127.0.0.1:%s/" % os.environ["PORT"]
MEDIA_ROOT = os.environ["STATE"] + "/media"; STATIC_ROOT = os.environ["STATE"] + "/static"
MISAGO_AVATAR_STORE = None; MISAGO_AVATAR_GALLERY = None; STATICFILES_DIRS = []
ROOT_URLCONF = "devproject.urls"; WSGI_APPLICATION = None
"""
_WRITE = """
import sys, datetime as dt
from html import escape
import django; django.setup()
from django.db import transaction
from misago.categories.models import Category
from misago.threads.checksums import update_post_checksum
from misago.threads.models import Post, Thread
tree = Category.objects.root_category().tree_id
category = Category.objects.filter(level=1, tree_id=tree).first()
threads, first, last = map(int, sys.argv[1:4])
base = dt.datetime.fromisoformat(sys.argv[4])
with transaction.atomic():
    found = []
    for number in range(threads):
        title = f"Panne {number} : un \\u00e9t\\u00e9 sans fibre"
        thread = Thread.objects.filter(title=title).first()
        if thread is None:
            thread = Thread(category=category, started_on=base, starter_name="-",
                            starter_slug="-", last_post_on=base, last_poster_name="-",
                            last_poster_slug="-", replies=0)
            thread.set_title(title); thread.save()
        found.append(thread)
    for number in range(first, last):
        at = base + dt.timedelta(minutes=10 * number)
        words = f"Toujours rien, \\u00ab incident \\u00bb (n\\u00b0 {number})"
        post = Post(category=category, thread=found[number % threads], poster=None,
                    poster_name=f"Usager{number % 5}", original=words,
                    parsed=f"<p>{escape(words)}</p>", posted_on=at, updated_on=at)
        post.save(); update_post_checksum(post); post.save(update_fields=["checksum"])
    for thread in found:
        thread.synchronize(); thread.save()
    category.synchronize(); category.save()
"""
_SHUT = """
import django; django.setup()
from misago.acl.models import Role
from misago.cache.versions import invalidate_all_caches
from misago.categories.models import RoleCategoryACL
guests = Role.objects.get(special_role="anonymous")
RoleCategoryACL.objects.filter(role=guests).delete()
invalidate_all_caches()
"""
FIRST = datetime(2024, 2, 1, tzinfo=UTC)


def missing() -> str:
    """Why no server can be started; "" when one can."""
    if postgres.binaries() is None:
        return "PostgreSQL is not installed"
    return "" if (home() / "misago" / "bin" / "python").exists() else "Misago is not installed"


@dataclass(frozen=True, slots=True)
class Misago:
    url: str
    state: Path
    env: dict[str, str]

    def write(self, threads: int, first: int, last: int, *, base: datetime = FIRST) -> None:
        """Posts *first* .. *last* - 1, ten minutes apart, dealt out over *threads* topics."""
        self.script(_WRITE, str(threads), str(first), str(last), base.isoformat())

    def shut(self) -> None:
        """Guests lose sight of every category."""
        self.script(_SHUT)

    def script(self, source: str, *arguments: str) -> None:
        run(_python(), "-W", "ignore", "-c", source, *arguments, env=self.env, cwd=self.state)


def _python() -> str:
    return str(home() / "misago" / "bin" / "python")


@contextmanager
def misago() -> Iterator[Misago]:
    import psycopg

    with postgres.server() as database, folder("misago") as state:
        with psycopg.connect(f"{database}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE misago")
        (state / "labsettings.py").write_text(_SETTINGS)
        port = free_port()
        env = {
            "DJANGO_SETTINGS_MODULE": "labsettings",
            "PYTHONPATH": str(state),
            "PORT": str(port),
            "STATE": str(state),
            "PGPORT": database.rpartition(":")[2],
        }
        django = [_python(), "-W", "ignore", "-m", "django"]
        run(*django, "migrate", "-v", "0", env=env, cwd=state)
        url = f"http://127.0.0.1:{port}"
        command = [*django, "runserver", "--insecure", "--noreload", f"127.0.0.1:{port}"]
        with process(
            command,
            ready=answers_http(f"{url}/api/threads/"),
            log=state / "log",
            env=env,
            cwd=state,
        ):
            yield Misago(url, state, env)
