"""How near ingest comes to what the processor allows.

    python -m benchmarks.ingest --embedder mobilenet_v2 --megapixels 3 --photos 400

Prints, from one run on the same files: decoding and preparing alone, the forward pass alone, the
limit that follows (on a processor both share the cores: 1 / (1 / decode + 1 / forward); beside a
GPU the slower of the two), the whole ingest, and the plain way a person would write it. Rounds are
interleaved and medians printed, because machines are noisy.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from organizer import decode
from organizer.discover import Walk
from organizer.library import Library
from organizer.library.embedders import load
from organizer.protocols import LoadedEmbedder, least_side
from organizer.settings import available_cores, load_settings
from organizer.types import ImageRef, PartSpec


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    settings = load_settings(batch_size=arguments.batch_size)
    loaded = load(PartSpec(arguments.embedder), settings)
    with tempfile.TemporaryDirectory() as folder:
        photos = _photos(Path(folder) / "photos", arguments.photos, arguments.megapixels)
        refs = list(Walk(photos, photos))
        rounds: dict[str, list[float]] = {}
        for number in range(arguments.rounds + 1):  # the first warms up and is dropped
            rates = _round(loaded, refs, photos, Path(folder) / f"library{number}", arguments)
            for name, rate in rates.items():
                rounds.setdefault(name, []).append(rate)
    _print(arguments, {name: rates[1:] for name, rates in rounds.items()})


def _round(
    loaded: LoadedEmbedder,
    refs: list[ImageRef],
    photos: Path,
    folder: Path,
    arguments: argparse.Namespace,
) -> dict[str, float]:
    """Images a second of each stage and of the whole."""
    n = len(refs)
    prepared: list[np.ndarray] = []
    decoding = _rate(n, lambda: prepared.extend(_decode_all(loaded, refs)))
    size = arguments.batch_size
    batches = [prepared[i : i + size] for i in range(0, n, size)]
    forward = _rate(n, lambda: [loaded.part.embed(batch) for batch in batches])
    with Library.open_or_create(folder, load_settings(batch_size=size)) as library:
        engine = n / _steady_seconds(library, photos, arguments.embedder)
    few = refs[: max(8, n // 10)]
    plainly = _plain_way(loaded.spec.name)
    plain = _rate(len(few), lambda: [plainly(ref) for ref in few])
    device = getattr(loaded.part, "device", "cpu")
    both = 1 / (1 / decoding + 1 / forward) if device == "cpu" else min(decoding, forward)
    return {"decode": decoding, "forward": forward, "limit": both, "ingest": engine, "plain": plain}


def _steady_seconds(library: Library, photos: Path, embedder: str) -> float:
    """Seconds of the run without loading the network, which a longer run does not notice."""
    started: list[float] = []

    class Clock:
        def begin(self, task: str, total: int | None) -> None:
            del total
            if task.startswith("embedding"):
                started.append(time.perf_counter())

        def advance(self, steps: int = 1) -> None:
            pass

        def note(self, text: str) -> None:
            pass

    library.ingest([photos], embedder=embedder, progress=Clock())
    return time.perf_counter() - started[0]


def _decode_all(loaded: LoadedEmbedder, refs: list[ImageRef]) -> list[np.ndarray]:
    part = loaded.part
    side = least_side(part)

    def one(ref: ImageRef) -> np.ndarray:
        data = decode.read(ref, max_bytes=2**31)
        image_id = decode.identify(data)
        return part.prepare(decode.decode(ref, data, image_id=image_id, min_side=side).pixels)

    with ThreadPoolExecutor(available_cores()) as pool:
        return list(pool.map(one, refs))


def _plain_way(name: str) -> Callable[[ImageRef], object]:
    """Full decode, torchvision's own transforms, one at a time, torch's own threads."""
    import torch
    import torchvision

    model = torchvision.models.get_model(name, weights=None).eval()
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()

    def plainly(ref: ImageRef) -> object:
        with torch.inference_mode():
            return model(transforms(Image.open(ref.file).convert("RGB"))[None])

    return plainly


def _rate(n: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def _photos(folder: Path, count: int, megapixels: float) -> Path:
    """JPEGs with the detail of a photo: noise at every scale, quality 90, 4:3."""
    folder.mkdir()
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = width * 3 // 4
    draw = np.random.default_rng(0)
    for number in range(count):
        picture = np.zeros((height, width, 3), np.float32)
        for cells in (4, 16, 64, 256):
            coarse = draw.normal(0, 40 / cells**0.25, (cells * 3 // 4, cells, 3))
            layer = Image.fromarray(np.clip(coarse + 128, 0, 255).astype(np.uint8))
            picture += np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC)) - 128.0
        pixels = np.clip(picture + 128, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05}.jpg", quality=90)
    return folder


def _print(arguments: argparse.Namespace, rounds: dict[str, list[float]]) -> None:
    shares = [i / limit for i, limit in zip(rounds["ingest"], rounds["limit"], strict=True)]
    faster = [i / plain for i, plain in zip(rounds["ingest"], rounds["plain"], strict=True)]
    print(f"{arguments.embedder}, {arguments.photos} photos of {arguments.megapixels} megapixels,")
    print(f"{available_cores()} cores, {platform.processor() or platform.machine()}")
    for name, rates in rounds.items():
        print(f"{name:>8} {statistics.median(rates):8.1f} images/s")
    print(f"ingest / limit {statistics.median(shares):.2f}")
    print(f"ingest / plain {statistics.median(faster):.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--megapixels", type=float, default=3.0)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
