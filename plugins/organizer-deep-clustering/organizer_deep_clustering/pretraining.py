"""Pretraining of an autoencoder: layer by layer on damaged inputs, then all layers together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from organizer.training import TrainingProgress
from organizer_deep_clustering.autoencoder import Autoencoder
from organizer_deep_clustering.checkpoints import Checkpoint, Checkpoints
from organizer_deep_clustering.checks import require, require_not_negative, require_positive
from organizer_deep_clustering.devices import Batches, DevicePoints
from organizer_deep_clustering.optimizers import optimizer_tensors, restore_optimizer

if TYPE_CHECKING:
    import torch

    from organizer.types import Labels

_SAVED_EVERY = 10
"""Epochs between two checkpoints of a stage."""


@dataclass(frozen=True, slots=True)
class Pretraining:
    """How an autoencoder is pretrained.

    Attributes:
        layer_epochs: Epochs of each layer by itself, as a denoising autoencoder of what the layers
            below make (Vincent et al. 2010; Xie et al. 2016, section 3.3); 0 leaves them out.
        epochs: Epochs of all layers together, on inputs as they are.
        noise: Share of the inputs and features that is set to zero while a layer is by itself.
        batch_size: Images of a batch.
        learning_rate: Of Adam.

    Raises:
        SettingsError: One of them cannot be.
    """

    layer_epochs: int
    epochs: int
    noise: float
    batch_size: int
    learning_rate: float

    def __post_init__(self) -> None:
        require_not_negative(layer_epochs=self.layer_epochs, pretrain_epochs=self.epochs)
        require_positive(batch_size=self.batch_size, pretrain_learning_rate=self.learning_rate)
        require(0 <= self.noise < 1, f"noise cannot be {self.noise}", "from 0 to less than 1")

    def options(self) -> dict[str, Any]:
        """As JSON, to tell trainings apart."""
        return dict(asdict(self))

    def stages(self, layers: int) -> list[tuple[int | None, int]]:
        """Each stage: the layer that is by itself, None for all; and its epochs."""
        alone = [(layer, self.layer_epochs) for layer in range(layers) if self.layer_epochs]
        return [*alone, (None, self.epochs)]


def pretrain(
    network: Autoencoder,
    points: DevicePoints,
    how: Pretraining,
    *,
    batches: Batches,
    seed: int,
    checkpoints: Checkpoints,
    progress: TrainingProgress,
) -> None:
    """Pretrain a network, from where an interrupted pretraining ended.

    A stage in which the loss is no number any more ends with the epoch before.

    Args:
        network: Changed in place.
        points: What it learns to reconstruct.
        how: The options.
        batches: Go through the points.
        seed: Of the order of the images, and of the noise.
        checkpoints: Where epochs are kept; the round of a checkpoint counts those of all stages.
        progress: Is told of each epoch.
    """
    begun = checkpoints.load()
    stages = how.stages(len(network.encoder))
    at, done = (0, 0) if begun is None else (begun.about["stage"], begun.about["epochs"])
    if begun is not None:
        network.restore(begun.tensors)
    before = 0
    for number, (layer, epochs) in enumerate(stages):
        if number >= at:
            progress.begin(_task(layer, len(network.encoder)), epochs)
            stage = _Stage(network, points, how, layer=layer, batches=batches)
            first = done if number == at else 0
            if number == at and begun is not None:
                restore_optimizer(stage.optimizer, begun.tensors)
                progress.advance(first)
            for epoch in range(first, epochs):
                held = network.tensors()
                loss = stage.epoch(draw=np.random.default_rng([seed, 1, number, epoch]))
                diverged = not (np.isfinite(loss) and network.is_finite())
                if diverged:
                    network.restore(held)
                    progress.note(
                        f"pretraining has diverged in epoch {epoch + 1} and goes on with the state"
                        " before it: a smaller learning rate may help"
                    )
                finished = epochs if diverged else epoch + 1
                if finished % _SAVED_EVERY == 0 or finished == epochs:
                    about = {"stage": number, "epochs": finished}
                    tensors = {**network.tensors(), **optimizer_tensors(stage.optimizer)}
                    checkpoints.save(Checkpoint(before + finished, tensors, about))
                progress.advance(finished - epoch)
                if diverged:
                    break
        before += epochs


class _Stage:
    """One layer, or all of them, and what trains them."""

    def __init__(
        self,
        network: Autoencoder,
        points: DevicePoints,
        how: Pretraining,
        *,
        layer: int | None,
        batches: Batches,
    ) -> None:
        self._network, self._points, self._how = network, points, how
        self._layer, self._batches = layer, batches
        trained = network.parameters()
        if layer is not None:
            trained = [*network.encoder[layer], *network.decoder[-1 - layer]]
        self.optimizer = adam(trained, how.learning_rate, device=network.device)

    def epoch(self, *, draw: np.random.Generator) -> float:
        """One pass through all points in an order that is drawn; the mean loss."""
        loss_of = self._whole() if self._layer is None else self._alone(self._layer, draw)

        def step(rows: Labels) -> torch.Tensor:
            self.optimizer.zero_grad(set_to_none=True)
            loss = loss_of(self._points(rows))
            loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
            self.optimizer.step()
            return loss.detach()

        return self._batches(draw.permutation(len(self._points)), step)

    def _whole(self) -> Callable[[torch.Tensor], torch.Tensor]:
        network = self._network
        return lambda x: (network.decode(network.encode(x)) - x).square().mean()

    def _alone(
        self, layer: int, draw: np.random.Generator
    ) -> Callable[[torch.Tensor], torch.Tensor]:
        """The loss of one layer and its mirror image, on what the layers below make.

        Equations 4 and 5 of Xie et al. 2016: zeros in the input, and in the layer's features; the
        first layer's reconstructions and the last one's features are not rectified.
        """
        import torch

        network, share = self._network, self._how.noise
        generator = torch.Generator(network.device)
        generator.manual_seed(int(draw.integers(2**62)))

        def damaged(values: torch.Tensor) -> torch.Tensor:
            drawn = torch.rand(values.shape, generator=generator, device=values.device)
            return values * (drawn >= share) / (1 - share)

        def loss(points: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                given = network.encode(points, layers=layer)
            made = torch.nn.functional.linear(damaged(given), *network.encoder[layer])
            made = made if layer == len(network.encoder) - 1 else made.relu()
            again = torch.nn.functional.linear(damaged(made), *network.decoder[-1 - layer])
            again = again.relu() if layer else again
            return (again - given).square().mean()

        return loss


def adam(trained: list[torch.Tensor], rate: float, *, device: str) -> torch.optim.Optimizer:
    """Adam with the usual momenta."""
    import torch

    return torch.optim.Adam(trained, lr=rate, fused=device != "mps")


def _task(layer: int | None, layers: int) -> str:
    if layer is None:
        return "pretraining the autoencoder"
    return f"pretraining layer {layer + 1} of {layers}"
