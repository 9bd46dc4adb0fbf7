"""The stability of named clusters when new photos are ingested and the library is reclustered.

    python -m benchmarks.identity PHOTOS/wildcats PHOTOS/caltech20 --embedder mobilenet_v2

All photos together are one library. In each trial one class and 5% of the others are held back; the
rest is clustered with as many clusters as there are classes, and every cluster is named. Then the
held-back photos are ingested: printed are where they are assigned, and the effect of the following
recluster on the names.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.vectors import SPEC, append, ids_of, join, of_photos
from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.library import Library
from organizer.library.clustering.space import ClusterSpace, parse_reducer
from organizer.settings import DEFAULT_REDUCER, load_settings
from organizer.types import NOISE, Labels, Vectors


@dataclass(frozen=True)
class Trial:
    """The results of one trial."""

    held_back: str
    unmoved: float
    right: float
    unassigned: float
    new_unassigned: float
    novel: int
    novel_pure: float
    kept: float
    nmi: float
    nmi_cold: float


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.vectors:
        stored = [np.load(file) for file in arguments.vectors]
        vectors = np.concatenate([item["vectors"] for item in stored])
        names = zip(arguments.vectors, stored, strict=True)
        truth = np.concatenate([[f"{f.stem}/{c}" for c in item["labels"]] for f, item in names])
    else:
        vectors, truth = of_photos(arguments.folders, arguments.embedder)
    print(f"{len(vectors)} images, {len(np.unique(truth))} classes, {vectors.shape[1]} dimensions")
    print(
        f"{'held back':<32} {'unmoved':>7} {'right':>6} {'unassigned':>6} {'new unassigned':>10} "
        f"{'novel':>4} {'pure':>5} {'keep name':>9} {'NMI':>6} {'cold':>6}"
    )
    draw = np.random.default_rng(arguments.seed)
    trials = []
    for held_back in draw.permutation(np.unique(truth))[: arguments.trials]:
        trial = _trial(vectors, truth, str(held_back), seed=arguments.seed)
        trials.append(trial)
        _print(trial)
    _print(_mean(trials))


def _mean(trials: list[Trial]) -> Trial:
    names = [item.name for item in fields(Trial) if item.name not in {"held_back", "novel"}]
    means: dict[str, Any] = {n: float(np.mean([getattr(t, n) for t in trials])) for n in names}
    return Trial(held_back="mean", novel=round(np.mean([t.novel for t in trials])), **means)


def _trial(vectors: Vectors, truth: NDArray[np.str_], held_back: str, *, seed: int) -> Trial:
    draw = np.random.default_rng(seed)
    late = (truth == held_back) | (draw.random(len(truth)) < 0.05)
    ids = np.array(ids_of(np.arange(len(truth))))
    k = len(np.unique(truth[~late]))
    with (
        tempfile.TemporaryDirectory() as name,
        Library.open_or_create(Path(name), load_settings()) as library,
    ):
        append(library, ids[~late].tolist(), vectors[~late])
        library.recluster(k=k)
        before = _clusters(library)
        for cluster_id in set(before.values()):
            library.corrections.rename(cluster_id, f"name {cluster_id}")
        joined, finished = join(library, ids[late].tolist(), vectors[late])
        between = _clusters(library)
        library.recluster(k=k + 1)
        after = _clusters(library)
        classes = dict(zip(ids.tolist(), truth.tolist(), strict=True))
    unmoved = np.mean([between[i] == c for i, c in before.items()])
    kept = np.mean([after[i] == c for i, c in before.items()])
    majority = _majority(before, classes)
    known = np.array([classes[i] != held_back for i in joined.image_ids])
    sure = ~joined.unassigned
    right = [
        majority[c] == classes[i]
        for i, c in zip(
            joined.image_ids[known & sure], joined.cluster_ids[known & sure], strict=True
        )
    ]
    novel = {b.cluster_id for b in finished.novel}
    in_novel = [classes[i] == held_back for i, c in between.items() if c in novel]
    return Trial(
        held_back=held_back,
        unmoved=float(unmoved),
        right=float(np.mean(right)),
        unassigned=float(joined.unassigned[known].mean()),
        new_unassigned=float(joined.unassigned[~known].mean()),
        novel=len(novel),
        novel_pure=float(np.mean(in_novel)) if in_novel else 1.0,
        kept=float(kept),
        nmi=_nmi(truth, np.array([after[i] for i in ids])),
        nmi_cold=_nmi(truth, _cold(vectors, k + 1, seed=seed)),
    )


def _cold(vectors: Vectors, k: int, *, seed: int) -> Labels:
    _, points = ClusterSpace.fit(parse_reducer(DEFAULT_REDUCER), unit_rows(vectors), seed=seed)
    return KMeans(n_clusters=k, random_state=seed).fit_predict(points)


def _clusters(library: Library) -> dict[str, int]:
    current = library.store.clusterings.current()
    assert current is not None
    assert current.embedder == SPEC
    members = library.store.clusterings.assignments(current.clustering_id)
    return dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))


def _majority(clusters: dict[str, int], classes: dict[str, str]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for image_id, cluster_id in clusters.items():
        found.setdefault(cluster_id, []).append(classes[image_id])
    return {c: max(sorted(set(names)), key=names.count) for c, names in found.items() if c != NOISE}


def _nmi(truth: NDArray[np.str_], labels: Labels) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(truth, labels))


def _print(trial: Trial) -> None:
    print(
        f"{trial.held_back:<32} {trial.unmoved:>7.4f} {trial.right:>6.3f} {trial.unassigned:>6.3f} "
        f"{trial.new_unassigned:>10.3f} {trial.novel:>4} {trial.novel_pure:>5.2f} "
        f"{trial.kept:>9.4f} {trial.nmi:>6.3f} {trial.nmi_cold:>6.3f}",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", type=Path, nargs="*", help="a folder a set, in it one a class")
    parser.add_argument("--vectors", type=Path, nargs="*", help="or .npz files: vectors, labels")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
