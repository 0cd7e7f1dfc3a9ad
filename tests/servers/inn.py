"""A real news server (INN) on loopback, with one group and the articles that tests post."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.running import accepts, folder, free_port, home, process

GROUP = "fr.test.operateurs"
LOGIN = ("lecteur", "secret")

_CONFIG = """
pathhost: news.example.test
domain: example.test
fromhost: example.test
server: 127.0.0.1
bindaddress: 127.0.0.1
port: {port}
nnrpdpostport: {port}
mta: "/bin/true %s"
mailcmd: /bin/true
ovmethod: tradindexed
hismethod: hisv6
enableoverview: true
artcutoff: 0
noreader: false
pathnews: {root}/usr/lib/news
pathbin: {root}/usr/lib/news/bin
pathcontrol: {root}/usr/lib/news/bin/control
pathetc: {state}/etc
pathdb: {state}/db
pathspool: {state}/spool
patharticles: {state}/spool/articles
pathoverview: {state}/spool/overview
pathincoming: {state}/spool/incoming
pathoutgoing: {state}/spool/outgoing
patharchive: {state}/spool/archive
pathrun: {state}/run
pathlog: {state}/log
pathtmp: {state}/tmp
pathhttp: {state}/tmp
pathfilter: {state}/nofilter
rlimitnofile: 1000
"""
_FOLDERS = (
    "etc db run log tmp nofilter spool/articles spool/overview spool/incoming/bad spool/archive"
    " spool/outgoing"
)


def missing() -> str:
    """Why no server can be started; "" when one can."""
    if not (_root() / "usr/lib/news/bin/innd").exists():
        return "INN is not installed"
    return "" if os.geteuid() == 0 else "INN is started by root only here"


def _root() -> Path:
    return home() / "inn"


@dataclass(frozen=True, slots=True)
class News:
    """Where the server listens."""

    port: int

    @property
    def url(self) -> str:
        return f"nntp://127.0.0.1:{self.port}/{GROUP}"

    def post(self, *articles: bytes, login: tuple[str, str] | None = None) -> None:
        """Post *articles* (header, blank line, body; lines ended by CR LF), as a reader does."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            talk = wire.makefile("rwb")
            talk.readline()
            if login:
                _ask(talk, f"AUTHINFO USER {login[0]}", b"381")
                _ask(talk, f"AUTHINFO PASS {login[1]}", b"281")
            for article in articles:
                _ask(talk, "POST", b"340")
                talk.write(article.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
                talk.flush()
                answer = talk.readline()
                assert answer.startswith(b"240"), answer
            _ask(talk, "QUIT", b"205")


def _ask(talk: "socket.SocketIO | object", command: str, expected: bytes) -> None:
    talk.write(command.encode() + b"\r\n")  # type: ignore[attr-defined]
    talk.flush()  # type: ignore[attr-defined]
    answer = talk.readline()  # type: ignore[attr-defined]
    assert answer.startswith(expected), answer


@contextmanager
def inn(*, members_only: bool = False) -> Iterator[News]:
    """A server with an empty group; *members_only* asks every reader for `LOGIN`."""
    port = free_port()
    with folder("inn") as state:
        _write(state, port, members_only)
        libraries = ":".join(
            str(_root() / part)
            for part in ("usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib/news", "usr/lib/news/lib")
        )
        env = {"INNCONF": str(state / "etc/inn.conf"), "LD_LIBRARY_PATH": libraries}
        programs = _root() / "usr/lib/news/bin"
        as_news = ["setpriv", "--reuid=news", "--regid=news", "--clear-groups"]
        subprocess.run(
            [*as_news, str(programs / "makedbz"), "-i", "-o", "-s", "5000"],
            cwd=state / "db", env={**os.environ, **env}, check=True, capture_output=True,
        )  # fmt: skip

        def stop() -> None:  # innd sees a bare SIGTERM only when it wakes up next
            subprocess.run(
                [*as_news, str(programs / "ctlinnd"), "-t", "10", "shutdown", "tests"],
                env={**os.environ, **env}, check=False, capture_output=True,
            )  # fmt: skip

        command = [*as_news, str(programs / "innd"), "-d", "-f", "-N", f"-P{port}"]
        with process(
            command, ready=accepts(port), log=state / "out", env=env, cwd=state, stop=stop
        ):
            yield News(port)


def _write(state: Path, port: int, members_only: bool) -> None:
    for name in _FOLDERS.split():
        (state / name).mkdir(parents=True)
    shutil.copytree(_root() / "etc/news", state / "etc", dirs_exist_ok=True)
    etc = state / "etc"
    (etc / "inn.conf").write_text(_CONFIG.format(port=port, root=_root(), state=state))
    (etc / "storage.conf").write_text("method tradspool {\n newsgroups: *\n class: 0\n}\n")
    (etc / "newsfeeds").write_text("ME:!*/!local::\n")
    (etc / "incoming.conf").write_text("")  # no peers: whoever comes is a reader
    (etc / "readers.conf").write_text(_readers(etc, members_only))
    groups = [f"{name} 0000000000 0000000001 n" for name in ("control", "junk", "control.cancel")]
    active = "\n".join([*groups, f"{GROUP} 0000000000 0000000001 y", ""])
    (state / "db/active").write_text(active)
    for name in ("newsgroups", "active.times", "history"):
        (state / "db" / name).write_text("")
    owner = pwd.getpwnam("news")
    for path in (state, *state.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    (state / "run").chmod(0o750)


def _readers(etc: Path, members_only: bool) -> str:
    if not members_only:
        return (
            'auth all { hosts: "127.0.0.1" default: "<anon>" }\n'
            'access all { users: "<anon>" newsgroups: "*" access: RPA }\n'
        )
    crypted = subprocess.run(
        ["perl", "-e", "print crypt($ARGV[0], 'ab')", LOGIN[1]], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    (etc / "passwd.nntp").write_text(f"{LOGIN[0]}:{crypted.stdout}\n")
    return (
        f'auth members {{ hosts: "127.0.0.1" auth: "ckpasswd -f {etc}/passwd.nntp" }}\n'
        f'access members {{ users: "{LOGIN[0]}" newsgroups: "*" access: RPA }}\n'
    )
