"""The quality of organizer-mini against its teacher and handcrafted features.

    ORGANIZER_WEIGHTS=DIR python -m benchmarks.mini PHOTOS/wildcats PHOTOS/catsdogs ...

Each argument is a folder in which the folders that hold photos are classes, by their names; exact
copies count once, and of FOLDER:200 only the first 200 of each class. For each set and embedder:
the normalised mutual information (NMI) of scikit-learn's K-means at the true number of classes on
the unprocessed vectors (mean of ten seeds: with three it was off by 0.01 at k = 20), and the share
of images whose nearest neighbour by cosine is of their class. Then forward passes per second of
teacher and student, alternating, and their ratio (medians).
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from organizer import registry
from organizer.embed.mini import NAME
from organizer.settings import load_settings
from organizer.types import Labels, PartSpec, Vectors

TEACHER = "mobilenet_v2"
HANDCRAFTED = ("hog+hsv", "hog", "hsv", "gabor", "raw")
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_AT_ONCE = 256
_ROUNDS = 7
_SEEDS = 10


@dataclass(frozen=True)
class Score:
    """The quality of an embedder's vectors on a set."""

    nmi: float
    neighbours: float


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    embedders = {name: _embedder(name) for name in (TEACHER, NAME, *HANDCRAFTED)}
    print(f"{'set':<18} {'embedder':<16} {'images':>6} {'classes':>7} {'NMI':>6} {'1-NN':>6}")
    tables: dict[str, dict[str, Score]] = {}
    for argument in arguments.folders:
        folder, each = _parsed(argument)
        pictures, labels = _labelled(folder, each=each)
        tables[folder.name] = scores = {}
        for name, embedder in embedders.items():
            scores[name] = score(_vectors(embedder, pictures), labels)
            _tell(folder.name, name, labels, scores[name])
    _shares(tables)
    print(_rates(embedders[TEACHER], embedders[NAME]))


def score(vectors: Vectors, labels: Labels) -> Score:
    """NMI of K-means at the true number of classes, and agreement of nearest neighbours."""
    k = int(labels.max()) + 1
    found = [KMeans(k, n_init=10, random_state=seed).fit_predict(vectors) for seed in range(_SEEDS)]
    nmi = float(np.mean([normalized_mutual_info_score(labels, each) for each in found]))
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -np.inf)
    return Score(nmi, float((labels[alike.argmax(axis=1)] == labels).mean()))


def _tell(folder: str, name: str, labels: Labels, score: Score) -> None:
    print(
        f"{folder:<18} {name:<16} {len(labels):>6} {labels.max() + 1:>7} {score.nmi:>6.3f} "
        f"{score.neighbours:>6.3f}",
        flush=True,
    )


def _shares(tables: dict[str, dict[str, Score]]) -> None:
    """The student's scores as shares of the teacher's, and against the best handcrafted."""
    for folder, scores in tables.items():
        best = max((scores[name].nmi, name) for name in HANDCRAFTED)
        near = max((scores[name].neighbours, name) for name in HANDCRAFTED)
        print(
            f"{folder}: of {TEACHER} NMI {scores[NAME].nmi / scores[TEACHER].nmi:.2f}, 1-NN "
            f"{scores[NAME].neighbours / scores[TEACHER].neighbours:.2f}; best handcrafted "
            f"NMI {best[0]:.3f} ({best[1]}), 1-NN {near[0]:.3f} ({near[1]})"
        )
    for what in ("nmi", "neighbours"):
        ours, theirs = (
            np.mean([getattr(scores[name], what) for scores in tables.values()])
            for name in (NAME, TEACHER)
        )
        print(f"mean {what}: {ours:.3f} of {theirs:.3f}, {ours / theirs:.2f}")


def _parsed(argument: str) -> tuple[Path, int | None]:
    folder, _, each = argument.rpartition(":")
    return (Path(folder), int(each)) if each.isdigit() else (Path(argument), None)


def _labelled(folder: Path, *, each: int | None) -> tuple[list[Path], Labels]:
    """Photos, one of each content, and the number of the folder that holds them."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    once = {hashlib.sha256(file.read_bytes()).digest(): file for file in reversed(files)}
    files = sorted(once.values())
    labels = np.unique([file.parent.name for file in files], return_inverse=True)[1]
    if each is not None:
        rank = np.array([np.sum(labels[:row] == label) for row, label in enumerate(labels)])
        kept = np.flatnonzero(rank < each)
        return [files[row] for row in kept], labels[kept].astype(np.int64)
    return files, labels.astype(np.int64)


def _vectors(embedder: Any, files: list[Path]) -> Vectors:
    return np.concatenate(
        [embedder.embed([embedder.prepare(picture) for picture in part]) for part in _read(files)]
    )


def _read(files: list[Path]) -> Iterator[list[NDArray[np.uint8]]]:
    for start in range(0, len(files), _AT_ONCE):
        pictures = []
        for file in files[start : start + _AT_ONCE]:
            with Image.open(file) as image:
                pictures.append(np.asarray(ImageOps.exif_transpose(image).convert("RGB")))
        yield pictures


def _rates(teacher: Any, student: Any) -> str:
    """Forward passes per second, measured alternately: other work slows down both."""
    draw = np.random.default_rng(0)
    picture = draw.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    batches = [[each.prepare(picture)] * _AT_ONCE for each in (teacher, student)]
    seconds: list[list[float]] = []
    for _ in range(_ROUNDS):
        seconds.append([])
        for each, batch in zip((teacher, student), batches, strict=True):
            begun = time.perf_counter()
            each.embed(batch)
            seconds[-1].append(time.perf_counter() - begun)
    slow, fast = np.median(seconds, axis=0)
    ratio = np.median([one / other for one, other in seconds])
    return (
        f"forward: {TEACHER} {_AT_ONCE / slow:.0f} images/s ({teacher.engine}), {NAME} "
        f"{_AT_ONCE / fast:.0f} images/s ({student.engine}), ratio {ratio:.1f}"
    )


def _embedder(name: str) -> Any:
    settings = load_settings()
    options = {"weights": settings.weights, "device": "cpu", "precision": "auto"}
    return registry.create_part("organizer.embedders", PartSpec(name), options=options)[1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", metavar="FOLDER[:EACH]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
