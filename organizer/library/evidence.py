"""Evidence about the clusters, each a method of `Library`: reports, reviews, exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from organizer.errors import OrganizerError
from organizer.library import exporting, publishing, reporting, reviewing
from organizer.library.deciding import DecisionReport, Desk
from organizer.library.exporting import ExportChoice, ExportReport
from organizer.library.illustrating import MapMethod
from organizer.library.opened import Opened
from organizer.library.progress import Progress, Silent
from organizer.library.reporting import Report
from organizer.library.reviewing import Look
from organizer.library.said import new_among
from organizer.scores import Audit
from organizer.store import Answer

_ANSWERS_A_TIDY = 100
"""Each answer is a commit of its own; every so many are joined."""


class Evidence(Opened):
    """What can be found out about the clusters and shown to others."""

    def report(self, *, labels: str | None = None, below: Path | None = None) -> Report:
        """How good the clustering is.

        Args:
            labels: "folders" (the name of the folder that a file lies in is its class), "camera",
                "format" or "light", the path of a CSV file with the columns path and label
                (FILE:COLUMN for another column), or None.
            below: What a relative path of labels is relative to; the current folder where None.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: The labels cannot be read, or fit no image.
        """
        return reporting.report(
            self.store, labels, below=below or Path.cwd(), settings=self.settings
        )

    def illustrate(
        self,
        *,
        html: Path | None = None,
        plots: Path | None = None,
        map_method: MapMethod = "tsne",
        labels: str | None = None,
        below: Path | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> tuple[Report, tuple[Path, ...]]:
        """The report, written as one HTML page, as PNG plots, or both.

        Args:
            html: The page's file; one that an earlier report wrote is replaced.
            plots: The folder of the plots.
            map_method: How the map is drawn; "none" for no map.
            labels: See `report`.
            below: See `report`; paths are shown relative to it.
            force: Replace a file that is there though no report wrote it.
            progress: Told how far it is.

        Returns:
            The report and the files that were written.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: The labels cannot be read, or a file cannot be written.
            PluginError: The map needs a package that is not installed.
        """
        return publishing.publish(
            self.store,
            html=html,
            plots=plots,
            map_method=map_method,
            labels=labels,
            below=below or Path.cwd(),
            force=force,
            settings=self.settings,
            progress=progress or Silent(),
        )

    def export(
        self,
        exporter: str,
        to: Path | BinaryIO | None = None,
        choice: ExportChoice | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> ExportReport:
        """Write the images with their clusters in a format that another tool reads.

        It is written beside its target and moved there when it is whole.

        Args:
            exporter: A format's name: csv, parquet, megadetector-json, fiftyone, embedding-atlas,
                or a plugin's.
            to: A file, or a folder for a format that is one; a stream for csv. In the current
                folder, under the format's own name, where None.
            choice: Which images, with or without vectors; all images where None.
            params: The options of the format, by name; a text becomes what the option is declared
                to be.
            force: Whether what is at the target may be replaced.
            progress: Told how far it is.

        Raises:
            SettingsError: The target is there already or cannot be, or there is no such format,
                cluster or embedder.
            ClusteringError: Clusters are named, and there is no clustering yet.
            OrganizerError: The target cannot be written.
        """
        return exporting.export(
            self.store,
            exporter,
            to,
            choice or ExportChoice(),
            params=params or {},
            force=force,
            progress=progress or Silent(),
            settings=self.settings,
        )

    # Review --------------------------------------------------------------------------------

    def review_sample(self, number: int = 200, *, cluster_ids: Sequence[int] = ()) -> list[Look]:
        """Images to look at, drawn at random from each cluster; reproducible by the seed.

        Of each cluster as many as its size calls for, and at least three where the number allows;
        see `organizer.evaluate.audit.allocation`. An image that was drawn and answered for the
        cluster that it is in is not drawn again. Images whose files are all missing are left out.

        Args:
            number: How many; all that are left where there are fewer.
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            Cluster by cluster, the largest first. Empty where all were answered.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        seed = self.settings.seed
        return reviewing.sample(self.store, number, seed=seed, cluster_ids=cluster_ids)

    def review_doubtful(self, number: int = 50, *, cluster_ids: Sequence[int] = ()) -> list[Look]:
        """Images of whose ten nearest neighbours six or more are in another cluster.

        Those that were answered, or whose files are all missing, are left out. Of up to 20,000
        images all are looked up among all; of more, the 5,000 with the smallest margin.

        Args:
            number: How many at most.
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            The most disagreeing first.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        return reviewing.doubtful(self.store, number, cluster_ids=cluster_ids)

    def answer(self, answers: Sequence[Answer]) -> int:
        """Write down what a person said of images, in one commit.

        Args:
            answers: As `Look.answer` makes them.

        Returns:
            How many of them were not known already.

        Raises:
            StoreError: The library cannot be written.
        """
        with self._writing():
            current = self.store.clusterings.current()
            shown_in = current.clustering_id if current else 0
            new = new_among(
                self.store,
                [replace(a, clustering_id=a.clustering_id or shown_in) for a in answers],
            )
            self.store.answers.append(new)
            before = self.store.answers.count() - len(new)
            if before // _ANSWERS_A_TIDY < (before + len(new)) // _ANSWERS_A_TIDY:
                self._tidy()
        return len(new)

    def correct(self, cluster_ids: Sequence[int] = ()) -> list[DecisionReport]:
        """Let every image that was said not to belong leave its cluster for good; see `deny`.

        Args:
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            A report for each cluster that images left.

        Raises:
            ClusteringError: There is no clustering yet, or no cluster would be left. What was done
                by then stays done, and the message says so.
            SettingsError: There is no such cluster.
            StoreError: The library cannot be written; likewise.
        """
        reports: list[DecisionReport] = []
        with self._writing():
            for cluster_id, image_ids in reviewing.wrong(self.store, cluster_ids).items():
                try:
                    desk = Desk(self.store, settings=self.settings)
                    reports.append(desk.deny(image_ids, cluster_id))
                except OrganizerError as error:
                    if not reports:
                        raise
                    raise _after(reports, error) from error
            if reports:
                self._tidy()
        return reports

    def audit(self) -> Audit | None:
        """How pure the clusters are by the answers on images that were drawn at random.

        It tells how many images are where they belong now. An answer counts for as long as the
        image is in the cluster that it was shown with; one of "no" also after the image was taken
        out of it by a person's word, since those that nobody looked at are as they were. What a
        merge, a split or a later word makes of it is told in `organizer.library.said`. Images
        that joined a cluster after its sample was drawn are taken for what the others are, until
        the next sample, which begins with them.

        Returns:
            None where there is no such answer.
        """
        return reviewing.audit(self.store)


def _after(reports: Sequence[DecisionReport], error: OrganizerError) -> OrganizerError:
    """An error, with what was done before it."""
    count = sum(len(report.decision.image_ids) for report in reports)
    ids = ", ".join(str(report.decision.cluster_id) for report in reports)
    images = "1 image" if count == 1 else f"{count:,} images"
    return type(error)(
        f"{error.message}; before that, {images} left for good (of clusters: {ids})",
        f"organizer undo brings them back, one cluster at a time; {error.hint}",
    )
