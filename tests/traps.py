"""Photos of camera traps, made on the spot: bursts of frames with times, cameras with a tint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from organizer.library import Library

COLOUR = "channel-mean"
FOX, OWL, BOAR = (200, 90, 40), (60, 90, 200), (60, 200, 60)
Colour = tuple[int, int, int]

_MODEL, _EXIF, _TIME, _SUBSECOND, _SERIAL = 0x0110, 0x8769, 0x9003, 0x9291, 0xA431


def frame(
    file: Path,
    colour: Colour,
    *,
    at: str | None,
    camera: str = "A",
    seed: int = 0,
    noise: float = 4,
    serial: str | None = None,
    subsecond: str | None = None,
) -> Path:
    """A JPEG of one colour; `at` is ``2024:05:01 10:00:00``."""
    draw = np.random.default_rng([seed, *map(ord, file.stem)])
    pixels = np.clip(np.array(colour) + draw.normal(0, noise, (24, 32, 3)), 0, 255)
    exif = Image.Exif()
    exif[_MODEL] = camera
    if at is not None:
        exif.get_ifd(_EXIF)[_TIME] = at
    if serial is not None:
        exif.get_ifd(_EXIF)[_SERIAL] = serial
    if subsecond is not None:
        exif.get_ifd(_EXIF)[_SUBSECOND] = subsecond
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(file, quality=95, exif=exif)
    return file


def burst(folder: Path, name: str, colours: list[Colour], *, minute: int, **how: str) -> list[Path]:
    """Frames ten seconds apart, from a minute of the day on."""
    clock = f"2024:05:01 {minute // 60:02}:{minute % 60:02}"
    return [
        frame(folder / f"{name}-{i}.jpg", colour, at=f"{clock}:{10 * i:02}", **how)  # type: ignore[arg-type]
        for i, colour in enumerate(colours)
    ]


def near(colour: Colour, by: int) -> Colour:
    """A colour that is a little off."""
    red, green, blue = colour
    return red - by, green + by, blue + by


def bursts_of_two_kinds(folder: Path, each: int = 4) -> Path:
    """Bursts of three frames, of foxes and of owls, ten minutes apart."""
    for i in range(each):
        for place, (name, colour) in enumerate((("fox", FOX), ("owl", OWL))):
            frames = [near(colour, 3 * i + j) for j in range(3)]
            burst(folder, f"{name}{i}", frames, minute=20 * i + 10 * place)
    return folder


def where(library: Library) -> dict[str, int]:
    """The cluster of each file, by its name without the suffix."""
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    files = library.store.photos.files_of()
    found = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
    return {files[i][0].file.stem: cluster for i, cluster in found}


def vectors_of(library: Library) -> Mapping[str, NDArray[np.float64]]:
    """The vector of each file, of unit length, by its name without the suffix."""
    (spec,) = library.store.vectors.specs()
    ids, vectors = library.store.vectors.read(spec)
    files = library.store.photos.files_of()
    rows = zip(ids, vectors.astype(np.float64), strict=True)
    return {files[i][0].file.stem: row / np.linalg.norm(row) for i, row in rows}
