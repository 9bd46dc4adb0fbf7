"""What a clusterer that trains a network is given, and what it gives.

Such a clusterer is registered like any other, and is a `TrainableClusterer` besides: it learns
features of the images together with their clusters, and can keep what it learned as an embedder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from organizer.types import NOISE, Labels, PartSpec, Vectors

Prepare = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Prepares an upright RGB picture ``(h, w, 3)`` uint8 for a network."""


class TrainingProgress(Protocol):
    """Receives the progress of a training."""

    def begin(self, task: str, total: int | None) -> None:
        """A new task begins; `total` is None where the number of its steps is not known."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many more steps of the task are done."""
        ...

    def note(self, text: str) -> None:
        """Something that the person should read now: one line."""
        ...


class PictureReader(Protocol):
    """Reads the pictures of the images that are clustered."""

    def read(
        self, prepare: Prepare, *, min_side: int
    ) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
        """Each row and its prepared picture, in order; None where it cannot be read any more.

        Args:
            prepare: Called on several threads.
            min_side: Pixels of the shorter side that are enough.
        """
        ...


@dataclass(frozen=True, slots=True)
class TrainingSpace:
    """How the points of a training were made: what an embedder of them needs besides a network.

    Attributes:
        embedder: Whose vectors.
        reducer: What reduced them; its name is "none" where nothing did.
        state: What the reducer fitted, by name.
    """

    embedder: PartSpec
    reducer: PartSpec
    state: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """The images that are clustered, and what was decided about them.

    Clusters have numbers from 0. Those that a person decided about come first: cluster j is one of
    them where ``j < required``, and keeps its number.

    Attributes:
        points: ``(n, d)`` float32 the images in the clustering's space.
        decided: ``(n,)`` int64 the number of the cluster that a decision fixes; -1 for none.
            Training never contradicts it.
        banned: ``(m, 2)`` int64 rows, and numbers of clusters that they are not of.
        required: Number of clusters that decisions require; each has a decided image.
        pictures: Reads the pictures; None where there are vectors alone.
        space: How the points were made; None where nothing is to be kept of the training.
        device: Where to compute: "auto", "cpu", "cuda" or "mps".
        checkpoints: A folder of this training alone, where each finished round is kept, and from
            which an interrupted one goes on; None to keep nothing.
        progress: Receives the progress.
    """

    points: Vectors
    decided: Labels
    banned: Labels
    required: int
    progress: TrainingProgress
    pictures: PictureReader | None = None
    space: TrainingSpace | None = None
    device: str = "auto"
    checkpoints: Path | None = None

    @classmethod
    def undecided(cls, points: Vectors, *, progress: TrainingProgress, **others: Any) -> Self:
        """Images about which nothing was decided.

        Args:
            points: ``(n, d)`` float32.
            progress: Receives the progress.
            others: Further attributes, by name.
        """
        decided = np.full(len(points), NOISE, dtype=np.int64)
        banned = np.empty((0, 2), dtype=np.int64)
        return cls(points, decided, banned, 0, progress, **others)


@dataclass(frozen=True, slots=True)
class TrainedClusters:
    """Clusters, and the network that was trained with them.

    Attributes:
        labels: ``(n,)`` int64 the cluster of each image, as numbered in `TrainingImages`.
        features: ``(n, d)`` float32 the images in the space of the trained network.
        algorithm: What really ran, for a person.
        rounds: How many rounds of training.
        first_labels: ``(n,)`` the clusters of the points that it began with; None where it began
            with clusters of other features.
        about: What makes the network again, as JSON.
        tensors: Its tensors by their names.
    """

    labels: Labels
    features: Vectors
    algorithm: str
    rounds: int
    first_labels: Labels | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@runtime_checkable
class TrainableClusterer(Protocol):
    """A clusterer that trains a network.

    Attributes:
        needs_pictures: Whether it trains on the pictures, and not on the points alone.
        embedder_family: The family of the embedders that it saves; see `TrainedFamily`.
    """

    needs_pictures: bool
    embedder_family: str

    def train(self, images: TrainingImages, /) -> TrainedClusters:
        """Cluster images and train a network on them.

        Raises:
            ClusteringError: The images cannot be clustered so.
            WeightsMissingError: The weights of the network to begin with are not here.
        """
        ...


@runtime_checkable
class TrainedFamily(Protocol):
    """A family of embedders whose weights come from a training on this machine."""

    def file_of(self, name: str) -> Path:
        """Where the weights of an embedder lie, or would."""
        ...

    def save(self, name: str, trained: TrainedClusters) -> Path:
        """Keep a trained network as the embedder ``FAMILY:NAME``.

        Raises:
            SettingsError: There is one of that name, and it is another one.
        """
        ...
