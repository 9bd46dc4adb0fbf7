"""The automatic choice of k on labelled vectors.

    python -m benchmarks.choose_k VECTORS/*.npz --each 200 --zipf 3

Each argument is an .npz file with `vectors` and `labels`. k is chosen in the smoothed space among
the candidates for that number of images, and scored against the labels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)

from benchmarks.labelled import Labelled, joined, load, long_tailed, some_classes
from organizer.cluster.choose_k import candidate_ks, choose_k
from organizer.cluster.kmeans import KMeans
from organizer.reduce import smooth
from organizer.types import Labels, Vectors


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(
        f"{'set':<38} {'images':>6} {'true':>4} {'k':>3} {'2nd':>3} {'clear':>5} {'silh.':>5} "
        f"{'stab.':>5} {'ARI':>5} {'NMI':>5} {'AMI':>5}   at true k {'ARI':>5} {'NMI':>5} "
        f"{'AMI':>5} {'s':>5}"
    )
    for file in arguments.files:
        labelled = load(file, each=arguments.each)
        _row(file.stem, labelled)
        for seed in range(arguments.zipf):
            _row(f"{file.stem} zipf {seed}", long_tailed(labelled, seed=seed))
        for n in arguments.classes:
            _row(f"{file.stem} {n} classes", some_classes(labelled, n, seed=n))
    if arguments.joined:
        first, second = (load(file, each=arguments.each) for file in arguments.joined)
        _row("+".join(file.stem for file in arguments.joined), joined(first, second))


def _row(name: str, labelled: Labelled) -> None:
    vectors, truth = labelled
    n_classes = int(truth.max()) + 1
    begun = time.perf_counter()
    points = smooth().fit_transform(vectors)
    choice = choose_k(points, candidate_ks(len(points)), seed=0)
    seconds = time.perf_counter() - begun
    best = next(item for item in choice.candidates if item.chosen)
    at_k, at_true = _scores(points, truth, choice.k), _scores(points, truth, n_classes)
    print(
        f"{name:<38} {len(points):>6} {n_classes:>4} {choice.k:>3} {choice.second or 0:>3} "
        f"{'yes' if choice.clear else 'no':>5} {best.silhouette:5.2f} {best.stability or 0:5.2f} "
        f"{at_k}             {at_true} {seconds:5.1f}",
        flush=True,
    )


def _scores(points: Vectors, truth: Labels, k: int) -> str:
    labels = KMeans(n_clusters=k).fit_predict(points)
    measures = (
        adjusted_rand_score,
        normalized_mutual_info_score,
        adjusted_mutual_info_score,
    )
    return " ".join(f"{measure(truth, labels):5.3f}" for measure in measures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", type=Path, nargs="*", default=[])
    parser.add_argument("--each", type=int, help="at most so many images of each class")
    parser.add_argument("--zipf", type=int, default=0, help="long-tailed versions, so many seeds")
    parser.add_argument("--classes", type=int, nargs="*", default=[], help="random subsets")
    parser.add_argument("--joined", type=Path, nargs=2, help="two files as one set")
    return parser.parse_args()


if __name__ == "__main__":
    main()
