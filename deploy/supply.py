"""What the program is made of: a lock file with hashes, and known holes in what it locks.

`python deploy/supply.py lock` renews requirements.lock from requirements.txt (needs uv);
`python deploy/supply.py audit` asks the vulnerability service about it (needs pip-audit).
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = """\
# Made by `make lock` from requirements.txt: do not edit. Installed as it stands, nothing unhashed:
#   pip install --require-hashes -r requirements.lock
#   pip install --no-deps --no-build-isolation -e .
"""
OLDEST = "3.11"


def lock() -> int:
    """Write requirements.lock: every package for every platform, with the hashes of its files."""
    asked = [
        line
        for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if not line.startswith("-e")
    ]
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    done = subprocess.run(
        ["uv", "pip", "compile", "-", "--universal", "--python-version", OLDEST, "--quiet",
         "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--upgrade"],
        input="\n".join([*asked, *build]), text=True, stdout=subprocess.PIPE, check=False,
        cwd=ROOT, env={**os.environ, "PATH": _path()},
    )  # fmt: skip
    if done.returncode == 0:
        LOCK.write_text(HEADER + done.stdout, encoding="utf-8")
    return done.returncode


def audit() -> int:
    """Ask about the locked packages: 1 when one has a known hole, 0 otherwise."""
    done = subprocess.run(
        ["pip-audit", "-r", str(LOCK), "--disable-pip", "--format", "json", "--progress-spinner",
         "off", "--timeout", "10"],
        capture_output=True, text=True, check=False, env={**os.environ, "PATH": _path()},
    )  # fmt: skip
    lines, status = verdict(done.stdout, done.stderr)
    print("\n".join(lines))
    return status


def verdict(report: str, errors: str) -> tuple[list[str], int]:
    """
    What pip-audit's JSON comes to, in words, and the exit status.

    Packages that nobody could be asked about are named as such: pip-audit itself then says that no
    hole is known and ends with 0.
    """
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return [f"pip-audit: COULD NOT ASK, nothing is known of any package ({last[:200]})"], 0
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    holes = [(one, hole) for one in packages for hole in one.get("vulns", ())]
    lines = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {hole['fix_versions'] or 'none'}"
        for one, hole in holes
    ]
    if unknown:
        total = len(packages)
        lines.append(f"pip-audit: COULD NOT ASK about {len(unknown)} of {total} packages")
    if len(unknown) < len(packages):
        lines.append(
            f"pip-audit: {len(packages) - len(unknown)} packages asked about, {len(holes)} holes"
        )
    return lines, 1 if holes else 0


def _path() -> str:
    """Programs of this interpreter's environment first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


if __name__ == "__main__":
    COMMANDS = {"lock": lock, "audit": audit}
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]]())
