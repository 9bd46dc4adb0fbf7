"""Make the pictures that the documentation shows, from drawn pictures.

    python docs/make_images.py

Writes into ``docs/images``: ``contact-sheets.png`` and ``map.png`` of the report, and
``gallery.png``, ``gallery-cluster.png`` and ``gallery-map.png``, photographed in Chromium.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from example_pictures import CARD, FIRST, draw_pictures
from PIL import Image
from playwright.sync_api import sync_playwright

import organizer

IMAGES = Path(__file__).parent / "images"
NAMES = {1: "Sun", 2: "House", 4: "Boat", 3: "Tree"}
SHEET_ROWS = 250  # of a contact sheet: its title and the row of the most typical images
COLOURS = 128
VIEWS = {"gallery": "#/", "gallery-cluster": "#/cluster/1", "gallery-map": "#/map"}
WINDOW = {"width": 1180, "height": 760}


def main() -> None:
    """Cluster drawn pictures, and keep what the report draws of them."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        draw_pictures(pictures, FIRST, after={})
        with organizer.open(folder) as library:
            library.ingest(pictures)
            library.recluster(k="auto")
            for cluster_id, name in NAMES.items():
                library.clusters[cluster_id].rename(name)
            library.reports.write(plots=Path(folder) / "plots", labels="folders")
        sheets = [Image.open(Path(folder) / "plots" / f"sheet_{i}.png") for i in NAMES]
        whole = Image.new("RGB", (sheets[0].width, SHEET_ROWS * len(sheets)), "white")
        for place, sheet in enumerate(sheets):
            whole.paste(sheet.crop((0, 0, sheet.width, SHEET_ROWS)), (0, place * SHEET_ROWS))
        _save(whole, IMAGES / "contact-sheets.png", width=1100)
        _save(Image.open(Path(folder) / "plots" / "map.png"), IMAGES / "map.png", width=900)
        _photograph(Path(folder))


def _photograph(folder: Path) -> None:
    """Take pictures of the gallery's views, as a person sees them after a card came."""
    draw_pictures(folder / "card", CARD, after=FIRST)
    with organizer.open(folder) as library:
        library.ingest(folder / "card")
    program = shutil.which("chromium") or shutil.which("chrome")
    with _served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW, device_scale_factor=2)
        page.goto(url)
        page.get_by_role("button", name="Skip").click()
        for name, view in VIEWS.items():
            page.goto(url + view)
            page.wait_for_load_state("networkidle")
            if name == "gallery-map":
                page.wait_for_selector("canvas", timeout=120_000)
            page.wait_for_timeout(1_500)
            page.screenshot(path=folder / f"{name}.png")
            _save(Image.open(folder / f"{name}.png"), IMAGES / f"{name}.png", width=1180)
        browser.close()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "organizer", "serve", "--port", "0", "--json"]
    with subprocess.Popen(  # noqa: S603 - this program
        command, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as service:
        try:
            assert service.stdout is not None  # noqa: S101 - it was asked for
            yield json.loads(service.stdout.readline())["url"]
        finally:
            service.terminate()


def _save(picture: Image.Image, file: Path, *, width: int) -> None:
    """Write a picture small enough for a repository."""
    height = round(picture.height * width / picture.width)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    small.quantize(COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    main()
