"""A training from points to clusters: what deep clustering algorithms have in common.

An autoencoder is pretrained, K-means of its features gives the first clusters, and then an
algorithm trains features and clusters together, round by round, until few images change theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ClusteringError
from organizer.training import TrainedClusters, TrainingImages, TrainingProgress, TrainingSpace
from organizer.types import Labels, Vectors
from organizer_deep_clustering.autoencoder import Autoencoder
from organizer_deep_clustering.checkpoints import (
    Checkpoint,
    Checkpoints,
    training_fingerprint,
)
from organizer_deep_clustering.checks import (
    require,
    require_enough_images,
    require_not_negative,
    require_positive,
)
from organizer_deep_clustering.columns import Columns
from organizer_deep_clustering.decisions import HeldDecisions
from organizer_deep_clustering.devices import Batches, DevicePoints, torch_device
from organizer_deep_clustering.encoder import Encoder
from organizer_deep_clustering.pretraining import Pretraining, pretrain
from organizer_deep_clustering.starts import Start, StartSpace, kmeans_start

_MOST_AT_ONCE = 4_096
"""Images that are encoded at once, without training."""


class JointModel(Protocol):
    """Features and clusters that are trained together."""

    def assign(self) -> Labels:
        """``(n,)`` int64 the cluster of each image now, which keeps to the decisions."""
        ...

    def train_round(self, draw: np.random.Generator) -> float:
        """Train one round from the last assignment; the mean loss."""
        ...

    def tensors(self) -> dict[str, NDArray[Any]]:
        """A copy of all that training changes but the assignment."""
        ...

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """The inverse of `tensors`; other names are passed over."""
        ...

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What an algorithm begins its rounds with.

    Attributes:
        network: The pretrained network.
        points: ``(n, d)`` what it reconstructs.
        batches: Go through the points.
        sweeps: The same without training, in larger batches.
        decisions: Those about the clusters that there are.
        start: The first clusters.
    """

    network: Autoencoder
    points: DevicePoints
    batches: Batches
    sweeps: Batches
    decisions: HeldDecisions
    start: Start

    def features(self) -> Vectors:
        """``(n, features)`` float32 of all points, as the network is now."""
        return self.network.features(self.points, self.sweeps)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training.

    Attributes:
        algorithm: Its name, for a person.
        n_clusters: How many clusters; fewer where images cannot be distinguished.
        widths: Of the encoder's layers behind the input.
        pretraining: How the autoencoder is pretrained.
        start_space: Where the first K-means is computed.
        n_init: Starts of K-means.
        tol: The rounds end when no larger share of the images changed their cluster in one.
        max_rounds: They end after so many at the latest.
        options: The algorithm's other options: what tells this training from others.
        seed: Of all that is drawn.

    Raises:
        SettingsError: An option cannot be.
    """

    algorithm: str
    n_clusters: int
    widths: Sequence[int]
    pretraining: Pretraining
    start_space: StartSpace
    n_init: int
    tol: float
    max_rounds: int
    options: Mapping[str, Any]
    seed: int

    def __post_init__(self) -> None:
        require_positive(n_init=self.n_init)
        spaces = get_args(StartSpace)
        require(
            self.start_space in spaces,
            f"start-space cannot be {self.start_space!r}",
            " or ".join(spaces),
        )
        require_not_negative(max_rounds=self.max_rounds)

    def __call__(
        self, images: TrainingImages, make_model: Callable[[Pretrained], JointModel]
    ) -> TrainedClusters:
        """Cluster images and train a network on them.

        Raises:
            ClusteringError: They cannot be clustered so.
        """
        decisions = self._checked(images)
        device = torch_device(images.device)
        columns = Columns.fit(images.points)
        points = DevicePoints(columns(images.points), device=device)
        network = Autoencoder((len(columns.kept), *self.widths), seed=self.seed, device=device)
        batches, sweeps = (
            Batches(min(size, len(points)), progress=images.progress)
            for size in (self.pretraining.batch_size, _MOST_AT_ONCE)
        )
        checkpoints = self._checkpoints(images, "rounds", self._round_options())
        begun = checkpoints.load()
        if begun is None:
            pretrain(
                network,
                points,
                self.pretraining,
                batches=batches,
                seed=self.seed,
                checkpoints=self._checkpoints(images, "pretraining", self._pretraining_options()),
                progress=images.progress,
            )
            start = kmeans_start(
                network.features(points, sweeps),
                n_clusters=self.n_clusters,
                decisions=decisions,
                space=self.start_space,
                n_init=self.n_init,
                seed=self.seed,
            )
        else:
            start = Start.restored(begun.tensors)
        held = decisions.among(start.clusters)
        pretrained = Pretrained(network, points, batches, sweeps, held, start)
        labels, rounds = self._rounds(
            make_model(pretrained),
            begun=begun,
            checkpoints=checkpoints,
            start=start,
            progress=images.progress,
        )
        layers = [
            (weight.detach().cpu().numpy().copy(), bias.detach().cpu().numpy().copy())
            for weight, bias in network.encoder
        ]
        encoder = Encoder(columns, layers)
        about, tensors = kept_encoder(encoder, images.space)
        return TrainedClusters(
            labels=start.clusters[labels],
            features=pretrained.features(),
            algorithm=f"{self.algorithm} on {device}",
            rounds=rounds,
            about=about,
            tensors=tensors,
        )

    def _checked(self, images: TrainingImages) -> HeldDecisions:
        require_enough_images(len(images.points), self.n_clusters)
        if not np.isfinite(images.points).all():
            raise ClusteringError(
                "the vector of an image has something in it that is no number",
                "embed the images again, or use another embedder",
            )
        return HeldDecisions.checked(images.decided, images.banned, n_clusters=self.n_clusters)

    def _pretraining_options(self) -> dict[str, Any]:
        return {
            "widths": list(self.widths),
            "pretraining": self.pretraining.options(),
            "seed": self.seed,
        }

    def _round_options(self) -> dict[str, Any]:
        return {
            **self._pretraining_options(),
            "algorithm": self.algorithm,
            "n_clusters": self.n_clusters,
            "start_space": self.start_space,
            "n_init": self.n_init,
            "tol": self.tol,
            "max_rounds": self.max_rounds,
            **self.options,
        }

    def _checkpoints(
        self, images: TrainingImages, stage: str, options: Mapping[str, Any]
    ) -> Checkpoints:
        """Those of a stage: pretraining is the same whatever comes after it."""
        if images.checkpoints is None:
            return Checkpoints(None)
        bearing = [images.decided, images.banned] if stage == "rounds" else []
        training = training_fingerprint(options, images.points, *bearing)
        folder = images.checkpoints / stage
        return Checkpoints(folder, training=training, note=images.progress.note)

    def _rounds(
        self,
        model: JointModel,
        *,
        begun: Checkpoint | None,
        checkpoints: Checkpoints,
        start: Start,
        progress: TrainingProgress,
    ) -> tuple[Labels, int]:
        """Train until few images change their cluster.

        Args:
            model: Changed in place.
            begun: The checkpoint with which the rounds go on; None to begin.
            checkpoints: Where each round is kept.
            start: The first clusters, which go into each checkpoint.
            progress: Is told of each round.

        Returns:
            ``(n,)`` int64 labels, and the number of rounds.
        """
        rounds, settled = 0, False
        if begun is not None:
            model.restore(begun.tensors)
            rounds, settled = begun.round, bool(begun.about["settled"])
        labels = model.assign()
        progress.begin("training features and clusters together", self.max_rounds)
        progress.advance(rounds)
        while rounds < self.max_rounds and not settled:
            good = model.tensors()
            loss = model.train_round(np.random.default_rng([self.seed, 2, rounds]))
            if not (np.isfinite(loss) and model.is_finite()):
                model.restore(good)
                progress.note(
                    f"training has diverged in round {rounds + 1} and ends with the state before"
                    " it: a smaller learning rate may help"
                )
                break
            rounds += 1
            former, labels = labels, model.assign()
            settled = float(np.mean(labels != former)) <= self.tol
            checkpoints.save(
                Checkpoint(rounds, {**model.tensors(), **start.tensors()}, {"settled": settled})
            )
            progress.advance()
        return labels, rounds


def kept_encoder(
    encoder: Encoder, space: TrainingSpace | None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What makes an embedder of an encoder, as JSON and tensors; nothing without a space."""
    if space is None:
        return {}, {}
    parts = {
        name: {"name": spec.name, "params": dict(spec.params), "version": spec.version}
        for name, spec in (("embedder", space.embedder), ("reducer", space.reducer))
    }
    state = {f"space.{name}": np.asarray(array) for name, array in space.state.items()}
    return {**encoder.about(), "space": parts}, {**encoder.tensors(), **state}
