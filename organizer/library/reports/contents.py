"""A report with pictures: contact sheets and a map, gathered from the library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from organizer.evaluate.internal import METRIC
from organizer.library.clustering.preprocessing import describe_preprocessing
from organizer.library.clustering.space import reducer_text
from organizer.library.images.thumbnails import THUMBNAIL_SIDE, make_thumbnails
from organizer.library.progress import Progress
from organizer.library.reports import sheets
from organizer.library.reports.report import ClusteringReport, report_notes, score_clustering
from organizer.library.reports.sheets import SheetImages
from organizer.library.review.disagreements import ALL_UP_TO, find_disagreements
from organizer.reduce.projection import project
from organizer.report.contents import (
    ClusterRow,
    ContactSheet,
    MapPicture,
    ReportContents,
    ReportMap,
    ReportPicture,
)
from organizer.report.spots import spots
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.thumbnail import Thumbnail
from organizer.types import NOISE, Assignments, AssignmentState, Labels, Vectors

MapMethod = Literal["pca", "tsne", "umap", "none"]

MAPPED = 10_000
"""Points of a map; of more images a seeded sample."""

SPOTS, SPOT_SIZE = 240, 0.08


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The map before it has pictures: which images, where they lie, which become pictures."""

    method: str
    rows: Labels
    xy: Vectors
    spots: Labels


def report_contents(
    store: Store,
    labels: str | None,
    *,
    map_method: MapMethod,
    below: Path,
    settings: Settings,
    progress: Progress,
) -> tuple[ClusteringReport, ReportContents]:
    """The report with all that a page or plots show; see `organizer.library.Library`."""
    progress.begin("scoring", None)
    found = score_clustering(store, labels, below=below, settings=settings)
    report, members, vectors = found.report, found.members, found.vectors
    drawn = draw_map(vectors, report.cluster_ids, map_method, seed=settings.seed, progress=progress)
    progress.begin("looking at neighbours", None)
    disagreeing = find_disagreements(vectors, report.cluster_ids, members.margins)
    hidden = store.photos.hidden(members.image_ids.tolist())
    disagreeing = disagreeing.without(members.image_ids, hidden)
    drawn = _without(drawn, members, hidden)
    del found, vectors  # of a million images they are a gigabyte, and pictures need room
    choices = sheets.choose_sheet_images(
        members, store.clusterings.models(report.clustering.clustering_id), hidden
    )
    unassigned = sheets.sample_unassigned(members, seed=settings.seed, hidden=hidden)
    doubtful = disagreeing.rows[: sheets.DOUBTFUL_PICTURES]
    pictured = [
        unassigned,
        doubtful,
        *(rows for c in choices.values() for rows in (c.typical, c.least_sure)),
    ]
    pictured += [drawn.rows[drawn.spots]] if drawn is not None else []
    album = _album(
        store,
        report,
        pictured=np.concatenate(pictured),
        named=np.concatenate([*pictured, drawn.rows if drawn is not None else unassigned]),
        below=below,
        settings=settings,
        progress=progress,
    )
    names = {i: name for i, name, _ in report.clusters if name}
    contents = ReportContents(
        library=str(store.path.parent),
        made_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        facts=_facts(report.clustering),
        images=report.images,
        unsure=report.unsure,
        clusters=_cluster_rows(report, members),
        metric=METRIC,
        silhouette=report.silhouette,
        cluster_ids=report.cluster_ids,
        internal=report.internal,
        truth=report.truth,
        explanation=report.explanation,
        audit=report.audit,
        evidence=report.clustering.evidence,
        sheets={i: _sheet(i, choice, members, album) for i, choice in choices.items()},
        doubtful=tuple(
            album.picture(row, f"{share:.0%} in {_called(int(other), names)}")
            for row, share, other in zip(
                doubtful, disagreeing.shares, disagreeing.others, strict=False
            )
        ),
        doubtful_count=len(disagreeing.rows),
        unsure_pictures=tuple(
            album.picture(row, _of_unassigned(row, members, names)) for row in unassigned
        ),
        map=_map(drawn, report, album),
        remarks=(*report_notes(report), *_omissions(report, drawn, album, len(hidden))),
    )
    return report, contents


@dataclass(frozen=True, slots=True)
class _Album:
    """The pictures that are shown, as many as could be read, and the paths of all images."""

    image_ids: NDArray[np.object_]
    paths: Mapping[str, Path]
    thumbnails: Mapping[str, Thumbnail]
    wanted: int
    below: Path

    def path(self, row: int) -> str:
        """Where the image of a row lies, for a person."""
        return relative_to(self.paths[self.image_ids[row]], self.below)

    def picture(self, row: int, note: str = "") -> ReportPicture:
        """The picture of a row; without pixels where the file could not be read."""
        found = self.thumbnails.get(self.image_ids[row])
        if found is None:
            return ReportPicture(self.path(row), b"", THUMBNAIL_SIDE, THUMBNAIL_SIDE, note)
        return ReportPicture(self.path(row), found.jpeg, found.width, found.height, note)

    @property
    def missing(self) -> int:
        """Pictures that could not be made."""
        return self.wanted - len(self.thumbnails)


def relative_to(file: Path, below: Path) -> str:
    """A path as short as it can be written from a folder."""
    return str(file.relative_to(below)) if file.is_relative_to(below) else str(file)


def _album(
    store: Store,
    report: ClusteringReport,
    *,
    pictured: Labels,
    named: Labels,
    below: Path,
    settings: Settings,
    progress: Progress,
) -> _Album:
    wanted = report.image_ids[np.unique(pictured)].tolist()
    files = store.photos.files_of(report.image_ids[np.unique(named)].tolist())
    return _Album(
        image_ids=report.image_ids,
        paths={image_id: rows[0].file for image_id, rows in files.items()},
        thumbnails=make_thumbnails(store, wanted, threads=settings.threads, progress=progress),
        wanted=len(wanted),
        below=below,
    )


def draw_map(
    vectors: Vectors, labels: Labels, method: MapMethod, *, seed: int, progress: Progress
) -> DrawnMap | None:
    """Lay images out, of very many a sample, and choose those that become pictures."""
    if method == "none" or not len(vectors):
        return None
    rows = np.arange(len(vectors))
    if len(rows) > MAPPED:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAPPED, replace=False))
    progress.begin(f"drawing the map of {len(rows):,} images", None)
    xy = project(vectors[rows], method=method, seed=seed)
    at = spots(xy, cluster_ids=labels[rows], size=SPOT_SIZE, limit=SPOTS)
    return DrawnMap(method, rows, xy, at)


def _without(
    drawn: DrawnMap | None, members: Assignments, hidden: Collection[str]
) -> DrawnMap | None:
    """The map without the images that may not be shown."""
    if drawn is None or not hidden:
        return drawn
    keep = ~np.isin(members.image_ids[drawn.rows], list(hidden))
    number = np.cumsum(keep) - 1
    spots = drawn.spots[keep[drawn.spots]]
    return replace(drawn, rows=drawn.rows[keep], xy=drawn.xy[keep], spots=number[spots])


def _map(drawn: DrawnMap | None, report: ClusteringReport, album: _Album) -> ReportMap | None:
    if drawn is None:
        return None
    known = report.known.of
    return ReportMap(
        method=drawn.method,
        xy=drawn.xy,
        cluster_ids=report.cluster_ids[drawn.rows],
        paths=tuple(album.path(row) for row in drawn.rows),
        truth=tuple(known.get(i) for i in report.image_ids[drawn.rows]) if known else (),
        spots=tuple(
            MapPicture(int(point), album.picture(drawn.rows[point])) for point in drawn.spots
        ),
        spot_size=SPOT_SIZE,
        images=report.images,
    )


def _sheet(
    cluster_id: int, choice: SheetImages, members: Assignments, album: _Album
) -> ContactSheet:
    first, *others = [
        album.picture(row, f"distance {members.distances[row]:.3f}") for row in choice.typical
    ]
    least_sure = [
        album.picture(row, f"margin {members.margins[row]:.3f}") for row in choice.least_sure
    ]
    first = replace(first, note="medoid") if choice.with_medoid else first
    return ContactSheet(cluster_id, (first, *others), tuple(least_sure))


def _of_unassigned(row: int, members: Assignments, names: Mapping[int, str]) -> str:
    return f"nearest: {_called(int(members.candidates[row]), names)}"


def _called(cluster_id: int, names: Mapping[int, str]) -> str:
    return names.get(cluster_id) or f"cluster {cluster_id}"


def _cluster_rows(report: ClusteringReport, members: Assignments) -> tuple[ClusterRow, ...]:
    decided = Counter(members.cluster_ids[members.states == AssignmentState.DECIDED.value].tolist())
    rows = [ClusterRow(i, name, count, decided[i]) for i, name, count in report.clusters]
    return tuple(sorted(rows, key=lambda row: (-row.count, row.cluster_id)))


def _facts(clustering: StoredClustering) -> tuple[tuple[str, str], ...]:
    return (
        ("embedder", clustering.embedder.name),
        (
            "space",
            ", ".join([reducer_text(clustering.reducer), *describe_preprocessing(clustering)]),
        ),
        ("algorithm", clustering.algorithm),
        ("clustering", f"{clustering.clustering_id}, made by {clustering.action}"),
        ("made at", clustering.created_at),
    )


def _omissions(
    report: ClusteringReport, drawn: DrawnMap | None, album: _Album, hidden: int
) -> list[str]:
    """What the pictures leave out."""
    said = []
    if hidden:
        what = "image has" if hidden == 1 else "images have"
        said.append(f"{hidden:,} {what} people or vehicles in the photo and no picture here")
    if np.count_nonzero(report.cluster_ids != NOISE) > ALL_UP_TO:
        said.append("of the images among strangers only the least sure were looked for")
    if drawn is not None and len(drawn.rows) + hidden < report.images:
        said.append(f"the map shows a random sample of {len(drawn.rows):,} images")
    if len(report.clusters) > sheets.SHEETS:
        said.append(f"contact sheets are shown of the {sheets.SHEETS} largest clusters")
    if album.missing:
        said.append(f"{album.missing:,} of {album.wanted:,} pictures could not be read again")
    return said
