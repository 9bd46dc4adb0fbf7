"""Write an export to a file, a folder or a stream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from organizer.errors import SettingsError
from organizer.export.target import check_target, replace_export
from organizer.library import embedders
from organizer.library.exports.format_options import make_exporter
from organizer.library.exports.options import ExportOptions, ExportReport
from organizer.library.exports.select import lacking_texts
from organizer.library.exports.source import ExportSource
from organizer.library.output_paths import require_suffix, resolve_output
from organizer.library.progress import Progress
from organizer.protocols import (
    CompleteExporter,
    Exporter,
    FolderExporter,
    Openable,
    StreamExporter,
)
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import PartSpec, VectorUse


def run_export(
    store: Store,
    exporter: str,
    to: Path | BinaryIO | None,
    options: ExportOptions,
    *,
    params: Mapping[str, Any],
    force: bool,
    progress: Progress,
    settings: Settings,
) -> ExportReport:
    """See `Exports.write`."""
    part = make_exporter(exporter, params)
    embedder = _embedder(store, part, exporter, options)
    target = _target(store, part, exporter, to, force=force)
    source = ExportSource.open(store, part, options, embedder, settings=settings)
    _require_complete(part, source, target, options)
    progress.begin(f"export {exporter}", len(source.selected.ids))
    images = _write(part, source, target, force=force, progress=progress)
    place = target if isinstance(target, Path) else None
    return ExportReport(
        exporter=exporter,
        to=place,
        images=images,
        missing=source.selected.missing,
        without_vector=source.selected.without_vector,
        people=source.selected.people,
        incomplete=source.selected.incomplete,
        videos=source.selected.videos,
        clustered=source.about.clustering_id is not None,
        embedder=source.about.embedder,
        opened_with=part.opened_with(place, about=source.about)
        if place is not None and isinstance(part, Openable)
        else "",
    )


def _require_complete(
    part: Exporter, source: ExportSource, target: Path | BinaryIO, options: ExportOptions
) -> None:
    """Make sure that the format has all that it needs.

    Raises:
        SettingsError: Something is missing.
    """
    if not isinstance(part, CompleteExporter) or not isinstance(target, Path):
        return
    left_out = source.selected.incomplete if not options.leave_out_incomplete else {}
    lacking = [f"images: {text}" for text in lacking_texts(left_out)]
    part.require_complete(source.about, target.parent, lacking=lacking)


def _target(
    store: Store, part: Exporter, exporter: str, to: Path | BinaryIO | None, *, force: bool
) -> Path | BinaryIO:
    """The target as an absolute path, known to be free before the library is read.

    Raises:
        SettingsError: The target cannot be written, or the format is not written to a stream.
    """
    if to is not None and not isinstance(to, Path):
        if not isinstance(part, StreamExporter):
            raise SettingsError(
                f"{exporter} cannot be written to a pipe", f"--to FILE{part.suffix}, or use csv"
            )
        return to
    place = resolve_output(store, to or Path(part.file_name), option="--to")
    if part.suffix and not place.is_dir():
        require_suffix(place, part.suffix, option="--to")
    check_target(place, force=force, holds=_holds(part))
    return place


def _write(
    part: Exporter,
    source: ExportSource,
    target: Path | BinaryIO,
    *,
    force: bool,
    progress: Progress,
) -> int:
    batches, about = source.batches(progress), source.about
    if isinstance(target, Path):
        with replace_export(target, force=force, holds=_holds(part)) as partial:
            return part.export(batches, partial, about=about)
    return cast(StreamExporter, part).write(batches, target, about=about)


def _holds(part: Exporter) -> frozenset[str] | None:
    return part.holds if isinstance(part, FolderExporter) else None


def _embedder(
    store: Store, part: Exporter, exporter: str, options: ExportOptions
) -> PartSpec | None:
    """The embedder whose vectors are exported; None for none."""
    wanted = options.vectors
    if wanted is None:
        asked = options.embedder is not None
        wanted = asked or (part.vectors is VectorUse.USUAL and bool(store.vectors.specs()))
    if not wanted:
        return None
    if part.vectors is VectorUse.NEVER:
        raise SettingsError(f"{exporter} holds no vectors", "organizer export parquet --vectors")
    return embedders.require_spec(store, options.embedder)
