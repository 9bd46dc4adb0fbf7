"""Parquet: one row per image, for pandas, polars, DuckDB, R and Spark.

Other formats that are based on Parquet use `schema_of` and `table_of`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from organizer.export.paths import exported_paths
from organizer.types import ExportBatch, ExportInfo, VectorUse

_ROWS = 65_536
_NUMBERS = 16_777_216
"""The most rows, and numbers in vectors, of a row group: fast to read, 64 MB in memory."""


class Parquet:
    """Writes Parquet. `vector` is a fixed-size list of float32; `copies` a list of paths."""

    suffix = ".parquet"
    file_name = "organizer.parquet"
    vectors = VectorUse.ASKED

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file; the key ``organizer`` of its schema's metadata holds its origin."""
        return write_tables((table_of(batch, about) for batch in batches), to, schema_of(about))


def write_tables(tables: Iterable[Any], to: Path, schema: Any) -> int:
    """Write tables in row groups of a size that is fast to read; return the number of rows."""
    import pyarrow.parquet as pq

    # A dictionary of values that differ in every row only costs time.
    repeated = [name for name in schema.names if name not in {"path", "image_id", "vector", "file"}]
    written = 0
    with pq.ParquetWriter(to, schema, use_dictionary=repeated) as writer:
        for group in _groups(tables, schema):
            writer.write_table(group)
            written += len(group)
            del group  # otherwise the next group is built while this one is still in memory
    return written


def schema_of(about: ExportInfo) -> Any:
    """The columns of an export, with its origin as metadata."""
    import pyarrow as pa

    columns = [
        ("path", pa.string()),
        ("cluster_id", pa.int64()),
        ("cluster", pa.string()),
        ("state", pa.string()),
        ("candidate_id", pa.int64()),
        ("candidate", pa.string()),
        ("distance", pa.float32()),
        ("margin", pa.float32()),
        ("folder", pa.string()),
        ("file", pa.string()),
        ("copies", pa.list_(pa.string())),
        ("missing", pa.bool_()),
        ("bytes", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("taken_at", pa.timestamp("us")),
        ("camera", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("brightness", pa.float32()),
        ("chroma", pa.float32()),
        ("image_id", pa.string()),
        ("deployment", pa.string()),
        ("event", pa.int64()),
        ("burst", pa.int64()),
        ("infrared", pa.bool_()),
        ("clock_time", pa.timestamp("us")),
    ]
    for name, are_numbers in about.extras.items():
        columns.append((f"extra.{name}", pa.float64() if are_numbers else pa.string()))
    if about.dim:
        columns.append(("vector", pa.list_(pa.float32(), about.dim)))
    return pa.schema(columns, metadata={"organizer": _origin(about)})


def table_of(batch: ExportBatch, about: ExportInfo) -> Any:
    """The rows of a batch, with the columns of `schema_of`."""
    import pyarrow as pa

    schema = schema_of(about)
    columns: list[Any] = [
        exported_paths(batch.paths, about),
        batch.cluster_ids,
        batch.cluster_names,
        batch.states,
        batch.candidate_ids,
        batch.candidate_names,
        batch.distances,
        batch.margins,
        batch.folders,
        batch.files,
        [exported_paths(paths, about) for paths in batch.copies],
        batch.missing,
        batch.sizes,
        batch.widths,
        batch.heights,
        batch.formats,
        _moments(batch.taken_at),
        batch.cameras,
        batch.latitudes,
        batch.longitudes,
        batch.brightness,
        batch.chroma,
        batch.image_ids,
        batch.deployments,
        batch.events,
        batch.bursts,
        batch.infrared,
        _moments(batch.clock_times),
        *(_extras(batch, name, are_numbers=kind) for name, kind in about.extras.items()),
    ]
    kinds = [schema.field(place).type for place in range(len(columns))]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    if batch.vectors is not None:
        values = pa.array(np.ascontiguousarray(batch.vectors, dtype=np.float32).ravel())
        arrays.append(pa.FixedSizeListArray.from_arrays(values, about.dim))
    return pa.table(arrays, schema=schema)


def _groups(tables: Iterable[Any], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    dim = schema.field("vector").type.list_size if "vector" in schema.names else 0
    enough = min(_ROWS, _NUMBERS // max(1, dim))
    waiting: list[Any] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= enough:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _extras(batch: ExportBatch, name: str, *, are_numbers: bool) -> list[float | str | None]:
    values = [extra.get(name) for extra in batch.extras]
    return [None if v is None else float(v) if are_numbers else str(v) for v in values]


def _moments(texts: Iterable[str | None]) -> Any:
    """Camera-local times as numpy datetimes; NaT for invalid ones."""
    return np.array([_moment(text) for text in texts], dtype="datetime64[us]")


def _moment(text: str | None) -> np.datetime64:
    try:
        return np.datetime64(text, "us") if text else np.datetime64("NaT")
    except ValueError:
        return np.datetime64("NaT")


def _origin(about: ExportInfo) -> str:
    return json.dumps(
        {
            "program": about.program,
            "created_at": about.created_at,
            "clustering_id": about.clustering_id,
            "algorithm": about.algorithm,
            "clusters": {str(i): name for i, name in about.clusters.items()},
            "embedder": json.loads(about.embedder.to_json()) if about.embedder else None,
        }
    )
