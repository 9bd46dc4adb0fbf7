"""What an NVIDIA GPU gives: networks against torch alone, K-means against FAISS and torch alone.

    python -m benchmarks.gpu embed PHOTOS/wildcats PHOTOS/catsdogs --embedder resnet50
    python -m benchmarks.gpu kmeans --sizes 1000000x1280x1000

`embed` prints how the vectors agree with those of the processor in float32 (as
`benchmarks.precision` does), images per second of the embedder by the size of a batch, and of
torch alone (its input already on the GPU), and what happens where the memory of the GPU is nearly
used up. Networks whose weights are missing get random ones, which cost the same.

`kmeans` prints the same ten iterations and labels from the same start by organizer's engines, by
faiss.Kmeans on the GPU (where that FAISS is installed) and by plain Lloyd iterations in torch on
the GPU; rounds are interleaved, medians printed. Smaller fits are printed beside them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.kmeans import mixture
from organizer.cluster.constrained import row_constraints
from organizer.cluster.kmeans import KMeans, KMeansEngine, installed_faiss, running
from organizer.cluster.lloyd import LloydFit
from organizer.cluster.metric_space import Metric, metric_space
from organizer.types import PartSpec, Vectors

_SIZES = ["1000000x256x1000", "1000000x1280x1000"]
_SMALL = [(10_000, 256, 100), (50_000, 256, 200), (100_000, 1_280, 100)]
_ENGINES: tuple[KMeansEngine, ...] = ("blas", "torch")
_BATCHES = [32, 128, 512]
_AT_ONCE = 16_384

Fitted = tuple[NDArray[Any], Vectors]
"""Labels and centroids."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    import torch

    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}", flush=True)
    globals()[f"_{arguments.what}"](arguments)


# K-means -------------------------------------------------------------------------------------


def _kmeans(arguments: argparse.Namespace) -> None:
    for size in arguments.sizes:
        _speed(size, arguments)
    for metric in get_args(Metric):
        _exactness(metric)
    for size in _SMALL:
        _small(*size)


def _exactness(metric: Metric) -> None:
    """How far the two engines are from each other after the same iterations."""
    vectors = mixture(20_000, 1_280)
    if metric == "euclidean":
        vectors = vectors * 3 + np.float32(0.5)
    start = vectors[:: len(vectors) // 500][:500]
    blas, torch = (_ours(vectors, start, 10, metric, engine) for engine in _ENGINES)
    same = float(np.mean(torch.labels == blas.labels))
    away = float(np.abs(torch.centroids - blas.centroids).max())
    ratio = torch.inertia / blas.inertia
    print(f"{metric:10} equal labels {same:.3%}, centroids {away:.1e}, objective x{ratio:.7f}")


def _small(n: int, dim: int, k: int) -> None:
    vectors, seconds = mixture(n, dim), dict[str, float]()
    for engine in _ENGINES:
        KMeans(n_clusters=k, n_init=1, engine=engine).fit_predict(vectors)
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            KMeans(n_clusters=k, n_init=1, engine=engine).fit_predict(vectors)
            taken.append(time.perf_counter() - began)
        seconds[engine] = float(np.median(taken))
    told = ", ".join(f"{engine} {each:.3f} s" for engine, each in seconds.items())
    print(f"one start of {n:,} x {dim}, k = {k}: {told}", flush=True)


def _speed(size: str, arguments: argparse.Namespace) -> None:
    n, dim, k = (int(part) for part in size.split("x"))
    vectors = _mixture_by_gpu(n, dim)
    start = vectors[np.random.default_rng(1).choice(n, k, replace=False)].copy()
    iterations = arguments.iterations
    rows: dict[str, Callable[[Vectors], Fitted]] = {
        f"organizer, {engine}": partial(_organizer, start, iterations, engine)
        for engine in _ENGINES
    }
    if "gpu" in (told := installed_faiss()):
        rows[told] = lambda some: _faiss(some, start, iterations)
    rows["torch alone"] = lambda some: _torch(some, start, iterations)
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    fitted = {name: run(vectors[:20_000]) for name, run in rows.items()}  # warms up
    for _ in range(arguments.rounds):
        for name, run in rows.items():
            began = time.perf_counter()
            fitted[name] = run(vectors)
            seconds[name].append(time.perf_counter() - began)
    print(f"\n{n:,} x {dim}, k = {k}, {iterations} iterations and labels, cosine")
    print(f"{_gemm():.1f} TF/s of float32 products, {_copying(vectors):.1f} GB/s to the GPU")
    first = _objective(vectors, *fitted["organizer, torch"])
    for name, taken in seconds.items():
        ratio = np.median(np.array(taken) / np.array(seconds["organizer, torch"]))
        same = float(np.mean(fitted[name][0] == fitted["organizer, torch"][0]))
        lead = _objective(vectors, *fitted[name]) / first
        print(f"{name:26}{np.median(taken):9.2f} s{ratio:8.2f} x{lead:12.6f}{same:9.2%}")
    if arguments.profile:
        _profile(lambda: rows["organizer, torch"](vectors))


def _ours(
    vectors: Vectors, start: Vectors, iterations: int, metric: Metric, engine: KMeansEngine
) -> LloydFit:
    space = metric_space(vectors, metric)
    with running(space, len(start), engine) as (fit, _):
        return fit(
            space,
            space.normalised(start),
            constraints=row_constraints(len(vectors), len(start)),
            max_iter=iterations,
            tol=0.0,
        )


def _organizer(start: Vectors, iterations: int, engine: KMeansEngine, vectors: Vectors) -> Fitted:
    fit = _ours(vectors, start, iterations, "cosine", engine)
    return fit.labels, fit.centroids


def _faiss(vectors: Vectors, start: Vectors, iterations: int) -> Fitted:
    import faiss

    options: dict[str, Any] = {"min_points_per_centroid": 1, "gpu": True}
    kmeans: Any = faiss.Kmeans(
        vectors.shape[1],
        len(start),
        niter=iterations,
        spherical=True,
        max_points_per_centroid=len(vectors),
        **options,
    )
    kmeans.train(vectors, init_centroids=start)
    return kmeans.assign(vectors)[1], kmeans.centroids


def _torch(vectors: Vectors, start: Vectors, iterations: int) -> Fitted:
    """Lloyd's iterations without bounds; sums by a product, so that each run gives the same."""
    import torch

    rows = torch.from_numpy(vectors).cuda()
    centroids = torch.from_numpy(start).cuda()
    labels = torch.empty(len(rows), dtype=torch.int64, device="cuda")
    for number in range(iterations + 1):
        sums = torch.zeros(centroids.shape, dtype=torch.float64, device="cuda")
        for first in range(0, len(rows), _AT_ONCE):
            block = rows[first : first + _AT_ONCE]
            nearest = (block @ centroids.T).argmax(dim=1)
            labels[first : first + _AT_ONCE] = nearest
            if number < iterations:
                own = torch.nn.functional.one_hot(nearest, len(centroids)).float()
                sums += own.T @ block
        if number < iterations:
            lengths = sums.norm(dim=1, keepdim=True)
            moved = (sums / lengths.clamp_min(1e-30)).float()
            centroids = torch.where(lengths > 0, moved, centroids)
    return labels.cpu().numpy(), centroids.cpu().numpy()


def _objective(vectors: Vectors, labels: NDArray[Any], centroids: Vectors) -> float:
    import torch

    means, total = torch.from_numpy(centroids).cuda().double(), 0.0
    for first in range(0, len(vectors), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        own = means[torch.from_numpy(labels[rows]).cuda()]
        total += float((torch.from_numpy(vectors[rows]).cuda().double() - own).square().sum())
    return total


def _mixture_by_gpu(n: int, dim: int) -> Vectors:
    """As `benchmarks.kmeans.mixture`; drawn on the GPU, which takes a second."""
    import torch

    draw = torch.Generator("cuda").manual_seed(0)
    options: dict[str, Any] = {"generator": draw, "device": "cuda"}
    basis = torch.randn(64, dim, **options) / dim**0.5
    centres = torch.randn(1_500, 64, **options)
    made = np.empty((n, dim), np.float32)
    for first in range(0, n, _AT_ONCE):
        m = min(_AT_ONCE, n - first)
        inner = centres[torch.randint(1_500, (m,), **options)]
        block = (inner + 0.9 * torch.randn(m, 64, **options)) @ basis
        block += torch.randn(m, dim, **options) * (2 / dim**0.5)
        block /= block.norm(dim=1, keepdim=True)
        made[first : first + m] = block.cpu().numpy()
    return made


def _gemm() -> float:
    import torch

    left, right = (torch.randn(8_192, 8_192, device="cuda") for _ in range(2))
    seconds = _seconds(lambda: left @ right)
    return float(2 * 8_192**3 / seconds / 1e12)


def _copying(vectors: Vectors) -> float:
    import torch

    part = torch.from_numpy(vectors[:100_000])
    return float(part.nbytes / _seconds(part.cuda) / 1e9)


def _profile(run: Callable[[], object]) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(run)
    pstats.Stats(profile).sort_stats("tottime").print_stats(14)


# Networks ------------------------------------------------------------------------------------


def _embed(arguments: argparse.Namespace) -> None:
    pictures = [picture for folder in arguments.folders for picture in _pictures(folder)]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.embedder:
            _network(name, pictures, Path(folder), arguments)


def _network(
    name: str, pictures: list[NDArray[np.uint8]], folder: Path, arguments: argparse.Namespace
) -> None:
    from benchmarks.neighbours import centred_cosines, changed_neighbours

    weights = arguments.weights or _weights(name, folder)
    reference = _made(name, weights, "cpu", "float32")
    prepared = [reference.prepare(picture) for picture in pictures]
    began = time.perf_counter()
    exact = _vectors(reference, prepared)
    print(f"\n{name}: {len(exact) / (time.perf_counter() - began):.0f} images/s on the processor")
    for precision in ("auto", "float32", "bfloat16"):
        made = _made(name, weights, "cuda", precision)
        fast = _vectors(made, prepared)
        away = 1 - centred_cosines(exact, fast)
        print(
            f"{precision:9} {made.engine}: 1 - cosine {away.mean():.1e}, at most {away.max():.1e};"
            f" another neighbour {changed_neighbours(exact, fast)[1]:.2%}",
            flush=True,
        )
        _throughput(made, prepared)
    _exhausted(name, weights, prepared)


def _throughput(made: Any, prepared: list[NDArray[np.uint8]]) -> None:
    import torch

    for size in _BATCHES:
        batch = (prepared * (1 + size // len(prepared)))[:size]
        torch.cuda.reset_peak_memory_stats()
        ours = _seconds(partial(made.embed, batch))
        peak = torch.cuda.max_memory_allocated() / 2**30
        engine = made._engine  # noqa: SLF001 - the same network, without what is around it
        shape = (size, 3, *batch[0].shape[:2])
        given = torch.randn(shape, device="cuda", dtype=engine._dtype)  # noqa: SLF001
        given = given.to(memory_format=torch.channels_last)
        with torch.inference_mode():
            alone = _seconds(partial(engine._network, given))  # noqa: SLF001
        print(
            f"  {size:4} at once: {size / ours:7.0f} images/s, torch alone {size / alone:7.0f}"
            f" ({alone / ours:.2f}), {peak:.2f} GiB",
            flush=True,
        )


def _exhausted(name: str, weights: Path | None, prepared: list[NDArray[np.uint8]]) -> None:
    """A batch for which there is no room on the GPU: in halves, with the same vectors."""
    import torch

    from organizer.embed.pictures import embed_pictures
    from organizer.protocols import LoadedEmbedder

    made = _made(name, weights, "cuda", "auto")
    batch = (prepared * 8)[:2_048]
    expected = _vectors(made, batch)
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0]
    ballast = torch.empty(free - 3 * 2**29, dtype=torch.uint8, device="cuda")
    began = time.perf_counter()
    done = embed_pictures(LoadedEmbedder(PartSpec(name), made), batch)
    taken = time.perf_counter() - began
    del ballast
    torch.cuda.empty_cache()
    away = float(np.abs(done.vectors - expected[list(done.rows)]).max())
    print(
        f"{len(batch)} at once with 1.5 GiB left: {len(done.rows)} embedded in {taken:.1f} s,"
        f" {away:.1e} from those in small batches; {done.batch_failure[:150]!r}",
        flush=True,
    )


def _made(name: str, weights: Path | None, device: str, precision: str) -> Any:
    from organizer import registry

    options = {"weights": weights, "device": device, "precision": precision}
    return registry.create_part("organizer.embedders", PartSpec(name), options=options)[1]


def _weights(name: str, folder: Path) -> Path | None:
    """Random weights of a torchvision network, None where organizer finds real ones."""
    import torch
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):
        return None
    torch.manual_seed(0)
    path = folder / f"{name}.pth"
    torch.save(torchvision.models.get_model(name, weights=None).state_dict(), path)
    return path


def _vectors(made: Any, prepared: list[NDArray[np.uint8]]) -> Vectors:
    return np.concatenate([made.embed(prepared[i : i + 64]) for i in range(0, len(prepared), 64)])


def _pictures(folder: Path) -> Iterator[NDArray[np.uint8]]:
    from PIL import Image

    for file in sorted(folder.rglob("*.jp*g")):
        with Image.open(file) as image:
            yield np.asarray(image.convert("RGB"))


def _seconds(call: Callable[[], object]) -> float:
    """Median seconds of a call, the GPU's work included."""
    import torch

    taken = []
    for _ in range(9):
        began = time.perf_counter()
        call()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[2:]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    what = parser.add_subparsers(dest="what", required=True)
    embed = what.add_parser("embed")
    embed.add_argument("folders", type=Path, nargs="+")
    embed.add_argument("--embedder", nargs="+", default=["efficientnet_lite2", "resnet50"])
    embed.add_argument("--weights", type=Path)
    kmeans = what.add_parser("kmeans")
    kmeans.add_argument("--sizes", nargs="+", default=_SIZES, help="n x dim x k")
    kmeans.add_argument("--iterations", type=int, default=10)
    kmeans.add_argument("--rounds", type=int, default=2)
    kmeans.add_argument("--profile", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
