"""Where cameras stood and for how long: a small table, rewritten whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from organizer.store.database import Database
from organizer.types import Deployment


class DeploymentsTable:
    """The deployments of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Deployment, ...]:
        """Every deployment that a person described, by its id."""
        rows = self._database.journal.rows("SELECT * FROM deployments ORDER BY deployment_id")
        return tuple(Deployment(**row) for row in rows)

    def write(self, deployments: Iterable[Deployment]) -> None:
        """Replace all deployments."""
        rows = [asdict(deployment) for deployment in deployments]
        ids = [row["deployment_id"] for row in rows]
        if len(set(ids)) < len(ids):
            raise ValueError("two deployments have one id")
        with self._database.transaction():
            self._database.journal.execute("DELETE FROM deployments")
            self._database.journal.insert("deployments", rows)
