"""
Takes the pictures of the docs anew, on the demonstration, as PNG of at most 150 kB.

`python docs/images/shoot.py DEMO` (a folder that `raccroche demo --no-serve --folder DEMO` filled);
needs Debian's chromium, and Pillow and Playwright from requirements-ci.txt. A second argument names
another folder to write to.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from PIL.Image import Quantize

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers.browser import browser, dashboard, new_page, settle  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LARGEST = 150_000  # bytes
# file: path of the page, width, height, dark
PICTURES = {
    "apercu.png": ("", 1280, 1010, False),
    "marques.png": ("marques", 1280, 900, True),
    "chronologie.png": ("chronologie", 1280, 900, False),
    "publications.png": ("publications", 1280, 900, False),
    "alertes.png": ("alertes?etat=toutes", 1280, 700, False),
    "telephone.png": ("", 390, 844, False),
}


def shoot(opened: "Browser", address: str, name: str, folder: Path) -> int:
    """One picture, its colours counted down until it is small enough; its size in bytes."""
    path, width, height, dark = PICTURES[name]
    page = new_page(opened, width=width, height=height, dark=dark)
    page.goto(f"{address}/{path}")
    settle(page)
    target = folder / name
    page.screenshot(path=target)
    page.close()
    for colours in (256, 128, 64, 32):
        if target.stat().st_size <= LARGEST and colours < 256:
            break
        with Image.open(target) as picture:
            picture.convert("RGB").quantize(colours, Quantize.MAXCOVERAGE).save(
                target, optimize=True
            )
    size = target.stat().st_size
    if size > LARGEST:
        sys.exit(f"{target}: {size} bytes, over {LARGEST}")
    return size


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    config = Path(sys.argv[1]).resolve() / "config.toml"
    if not config.exists():
        sys.exit(f"{config} is not there: raccroche demo --no-serve --folder {sys.argv[1]}")
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent
    with dashboard(config) as address, browser() as opened:
        for name in PICTURES:
            print(f"{name}: {shoot(opened, address, name, folder)} bytes")


if __name__ == "__main__":
    main()
