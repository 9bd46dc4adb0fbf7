"""Whether a new image fits a cluster: by how far the cluster's own members lie from each other.

The distance to a centroid tells little about that: in a cluster of a thousand lions a leopard lies
no farther from the centre than a lion in a corner does, but it has no near neighbour. So some
members of each mode, its exemplars, are kept, and a new image's mean distance to the three nearest
of them is compared with what the other members have (nearest-neighbour distances as a measure of
novelty: Ramaswamy, Rastogi and Shim 2000, SIGMOD; with deep features: Sun et al. 2022,
arXiv 2204.06507). `benchmarks/identity.py` shows what that finds on photos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from organizer.types import ClusterModels, Exemplars, Labels, Vectors

LIMIT = 2.0
"""Standard deviations beyond the mean at which an image fits no more: about one member in twenty
lies farther out."""

AMBIGUOUS = 0.5
"""Standard deviations of the distances to the centroid: where the second nearest cluster is no
farther behind than that, the nearest is right about every other time on labelled photos."""

_NEIGHBOURS = 3
_EXEMPLARS, _FEWEST_EXEMPLARS, _EXEMPLARS_IN_ALL = 64, 8, 20_000
_MEASURED = 1_000
_LEAST_DEVIATION = 1e-4  # what half precision cannot tell apart is alike
_PRIOR = 8
"""Members that the usual figures of the library count for: a small cluster's own are uncertain."""


def calibrate(
    models: ClusterModels,
    vectors: Vectors,
    labels: Labels,
    *,
    seed: int,
    usual: ClusterModels | None = None,
) -> tuple[ClusterModels, Exemplars]:
    """Choose exemplars and measure how far the members lie from them.

    A member that is an exemplar itself is not compared with itself.

    Args:
        models: The clusters.
        vectors: ``(n, dim)`` float32 or float16 of unit length, in the embedder's own space.
        labels: ``(n,)`` the row of each image's mode in `models`; NOISE is left out.
        seed: Of the choice.
        usual: Other clusters of the library, whose figures complete those of small ones; `models`
            itself where None.

    Returns:
        The clusters with their fit, and the exemplars.
    """
    each = min(_EXEMPLARS, max(_FEWEST_EXEMPLARS, _EXEMPLARS_IN_ALL // max(len(models), 1)))
    chosen: list[Labels] = []
    means, deviations = np.full(len(models), np.nan), np.full(len(models), np.nan)
    seen = np.zeros(len(models), dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(len(models) + 1))
    for row in range(len(models)):
        draw = np.random.default_rng([seed, int(models.mode_ids[row])])
        members = draw.permutation(order[bounds[row] : bounds[row + 1]])
        chosen.append(members[:each])
        known = vectors[members[:each]].astype(np.float16).astype(np.float32)
        found = _to_exemplars(vectors[members[:_MEASURED]], known, own=True)
        if len(found):
            means[row], deviations[row], seen[row] = found.mean(), found.std(), len(found)
    fit_means, fit_deviations = _smoothed(means, deviations, seen, usual)
    picked = np.concatenate(chosen) if chosen else np.empty(0, np.int64)
    exemplars = Exemplars(
        np.repeat(models.mode_ids, [len(part) for part in chosen]),
        vectors[picked].astype(np.float16),
    )
    return replace(models, fit_means=fit_means, fit_deviations=fit_deviations), exemplars


def misfit(
    models: ClusterModels, exemplars: Exemplars, vectors: Vectors, rows: Labels
) -> NDArray[np.float64]:
    """How far images lie from the exemplars of a mode, in deviations beyond what its members do.

    Args:
        models: The clusters.
        exemplars: Their exemplars.
        vectors: ``(n, dim)`` float32 or float16 of unit length, in the embedder's own space.
        rows: ``(n,)`` the row of the mode to compare each with.

    Returns:
        ``(n,)``; beyond `LIMIT` an image does not fit. 0 where a mode has no exemplars.
    """
    distances = exemplar_distance(models, exemplars, vectors, rows)
    spread = np.maximum(models.fit_deviations[rows], _LEAST_DEVIATION)
    found = (distances - models.fit_means[rows]) / spread
    return np.where(np.isfinite(distances), found, 0.0)


def exemplar_distance(
    models: ClusterModels, exemplars: Exemplars, vectors: Vectors, rows: Labels
) -> NDArray[np.float64]:
    """Mean cosine distance of images to the three nearest exemplars of a mode; see `misfit`.

    Returns:
        ``(n,)``; infinite where a mode has no exemplars.
    """
    found = np.full(len(vectors), np.inf)
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], np.arange(len(models) + 1))
    by_mode = np.argsort(exemplars.mode_ids, kind="stable")
    sorted_modes = exemplars.mode_ids[by_mode]
    for row in np.unique(rows):
        mine = order[bounds[row] : bounds[row + 1]]
        first, last = np.searchsorted(sorted_modes, models.mode_ids[row] + np.arange(2))
        known = exemplars.vectors[by_mode[first:last]].astype(np.float32)
        if len(known):
            found[mine] = _to_exemplars(vectors[mine], known, own=False)
    return found


def is_ambiguous(
    models: ClusterModels, rows: Labels, margins: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether images fit another cluster almost as well as the nearest one.

    Args:
        models: The clusters.
        rows: ``(n,)`` the row of each image's nearest mode.
        margins: ``(n,)`` how much farther the nearest other cluster is.
    """
    usual = float(np.median(models.deviations)) if len(models) else 0.0
    deviations = np.maximum(models.deviations, usual / 2)[rows]
    return np.asarray(margins < AMBIGUOUS * deviations)


def _to_exemplars(vectors: Vectors, exemplars: Vectors, *, own: bool) -> NDArray[np.float64]:
    """Mean distance to the nearest three; the first rows are the exemplars where `own`."""
    vectors = vectors.astype(np.float32, copy=False)
    if len(exemplars) <= int(own):
        return np.empty(0)
    distances = np.maximum(1 - vectors @ exemplars.T, 0)
    if own:
        np.fill_diagonal(distances, np.inf)
    most = min(_NEIGHBOURS, len(exemplars) - int(own))
    nearest = np.partition(distances, most - 1, axis=1)[:, :most]
    return np.asarray(nearest.mean(axis=1, dtype=np.float64))


def _smoothed(
    means: NDArray[np.float64],
    deviations: NDArray[np.float64],
    seen: Labels,
    usual: ClusterModels | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A cluster's own figures and the usual ones, weighted by how many members were measured."""
    known = seen > 1
    if usual is not None and len(usual):
        usual_mean = float(np.median(usual.fit_means))
        usual_deviation = float(np.median(usual.fit_deviations))
    elif known.any():
        usual_mean = float(np.median(means[known]))
        usual_deviation = float(np.median(deviations[known]))
    else:
        usual_mean, usual_deviation = 0.0, 0.0
    weight = seen / (seen + _PRIOR)
    mixed = weight * np.nan_to_num(means) + (1 - weight) * usual_mean
    # Deviations are mixed as variances; where every member is alike, half of the usual one is left.
    variance = weight * np.nan_to_num(deviations) ** 2 + (1 - weight) * usual_deviation**2
    return mixed, np.maximum(np.sqrt(variance), usual_deviation / 2)
