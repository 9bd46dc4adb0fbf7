"""Pictures that colour alone tells apart, taken in bursts, and a library of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings

COLOURS = {
    "red": (205, 40, 40),
    "green": (40, 190, 60),
    "blue": (45, 60, 205),
    "yellow": (225, 205, 50),
    "cyan": (50, 200, 210),
    "purple": (150, 45, 190),
    "grey": (130, 130, 130),
    "white": (235, 235, 235),
}
EACH = 12
BURST = 3  # photos, five seconds apart
_TAKEN, _CAMERA = 36867, 272


def make_pictures(folder: Path, *, each: int = EACH, seed: int = 0) -> Path:
    """A folder of photos for each colour; no two colours have the same number of photos."""
    for place, (name, colour) in enumerate(COLOURS.items()):
        for i in range(each + len(COLOURS) - place):
            day = datetime.fromisoformat(f"2024-05-{1 + place:02}T06:00:00")
            taken = day + timedelta(hours=i // BURST, seconds=5 * i)
            make_picture(folder / name / f"{i:02}.jpg", colour, seed + 1_000 * place + i, taken)
    return folder


def make_picture(file: Path, colour: tuple[int, int, int], seed: int, taken: datetime) -> Path:
    """A disc on a ground of about its colour, with noise that no other seed gives."""
    draw = np.random.default_rng(seed)
    width, height = ((160, 120), (120, 160), (200, 100))[seed % 3]
    ys, xs = np.mgrid[0:height, 0:width]
    x, y = draw.uniform(0.25, 0.75, 2) * (width, height)
    shade = np.where((xs - x) ** 2 + (ys - y) ** 2 < 900, 14.0, -6.0)[..., None]
    tone = np.array(colour) + draw.normal(0, 5, 3)
    pixels = np.clip(tone + shade + draw.normal(0, 6, (height, width, 3)), 0, 255)
    exif = Image.Exif()
    exif[_CAMERA] = "Trail 1"
    exif.get_ifd(0x8769)[_TAKEN] = f"{taken:%Y:%m:%d %H:%M:%S}"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(file, quality=92, exif=exif)
    return file


def make_library(folder: Path) -> Path:
    """A library in a folder, of pictures beside it, in as many clusters as there are colours."""
    with Library.open_or_create(folder, Settings()) as library:
        library.ingest([make_pictures(folder / "photos")], embedder="channel-mean")
        library.recluster(k=len(COLOURS))
    return folder
