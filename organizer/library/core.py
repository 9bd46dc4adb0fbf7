"""The object on which the command line, the service and a program of one's own are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, Self

from organizer import decode
from organizer.errors import ImageError, SettingsError
from organizer.library import embedders, texts, views
from organizer.library import ingest as ingesting
from organizer.library import recluster as reclustering
from organizer.library.commit import IngestReport
from organizer.library.place import library_path
from organizer.library.progress import Progress, Silent
from organizer.library.recluster import ReclusterReport, Space
from organizer.protocols import EmbedderInfo, least_side
from organizer.settings import Settings, load_settings
from organizer.store import Store, StoredClustering
from organizer.types import Hit, ImageRef, Outcome, Vectors


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
        with self.store.writing() as was_cut_short:
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
        k: int | Literal["auto"] = "auto",
        embedder: str | None = None,
        space: Space = "pca",
        progress: Progress | None = None,
    ) -> ReclusterReport:
        """Cluster all images anew; clusters keep the ids and names of those they continue.

        Args:
            k: Number of clusters, or "auto" to choose it with evidence.
            embedder: Whose vectors; the library's own where None.
            space: The reduced space in which "auto" compares numbers of clusters.
            progress: Told how far it is.

        Raises:
            SettingsError: k cannot be, or there are no vectors.
            ClusteringError: There are too few different images.
        """
        with self.store.writing():
            report = reclustering.recluster(
                self.store,
                k=None if k == "auto" else k,
                embedder=embedder,
                space=space,
                settings=self.settings,
                progress=progress or Silent(),
            )
            self._tidy()
        return report

    def undo(self) -> StoredClustering:
        """Bring the former clustering back; images that came since join it.

        Raises:
            ClusteringError: There is no former clustering.
        """
        with self.store.writing():
            former = reclustering.undo(self.store)
            self._tidy()
        return former

    def rename(self, cluster_id: int, name: str) -> None:
        """Name a cluster. The name stays with its images through every recluster.

        Raises:
            SettingsError: There is no such cluster, or another one has the name.
        """
        with self.store.writing():
            views.rename(self.store, cluster_id, name)

    # Reading -------------------------------------------------------------------------------

    def clusters(self) -> list[views.ClusterSummary]:
        """The clusters, largest first."""
        return views.cluster_summaries(self.store)

    def cluster(self, cluster_id: int) -> list[views.Member]:
        """The images of a cluster, the most typical first."""
        return views.cluster_members(self.store, cluster_id)

    def name_of(self, cluster_id: int) -> str | None:
        """The name that a person gave a cluster."""
        return self.store.clusterings.names().get(cluster_id)

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

    def report(self, *, labels: str | None = None, below: Path | None = None) -> views.Report:
        """How good the clustering is.

        Args:
            labels: "folders" (the name of the folder that a file lies in is its class), the path
                of a CSV file with the columns path and label, or None.
            below: What a relative path of labels is relative to; the current folder where None.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: The labels cannot be read, or fit no image.
        """
        seed = self.settings.seed
        return views.report(self.store, labels, below=below or Path.cwd(), seed=seed)

    def status(self) -> views.Status:
        """What is in the library and how current it is."""
        return views.status(self.store)

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used: path, outcome, reason."""
        return self.store.photos.problems()

    # -----------------------------------------------------------------------------------------

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
        names = self.store.clusterings.names()
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


def models(settings: Settings) -> list[EmbedderInfo]:
    """Every embedder that is installed, with the state of its weights."""
    return embedders.describe_all(settings)
