"""The speed of ingest against the limit of the processor, and against simple implementations.

    python -m benchmarks.ingest --embedder mobilenet_v2 --megapixels 3 --photos 300

Prints, from one run on the same files: the peaks of matrix multiplication, decoding and preparing
alone, the forward pass alone, the limit that follows (on a processor both share the cores:
cores / (core-seconds of decoding + of the forward pass); with a GPU the slower of the two), the
whole ingest, a simple loop over one photo at a time, and torch's DataLoader with batches of 32 in
float32. Rounds are interleaved and medians printed, because timings are noisy. Networks whose
weights are missing get random ones, which cost the same.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from benchmarks.photos import photos
from organizer import decode, identity
from organizer.discover import Walk
from organizer.embed.precision import has_bfloat16
from organizer.errors import WeightsMissingError
from organizer.library import Library
from organizer.library.embedders import load_embedder
from organizer.protocols import LoadedEmbedder, least_side
from organizer.settings import Settings, available_cores, load_settings
from organizer.types import ImageRef, PartSpec


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(arguments, Path(folder) / "weights")
        loaded = load_embedder(PartSpec(arguments.embedder), settings)
        made = photos(Path(folder) / "photos", arguments.photos, arguments.megapixels)
        refs = list(Walk(made, made))
        rounds: list[dict[str, float]] = []
        for number in range(arguments.rounds + 1):  # the first warms up and is dropped
            store = Path(folder) / f"library{number}"
            rounds.append(_round(loaded, refs, made, store, settings, arguments.embedder))
        _print(arguments, loaded, rounds[1:])


def _round(
    loaded: LoadedEmbedder,
    refs: list[ImageRef],
    made: Path,
    folder: Path,
    settings: Settings,
    embedder: str,
) -> dict[str, float]:
    """Images per second of each stage and of the whole."""
    n = len(refs)
    prepared: list[np.ndarray] = []
    decoding = _rate(n, lambda: prepared.extend(_decode_all(loaded, refs)))
    size = settings.batch_size
    batches = [prepared[i : i + size] for i in range(0, n, size)]
    forward = _rate(n, lambda: [loaded.part.embed(batch) for batch in batches])
    with Library.open_or_create(folder, settings) as library:
        engine = n / _steady_seconds(library, made, embedder)
    device = getattr(loaded.part, "device", "cpu")
    both = 1 / (1 / decoding + 1 / forward) if device == "cpu" else min(decoding, forward)
    few = [str(ref.file) for ref in refs[: max(64, n // 4)]]
    return {
        "decode": decoding,
        "forward": forward,
        "limit": both,
        "ingest": engine,
        **_peers(embedder, few),
    }


def _steady_seconds(library: Library, made: Path, embedder: str) -> float:
    """Seconds of the run without loading the network, which is negligible in a longer run."""
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

    library.ingest([made], embedder=embedder, progress=Clock())
    return time.perf_counter() - started[0]


def _decode_all(loaded: LoadedEmbedder, refs: list[ImageRef]) -> list[np.ndarray]:
    part = loaded.part
    side = least_side(part)

    def one(ref: ImageRef) -> np.ndarray:
        data = decode.read_file(ref, max_bytes=2**31)
        image_id = identity.picture_hash(data)
        return part.prepare(decode.decode_image(ref, data, image_id=image_id, min_side=side).pixels)

    with ThreadPoolExecutor(available_cores()) as pool:
        return list(pool.map(one, refs))


def _peers(name: str, files: list[str]) -> dict[str, float]:
    """Measure the peers in a process of their own, with their own thread settings."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--peers", name]
    done = subprocess.run(
        command, input="\n".join(files), stdout=subprocess.PIPE, text=True, check=True
    )
    rates: dict[str, float] = json.loads(done.stdout)
    return rates


def _measure_peers(name: str, files: list[str]) -> dict[str, float]:
    import torch
    import torchvision

    n = 2048
    left, right = torch.randn(n, n), torch.randn(n, n)
    rates = {"GEMM float32": _gflops(n, lambda: left @ right)}
    if has_bfloat16():
        half = left.bfloat16(), right.bfloat16()
        rates["GEMM bfloat16"] = _gflops(n, lambda: half[0] @ half[1])
    if name not in torchvision.models.list_models(module=torchvision.models):
        return rates
    model = torchvision.models.get_model(name, weights=None).eval()
    transforms = torchvision.models.get_model_weights(name).DEFAULT.transforms()

    pictures = Pictures(files, transforms)
    loader: Any = torch.utils.data.DataLoader(
        cast("torch.utils.data.Dataset[Any]", pictures),
        batch_size=32,
        num_workers=available_cores(),
        multiprocessing_context="spawn",
        persistent_workers=True,
    )
    with torch.inference_mode():
        model(pictures[0][None])
        plainly = range(0, len(files), 4)
        rates["plain"] = _rate(len(plainly), lambda: [model(pictures[i][None]) for i in plainly])
        _all_batches(loader, model)  # the workers start once
        rates["DataLoader"] = _rate(len(files), lambda: _all_batches(loader, model))
    return rates


class Pictures:
    """A data set for DataLoader: full decoding, torchvision's own transforms."""

    def __init__(self, files: list[str], transforms: Callable[[Image.Image], Any]) -> None:
        self._files, self._transforms = files, transforms

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self._files)

    def __getitem__(self, at: int) -> Any:
        """One picture, prepared for the network."""
        return self._transforms(Image.open(self._files[at]).convert("RGB"))


def _all_batches(loader: Any, model: Any) -> None:
    for batch in loader:
        model(batch)


def _gflops(n: int, multiply: Callable[[], object]) -> float:
    multiply()
    seconds = [1 / _rate(1, multiply) for _ in range(7)]
    return 2 * n**3 / statistics.median(seconds) / 1e9


def _rate(n: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def _settings(arguments: argparse.Namespace, folder: Path) -> Settings:
    settings = load_settings(batch_size=arguments.batch_size, precision=arguments.precision)
    try:
        load_embedder(PartSpec(arguments.embedder), settings)
    except WeightsMissingError:
        folder.mkdir()
        _save_random_weights(arguments.embedder, folder)
        return settings.model_copy(update={"weights": folder})
    return settings


def _save_random_weights(name: str, folder: Path) -> None:
    import torch
    import torchvision

    torch.manual_seed(0)
    family, _, model = name.rpartition(":")
    network: Any
    if family == "timm":
        import timm

        network = timm.create_model(model, pretrained=False)
    elif family == "openclip":
        import open_clip

        network = open_clip.create_model(model.partition("/")[0], pretrained=None)
    else:
        network = torchvision.models.get_model(model.partition("@")[0], weights=None)
        _normalise(network)
    stem = model.partition("@")[0].replace("/", "-")
    torch.save(network.state_dict(), folder / f"{stem}.pth")


def _normalise(network: Any) -> None:
    """Set statistics as after training: without them the values grow from layer to layer."""
    import torch

    layers = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = None  # the mean over all batches, which is one batch here
    if layers:
        with torch.inference_mode():
            network.train()(torch.randn(4, 3, 299, 299))


def _print(
    arguments: argparse.Namespace, loaded: LoadedEmbedder, rounds: list[dict[str, float]]
) -> None:
    median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    engine = getattr(loaded.part, "engine", "numpy")
    print(f"{arguments.embedder} ({engine}), {arguments.photos} photos")
    print(
        f"of {arguments.megapixels:g} megapixels, {available_cores()} cores, {platform.machine()}"
    )
    for name, value in median.items():
        unit = "GFLOP/s" if name.startswith("GEMM") else "images/s"
        print(f"{name:>14} {value:8.1f} {unit}")
    for peer in ("limit", "plain", "DataLoader"):
        if peer in median:
            share = statistics.median(r["ingest"] / r[peer] for r in rounds)
            print(f"ingest / {peer} {share:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--megapixels", type=float, default=3.0)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _arguments().peers
    if chosen:
        print(json.dumps(_measure_peers(chosen, sys.stdin.read().split("\n"))))
    else:
        main()
