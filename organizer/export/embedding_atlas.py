"""Parquet for Apple's Embedding Atlas.

    embedding-atlas organizer-atlas.parquet --vector vector --image image

It projects the lists of numbers in ``vector`` to a map. Its page runs in a browser, which cannot
open files by path, so ``image`` holds the pictures themselves, small JPEGs in the layout ``{bytes,
path}``. ``cluster`` is never empty where there is a clustering ("cluster 7", "unsure"), so that
points can be coloured by it. The other columns are those of the Parquet export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from organizer.errors import SettingsError
from organizer.export.parquet import schema_of, table_of, write_tables
from organizer.typed import as_typed
from organizer.types import ExportBatch, ExportInfo, PartOption, VectorUse, label

_SIDE = 96
_LARGEST = 1024


class EmbeddingAtlas:
    """Writes Parquet with vectors and small pictures; see the module.

    Args:
        thumbnails: Pixels of a picture's longer side; 0 for no pictures.
    """

    suffix = ".parquet"
    file_name = "organizer-atlas.parquet"
    vectors = VectorUse.USUAL
    options: ClassVar[Mapping[str, PartOption]] = {
        "thumbnails": PartOption("pixels of a picture's longer side; 0 for no pictures", "96")
    }

    def __init__(self, *, thumbnails: int = _SIDE) -> None:
        if not 0 <= thumbnails <= _LARGEST:
            raise SettingsError(
                f"--thumbnails cannot be {thumbnails}", f"it is 0 (none) to {_LARGEST} pixels"
            )
        self.picture_side = thumbnails

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file."""
        tables = (self._table(batch, about) for batch in batches)
        return write_tables(tables, to, self._schema(about))

    def opened_with(self, to: Path, *, about: ExportInfo) -> str:
        """The command that opens the file."""
        vector = "--vector vector" if about.dim else "--disable-projection"
        image = " --image image" if self.picture_side else ""
        return f"embedding-atlas {as_typed(to)} {vector}{image}"

    def _schema(self, about: ExportInfo) -> Any:
        import pyarrow as pa

        schema = schema_of(about)
        if not self.picture_side:
            return schema
        picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        return schema.append(pa.field("image", picture))

    def _table(self, batch: ExportBatch, about: ExportInfo) -> Any:
        import pyarrow as pa

        table = table_of(batch, about)
        place = table.schema.get_field_index("cluster")
        table = table.set_column(place, "cluster", pa.array(_labels(batch), pa.string()))
        if not self.picture_side:
            return table
        field = self._schema(about).field("image")
        return table.append_column(field, pa.array(_pictures(batch), field.type))


def _pictures(batch: ExportBatch) -> list[dict[str, Any] | None]:
    jpegs = batch.pictures or (None,) * len(batch)
    return [
        None if jpeg is None else {"bytes": jpeg, "path": path}
        for jpeg, path in zip(jpegs, batch.paths, strict=True)
    ]


def _labels(batch: ExportBatch) -> list[str | None]:
    columns = zip(batch.states, batch.cluster_ids, batch.cluster_names, strict=True)
    return [None if state is None else label(i, name) for state, i, name in columns]
