"""K-means against its peers and the processor's limit.

    python -m benchmarks.kmeans
    python -m benchmarks.kmeans --sizes 20000x512x1000 --rounds 3

Every row of a size has the same vectors, the same first centroids and the same number of
iterations, and ends with labels; rounds are interleaved and medians printed. The vectors are a
mixture of overlapping components of different weights in a subspace, with noise around it, scaled
to length one. Each size is measured in a process of its own; the memory is that of another one that
only clusters, with vectors stored as float16 and as float32.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import row_constraints
from organizer.cluster.kmeans import KMeans, KMeansEngine, running
from organizer.cluster.metric_space import Metric, blocks, metric_space
from organizer.cluster.products import blas_products, workers
from organizer.types import Vectors

_SIZES = ["100000x2048x100", "100000x2048x1000", "1000000x512x1000"]
_RANK, _COMPONENTS = 64, 1_500
_AT_ONCE = 8_192

Fitted = tuple[NDArray[Any], float]
"""Labels, and the sum of squared distances."""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.child:
        globals()[f"_child_{arguments.child}"](arguments)
        return
    for size in arguments.sizes:
        _child(arguments, "speed", size)
        if arguments.memory:
            _child(arguments, "memory", size, "float16")
            _child(arguments, "memory", size, "float32")


def mixture(n: int, dim: int, *, dtype: str = "float32", seed: int = 0) -> NDArray[Any]:
    """Unit vectors in overlapping groups."""
    draw = np.random.default_rng(seed)
    basis = draw.normal(size=(_RANK, dim)).astype(np.float32) / np.float32(np.sqrt(dim))
    centres = draw.normal(size=(_COMPONENTS, _RANK)).astype(np.float32)
    weights = draw.dirichlet(np.full(_COMPONENTS, 2.0))
    made = np.empty((n, dim), dtype=dtype)
    for start in range(0, n, _AT_ONCE):
        m = min(_AT_ONCE, n - start)
        inner = centres[draw.choice(_COMPONENTS, m, p=weights)]
        inner = inner + np.float32(0.9) * draw.standard_normal((m, _RANK), dtype=np.float32)
        noise = draw.standard_normal((m, dim), dtype=np.float32) * np.float32(2 / np.sqrt(dim))
        block = inner @ basis + noise
        made[start : start + m] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return made


def peak() -> float:
    """The processor's float32 GEMM, in multiplications and additions per second."""
    left, right = np.ones((4_096, 2_048), np.float32), np.ones((2_048, 2_048), np.float32)
    began = time.perf_counter()
    left @ right
    return 2 * 4_096 * 2_048 * 2_048 / (time.perf_counter() - began)


def _child_speed(arguments: argparse.Namespace) -> None:
    n, dim, k = _numbers(arguments.sizes[0])
    vectors = mixture(n, dim)
    start = vectors[np.random.default_rng(1).choice(n, k, replace=False)].copy()
    rows = _rows(vectors, start, arguments.iterations)
    rows = {name: run for name, run in rows.items() if name not in arguments.without}
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    limits, fitted = [], dict[str, Fitted]()
    passes = []
    for _ in range(arguments.rounds):
        for name, run in rows.items():
            limits.append(peak())
            began = time.perf_counter()
            fitted[name] = run()
            seconds[name].append(time.perf_counter() - began)
        passes.append(_one_pass(vectors, start) / peak())
    print(f"\n{n:,} x {dim}, k = {k}, {arguments.iterations} iterations and labels")
    print(f"GEMM float32: {np.median(limits) / 1e9:.0f} GF/s (median of {len(limits)})")
    print(f"one assignment of all rows to all centroids: {np.median(passes):.2f} of it")
    _table(seconds, fitted)


def _rows(vectors: Vectors, start: Vectors, iterations: int) -> dict[str, Callable[[], Fitted]]:
    return {
        "faiss.Kmeans, spherical": lambda: _faiss(vectors, start, iterations, spherical=True),
        "ours, cosine": lambda: _ours(vectors, start, iterations, "cosine"),
        "ours, cosine, FAISS index": lambda: _ours(
            vectors, start, iterations, "cosine", engine="faiss"
        ),
        "faiss.Kmeans": lambda: _faiss(vectors, start, iterations, spherical=False),
        "faiss.Kmeans, super": lambda: _faiss(
            vectors, start, iterations, spherical=False, use_super_kmeans=True
        ),
        "scikit-learn lloyd": lambda: _scikit_learn(vectors, start, iterations),
        "scikit-learn MiniBatch": lambda: _mini_batch(vectors, start, iterations),
        "ours, euclidean": lambda: _ours(vectors, start, iterations, "euclidean"),
    }


def _ours(
    vectors: Vectors,
    start: Vectors,
    iterations: int,
    metric: Metric,
    *,
    engine: KMeansEngine = "blas",
) -> Fitted:
    space = metric_space(vectors, metric)
    with running(space, len(start), engine) as (fit, _):
        found = fit(
            space,
            space.normalised(start),
            constraints=row_constraints(len(vectors), len(start)),
            max_iter=iterations,
            tol=0.0,
        )
    return found.labels, found.inertia


def _faiss(
    vectors: Vectors, start: Vectors, iterations: int, *, spherical: bool, **options: Any
) -> Fitted:
    import faiss

    kmeans: Any = faiss.Kmeans(
        vectors.shape[1],
        len(start),
        niter=iterations,
        spherical=spherical,
        min_points_per_centroid=1,
        max_points_per_centroid=len(vectors),
        **options,
    )
    kmeans.train(vectors, init_centroids=start)
    labels = kmeans.assign(vectors)[1]
    return labels, _inertia(vectors, labels, kmeans.centroids)


def _scikit_learn(vectors: Vectors, start: Vectors, iterations: int) -> Fitted:
    from sklearn.cluster import KMeans as Peer

    fit = Peer(len(start), init=start, n_init=1, max_iter=iterations, tol=0).fit(vectors)
    return fit.labels_, fit.inertia_


def _mini_batch(vectors: Vectors, start: Vectors, iterations: int) -> Fitted:
    from sklearn.cluster import MiniBatchKMeans

    fit = MiniBatchKMeans(
        len(start),
        init=start,
        n_init=1,
        max_iter=iterations,
        batch_size=4_096,
        max_no_improvement=None,
        random_state=0,
    ).fit(vectors)
    return fit.labels_, _inertia(vectors, fit.labels_, fit.cluster_centers_)


def _one_pass(vectors: Vectors, start: Vectors) -> float:
    """Multiplications and additions per second of an assignment without any bounds."""
    space = metric_space(vectors, "cosine")
    nearest = blas_products(space)(start)
    with workers(vectors.size * len(start)) as run:
        parts = list(blocks(len(vectors), max(len(start), vectors.shape[1])))
        began = time.perf_counter()
        list(run(lambda rows: nearest(space.take(rows), space.squares[rows]), parts))  # type: ignore[arg-type]
        return 2 * vectors.size * len(start) / (time.perf_counter() - began)


def _inertia(vectors: Vectors, labels: NDArray[Any], centroids: Vectors) -> float:
    total = 0.0
    for first in range(0, len(vectors), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        difference = vectors[rows] - centroids[labels[rows]]
        total += float(np.einsum("ij,ij->", difference, difference, dtype=np.float64))
    return total


def _table(seconds: dict[str, list[float]], fitted: dict[str, Fitted]) -> None:
    ours = {True: "ours, cosine", False: "ours, euclidean"}
    print(f"{'':26}{'seconds':>9}{'ours is':>10}{'objective':>12}{'labels':>9}")
    for name, taken in seconds.items():
        mine = ours["spherical" in name or "cosine" in name]
        ratio = np.median(np.array(taken) / np.array(seconds[mine]))
        labels, objective = fitted[name]
        lead = objective / fitted[mine][1]
        same = float(np.mean(labels == fitted[mine][0]))
        print(f"{name:26}{np.median(taken):9.2f}{ratio:8.2f} x{lead:12.5f}{same:9.2%}", flush=True)


def _child_memory(arguments: argparse.Namespace) -> None:
    n, dim, k = _numbers(arguments.sizes[0])
    vectors = mixture(n, dim, dtype="float16")
    if arguments.dtype == "float32":
        vectors = vectors.astype(np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    kmeans = KMeans(n_clusters=k, n_init=1, max_iter=arguments.iterations)
    kmeans.fit_predict(vectors)
    taken = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{arguments.dtype}: k-means++ and {kmeans.n_iter_} iterations in {taken:.1f} s, peak"
        f" {after / 2**20:.2f} GiB (vectors {vectors.nbytes / 2**30:.2f}, before the call"
        f" {before / 2**20:.2f}), objective {kmeans.inertia_:.2f}",
        flush=True,
    )
    _share_of_labels(kmeans, vectors, arguments)


def _share_of_labels(kmeans: KMeans, vectors: NDArray[Any], arguments: argparse.Namespace) -> None:
    """Labels of the original vectors at the same centroids, against those of float16."""
    if arguments.dtype != "float16":
        return
    n, dim, _ = _numbers(arguments.sizes[0])
    del vectors
    original = mixture(n, dim)
    centroids, differ = kmeans.cluster_centers_, 0
    for first in range(0, n, _AT_ONCE):
        nearest = (original[first : first + _AT_ONCE] @ centroids.T).argmax(axis=1)
        differ += int(np.count_nonzero(nearest != kmeans.labels_[first : first + _AT_ONCE]))
    print(f"labels that float32 changes at the same centroids: {differ / n:.4%}", flush=True)


def _child(arguments: argparse.Namespace, what: str, size: str, dtype: str = "float32") -> None:
    command = [sys.executable, "-m", "benchmarks.kmeans", "--child", what, "--sizes", size]
    command += ["--dtype", dtype, "--iterations", str(arguments.iterations)]
    command += ["--rounds", str(arguments.rounds), "--without", *arguments.without]
    subprocess.run(command, check=True)


def _numbers(size: str) -> tuple[int, int, int]:
    n, dim, k = (int(part) for part in size.split("x"))
    return n, dim, k


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", nargs="+", default=_SIZES, help="n x dim x k")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--child", choices=["speed", "memory"], help=argparse.SUPPRESS)
    parser.add_argument("--dtype", default="float32", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
