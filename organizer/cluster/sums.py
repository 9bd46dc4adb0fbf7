"""The sums of each cluster's rows, kept up to date by the rows that changed."""

from __future__ import annotations

import numpy as np

from organizer.cluster.metric_space import MetricSpace, as_slice
from organizer.types import Labels, Vectors

_ROWS_AT_ONCE = 8_192


class CentroidSums:
    """Sums by cluster: float32 within a block, float64 over all.

    Attributes:
        sums: ``(k, dim)`` float64.
    """

    def __init__(self, space: MetricSpace, k: int) -> None:
        self._space = space
        self._summed = np.full(len(space), -1, dtype=np.int64)
        self.sums = np.zeros((k, space.dim))

    def update(self, labels: Labels) -> None:
        """Make the sums those of these labels; where most changed they are made anew."""
        changed = np.flatnonzero(self._summed != labels)
        if 2 * len(changed) > len(labels):
            self.sums[:] = 0
            self._summed[:] = -1
            changed = np.arange(len(labels))
        for start in range(0, len(changed), _ROWS_AT_ONCE):
            rows = changed[start : start + _ROWS_AT_ONCE]
            self.sums += self._change(rows, labels[rows])
        self._summed[changed] = labels[changed]

    def _change(self, rows: Labels, labels: Labels) -> Vectors:
        """What each cluster gains less what it loses, as one sparse product."""
        from scipy.sparse import coo_matrix

        former = self._summed[rows]
        were = np.flatnonzero(former >= 0)
        clusters = np.concatenate([labels, former[were]])
        columns = np.concatenate([np.arange(len(rows)), were])
        signs = np.ones(len(columns), dtype=np.float32)
        signs[len(rows) :] = -1
        shape = (len(self.sums), len(rows))
        matrix = coo_matrix((signs, (clusters, columns)), shape=shape).tocsr()
        return np.asarray(matrix @ self._space.take(as_slice(rows)))
