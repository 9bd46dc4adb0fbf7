"""Where cameras stood and for how long: a small table, rewritten whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pyarrow as pa

from organizer.store.database import Database
from organizer.store.schemas import DEPLOYMENTS
from organizer.types import Deployment


class DeploymentsTable:
    """The deployments of one library."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Deployment, ...]:
        """Every deployment that a person described, by its id."""
        rows = self._database.read("deployments").to_pylist()
        return tuple(sorted((Deployment(**row) for row in rows), key=lambda d: d.deployment_id))

    def write(self, deployments: Iterable[Deployment]) -> None:
        """Replace all deployments, in one commit."""
        rows = [asdict(deployment) for deployment in deployments]
        ids = [row["deployment_id"] for row in rows]
        if len(set(ids)) < len(ids):
            raise ValueError("two deployments have one id")
        self._database.overwrite("deployments", pa.Table.from_pylist(rows, schema=DEPLOYMENTS))
