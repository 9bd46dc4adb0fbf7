"""Deep embedded clustering (DEC: Xie, Girshick and Farhadi 2016, arXiv 1511.06335).

An encoder learns to raise the confidence of its own clusters: each image belongs to each cluster by
a share that falls with the distance of its features, and the shares are drawn towards a target that
is sharper than they are.
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
from organizer_deep_clustering.pretraining import Pretraining
from organizer_deep_clustering.starts import StartSpace
from organizer_deep_clustering.training_run import Pretrained, TrainingRun

if TYPE_CHECKING:
    import torch

_PASSES = 20
"""Through all images with one target, at most. 140 batches are half a pass of the 70,000 images of
the paper, and would be 140 passes where all images are one batch: the target is stale by then."""


class Dec:
    """Deep embedded clustering, with a person's decisions.

    What differs from the paper: Adam and epochs instead of SGD for hundreds of thousands of steps
    in pretraining, by default without the layers by themselves; by default the space of the first
    K-means; the decisions.

    Args:
        n_clusters: How many clusters. There are fewer where images cannot be distinguished.
        random_state: Seed; the same points and seed give the same clusters on the processor.
        layers: Widths of the encoder's layers behind the input, as numbers or as ``500-10``; the
            last are the features.
        layer_epochs: Epochs of pretraining of each layer by itself, as a denoising autoencoder.
        pretrain_epochs: Epochs of pretraining of all layers together.
        noise: Share of the inputs that is set to zero while a layer is trained by itself.
        pretrain_learning_rate: Of Adam in pretraining.
        learning_rate: Of SGD with momentum 0.9 while features and clusters are trained together.
        batch_size: Images of a batch.
        round_steps: Batches of a round: between two updates of the target. Of few images there are
            fewer: no more than 20 passes through them.
        max_rounds: Rounds at the most.
        tol: Training ends when no larger share of the images changed their cluster in a round.
        reconstruction: Weight of the reconstruction's mean squared error beside the divergence: 0
            is DEC, 10 is IDEC (Guo, Gao, Liu and Yin 2017).
        start_space: Where K-means is computed with which the clusters begin: in organizer's default
            space of the features ("smooth"), or as published of the features as they are ("none").
        n_init: Starts of K-means.
    """

    needs_pictures = False
    embedder_family = "trained"
    options: ClassVar[dict[str, PartOption]] = {
        **SHARED_OPTIONS,
        **round_options(learning_rate="0.01", max_rounds="100"),
        "round-steps": PartOption("batches between two updates of the target", "140"),
        "reconstruction": PartOption("weight of the reconstruction: 0 is DEC, 10 is IDEC", "0"),
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
        learning_rate: float = 0.01,
        batch_size: int = 256,
        round_steps: int = 140,
        max_rounds: int = 100,
        tol: float = 1e-3,
        reconstruction: float = 0.0,
        start_space: StartSpace = "smooth",
        n_init: int = 20,
    ) -> None:
        require_positive(learning_rate=learning_rate, round_steps=round_steps)
        require_not_negative(reconstruction=reconstruction)
        self._learning_rate = learning_rate
        self._round_steps = round_steps
        self._reconstruction = reconstruction
        self._run = TrainingRun(
            algorithm="improved deep embedded clustering" if reconstruction else _NAME,
            n_clusters=n_clusters,
            widths=layer_widths(layers),
            pretraining=Pretraining(
                layer_epochs, pretrain_epochs, noise, batch_size, pretrain_learning_rate
            ),
            start_space=start_space,
            n_init=n_init,
            tol=tol,
            max_rounds=max_rounds,
            options={
                "learning_rate": learning_rate,
                "round_steps": round_steps,
                "reconstruction": reconstruction,
            },
            seed=random_state,
        )

    def train(self, images: TrainingImages, /) -> TrainedClusters:
        """See `organizer.training.TrainableClusterer`."""
        return self._run(images, self._model)

    def fit_predict(self, points: Vectors, /) -> Labels:
        """``(n, d)`` float32 to ``(n,)`` int64 labels, without decisions."""
        return self.train(TrainingImages.undecided(points, progress=NoProgress())).labels

    def _model(self, begin: Pretrained) -> DecModel:
        return DecModel(
            begin,
            learning_rate=self._learning_rate,
            round_steps=self._round_steps,
            reconstruction=self._reconstruction,
        )


_NAME = "deep embedded clustering"


def soft_assignment(features: Vectors, centroids: Vectors) -> NDArray[np.float32]:
    """Shares ``(n, k)`` float32 of features in clusters; rows sum to one.

    Student's t with one degree of freedom (equation 1 of the paper):
    ``q_ij = (1 + |z_i - m_j|^2)^-1 / sum_j'(...)``.
    """
    shares = np.empty((len(features), len(centroids)), dtype=np.float32)
    for rows in row_blocks(len(features), len(centroids)):
        kernel = 1 / (1 + squared_distances(features[rows], centroids))
        shares[rows] = kernel / kernel.sum(axis=1, keepdims=True)
    return shares


def target_distribution(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """The target ``(n, k)`` float32 of soft assignments; rows sum to one.

    Equation 3 of the paper: ``p_ij = (q_ij^2 / f_j) / sum_j'(...)`` with the clusters' frequencies
    ``f_j = sum_i q_ij``.
    """
    frequencies = shares.sum(axis=0, dtype=np.float64)
    frequencies = np.where(frequencies > 0, frequencies, 1)
    target = np.empty_like(shares)
    for rows in row_blocks(*shares.shape):
        sharp = np.square(shares[rows], dtype=np.float64) / frequencies
        target[rows] = sharp / sharp.sum(axis=1, keepdims=True)
    return target


class DecModel:
    """The encoder and the centroids, which the divergence from the target trains.

    Args:
        begin: See `Pretrained`.
        learning_rate: See `Dec`.
        round_steps: See `Dec`.
        reconstruction: See `Dec`.
    """

    def __init__(
        self, begin: Pretrained, *, learning_rate: float, round_steps: int, reconstruction: float
    ) -> None:
        import torch

        self._begin, self._round_steps = begin, round_steps
        self._reconstruction = reconstruction
        network, first = begin.network, begin.start.centroids
        self._centroids = torch.tensor(first, device=network.device, requires_grad=True)
        trained = [self._centroids, *network.parameters(decoder=reconstruction > 0)]
        self._optimizer = torch.optim.SGD(trained, lr=learning_rate, momentum=0.9)
        self._target: NDArray[np.float32]

    def assign(self) -> Labels:
        """Each image's greatest share; the target is that of these shares from now on."""
        begin = self._begin
        centroids = self._centroids.detach().cpu().numpy()
        shares = begin.decisions.held_shares(soft_assignment(begin.features(), centroids))
        # A decided share is one, and its target too: that of all others in its row is zero.
        self._target = target_distribution(shares)
        return np.asarray(shares.argmax(axis=1), dtype=np.int64)

    def train_round(self, draw: np.random.Generator) -> float:
        """Some batches with one target."""
        n, size = len(self._begin.points), self._begin.batches.size
        needed = min(self._round_steps * size, _PASSES * n)
        passes = [draw.permutation(n) for _ in range(-(-needed // n))]
        return self._begin.batches(np.concatenate(passes)[:needed], self._step)

    def _step(self, rows: Labels) -> torch.Tensor:
        import torch

        network, points = self._begin.network, self._begin.points(rows)
        target = torch.from_numpy(self._target[rows]).to(network.device)
        self._optimizer.zero_grad(set_to_none=True)
        features = network.encode(points)
        loss = divergence(target, features, self._centroids)
        if self._reconstruction:
            missed = (network.decode(features) - points).square().mean()
            loss = loss + self._reconstruction * missed
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        self._optimizer.step()
        return loss.detach()

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `JointModel`."""
        return {
            **self._begin.network.tensors(),
            **optimizer_tensors(self._optimizer),
            "centroids": self._centroids.detach().cpu().numpy().copy(),
        }

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """See `JointModel`."""
        import torch

        self._begin.network.restore(tensors)
        restore_optimizer(self._optimizer, tensors)
        with torch.no_grad():
            self._centroids.copy_(torch.from_numpy(np.array(tensors["centroids"])))

    def is_finite(self) -> bool:
        """See `JointModel`."""
        return self._begin.network.is_finite() and bool(self._centroids.isfinite().all())


def divergence(
    target: torch.Tensor, features: torch.Tensor, centroids: torch.Tensor
) -> torch.Tensor:
    """The mean over the images of KL(P || Q), equation 2 of the paper."""
    import torch

    squares = features.square().sum(1, keepdim=True) + centroids.square().sum(1)
    distances = (squares - 2 * features @ centroids.T).clamp_min(0)
    logits = -torch.log1p(distances)
    logs = logits - logits.logsumexp(1, keepdim=True)
    return (torch.xlogy(target, target) - target * logs).sum(1).mean()
