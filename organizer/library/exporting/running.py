"""What an export is made of: the images of a library in batches, with all that is known of them."""

from __future__ import annotations

import inspect
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.cluster.decisions import compiled
from organizer.errors import SettingsError
from organizer.export.target import replacing
from organizer.library import embedders
from organizer.library.current import require_cluster, require_clustering
from organizer.library.pictures import pictures
from organizer.library.places import require_own, require_suffix
from organizer.library.progress import Progress, Silent
from organizer.protocols import (
    Exporter,
    FolderExporter,
    Openable,
    PictureExporter,
    StreamExporter,
)
from organizer.records import UNSURE, ExportBatch, ExportInfo, VectorUse
from organizer.store import FileRow, Store, StoredClustering
from organizer.store.ids import IdArray, found, pack, unpack
from organizer.types import NOISE, Assignments, FileState, ImageFacts, PartSpec

GROUP = "organizer.exporters"
_ROWS = 4_000  # as many ids as the store looks up without reading a table in full


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What to export.

    Attributes:
        vectors: Whether to; None leaves it to the format.
        embedder: Whose vectors.
        clusters: Ids and names of the clusters to which the export is limited, or the word
            "unsure"; all images where empty.
        include_missing: Whether images come whose files are all gone.
        relative_to: The folder that paths are relative to; None leaves it to the format.
    """

    vectors: bool | None = None
    embedder: str | None = None
    clusters: Sequence[str | int] = ()
    include_missing: bool = False
    relative_to: Path | None = None


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        exporter: The format.
        to: The file or folder; None where it went to a stream.
        images: Number of images in it.
        missing: Images left out because none of their files was there when last looked for.
        without_vector: Images left out because the embedder has no vector of them.
        clustered: Whether there is a clustering.
        embedder: Whose vectors are in it; None where there are none.
        opened_with: How to go on; empty where there is nothing to say.
    """

    exporter: str
    to: Path | None
    images: int
    missing: int
    without_vector: int
    clustered: bool
    embedder: PartSpec | None
    opened_with: str


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
    part = _made(exporter, params)
    source = _Source.of(
        store,
        choice,
        _vectors_of(store, part, exporter, choice),
        side=part.picture_side if isinstance(part, PictureExporter) else 0,
        threads=threads,
    )
    progress.begin(f"export {exporter}", len(source.ids))
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
        missing=source.counts["missing"],
        without_vector=source.counts["without_vector"],
        clustered=source.about.clustering_id is not None,
        embedder=source.about.embedder,
        opened_with=part.opened_with(place, about=source.about)
        if place is not None and isinstance(part, Openable)
        else "",
    )


def _made(exporter: str, params: Mapping[str, Any]) -> Exporter:
    taken = inspect.signature(registry.factory(GROUP, exporter)).parameters
    for name in params:
        if name not in taken:
            raise SettingsError(f"{exporter} has no {name}", f"leave --{name} out")
    return cast(Exporter, registry.create(GROUP, PartSpec(exporter, params))[1])


def _to_place(
    part: Exporter, source: _Source, place: Path, *, force: bool, progress: Progress
) -> int:
    holds = part.holds if isinstance(part, FolderExporter) else None
    with replacing(place, force=force, holds=holds) as partial:
        return part.export(source.batches(progress), partial, about=source.about)


def _to_stream(
    part: Exporter, exporter: str, source: _Source, stream: BinaryIO, progress: Progress
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


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Where every image is, by its packed id."""

    current: StoredClustering | None
    names: Mapping[int, str]
    ids: list[int]
    members: Assignments | None
    order: NDArray[np.int64]
    packed: IdArray

    @classmethod
    def of(cls, store: Store) -> _Clusters:
        current = store.clusterings.current()
        names = compiled(store.decisions.all()).names
        if current is None:
            return cls(None, names, [], None, np.empty(0, np.int64), pack([]))
        members = store.clusterings.assignments(current.clustering_id)
        packed = pack(members.image_ids)
        order = np.argsort(packed)
        ids = store.clusterings.models(current.clustering_id).ids
        return cls(current, names, ids, members, order, packed[order])

    def rows(self, image_ids: Sequence[str]) -> list[int | None]:
        """The row of each image in `members`."""
        if self.members is None or not len(self.packed):
            return [None] * len(image_ids)
        wanted = pack(image_ids)
        places = np.searchsorted(self.packed, wanted)
        known = found(self.packed, wanted)
        return [
            int(self.order[place]) if there else None
            for place, there in zip(places.tolist(), known.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Source:
    """The images to export, as their packed ids, and where to look up the rest.

    Attributes:
        side: Of the pictures that come along, pixels; 0 for none.
        threads: That read and decode them.
    """

    store: Store
    ids: IdArray
    clusters: _Clusters
    about: ExportInfo
    include_missing: bool
    folders: tuple[str, ...]
    side: int
    threads: int
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        store: Store,
        choice: ExportChoice,
        embedder: PartSpec | None,
        *,
        side: int,
        threads: int,
    ) -> _Source:
        clusters = _Clusters.of(store)
        ids = pack(store.photos.columns("image_id")["image_id"])
        ids = _within(ids, _chosen(store, clusters, choice.clusters))
        counts: Counter[str] = Counter()
        dim = 0
        if embedder is not None:
            has = store.vectors.ids(embedder).holds(ids)
            counts["without_vector"] = int(np.count_nonzero(~has))
            ids = ids[has]
            if not len(ids):
                raise SettingsError(
                    f"none of these images has a vector of {embedder.name}",
                    f"organizer ingest --embedder {embedder.name}",
                )
            dim = store.vectors.read_rows(embedder, unpack(ids[:1])).shape[1]
        roots = [root.folder for root in store.photos.roots()]
        about = ExportInfo(
            program=f"organizer {version('organizer')}",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            clusters={i: clusters.names.get(i) for i in clusters.ids},
            clustering_id=clusters.current.clustering_id if clusters.current else None,
            algorithm=clusters.current.algorithm if clusters.current else "",
            common=_common(roots, store.path.parent),
            relative_to=_folder(choice.relative_to),
            embedder=embedder,
            dim=dim,
        )
        return cls(
            store,
            ids,
            clusters,
            about,
            choice.include_missing,
            _deepest_first(roots),
            side,
            threads,
            counts,
        )

    def batches(self, progress: Progress) -> Iterator[ExportBatch]:
        """The images in the order in which they came to the library."""
        for start in range(0, len(self.ids), _ROWS):
            ids = unpack(self.ids[start : start + _ROWS])
            batch = self._batch(ids)
            if len(batch):
                yield batch
            progress.advance(len(ids))

    def _batch(self, ids: list[str]) -> ExportBatch:
        facts = self.store.photos.facts_of(ids)
        files = self.store.photos.files_of(ids)
        ids = [i for i in ids if i in facts and i in files]  # the others are not real yet
        if not self.include_missing:
            there = [i for i in ids if files[i][0].state is FileState.PRESENT]
            self.counts["missing"] += len(ids) - len(there)
            ids = there
        return ExportBatch(
            image_ids=tuple(ids),
            **self._places([files[i] for i in ids]),
            **self._membership(ids),
            **self._facts([facts[i] for i in ids]),
            vectors=self.store.vectors.read_rows(self.about.embedder, ids)
            if self.about.embedder is not None
            else None,
            pictures=self._pictures(ids) if self.side else None,
        )

    def _pictures(self, ids: Sequence[str]) -> tuple[bytes | None, ...]:
        made = pictures(self.store, ids, side=self.side, threads=self.threads, progress=Silent())
        return tuple(made[i].jpeg if i in made else None for i in ids)

    def _places(self, files: Sequence[Sequence[FileRow]]) -> dict[str, Any]:
        paths = [str(rows[0].file) for rows in files]
        split = [self._split(path) for path in paths]
        copies = [
            [row for row in rows[1:] if self.include_missing or row.state is FileState.PRESENT]
            for rows in files
        ]
        return {
            "paths": tuple(paths),
            "folders": tuple(folder for folder, _ in split),
            "files": tuple(file.replace(os.sep, "/") for _, file in split),
            "copies": tuple(tuple(str(row.file) for row in rows) for rows in copies),
            "missing": tuple(rows[0].state is FileState.MISSING for rows in files),
        }

    def _split(self, path: str) -> tuple[str, str]:
        """A path as the deepest ingested folder that holds it, and the rest."""
        for folder in self.folders:
            start = folder if folder.endswith(os.sep) else folder + os.sep
            if path.startswith(start):
                return folder, path[len(start) :]
        folder, _, name = path.rpartition(os.sep)
        return folder, name

    def _membership(self, ids: Sequence[str]) -> dict[str, Any]:
        names, members = self.about.clusters, self.clusters.members
        columns: dict[str, list[Any]] = {name: [] for name in _MEMBERSHIP}
        for row in self.clusters.rows(ids):
            values: tuple[Any, ...] = (None,) * len(columns)
            if row is not None and members is not None:
                inside = int(members.cluster_ids[row]) != NOISE
                nearest = int(members.candidates[row])
                home = int(members.cluster_ids[row]) if inside else None
                candidate = None if inside or nearest == NOISE else nearest
                values = (
                    home,
                    names.get(home) if home is not None else None,
                    str(members.states[row]),
                    candidate,
                    names.get(candidate) if candidate is not None else None,
                    _number(float(members.distances[row])),
                    _number(float(members.margins[row])),
                )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        return {name: tuple(column) for name, column in columns.items()}

    def _facts(self, facts: Sequence[ImageFacts]) -> dict[str, Any]:
        return {
            "sizes": tuple(fact.bytes for fact in facts),
            "widths": tuple(fact.width for fact in facts),
            "heights": tuple(fact.height for fact in facts),
            "formats": tuple(fact.format for fact in facts),
            "taken_at": tuple(fact.taken_at for fact in facts),
            "cameras": tuple(fact.camera for fact in facts),
            "latitudes": tuple(_number(fact.latitude) for fact in facts),
            "longitudes": tuple(_number(fact.longitude) for fact in facts),
            "brightness": tuple(_number(fact.brightness) for fact in facts),
            "chroma": tuple(_number(fact.chroma) for fact in facts),
        }


_MEMBERSHIP = (
    "cluster_ids", "cluster_names", "states", "candidate_ids", "candidate_names", "distances",
    "margins",
)  # fmt: skip


def _chosen(store: Store, clusters: _Clusters, named: Sequence[str | int]) -> IdArray | None:
    """The sorted ids of the images in some clusters; None where no cluster is named."""
    if not named:
        return None
    current = require_clustering(store)
    wanted = [_cluster_id(store, current, clusters.names, name) for name in named]
    members = cast(Assignments, clusters.members)
    return clusters.packed[np.isin(members.cluster_ids[clusters.order], wanted)]


def _cluster_id(
    store: Store, current: StoredClustering, names: Mapping[int, str], named: str | int
) -> int:
    """A cluster by its name or id; a name that is a number comes before the id."""
    if named == UNSURE:
        return NOISE
    by_name = {name: cluster_id for cluster_id, name in names.items()}
    if named in by_name:
        return by_name[str(named)]
    if not str(named).isdecimal():
        raise SettingsError(
            f"there is no cluster {named!r}", "organizer clusters lists ids and names"
        )
    require_cluster(store, current, int(named))
    return int(named)


def _within(ids: IdArray, chosen: IdArray | None) -> IdArray:
    return ids if chosen is None else ids[found(chosen, ids)]


def _common(folders: Sequence[Path], otherwise: Path) -> Path:
    """The deepest folder that holds all folders."""
    try:
        return Path(os.path.commonpath(folders)) if folders else otherwise
    except ValueError:  # several drives
        return otherwise


def _deepest_first(folders: Sequence[Path]) -> tuple[str, ...]:
    return tuple(sorted(map(str, folders), key=len, reverse=True))


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


def _number(value: float | None) -> float | None:
    """A number that every format can hold."""
    return value if value is not None and math.isfinite(value) else None
