"""t-SNE in O(n log n), by interpolation on a grid.

Van der Maaten and Hinton 2008, with the gradient of FIt-SNE (Linderman et al. 2019, Nature Methods
16): what all points do to each is a convolution, done by FFT on a grid. Cubic B-splines carry the
points to the grid and back; their blur is divided out in the Fourier domain, as smooth particle
mesh Ewald sums do (Essmann et al. 1995), so that a coarse grid is enough. `benchmarks/maps.py`
measures it beside scikit-learn and openTSNE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]

ITERATIONS = 750
_EXAGGERATED = 250
_EXAGGERATION = 12.0
_PERPLEXITY = 30.0

_FEWEST = 4
"""Fewer points have no neighbourhoods to keep."""

_SPACING = 0.4
"""Of the grid, in the unit of the map: the kernel 1 / (1 + d^2) is about 2 wide. At 0.6 the
divergence that a map of 10,000 images ended with was 2% higher."""

_FEW = 500
"""Up to so many points all pairs cost less than the grid."""

_NODES_STEP = 16
"""The grid grows by so many nodes: its kernels are transformed anew when it does."""

_LONGEST_STEP = 5.0
_BISECTIONS = 40


def tsne(
    points: Points,
    initial: Points,
    *,
    seed: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Points:
    """Lay points out in the plane, near neighbours near.

    Args:
        points: ``(n, d)`` float32; Euclidean distances count. Copies are welcome.
        initial: ``(n, 2)``, scaled here: the first two principal components keep the large
            picture (Kobak and Berens 2019).
        seed: Of the jitter that sets copies apart.
        progress: Called with the share that is done, 0 to 1.

    Returns:
        ``(n, 2)`` float32, finite.
    """
    if len(points) < _FEWEST:
        return np.asarray(initial, dtype=np.float32)
    edges, grid = affinities(points, min(_PERPLEXITY, (len(points) - 1) / 3)), ForceGrid()
    few = len(points) <= _FEW
    descent = _Descent(_start(initial, seed=seed), _learning_rate(len(points)))
    for iteration in range(ITERATIONS):
        early = iteration < _EXAGGERATED
        push, total = (exact_push if few else grid.push)(descent.xy)
        pull = edges.pull(descent.xy) * (_EXAGGERATION if early else 1)
        descent.step(4 * (pull - push / total), momentum=0.5 if early else 0.8)
        progress((iteration + 1) / ITERATIONS)
    return descent.xy


def _learning_rate(n: int) -> float:
    """Belkina et al. 2019: as large as unfolds a large map in 750 steps."""
    return max(n / _EXAGGERATION, 12.5)


def _start(initial: Points, *, seed: int) -> Points:
    spread = float(np.std(initial[:, 0])) or 1.0
    jitter = np.random.default_rng(seed).normal(scale=1e-6, size=initial.shape)
    return np.asarray(initial / spread * 1e-4 + jitter, dtype=np.float32)


class _Descent:
    """Gradient descent with momentum and a gain for every coordinate (Jacobs 1988)."""

    def __init__(self, xy: Points, rate: float) -> None:
        self.xy = xy
        self._rate = rate
        self._velocity = np.zeros_like(xy)
        self._gains = np.ones_like(xy)

    def step(self, gradient: Points, *, momentum: float) -> None:
        """Move once; the map stays centred."""
        turned = (gradient > 0) == (self._velocity > 0)
        self._gains = np.maximum(np.where(turned, self._gains * 0.8, self._gains + 0.2), 0.01)
        self._velocity = momentum * self._velocity - self._rate * self._gains * gradient
        lengths = np.linalg.norm(self._velocity, axis=1, keepdims=True)
        self._velocity *= np.minimum(1, _LONGEST_STEP / np.maximum(lengths, 1e-12))
        self.xy = self.xy + self._velocity
        self.xy -= self.xy.mean(axis=0)


# Attraction ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AffinityEdges:
    """Affinities p_ij, each pair once: i < j.

    Attributes:
        matrix: ``(n, n)`` CSR with p_ij above the diagonal; they add up to one half.
        counts: ``(n,)`` entries of each row.
        columns: ``(m,)`` column of each entry.
    """

    matrix: Any
    counts: NDArray[np.intp]
    columns: NDArray[np.intp]

    def pull(self, xy: Points) -> Points:
        """The sum over j of p_ij (y_i - y_j) / (1 + d_ij^2) for each i: ``(n, 2)``."""
        # A complex number a point: both coordinates are fetched at once.
        points = np.ascontiguousarray(xy, dtype=np.float32).view(np.complex64).ravel()
        apart = np.repeat(points, self.counts)
        apart -= points.take(self.columns)
        squared = apart.real**2
        squared += apart.imag**2
        squared += 1
        pull = self._with(self.matrix.data / squared)
        back = pull.T
        degrees = pull.sum(axis=1) + pull.sum(axis=0)
        sums = [pull @ axis + back @ axis for axis in np.ascontiguousarray(xy.T)]
        return np.asarray(degrees[:, None] * xy - np.stack(sums, axis=1), dtype=np.float32)

    def _with(self, data: NDArray[np.float32]) -> Any:
        shape = self.matrix.shape
        return type(self.matrix)((data, self.matrix.indices, self.matrix.indptr), shape=shape)


def affinities(points: Points, perplexity: float) -> AffinityEdges:
    """How much each point is another's neighbour, for some three perplexities of neighbours.

    Args:
        points: ``(n, d)``, n at least 2.
        perplexity: At most n - 1.
    """
    from scipy.sparse import csr_array, triu
    from sklearn.neighbors import NearestNeighbors

    n = len(points)
    k = max(1, min(n - 1, int(3 * perplexity)))
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    distances, nearest = found.kneighbors()
    p = conditional(np.asarray(distances, dtype=np.float32) ** 2, perplexity)
    starts = np.repeat(np.arange(n), k)
    directed = csr_array((p.ravel(), (starts, nearest.ravel())), shape=(n, n))
    both = csr_array(triu(directed + directed.T, k=1, format="csr"))
    both.sort_indices()
    both.data = np.asarray(both.data / (2 * both.data.sum()), dtype=np.float32)
    both.indices, both.indptr = both.indices.astype(np.int32), both.indptr.astype(np.int32)
    return AffinityEdges(both, np.diff(both.indptr).astype(np.intp), both.indices.astype(np.intp))


def conditional(squared: NDArray[np.float32], perplexity: float) -> NDArray[np.float32]:
    """p_j|i: a Gaussian about each point, as wide as gives the perplexity. ``(n, k)``."""
    beyond = squared - squared.min(axis=1, keepdims=True)
    beyond /= np.maximum(beyond.mean(axis=1, keepdims=True), 1e-12)
    low, high = np.full(len(beyond), -20.0), np.full(len(beyond), 20.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        p = np.exp(-beyond * np.exp(middle, dtype=np.float32)[:, None])
        p /= p.sum(axis=1, keepdims=True)
        entropy = -(p * np.log(np.maximum(p, 1e-30))).sum(axis=1)
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    return np.asarray(p, dtype=np.float32)


# Repulsion -------------------------------------------------------------------------------------


def exact_push(xy: Points) -> tuple[Points, float]:
    """What `ForceGrid.push` gives, by way of all pairs."""
    x, y = np.ascontiguousarray(xy.T)
    kernel = 1 / (1 + (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2)
    total = float(kernel.sum(dtype=np.float64)) - len(xy)
    kernel *= kernel
    push = kernel.sum(axis=1)[:, None] * xy - kernel @ xy
    return np.asarray(push, dtype=np.float32), max(total, 1e-12)


class ForceGrid:
    """What all points do to each, by convolution on a grid that grows with their extent."""

    def __init__(self, spacing: float = _SPACING) -> None:
        self._spacing = spacing
        self._kernels: dict[tuple[int, int], tuple[Any, Any]] = {}

    def push(self, xy: Points) -> tuple[Points, float]:
        """The sum over j of (y_i - y_j) / (1 + d_ij^2)^2 for each i, and Z.

        Returns:
            ``(n, 2)`` and the sum over all pairs i, j that differ of 1 / (1 + d_ij^2).
        """
        from scipy.fft import irfft2, rfft2

        cells = (xy - xy.min(axis=0)) / self._spacing
        shape = self._shape(cells)
        at, weights = _stencils(cells, shape[1])
        masses = np.bincount(at.ravel(), weights.ravel(), minlength=shape[0] * shape[1])
        spectrum = rfft2(masses.reshape(shape).astype(np.float32))
        kernel, forces = self._spectra(shape)
        fields = irfft2(forces * spectrum, s=shape, axes=(1, 2)).reshape(2, -1)
        push = np.stack([(field[at] * weights).sum(axis=1) for field in fields], axis=1)
        total = _sum_of_half(kernel * np.abs(spectrum) ** 2, shape[1]) / (shape[0] * shape[1])
        return push, max(total - len(xy), 1e-12)

    def _shape(self, cells: Points) -> tuple[int, int]:
        """Twice the nodes that are needed: what leaves on one side must not come in opposite."""
        from scipy.fft import next_fast_len

        steps = np.ceil((cells.max(axis=0) + 5) / _NODES_STEP).astype(int)
        x, y = (next_fast_len(2 * _NODES_STEP * int(count), real=True) for count in steps)
        return x, y

    def _spectra(self, shape: tuple[int, int]) -> tuple[Any, Any]:
        if shape not in self._kernels:
            self._kernels = {shape: _spectra(shape, self._spacing)}
        return self._kernels[shape]


def _spectra(shape: tuple[int, int], spacing: float) -> tuple[Any, Any]:
    """Of the kernels 1 / (1 + d^2) and (dx, dy) / (1 + d^2)^2, the splines' blur divided out."""
    from scipy.fft import rfft2

    dx = (np.fft.fftfreq(shape[0]) * shape[0] * spacing)[:, None]
    dy = (np.fft.fftfreq(shape[1]) * shape[1] * spacing)[None, :]
    kernel = 1 / (1 + dx**2 + dy**2)
    blur = _blur(np.fft.fftfreq(shape[0]))[:, None] * _blur(np.fft.rfftfreq(shape[1]))[None, :]
    forces = rfft2(np.stack([dx * kernel**2, dy * kernel**2]), axes=(1, 2)) / blur**2
    return (rfft2(kernel).real / blur**2).astype(np.float32), forces.astype(np.complex64)


def _blur(frequencies: NDArray[Any]) -> NDArray[np.float64]:
    """The transform of the cubic B-spline's values 1/6, 4/6, 1/6 at the nodes."""
    return np.asarray((2 + np.cos(2 * np.pi * frequencies)) / 3, dtype=np.float64)


def _stencils(cells: Points, columns: int) -> tuple[NDArray[np.intp], Points]:
    """For each point the 4 x 4 nodes about it and their cubic B-spline weights: ``(n, 16)``."""
    whole = np.floor(cells)
    t = cells - whole
    s = 1 - t
    weights = np.stack(
        [s**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * s**2 + 3 * s**3, t**3], axis=1
    ) / np.float32(6)
    # The first of the four lies one below, so everything is one further in.
    x, y = (whole[:, axis, None].astype(np.intp) + np.arange(4) for axis in (0, 1))
    at = x[:, :, None] * columns + y[:, None, :]
    both = weights[:, :, None, 0] * weights[:, None, :, 1]
    flat = (len(cells), 16)
    return at.reshape(flat), np.asarray(both.reshape(flat), dtype=np.float32)


def _sum_of_half(half: Any, columns: int) -> float:
    """The sum over a spectrum of which only the columns up to the middle are kept."""
    twice = half.sum(dtype=np.float64) * 2 - half[:, 0].sum(dtype=np.float64)
    return float(twice - (half[:, -1].sum(dtype=np.float64) if columns % 2 == 0 else 0))
