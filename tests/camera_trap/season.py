"""Cards of a season, made for a test: stations with a camera each, twelve species and one more."""

from __future__ import annotations

import colorsys
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT, SIDE = 160, 120, 48
STATIONS = {"brook": (40, 110, 60), "ridge": (140, 120, 90), "meadow": (90, 120, 140)}
SPECIES = tuple(f"species {i:02}" for i in range(13))
_FIRST = datetime(2026, 5, 1, 6, 0)  # noqa: DTZ001 - what a camera writes has no zone


@dataclass
class Card:
    """One card: its folder, and which species is on each photo.

    Attributes:
        folder: Where it was copied to; photos lie in ``station/camera/DCIM``.
        species: The species on each photo, by path relative to the folder; "" for an empty photo,
            "person" for one of a person.
    """

    folder: Path
    species: dict[str, str] = field(default_factory=dict)
    _boxes: dict[str, list[float]] = field(default_factory=dict)

    def fill(self, station: str, species: Sequence[str], *, since: timedelta, seed: int) -> None:
        """Let a camera take bursts of two photos, one of each species in turn."""
        draw = np.random.default_rng(seed)
        inside = Path(station, "cam1", "DCIM")
        (self.folder / inside).mkdir(parents=True)
        for visit, kind in enumerate(species):
            for shot in range(2):
                path = (inside / f"IMG_{2 * visit + shot + 1:04}.JPG").as_posix()
                taken = _FIRST + since + timedelta(hours=visit, seconds=2 * shot)
                self._boxes[path] = _photo(self.folder / path, station, kind, taken, draw)
                self.species[path] = kind

    def results(self) -> Path:
        """What a detector that sees everything says, beside the photos."""
        numbers = {"person": "2"}
        images: list[dict[str, Any]] = [
            {
                "file": path,
                "detections": []
                if not kind
                else [{"category": numbers.get(kind, "1"), "conf": 0.9, "bbox": self._boxes[path]}],
            }
            for path, kind in self.species.items()
        ]
        whole = {
            "images": images,
            "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
            "info": {"format_version": "1.4", "detector": "md_v5a.0.0.pt"},
        }
        file = self.folder / "md.json"
        file.write_text(json.dumps(whole), encoding="utf-8")
        return file


def _photo(
    file: Path, station: str, kind: str, taken: datetime, draw: np.random.Generator
) -> list[float]:
    """Take a photo; returns where the animal is, in shares of the picture."""
    place = np.random.default_rng(len(station))
    texture = place.normal(0, 25, (HEIGHT // 8, WIDTH // 8, 1)).repeat(8, 0).repeat(8, 1)
    pixels = np.array(STATIONS[station]) + texture + draw.normal(0, 3, (HEIGHT, WIDTH, 3))
    x, y = int(draw.integers(0, WIDTH - SIDE)), int(draw.integers(0, HEIGHT - SIDE))
    if kind:
        fur = draw.normal(_colour(kind), 14, (SIDE, SIDE, 3))
        pixels[y : y + SIDE, x : x + SIDE] = fur + draw.normal(0, 10)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d %H:%M:%S}"
    exif[0x010F], exif[0x0110] = "TrapCo", "T1"
    picture.save(file, quality=92, exif=exif)
    return [x / WIDTH, y / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT]


def _colour(kind: str) -> tuple[int, int, int]:
    if kind == "person":
        return 255, 255, 255
    hue = SPECIES.index(kind) / len(SPECIES)
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.95, 0.9)
    return int(255 * red), int(255 * green), int(255 * blue)
