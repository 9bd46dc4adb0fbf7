"""Arrays of a clustering, by name: the fitted state of its space, the exemplars of its clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.store.database import Database
from organizer.store.schemas import ARRAYS


def write_arrays(
    database: Database, clustering_id: int, arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Add arrays in one commit; one of a name that is there already is its continuation."""
    rows = [
        {
            "clustering_id": clustering_id,
            "name": name,
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "data": np.ascontiguousarray(array).tobytes(),
        }
        for name, array in arrays.items()
    ]
    database.append("arrays", pa.Table.from_pylist(rows, schema=ARRAYS))


def read_arrays(database: Database, clustering_id: int, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays of a clustering whose names begin with `prefix`, without it."""
    table = database.read("arrays", where=f"clustering_id = {clustering_id:d}")
    parts: dict[str, list[NDArray[Any]]] = {}
    for row in table.to_pylist():
        if row["name"].startswith(prefix):
            array = np.frombuffer(row["data"], dtype=np.dtype(row["dtype"])).reshape(row["shape"])
            parts.setdefault(row["name"].removeprefix(prefix), []).append(array)
    return {
        name: np.concatenate(found) if len(found) > 1 else found[0] for name, found in parts.items()
    }
