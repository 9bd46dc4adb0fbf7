"""Run a clusterer for a comparison."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from organizer import registry
from organizer.library.clustering.fit import CLUSTERERS, trains
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.training import PictureReader, TrainableClusterer, TrainedClusters, TrainingImages
from organizer.types import NOISE, Labels, PartSpec, Vectors


def takes_seed(algorithm: str) -> bool:
    """Whether a clusterer draws anything."""
    parameters = inspect.signature(registry.part_factory(CLUSTERERS, algorithm)).parameters
    return "random_state" in parameters or trains(algorithm)


@dataclass(frozen=True, slots=True)
class FittedCell:
    """The clusters of a run.

    Attributes:
        labels: ``(n,)`` int64 from 0, -1 for noise.
        trained: What a clusterer that trains made of the images; None of others.
    """

    labels: Labels
    trained: TrainedClusters | None = None


def fit_cell(
    algorithm: str,
    points: Vectors,
    k: int | None,
    seed: int,
    *,
    kept: bool,
    pictures: PictureReader,
    settings: Settings,
    progress: Progress,
    params: Mapping[str, object] | None = None,
) -> FittedCell:
    """Cluster points, or images where an algorithm trains on them.

    Args:
        algorithm: Name of the clusterer.
        points: ``(n, dim)``.
        k: Clusters to make; None for a clusterer that finds its own number.
        seed: Of what it draws.
        kept: Whether lengths count: K-means is then the plain one, not the spherical.
        pictures: Reads the pictures of the images.
        settings: Where weights may be, and where to compute.
        progress: Receives the progress of a training.
        params: Options of the clusterer's own.

    Raises:
        ClusteringError: The images cannot be clustered so.
        WeightsError: The weights that a training begins with are not here.
    """
    options: dict[str, object] = {
        "n_clusters": k, "random_state": seed, "weights": settings.weights,
    }  # fmt: skip
    if kept and (algorithm == "kmeans" or trains(algorithm)):
        options["metric"] = "euclidean"
    _, part = registry.create_part(CLUSTERERS, PartSpec(algorithm, params or {}), options=options)
    if not isinstance(part, TrainableClusterer):
        return FittedCell(_numbered(part.fit_predict(points)))
    trained = part.train(
        TrainingImages.undecided(
            points.astype(np.float32, copy=False),
            progress=progress,
            pictures=pictures if part.needs_pictures else None,
            device=settings.device,
        )
    )
    return FittedCell(_numbered(trained.labels), trained)


def _numbered(labels: Labels) -> Labels:
    """The labels without gaps, from 0; -1 for noise."""
    found, numbers = np.unique(np.asarray(labels, dtype=np.int64), return_inverse=True)
    return numbers.astype(np.int64) - (1 if found[0] == NOISE else 0)
