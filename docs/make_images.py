"""Make the pictures that the documentation shows, from drawn pictures.

    python docs/make_images.py

Writes ``docs/images/contact-sheets.png`` and ``docs/images/map.png``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from example_pictures import FIRST, draw_pictures
from PIL import Image

import organizer

IMAGES = Path(__file__).parent / "images"
NAMES = {1: "Sun", 2: "House", 4: "Boat", 3: "Tree"}
SHEET_ROWS = 250  # of a contact sheet: its title and the row of the most typical images
COLOURS = 128


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


def _save(picture: Image.Image, file: Path, *, width: int) -> None:
    """Write a picture small enough for a repository."""
    height = round(picture.height * width / picture.width)
    small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    small.quantize(COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    main()
