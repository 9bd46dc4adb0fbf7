"""The object on which the command line, the service and a program of one's own are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from organizer.errors import SettingsError
from organizer.library import embedders, recovery
from organizer.library.arrangements.relocation import has_moved
from organizer.library.clustering.cluster_count import K
from organizer.library.clustering.options import parse_options
from organizer.library.clustering.recluster import ReclusterReport, run_recluster
from organizer.library.clusters.api import Clusters
from organizer.library.compare.grid import ComparisonPlan
from organizer.library.compare.run import ComparisonResult, run_comparison
from organizer.library.corrections.api import Corrections
from organizer.library.corrections.undo import undo_last
from organizer.library.deployments.api import Deployments
from organizer.library.detections.api import Detections
from organizer.library.exports.api import Exports
from organizer.library.folders.api import Folders
from organizer.library.images.api import Images
from organizer.library.ingest.report import IngestReport
from organizer.library.ingest.run import (
    require_executor,
    require_images,
    run_ingest,
    starting_points,
)
from organizer.library.locate import library_path
from organizer.library.opening import OpenLibrary
from organizer.library.progress import NoProgress, Progress
from organizer.library.reports.api import Reports
from organizer.library.review.api import Review
from organizer.library.search.hits import Hits
from organizer.library.search.run import search_photo, search_text
from organizer.library.status import LibraryStatus, library_status
from organizer.settings import Settings, load_settings
from organizer.store import Store, StoredClustering
from organizer.types import CROPS_PREFIX, Outcome, Vectors

if TYPE_CHECKING:
    from organizer.cluster.choose_k import KMethod
    from organizer.protocols import Embedder
    from organizer.store import ArrowTable, ImageIds

Paths = str | Path | Sequence[str | Path]
"""One path, or several."""


class Library:
    """A folder of photos, organised. Use it as a context manager, or call `close`.

        with Library.open_or_create("photos") as library:
            library.ingest("photos")
            library.recluster(k="auto")
            for cluster in library.clusters:
                print(cluster.id, cluster.name, cluster.size)

    Attributes:
        images: The images: paths, times, cameras; read only.
        clusters: The clusters of now, by id.
        corrections: Decisions about clusters and images.
        review: Samples to look at, and what the answers say.
        reports: How good the clustering is.
        exports: The images for other tools.
        folders: Clusters written out as folders, and read back.
        deployments: Where cameras stood.
        detections: What detectors saw.
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened = opened
        self.images = Images(opened)
        self.corrections = Corrections(opened)
        self.clusters = Clusters(opened, self.corrections)
        self.review = Review(opened)
        self.reports = Reports(opened)
        self.exports = Exports(opened)
        self.folders = Folders(opened)
        self.deployments = Deployments(opened)
        self.detections = Detections(opened)

    @classmethod
    def open(cls, path: str | Path = ".", settings: Settings | None = None) -> Self:
        """Open a library that is there.

        Args:
            path: Its folder ``.organizer``, or the folder that holds it.
            settings: Those of the environment and the configuration file where None.

        Raises:
            StoreError: There is none, it is damaged, or it is newer than this program.
        """
        return cls._started(Store.open(library_path(Path(path))), settings)

    @classmethod
    def open_or_create(cls, path: str | Path = ".", settings: Settings | None = None) -> Self:
        """Open a library, or make an empty one; see `open`."""
        folder = library_path(Path(path))
        store = Store.open(folder) if Store.is_library(folder) else Store.create(folder)
        return cls._started(store, settings)

    @classmethod
    def _started(cls, store: Store, settings: Settings | None) -> Self:
        opened = OpenLibrary(store, settings or load_settings(), recovery.repair)
        opened.start(has_moved=has_moved(store))
        return cls(opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Library {self.store.path}>"

    def close(self) -> None:
        """Tell writers that nothing is read any more."""
        self._opened.close()

    @property
    def store(self) -> Store:
        """The library's folder: its tables, for whoever needs more than is offered here."""
        return self._opened.store

    @property
    def settings(self) -> Settings:
        """What the user chose."""
        return self._opened.settings

    # Writing -------------------------------------------------------------------------------

    def ingest(
        self,
        paths: Paths,
        *,
        embedder: str | Embedder | None = None,
        other_weights: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Bring the images of folders and files in; new ones are assigned to the clusters.

        A file that is known and unchanged costs a stat. Nothing that is in the library moves.

        Args:
            paths: Folders and files.
            embedder: The name of an embedder, or an object that is one
                (`organizer.protocols.Embedder`); the library's own where None.
            other_weights: Whether to embed with the weights that are here, beside the vectors of
                that embedder which others made.
            progress: Told how far it is.
            stop: Asked after every batch; True ends the run with what was done so far committed.

        Raises:
            SettingsError: A path does not exist, there are no images, or no such embedder or
                executor.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.

        Example:
            >>> report = library.ingest("photos")  # doctest: +SKIP
            >>> report.images  # doctest: +SKIP
            24
        """
        if isinstance(embedder, str):
            embedders.require_photo_embedder(embedder)
        require_executor(self.settings)
        starts = starting_points(_paths(paths))
        if not self._knows_files_below(starts):
            require_images(starts)
        with self._opened.writing() as was_interrupted:
            report = run_ingest(
                self.store,
                starts,
                was_interrupted=was_interrupted,
                embedder=embedder,
                other_weights=other_weights,
                settings=self.settings,
                progress=progress or NoProgress(),
                stop=stop,
            )
            if sum(report.counts.values()) > report.counts[Outcome.UNCHANGED]:
                self._opened.tidy()
        return report

    def recluster(
        self,
        *,
        k: K = "auto",
        k_method: KMethod = "auto",
        algorithm: str = "kmeans",
        reduce: str | None = None,
        embedder: str | None = None,
        bursts: bool = False,
        center: str | None = None,
        seed: int | None = None,
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
            bursts: Whether the images of a burst (`organizer.events`) are one observation.
            center: What is taken out of the vectors first, the part that all photos of a camera or
                all infrared ones have in common: "camera", "night" or "camera,night".
            seed: Of everything that draws; that of the settings where None.
            dry_run: Tell what would change, and change nothing.
            progress: Told how far it is.

        Raises:
            SettingsError: k cannot be, there are no vectors, or a name is unknown.
            ClusteringError: The images cannot be clustered so.

        Example:
            >>> report = library.recluster(k=5)  # doctest: +SKIP
            >>> report.k, report.unsure  # doctest: +SKIP
            (5, 0)
        """
        options = parse_options(
            k=k,
            k_method=k_method,
            algorithm=algorithm,
            reduce=reduce,
            embedder=embedder,
            bursts=bursts,
            center=center,
            dry_run=dry_run,
        )
        settings = self.settings
        if seed is not None:
            settings = load_settings(**{**settings.model_dump(), "seed": seed})
        with self._opened.writing():
            report = run_recluster(
                self.store, options, settings=settings, progress=progress or NoProgress()
            )
            if not dry_run:
                self._opened.tidy()
        return report

    def undo(self) -> StoredClustering:
        """Bring the clustering before the last recluster, merge, split, move or the like back.

        A decision that made the current one is taken back with it. Images that came since are
        assigned to the former clusters.

        Raises:
            ClusteringError: There is no former clustering.
        """
        with self._opened.writing():
            former = undo_last(self.store, settings=self.settings)
            self._opened.tidy()
        return former

    # Reading -------------------------------------------------------------------------------

    def search(
        self,
        photo: str | Path,
        *,
        limit: int = 10,
        embedder: str | Embedder | None = None,
    ) -> Hits:
        """The images most similar to a photo inside or outside the library, nearest first.

        A photo of the library is not among its own hits; of one outside, an identical copy is.

        Args:
            photo: Its path.
            limit: How many.
            embedder: Whose vectors; the library's own where None.

        Raises:
            SettingsError: There is no such file, it is no image, or there is nothing to search.
        """
        return search_photo(self._opened, Path(photo), limit=limit, embedder=embedder)

    def search_text(self, text: str, *, limit: int = 10, embedder: str | None = None) -> Hits:
        """The images nearest to a text, by an embedder that reads texts.

        Args:
            text: What should be in the picture.
            limit: How many.
            embedder: The embedder; the first of the library that reads texts where None.

        Raises:
            SettingsError: The text is empty, or no embedder of the library reads texts.
        """
        return search_text(self._opened, text, limit=limit, embedder=embedder)

    def embeddings(self, *, embedder: str | None = None) -> tuple[ImageIds, Vectors]:
        """The images of an embedder and their vectors, row by row.

        Up to a gibibyte the vectors are an array in memory. Larger ones are a read-only array in
        a temporary file, which is removed with the array; `embedding_batches` never holds more
        than a batch.

        Args:
            embedder: Whose vectors; the library's own where None.

        Returns:
            ``(n,)`` image ids in an object array, and ``(n, dim)`` float32 vectors as the embedder
            gave them (stored in half precision, so to about three digits).

        Raises:
            SettingsError: There are no vectors of that embedder.

        Example:
            >>> ids, vectors = library.embeddings()  # doctest: +SKIP
            >>> vectors.shape  # doctest: +SKIP
            (24, 1280)
        """
        spec = embedders.require_spec(self.store, embedder)
        return self.store.vectors.read_mapped(spec)

    def embedding_batches(
        self, *, embedder: str | None = None, batch_size: int = 8_192
    ) -> Iterator[tuple[ImageIds, Vectors]]:
        """What `embeddings` returns, batch by batch.

        Args:
            embedder: Whose vectors; the library's own where None.
            batch_size: Images of a batch, at most.

        Raises:
            SettingsError: There are no vectors of that embedder, or the size cannot be.
        """
        if batch_size < 1:
            raise SettingsError(f"batch_size cannot be {batch_size}", "1 or more")
        spec = embedders.require_spec(self.store, embedder)
        return self.store.vectors.stream(spec, rows=batch_size)

    def assignments(self) -> ArrowTable:
        """Which image is in which cluster, as a pyarrow Table, in the order of the images' paths.

        Returns:
            A row an image of the clustering, with the columns ``image_id`` (string), ``path``
            (string, absolute; of several files the first that is there), ``cluster_id`` (int64,
            null for an unassigned image), ``cluster_name`` (string, null where there is none),
            ``distance`` (float, cosine distance to the centroid of the nearest cluster) and
            ``state`` (string: ``auto``, ``unsure`` or ``decided``).

        Raises:
            ClusteringError: There is no clustering yet.

        Example:
            >>> table = library.assignments()  # doctest: +SKIP
            >>> table.to_pandas().groupby("cluster_name").size()  # doctest: +SKIP
        """
        return self.clusters.assignments()

    def compare(
        self,
        plan: ComparisonPlan,
        *,
        labels: str | None = None,
        below: Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ComparisonResult:
        """Compare embedders, spaces, algorithms and numbers of clusters on the images here.

        Embedders whose vectors are not here are brought in as by `ingest`; the library's own
        embedder, its clusters and decisions stay as they are. Finished runs are kept in the
        library, so that the same call later, or one that asks for more, does the rest.

        Args:
            plan: What to compare; `organizer.library.compare.grid.parse_plan` makes one from words.
            labels: See `Reports.make`.
            below: See `Reports.make`.
            progress: Told of each run.
            stop: Asked between runs; True ends with what is done so far.

        Raises:
            SettingsError: A name is unknown, there are no images, or the labels cannot be used.
            WeightsError: Weights are missing and the plan has no substitutes.
        """
        shown = progress or NoProgress()

        def bring_in(embedder: str) -> bool:
            if embedder.startswith(CROPS_PREFIX):  # an import of detections makes these
                return True
            here = [folder for folder in self.roots() if folder.exists()]
            if not here:  # a card, a drive: what was embedded before is compared
                return True
            report = self.ingest(here, embedder=embedder, progress=shown, stop=stop)
            return not report.interrupted

        return run_comparison(
            self.store,
            plan,
            ingest=bring_in,
            settings=self.settings,
            labels=labels,
            below=below or Path.cwd(),
            progress=shown,
            stop=stop,
        )

    def roots(self) -> list[Path]:
        """The folders that were ingested."""
        return [root.folder for root in self.store.roots.all()]

    def status(self) -> LibraryStatus:
        """What is in the library and how current it is."""
        return library_status(self.store)

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used: path, outcome, reason."""
        return self.store.photos.problems()

    def _knows_files_below(self, starts: Sequence[Path]) -> bool:
        roots = self.roots()
        return any(r.is_relative_to(s) or s.is_relative_to(r) for r in roots for s in starts)


def _paths(paths: Paths) -> list[Path]:
    given = [paths] if isinstance(paths, str | Path) else paths
    return [Path(path) for path in given]
