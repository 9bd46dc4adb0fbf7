"""What a clustering goes with besides what is in the photos: camera, light, bursts, brightness.

A camera trap sees one place for weeks, and an embedder sees the place too. Clusters that go with
cameras are places, not animals; this is where that is measured and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.scores import Explanation, Factor, Reason
from organizer.types import NOISE, Labels

MOSTLY = 0.9
"""Share of a cluster from which a sentence says what it mostly is."""

EXPECTED = 0.5
"""Share of all images up to which "mostly" is worth a word: where nine photos in ten are infrared,
so is every cluster."""

AT_HOME = 2 / 3
"""Share of a camera's images in clusters that are mostly its own from which these are places."""

_LEAST = 5
_VISIT = 0.5
_DEALS = 5
_BINS = 10


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of how the photos were taken, one entry an image.

    Attributes:
        cameras: ``(n,)`` int64, the number of the camera; NOISE where unknown.
        camera_names: By that number.
        infrared: ``(n,)`` int64, 1 for infrared, 0 for colour; NOISE where unknown.
        bursts: ``(n,)`` int64, the number of the burst; NOISE where unknown.
        brightness: ``(n,)`` float64, 0 to 1; NaN where unknown.
    """

    cameras: Labels
    camera_names: Sequence[str]
    infrared: Labels
    bursts: Labels
    brightness: NDArray[np.float64]


def explain(labels: Labels, taken: Circumstances, *, seed: int = 0) -> Explanation:
    """Measure what the clusters go with, and say it of those that go with it plainly.

    A factor is measured by the normalised mutual information (arithmetic mean) of clusters and its
    groups, and, since that is never quite 0, by the mean of five random deals of the same groups.
    Of bursts only those of two photos and more count: one photo alone tells nothing. Brightness is
    cut into tenths of the images.

    A sentence is said of a cluster of five images and more:

    - of one camera (90% and more, where that camera took at most half of all): that it is a place,
      not an animal, if two thirds of that camera's images lie in clusters that are mostly its own.
      An animal that only one camera sees leaves the camera's other images elsewhere;
    - of one light, where at most half of all images are of it;
    - of one burst for half and more: a visit;
    - from the darkest or the lightest tenth of all images: how dark it is, not what it shows.

    Args:
        labels: ``(n,)`` int64 clusters; NOISE for an unsure image, which does not count.
        taken: How the photos were taken.
        seed: Of the deals.
    """
    inside = labels != NOISE
    groups = {
        "camera": taken.cameras,
        "light": taken.infrared,
        "burst": _shared(taken.bursts),
        "brightness": _tenths(taken.brightness),
    }
    factors = [
        _factor(name, labels, np.where(inside, of, NOISE), seed=seed) for name, of in groups.items()
    ]
    unknown = [
        _UNKNOWN[name]
        for name, of in groups.items()
        if inside.any() and not (of[inside] >= 0).any()
    ]
    found = [factor for factor in factors if factor is not None]
    return Explanation(
        factors=tuple(sorted(found, key=lambda f: (f.by_chance - f.nmi, f.name))),
        reasons=tuple(_reasons(labels, taken)),
        unknown=tuple(unknown),
    )


_UNKNOWN = {
    "camera": "no photo tells its camera",
    "light": "whether photos are infrared was not measured when they were ingested",
    "burst": "no two photos are known to be of one burst",
    "brightness": "the brightness of the photos was not measured when they were ingested",
}


def _factor(name: str, labels: Labels, groups: Labels, *, seed: int) -> Factor | None:
    from sklearn.metrics import normalized_mutual_info_score

    known = np.flatnonzero(groups != NOISE)
    if not len(known):
        return None
    _, clusters = np.unique(labels[known], return_inverse=True)
    of = groups[known]
    draw = np.random.default_rng(seed)
    dealt = [normalized_mutual_info_score(draw.permutation(of), clusters) for _ in range(_DEALS)]
    count = len(np.unique(of))
    nmi = float(normalized_mutual_info_score(of, clusters))
    if count < 2 or len(np.unique(clusters)) < 2:
        # One group explains nothing; scikit-learn calls two trivial groupings equal.
        return Factor(name, 0.0, 0.0, count, len(known))
    return Factor(name, nmi, float(np.mean(dealt)), count, len(known))


def _shared(bursts: Labels) -> Labels:
    """Bursts of two photos and more."""
    known = bursts != NOISE
    sizes = np.bincount(bursts[known]) if known.any() else np.zeros(1, dtype=np.int64)
    return np.where(known & (sizes[np.where(known, bursts, 0)] > 1), bursts, NOISE)


def _tenths(brightness: NDArray[np.float64]) -> Labels:
    found = np.full(len(brightness), NOISE, dtype=np.int64)
    known = np.flatnonzero(~np.isnan(brightness))
    if len(known):
        edges = np.quantile(brightness[known], np.arange(1, _BINS) / _BINS)
        found[known] = np.searchsorted(edges, brightness[known], side="right")
    return found


def _reasons(labels: Labels, taken: Circumstances) -> list[Reason]:
    mains = {i: _mainly(labels, taken.cameras, i) for i in _large(labels)}
    at_home = _at_home(labels, taken.cameras, mains)
    tenths = _tenths(taken.brightness)
    reasons = []
    for cluster_id, main in mains.items():
        rows = np.flatnonzero(labels == cluster_id)
        said = [
            _of_camera(rows, main, taken, at_home),
            _of_burst(rows, taken.bursts),
            _of_brightness(rows, tenths),
        ]
        if said[0] is None:
            said.insert(0, _of_light(rows, taken.infrared, labels != NOISE))
        phrases = [phrase for phrase in said if phrase is not None]
        if phrases:
            text = "; ".join(text for text, _ in phrases)
            reasons.append(Reason(cluster_id, text, any(doubt for _, doubt in phrases)))
    return reasons


_Main = tuple[int, float]
"""The camera of most of a cluster's images, and their share."""

_Phrase = tuple[str, bool]
"""What is said, and whether it speaks against the cluster."""


def _large(labels: Labels) -> list[int]:
    ids, counts = np.unique(labels[labels != NOISE], return_counts=True)
    return [int(i) for i in ids[counts >= _LEAST]]


def _mainly(labels: Labels, groups: Labels, cluster_id: int) -> _Main | None:
    """The group that nearly all of a cluster is of, where that is not to be expected anyway."""
    mine = groups[labels == cluster_id]
    known = mine[mine != NOISE]
    everywhere = groups[(labels != NOISE) & (groups != NOISE)]
    if len(known) < max(_LEAST, len(mine) / 2):
        return None
    counts = np.bincount(known)
    group = int(counts.argmax())
    share = float(counts[group] / len(known))
    usual = float((everywhere == group).mean())
    return (group, share) if share >= MOSTLY and usual <= EXPECTED else None


def _at_home(labels: Labels, cameras: Labels, mains: dict[int, _Main | None]) -> set[int]:
    """Cameras most of whose images lie in clusters that are mostly their own."""
    found = set()
    for camera in {main[0] for main in mains.values() if main is not None}:
        own = [i for i, main in mains.items() if main is not None and main[0] == camera]
        its = labels[(cameras == camera) & (labels != NOISE)]
        if np.isin(its, own).mean() >= AT_HOME:
            found.add(camera)
    return found


def _of_camera(
    rows: Labels, main: _Main | None, taken: Circumstances, at_home: set[int]
) -> _Phrase | None:
    if main is None:
        return None
    camera, share = main
    light = taken.infrared[rows][taken.cameras[rows] == camera]
    known = light[light != NOISE]
    when = ""
    if len(known) and max(known.mean(), 1 - known.mean()) >= MOSTLY:
        when = " in infrared" if known.mean() > 0.5 else " in colour"
    said = f"{share:.0%} of one camera ({taken.camera_names[camera]}){when}"
    if camera in at_home:
        return f"{said}: a place, not an animal", True
    return f"{said}: the other cameras do not see it", False


def _of_light(rows: Labels, infrared: Labels, inside: NDArray[np.bool_]) -> _Phrase | None:
    known, usual = infrared[rows], infrared[inside]
    known, usual = known[known != NOISE], usual[usual != NOISE]
    if len(known) < max(_LEAST, len(rows) / 2):
        return None
    for light, word in ((1, "infrared"), (0, "colour")):
        share = float((known == light).mean())
        if share >= MOSTLY and float((usual == light).mean()) <= EXPECTED:
            return f"{share:.0%} {word}", False
    return None


def _of_burst(rows: Labels, bursts: Labels) -> _Phrase | None:
    known = bursts[rows][bursts[rows] != NOISE]
    if len(known) < max(_LEAST, len(rows) / 2):
        return None
    _, counts = np.unique(known, return_counts=True)
    share = float(counts.max() / len(rows))
    if share < _VISIT or counts.max() < _LEAST:
        return None
    return f"{share:.0%} of one burst: a visit of one animal, perhaps", share >= MOSTLY


def _of_brightness(rows: Labels, tenths: Labels) -> _Phrase | None:
    known = tenths[rows][tenths[rows] != NOISE]
    if len(known) < max(_LEAST, len(rows) / 2):
        return None
    for tenth, word in ((0, "darkest"), (_BINS - 1, "lightest")):
        share = float((known == tenth).mean())
        if share >= MOSTLY:
            return f"{share:.0%} from the {word} tenth of all images: an exposure, perhaps", True
    return None
