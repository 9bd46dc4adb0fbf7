"""Fine-tuning: a pretrained network learns to tell clusters apart by their reliable images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from organizer.training import PictureReader, TrainingProgress
from organizer.types import Labels, Vectors
from organizer_deep_clustering.devices import Batches, is_out_of_memory, too_large_error
from organizer_deep_clustering.pretrained import PretrainedNetwork
from organizer_deep_clustering.split_network import SplitNetwork, split_network

_AT_ONCE = 64
_BLOCK = 1 << 24
_LARGEST_IN_MEMORY = 1 << 30
"""Bytes of activations; more are kept in a file, where there is a folder for it."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a network is fine-tuned.

    Attributes:
        epochs: Passes over the reliable images a round.
        least_steps: Steps a round, where there are few reliable images.
        batch: Images in a step.
        head_rate: Learning rate of the layer of clusters.
        rate: Learning rate of the network.
        decay: Weight decay.
    """

    epochs: int = 8
    least_steps: int = 40
    batch: int = 64
    head_rate: float = 1e-3
    rate: float = 1e-4
    decay: float = 1e-2


class NotFiniteError(Exception):
    """The loss is no number any more."""


class FineTunedNetwork:
    """A network that is fine-tuned on images, whose activations before its trained half are kept.

    Args:
        network: The network to begin with.
        k: Number of clusters.
        trained: See `split_network`.
        tuning: How it is tuned.
        seed: Of the first weights of the layer of clusters, and of the order of images.
        device: Torch's name of the device.

    Attributes:
        readable: ``(n,)`` whether the picture of each image could be read, after `read`.
    """

    def __init__(
        self,
        network: PretrainedNetwork,
        *,
        k: int,
        trained: float,
        tuning: Tuning,
        seed: int,
        device: str,
    ) -> None:
        self._k, self._tuning, self._seed, self._device = k, tuning, seed, device
        self._preprocessing = network.preprocessing
        self._split: SplitNetwork = split_network(network.module.to(device), trained=trained)
        self._fresh = {n: t.clone() for n, t in self._split.back.state_dict().items()}
        self._head: Any = None
        self._batch = tuning.batch
        self._sweeps: Batches
        self._held: NDArray[Any] = np.empty((0,), dtype=np.uint8)
        self.readable: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)

    @property
    def module(self) -> Any:
        """The whole network."""
        return self._split.whole

    def read(
        self, pictures: PictureReader, n: int, *, folder: Path | None, progress: TrainingProgress
    ) -> None:
        """Read all pictures, and compute what the frozen half makes of them."""
        progress.begin("reading pictures", n)
        self._sweeps = Batches(_AT_ONCE, progress=progress)
        self.readable = np.zeros(n, dtype=np.bool_)
        preprocessing = self._preprocessing
        block: list[NDArray[np.uint8]] = []
        rows: list[int] = []
        self._held = np.empty((0,), dtype=np.uint8)
        for row, picture in pictures.read(preprocessing, min_side=preprocessing.min_side):
            progress.advance()
            if picture is None:
                continue
            rows.append(row)
            block.append(picture)
            if len(block) == _AT_ONCE:
                self._hold(rows, np.stack(block), n, folder)
                rows, block = [], []
        if block:
            self._hold(rows, np.stack(block), n, folder)

    def _hold(
        self, rows: list[int], pictures: NDArray[np.uint8], n: int, folder: Path | None
    ) -> None:
        held = self._front(pictures) if self._split.is_cut else pictures
        if not len(self._held):
            self._held = _room((n, *held.shape[1:]), held.dtype, folder)
        self._held[rows] = held
        self.readable[rows] = True

    def _front(self, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        import torch

        made: list[NDArray[np.float16]] = []

        def compute(rows: slice) -> None:
            values = self._split.front(self._normalised(pictures[rows]))
            made.append(values.to("cpu", torch.float16).numpy())

        with torch.inference_mode():
            self._sweeps.slices(len(pictures), compute)
        return np.concatenate(made)

    def _normalised(self, pictures: NDArray[np.uint8]) -> Any:
        import torch

        values = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float() / 255
        mean, std = (
            torch.tensor(figures, device=self._device).reshape(1, 3, 1, 1)
            for figures in (self._preprocessing.mean, self._preprocessing.std)
        )
        return (values - mean) / std

    def tune(
        self, rows: Labels, labels: Labels, *, round_number: int, progress: TrainingProgress
    ) -> float:
        """Fine-tune the pretrained network on images; returns the mean loss of the last pass.

        It begins with the pretrained weights each time (equation 14 of Dong and Wang 2018).

        Args:
            rows: ``(m,)`` the images; all of them are readable.
            labels: ``(m,)`` their clusters.
            round_number: Of the round, from 1: the order of images differs from round to round.
            progress: Receives what a person should know.

        Raises:
            NotFiniteError: The loss became infinite, or no number.
            ClusteringError: Not even one image at a time fits into the memory of the GPU.
        """
        while True:
            try:
                return self._tuned(rows, labels, round_number)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if self._batch == 1:
                    raise too_large_error() from error
                self._batch //= 2
                progress.note(
                    f"the GPU has too little memory: going on with {self._batch} images a step"
                )

    def _tuned(self, rows: Labels, labels: Labels, round_number: int) -> float:
        import torch

        tuning, back = self._tuning, self._split.back
        torch.manual_seed(self._seed + round_number)
        back.load_state_dict(self._fresh)
        with torch.no_grad():
            dim = back(self._values(rows[:1])).shape[1]
        self._head = torch.nn.Linear(dim, self._k).to(self._device)
        of_network = [p for p in back.parameters() if p.requires_grad]
        of_head = list(self._head.parameters())
        groups = [
            {"params": of_network, "lr": tuning.rate},
            {"params": of_head, "lr": tuning.head_rate},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=tuning.decay)
        of_a_pass = -(-len(rows) // self._batch)
        passes = max(tuning.epochs, -(-tuning.least_steps // of_a_pass))
        steps = passes * of_a_pass
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, [tuning.rate, tuning.head_rate], total_steps=max(steps, 2)
        )
        draw = np.random.default_rng([self._seed, round_number])
        mean = 0.0
        for _ in range(passes):
            losses = []
            for part in _batches(draw.permutation(len(rows)), self._batch):
                given = torch.from_numpy(labels[part]).to(self._device)
                scores = self._head(back(self._values(rows[part])))
                loss = torch.nn.functional.cross_entropy(scores, given)
                if not torch.isfinite(loss):
                    raise NotFiniteError
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
                optimiser.step()
                schedule.step()
                losses.append(float(loss.detach()))
            mean = float(np.mean(losses))
        if not all(bool(p.isfinite().all()) for p in (*of_network, *of_head)):
            raise NotFiniteError  # by the last step, whose loss was one still
        return mean

    def features(self) -> tuple[Vectors, NDArray[np.float32]]:
        """``(n, dim)`` features of all images and ``(n, k)`` scores of the clusters, both float32.

        Zeros where the picture cannot be read; the scores are zeros before the first tuning.
        """
        import torch

        n, rows = len(self.readable), np.flatnonzero(self.readable)
        scores = np.zeros((n, self._k), dtype=np.float32)
        found = np.empty((n, 0), dtype=np.float32)

        def compute(part: slice) -> None:
            nonlocal found
            values = self._split.back(self._values(rows[part]))
            if not found.shape[1]:
                found = np.zeros((n, values.shape[1]), dtype=np.float32)
            found[rows[part]] = values.float().cpu().numpy()
            if self._head:
                scores[rows[part]] = self._head(values).float().cpu().numpy()

        with torch.inference_mode():
            self._sweeps.slices(len(rows), compute)
        return found, scores

    def _values(self, rows: Labels) -> Any:
        import torch

        held = np.ascontiguousarray(self._held[rows])
        if not self._split.is_cut:
            return self._normalised(held)
        return torch.from_numpy(held).to(self._device).float()

    def state(self) -> dict[str, Any]:
        """A copy of the tensors of the trained half and of the layer of clusters."""
        back = {f"back.{name}": tensor for name, tensor in self._split.back.state_dict().items()}
        head = {f"head.{name}": tensor for name, tensor in self._head.state_dict().items()}
        return {name: tensor.cpu().numpy().copy() for name, tensor in (back | head).items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with a stored `state`."""
        import torch

        parts: dict[str, dict[str, Any]] = {"back": {}, "head": {}}
        for name, value in state.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = torch.from_numpy(np.array(value)).to(self._device)
        self._split.back.load_state_dict(parts["back"])
        self._head = torch.nn.Linear(parts["head"]["weight"].shape[1], self._k).to(self._device)
        self._head.load_state_dict(parts["head"])


def _room(shape: tuple[int, ...], dtype: Any, folder: Path | None) -> NDArray[Any]:
    """Zeros, in memory or, where they are many, in a file."""
    if folder is None or int(np.prod(shape)) * dtype.itemsize <= _LARGEST_IN_MEMORY:
        return np.zeros(shape, dtype=dtype)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "activations.npy"
    made: NDArray[Any] = np.lib.format.open_memmap(  # type: ignore[no-untyped-call, unused-ignore]
        file, mode="w+", dtype=dtype, shape=shape
    )
    # A file with holes has no room yet: a full disk would end the program with a signal.
    with file.open("r+b") as stream:
        _reserve(stream, file.stat().st_size)
    return made


def _reserve(stream: BinaryIO, size: int) -> None:
    """Take room on the disk for a file that is all zeros.

    Raises:
        OSError: There is too little.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, size)
        return
    at = stream.seek(0, os.SEEK_SET)
    while at < size:
        block = stream.read(min(_BLOCK, size - at))
        stream.seek(at)
        at += stream.write(block)


def _batches(rows: Labels, size: int) -> Iterator[Labels]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
