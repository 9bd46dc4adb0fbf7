"""The deep clustering network (DCN: Yang, Fu, Sidiropoulos and Hong 2017, arXiv 1610.04794).

An autoencoder learns features that lie near the centroids of K-means. Network, assignments and
centroids take turns, batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from organizer.library.progress import NoProgress
from organizer.training import TrainedClusters, TrainingImages
from organizer.types import Labels, PartOption, Vectors
from organizer_deep_clustering.autoencoder import PUBLISHED
from organizer_deep_clustering.checks import require_not_negative, require_positive
from organizer_deep_clustering.distances import row_blocks, squared_distances
from organizer_deep_clustering.network_options import SHARED_OPTIONS, layer_widths, round_options
from organizer_deep_clustering.optimizers import optimizer_tensors, restore_optimizer
from organizer_deep_clustering.pretraining import Pretraining, adam
from organizer_deep_clustering.starts import StartSpace, cluster_sums
from organizer_deep_clustering.training_run import Pretrained, TrainingRun

if TYPE_CHECKING:
    import torch


class Dcn:
    """The deep clustering network, with a person's decisions.

    Args:
        n_clusters: How many clusters. There are fewer where images cannot be distinguished.
        random_state: Seed; the same points and seed give the same clusters on the processor.
        layers: Widths of the encoder's layers behind the input, as numbers or as ``500-10``; the
            last are the features.
        layer_epochs: Epochs of pretraining of each layer by itself, as a denoising autoencoder.
        pretrain_epochs: Epochs of pretraining of all layers together.
        noise: Share of the inputs that is set to zero while a layer is trained by itself.
        pretrain_learning_rate: Of Adam in pretraining.
        learning_rate: Of Adam while features and clusters are trained together.
        batch_size: Images of a batch.
        max_rounds: Rounds at the most: passes through all images.
        tol: Training ends when no larger share of the images changed their cluster in a round.
        pull: Weight of the distance to the centroid, the paper's lambda.
        start_space: Where K-means is computed with which the clusters begin: in organizer's default
            space of the features ("smooth"), or as published of the features as they are ("none").
        n_init: Starts of K-means.
    """

    needs_pictures = False
    embedder_family = "trained"
    options: ClassVar[dict[str, PartOption]] = {
        **SHARED_OPTIONS,
        **round_options(learning_rate="0.001", max_rounds="50"),
        "pull": PartOption("weight of the distance to the centroid", "0.05"),
    }

    def __init__(
        self,
        *,
        n_clusters: int = 8,
        random_state: int = 0,
        layers: str | Sequence[int] = PUBLISHED,
        layer_epochs: int = 0,
        pretrain_epochs: int = 200,
        noise: float = 0.2,
        pretrain_learning_rate: float = 1e-3,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        max_rounds: int = 50,
        tol: float = 1e-3,
        pull: float = 0.05,
        start_space: StartSpace = "smooth",
        n_init: int = 20,
    ) -> None:
        require_positive(learning_rate=learning_rate)
        require_not_negative(pull=pull)
        self._learning_rate, self._pull = learning_rate, pull
        self._run = TrainingRun(
            algorithm="deep clustering network",
            n_clusters=n_clusters,
            widths=layer_widths(layers),
            pretraining=Pretraining(
                layer_epochs, pretrain_epochs, noise, batch_size, pretrain_learning_rate
            ),
            start_space=start_space,
            n_init=n_init,
            tol=tol,
            max_rounds=max_rounds,
            options={"learning_rate": learning_rate, "pull": pull},
            seed=random_state,
        )

    def train(self, images: TrainingImages, /) -> TrainedClusters:
        """See `organizer.training.TrainableClusterer`."""
        return self._run(images, self._model)

    def fit_predict(self, points: Vectors, /) -> Labels:
        """``(n, d)`` float32 to ``(n,)`` int64 labels, without decisions."""
        return self.train(TrainingImages.undecided(points, progress=NoProgress())).labels

    def _model(self, begin: Pretrained) -> DcnModel:
        return DcnModel(begin, learning_rate=self._learning_rate, pull=self._pull)


def moved_centroids(
    centroids: Vectors, counts: Labels, features: Vectors, labels: Labels
) -> tuple[Vectors, Labels]:
    """Centroids after a batch was assigned to them, and their new counts.

    Equation 8 of the paper moves a centroid towards each of its images in turn, by one over the
    number of images that it has had: ``m <- m - (m - z) / c``. After a batch it is the mean of all
    that it has had, which is computed at once.

    Args:
        centroids: ``(k, d)`` float32.
        counts: ``(k,)`` int64 how many images each has had.
        features: ``(b, d)`` float32 of the batch.
        labels: ``(b,)`` int64 the centroid of each.
    """
    sums, came = cluster_sums(features, labels, k=len(centroids))
    total = counts + came
    means = (centroids * counts[:, None] + sums) / np.maximum(total, 1)[:, None]
    moved = np.where(came[:, None] > 0, means, centroids)
    return moved.astype(np.float32), total


class DcnModel:
    """The autoencoder, the assignments and the centroids.

    Args:
        begin: See `Pretrained`.
        learning_rate: See `Dcn`.
        pull: See `Dcn`.
    """

    def __init__(self, begin: Pretrained, *, learning_rate: float, pull: float) -> None:
        self._begin, self._pull = begin, pull
        network = begin.network
        self._optimizer = adam(network.parameters(), learning_rate, device=network.device)
        start = begin.start
        self._centroids, self._labels = start.centroids, start.labels.copy()
        # K-means has assigned each image once.
        self._counts = np.bincount(start.labels, minlength=len(start.centroids)).astype(np.int64)

    def assign(self) -> Labels:
        """The nearest centroid of each image that no decision forbids (equation 5)."""
        features, k = self._begin.features(), len(self._centroids)
        labels = np.empty(len(features), dtype=np.int64)
        for block in row_blocks(len(features), k):
            labels[block] = self._nearest(features[block], np.arange(block.start, block.stop))
        self._labels = labels
        return labels.copy()

    def train_round(self, draw: np.random.Generator) -> float:
        """One pass through all images."""
        return self._begin.batches(draw.permutation(len(self._begin.points)), self._step)

    def _step(self, rows: Labels) -> torch.Tensor:
        """Network, assignments and centroids in turn, with one batch (algorithm 1)."""
        import torch

        network, points = self._begin.network, self._begin.points(rows)
        nearest = torch.from_numpy(self._centroids[self._labels[rows]]).to(network.device)
        self._optimizer.zero_grad(set_to_none=True)
        features = network.encode(points)
        # Equation 3, with the mean over the dimensions: lambda does not depend on their number.
        missed = (network.decode(features) - points).square().mean()
        apart = (features - nearest).square().sum(1).mean()
        loss = missed + self._pull / 2 * apart
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        self._optimizer.step()
        made = features.detach().cpu().numpy()
        if not np.isfinite(made).all():
            return loss.detach()  # it is no number either, which ends the training
        self._labels[rows] = self._nearest(made, rows)
        self._centroids, self._counts = moved_centroids(
            self._centroids, self._counts, made, self._labels[rows]
        )
        return loss.detach()

    def _nearest(self, features: Vectors, rows: Labels) -> Labels:
        distances = squared_distances(features, self._centroids)
        held = self._begin.decisions.of_rows(rows).held_distances(distances)
        return np.asarray(held.argmin(axis=1), dtype=np.int64)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `JointModel`."""
        return {
            **self._begin.network.tensors(),
            **optimizer_tensors(self._optimizer),
            "centroids": self._centroids.copy(),
            "counts": self._counts.copy(),
        }

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """See `JointModel`."""
        self._begin.network.restore(tensors)
        restore_optimizer(self._optimizer, tensors)
        self._centroids = np.array(tensors["centroids"], dtype=np.float32)
        self._counts = np.array(tensors["counts"], dtype=np.int64)

    def is_finite(self) -> bool:
        """See `JointModel`."""
        return self._begin.network.is_finite() and bool(np.isfinite(self._centroids).all())
