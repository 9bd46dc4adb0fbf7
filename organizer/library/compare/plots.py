"""Plots of the runs that a recipe shows: silhouettes, pies, samples, a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import METRIC, silhouette
from organizer.evaluate.shape import internal_scores
from organizer.library.compare.findings import ClusteringExample, RecipeFindings
from organizer.library.compare.recipe import Recipe
from organizer.library.compare.run import KEPT_METRIC, ComparisonResult
from organizer.library.images.thumbnails import THUMBNAIL_SIDE, make_thumbnails
from organizer.library.progress import Progress
from organizer.library.reports.album import relative_to
from organizer.library.reports.maps import SPOT_SIZE, draw_map
from organizer.paths import mark_missing
from organizer.reduce.projection import Method
from organizer.report.comparison import ComparisonCell
from organizer.report.contents import (
    ClusterRow,
    ContactSheet,
    MapPicture,
    ReportContents,
    ReportMap,
    ReportPicture,
)
from organizer.report.plots import write_plots
from organizer.settings import Settings
from organizer.store import FileRow, Store
from organizer.thumbnail import Thumbnail
from organizer.types import NOISE, Candidate, Labels, Vectors


@dataclass(frozen=True, slots=True)
class ComparisonPlots:
    """Draws the runs that a recipe shows.

    Attributes:
        store: The library.
        recipe: The recipe.
        compared: The result of its plan.
        findings: Its findings.
        below: What paths are shown relative to.
        settings: Threads, and the seed of the map.
        progress: Told of pictures and maps.
    """

    store: Store
    recipe: Recipe
    compared: ComparisonResult
    findings: RecipeFindings
    below: Path
    settings: Settings
    progress: Progress

    def write(self, folder: Path) -> list[Path]:
        """Write a folder of plots for each run that is shown.

        Raises:
            SettingsError: A folder cannot be written.
        """
        files: list[Path] = []
        for found in self.findings.clusters:
            files += write_plots(self.contents(found), folder / _folder_name(found.cell))
        return files

    def contents(self, found: ClusteringExample) -> ReportContents:
        """The contents of a report on the first run of a cell."""
        cell, labels = found.cell, self.compared.labels_of(found.cell)
        vectors = found.vectors
        known = self.compared.known
        drawn = self._map(labels, vectors)
        album = self._album(found, drawn)
        return ReportContents(
            library=str(self.store.path.parent),
            made_at=datetime.now().astimezone().isoformat(timespec="seconds"),
            facts=(("recipe", self.recipe.name), ("clustering", cell.name)),
            images=len(labels),
            unassigned=int(np.count_nonzero(labels == NOISE)),
            clusters=tuple(ClusterRow(made.number, None, made.count) for made in found.made),
            metric=KEPT_METRIC if cell.lengths == "kept" else METRIC,
            silhouette=silhouette(vectors, labels, seed=self.settings.seed),
            cluster_ids=labels,
            internal=internal_scores(vectors, labels),
            truth=against_truth(labels[known.rows], known.truth) if len(known.rows) else None,
            explanation=None,
            audit=None,
            evidence=self._evidence(cell),
            sheets={
                made.number: ContactSheet(
                    made.number, tuple(self._picture(row, album) for row in made.rows), ()
                )
                for made in found.made
            },
            doubtful=(),
            doubtful_count=0,
            unassigned_pictures=(),
            map=None if drawn is None else self._with_pictures(drawn, album),
            remarks=self.compared.comparison.remarks,
        )

    def _evidence(self, cell: ComparisonCell) -> tuple[Candidate, ...]:
        """The numbers of clusters that were tried, where the inertia chose one."""
        elbow = next((e for e in self.findings.elbows if e.source == cell.source), None)
        tried = [
            other
            for other in self.compared.comparison.cells
            if other.source == cell.source and other.k and other.mean("silhouette") is not None
        ]
        if elbow is None:
            return ()
        return tuple(
            Candidate(
                k=other.k or 0,
                silhouette=other.mean("silhouette") or 0.0,
                inertia=other.mean("inertia") or 0.0,
                davies_bouldin=other.mean("davies_bouldin"),
                calinski_harabasz=other.mean("calinski_harabasz"),
                chosen=other.k == elbow.k,
                elbow=other.k == elbow.k,
            )
            for other in tried
        )

    def _map(self, labels: Labels, vectors: Vectors) -> ReportMap | None:
        """The map, with ids for paths and without pictures."""
        method: Method | None = self.recipe.map_method
        if method is None:
            return None
        drawn = draw_map(vectors, labels, method, seed=self.settings.seed, progress=self.progress)
        if drawn is None:
            return None
        empty = ReportPicture("", b"", THUMBNAIL_SIDE, THUMBNAIL_SIDE, "")
        ids = self.compared.image_ids
        return ReportMap(
            method=method,
            xy=drawn.xy,
            cluster_ids=labels[drawn.rows],
            paths=tuple(ids[int(row)] for row in drawn.rows),
            truth=(),
            spots=tuple(MapPicture(int(row), empty) for row in drawn.spots),
            spot_size=SPOT_SIZE,
            images=len(labels),
        )

    def _album(self, found: ClusteringExample, drawn: ReportMap | None) -> dict[str, Thumbnail]:
        wanted = [self.compared.image_ids[row] for made in found.made for row in made.rows]
        if drawn is not None:
            wanted += [drawn.paths[spot.row] for spot in drawn.spots]
        threads = self.settings.threads
        return make_thumbnails(self.store, wanted, threads=threads, progress=self.progress)

    def _picture(self, row: int, album: dict[str, Thumbnail]) -> ReportPicture:
        return _picture_of(self.compared.image_ids[row], self._paths([row])[0], album)

    def _with_pictures(self, drawn: ReportMap, album: dict[str, Thumbnail]) -> ReportMap:
        """The map with paths for ids, and its spots with pictures."""
        files = self.store.photos.files_of(drawn.paths)
        paths = tuple(_shown(files[i][0], self.below) if i in files else i for i in drawn.paths)
        filled = tuple(
            MapPicture(spot.row, _picture_of(drawn.paths[spot.row], paths[spot.row], album))
            for spot in drawn.spots
        )
        return replace(drawn, paths=paths, spots=filled)

    def _paths(self, rows: Sequence[int]) -> list[str]:
        ids = [self.compared.image_ids[row] for row in rows]
        files = self.store.photos.files_of(ids)
        return [_shown(files[i][0], self.below) if i in files else i for i in ids]


def _shown(row: FileRow, below: Path) -> str:
    return mark_missing(relative_to(row.file, below), missing=row.is_missing)


def _picture_of(image_id: str, path: str, album: dict[str, Thumbnail]) -> ReportPicture:
    found = album.get(image_id)
    if found is None:
        return ReportPicture(path, b"", THUMBNAIL_SIDE, THUMBNAIL_SIDE, "")
    return ReportPicture(path, found.jpeg, found.width, found.height, "")


def _folder_name(cell: ComparisonCell) -> str:
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in cell.embedder)
    return f"{plain}-{cell.algorithm}-{cell.k}"
