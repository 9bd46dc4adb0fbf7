"""Where a network is trained, and batches that fit into the memory there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from organizer.errors import ClusteringError, PluginError
from organizer.training import TrainingProgress
from organizer.types import Labels, Vectors

if TYPE_CHECKING:
    import torch

_HELD = 2**30
"""Bytes of points up to which they are copied to the device once, and not batch by batch."""


def torch_device(wanted: str) -> str:
    """A device as torch names it: "cuda", "mps" or "cpu".

    Args:
        wanted: One of them; "auto" is the first that is there.

    Raises:
        PluginError: There is no such device on this machine.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, is_there in there.items() if is_there)
    if not there.get(wanted):
        raise PluginError(
            f"there is no device {wanted!r} on this machine", "use --device auto or --device cpu"
        )
    return wanted


class DevicePoints:
    """Points of which a network is given some rows at a time.

    Args:
        points: ``(n, d)`` float32.
        device: As torch names it.
    """

    def __init__(self, points: Vectors, *, device: str) -> None:
        import torch

        self.device = device
        tensor = torch.from_numpy(points if points.flags.writeable else points.copy())
        held = device != "cpu" and points.nbytes <= _HELD
        self._tensor = tensor.to(device) if held else tensor

    def __len__(self) -> int:
        return len(self._tensor)

    def __call__(self, rows: Labels | slice) -> torch.Tensor:
        """Some rows ``(b, d)`` on the device."""
        import torch

        if isinstance(rows, slice):
            return self._tensor[rows].to(self.device)
        return self._tensor[torch.from_numpy(rows).to(self._tensor.device)].to(self.device)


class Batches:
    """Goes through rows in batches, smaller ones where the memory of a GPU is used up.

    Args:
        size: Rows of a batch.
        progress: Is told where they become smaller.

    Attributes:
        size: Rows of a batch now.
    """

    def __init__(self, size: int, *, progress: TrainingProgress) -> None:
        self.size = size
        self._progress = progress

    def __call__(self, rows: Labels, step: Callable[[Labels], torch.Tensor]) -> float:
        """Do a step with each batch.

        Args:
            rows: ``(m,)`` int64, in the order in which they are taken.
            step: Given a batch's rows, does what is to be done and returns the mean loss.

        Returns:
            The mean loss of all rows.

        Raises:
            ClusteringError: Not even one row at a time fits.
        """
        total: Any = 0.0
        start = 0
        while start < len(rows):
            batch = rows[start : start + self.size]
            with self._halving() as fits:
                total = total + step(batch) * len(batch)
                fits.append(True)
            start += len(batch) if fits else 0
        return float(total) / max(len(rows), 1)

    def slices(self, n: int, step: Callable[[slice], None]) -> None:
        """Do a step with each run of neighbouring rows of n, in order.

        Raises:
            ClusteringError: See above.
        """
        import torch

        def run(rows: Labels) -> torch.Tensor:
            step(slice(int(rows[0]), int(rows[-1]) + 1))
            return torch.zeros(())

        self(np.arange(n), run)

    @contextmanager
    def _halving(self) -> Iterator[list[bool]]:
        """Smaller batches from now on, where what is done inside uses up the memory."""
        import torch

        try:
            yield []
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if self.size <= 1:
                raise too_large_error() from error
        else:
            return
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.size = max(self.size // 2, 1)
        self._progress.note(
            f"the memory of the GPU is used up: batches have {self.size} images now"
        )


def too_large_error() -> ClusteringError:
    """Not even one image at a time fits."""
    return ClusteringError(
        "the memory of the GPU is used up by one image",
        "close other programs that use the GPU, or use --device cpu",
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has too little memory; Apple's GPUs say so in words alone."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "MPS backend out of memory" in str(error)
