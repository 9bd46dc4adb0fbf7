"""The library: the object that the command line and other programs use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from organizer.arguments import (
    require_flag,
    require_function,
    require_integer,
    require_number,
    require_object,
    require_path,
    require_paths,
    require_photos,
    require_text,
    require_user,
)
from organizer.capture_times import NamePattern
from organizer.counts import count_text
from organizer.library import embedders, recovery
from organizer.library.arrangements.relocation import has_moved
from organizer.library.backups import BackupReport, make_backup
from organizer.library.clustering.cluster_count import K
from organizer.library.clustering.fit import trains
from organizer.library.clustering.options import parse_options
from organizer.library.clustering.recluster import run_recluster
from organizer.library.clustering.recluster_trained import recluster_trained
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clusters.api import Clusters
from organizer.library.compare.grid import ComparisonPlan
from organizer.library.compare.run import ComparisonResult, run_comparison
from organizer.library.corrections.api import Corrections
from organizer.library.corrections.undo import UndoReport
from organizer.library.deployments.api import Deployments
from organizer.library.detections.api import Detections
from organizer.library.duplicates.api import Duplicates
from organizer.library.exports.api import Exports
from organizer.library.folders.api import Folders
from organizer.library.images.api import Images
from organizer.library.images.picture_reader import StoredPictures
from organizer.library.ingest.report import IngestReport
from organizer.library.ingest.run import require_executor, require_images, starting_points
from organizer.library.ingest.write import write_ingest
from organizer.library.locate import library_path
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress, progress_or_none
from organizer.library.reports.api import Reports
from organizer.library.review.api import Review
from organizer.library.search.hits import Hits
from organizer.library.search.run import Searcher
from organizer.library.sightings.api import SightingTables
from organizer.library.status import LibraryStatus, library_status
from organizer.library.suggestions.api import Suggestions
from organizer.library.watch.events import WatchEvent
from organizer.library.watch.folder import WatchedFolder
from organizer.library.watch.run import SETTLE, FolderWatch, require_folders
from organizer.settings import Settings, load_settings
from organizer.store import Store
from organizer.types import CROPS_PREFIX, DAMAGE, Outcome, PartSpec, Vectors

if TYPE_CHECKING:
    from organizer.cluster.choose_k import KMethod
    from organizer.protocols import Embedder
    from organizer.store import ArrowTable, ImageIds

_SEEDS = 2**31

Paths = str | Path | Sequence[str | Path]
"""One path, or several."""


class Library:
    """A library of photos and their clusters. Use it as a context manager, or call `close`.

        with Library.open_or_create("photos") as library:
            library.ingest("photos")
            library.recluster(k="auto")
            for cluster in library.clusters:
                print(cluster.id, cluster.name, cluster.size)

    Attributes:
        images: The images: paths, times, cameras; read only.
        clusters: The current clusters, by id or name.
        corrections: Decisions about clusters and images.
        review: Samples of the clusters, and a person's answers.
        suggestions: What the decisions teach about other images, and what to ask next.
        reports: How good the current clustering is.
        exports: The images in formats of other tools.
        folders: Clusters written out as folders, and read back.
        sightings: Which species was seen where and when: events and counts.
        deployments: Where and when cameras stood.
        detections: The results of detectors.
        duplicates: Copies of pictures and bursts, and which file of each to keep.
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened = opened
        self.images = Images(opened)
        self.corrections = Corrections(opened)
        self.clusters = Clusters(opened, self.corrections, self.images)
        self.review = Review(opened)
        self.suggestions = Suggestions(opened, self.corrections)
        self.reports = Reports(opened)
        self.exports = Exports(opened)
        self.folders = Folders(opened)
        self.sightings = SightingTables(opened)
        self.deployments = Deployments(opened)
        self.detections = Detections(opened)
        self.duplicates = Duplicates(opened)
        self._searcher = Searcher(opened, names=self.clusters.names)

    @classmethod
    def open(cls, path: str | Path = ".", settings: Settings | None = None) -> Self:
        """Open an existing library.

        Args:
            path: Its folder ``.organizer``, or the folder that holds it.
            settings: The settings; those of the environment and the configuration file where None.

        Raises:
            StoreError: There is none, it is damaged, or it is newer than this program.
        """
        folder = library_path(require_path("path", path))
        _require_settings(settings)
        return cls._start(Store.open(folder), settings)

    @classmethod
    def open_or_create(cls, path: str | Path = ".", settings: Settings | None = None) -> Self:
        """Open a library, or make an empty one where there is none; see `open`."""
        folder = library_path(require_path("path", path))
        _require_settings(settings)
        store = Store.open(folder) if Store.is_library(folder) else Store.create(folder)
        return cls._start(store, settings)

    @staticmethod
    def unlock(path: str | Path = ".") -> str | None:
        """Take a library over from a writer on another computer that ended without saying so.

        Without that, whoever writes is told of it and refused: where a network drive does not pass
        locks on, or a disk was carried over, nobody but a person knows that it has ended.

        Args:
            path: As in `open`.

        Returns:
            What it was, where and since when; None where there is none.

        Raises:
            LibraryBusyError: A process of this computer writes.
            StoreError: There is no library, or it cannot be written.
        """
        former = Store.take_over(library_path(require_path("path", path)))
        return None if former is None else str(former)

    @classmethod
    def _start(cls, store: Store, settings: Settings | None) -> Self:
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
        """Close the library: writers need not wait for its readers any more."""
        self._opened.close()

    @property
    def store(self) -> Store:
        """The tables of the library, for whoever needs more than is offered here."""
        return self._opened.store

    @property
    def settings(self) -> Settings:
        """The settings that the library was opened with."""
        return self._opened.settings

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let other threads read while one writes, for as long as the context lasts.

        The upkeep after a write leaves what they may be reading for an hour, as it does for the
        readers of other processes. Only one thread may write.
        """
        with self._opened.serving():
            yield

    # Writing -------------------------------------------------------------------------------

    @contextmanager
    def acting_as(self, user: str) -> Iterator[None]:
        """Decide in the name of a person for as long as the context lasts.

        It holds for this thread, or this task of asyncio, so that one open library serves several
        people at once. Otherwise what is decided is kept with the `user` of the settings.

        Args:
            user: The name, on one line and of at most 100 characters; empty for none.

        Raises:
            SettingsError: It cannot be a name.

        Examples:
            >>> with library.acting_as("Ann"):  # doctest: +SKIP
            ...     library.corrections.rename(3, "Red fox")
        """
        with self.store.author.acting_as(require_user("user", user)):
            yield

    def ingest(
        self,
        paths: Paths,
        *,
        embedder: str | Embedder | None = None,
        other_weights: bool = False,
        time_from_name: str | None = None,
        confirm_missing: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
        verify: bool = False,
        reread_metadata: bool = False,
    ) -> IngestReport:
        """Ingest the images of folders and files; new ones are assigned to the current clusters.

        A file that is known and unchanged costs one stat call. No image of the library changes its
        cluster. An image is its picture: where only the metadata of a file changed, they are stored
        and the image stays what it is. Where a tag rotates the picture, it is embedded anew, and
        assigned anew unless a decision fixed it.
        Whoever decides meanwhile (`corrections`, `undo`, `redo`), in this process or
        another one, waits for a commit at most; the images that follow are assigned to the clusters
        after it.

        Args:
            paths: Folders and files.
            embedder: The name of an embedder, or an object that is one
                (`organizer.protocols.Embedder`); the library's own where None.
            other_weights: Whether to embed with the weights on this machine though the vectors of
                the library were made with others.
            time_from_name: How the names of files tell when photos were taken, such as
                ``IMG_%Y%m%d_%H%M%S*`` (`organizer.capture_times.NamePattern`), for images of these
                folders without any other time, also those that are known. The date of a file is
                never used.
            confirm_missing: Whether files that are gone are noted as missing even where they are
                more than half of those of a folder. Otherwise these stay as they are known, since
                their disk may not be connected; the report tells of it.
            progress: Receives the progress.
            stop: Asked after every batch; True ends the run with what was done so far committed.
            verify: Whether to read every file, and not to take one of the same size and time for
                unchanged.
            reread_metadata: Whether to read the metadata of all files anew, for instance after a
                reader of metadata was installed; nothing is embedded again for it.

        Raises:
            SettingsError: A path does not exist, there are no images, or no such embedder or
                executor.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.

        Examples:
            >>> report = library.ingest("photos")  # doctest: +SKIP
            >>> report.images  # doctest: +SKIP
            24
        """
        require_flag("other_weights", other_weights)
        name_times = _name_pattern(time_from_name)
        require_flag("confirm_missing", confirm_missing)
        require_flag("verify", verify)
        require_flag("reread_metadata", reread_metadata)
        require_function("stop", stop)
        shown = progress_or_none(progress)
        embedders.require_photo_embedder(embedders.embedder_name(embedder))
        require_executor(self.settings)
        starts = starting_points(require_paths("paths", paths))
        if not self._knows_files_below(starts):
            require_images(starts)
        report = write_ingest(
            self._opened,
            starts,
            embedder=embedder,
            other_weights=other_weights,
            confirm_missing=confirm_missing,
            progress=shown,
            stop=stop,
            name_times=name_times,
            verify=verify,
            reread_metadata=reread_metadata,
            library=self,
        )
        if self._opened.is_served:
            self.images.refresh()  # whoever waited for the ingest sees its images
        return report

    def watch(
        self,
        paths: Paths | None = None,
        *,
        embedder: str | Embedder | None = None,
        settle: float = SETTLE,
        poll: bool = False,
        time_from_name: str | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[WatchEvent]:
        """Watch folders, and ingest what is there and what comes, until `stop` says so.

        What comes is ingested once all of it is complete; a file that has gone is noted as missing.
        A folder that goes as a whole is waited for, and its files stay as they are known. The
        library is held for writing only during an ingest; where another process holds it, this
        waits. The watching is done by whoever asks for the events, in that thread.

        Args:
            paths: Folders; all that were ingested where None.
            embedder: As in `ingest`.
            settle: Seconds for which a file has to stay as it is to count as complete.
            poll: Whether to look every `settle` seconds, and not wait for events of the file
                system: on a network drive into which other machines write, where without it new
                files are found within a minute.
            time_from_name: As in `ingest`.
            progress: Receives the progress of each ingest.
            stop: Asked several times a second, and after every batch of an ingest.

        Yields:
            What happens, as it happens.

        Raises:
            SettingsError: A path is no folder, or is not there and not known, or there is no such
                embedder or executor.
            WeightsError: The weights of the embedder cannot be had.

        Examples:
            >>> for event in library.watch("incoming"):  # doctest: +SKIP
            ...     if event.report:
            ...         print(event.report.counts)
        """
        embedders.require_photo_embedder(embedders.embedder_name(embedder))
        if isinstance(embedder, str) and embedder:
            embedders.stored_spec(self.store, embedder)
        require_executor(self.settings)
        require_function("stop", stop)
        name_times = _name_pattern(time_from_name)
        named = [] if paths is None else require_paths("paths", paths)
        folders = require_folders(named, known=self.roots())
        return FolderWatch(
            self._opened,
            [WatchedFolder(folder) for folder in folders],
            embedder=embedder,
            settle=require_number("settle", settle, least=0.0),
            poll=require_flag("poll", poll),
            progress=progress_or_none(progress),
            stop=stop,
            name_times=name_times,
            library=self,
        ).events()

    def recluster(
        self,
        *,
        k: K = "auto",
        k_method: KMethod = "auto",
        algorithm: str = "kmeans",
        reduce: str | None = None,
        embedder: str | Embedder | None = None,
        bursts: bool = False,
        center: str | None = None,
        seed: int | None = None,
        dry_run: bool = False,
        drop_names: bool = False,
        params: Mapping[str, Any] | None = None,
        save_embedder: str | None = None,
        progress: Progress | None = None,
    ) -> ReclusterReport:
        """Cluster all images again; clusters keep the ids and names of those they continue.

        Whoever decides meanwhile (`corrections`, `undo`, `redo`) waits while the images are read
        and while the clustering is stored, and no longer. What was decided in between holds in it.

        Args:
            k: Number of clusters, "auto" to choose it with evidence, or the lowest and the highest
                to choose from. Ignored by an algorithm that finds its own.
            k_method: How k is chosen.
            algorithm: Name of the clusterer.
            reduce: The space to cluster in: NAME or NAME:DIMENSIONS, or "none"; the default one
                where None.
            embedder: Whose vectors; the library's own where None.
            bursts: Whether the images of a burst (`organizer.events`) are one observation.
            center: What the vectors are centred by first, to remove what all photos of a camera or
                all infrared ones have in common: "camera", "night" or "camera,night".
            seed: Of everything that is drawn; that of the settings where None.
            dry_run: Report what would change, and change nothing.
            drop_names: Go on where a cluster would be lost that a person named, pinned or made: the
                ``dropped`` ones of the report.
            params: Options of the algorithm's own, by name.
            save_embedder: Of an algorithm that trains a network: keep it as an embedder of this
                name, embed all images with it, and work with it from now on.
            progress: Receives the progress.

        Raises:
            SettingsError: k cannot be, there are no vectors, or a name is unknown.
            ClusteringError: The images cannot be clustered so, or names would be dropped.

        Examples:
            >>> report = library.recluster(k=5)  # doctest: +SKIP
            >>> report.k, report.unsure  # doctest: +SKIP
            (5, 0)
        """
        options = parse_options(
            k=k,
            k_method=k_method,
            algorithm=algorithm,
            reduce=reduce,
            embedder=embedders.embedder_name(embedder),
            bursts=bursts,
            center=center,
            dry_run=dry_run,
            drop_names=drop_names,
            params=params,
            save_embedder=save_embedder,
        )
        settings = _with_seed(self.settings, seed)
        shown = progress_or_none(progress)
        if trains(algorithm):
            return recluster_trained(
                self._opened,
                options,
                settings=settings,
                progress=shown,
                embed=lambda name: self._embed_all(name, shown),
            )
        if dry_run:
            return run_recluster(self.store, options, settings=settings, progress=shown)
        with self._opened.ingesting():
            report = run_recluster(self.store, options, settings=settings, progress=shown)
            self._opened.tidy_after_ingest()
        return report

    @contextmanager
    def at_revision(self, revision: int) -> Iterator[None]:
        """Decide only if nobody else decided since a state was looked at; for this thread.

        Inside of it every call that writes raises if another revision is current, and changes
        nothing.

        Args:
            revision: As `revision` gave it when the state was looked at.

        Raises:
            StaleRevisionError: By a call inside: somebody else decided, or reclustered.

        Examples:
            >>> seen = library.revision  # doctest: +SKIP
            >>> with library.at_revision(seen):  # doctest: +SKIP
            ...     library.corrections.rename(3, "Red fox")
        """
        with self._opened.at_revision(require_integer("revision", revision, least=0)):
            yield

    @property
    def revision(self) -> int:
        """The number of the last step of the history: a batch of decisions, recluster or undo.

        An ingest does not change it.
        """
        return self.store.steps.number()

    def defer_upkeep(self) -> None:
        """From now on keep files and search index in order only when `tidy` is called.

        It is for a process that stays open and has people wait for it: without it, a write now and
        then takes a second longer than others.
        """
        self._opened.defers_upkeep = True

    def refresh(self) -> None:
        """Take note that another process has written: whoever waited for it sees what it stored.

        Without it a library that serves several threads reads new images a moment later.
        """
        self._opened.is_upkeep_due = True
        if self._opened.is_served:
            self.images.refresh()

    def tidy(self) -> bool:
        """Do the upkeep that waits since `defer_upkeep`; nothing that can be seen changes.

        Returns:
            Whether there was any.

        Raises:
            StoreError: The library cannot be written, or another process writes to it.
        """
        if not self._opened.is_upkeep_due:
            return False
        with self._opened.writing(waits=False):
            self.corrections.keep_through(self._opened.tidy_now)
        return True

    def undo(self) -> UndoReport:
        """Undo the last step, whatever it was; see `Corrections.undo`.

        Examples:
            >>> library.undo().what  # doctest: +SKIP
            ("cluster 3 named 'Red fox'",)
        """
        return self.corrections.undo()

    def redo(self) -> UndoReport:
        """Redo what was undone last; see `Corrections.redo`."""
        return self.corrections.redo()

    def backup(
        self, to: str | Path, *, keep: int | None = None, progress: Progress | None = None
    ) -> BackupReport:
        """Back the library up, as it is now, while others read and write it.

        What an earlier backup in the folder has is not copied again. Decisions are there as
        readable lines too. `organizer.library.backups.restore_backup` is the way back.

        Args:
            to: The folder of backups, outside of the library.
            keep: How many backups stay; all where None.
            progress: Receives the progress.

        Raises:
            SettingsError: The folder lies in the library, or holds backups of another one.
            StoreError: It cannot be written, or a file of the library is damaged.

        Examples:
            >>> library.backup("/media/disk/backups", keep=10).copied  # doctest: +SKIP
            38
        """
        folder = require_path("to", to)
        if keep is not None:
            keep = require_integer("keep", keep, least=1)
        return make_backup(self.store, folder, keep=keep, progress=progress_or_none(progress))

    # Reading -------------------------------------------------------------------------------

    def search(
        self,
        photos: Paths,
        *,
        unlikes: Paths = (),
        limit: int = 10,
        embedder: str | Embedder | None = None,
    ) -> Hits:
        """Find the images most similar to a photo of the library or any other, nearest first.

        Of several photos the mean direction is searched for; of those that are unlike what is
        meant a quarter of theirs is taken off (Rocchio 1971): of the usual ways the one with the
        best precision on labelled photos, see docs/how-to/search.md.

        Photos of the library that are searched for are not among the hits.

        Args:
            photos: A photo, or several that are liked: paths; of images of the library also ids
                and the names of their files; or names of clusters, for their most typical image.
            unlikes: Photos that are unlike what is meant.
            limit: The number of hits, at most.
            embedder: Whose vectors; the library's own where None.

        Raises:
            SettingsError: There is no such file or image, it is no image, or there is nothing to
                search.

        Examples:
            >>> library.search("photos/fox.jpg", limit=5)  # doctest: +SKIP
            >>> library.search(["fox1.jpg", "fox2.jpg"], unlikes="dog.jpg")  # doctest: +SKIP
        """
        likes = require_photos("photos", photos, least=1)
        others = require_photos("unlikes", unlikes)
        limit = require_integer("limit", limit, least=1)
        return self._searcher.photos(likes, others, limit=limit, embedder=embedder)

    def nearest(
        self,
        photos: Paths,
        *,
        unlikes: Paths = (),
        limit: int = 10,
        embedder: str | Embedder | None = None,
    ) -> list[tuple[str, float]]:
        """The same as `search`, as ids and cosine distances: for whoever needs no more.

        Looking up files and clusters takes longer than the search.

        Examples:
            >>> library.nearest("photos/fox.jpg", limit=2)  # doctest: +SKIP
            [('0f3a...', 0.104), ('77b1...', 0.131)]
        """
        likes = require_photos("photos", photos, least=1)
        others = require_photos("unlikes", unlikes)
        limit = require_integer("limit", limit, least=1)
        return self._searcher.nearest(likes, others, limit=limit, embedder=embedder)

    def search_picture(
        self, data: bytes, *, limit: int = 10, embedder: str | Embedder | None = None
    ) -> Hits:
        """Find the images most similar to a picture that is given by its bytes, nearest first.

        A picture that is in the library is its own first hit. The network stays loaded, so the
        next picture is embedded in a fraction of the time.

        Args:
            data: The content of an image file, at most 128 MiB and 160 million pixels.
            limit: The number of hits, at most.
            embedder: Whose vectors; the library's own where None.

        Raises:
            SettingsError: It is no image, is too large, or there is nothing to search.
        """
        limit = require_integer("limit", limit, least=1)
        data = require_object("data", data, bytes)
        return self._searcher.picture(data, limit=limit, embedder=embedder)

    def search_text(
        self,
        text: str,
        *,
        likes: Paths = (),
        unlikes: Paths = (),
        limit: int = 10,
        embedder: str | None = None,
    ) -> Hits:
        """Find the images nearest to a text, by an embedder that reads texts.

        Args:
            text: What should be in the picture.
            likes: Photos that are like what is meant; the text counts as one of them.
            unlikes: Photos that are unlike it.
            limit: The number of hits, at most.
            embedder: The embedder; the first of the library that reads texts where None.

        Raises:
            SettingsError: The text is empty, no embedder of the library reads texts, or see
                `search`.
        """
        require_text("text", text, or_empty=True)
        liked, unliked = require_photos("likes", likes), require_photos("unlikes", unlikes)
        limit = require_integer("limit", limit, least=1)
        embedder = None if embedder is None else require_text("embedder", embedder)
        return self._searcher.text(text, liked, unliked, limit=limit, embedder=embedder)

    def embeddings(self, *, embedder: str | Embedder | None = None) -> tuple[ImageIds, Vectors]:
        """The vectors of an embedder with their images, row by row.

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

        Examples:
            >>> ids, vectors = library.embeddings()  # doctest: +SKIP
            >>> vectors.shape  # doctest: +SKIP
            (24, 1280)
        """
        spec = embedders.require_spec(self.store, embedders.embedder_name(embedder))
        return self.store.vectors.read_mapped(spec)

    def embedding_batches(
        self, *, embedder: str | Embedder | None = None, batch_size: int = 8_192
    ) -> Iterator[tuple[ImageIds, Vectors]]:
        """The same as `embeddings`, batch by batch.

        Args:
            embedder: Whose vectors; the library's own where None.
            batch_size: Number of images of a batch, at most.

        Raises:
            SettingsError: There are no vectors of that embedder, or the size cannot be.
        """
        batch_size = require_integer("batch_size", batch_size, least=1)
        spec = embedders.require_spec(self.store, embedders.embedder_name(embedder))
        return self._streamed(spec, batch_size)

    def assignments(self, *, with_people: bool | None = None) -> ArrowTable:
        """The assignments of images to clusters as a pyarrow Table, in the order of the paths.

        Args:
            with_people: Whether photos with people or vehicles are in it; as the settings say
                where None.

        Returns:
            A row for each image of the clustering, with the columns ``image_id`` (string), ``path``
            (string, absolute; of several files the first present one), ``cluster_id`` (int64,
            null for an unassigned image), ``cluster_name`` (string, null where there is none),
            ``distance`` (float, cosine distance to the centroid of the nearest cluster) and
            ``state`` (string: ``auto``, ``unsure`` or ``decided``).

        Raises:
            ClusteringError: There is no clustering yet.

        Examples:
            >>> table = library.assignments()  # doctest: +SKIP
            >>> table.to_pandas().groupby("cluster_name").size()  # doctest: +SKIP
        """
        return self.clusters.assignments(with_people=with_people)

    def compare(
        self,
        plan: ComparisonPlan,
        *,
        labels: str | None = None,
        below: Path | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> ComparisonResult:
        """Compare embedders, spaces, algorithms and numbers of clusters on the images.

        Images are embedded with the embedders whose vectors are missing, as by `ingest`; the
        library's own embedder, its clusters and decisions stay as they are. Finished runs are
        cached in the library, so that the same call later, or one that asks for more, does the
        rest.

        Args:
            plan: What to compare; see `organizer.parse_plan`.
            labels: See `Reports.make`.
            below: See `Reports.make`.
            progress: Receives each run.
            stop: Asked between runs; True ends the comparison with what is done so far.

        Raises:
            SettingsError: A name is unknown, there are no images, or the labels cannot be used.
            WeightsError: Weights are missing and the plan has no substitutes.

        Examples:
            >>> plan = organizer.parse_plan(embedders=["hog", "hsv"], k="2:6")  # doctest: +SKIP
            >>> library.compare(plan).comparison.verdict.lines  # doctest: +SKIP
        """
        require_object("plan", plan, ComparisonPlan)
        if labels is not None:
            require_text("labels", labels)
        below = Path.cwd() if below is None else require_path("below", below)
        require_function("stop", stop)
        shown = progress_or_none(progress)

        return run_comparison(
            self.store,
            plan,
            ingest=lambda name: self._embed_all(name, shown, stop=stop),
            pictures=lambda image_ids: StoredPictures(self._opened, image_ids),
            settings=self.settings,
            labels=labels,
            below=below,
            progress=shown,
            stop=stop,
        )

    def _embed_all(
        self, embedder: str, progress: Progress, stop: Callable[[], bool] = lambda: False
    ) -> bool:
        """Embed all images whose files are there; returns False where it was stopped."""
        present = [folder for folder in self.roots() if folder.exists()]
        if not present:  # a card, a drive: what was embedded before is there
            return True
        if embedder.startswith(CROPS_PREFIX):
            crops = self.detections.embed(embedder, progress=progress, stop=stop)
            if crops.left_out:
                progress.note(
                    f"{count_text(crops.left_out, 'crop has', 'crops have')} no vector of "
                    f"{embedder}, so no cluster: their photos cannot be read or embedded"
                )
            return not crops.interrupted
        report = self.ingest(present, embedder=embedder, progress=progress, stop=stop)
        return not report.interrupted

    def roots(self) -> list[Path]:
        """The folders that were ingested."""
        return [root.folder for root in self.store.roots.all()]

    def status(self) -> LibraryStatus:
        """The number of images and clusters, and how far the clusters have drifted."""
        return library_status(self.store)

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used: path, outcome, reason."""
        return self.store.photos.problems()

    def damaged(self) -> list[tuple[Path, str]]:
        """The photos of which a part is missing, by path, each with what is known of it."""
        damages = self.store.photos.extra_of(DAMAGE)
        files = self.store.photos.files_of(damages)
        return sorted((row.file, str(damages[i])) for i, rows in files.items() for row in rows)

    def _streamed(self, spec: PartSpec, rows: int) -> Iterator[tuple[ImageIds, Vectors]]:
        with self._opened.streaming():
            yield from self.store.vectors.stream(spec, rows=rows)

    def _knows_files_below(self, starts: Sequence[Path]) -> bool:
        roots = self.roots()
        return any(r.is_relative_to(s) or s.is_relative_to(r) for r in roots for s in starts)


def _require_settings(settings: Settings | None) -> None:
    if settings is not None:
        require_object("settings", settings, Settings)


def _with_seed(settings: Settings, seed: int | None) -> Settings:
    if seed is None:
        return settings
    seed = require_integer("seed", seed, least=0, most=_SEEDS - 1)
    return settings.model_copy(update={"seed": seed})


def _name_pattern(time_from_name: str | None) -> NamePattern | None:
    if time_from_name is None:
        return None
    return NamePattern.parse(require_text("time_from_name", time_from_name))
