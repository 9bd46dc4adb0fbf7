"""Clustering bursts instead of photos, on real and on simulated sequences.

    python -m benchmarks.bursts VECTORS/*.npz --photos CAMERATRAP --embedder mobilenet_v2
    python -m benchmarks.bursts VECTORS/*.npz --deviations 1 1.5 2 2.5 3

CAMERATRAP is a folder of STATION/SPECIES/photos with their times; nothing in it is simulated. Each
.npz file has `vectors` and `labels` of photos that were not taken in sequences: bursts are
SIMULATED by putting photos of one class together, each with those most similar ("alike") or at
random ("any"), and by exchanging some of them for photos of other classes. Real frames of a camera
are more similar in the background, and those of one animal in the animal.

For each: NMI / purity, by photos, at the true k and at the chosen k (in brackets; of simulated ones
for the first of three draws).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.labelled import Labelled, contingency, load
from organizer.cluster.choose_k import candidate_ks, choose_k
from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.cluster.pooling import burst_limit, group_bursts, pool_vectors
from organizer.library import Library
from organizer.reduce import smooth
from organizer.settings import load_settings
from organizer.types import NOISE, Labels, Vectors

SEEDS = range(3)
Score = tuple[float, float, int]


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.photos:
        _real(arguments.photos, arguments.embedder)
    for file in arguments.files:
        labelled = load(file, each=arguments.each)
        if arguments.deviations:
            _limits(file.stem, labelled, arguments.deviations)
        else:
            _simulated(file.stem, labelled)


def purity(truth: Labels, labels: Labels) -> float:
    """The share of images in the majority class of their cluster."""
    return float(contingency(labels, truth).max(axis=1).sum() / len(truth))


def clustered(photos: Path, embedder: str, **how: Any) -> tuple[list[Path], Labels, int]:
    """The files of photos in a library of their own, their clusters, and the observations."""
    with (
        tempfile.TemporaryDirectory() as name,
        Library.open_or_create(Path(name), load_settings()) as library,
    ):
        library.ingest([photos], embedder=embedder)
        report = library.recluster(**how)
        assert report.clustering_id is not None
        members = library.store.clusterings.assignments(report.clustering_id)
        files = library.store.photos.files_of()
    order = np.argsort(members.image_ids)
    paths = [files[members.image_ids[row]][0].file for row in order]
    return paths, members.cluster_ids[order], report.observations


def numbered(names: Sequence[str]) -> Labels:
    """Names as numbers."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


# Real sequences -------------------------------------------------------------------------------


def _real(photos: Path, embedder: str) -> None:
    print(f"real sequences: {photos.name}, {embedder}")
    for reduce in ("smooth", "none"):
        for name, bursts in (("photos", False), ("bursts", True)):
            cells = []
            for k in (_species(photos), "auto"):
                files, labels, n = clustered(photos, embedder, k=k, reduce=reduce, bursts=bursts)
                species = numbered([file.parent.name for file in files])
                cells.append(_cell(species, labels) + f" [{len(np.unique(labels))}]")
            print(f"  {reduce:<7} {name:<7} {n:>3} clustered: {'  '.join(cells)}", flush=True)


def _species(photos: Path) -> int:
    return len({file.parent.name for file in photos.rglob("*.JPG")})


def _cell(truth: Labels, labels: Labels) -> str:
    labels = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    score = normalized_mutual_info_score(truth, labels)
    return f"{score:.3f}/{purity(truth, labels):.3f}"


# Simulated sequences --------------------------------------------------------------------------

Way = Callable[[Vectors, Labels], tuple[Labels, bool]]


def _as_photos(vectors: Vectors, _: Labels) -> tuple[Labels, bool]:
    return np.arange(len(vectors), dtype=np.int64), False


def _hard(vectors: Vectors, bursts: Labels) -> tuple[Labels, bool]:
    return group_bursts(vectors, bursts, limit=float("nan")), False


def _soft(vectors: Vectors, bursts: Labels) -> tuple[Labels, bool]:
    return group_bursts(vectors, bursts, limit=burst_limit(vectors, bursts)), False


def _weighted(vectors: Vectors, bursts: Labels) -> tuple[Labels, bool]:
    return _soft(vectors, bursts)[0], True


WAYS: dict[str, Way] = {
    "photos": _as_photos,
    "bursts, whole": _hard,
    "bursts": _soft,
    "bursts by weight": _weighted,
}
"""Photo by photo; a burst is one whatever is in it; exchanged by themselves, as
`recluster --bursts` has it; the same with as much weight for each burst as it has photos."""


def _simulated(name: str, labelled: Labelled) -> None:
    vectors, truth = unit_rows(labelled[0]), labelled[1]
    print(f"SIMULATED bursts: {name}, {len(vectors)} photos, {truth.max() + 1} classes")
    for alike in (True, False):
        for share in (0.0, 0.05, 0.15):
            found: dict[str, list[Score]] = {way: [] for way in WAYS}
            chosen: dict[str, Score] = {}
            caught, lost, sizes = [], [], []
            for seed in SEEDS:
                bursts, strange = simulated(vectors, truth, share, alike=alike, seed=seed)
                alone = _alone(group_bursts(vectors, bursts, limit=burst_limit(vectors, bursts)))
                caught.append(alone[strange].mean() if strange.any() else np.nan)
                lost.append(alone[~strange & ~_alone(bursts)].mean())
                for way, make in WAYS.items():
                    points, numbers = _points(vectors, *make(vectors, bursts), seed)
                    k = int(truth.max()) + 1
                    found[way].append(_clustered(points, numbers, truth, k, seed))
                    if seed == SEEDS[0]:  # choosing takes most of the time
                        k = choose_k(points, candidate_ks(len(points)), seed=seed).k
                        chosen[way] = _clustered(points, numbers, truth, k, seed)
                sizes.append(len(vectors) / len(np.unique(bursts)))
            kind = "alike" if alike else "any"
            of_exchanged = f"found {np.mean(caught):.0%} of them, " if share else ""
            print(
                f"  {kind}, {share:.0%} exchanged, {np.mean(sizes):.1f} photos a burst: "
                f"{of_exchanged}mistook {np.mean(lost):.1%} of the others"
            )
            for way, scores in found.items():
                nmi, pure, k = chosen[way]
                mean = np.mean(scores, axis=0)
                print(f"    {way:<17} {mean[0]:.3f}/{mean[1]:.3f}  {nmi:.3f}/{pure:.3f} [{k}]")


def _limits(name: str, labelled: Labelled, limits: Sequence[float]) -> None:
    """Compare limits: NMI at the true k, exchanged photos found, others mistaken."""
    vectors, truth = unit_rows(labelled[0]), labelled[1]
    k = int(truth.max()) + 1
    print(f"limits in deviations, SIMULATED bursts: {name}, {len(vectors)} photos")
    for alike, share in ((a, s) for a in (True, False) for s in (0.0, 0.05, 0.15)):
        cells = []
        for deviations in limits:
            rows = []
            for seed in SEEDS:
                bursts, strange = simulated(vectors, truth, share, alike=alike, seed=seed)
                limit = burst_limit(vectors, bursts, deviations=deviations)
                numbers = group_bursts(vectors, bursts, limit=limit)
                points, numbers = _points(vectors, numbers, False, seed)
                alone = _alone(numbers)
                found = alone[strange].mean() if strange.any() else 0.0
                others = alone[~strange & ~_alone(bursts)].mean()
                rows.append((_clustered(points, numbers, truth, k, seed)[0], found, others))
            nmi, found, others = np.mean(rows, axis=0)
            cells.append(f"{deviations:g}: {nmi:.3f} {found:.0%} {others:.0%}")
        kind = "alike" if alike else "any"
        print(f"  {kind:<5} {share:>3.0%} exchanged   {'   '.join(cells)}", flush=True)


def simulated(
    vectors: Vectors, truth: Labels, share: float, *, alike: bool, seed: int
) -> tuple[Labels, NDArray[np.bool_]]:
    """Bursts of photos of one class, of which some are then exchanged for those of another class.

    Sizes are 1 plus a Poisson number with mean 3. At most one photo of a burst is exchanged.

    Returns:
        The burst of each photo, and whether it was exchanged for one of another class.
    """
    draw = np.random.default_rng(seed)
    bursts = np.full(len(vectors), NOISE, dtype=np.int64)
    count = 0
    for label in range(int(truth.max()) + 1):
        left = draw.permutation(np.flatnonzero(truth == label))
        while len(left):
            if alike:
                left = left[np.argsort(-(vectors[left] @ vectors[left[0]]), kind="stable")]
            size = 1 + int(draw.poisson(3))
            bursts[left[:size]] = count
            left, count = draw.permutation(left[size:]), count + 1
    strange = np.zeros(len(vectors), dtype=np.bool_)
    parted: set[int] = set()
    sizes = np.bincount(bursts)
    for _ in range(20 * len(vectors)):
        if strange.sum() >= share * len(vectors):
            break
        one, other = draw.choice(len(vectors), 2, replace=False)
        pair = {int(bursts[one]), int(bursts[other])}
        if truth[one] != truth[other] and not pair & parted and sizes[list(pair)].min() > 2:
            bursts[[one, other]] = bursts[[other, one]]
            strange[[one, other]] = True
            parted |= pair
    return bursts, strange


def _points(
    vectors: Vectors, numbers: Labels, by_weight: bool, seed: int
) -> tuple[Vectors, Labels]:
    """The observations, and the row of each photo in them."""
    means = pool_vectors(vectors, numbers)
    if by_weight:
        means, numbers = means[numbers], np.arange(len(vectors), dtype=np.int64)
    return unit_rows(smooth(random_state=seed).fit_transform(means)), numbers


def _clustered(points: Vectors, numbers: Labels, truth: Labels, k: int, seed: int) -> Score:
    """NMI and purity of the photos, and k."""
    labels = KMeans(n_clusters=k, random_state=seed).fit_predict(points)[numbers]
    return float(normalized_mutual_info_score(truth, labels)), purity(truth, labels), k


def _alone(numbers: Labels) -> NDArray[np.bool_]:
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] == 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--photos", type=Path, help="camera-trap photos: STATION/SPECIES/FILE")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--deviations", type=float, nargs="+", help="compare limits")
    parser.add_argument("--each", type=int, help="at most so many images of each class")
    return parser.parse_args()


if __name__ == "__main__":
    main()
