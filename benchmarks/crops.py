"""The quality of boxes from bursts, and of clusters of crops against whole frames.

    python -m benchmarks.crops PLACES ANIMALS --embedder mobilenet_v2

PLACES is a folder of camera-trap photos that serve as backgrounds, ANIMALS one with a folder of
photos per species. Photos are made of them: the middle of a photo of an animal, softened at its
edge, is pasted into a background that varies in light, noise and a little shaking; so the true box
is known. Measured are

- the boxes of bursts (`organizer detections from-bursts`): their overlap with the true box
  (intersection over union), and how often there is a box where nothing was pasted;
- clusterings of whole frames and of crops, k the number of species: the normalised mutual
  information with the species and with the place.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import normalized_mutual_info_score

from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.frames import cut_box
from organizer.library import embedders
from organizer.library.clustering.space import ClusterSpace, parse_reducer
from organizer.library.images.frames import square_box
from organizer.protocols import Embedder
from organizer.settings import DEFAULT_REDUCER, load_settings
from organizer.types import WHOLE, Box, PartSpec
from organizer_camera_trap.burst_median import MovedRegion, find_moved

Pixels = NDArray[np.uint8]

SIZE = 640, 480
SEEDS = range(3)


@dataclass(frozen=True)
class Frame:
    """A photo that was made."""

    pixels: Pixels
    place: int
    species: int
    box: Box | None
    burst: int


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    places = [_read(file, SIZE) for file in _photos(arguments.places)[: arguments.stations]]
    species = _animals(arguments.animals, arguments.species)
    named = ", ".join(name for name, _ in species)
    print(f"{len(places)} places; {len(species)} species: {named}")
    print()
    _boxes(places, [animals for _, animals in species], arguments.bursts)
    print()
    part = embedders.load_embedder(PartSpec(arguments.embedder), load_settings()).part
    _clusterings(places, [animals for _, animals in species], part, arguments)


def _boxes(places: Sequence[Pixels], species: Sequence[Sequence[Path]], bursts: int) -> None:
    print("boxes from bursts: the animal is in a third of the photos, at a third to a tenth of the")
    print("frame's height; overlap with the true box, and boxes where nothing was pasted")
    print(f"{'photos':>6} {'shaking':>8} {'animals':>8} {'found':>6} {'IoU':>6} {'IoU>.5':>7} "
          f"{'others':>7} {'boxes in them':>13}")  # fmt: skip
    for length in (3, 6, 12):
        for shaking in (0, 1):
            draw = np.random.default_rng(length * 10 + shaking)
            overlaps: list[float] = []
            false = others = 0
            for burst in range(bursts):
                place = burst % len(places)
                frames = list(_burst(places, species, draw, place=place, length=length,
                                     shaking=shaking, number=burst))  # fmt: skip
                for frame, found in zip(frames, _moved(frames), strict=True):
                    if frame.box is None:
                        others += 1
                        false += found is not None
                    else:
                        overlaps.append(found.box.overlap(frame.box) if found else 0.0)
            values = np.array(overlaps)
            hits = values[values > 0]
            print(f"{length:>6} {shaking:>5} px {len(values):>8} {len(hits) / len(values):>6.0%} "
                  f"{np.median(hits) if len(hits) else 0:>6.2f} {np.mean(values > 0.5):>7.0%} "
                  f"{others:>7} {false / max(others, 1):>13.0%}")  # fmt: skip


def _moved(frames: Sequence[Frame]) -> list[MovedRegion | None]:
    """Boxes as the command finds them: the shorter side at 256 pixels."""
    small = [
        np.asarray(Image.fromarray(f.pixels).resize((341, 256), Image.Resampling.BOX))
        for f in frames
    ]
    return find_moved(small)


def _clusterings(
    places: Sequence[Pixels],
    species: Sequence[Sequence[Path]],
    part: Embedder,
    arguments: argparse.Namespace,
) -> None:
    draw = np.random.default_rng(7)
    frames: list[Frame] = []
    found: list[MovedRegion | None] = []
    for number in range(arguments.bursts):
        burst = list(_burst(places, species, draw, place=number % len(places), length=6,
                            shaking=1, number=number))  # fmt: skip
        frames += burst
        found += _moved(burst)
    rows = [row for row, frame in enumerate(frames) if frame.box is not None]
    with_box = [row for row in rows if found[row] is not None]
    print(f"clusterings of {len(rows)} photos with an animal, k = {len(species)}, "
          f"{arguments.embedder}, mean of {len(SEEDS)} seeds")  # fmt: skip
    print(f"{'what is embedded':<48} {'images':>6} {'NMI species':>12} {'NMI place':>10}")
    kinds: list[tuple[str, list[int], list[Box]]] = [
        ("whole frames", rows, [WHOLE] * len(rows)),
        ("true boxes, as they are", rows, [_true(frames[row]) for row in rows]),
        ("true boxes, made square", rows, [_square(_true(frames[row])) for row in rows]),
        ("true boxes, made square and half as large again", rows,
         [_larger(_square(_true(frames[row])), 1.5) for row in rows]),
        ("whole frames of which a burst gave a box", with_box, [WHOLE] * len(with_box)),
        ("boxes from bursts, made square", with_box,
         [_square(f.box) for f in (found[row] for row in with_box) if f is not None]),
    ]  # fmt: skip
    for name, which, boxes in kinds:
        pieces = [cut_box(frames[row].pixels, box) for row, box in zip(which, boxes, strict=True)]
        vectors = _embedded(part, pieces)
        scores = [_scores(vectors, [frames[row] for row in which], len(species), seed)
                  for seed in SEEDS]  # fmt: skip
        of_species, of_place = np.mean(scores, axis=0)
        print(f"{name:<48} {len(which):>6} {of_species:>12.3f} {of_place:>10.3f}")


def _scores(
    vectors: NDArray[np.float32], frames: Sequence[Frame], k: int, seed: int
) -> tuple[float, float]:
    _, points = ClusterSpace.fit(parse_reducer(DEFAULT_REDUCER), vectors, seed=seed)
    labels = KMeans(n_clusters=k, random_state=seed).fit_predict(points)
    return (
        normalized_mutual_info_score([frame.species for frame in frames], labels),
        normalized_mutual_info_score([frame.place for frame in frames], labels),
    )


def _embedded(part: Embedder, pieces: Sequence[Pixels]) -> NDArray[np.float32]:
    found = []
    for start in range(0, len(pieces), 32):
        some = [part.prepare(np.ascontiguousarray(p)) for p in pieces[start : start + 32]]
        found.append(part.embed(some))
    return unit_rows(np.concatenate(found))


# Photos that are made -----------------------------------------------------------------------


def _burst(
    places: Sequence[Pixels],
    species: Sequence[Sequence[Path]],
    draw: np.random.Generator,
    *,
    place: int,
    length: int,
    shaking: int,
    number: int,
) -> Iterator[Frame]:
    """A burst at a place: one species, in a third of the photos."""
    kind = int(draw.integers(len(species)))
    with_animal = set(draw.choice(length, max(1, length // 3), replace=False).tolist())
    animal = _read(species[kind][int(draw.integers(len(species[kind])))], None)
    for i in range(length):
        pixels = places[place].astype(np.float32)
        if shaking:
            pixels = np.roll(pixels, draw.integers(-shaking, shaking + 1, 2), axis=(0, 1))
        box = None
        if i in with_animal:
            pixels, box = _with(pixels, animal, draw)
        noisy = pixels * draw.uniform(0.92, 1.08) + draw.normal(0, 5, pixels.shape)
        yield Frame(np.clip(noisy, 0, 255).astype(np.uint8), place, kind, box, number)


def _with(
    pixels: NDArray[np.float32], animal: Pixels, draw: np.random.Generator
) -> tuple[NDArray[np.float32], Box]:
    """The middle of an animal's photo in an ellipse, softened at its edge."""
    width, height = SIZE
    tall = int(height * draw.uniform(0.1, 0.33))
    wide = int(tall * draw.uniform(1.0, 1.8))
    x, y = int(draw.integers(0, width - wide)), int(draw.integers(height // 4, height - tall))
    piece = np.asarray(Image.fromarray(animal).resize((wide, tall)), dtype=np.float32)
    ys, xs = np.mgrid[0:tall, 0:wide]
    distance = np.hypot((xs - wide / 2 + 0.5) / (wide / 2), (ys - tall / 2 + 0.5) / (tall / 2))
    opacity = np.clip((1 - distance) * 8, 0, 1)[..., None].astype(np.float32)
    mixed = pixels.copy()
    part = mixed[y : y + tall, x : x + wide]
    part[:] = opacity * piece + (1 - opacity) * part
    return mixed, Box(x / width, y / height, wide / width, tall / height)


def _true(frame: Frame) -> Box:
    if frame.box is None:
        raise ValueError("there is nothing in this photo")
    return frame.box


def _square(box: Box) -> Box:
    return square_box(box, *SIZE)


def _larger(box: Box, times: float) -> Box:
    x, y = box.x - box.width * (times - 1) / 2, box.y - box.height * (times - 1) / 2
    left, upper = max(x, 0.0), max(y, 0.0)
    right, lower = min(x + box.width * times, 1.0), min(y + box.height * times, 1.0)
    return Box(left, upper, right - left, lower - upper)


def _animals(folder: Path, count: int) -> list[tuple[str, list[Path]]]:
    folders = sorted(path for path in folder.iterdir() if path.is_dir())[:count]
    return [(path.name, _photos(path)) for path in folders]


def _photos(folder: Path) -> list[Path]:
    kinds = {".jpg", ".jpeg", ".png"}
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in kinds)


def _read(file: Path, size: tuple[int, int] | None) -> Pixels:
    """A photo of some size, or its middle without the rim."""
    with Image.open(file) as image:
        whole = image.convert("RGB")
        if size is not None:
            return np.asarray(whole.resize(size))
        width, height = whole.size
        middle = (width // 10, height // 10, width - width // 10, height - height // 10)
        return np.asarray(whole.crop(middle))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", type=Path)
    parser.add_argument("animals", type=Path)
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--stations", type=int, default=8)
    parser.add_argument("--species", type=int, default=6)
    parser.add_argument("--bursts", type=int, default=48)
    return parser.parse_args()


if __name__ == "__main__":
    main()
