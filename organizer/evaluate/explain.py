"""What a clustering goes with besides what is in the photos: camera, light, bursts, brightness.

A camera trap sees one place for weeks, and an embedder sees the place too. Clusters that go with
cameras may be places, or animals that one camera alone sees; this module measures and describes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Explanation, Factor, Labels, Reason

MOSTLY = 0.9
"""Share of a cluster from which a sentence describes what it mostly is."""

EXPECTED = 0.5
"""Share of all images up to which "mostly" is worth mentioning: where nine photos in ten are
infrared, so is every cluster."""

PLACE_FROM = 2 / 3
"""Share of a camera's images in clusters that are mostly its own from which these are places."""

_LEAST = 5
_VISIT = 0.5
_DEALS = 5
_MANY = 100_000
_BINS = 10
_WORTH_MENTIONING = 0.1


@dataclass(frozen=True, slots=True)
class CaptureFactors:
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


def explain_clusters(
    labels: Labels, taken: CaptureFactors, *, known: Collection[int] = (), seed: int = 0
) -> Explanation:
    """Measure what the clusters go with, and describe those that clearly do.

    A factor is measured by the normalised mutual information (arithmetic mean) of clusters and its
    groups, and, since that is never quite 0, by the mean of five random deals of the same groups
    (above 100,000 images, one).
    Of bursts only those of two photos and more count: one photo alone shows nothing. Brightness is
    cut into tenths of the images.

    Clusters of five images and more are described:

    - of one camera (90% and more, where that camera took at most half of all): that it may be the
      place, if two thirds of that camera's images lie in clusters that are mostly its own. A card
      with one species looks the same, so this is a question and no doubt, and it is not asked of
      clusters that a person named, nor of animals that were cut out;
    - of one light, where at most half of all images are of it;
    - of one burst for half and more: a visit;
    - from the darkest or the lightest tenth of all images: how dark it is, not what it shows.

    Args:
        labels: ``(n,)`` int64 clusters; NOISE for an unassigned image, which does not count.
        taken: How the photos were taken.
        known: The clusters of which it is known that they are animals: those that a person named,
            and all where crops are clustered.
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
        reasons=tuple(_reasons(labels, taken, known)),
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
    deals = _DEALS if len(known) <= _MANY else 1  # of many images every deal gives the same
    dealt = [normalized_mutual_info_score(draw.permutation(of), clusters) for _ in range(deals)]
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


_Main = tuple[int, float]
"""The camera of most of a cluster's images, and their share."""

_Phrase = tuple[str, bool]
"""The text, and whether it speaks against the cluster."""


def _reasons(labels: Labels, taken: CaptureFactors, known: Collection[int]) -> list[Reason]:
    members = _members(labels)
    inside = labels != NOISE
    cameras, lights = _shares(taken.cameras[inside]), _shares(taken.infrared[inside])
    mains = {i: _mainly(taken.cameras[rows], cameras) for i, rows in members.items()}
    place_cameras = _place_cameras(labels, taken.cameras, mains)
    tenths = _tenths(taken.brightness)
    reasons = []
    for cluster_id, rows in members.items():
        main, light = mains[cluster_id], taken.infrared[rows]
        candidates = [
            _of_light(light, lights)
            if main is None
            else _of_camera(
                main,
                light,
                lights,
                taken.camera_names,
                may_be_place=cluster_id not in known and main[0] in place_cameras,
            ),
            _of_burst(rows, taken.bursts),
            _of_brightness(rows, tenths),
        ]
        phrases = [phrase for phrase in candidates if phrase is not None]
        if phrases:
            text = "; ".join(text for text, _ in phrases)
            reasons.append(Reason(cluster_id, text, any(doubt for _, doubt in phrases)))
    return reasons


def _members(labels: Labels) -> dict[int, Labels]:
    """The rows of each cluster that is large enough to be described."""
    order = np.argsort(labels, kind="stable")
    ids, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    return {
        int(i): order[start : start + count]
        for i, start, count in zip(ids, starts, counts, strict=True)
        if i != NOISE and count >= _LEAST
    }


def _shares(groups: Labels) -> NDArray[np.float64]:
    """The share of each group among the images of which it is known, by its number."""
    known = groups[groups != NOISE]
    return np.bincount(known, minlength=2) / max(len(known), 1)


def _mainly(cameras: Labels, usual: NDArray[np.float64]) -> _Main | None:
    """The camera of nearly all of a cluster, where that is not to be expected anyway."""
    known = cameras[cameras != NOISE]
    if len(known) < max(_LEAST, len(cameras) / 2):
        return None
    counts = np.bincount(known)
    camera = int(counts.argmax())
    share = float(counts[camera] / len(known))
    return (camera, share) if share >= MOSTLY and usual[camera] <= EXPECTED else None


def _place_cameras(labels: Labels, cameras: Labels, mains: dict[int, _Main | None]) -> set[int]:
    """Cameras most of whose images lie in clusters that are mostly their own."""
    camera_of = np.full(int(labels.max(initial=0)) + 1, NOISE)
    for cluster_id, main in mains.items():
        if main is not None:
            camera_of[cluster_id] = main[0]
    seen = np.flatnonzero((labels != NOISE) & (cameras != NOISE))
    is_own = camera_of[labels[seen]] == cameras[seen]
    counts = np.bincount(cameras[seen])
    own = np.bincount(cameras[seen], is_own, minlength=len(counts))
    return {int(i) for i in np.flatnonzero((counts > 0) & (own >= PLACE_FROM * counts))}


def _of_camera(
    main: _Main,
    light: Labels,
    usual: NDArray[np.float64],
    names: Sequence[str],
    *,
    may_be_place: bool,
) -> _Phrase:
    camera, share = main
    text = f"{share:.0%} of one camera ({names[camera]}){_when(light, usual)}"
    if may_be_place:
        return f"{text}: may be the place: look", False
    return f"{text}: the other cameras do not see it", False


def _when(light: Labels, usual: NDArray[np.float64]) -> str:
    """In which light photos were taken, where there is more than one."""
    known = light[light != NOISE]
    for number, word in ((1, " in infrared"), (0, " in colour")):
        is_mixed = usual[1 - number] >= _WORTH_MENTIONING
        if is_mixed and len(known) and float((known == number).mean()) >= MOSTLY:
            return word
    return ""


def _of_light(light: Labels, usual: NDArray[np.float64]) -> _Phrase | None:
    known = light[light != NOISE]
    if len(known) < max(_LEAST, len(light) / 2):
        return None
    for number, word in ((1, "infrared"), (0, "colour")):
        share = float((known == number).mean())
        if share >= MOSTLY and usual[number] <= EXPECTED:
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
