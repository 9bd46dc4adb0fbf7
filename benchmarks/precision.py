"""What a network in half precision or in eight-bit integers costs and gives, against float32.

    python -m benchmarks.precision PHOTOS/wildcats PHOTOS/catsdogs --embedder efficientnet_lite2

Each argument is a folder with a folder for each class. Printed are, for each way to compute it:
forward passes per second at batches of 128, alternating in one process, and their ratio to float32
(medians; the load of the machine beside them); then for each set one minus the mean centred cosine
to float32, the share of images with another nearest neighbour that is farther by more than half a
percent, and the 1-NN. Engines of other sizes of a pass are measured with `--passes 8 16`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.neighbours import centred_cosines, changed_neighbours, right_neighbours
from organizer import registry
from organizer.embed import network_source, openvino
from organizer.types import PartSpec, Vectors

_ROUNDS = 7
_AT_ONCE = 128
_SUFFIXES = {".jpg", ".jpeg", ".png"}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    name = arguments.embedder
    made = {kind: _made(name, precision=kind) for kind in ("float32", "bfloat16")}
    made["int8"] = _made(f"{name}_int8", precision="auto")
    for size in arguments.passes:
        made[f"float32, {size} at once"] = _of_passes(name, size)
    _rates(made, arguments.folders)
    for folder in arguments.folders:
        pictures, labels = _read(folder)
        vectors = {kind: _vectors(made[kind], pictures) for kind in ("float32", "bfloat16", "int8")}
        for kind in ("bfloat16", "int8"):
            print(
                f"{folder.name:18} {kind:9} {_agreement(vectors['float32'], vectors[kind], labels)}"
            )


def _made(name: str, *, precision: str) -> Any:
    options = {"weights": None, "device": "cpu", "precision": precision}
    return registry.create_part("organizer.embedders", PartSpec(name), options=options)[1]


def _of_passes(name: str, size: int) -> Any:
    """The embedder with so many images in one forward pass, converted anew beside the cache."""
    usual, cache = network_source.IMAGES_PER_PASS, openvino._REVISION  # noqa: SLF001
    _set(size, f"{cache}-{size}")
    try:
        embedder = _made(name, precision="float32")
    finally:
        _set(usual, cache)
    return _OfPasses(embedder, size, usual)


def _set(size: int, revision: str) -> None:
    openvino.IMAGES_PER_PASS = size  # type: ignore[attr-defined]
    openvino._REVISION = revision  # noqa: SLF001


class _OfPasses:
    def __init__(self, embedder: Any, size: int, usual: int) -> None:
        self._embedder, self._size, self._usual = embedder, size, usual
        self.prepare = embedder.prepare

    def embed(self, batch: list[NDArray[np.uint8]]) -> Vectors:
        openvino.IMAGES_PER_PASS = self._size  # type: ignore[attr-defined]
        try:
            vectors: Vectors = self._embedder.embed(batch)
        finally:
            openvino.IMAGES_PER_PASS = self._usual  # type: ignore[attr-defined]
        return vectors


def _rates(made: dict[str, Any], folders: list[Path]) -> None:
    pictures = next(_pictures(folders[0]))[1]
    batch = [next(iter(made.values())).prepare(pictures)] * _AT_ONCE
    seconds: dict[str, list[float]] = {kind: [] for kind in made}
    for _ in range(_ROUNDS + 1):  # the first is not counted
        for kind, embedder in made.items():
            begun = time.perf_counter()
            embedder.embed(batch)
            seconds[kind].append(time.perf_counter() - begun)
    base = np.array(seconds["float32"][1:])
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for kind, each in seconds.items():
        ratio = np.median(base / np.array(each[1:]))
        print(f"{kind:22} {_AT_ONCE / np.median(each[1:]):6.0f} images/s  {ratio:5.2f}", flush=True)


def _agreement(exact: Vectors, fast: Vectors, labels: NDArray[Any]) -> str:
    right, still = (right_neighbours(vectors, labels) for vectors in (exact, fast))
    return (
        f"{len(exact):5} images, 1 - cosine {1 - centred_cosines(exact, fast).mean():.5f}, another "
        f"neighbour {changed_neighbours(exact, fast)[1]:.2%}, 1-NN {right:.4f} -> {still:.4f}"
    )


def _read(folder: Path) -> tuple[list[NDArray[np.uint8]], NDArray[Any]]:
    found = list(_pictures(folder))
    return [picture for _, picture in found], np.array([label for label, _ in found])


def _pictures(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in _SUFFIXES:
            with Image.open(file) as image:
                whole = ImageOps.exif_transpose(image).convert("RGB")
                whole.thumbnail((600, 600))
                yield file.parent.name, np.asarray(whole)


def _vectors(embedder: Any, pictures: list[NDArray[np.uint8]]) -> Vectors:
    starts = range(0, len(pictures), _AT_ONCE)
    batches = ([embedder.prepare(p) for p in pictures[s : s + _AT_ONCE]] for s in starts)
    return np.concatenate([embedder.embed(batch) for batch in batches])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--embedder", default="efficientnet_lite2")
    parser.add_argument("--passes", type=int, nargs="*", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
