"""The object on which the command line, the service and a program of one's own are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Self

from organizer import decode
from organizer.cluster.decisions import Constraints, compiled
from organizer.errors import ImageError, OrganizerError, SettingsError
from organizer.library import (
    embedders,
    exporting,
    publishing,
    reporting,
    reviewing,
    texts,
    undoing,
    views,
)
from organizer.library import ingest as ingesting
from organizer.library import recluster as reclustering
from organizer.library.commit import IngestReport
from organizer.library.compare.grid import Plan as ComparePlan
from organizer.library.compare.running import Compared, compared
from organizer.library.deciding import DecisionReport, Desk
from organizer.library.exporting import ExportChoice, ExportReport
from organizer.library.history import Event, history_of
from organizer.library.illustrating import MapMethod
from organizer.library.joining import recover
from organizer.library.naming import resolve
from organizer.library.place import library_path
from organizer.library.progress import Progress, Silent
from organizer.library.recluster import K, KMethod, Plan, ReclusterReport
from organizer.library.reporting import Report
from organizer.library.reviewing import Look
from organizer.library.said import new_among
from organizer.library.space import parsed
from organizer.protocols import EmbedderInfo, least_side
from organizer.scores import Audit
from organizer.settings import DEFAULT_REDUCER, Settings, load_settings
from organizer.store import Answer, Store, StoredClustering
from organizer.types import Hit, ImageRef, Outcome, Vectors

_ANSWERS_A_TIDY = 100
"""Each answer is a commit of its own; every so many are joined."""


class Library:
    """A folder of photos, organised. Use it as a context manager, or call `close`.

        with Library.open_or_create(Path(".")) as library:
            library.ingest([Path("photos")])
            library.recluster(k="auto")

    Attributes:
        store: The library's folder.
        settings: What the user chose.
    """

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or load_settings()
        self._open = ExitStack()
        self._open.enter_context(store.reading())

    @classmethod
    def open(cls, path: Path, settings: Settings | None = None) -> Self:
        """Open a library by its folder, or by the folder that holds it.

        Raises:
            StoreError: There is none, it is damaged, or it is newer than this program.
        """
        return cls(Store.open(library_path(path)), settings)

    @classmethod
    def open_or_create(cls, path: Path, settings: Settings | None = None) -> Self:
        """Open a library, or make an empty one."""
        folder = library_path(path)
        store = Store.open(folder) if Store.is_library(folder) else Store.create(folder)
        return cls(store, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Tell writers that nothing is read any more."""
        self._open.close()

    # Writing -------------------------------------------------------------------------------

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        embedder: str | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Bring the images of folders and files in; new ones join the present clusters.

        A file that is known and unchanged costs a stat. Nothing that is in the library moves.

        Args:
            paths: Folders and files.
            embedder: The embedder to use; the library's own where None.
            progress: Told how far it is.
            stop: Asked after every batch; True ends the run with what was done so far committed.

        Raises:
            SettingsError: A path does not exist, there are no images, or no such embedder.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.
        """
        starts = ingesting.starts_of(paths)
        if not self._knows_files_below(starts):
            ingesting.require_images(starts)
        with self._writing() as was_cut_short:
            report = ingesting.ingest(
                self.store,
                starts,
                was_cut_short=was_cut_short,
                embedder=embedder,
                settings=self.settings,
                progress=progress or Silent(),
                stop=stop,
            )
            if sum(report.counts.values()) > report.counts[Outcome.UNCHANGED]:
                self._tidy()
        return report

    def recluster(
        self,
        *,
        k: K = "auto",
        k_method: KMethod = "auto",
        algorithm: str = "kmeans",
        reduce: str | None = None,
        embedder: str | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> ReclusterReport:
        """Cluster all images anew; clusters keep the ids and names of those they continue.

        Args:
            k: Number of clusters, "auto" to choose it with evidence, or the lowest and the highest
                to choose from. Ignored by an algorithm that finds its own.
            k_method: What chooses.
            algorithm: A clusterer's name.
            reduce: The space in which to cluster: NAME or NAME:DIMENSIONS, or "none"; the default
                one where None.
            embedder: Whose vectors; the library's own where None.
            dry_run: Tell what would change, and change nothing.
            progress: Told how far it is.

        Raises:
            SettingsError: k cannot be, there are no vectors, or a name is unknown.
            ClusteringError: The images cannot be clustered so.
        """
        plan = Plan(k, k_method, algorithm, parsed(reduce or DEFAULT_REDUCER), embedder, dry_run)
        with self._writing():
            report = reclustering.recluster(
                self.store, plan, settings=self.settings, progress=progress or Silent()
            )
            if not dry_run:
                self._tidy()
        return report

    def compare(
        self,
        plan: ComparePlan,
        *,
        labels: str | None = None,
        below: Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Compared:
        """Compare embedders, spaces, algorithms and numbers of clusters on the images here.

        Embedders whose vectors are not here are brought in as by `ingest`; the library's own
        embedder, its clusters and what a person said of them stay as they are. Finished runs are
        kept in the library, so that the same call later, or one that asks for more, does the rest.

        Args:
            plan: What to compare; `organizer.library.compare.grid.plan_of` makes one from words.
            labels: See `report`.
            below: See `report`.
            progress: Told of each run.
            stop: Asked between runs; True ends with what is done so far.

        Raises:
            SettingsError: A name is unknown, there are no images, or the labels cannot be used.
            WeightsError: Weights are missing and the plan has no substitutes.
        """
        shown = progress or Silent()

        def bring_in(embedder: str) -> bool:
            here = [folder for folder in self.roots() if folder.exists()]
            if not here:  # a card, a drive: what was embedded before is compared
                return True
            report = self.ingest(here, embedder=embedder, progress=shown, stop=stop)
            return not report.interrupted

        return compared(
            self.store,
            plan,
            ingest=bring_in,
            settings=self.settings,
            labels=labels,
            below=below or Path.cwd(),
            progress=shown,
            stop=stop,
        )

    def undo(self) -> StoredClustering:
        """Bring the clustering before the last recluster, merge, split, move or the like back.

        A person's word that made the present one is taken back with it. Images that came since
        join the former clustering.

        Raises:
            ClusteringError: There is no former clustering.
        """
        with self._writing():
            former = undoing.undo(self.store, seed=self.settings.seed)
            self._tidy()
        return former

    # A person's word -----------------------------------------------------------------------

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """Name a cluster. The name stays with its images through every recluster.

        Raises:
            SettingsError: There is no such cluster, or another one has the name.
        """
        return self._decide(lambda desk: desk.rename(cluster_id, name))

    def pin(self, cluster_id: int) -> DecisionReport:
        """Keep a cluster, with the images that are typical of it, through every recluster.

        Raises:
            SettingsError: There is no such cluster.
        """
        return self._decide(lambda desk: desk.pin(cluster_id))

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """Make one cluster of several; it has the id of the first. They are never parted again.

        Raises:
            SettingsError: There is no such cluster, or it contradicts what was said before.
        """
        return self._decide(lambda desk: desk.merge(cluster_ids))

    def split(self, cluster_id: int, *, k: int = 2) -> DecisionReport:
        """Make several clusters of one; the largest part keeps the id. They are never one again.

        Raises:
            SettingsError: There is no such cluster, or it has too few different images.
        """
        return self._decide(lambda desk: desk.split(cluster_id, k))

    def move(self, images: Sequence[str | Path], cluster_id: int) -> DecisionReport:
        """Put images into a cluster, for good.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        ids = resolve(self.store, images)
        return self._decide(lambda desk: desk.move(ids, cluster_id))

    def deny(self, images: Sequence[str | Path], cluster_id: int) -> DecisionReport:
        """Say that images are not of a cluster: they leave it and never come back.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        ids = resolve(self.store, images)
        return self._decide(lambda desk: desk.deny(ids, cluster_id))

    def retire(self, cluster_id: int) -> DecisionReport:
        """Dissolve a cluster: its images go where they fit, or to the pile; its id is no more.

        Raises:
            SettingsError: There is no such cluster.
            ClusteringError: It is the only one.
        """
        return self._decide(lambda desk: desk.retire(cluster_id))

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
                    desk = Desk(self.store, seed=self.settings.seed)
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

    # Reading -------------------------------------------------------------------------------

    def clusters(self) -> list[views.ClusterSummary]:
        """The clusters, largest first."""
        return views.cluster_summaries(self.store)

    def cluster(self, cluster_id: int | None) -> list[views.Member]:
        """The images of a cluster, the most typical first; the unsure ones where None."""
        return views.cluster_members(self.store, cluster_id)

    def name_of(self, cluster_id: int) -> str | None:
        """The name that a person gave a cluster."""
        return self.constraints().names.get(cluster_id)

    def constraints(self) -> Constraints:
        """What all that a person said demands of every clustering."""
        return compiled(self.store.decisions.all())

    def history(self, cluster_id: int | None = None) -> list[Event]:
        """What became of the clusters, or of one, in order.

        Raises:
            SettingsError: No cluster ever had that id.
        """
        return history_of(self.store, cluster_id)

    def search(self, file: Path, *, limit: int = 10, embedder: str | None = None) -> list[Hit]:
        """The images most similar to a photo inside or outside the library, nearest first.

        A photo of the library is not among its own hits; of one outside, an identical copy is.

        Raises:
            SettingsError: There is no such file, it is no image, or there is nothing to search.
        """
        spec = embedders.required_spec(self.store, embedder)
        start = ingesting.starts_of([file])[0]
        own = self.store.photos.image_at(start)
        stored = self.store.vectors.read_some(spec, [own]) if own else {}
        if own is not None and own in stored:
            query = stored[own]
        elif start.is_dir():
            raise SettingsError(f"{file} is a folder", "name one photo")
        else:
            query = self._embed_one(start, embedder)
        if not query.any():
            raise SettingsError(
                f"{spec.name} sees nothing in {file} that could be compared",
                "use another --embedder",
            )
        found = self.store.vectors.nearest(spec, query, limit + 1)
        return self._hits([pair for pair in found if pair[0] != own][:limit])

    def search_text(self, text: str, *, limit: int = 10, embedder: str | None = None) -> list[Hit]:
        """The images nearest to a text, by an embedder that reads texts.

        Args:
            text: What should be in the picture.
            limit: How many.
            embedder: The embedder; the first of the library that reads texts where None.

        Raises:
            SettingsError: The text is empty, or no embedder of the library reads texts.
        """
        spec, query = texts.text_vector(self.store, text, embedder=embedder, settings=self.settings)
        return self._hits(self.store.vectors.nearest(spec, query, limit))

    def suggest_names(
        self, labels: Sequence[str], *, embedder: str | None = None
    ) -> list[texts.Suggestion]:
        """Propose a name for each cluster, the surest first; nothing is named by it.

        Args:
            labels: The names to choose from.
            embedder: The embedder; the first of the library that reads texts where None.

        Raises:
            SettingsError: There are no labels, or no embedder of the library reads texts.
            ClusteringError: There is no clustering yet.
        """
        return texts.suggest_names(self.store, labels, embedder=embedder, settings=self.settings)

    def roots(self) -> list[Path]:
        """The folders that were ingested."""
        return [root.folder for root in self.store.photos.roots()]

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
        seed = self.settings.seed
        return reporting.report(self.store, labels, below=below or Path.cwd(), seed=seed)

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
            params: What the exporter is made with.
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
            threads=self.settings.threads,
        )

    def status(self) -> views.Status:
        """What is in the library and how current it is."""
        return views.status(self.store)

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used: path, outcome, reason."""
        return self.store.photos.problems()

    # -----------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[bool]:
        """Hold the library for writing; first put right what a writer that was cut short left."""
        with self.store.writing() as was_cut_short:
            if was_cut_short:
                undoing.take_back_unfinished(self.store)
                undoing.finish_undo(self.store)
                current = self.store.clusterings.current()
                recover(self.store, current, seed=self.settings.seed)
            yield was_cut_short

    def _decide(self, say: Callable[[Desk], DecisionReport]) -> DecisionReport:
        with self._writing():
            report = say(Desk(self.store, seed=self.settings.seed))
            self._tidy()
        return report

    def _embed_one(self, file: Path, embedder: str | None) -> Vectors:
        spec = embedders.required_spec(self.store, embedder)
        loaded = embedders.load(spec, self.settings)
        status = file.stat()
        ref = ImageRef(file.parent, file.name, status.st_size, status.st_mtime_ns)
        min_side = least_side(loaded.part)
        try:
            data = decode.read(ref, max_bytes=self.settings.max_file_bytes)
            image = decode.decode(ref, data, min_side=min_side)
        except ImageError as error:
            raise SettingsError(f"{file} cannot be searched for: {error.message}") from error
        vector: Vectors = loaded.part.embed([loaded.part.prepare(image.pixels)])[0]
        return vector

    def _hits(self, found: Sequence[tuple[str, float]]) -> list[Hit]:
        image_ids = [image_id for image_id, _ in found]
        files = self.store.photos.files_of(image_ids)
        current = self.store.clusterings.current()
        clusters = (
            self.store.clusterings.clusters_of(current.clustering_id, image_ids) if current else {}
        )
        names = self.constraints().names
        return [
            Hit(
                image_id=image_id,
                path=files[image_id][0].file,
                distance=distance,
                cluster_id=clusters.get(image_id),
                cluster_name=names.get(clusters.get(image_id, -1)),
                state=files[image_id][0].state,
            )
            for image_id, distance in found
            if image_id in files
        ]

    def _knows_files_below(self, starts: Sequence[Path]) -> bool:
        roots = [root.folder for root in self.store.photos.roots()]
        return any(r.is_relative_to(s) or s.is_relative_to(r) for r in roots for s in starts)

    def _tidy(self) -> None:
        """Upkeep that readers of this process do not need to be waited for."""
        self._open.close()
        try:
            self.store.tidy()
        finally:
            self._open = ExitStack()
            self._open.enter_context(self.store.reading())


def _after(reports: Sequence[DecisionReport], error: OrganizerError) -> OrganizerError:
    """An error, with what was done before it."""
    count = sum(len(report.decision.image_ids) for report in reports)
    ids = ", ".join(str(report.decision.cluster_id) for report in reports)
    images = "1 image" if count == 1 else f"{count:,} images"
    return type(error)(
        f"{error.message}; before that, {images} left for good (of clusters: {ids})",
        f"organizer undo brings them back, one cluster at a time; {error.hint}",
    )


def models(settings: Settings) -> list[EmbedderInfo]:
    """Every embedder that is installed, with the state of its weights."""
    return embedders.describe_all(settings)
