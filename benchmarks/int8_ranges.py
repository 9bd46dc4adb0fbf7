"""Find the ranges by which a network is computed in eight-bit integers.

    python -m benchmarks.int8_ranges PHOTOS --embedder efficientnet_lite2

PHOTOS is a folder with photos of all kinds, none of which serves for a measurement; of them
`--images` are drawn with seed 0. For each convolution but the first two the least and the largest
number that it reads are kept, and the mean of each channel: nothing of the photos themselves. The
first two stay in float32: what is lost in them costs as much as in all others together. Printed is
the SHA-256 of the file, which belongs into the embedder.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from safetensors.torch import save_file

from organizer import registry
from organizer.embed.digest import file_digest
from organizer.embed.int8 import convolutions, fold_normalisations, statistics_file
from organizer.embed.network import NetworkFactory
from organizer.embed.preprocess import Preprocessing
from organizer.embed.weights import fetch_weights

_IN_FLOAT32 = 2
_AT_ONCE = 4
_FEWEST = 100
"""With fewer photos the largest numbers have not been seen."""

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def main() -> None:
    """Measure and write."""
    arguments = _arguments()
    name = arguments.embedder
    factory = registry.part_factory("organizer.embedders", name)
    if not isinstance(factory, NetworkFactory):
        raise SystemExit(f"{name} is no network")
    network = factory.build(fetch_weights(factory.source(), given=arguments.weights).path)
    files = drawn_photos(arguments.photos, arguments.images)
    target = arguments.to or statistics_file(name)
    save_file(input_statistics(network, factory.preprocessing(), files), target)
    print(f"{target}: {len(files)} photos, {target.stat().st_size:,} bytes, {file_digest(target)}")


def drawn_photos(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder, the same ones every time.

    Raises:
        SystemExit: There are too few for a range that holds for others.
    """
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    if min(len(found), count) < _FEWEST:
        raise SystemExit(f"{min(len(found), count)} photos are too few: {_FEWEST} at least")
    rows = np.random.default_rng(0).permutation(len(found))[:count]
    return [found[row] for row in sorted(rows)]


def input_statistics(
    network: Any, preprocessing: Preprocessing, files: list[Path]
) -> dict[str, torch.Tensor]:
    """What `organizer.embed.int8.InputStatistics` reads; the network is changed."""
    fold_normalisations(network)
    watched = dict(list(convolutions(network))[_IN_FLOAT32:])
    seen: dict[str, list[tuple[float, float, torch.Tensor]]] = {name: [] for name in watched}

    def watch(name: str, given: torch.Tensor) -> None:
        low, high = given.aminmax()
        seen[name].append((float(low), float(high), given.mean((2, 3)).sum(0)))

    for name, module in watched.items():
        module.register_forward_pre_hook(lambda _, given, name=name: watch(name, given[0]))
    with torch.inference_mode():
        for pixels in _batches(preprocessing, files):
            network(pixels)
    tensors = {}
    for name, parts in seen.items():
        lows, highs, sums = zip(*parts, strict=True)
        tensors[f"{name}.range"] = torch.tensor([min(lows), max(highs)])
        tensors[f"{name}.mean"] = (sum(sums) / len(files)).half()
    return tensors


def _batches(preprocessing: Preprocessing, files: list[Path]) -> Iterator[torch.Tensor]:
    for start in range(0, len(files), _AT_ONCE):
        pictures = [preprocessing(_read(file)) for file in files[start : start + _AT_ONCE]]
        pixels = (np.stack(pictures) / 255 - preprocessing.mean) / preprocessing.std
        yield torch.from_numpy(pixels).float().permute(0, 3, 1, 2)


def _read(file: Path) -> NDArray[np.uint8]:
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--embedder", required=True)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--to", type=Path, default=None, help="the file; beside the embedder's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
