"""The modes of the clusters of each base, as they are now and as they were before each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.store.journal import LibraryJournal, Row
from organizer.types import ClusterModels

_DELETE = {
    "modes": "DELETE FROM modes WHERE base_id = ? AND mode_id = ?",
    "made_modes": "DELETE FROM made_modes WHERE base_id = ? AND mode_id = ?",
}


class ModeTable:
    """The modes of one library."""

    def __init__(self, journal: LibraryJournal) -> None:
        self._journal = journal

    def current(self, base_id: int) -> ClusterModels:
        """The clusters of a base as they are now."""
        return _models(self._journal.rows("SELECT * FROM modes WHERE base_id = ?", [base_id]))

    def made(self, base_id: int) -> ClusterModels:
        """The clusters of a base as steps made them, without what was ingested since."""
        return _models(self._journal.rows("SELECT * FROM made_modes WHERE base_id = ?", [base_id]))

    def cluster_ids(self, base_id: int) -> list[int]:
        """The ids of the clusters of a base, ascending."""
        query = "SELECT DISTINCT cluster_id FROM modes WHERE base_id = ? ORDER BY cluster_id"
        return [int(row["cluster_id"]) for row in self._journal.rows(query, [base_id])]

    def before(self, base_id: int, step_id: int) -> ClusterModels:
        """The clusters of a base as they are now, but for the modes that a step changed.

        These are as they were before it.
        """
        former = self._journal.rows("SELECT * FROM former_modes WHERE step_id = ?", [step_id])
        now = self._journal.rows("SELECT * FROM modes WHERE base_id = ?", [base_id])
        changed = {row["mode_id"] for row in former}
        kept = [row for row in now if row["mode_id"] not in changed]
        return _models([*kept, *(row for row in former if row["existed"])])

    def changed_by(self, step_id: int) -> list[int]:
        """The modes that a step changed."""
        query = "SELECT mode_id FROM former_modes WHERE step_id = ?"
        return [int(row["mode_id"]) for row in self._journal.rows(query, [step_id])]

    def write(
        self, base_id: int, models: ClusterModels, *, step_id: int = 0, is_new: bool = False
    ) -> None:
        """Write the clusters of a base; only what differs costs anything.

        Args:
            base_id: The base.
            models: All its clusters.
            step_id: The step that changes them, for which the former ones are kept; 0 for none.
            is_new: Whether the base is new.
        """
        now = {
            row["mode_id"]: {name: value for name, value in row.items() if name != "base_id"}
            for row in self._journal.rows("SELECT * FROM modes WHERE base_id = ?", [base_id])
        }
        wanted = {row["mode_id"]: row for row in _rows(models)}
        changed = [row for mode_id, row in wanted.items() if now.get(mode_id) != row]
        gone = [mode_id for mode_id in now if mode_id not in wanted]
        if step_id:
            self._keep_former(step_id, [row["mode_id"] for row in changed] + gone, now, wanted)
        rows = [{"base_id": base_id, **row} for row in changed]
        for table in ("modes", "made_modes") if step_id or is_new else ("modes",):
            self._journal.insert(table, rows, known="replace")
            for mode_id in gone:
                self._journal.execute(_DELETE[table], [base_id, mode_id])

    def _keep_former(
        self, step_id: int, mode_ids: Sequence[int], now: dict[int, Row], wanted: dict[int, Row]
    ) -> None:
        rows = [
            {"step_id": step_id, "existed": int(i in now), **(now[i] if i in now else wanted[i])}
            for i in mode_ids
        ]
        self._journal.insert("former_modes", rows)


def _rows(models: ClusterModels) -> list[Row]:
    return [
        {
            "mode_id": int(models.mode_ids[row]),
            "cluster_id": int(models.cluster_ids[row]),
            "mean": models.means[row].astype("<f8").tobytes(),
            "count": int(models.counts[row]),
            "distance_mean": float(models.distance_means[row]),
            "distance_m2": float(models.distance_m2s[row]),
            "fit_mean": float(models.fit_means[row]),
            "fit_deviation": float(models.fit_deviations[row]),
            "medoid": models.medoids[row],
            "origin": models.origins[row],
        }
        for row in range(len(models))
    ]


def _models(rows: list[Row]) -> ClusterModels:
    rows.sort(key=lambda row: (row["cluster_id"], row["mode_id"]))

    def column(name: str, kind: type) -> NDArray[Any]:
        return np.array([row[name] for row in rows], dtype=kind)

    means = np.frombuffer(b"".join(row["mean"] for row in rows), dtype="<f8")
    return ClusterModels(
        cluster_ids=column("cluster_id", np.int64),
        mode_ids=column("mode_id", np.int64),
        means=means.astype(np.float64).reshape(len(rows), -1 if rows else 0),
        counts=column("count", np.int64),
        distance_means=column("distance_mean", np.float64),
        distance_m2s=column("distance_m2", np.float64),
        fit_means=column("fit_mean", np.float64),
        fit_deviations=column("fit_deviation", np.float64),
        medoids=tuple(row["medoid"] for row in rows),
        origins=tuple(row["origin"] for row in rows),
    )
