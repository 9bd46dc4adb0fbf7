"""Small trainings, and what watches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.training import TrainingImages, TrainingSpace
from organizer.types import Labels, Vectors
from organizer_deep_clustering.dcn import Dcn
from organizer_deep_clustering.dec import Dec

SMALL: dict[str, Any] = {
    "layers": (16, 12, 3),
    "pretrain_epochs": 14,
    "batch_size": 40,
    "pretrain_learning_rate": 5e-3,
    "n_init": 3,
}


def small_dec(**options: Any) -> Dec:
    """DEC with a network that is trained in a moment."""
    return Dec(**{**SMALL, "n_clusters": 3, "round_steps": 6, "max_rounds": 6, **options})


def small_dcn(**options: Any) -> Dcn:
    """DCN with such a network."""
    return Dcn(**{**SMALL, "n_clusters": 3, "max_rounds": 6, "learning_rate": 1e-3, **options})


MAKERS: dict[str, Callable[..., Dec | Dcn]] = {"dec": small_dec, "dcn": small_dcn}


def blobs(n: int = 120, *, spread: float = 0.12, seed: int = 3) -> tuple[Vectors, Labels]:
    """Unit vectors around three directions in 12 dimensions, and the direction of each."""
    draw = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    points = np.eye(12)[truth * 4] + draw.normal(0, spread, (n, 12))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), truth.astype(np.int64)


class Watched:
    """Progress that is kept, and that may stop a training as a kill would.

    Args:
        stop_at: The step, counted over all tasks, at which it raises KeyboardInterrupt.
    """

    def __init__(self, stop_at: int | None = None) -> None:
        self.tasks: list[str] = []
        self.notes: list[str] = []
        self.steps = 0
        self._stop_at = stop_at

    def begin(self, task: str, total: int | None) -> None:
        assert total is None or total >= 0
        self.tasks.append(task)

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        if self._stop_at is not None and self.steps >= self._stop_at:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        assert len(text.splitlines()) == 1
        self.notes.append(text)


def images(
    points: Vectors,
    *,
    decided: dict[int, int] | None = None,
    banned: list[tuple[int, int]] | None = None,
    progress: Watched | None = None,
    checkpoints: Path | None = None,
    space: TrainingSpace | None = None,
) -> TrainingImages:
    """Points, what was decided about some rows, and where the training is kept."""
    fixed: NDArray[np.int64] = np.full(len(points), -1, dtype=np.int64)
    for row, cluster in (decided or {}).items():
        fixed[row] = cluster
    return TrainingImages(
        points=points,
        decided=fixed,
        banned=np.array(banned or [], dtype=np.int64).reshape(-1, 2),
        required=int(fixed.max(initial=-1)) + 1,
        progress=progress or Watched(),
        device="cpu",
        checkpoints=checkpoints,
        space=space,
    )
