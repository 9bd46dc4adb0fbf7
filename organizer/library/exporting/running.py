"""An export, from what is wanted to a file, a folder or a stream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from organizer.errors import SettingsError
from organizer.export.target import replacing
from organizer.library import embedders
from organizer.library.exporting.choice import ExportChoice, ExportReport
from organizer.library.exporting.options import made
from organizer.library.exporting.source import Source
from organizer.library.places import require_own, require_suffix
from organizer.library.progress import Progress
from organizer.protocols import Exporter, FolderExporter, Openable, StreamExporter
from organizer.records import VectorUse
from organizer.store import Store
from organizer.types import PartSpec


def export(
    store: Store,
    exporter: str,
    to: Path | BinaryIO | None,
    choice: ExportChoice,
    *,
    params: Mapping[str, Any],
    force: bool,
    progress: Progress,
    threads: int = 0,
) -> ExportReport:
    """See `organizer.library.Library.export`."""
    part = made(exporter, params)
    embedder = _vectors_of(store, part, exporter, choice)
    source = Source.of(store, part, choice, embedder, threads=threads)
    progress.begin(f"export {exporter}", len(source.chosen.ids))
    if to is None or isinstance(to, Path):
        place = _place(store, part, to)
        images = _to_place(part, source, place, force=force, progress=progress)
    else:
        place = None
        images = _to_stream(part, exporter, source, to, progress)
    return ExportReport(
        exporter=exporter,
        to=place,
        images=images,
        missing=source.chosen.missing,
        without_vector=source.chosen.without_vector,
        people=source.chosen.people,
        incomplete=source.chosen.incomplete,
        clustered=source.about.clustering_id is not None,
        embedder=source.about.embedder,
        opened_with=part.opened_with(place, about=source.about)
        if place is not None and isinstance(part, Openable)
        else "",
    )


def _to_place(
    part: Exporter, source: Source, place: Path, *, force: bool, progress: Progress
) -> int:
    holds = part.holds if isinstance(part, FolderExporter) else None
    with replacing(place, force=force, holds=holds) as partial:
        return part.export(source.batches(progress), partial, about=source.about)


def _to_stream(
    part: Exporter, exporter: str, source: Source, stream: BinaryIO, progress: Progress
) -> int:
    if not isinstance(part, StreamExporter):
        raise SettingsError(
            f"{exporter} cannot be written to a pipe", f"--to FILE{part.suffix}, or use csv"
        )
    return part.write(source.batches(progress), stream, about=source.about)


def _place(store: Store, part: Exporter, to: Path | None) -> Path:
    """The target as an absolute path.

    Raises:
        SettingsError: An export must not be there.
    """
    place = require_own(store, to or Path(part.file_name), option="--to")
    if part.suffix and not place.is_dir():
        require_suffix(place, part.suffix, option="--to")
    return place


def _vectors_of(
    store: Store, part: Exporter, exporter: str, choice: ExportChoice
) -> PartSpec | None:
    """The embedder whose vectors come along."""
    wanted = choice.vectors
    if wanted is None:
        asked = choice.embedder is not None
        wanted = asked or (part.vectors is VectorUse.USUAL and bool(store.vectors.specs()))
    if not wanted:
        return None
    if part.vectors is VectorUse.NEVER:
        raise SettingsError(f"{exporter} holds no vectors", "organizer export parquet --vectors")
    return embedders.required_spec(store, choice.embedder)
