"""The training loop: stages of growing crops, checkpoints every few minutes, a log as text."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from organizer.embed.mini import WEIGHTS
from organizer.settings import available_cores
from training.batches import Batch, Recipe, batches
from training.photos import Pack, split
from training.student import Average, Student, cosine_loss, neighbour_loss, normalised
from training.teacher import Components, classifier
from training.unpack import unpacked
from training.watch import Watch

PACKED = "packed"
"""Names the weights that come with organizer, where a checkpoint is to be named."""

_SAVE_SECONDS = 120
_WARM_UP = 300
_DECAY = 0.05
_SAMPLE = 4000
_LOG_STEPS = 50
_TRY_STEPS = 50
_WATCH_STEPS = 200
_NAMES = ("vector", "scaled", "places", "neighbours", "classes")
_WEIGHTS = (1.0, 0.5, 0.5, 0.5, 0.15)
_TEMPERATURE = 2.0


@dataclass(frozen=True)
class Stage:
    """The end of a run, whichever of `until` and `minutes` comes first.

    Attributes:
        side: Pixels of the crops.
        until: Crops in all, with those of the checkpoint.
        minutes: Duration.
        decays: Whether the learning rate falls to zero over the stage. Otherwise it is constant,
            so that training can be resumed from the checkpoint.
    """

    side: int
    until: int
    minutes: float = math.inf
    decays: bool = False

    def left(self, *, seen: int, begun_with: int, seconds: float) -> float:
        """The remaining share of the stage, zero or less at its end."""
        of_crops = (self.until - seen) / max(self.until - begun_with, 1)
        return min(of_crops, 1 - seconds / 60 / self.minutes)


class Loss:
    """The distance of the network's outputs to the teacher's.

    Attributes:
        root: ``(DIM,)``: the factors from the network's vector to the teacher's.
    """

    def __init__(self, work: Path, weights: Path, *, device: str) -> None:
        self.root = torch.from_numpy(np.sqrt(Components.load(work).std)).float().to(device)
        weight, bias = classifier(weights)
        self._weight, self._bias = weight.to(device), bias.to(device)

    def __call__(self, answer: tuple[Any, Any, Any], batch: Batch) -> list[Any]:
        """The parts of the loss, named by `_NAMES`.

        The network's vector is the teacher's on its principal components, each divided by the root
        of its deviation: a compromise between raw components, of which a few dominate all
        distances, and whitened ones, of which most are noise.
        """
        vector, places, classes = answer
        maps = torch.from_numpy(batch.maps).to(vector.device)
        pooled = torch.from_numpy(batch.pooled).to(vector.device)
        theirs, vector = maps.mean((1, 2)), vector.float()
        there = functional.adaptive_avg_pool2d(
            maps.permute(0, 3, 1, 2) / self.root.view(-1, 1, 1), places.shape[2:]
        )
        return [
            cosine_loss(vector, theirs / self.root),
            cosine_loss(vector * self.root, theirs),
            cosine_loss(places, there),
            neighbour_loss(vector, theirs / self.root, temperature=0.1),
            self._classes(classes.float(), pooled),
        ]

    def _classes(self, ours: Any, pooled: Any) -> Any:
        """Distillation of classes (Hinton et al. 2015), for photos with pooled features."""
        theirs = (pooled @ self._weight.T + self._bias) / _TEMPERATURE
        each = functional.kl_div(
            (ours / _TEMPERATURE).log_softmax(1), theirs.log_softmax(1),
            log_target=True, reduction="none",
        ).sum(1)  # fmt: skip
        return _TEMPERATURE**2 * (each * (pooled.sum(1) > 0)).mean()


class Learner:
    """A network in training.

    Args:
        work: The working folder, with photos and the teacher's outputs.
        weights: The teacher's weights.
        name: The checkpoint in the working folder; an existing one is resumed.
        start: The checkpoint to start from where there is none of that name yet; `PACKED` are the
            weights that come with organizer.
        rate: The learning rate.
        device: Where it runs.
        threads: Threads on a processor; 0 for the fastest number.
    """

    def __init__(
        self,
        work: Path,
        weights: Path,
        *,
        name: str,
        rate: float,
        device: str,
        threads: int = 0,
        start: str = "",
    ) -> None:
        torch.manual_seed(0)
        self._pace = Pace(threads)
        self.work, self.file, self.rate, self.device = work, work / f"{name}.pt", rate, device
        self._loss = Loss(work, weights, device=device)
        self.network = Student().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = Average(self.network, keep=0.998)
        self._optimiser = torch.optim.AdamW(self._groups(), lr=rate, betas=(0.9, 0.99), fused=True)
        self.step = self.images = 0
        self._decaying: dict[str, float] | None = None
        self._rows, held_out = split(len(Pack(work)))
        self._watch = Watch(work, held_out)
        self._saved = time.monotonic()
        if self.file.exists():
            self._decaying = self._resume(self.file)
        elif start == PACKED:
            self._unpack(work, weights)
        elif start:
            self._resume(work / f"{start}.pt")

    def run(self, stage: Stage, recipe: Recipe) -> None:
        """Train to the end of a stage; an interrupted decaying one is resumed."""
        log, begun, begun_with = Log(self.images), time.monotonic(), self.images
        if stage.decays and self._decaying:
            begun_with = int(self._decaying["begun_with"])
            begun -= self._decaying["seconds"]
        left = stage.left(seen=self.images, begun_with=begun_with, seconds=time.monotonic() - begun)
        with batches(self.work, self._rows, recipe) as source:
            while left > 0:
                batch = next(source)
                with self._pace.step(self.step):
                    self._learn(batch, left if stage.decays else 1.0, log)
                seconds = time.monotonic() - begun
                left = stage.left(seen=self.images, begun_with=begun_with, seconds=seconds)
                if stage.decays:
                    self._decaying = {"begun_with": begun_with, "seconds": seconds}
                if self.step % _LOG_STEPS == 0 or left <= 0:
                    log.report(self, stage, watch=left <= 0 or self.step % _WATCH_STEPS == 0)
                if time.monotonic() - self._saved > _SAVE_SECONDS:
                    self.save()
        self._decaying = None
        self.save()

    def watched(self, side: int) -> dict[str, float]:
        """Scores of the averaged network on held-out photos."""
        return self._watch(self._vectors, side=side)

    def save(self) -> None:
        """Write the checkpoint atomically."""
        partial = self.file.with_suffix(".part")
        torch.save(
            {
                "net": self.network.state_dict(), "ema": self.mean.network.state_dict(),
                "opt": self._optimiser.state_dict(), "step": self.step, "images": self.images,
                "decaying": self._decaying,
            },
            partial,
        )  # fmt: skip
        partial.replace(self.file)
        self._saved = time.monotonic()

    def _resume(self, file: Path) -> dict[str, float] | None:
        """Load a checkpoint; return the progress of an interrupted decaying stage."""
        kept = torch.load(file, map_location=self.device, weights_only=True)
        self.network.load_state_dict(kept["net"])
        self.mean.network.load_state_dict(kept["ema"])
        self._optimiser.load_state_dict(kept["opt"])
        self.step, self.images = kept["step"], kept["images"]
        decaying: dict[str, float] | None = kept.get("decaying")
        return decaying

    # The norm at which AdamW's scale-invariant weights settle: what a step adds to it
    # and what the decay removes are then equal.
    def _unpack(self, work: Path, weights: Path) -> None:
        rows = self._rows[:: max(1, len(self._rows) // _SAMPLE)]
        size = math.sqrt(self.rate / (2 * _DECAY))
        found = unpacked(WEIGHTS, work, weights, size=size, rows=rows)
        for network in (self.network, self.mean.network):
            network.load_state_dict(found.state_dict())

    def _groups(self) -> list[dict[str, Any]]:
        """Weights decay; biases and the scales of normalised channels do not."""
        values = list(self.network.parameters())
        return [
            {"params": [value for value in values if value.ndim > 1], "weight_decay": _DECAY},
            {"params": [value for value in values if value.ndim <= 1], "weight_decay": 0.0},
        ]

    def _learn(self, batch: Batch, share: float, log: Log) -> None:
        self.network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = self.rate * min(1, (self.step + 1) / _WARM_UP) * share
        with torch.autocast(self.device, torch.bfloat16):
            answer = self.network(normalised(batch.pixels, self.device))
        parts = self._loss(answer, batch)
        self._optimiser.zero_grad()
        sum(weight * part for weight, part in zip(_WEIGHTS, parts, strict=True)).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        self._optimiser.step()
        self.mean.update(self.step)
        self.step += 1
        self.images += len(batch.pixels)
        log.add([float(part.detach()) for part in parts])

    @torch.no_grad()
    def _vectors(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.mean.network.eval()
        with torch.autocast(self.device, torch.bfloat16):
            vectors = self.mean.network.vectors(normalised(pixels, self.device))  # type: ignore[operator]
        found: NDArray[np.float32] = (vectors.float() * self._loss.root).cpu().numpy()
        return found


class Pace:
    """One thread, or one per core: whichever was faster in the last trial.

    On a busy machine, threads wait for each other at the end of every layer, and a single thread on
    any free core is several times as fast.
    """

    def __init__(self, threads: int) -> None:
        self._choices = [threads] if threads else sorted({1, available_cores()})
        self._seconds = dict.fromkeys(self._choices, 0.0)

    @contextmanager
    def step(self, number: int) -> Iterator[None]:
        """Context of one step."""
        place = number % _TRY_STEPS
        quickest = min(self._choices, key=self._seconds.__getitem__)
        threads = self._choices[place] if place < len(self._choices) else quickest
        torch.set_num_threads(threads)
        begun = time.monotonic()
        yield
        if place < len(self._choices):
            self._seconds[threads] = time.monotonic() - begun


class Log:
    """Means of the loss since the last line."""

    def __init__(self, images: int) -> None:
        self._parts: list[list[float]] = []
        self._begun, self._images = time.monotonic(), images

    def add(self, parts: list[float]) -> None:
        """Add the losses of one step."""
        self._parts.append(parts)

    def report(self, learner: Learner, stage: Stage, *, watch: bool) -> None:
        """Print a line, and reset the means."""
        rate = (learner.images - self._images) / (time.monotonic() - self._begun)
        parts = [f"{learner.images / 1000:.0f}k crops of {stage.side}, {rate:.0f}/s"]
        means = np.mean(self._parts, axis=0) if self._parts else np.full(len(_NAMES), np.nan)
        parts += [f"{name} {mean:.3f}" for name, mean in zip(_NAMES, means, strict=True)]
        if watch:
            scores = learner.watched(stage.side)
            parts += [f"held-out {name} {score:.3f}" for name, score in scores.items()]
        print(time.strftime("%H:%M:%S"), *parts, flush=True)
        self._parts.clear()
        self._begun, self._images = time.monotonic(), learner.images
