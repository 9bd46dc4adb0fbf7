"""The vectors of a library: one table an embedder, half precision.

A vector is only ever replaced where its picture is shown otherwise than it was embedded.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from organizer.counts import count_text
from organizer.errors import PluginError, StoreError
from organizer.store import search_index
from organizer.store.database import Database
from organizer.store.ids import IdArray, IdSet, contains_ids, pack_ids
from organizer.store.lance_errors import translated
from organizer.store.schemas import vectors_schema
from organizer.types import EmbeddingBatch, PartSpec, Vectors

_PREFIX = "vectors_"
_ROWS_AT_ONCE = 8_192
_SOUGHT_BY_ID = 4_000
_IN_MEMORY = 1 << 30

ImageIds = NDArray[np.object_]
"""``(n,)`` image ids in an object array."""


class VectorRows:
    """Where each image's vector lies in one table, as it was when this was made."""

    def __init__(self, dataset: Any, ids: pa.Table) -> None:
        packed = pack_ids(ids["image_id"].to_pylist())
        self._dataset = dataset
        self._order = np.argsort(packed)
        self._ids = packed[self._order]
        self.dim = int(dataset.schema.field("vector").type.list_size)

    def has(self, ids: IdArray) -> NDArray[np.bool_]:
        """For each image whether it has a vector."""
        return contains_ids(self._ids, ids)

    def of(self, ids: IdArray) -> Vectors:
        """``(n, dim)`` float32: the vectors of images that have one, in the order of their ids."""
        places = self._order[np.searchsorted(self._ids, ids)]
        with translated(Path(self._dataset.uri).parent):
            rows = self._dataset.take(places.tolist(), columns=["vector"])
        values = rows["vector"].combine_chunks().flatten().to_numpy()
        return np.asarray(values.reshape(-1, self.dim).astype(np.float32))

    def of_images(self, image_ids: Sequence[str], spec: PartSpec) -> Vectors:
        """``(n, dim)`` float32: the vectors of some images, in the order of their ids.

        Args:
            image_ids: The images.
            spec: The embedder, for the message.

        Raises:
            StoreError: An image has none.
        """
        ids = pack_ids(image_ids)
        lacking = int(np.count_nonzero(~self.has(ids)))
        if lacking:
            raise _no_vectors(lacking, spec)
        return self.of(ids) if len(ids) else np.empty((0, self.dim), dtype=np.float32)


class VectorTables:
    """The vectors of one library, by embedder."""

    def __init__(self, database: Database, *, index_from: int = search_index.INDEX_FROM) -> None:
        self._database = database
        self._index_from = index_from

    def specs(self) -> tuple[PartSpec, ...]:
        """The embedders that have vectors, in the order in which they were added."""
        names = [name for name in self._database.names() if name.startswith(_PREFIX)]
        found = sorted(
            (self._database.metadata(name) for name in names), key=lambda m: int(m.get("place", 0))
        )
        return tuple(PartSpec.from_json(metadata["spec"]) for metadata in found)

    def table_name(self, spec: PartSpec) -> str:
        """The table of an embedder."""
        return f"{_PREFIX}{spec.fingerprint}"

    def create(self, spec: PartSpec, dim: int) -> None:
        """Make an embedder's table if it is not there."""
        name = self.table_name(spec)
        metadata = {"spec": spec.to_json(), "place": str(len(self.specs()))}
        self._database.create_table(name, vectors_schema(dim), metadata)

    def ids(self, spec: PartSpec) -> IdSet:
        """The images that have a vector."""
        if not self._database.has(self.table_name(spec)):
            return IdSet()
        rows = self._database.read(self.table_name(spec), ["image_id"])
        return IdSet(pack_ids(rows["image_id"].to_pylist()))

    def count(self, spec: PartSpec) -> int:
        """Number of images that have a vector."""
        name = self.table_name(spec)
        return self._database.count(name) if self._database.has(name) else 0

    def append(self, spec: PartSpec, batch: EmbeddingBatch) -> None:
        """Add the vectors of images that have none; the first make the embedder's table.

        Raises:
            PluginError: A number does not fit half precision.
        """
        if not batch.image_ids:
            return
        with np.errstate(over="ignore"):
            half = batch.vectors.astype(np.float16)
        if not np.isfinite(half).all():
            raise PluginError(
                f"embedder {spec.name!r} gave numbers beyond 65,504, more than the store holds",
                "scale its vectors; their direction is what counts",
            )
        if not self._database.has(self.table_name(spec)):
            self.create(spec, half.shape[1])
        name = self.table_name(spec)
        with self._database.transaction():
            self._database.append(name, half_rows(batch.image_ids, half))
            self._database.change_table(name, search_index.extend)

    def replace(self, spec: PartSpec, batch: EmbeddingBatch) -> None:
        """Put the vectors of images in the place of those that they have."""
        with self._database.transaction():
            self.forget(spec, batch.image_ids)
            self.append(spec, batch)

    def forget(self, spec: PartSpec, image_ids: Sequence[str]) -> None:
        """Remove the vectors of images; the next ingest with the embedder makes them again."""
        if self._database.has(self.table_name(spec)):
            self._database.delete_by_id(self.table_name(spec), "image_id", image_ids)

    def read(self, spec: PartSpec, *, half: bool = False) -> tuple[tuple[str, ...], Vectors]:
        """All ids and ``(n, dim)`` vectors, in the order in which they were added.

        Args:
            spec: The embedder.
            half: Whether to leave them in half precision, as they are stored.
        """
        # One version for both the count and the rows: another process may be adding some.
        dataset = self._database.dataset(self.table_name(spec))
        kind: Any = np.float16 if half else np.float32
        vectors = np.empty((dataset.count_rows(), _dim_of(dataset)), dtype=kind)
        ids: list[str] = []
        for some, part in self._batches(spec, dataset, rows=_ROWS_AT_ONCE):
            vectors[len(ids) : len(ids) + len(part)] = part
            ids.extend(some)
        return tuple(ids), vectors

    def stream(
        self, spec: PartSpec, *, rows: int = _ROWS_AT_ONCE
    ) -> Iterator[tuple[ImageIds, Vectors]]:
        """All ids and ``(n, dim)`` float32 vectors, some rows at a time, in the order of `read`."""
        dataset = self._database.dataset(self.table_name(spec))
        for ids, part in self._batches(spec, dataset, rows=rows):
            yield np.array(ids, dtype=object), part.astype(np.float32)

    def read_mapped(self, spec: PartSpec, *, most: int = _IN_MEMORY) -> tuple[ImageIds, Vectors]:
        """All ids and ``(n, dim)`` float32 vectors; many are mapped from a temporary file.

        Args:
            spec: The embedder.
            most: Bytes of vectors up to which they are in memory.
        """
        dataset = self._database.dataset(self.table_name(spec))
        shape = (int(dataset.count_rows()), _dim_of(dataset))
        ids = np.empty(shape[0], dtype=object)
        is_small = shape[0] * shape[1] * 4 <= most
        vectors = np.empty(shape, dtype=np.float32) if is_small else _mapped(shape)
        at = 0
        for some, part in self._batches(spec, dataset, rows=_ROWS_AT_ONCE):
            ids[at : at + len(some)], vectors[at : at + len(some)] = some, part
            at += len(some)
        vectors.flags.writeable = is_small
        return ids, vectors

    def _batches(
        self, spec: PartSpec, dataset: Any, *, rows: int
    ) -> Iterator[tuple[list[str], NDArray[np.float16]]]:
        """Ids and vectors of one version of a table, in half precision as they are stored."""
        name, dim = self.table_name(spec), _dim_of(dataset)
        columns = ["image_id", "vector"]
        for batch in self._database.batches(name, columns, rows=rows, dataset=dataset):
            part = batch.column("vector").flatten().to_numpy().reshape(-1, dim)
            yield batch.column("image_id").to_pylist(), part

    def dim(self, spec: PartSpec) -> int:
        """The length of an embedder's vectors; 0 where there are none."""
        return self._dim(spec) if self._database.has(self.table_name(spec)) else 0

    def _dim(self, spec: PartSpec) -> int:
        return _dim_of(self._database.dataset(self.table_name(spec)))

    def read_some(self, spec: PartSpec, image_ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of some images; those without one are left out."""
        rows = self._database.read_by_id(self.table_name(spec), "image_id", image_ids)
        return {
            row["image_id"]: np.array(row["vector"], dtype=np.float32) for row in rows.to_pylist()
        }

    def read_rows(self, spec: PartSpec, image_ids: Sequence[str]) -> Vectors:
        """``(n, dim)`` float32: the vectors of some images, in the order of their ids.

        Raises:
            StoreError: An image has none.
        """
        found = np.empty((len(image_ids), self._dim(spec)), dtype=np.float32)
        rows_of = {image_id: row for row, image_id in enumerate(image_ids)}
        seen = 0
        for ids, vectors in self._some(spec, image_ids):
            rows = [(at, rows_of[i]) for at, i in enumerate(ids) if i in rows_of]
            found[[row for _, row in rows]] = vectors[[at for at, _ in rows]]
            seen += len(rows)
        if seen < len(rows_of):
            raise _no_vectors(len(rows_of) - seen, spec)
        return found

    def rows(self, spec: PartSpec) -> VectorRows:
        """The vectors of all images, to be looked up many at a time."""
        dataset = self._database.dataset(self.table_name(spec))
        return VectorRows(dataset, dataset.to_table(columns=["image_id"], scan_in_order=True))

    def _some(
        self, spec: PartSpec, image_ids: Sequence[str]
    ) -> Iterator[tuple[list[str], Vectors]]:
        """Ids and vectors of at least some images: by their ids, or all where that is quicker."""
        name, dim = self.table_name(spec), self._dim(spec)
        if len(image_ids) <= _SOUGHT_BY_ID:
            rows = self._database.read_by_id(name, "image_id", image_ids, ["image_id", "vector"])
            batches = iter(rows.to_batches())
        else:
            batches = self._database.batches(name, ["image_id", "vector"], rows=_ROWS_AT_ONCE)
        for batch in batches:
            part = batch.column("vector").flatten().to_numpy().reshape(-1, dim)
            yield batch.column("image_id").to_pylist(), part.astype(np.float32)

    def nearest(self, spec: PartSpec, query: Vectors, limit: int) -> list[tuple[str, float]]:
        """The images nearest to a vector, each with its cosine distance, nearest first.

        Exact where an exact search is quick; above, an index (`organizer.store.search_index`)
        finds candidates, which are then compared exactly.
        """
        with translated(self._database.path):
            dataset = self._database.dataset(self.table_name(spec))
            return search_index.nearest_vectors(dataset, query, limit)

    def keep_index(self, spec: PartSpec) -> None:
        """Make the search index where there are enough vectors, or have it cover all of them."""
        name = self.table_name(spec)
        self._database.change_table(
            name, lambda dataset: search_index.keep(dataset, index_from=self._index_from)
        )


def half_rows(image_ids: Sequence[str], half: NDArray[np.float16]) -> pa.Table:
    """Rows of a table of vectors; see `organizer.store.schemas.vectors_schema`."""
    dim = half.shape[1]
    values = pa.FixedSizeListArray.from_arrays(pa.array(half.ravel()), dim)
    return pa.table([pa.array(image_ids, pa.string()), values], schema=vectors_schema(dim))


def _dim_of(dataset: Any) -> int:
    return int(dataset.schema.field("vector").type.list_size)


def _no_vectors(count: int, spec: PartSpec) -> StoreError:
    return StoreError(
        f"{count_text(count, 'image has', 'images have')} no vectors of {spec.name} here",
        f"organizer ingest --embedder {spec.name}",
    )


def _mapped(shape: tuple[int, int]) -> Vectors:
    """An array in a temporary file that is gone with it.

    Raises:
        StoreError: The disk of temporary files has no room for it.
    """
    try:
        with tempfile.TemporaryFile(prefix="organizer-") as file:
            if hasattr(os, "posix_fallocate"):  # a file with holes would end the process later
                os.posix_fallocate(file.fileno(), 0, shape[0] * shape[1] * 4)
            return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
    except OSError as error:
        raise StoreError(
            f"the vectors do not fit into {tempfile.gettempdir()}: {error.strerror or error}",
            "TMPDIR names a disk with room; embedding_batches needs none",
        ) from error
