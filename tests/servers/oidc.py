"""An identity provider (npm oidc-provider) and a dashboard that asks it who people are."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers import browser, running

MODULES = running.home() / "web" / "node_modules"
SECRETS = """
[auth]
redirect_uri = "{dashboard}/oauth2callback"
cookie_secret = "only for tests, and long enough for them"
client_id = "raccroche"
client_secret = "only-for-tests"
server_metadata_url = "{provider}/.well-known/openid-configuration"
client_kwargs = {{ prompt = "login" }}
"""


def installed() -> bool:
    """Whether `tests/servers/install.sh web` was run and node is there."""
    return shutil.which("node") is not None and (MODULES / "oidc-provider").is_dir()


@contextmanager
def dashboard(config: Path, folder: Path) -> Iterator[str]:
    """The address of a dashboard with login, its provider beside it; both stopped at the end."""
    port, own = running.free_port(), running.free_port()
    provider, address = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{own}"
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(dashboard=address, provider=provider), encoding="utf-8")
    script = str(Path(__file__).with_name("oidc.mjs"))
    with ExitStack() as stack:
        stack.enter_context(
            running.process(
                ["node", script, str(port), f"{address}/oauth2callback", str(MODULES)],
                ready=running.answers_http(f"{provider}/.well-known/openid-configuration"),
                log=folder / "oidc.log",
            )
        )
        stack.enter_context(
            running.process(
                [sys.executable, "-m", "streamlit", "run", str(browser.APP),
                 "--server.port", str(own), "--server.headless", "true",
                 "--server.address", "127.0.0.1", "--secrets.files", str(secrets)],
                ready=running.answers_http(f"{address}/_stcore/health"),
                log=folder / "dashboard.log",
                cwd=browser.ROOT,
                env={"RACCROCHE_CONFIG": str(config)},
            )
        )  # fmt: skip
        yield address
