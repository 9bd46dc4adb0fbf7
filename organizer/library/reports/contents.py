"""The contents of a report with pictures: contact sheets, a map, doubtful images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from organizer.evaluate.internal import METRIC
from organizer.library.clustering.preprocessing import describe_preprocessing
from organizer.library.clustering.space import reducer_text
from organizer.library.images.visible import missing_or_cut
from organizer.library.progress import Progress
from organizer.library.reports import sheets
from organizer.library.reports.album import Album, make_album
from organizer.library.reports.maps import (
    SPOT_SIZE,
    DrawnMap,
    MapMethod,
    draw_map,
    without_hidden,
)
from organizer.library.reports.report import ClusteringReport, report_notes, score_clustering
from organizer.library.reports.sheets import SheetImages
from organizer.library.review.disagreements import (
    ALL_UP_TO,
    Disagreements,
    find_disagreements,
)
from organizer.report.contents import (
    ClusterRow,
    ContactSheet,
    MapPicture,
    ReportContents,
    ReportMap,
)
from organizer.settings import Settings
from organizer.store import Store, StoredClustering
from organizer.types import NOISE, Assignments, AssignmentState, Labels


def report_contents(
    store: Store,
    labels: str | None,
    *,
    map_method: MapMethod,
    below: Path,
    page: Path | None,
    settings: Settings,
    progress: Progress,
) -> tuple[ClusteringReport, ReportContents]:
    """The report with all that a page or plots show; see `Reports.write`.

    Links are from the folder `page`; there are none where it is None.
    """
    progress.begin("scoring", None)
    scored = score_clustering(store, labels, below=below, settings=settings)
    report, members, vectors = scored.report, scored.members, scored.vectors
    drawn = draw_map(
        vectors,
        report.cluster_ids,
        map_method,
        seed=settings.seed,
        progress=progress,
        with_hover=page is not None,
    )
    progress.begin("looking at neighbours", None)
    disagreeing = find_disagreements(vectors, report.cluster_ids, members.margins)
    hidden = store.photos.hidden(members.image_ids.tolist())
    disagreeing = disagreeing.without(members.image_ids, hidden)
    drawn = without_hidden(drawn, members, hidden)
    del scored, vectors  # of a million images they are a gigabyte, and pictures need room
    models = store.clusterings.models(report.clustering.clustering_id)
    shown = _ShownImages(
        sheets=sheets.choose_sheet_images(members, models, hidden, missing_or_cut(store)),
        unassigned=sheets.sample_unassigned(members, seed=settings.seed, hidden=hidden),
        disagreeing=disagreeing,
        drawn=drawn,
    )
    album = make_album(
        store,
        report.image_ids,
        pictured=shown.pictured,
        named=shown.named,
        below=below,
        page=page,
        threads=settings.threads,
        progress=progress,
    )
    return report, _contents(store, report, members, shown, album, hidden=len(hidden))


@dataclass(frozen=True, slots=True)
class _ShownImages:
    """The images that a report shows, as rows of the members."""

    sheets: Mapping[int, SheetImages]
    unassigned: Labels
    disagreeing: Disagreements
    drawn: DrawnMap | None

    @property
    def doubtful(self) -> Labels:
        return self.disagreeing.rows[: sheets.DOUBTFUL_PICTURES]

    @property
    def pictured(self) -> Labels:
        """The images that are shown as pictures."""
        rows = [self.unassigned, self.doubtful]
        rows += [part for s in self.sheets.values() for part in (s.typical, s.border)]
        if self.drawn is not None:
            rows.append(self.drawn.rows[np.concatenate([self.drawn.spots, self.drawn.hover])])
        return np.concatenate(rows)

    @property
    def named(self) -> Labels:
        """The images whose paths are shown."""
        mapped = self.drawn.rows if self.drawn is not None else self.unassigned
        return np.concatenate([self.pictured, mapped])


def _contents(
    store: Store,
    report: ClusteringReport,
    members: Assignments,
    shown: _ShownImages,
    album: Album,
    *,
    hidden: int,
) -> ReportContents:
    names = {i: name for i, name, _ in report.clusters if name}
    disagreeing = shown.disagreeing
    return ReportContents(
        library=str(store.path.parent),
        made_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        facts=_facts(report.clustering),
        images=report.images,
        unassigned=report.unassigned,
        clusters=_cluster_rows(report, members),
        metric=METRIC,
        silhouette=report.silhouette,
        cluster_ids=report.cluster_ids,
        internal=report.internal,
        truth=report.truth,
        explanation=report.explanation,
        audit=report.audit,
        evidence=report.clustering.evidence,
        sheets={i: _sheet(i, images, album) for i, images in shown.sheets.items()},
        doubtful=tuple(
            album.picture(row, f"near {_called(int(other), names)} ({share:.0%})")
            for row, share, other in zip(
                shown.doubtful, disagreeing.shares, disagreeing.others, strict=False
            )
        ),
        doubtful_count=len(disagreeing.rows),
        unassigned_pictures=tuple(
            album.picture(row, f"nearest: {_called(int(members.candidates[row]), names)}")
            for row in shown.unassigned
        ),
        map=_map(shown.drawn, report, album),
        remarks=(*report_notes(report), *_omissions(report, shown.drawn, album, hidden)),
    )


def _map(drawn: DrawnMap | None, report: ClusteringReport, album: Album) -> ReportMap | None:
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
            MapPicture(int(point), album.point(drawn.rows[point])) for point in drawn.spots
        ),
        spot_size=SPOT_SIZE,
        images=report.images,
        links=tuple(map(album.link, drawn.rows)) if album.page else (),
        hover=tuple(
            MapPicture(int(point), album.point(drawn.rows[point])) for point in drawn.hover
        ),
    )


def _sheet(cluster_id: int, images: SheetImages, album: Album) -> ContactSheet:
    first, *others = [album.picture(row, "typical") for row in images.typical]
    border = tuple(album.picture(row, "border") for row in images.border)
    first = replace(first, note="medoid") if images.with_medoid else first
    return ContactSheet(cluster_id, (first, *others), border)


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
        ("made at", f"{clustering.created_at[:16].replace('T', ' ')} UTC"),
    )


def _omissions(
    report: ClusteringReport, drawn: DrawnMap | None, album: Album, hidden: int
) -> list[str]:
    """Notes on what the pictures leave out, a line each."""
    notes = []
    if hidden:
        what = "image has" if hidden == 1 else "images have"
        notes.append(f"{hidden:,} {what} people or vehicles in the photo and no picture here")
    if np.count_nonzero(report.cluster_ids != NOISE) > ALL_UP_TO:
        notes.append("of the doubtful images only those with the smallest margins were looked for")
    if drawn is not None and len(drawn.rows) + hidden < report.images:
        notes.append(f"the map shows a random sample of {len(drawn.rows):,} images")
    if len(report.clusters) > sheets.SHEETS:
        notes.append(f"contact sheets are shown of the {sheets.SHEETS} largest clusters")
    if album.missing:
        notes.append(f"{album.missing:,} of {album.wanted:,} pictures could not be read again")
    return notes
