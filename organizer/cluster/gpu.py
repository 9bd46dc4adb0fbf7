"""Lloyd's iterations on a GPU, in torch.

There the products are so fast that leaving some out costs more than it saves: every iteration
compares all rows with all centroids, in float32. The rows are copied to the GPU once for all
starts where they take no more than half of its free memory, and else in each iteration, block by
block. Sums are matrix products too: the same vectors give the same clusters in every run, which
sums by atomic additions do not.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import RowConstraints
from organizer.cluster.lloyd import LloydFit, LloydState, iterate
from organizer.cluster.metric_space import MetricSpace
from organizer.cluster.products import are_alike
from organizer.errors import ClusteringError, one_line
from organizer.types import Vectors

_ELEMENTS_AT_ONCE = 2**25
"""Of a block's rows, and of its products."""

_ROOM = 2**31
"""Bytes that the blocks take at most, with what torch's libraries need."""


class GpuLloyd:
    """See `organizer.cluster.lloyd.Lloyd`; keeps the rows of the last space on the device.

    Args:
        device: As torch names it.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._rows: _Rows | None = None

    def __call__(
        self,
        space: MetricSpace,
        start: Vectors,
        *,
        constraints: RowConstraints,
        max_iter: int,
        tol: float,
    ) -> LloydFit:
        """See `organizer.cluster.lloyd.Lloyd`.

        Raises:
            ClusteringError: The memory of the GPU is used up.
        """
        import torch

        try:
            if self._rows is None or self._rows.space is not space:
                self._rows = None  # before the next ones need the memory
                self._rows = _Rows(space, self._device)
            state = _GpuState(self._rows, start, constraints)
            return iterate(state, max_iter=max_iter, tol=tol)
        except torch.OutOfMemoryError as error:
            raise ClusteringError(
                f"the memory of the GPU is used up: {one_line(error)}",
                "close other programs that use the GPU, or hide it from organizer by"
                " CUDA_VISIBLE_DEVICES= in the environment: the processor does it then",
            ) from error


def find_gpu() -> str:
    """A GPU with room enough as torch names it, empty where there is none.

    Importing torch takes seconds: without NVIDIA's driver it is not done.
    """
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return ""
    import torch

    # Somebody else may need the GPU: the processor is slower, and sure to finish.
    return "cuda" if torch.cuda.is_available() and _free_bytes("cuda") >= _ROOM else ""


def gpu_name(device: str) -> str:
    """What a device is called, for a person."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else device
    return f"{name} (torch {torch.__version__.split('+')[0]})"


class _Rows:
    """The vectors of a space as float32 blocks on the device."""

    def __init__(self, space: MetricSpace, device: str) -> None:
        import torch

        self.space, self.device = space, device
        self.squares = torch.tensor(space.squares, device=device)
        self._scale = None if space.scale is None else torch.tensor(space.scale, device=device)
        self._kept: list[Any] | None = None
        self._step = max(1, _ELEMENTS_AT_ONCE // max(space.dim, 1))
        if space.vectors.nbytes <= _free_bytes(device) // 2:
            starts = range(0, len(space), self._step)
            self._kept = [self._copied(slice(first, first + self._step)) for first in starts]

    def blocks(self, k: int) -> Iterator[tuple[slice, Any]]:
        """``(m, dim)`` float32 blocks, so small that m x k products are not many either."""
        step = max(1, min(self._step, _ELEMENTS_AT_ONCE // k))
        for first in range(0, len(self.space), self._step):
            last = min(first + self._step, len(self.space))
            whole = self._kept[first // self._step] if self._kept else None
            for start in range(first, last, step):
                rows = slice(start, min(start + step, last))
                part = self._copied(rows) if whole is None else whole[rows.start - first :][:step]
                block = part.float()
                yield rows, block if self._scale is None else block * self._scale[rows, None]

    def _copied(self, rows: slice) -> Any:
        import torch

        # Vectors may be a read-only file in memory, which torch does not take.
        return torch.tensor(self.space.vectors[rows], device=self.device)


class _GpuState(LloydState):
    """Compares all rows with all centroids in every iteration."""

    def __init__(self, rows: _Rows, start: Vectors, constraints: RowConstraints) -> None:
        super().__init__(rows.space, start, constraints)
        self._rows = rows

    def compare(self) -> None:
        """See `LloydState`."""
        import torch

        directions, offsets = self._sent(self.directions.T), self._sent(self.offsets)
        labels, squared = self._sent(self.labels), torch.empty_like(self._rows.squares)
        alike = are_alike(self.offsets)
        for rows, block in self._rows.blocks(len(self.centroids)):
            scores = block @ directions
            if not alike:
                scores -= offsets
            best, labels[rows] = scores.max(dim=1)
            squared[rows] = self._rows.squares[rows] - 2 * (best - offsets[0] if alike else best)
        self.labels = labels.cpu().numpy()
        self.upper = (squared.clamp_min(0) + self.slop).sqrt().cpu().numpy()

    def sums(self) -> NDArray[np.float64]:
        """See `LloydState`."""
        import torch

        k, labels = len(self.centroids), self._sent(self.labels)
        sums = torch.zeros((k, self.space.dim), dtype=torch.float64, device=self._rows.device)
        for rows, block in self._rows.blocks(k):
            own = torch.nn.functional.one_hot(labels[rows], k).to(block.dtype)
            sums += own.T @ block
        found: NDArray[np.float64] = sums.cpu().numpy()
        return found

    def inertia(self) -> float:
        """See `LloydState`."""
        import torch

        centroids, labels = self._sent(self.centroids), self._sent(self.labels)
        total = torch.zeros((), dtype=torch.float64, device=self._rows.device)
        for rows, block in self._rows.blocks(len(self.centroids)):
            squares = (block - centroids[labels[rows]]).square().sum(dim=1)
            total += squares.sum(dtype=torch.float64)
        return float(total)

    def _sent(self, array: NDArray[Any]) -> Any:
        import torch

        return torch.tensor(array, device=self._rows.device)


def _free_bytes(device: str) -> int:
    import torch

    return int(torch.cuda.mem_get_info()[0]) if device == "cuda" else sys.maxsize
