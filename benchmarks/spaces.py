"""K-means in different spaces, at the true number of clusters.

    python -m benchmarks.spaces VECTORS/*.npz --each 200

Each argument is an .npz file with `vectors` and `labels`; A.npz+B.npz are the vectors of two
embedders side by side, each of unit length. For each set and space: NMI / accuracy
(Hungarian); then the share of a held-back tenth that, assigned to clusters of the other nine
tenths, gets the cluster of a refit of everything (mean of two draws).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans as ScikitKMeans
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.labelled import Labelled, accuracy, contingency, load, long_tailed
from organizer.cluster.incremental import place_points, unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.reduce import none, pca, smooth, umap

SPACES: dict[str, Callable[[], Any]] = {
    "none": none,
    "pca:64": pca,
    "pca:128": lambda: pca(n_components=128),
    "smooth": smooth,
    "smooth, 15 neighbours": lambda: smooth(n_neighbors=15),
    "umap:10": umap,
}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    found = {_stem(name): _load(name, each=arguments.each) for name in arguments.files}
    sets = {name: item for name, (item, _) in found.items()}
    for seed in range(arguments.zipf):
        for name, (item, _) in found.items():
            sets[f"{name} zipf {seed}"] = long_tailed(item, seed=seed)
    parts = {name: lengths for name, (_, lengths) in found.items()}
    rows = {name: [_baseline(item) for item in sets.values()] for name in ["scikit-learn, raw"]}
    for name, make in SPACES.items():
        if name.startswith("umap") and not arguments.umap:
            continue
        rows[name] = [_score(make, item) for item in sets.values()]
    if any(len(lengths) > 1 for lengths in parts.values()):
        rows["smooth, by parts"] = [
            _score(partial(smooth, parts=parts[name.partition(" zipf")[0]]), item)
            for name, item in sets.items()
        ]
    print("sets: " + ", ".join(f"{name} ({len(s[0])})" for name, s in sets.items()))
    for name, scores in rows.items():
        cells = " ".join(f"{nmi:.3f}/{acc:.3f}/{held:.3f}" for nmi, acc, held in scores)
        print(f"{name:<22} {cells}   mean NMI {np.mean([s[0] for s in scores]):.3f}", flush=True)


def _stem(name: str) -> str:
    return Path(name.partition("+")[0]).stem


def _load(name: str, *, each: int | None) -> tuple[Labelled, list[int]]:
    """Vectors and labels, and the lengths of the vectors of each embedder."""
    loaded = [load(Path(part), each=each) for part in name.split("+")]
    labels = loaded[0][1]
    vectors = np.concatenate([unit_rows(vectors) for vectors, _ in loaded], axis=1)
    return (vectors, labels), [vectors.shape[1] for vectors, _ in loaded]


def _baseline(labelled: Labelled) -> tuple[float, float, float]:
    vectors, truth = labelled
    found = []
    for seed in range(3):
        kmeans = ScikitKMeans(int(truth.max()) + 1, n_init=10, random_state=seed)
        labels = kmeans.fit_predict(vectors).astype(np.int64)
        found.append((normalized_mutual_info_score(truth, labels), accuracy(truth, labels)))
    nmi, acc = np.mean(found, axis=0)
    return float(nmi), float(acc), float("nan")


def _score(make: Callable[[], Any], labelled: Labelled) -> tuple[float, float, float]:
    vectors, truth = labelled
    k = int(truth.max()) + 1
    labels = KMeans(n_clusters=k).fit_predict(unit_rows(make().fit_transform(vectors)))
    held = np.mean([_agreement(make, vectors, labels, k, seed) for seed in range(2)])
    return (
        float(normalized_mutual_info_score(truth, labels)),
        accuracy(truth, labels),
        float(held),
    )


def _agreement(make: Callable[[], Any], vectors: Any, refit: Any, k: int, seed: int) -> float:
    order = np.random.default_rng(seed).permutation(len(vectors))
    late, early = order[: len(order) // 10], order[len(order) // 10 :]
    reducer, kmeans = make(), KMeans(n_clusters=k)
    first = kmeans.fit_predict(unit_rows(reducer.fit_transform(vectors[early])))
    placed = place_points(
        unit_rows(reducer.transform(vectors[late])), kmeans.cluster_centers_
    ).nearest
    old, new = linear_sum_assignment(-contingency(first, refit[early]))
    match = dict(zip(old.tolist(), new.tolist(), strict=True))
    return float(np.mean([match.get(int(label), -1) for label in placed] == refit[late]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", metavar="FILE[+FILE]")
    parser.add_argument("--each", type=int, help="at most so many images of each class")
    parser.add_argument("--zipf", type=int, default=0, help="long-tailed versions, so many seeds")
    parser.add_argument("--umap", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
