"""A real NodeBB on loopback, on a Redis of its own, with topics that tests write."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.running import accepts, answers_http, folder, free_port, home, process, run

_DOWNLOADING = (  # plugins that fetch from the web when they start
    "nodebb-plugin-emoji-one",
    "nodebb-plugin-emoji-extended",
    "nodebb-plugin-spam-be-gone",
    "nodebb-plugin-soundpack-default",
)
_WRITE = """
var nconf = require('nconf'), path = require('path'), async = require('async'), at = __dirname;
nconf.file({ file: path.join(at, 'config.json') });
nconf.defaults({ base_dir: at, themes_path: path.join(at, 'node_modules'),
  views_dir: path.join(at, 'public/templates'), version: '1.4.0' });
nconf.set('relative_path', ''); nconf.set('upload_url', '/assets/uploads');
nconf.set('core_templates_path', path.join(at, 'src/views'));
nconf.set('base_templates_path', path.join(at, 'node_modules/nodebb-theme-persona/templates'));
global.env = 'production'; require('winston').level = 'error';
var topics = +process.argv[2], first = +process.argv[3], last = +process.argv[4];
var base = +process.argv[5];
require('./src/database').init(function (error) {
  if (error) throw error;
  var user = require('./src/user'), T = require('./src/topics'), P = require('./src/posts');
  var meta = require('./src/meta'), ids = [], numbers = [];
  for (var n = first; n < last; n++) numbers.push(n);
  async.series([
    function (next) { meta.configs.init(next) },
    function (next) { async.eachSeries(['Elodie', 'Noemie', 'JeanLuc'], function (name, done) {
      user.getUidByUsername(name, function (e, id) { if (id) { ids.push(id); return done() }
        user.create({ username: name, email: name + '@example.test' }, function (e, id) {
          ids.push(id); done(e) }) }) }, next) },
    function (next) { async.eachSeries(numbers, function (n, done) {
      var text = 'Toujours rien, « **incident** » (n° ' + n + ')';
      var post = { uid: ids[n % 3], content: text, timestamp: base + 600000 * n, ip: '' };
      if (n >= topics) { post.tid = n % topics + 2; return P.create(post, done) }
      T.create({ uid: ids[n % 3], cid: 2, title: 'Panne ' + n, timestamp: post.timestamp },
        function (e, tid) { if (e) return done(e);
          post.tid = tid; post.isMain = true; P.create(post, done) }) }, next) }
  ], function (e) { if (e) console.error(e); process.exit(e ? 1 : 0) });
});
"""
FIRST = 1_706_745_600_000  # 1 February 2024, Unix time in milliseconds


def missing() -> str:
    """Why no server can be started; "" when one can."""
    if not (home() / "nodebb" / ".complete").exists():
        return "NodeBB is not installed"
    absent = [name for name in ("redis-server", "node") if shutil.which(name) is None]
    return f"{absent[0]} is not installed" if absent else ""


@dataclass(frozen=True, slots=True)
class NodeBB:
    url: str
    code: Path
    redis: int

    def write(self, topics: int, first: int, last: int, *, base: int = FIRST) -> None:
        """Posts *first* .. *last* - 1, dealt out over *topics* topics in turn."""
        (self.code / "write.js").write_text(_WRITE)
        run("node", "write.js", str(topics), str(first), str(last), str(base), cwd=self.code)

    def shut(self) -> None:
        """Guests may no longer find and read; the server must be started again to notice."""
        for right in ("find", "read", "topics:read"):
            group = f"group:cid:2:privileges:groups:{right}:members"
            run("redis-cli", "-p", str(self.redis), "zrem", group, "guests")


@contextmanager
def nodebb() -> Iterator[NodeBB]:
    """NodeBB set up but not running: see `serving`."""
    port, redis = free_port(), free_port()
    with folder("nodebb") as state:
        code = state / "code"
        code.mkdir()
        for part in (home() / "nodebb").iterdir():  # its build writes among its sources
            if part.name == "node_modules":
                (code / part.name).symlink_to(part)
            elif part.is_dir():
                shutil.copytree(part, code / part.name, symlinks=True)
            else:
                shutil.copy(part, code / part.name)
        for name in ("sounds", "category", "files", "profile", "system"):
            (code / "public/uploads" / name).mkdir(parents=True, exist_ok=True)
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", ""]
        with process(command, ready=accepts(redis), log=state / "redis.log", cwd=state):
            _set_up(code, port, redis)
            yield NodeBB(f"http://127.0.0.1:{port}", code, redis)


def _set_up(code: Path, port: int, redis: int) -> None:
    answers = {
        "url": f"http://127.0.0.1:{port}",
        "secret": "tests",
        "database": "redis",
        "redis:host": "127.0.0.1",
        "redis:port": str(redis),
        "redis:password": "",
        "redis:database": "0",
        "admin:username": "admin",
        "admin:password": "mot-de-passe-de-test",
        "admin:password:confirm": "mot-de-passe-de-test",
        "admin:email": "admin@example.test",
    }
    run("node", "app", f"--setup={json.dumps(answers)}", cwd=code)
    config = code / "config.json"
    chosen = json.loads(config.read_text()) | {"bind_address": "127.0.0.1", "port": str(port)}
    config.write_text(json.dumps(chosen))
    for plugin in _DOWNLOADING:
        run("redis-cli", "-p", str(redis), "zrem", "plugins:active", plugin)
    run("redis-cli", "-p", str(redis), "hset", "config", "defaultLang", "fr")


@contextmanager
def serving(forum: NodeBB) -> Iterator[None]:
    ready = answers_http(f"{forum.url}/api/recent")
    log = forum.code.parent / "log"
    with process(["node", "app.js"], ready=ready, log=log, cwd=forum.code, seconds=120):
        yield
