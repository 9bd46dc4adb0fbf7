"""The silhouette against scikit-learn's.

    python -m benchmarks.silhouette
    python -m benchmarks.silhouette --exact 5000x512x50 --sampled 100000x512x1000

Labels are those of the nearest of k random vectors. Sizes of `--exact` are scored by both, in
interleaved rounds; those of `--sampled` by ours alone, as scikit-learn would need n^2 distances.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks.kmeans import mixture, peak
from organizer.evaluate.internal import silhouette
from organizer.types import Labels, Silhouette, Vectors


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    for size in arguments.exact:
        _beside_scikit_learn(*_numbers(size), rounds=arguments.rounds)
    for size in arguments.sampled:
        _sampled(*_numbers(size), dtype=arguments.dtype)


def _beside_scikit_learn(n: int, dim: int, k: int, *, rounds: int) -> None:
    from sklearn.metrics import silhouette_score

    vectors = mixture(n, dim)
    labels = _labels(vectors, k)
    rows: dict[str, Callable[[], float]] = {
        "scikit-learn": lambda: float(silhouette_score(vectors, labels)),
        "ours": lambda: _mean(silhouette(vectors, labels)),
    }
    taken: dict[str, list[float]] = {name: [] for name in rows}
    values, limits = {}, []
    for _ in range(rounds):
        for name, run in rows.items():
            limits.append(peak())
            began = time.perf_counter()
            values[name] = run()
            taken[name].append(time.perf_counter() - began)
    products = 2 * n * n * dim / float(np.median(limits))
    print(f"\n{n:,} x {dim}, k = {k}; the products alone at the GEMM's peak: {products:.2f} s")
    for name, seconds in taken.items():
        ratio = np.median(np.array(seconds) / np.array(taken["ours"]))
        print(f"{name:24}{np.median(seconds):9.2f} s{ratio:8.2f} x{values[name]:12.6f}", flush=True)


def _sampled(n: int, dim: int, k: int, *, dtype: str) -> None:
    vectors = mixture(n, dim, dtype=dtype)
    labels = _labels(vectors, k)
    began = time.perf_counter()
    found = silhouette(vectors, labels)
    taken = time.perf_counter() - began
    assert found is not None
    work = 2 * found.n_scored * n * dim / peak()
    print(
        f"\n{n:,} x {dim} {dtype}, k = {k}: {found.n_scored:,} against all in {taken:.1f} s"
        f" ({work:.1f} s of products at the GEMM's peak),"
        f" {found.mean:.5f} +- {found.standard_error:.5f}",
        flush=True,
    )


def _labels(vectors: Vectors, k: int) -> Labels:
    centroids = vectors[np.random.default_rng(1).choice(len(vectors), k, replace=False)]
    centroids = centroids.astype(np.float32)
    parts = [
        (vectors[first : first + 8_192].astype(np.float32) @ centroids.T).argmax(axis=1)
        for first in range(0, len(vectors), 8_192)
    ]
    return np.concatenate(parts)


def _mean(found: Silhouette | None) -> float:
    assert found is not None
    return found.mean


def _numbers(size: str) -> tuple[int, int, int]:
    n, dim, k = (int(part) for part in size.split("x"))
    return n, dim, k


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--exact", nargs="*", default=["10000x512x100", "20000x2048x100"])
    parser.add_argument("--sampled", nargs="*", default=["1000000x512x1000"])
    parser.add_argument("--dtype", default="float32", choices=["float16", "float32"])
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
