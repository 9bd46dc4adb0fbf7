"""Photos of camera traps, made for a test: a textured place, and coloured shapes for animals."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 160, 120
SPECIES = {"fox": (205, 95, 30), "crow": (25, 25, 60), "heron": (225, 225, 240)}
STATIONS = {"brook": (40, 110, 60), "ridge": (140, 120, 90)}


@dataclass(frozen=True)
class Thing:
    """What stands on a photo: a species, "person" or "vehicle", and where, in pixels."""

    what: str
    x: int
    y: int
    width: int = 40
    height: int = 40
    confidence: float = 0.9

    @property
    def box(self) -> list[float]:
        return [self.x / WIDTH, self.y / HEIGHT, self.width / WIDTH, self.height / HEIGHT]


@dataclass
class Scenes:
    """A folder of photos and what is on each, by path relative to the folder."""

    folder: Path
    things: dict[str, list[Thing]] = field(default_factory=dict)

    def add(self, station: str, name: str, *things: Thing, seed: int) -> str:
        path = f"{station}/{name}"
        self.things[path] = list(things)
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(station, things, seed=seed)).save(file, quality=95)
        return path

    def entry(self, path: str, **more: Any) -> dict[str, Any]:
        """One image of MegaDetector's results."""
        numbers = {"person": "2", "vehicle": "3"}
        found = [
            {"category": numbers.get(t.what, "1"), "conf": t.confidence, "bbox": t.box}
            for t in self.things[path]
        ]
        return {"file": path, "detections": found, **more}

    def results(self, **more: Any) -> dict[str, Any]:
        """The results of a detector that sees everything."""
        return {
            "images": [self.entry(path) for path in sorted(self.things)],
            "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
            "info": {"format_version": "1.4", "detector": "md_v5a.0.0.pt"},
            **more,
        }

    def write(self, to: Path, **more: Any) -> Path:
        to.write_text(json.dumps(self.results(**more)), encoding="utf-8")
        return to


def scene(station: str, things: Any, *, seed: int) -> NDArray[np.uint8]:
    """A place as it always looks, in slightly other light, with things in it."""
    place = np.random.default_rng(sum(map(ord, station)))
    draw = np.random.default_rng(seed)
    texture = place.normal(0, 25, (HEIGHT // 8, WIDTH // 8, 1)).repeat(8, 0).repeat(8, 1)
    pixels = np.array(STATIONS[station]) + texture + draw.normal(0, 3, (HEIGHT, WIDTH, 3))
    pixels += draw.normal(0, 4)
    colours = {**SPECIES, "person": (230, 60, 160), "vehicle": (20, 200, 220)}
    for thing in things:
        ys, xs = np.mgrid[0 : thing.height, 0 : thing.width]
        across = (xs - thing.width / 2 + 0.5) / (thing.width / 2)
        down = (ys - thing.height / 2 + 0.5) / (thing.height / 2)
        inside = across**2 + down**2 <= 1
        part = pixels[thing.y : thing.y + thing.height, thing.x : thing.x + thing.width]
        shades = np.array(colours[thing.what]) + draw.normal(0, 8, (*inside.shape, 3))
        part[inside] = shades[inside]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def season(folder: Path, *, each: int = 6) -> Scenes:
    """Two stations with three species each; a pair, empties, a person, a vehicle.

    At each station every species has `each` photos; besides them there is one photo with a fox and
    a crow, two empty ones, one with a person and a heron, and one with a vehicle.
    """
    scenes = Scenes(folder)
    for number, station in enumerate(STATIONS):
        seed = 1000 * number
        draw = np.random.default_rng(seed)
        for species in SPECIES:
            for i in range(each):
                at = Thing(species, int(draw.integers(0, 120)), int(draw.integers(0, 80)))
                scenes.add(station, f"{species}{i}.jpg", at, seed=seed + i)
            seed += 100
        pair = (Thing("fox", 5, 60), Thing("crow", 100, 20, confidence=0.95))
        scenes.add(station, "pair.jpg", *pair, seed=seed + 1)
        scenes.add(station, "empty0.jpg", seed=seed + 2)
        scenes.add(station, "empty1.jpg", seed=seed + 3)
        crowd = (Thing("person", 10, 20, 30, 80), Thing("heron", 100, 40))
        scenes.add(station, "person.jpg", *crowd, seed=seed + 4)
        scenes.add(station, "car.jpg", Thing("vehicle", 40, 40, 80, 50), seed=seed + 5)
    return scenes
