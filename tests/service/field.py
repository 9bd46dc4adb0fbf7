"""A library as it comes from the field: bursts, nights, photos without a time, a second card."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_photo
from tests.traps import COLOUR, FOX, OWL, burst, frame, near

GREY = (120, 120, 120)
K = 4


def make_field(home: Path) -> Path:
    """41 photos in four clusters: foxes and owls in bursts, grey nights, and greens without times.

    Two more came with a second ingest: one near to the foxes, one that fits nowhere.
    """
    for i in range(4):
        for place, (name, colour) in enumerate((("fox", FOX), ("owl", OWL))):
            colours = [near(colour, 3 * i + j) for j in range(3)]
            at = 20 * i + 10 * place
            burst(home / "photos" / name, f"{name}{i}", colours, minute=at, camera="AB"[place])
    for i in range(8):
        _grey(home / "photos" / "night" / f"night{i}.jpg", minute=600 + 40 * i)
    for i in range(7):
        make_photo(home / "photos" / "green" / f"green{i}.png", i, colour=(60, 200, 60))
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder=COLOUR)
        library.recluster(k=K)
        card = home / "photos" / "card"
        frame(card / "late.jpg", near(FOX, 2), at="2024:06:02 09:00:00", camera="C")
        frame(card / "odd.jpg", (250, 60, 250), at="2024:06:02 10:00:00", camera="C")
        library.ingest([card])
    return home


def decoded(ids: str) -> list[str]:
    """Image ids as columns hold them."""
    data = base64.b64decode(ids, validate=True)
    return [data[at : at + 16].hex() for at in range(0, len(data), 16)]


def _grey(file: Path, *, minute: int) -> None:
    """A photo without colour, as at night."""
    frame(file, GREY, at=f"2024:05:02 {minute // 60:02}:{minute % 60:02}:00", camera="B")
    with Image.open(file) as image:
        exif, grey = image.getexif(), image.convert("L")
    Image.fromarray(np.asarray(grey.convert("RGB"))).save(file, quality=95, exif=exif)
