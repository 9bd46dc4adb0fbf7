"""The images of an export, batch by batch, in one pass over the library."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from organizer.distribution import installed_version
from organizer.errors import SettingsError
from organizer.library.exports.columns import CaptureColumns, FileColumns, fact_columns
from organizer.library.exports.detections import DetectionColumns
from organizer.library.exports.membership import Membership
from organizer.library.exports.options import ExportOptions
from organizer.library.exports.select import KnownColumns, SelectedImages, select_images
from organizer.library.images.capture import read_capture_info
from organizer.library.images.placement import read_placement
from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.progress import NoProgress, Progress
from organizer.protocols import Exporter, PictureExporter
from organizer.settings import Settings
from organizer.store import Store
from organizer.store.ids import pack_ids
from organizer.types import (
    Deployment,
    ExportBatch,
    ExportInfo,
    ImageFacts,
    PartSpec,
    is_crop_embedder,
)

ROWS = 4_000
"""Images of a batch."""


@dataclass(frozen=True, slots=True)
class ExportSource:
    """The images to export, with all that is known of them.

    Attributes:
        about: What all batches have in common.
        selected: The images, and the numbers of those that are left out.
    """

    about: ExportInfo
    selected: SelectedImages
    _store: Store
    _known: KnownColumns
    _files: FileColumns
    _side: int
    _threads: int

    @classmethod
    def open(
        cls,
        store: Store,
        part: Exporter,
        options: ExportOptions,
        embedder: PartSpec | None,
        *,
        settings: Settings,
    ) -> ExportSource:
        """Read what is known of the images, and select those to export.

        Args:
            store: The library.
            part: The exporter.
            options: Which images.
            embedder: Whose vectors are exported; None for none.
            settings: The gaps of a burst and of an event, and the threads that read pictures.

        Raises:
            ClusteringError: Clusters are named, and there is no clustering yet.
            SettingsError: There is no such cluster or folder, no image has a vector, or some images
                lack what the format needs.
        """
        relative_to = _folder(options.relative_to)
        known = _read_known(store, embedder, settings)
        selected = select_images(store, part, options, known)
        if embedder is not None and not len(selected.ids) and selected.without_vector:
            raise SettingsError(
                f"none of these images has a vector of {embedder.name}",
                f"organizer ingest --embedder {embedder.name}",
            )
        folders = [root.folder for root in store.roots.all()]
        about = _about(store, known, selected, embedder, relative_to, folders)
        files = FileColumns(folders, missing_too=options.include_missing)
        side = part.picture_side if isinstance(part, PictureExporter) else 0
        return cls(about, selected, store, known, files, side, settings.threads)

    def batches(self, progress: Progress) -> Iterator[ExportBatch]:
        """The images in the order of their ingest."""
        for facts in self._store.photos.facts_in_order(self.selected.ids, rows=ROWS):
            yield self._batch(facts)
            progress.advance(len(facts))

    def _batch(self, facts: Sequence[ImageFacts]) -> ExportBatch:
        names = tuple(fact.image_id for fact in facts)
        ids, known = pack_ids(names), self._known
        return ExportBatch(
            image_ids=names,
            **self._files.of(known.files.of(ids)),
            **known.membership.columns(known.detections.representing(ids)),
            **known.capture.of(ids, facts),
            **fact_columns(facts),
            **known.detections.columns(ids),
            vectors=known.vectors_of(ids),
            pictures=self._pictures(names) if self._side else None,
        )

    def _pictures(self, names: Sequence[str]) -> tuple[bytes | None, ...]:
        made = make_thumbnails(
            self._store, names, side=self._side, threads=self._threads, progress=NoProgress()
        )
        return tuple(made[i].jpeg if i in made else None for i in names)


def _read_known(store: Store, embedder: PartSpec | None, settings: Settings) -> KnownColumns:
    files = store.photos.file_lists()  # first: all else is known of the images that it has
    capture = CaptureColumns(read_capture_info(store, settings=settings))
    membership = Membership.read(store)
    return KnownColumns(
        files=files,
        membership=membership,
        detections=DetectionColumns.read(store, membership),
        capture=capture,
        vectors=store.vectors.rows(embedder) if embedder is not None else None,
        of_crops=is_crop_embedder(embedder),
    )


def _about(
    store: Store,
    known: KnownColumns,
    selected: SelectedImages,
    embedder: PartSpec | None,
    relative_to: Path | None,
    folders: Sequence[Path],
) -> ExportInfo:
    membership, current = known.membership, known.membership.current
    used = sorted(known.capture.deployments(selected.ids))
    deployments = read_placement(store).deployments if used else {}
    return ExportInfo(
        program=f"organizer {installed_version()}",
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        clusters={i: membership.names.get(i) for i in membership.ids},
        clustering_id=current.clustering_id if current else None,
        algorithm=current.algorithm if current else "",
        common=_common(folders, store.path.parent),
        deployments={name: deployments.get(name, Deployment(name)) for name in used},
        events=known.capture.events(selected.ids),
        clustered_at=current.created_at if current else None,
        extras=store.photos.extra_names(),
        detectors=tuple(sorted(filter(None, store.detections.detectors()))),
        threshold=store.detections.threshold,
        relative_to=relative_to,
        embedder=embedder,
        dim=known.vectors.dim if known.vectors is not None else 0,
    )


def _common(folders: Sequence[Path], otherwise: Path) -> Path:
    """The deepest folder that holds all of some folders."""
    try:
        return Path(os.path.commonpath(folders)) if folders else otherwise
    except ValueError:  # several drives
        return otherwise


def _folder(named: Path | None) -> Path | None:
    if named is None:
        return None
    try:
        folder = named.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"there is no folder {named}", "--relative-to FOLDER") from error
    if not folder.is_dir():
        raise SettingsError(f"{named} is no folder", "--relative-to FOLDER")
    if not str(folder).isprintable():  # not UTF-8, or with a line break: no format could name it
        raise SettingsError(f"paths cannot be relative to {str(folder)!r}", "rename it")
    return folder
