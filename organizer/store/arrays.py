"""Arrays of a base, by name: the fitted state of its space, the exemplars of its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.store.database import Database
from organizer.store.schemas import ARRAYS


def write_arrays(database: Database, base_id: int, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Add arrays of a base; one of a name that is there already is its continuation."""
    rows = [
        {
            "name": name,
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "data": np.ascontiguousarray(array).tobytes(),
        }
        for name, array in arrays.items()
    ]
    with database.transaction():
        database.create_table(_table(base_id), ARRAYS)
        database.append(_table(base_id), pa.Table.from_pylist(rows, schema=ARRAYS))


def read_arrays(database: Database, base_id: int, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays of a base whose names begin with `prefix`, without it."""
    if not database.has(_table(base_id)):
        return {}
    parts: dict[str, list[NDArray[Any]]] = {}
    for row in database.read(_table(base_id)).to_pylist():
        if row["name"].startswith(prefix):
            array = np.frombuffer(row["data"], dtype=np.dtype(row["dtype"])).reshape(row["shape"])
            parts.setdefault(row["name"].removeprefix(prefix), []).append(array)
    return {
        name: np.concatenate(found) if len(found) > 1 else found[0] for name, found in parts.items()
    }


def _table(base_id: int) -> str:
    return f"arrays_{base_id:d}"
