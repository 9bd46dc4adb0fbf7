"""Feature-weak-relevant clustering: clusters and a fine-tuned network, in turns.

B. Dong and X. Wang 2018, "A Transfer Learning based Feature-Weak-Relevant Method for Image
Clustering", Algorithm 1. Clusters of any features begin. Of each cluster the images nearest to its
centre are taken as reliable, a pretrained network is fine-tuned on them with the cluster as their
label, and it labels the others and gives the features of the next round. What is reliable stays so,
and each round takes more, until nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.metric_space import Metric
from organizer.errors import ClusteringError
from organizer.training import TrainedClusters, TrainingImages
from organizer.types import NOISE, Labels, PartOption, Vectors
from organizer_deep_clustering.boot import Boot, boot_labels
from organizer_deep_clustering.checkpoints import Checkpoint, Checkpoints
from organizer_deep_clustering.checks import require, require_enough_images
from organizer_deep_clustering.devices import torch_device
from organizer_deep_clustering.fine_tuning import FineTunedNetwork, NotFiniteError, Tuning
from organizer_deep_clustering.pretrained import network_state, pretrained_network
from organizer_deep_clustering.reliable import allowed_labels, centre_neighbours, relaxed_share

_DEFAULT_NETWORK = "efficientnet_lite2"


class Fwr:
    """Feature-weak-relevant clustering; see the module.

    Args:
        n_clusters: How many clusters.
        random_state: Seed; on a processor the same images and seed give the same clusters.
        metric: Of the first clusters, see `organizer.cluster.kmeans.KMeans`.
        weights: Where the weights of the network may be.
        boot: What makes the first clusters: "kmeans" or "gmm"; `first_clusters` where None.
        share: Of each cluster, what is taken as reliable in the first round (the published belief
            ratio): about the accuracy that the first clusters are expected to have at least.
        factor: What is added to the share each round (the published acceleration).
        max_rounds: Rounds at most; what is not reliable then keeps what the network said.
        network: The network to fine-tune, by the name of its embedder.
        side: Pixels of the square that it is given; 0 for that of its weights.
        trained: Share of its layers that are trained, the last ones; 1 for all.
        epochs: Passes over the reliable images a round.
    """

    first_clusters: ClassVar[Boot] = "kmeans"
    needs_pictures = True
    embedder_family = "trained"
    options: ClassVar[Mapping[str, PartOption]] = {
        "boot": PartOption("what makes the first clusters: kmeans or gmm", "kmeans"),
        "share": PartOption("share of each cluster that is reliable at first", "0.2"),
        "factor": PartOption("what is added to the share each round", "0.1"),
        "max-rounds": PartOption("rounds at most", "20"),
        "network": PartOption("the network that is fine-tuned", _DEFAULT_NETWORK),
        "side": PartOption("pixels of the square that it is given; 0: its own", "96"),
        "trained": PartOption("share of its layers that are trained; 1: all", "0.05"),
        "epochs": PartOption("passes over the reliable images a round", "4"),
    }

    def __init__(
        self,
        *,
        n_clusters: int = 8,
        random_state: int = 0,
        metric: Metric = "cosine",
        weights: Path | None = None,
        boot: Boot | None = None,
        share: float = 0.2,
        factor: float = 0.1,
        max_rounds: int = 20,
        network: str = _DEFAULT_NETWORK,
        side: int = 96,
        trained: float = 0.05,
        epochs: int = 4,
    ) -> None:
        require(0 < share <= 1, f"share cannot be {share}", "above 0 and at most 1")
        require(0 <= factor <= 1, f"factor cannot be {factor}", "from 0 to 1")
        require(0 < trained <= 1, f"trained cannot be {trained}", "above 0 and at most 1")
        require(max_rounds >= 1, f"max-rounds cannot be {max_rounds}", "1 or more")
        require(epochs >= 1, f"epochs cannot be {epochs}", "1 or more")
        require(side == 0 or side >= 32, f"side cannot be {side}", "32 or more, or 0")
        boot = boot or self.first_clusters
        require(boot in {"kmeans", "gmm"}, f"boot cannot be {boot!r}", "kmeans or gmm")
        self._k, self._seed, self._metric = n_clusters, random_state, metric
        self._weights, self._boot, self._network = weights, boot, network
        self._share, self._factor, self._max_rounds = share, factor, max_rounds
        self._side, self._trained, self._epochs = side, trained, epochs

    def fit_predict(self, _: Vectors, /) -> Labels:
        """Not possible: it trains on pictures.

        Raises:
            ClusteringError: Always.
        """
        raise _without_pictures()

    def train(self, images: TrainingImages, /) -> TrainedClusters:
        """See `organizer.training.TrainableClusterer`.

        Raises:
            ClusteringError: There are fewer images than clusters, no pictures, or training fails
                in its first round.
            WeightsMissingError: The weights of the network are not here.
        """
        if images.pictures is None:
            raise _without_pictures()
        n = len(images.points)
        require_enough_images(n, self._k)
        labels = boot_labels(
            images, k=self._k, boot=self._boot, metric=self._metric, seed=self._seed
        )
        network = FineTunedNetwork(
            pretrained_network(self._network, side=self._side, weights=self._weights),
            k=self._k,
            trained=self._trained,
            tuning=Tuning(epochs=self._epochs),
            seed=self._seed,
            device=torch_device(images.device),
        )
        network.read(images.pictures, n, folder=images.checkpoints, progress=images.progress)
        _require_readable(network, images)
        state = self._rounds(images, network, _State.first(images, labels, network.readable))
        return self._finished(network, state, labels)

    def _rounds(self, images: TrainingImages, network: FineTunedNetwork, state: _State) -> _State:
        """Steps S3 to S11 of the algorithm, from the last finished round on."""
        checkpoints = Checkpoints(images.checkpoints)
        if (kept := checkpoints.load()) is not None:
            state = _State.restored(kept)
            network.restore(state.network)
            state = replace(state, features=network.features()[0])
            images.progress.note(f"going on after round {kept.round}")
        images.progress.begin("training", None)
        while state.round < self._max_rounds and state.has_more(network.readable):
            rows = np.flatnonzero(~state.reliable & network.readable)
            # Nothing is known of a picture that cannot be read: it bears on no centre.
            labels = np.where(network.readable, state.labels, NOISE)
            share = relaxed_share(self._share, self._factor, rounds=state.round)
            taken = centre_neighbours(state.features, labels, rows, share=share)
            try:
                state = _next_state(images, network, state, taken)
            except NotFiniteError:
                if not state.round:
                    raise ClusteringError(
                        "training failed in its first round: the loss is no number any more",
                        "another --set network=NAME, or fewer layers: --set trained=0.1",
                    ) from None
                network.restore(state.network)
                images.progress.note(
                    f"round {state.round + 1}: the loss is no number any more; the clusters are "
                    f"those of round {state.round}"
                )
                break
            checkpoints.save(state.checkpoint())
            images.progress.advance()
        return state

    def _finished(
        self, network: FineTunedNetwork, state: _State, first_labels: Labels
    ) -> TrainedClusters:
        features = state.features if state.round else network.features()[0]
        about = {
            "kind": "network",
            "network": self._network,
            "side": self._side,
            "history": list(state.history),
        }
        tensors = {n: t.cpu().numpy() for n, t in network_state(network.module).items()}
        name = f"fwr: {self._boot}, then {self._network} fine-tuned"
        return TrainedClusters(
            labels=state.labels,
            features=features,
            algorithm=name,
            rounds=state.round,
            first_labels=first_labels,
            about=about,
            tensors=tensors,
        )


class FwrGmm(Fwr):
    """`Fwr` that begins with a Gaussian mixture."""

    first_clusters = "gmm"
    options: ClassVar[Mapping[str, PartOption]] = {
        **Fwr.options,
        "boot": PartOption("what makes the first clusters: kmeans or gmm", "gmm"),
    }


@dataclass(frozen=True, slots=True)
class _State:
    """The state after a round.

    Attributes:
        round: Its number; 0 before the first.
        labels: ``(n,)`` the clusters.
        reliable: ``(n,)`` whose label is final; never of a picture that cannot be read.
        features: ``(n, d)`` those of the network after the round; the points before the first.
        network: The trained tensors.
        history: For each round: reliable images, labels that changed.
    """

    round: int
    labels: Labels
    reliable: NDArray[np.bool_]
    features: Vectors
    network: dict[str, Any] = field(default_factory=dict)
    history: tuple[tuple[int, int], ...] = ()

    @classmethod
    def first(cls, images: TrainingImages, labels: Labels, readable: NDArray[np.bool_]) -> _State:
        """Before the first round: reliable is what a person decided."""
        return cls(0, labels, (images.decided != NOISE) & readable, images.points)

    def has_more(self, readable: NDArray[np.bool_]) -> bool:
        """Whether there is something to learn: images to take, or before the first round any."""
        return bool((~self.reliable & readable).any() or (not self.round and readable.any()))

    def checkpoint(self) -> Checkpoint:
        """To go on from later."""
        tensors = {
            "labels": self.labels,
            "reliable": self.reliable,
            "history": np.array(self.history, dtype=np.int64).reshape(-1, 2),
            **{f"network.{name}": tensor for name, tensor in self.network.items()},
        }
        return Checkpoint(self.round, tensors)

    @classmethod
    def restored(cls, kept: Checkpoint) -> _State:
        """The inverse of `checkpoint`, but for the features."""
        network = {
            name.removeprefix("network."): tensor
            for name, tensor in kept.tensors.items()
            if name.startswith("network.")
        }
        history = tuple((int(a), int(b)) for a, b in kept.tensors["history"])
        labels, reliable = (kept.tensors[name] for name in ("labels", "reliable"))
        unknown = np.empty((len(labels), 0), dtype=np.float32)
        return cls(kept.round, labels, reliable, unknown, network, history)


def _next_state(
    images: TrainingImages, network: FineTunedNetwork, state: _State, taken: Labels
) -> _State:
    """Steps S4 to S8: take images as reliable, fine-tune, label the rest anew."""
    reliable = state.reliable.copy()
    reliable[taken] = True
    # A picture may be gone since the training that goes on here took it as reliable.
    rows = np.flatnonzero(reliable & network.readable)
    number = state.round + 1
    network.tune(rows, state.labels[rows], round_number=number, progress=images.progress)
    features, scores = network.features()
    rest = np.flatnonzero(~reliable & network.readable)
    labels = state.labels.copy()
    if len(rest):
        labels[rest] = allowed_labels(scores[rest], rest, images.banned).argmax(axis=1)
    changed = int(np.count_nonzero(labels != state.labels))
    history = (*state.history, (len(rows), changed))
    return _State(number, labels, reliable, features, network.state(), history)


def _without_pictures() -> ClusteringError:
    return ClusteringError(
        "fwr trains on the pictures, and was given vectors alone",
        "organizer recluster --algorithm fwr, or Library.recluster",
    )


def _require_readable(network: FineTunedNetwork, images: TrainingImages) -> None:
    missing = int(np.count_nonzero(~network.readable))
    if missing == len(network.readable):
        raise ClusteringError(
            "no picture of these images can be read", "are the folders of the photos here?"
        )
    if missing:
        images.progress.note(
            f"{missing:,} pictures cannot be read: they keep the cluster of their vectors"
        )
