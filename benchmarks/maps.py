"""Maps by t-SNE and UMAP against scikit-learn, openTSNE and umap-learn: time and quality.

    python -m benchmarks.maps VECTORS.npz [--rounds 3] [--at-most 10000]

A file holds `vectors` and `labels`. All get the same 50 principal components. Quality is measured
by trustworthiness (Venna and Kaski 2001; scikit-learn's, 10 neighbours, on 3,000 images, against
the vectors themselves) and by purity: the share of the ten nearest on the map with the image's
label. Ratios are of processor time, which other work on the machine changes little; "first" is the
first round, including compilation and imports. openTSNE is measured where it can be imported.
"""

from __future__ import annotations

import argparse
import importlib
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from organizer.reduce.linear import pca
from organizer.reduce.neighbours import normalised
from organizer.reduce.projection import project
from organizer.types import Vectors

_OURS = "t-SNE, ours"


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    arguments = _arguments()
    loaded = np.load(arguments.file)
    rows = np.random.default_rng(0).permutation(len(loaded["vectors"]))[: arguments.at_most]
    vectors, labels = normalised(loaded["vectors"][rows]), loaded["labels"][rows]
    ways = _ways(vectors)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    maps = {}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            began, worked_before = time.perf_counter(), time.process_time()
            maps[name] = way()
            taken[name].append(time.perf_counter() - began)
            worked[name].append(time.process_time() - worked_before)
    print(f"{arguments.file.stem}: {vectors.shape[0]:,} x {vectors.shape[1]}")
    for name, xy in maps.items():
        ratio = np.array(worked[name]) / np.array(worked[_OURS])
        print(
            f"{name:24}{np.median(taken[name]):7.1f} s"
            f", of processors {np.median(worked[name]):6.1f} s{np.median(ratio):7.2f} x"
            f", first {taken[name][0]:6.1f} s"
            f"   trustworthiness {_trust(vectors, xy):.3f}   purity {_purity(xy, labels):.3f}",
            flush=True,
        )


def _ways(vectors: Vectors) -> dict[str, Callable[[], Any]]:
    from sklearn.manifold import TSNE

    def components() -> Vectors:
        return pca(n_components=50).fit_transform(vectors)

    def scikit() -> Any:
        rate = max(len(vectors) / 12, 50)
        return TSNE(init="pca", learning_rate=rate, max_iter=750, n_jobs=2, random_state=0)

    ways: dict[str, Callable[[], Any]] = {
        "PCA": lambda: project(vectors, method="pca"),
        _OURS: lambda: project(vectors, method="tsne"),
        "t-SNE, scikit-learn": lambda: scikit().fit_transform(components()),
    }
    if (peer := _peer("openTSNE")) is not None:
        options = {"n_jobs": 2, "random_state": 0, "negative_gradient_method": "fft"}
        ways["t-SNE, openTSNE"] = lambda: np.asarray(peer.TSNE(**options).fit(components()))
    if (umap := _peer("umap")) is not None:
        ways["UMAP, neighbours given"] = lambda: project(vectors, method="umap")
        ways["UMAP, umap-learn"] = lambda: umap.UMAP(random_state=0).fit_transform(components())
    return ways


def _peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _trust(vectors: Vectors, xy: Any) -> float:
    from sklearn.manifold import trustworthiness

    rows = slice(0, 3_000)
    return float(trustworthiness(vectors[rows], xy[rows], n_neighbors=10))


def _purity(xy: Any, labels: Any) -> float:
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=10).fit(xy).kneighbors()[1]
    return float((labels[nearest] == labels[:, None]).mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-most", type=int, default=10_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
