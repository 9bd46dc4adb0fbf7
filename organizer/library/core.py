"""The object on which the command line, the service and a program of one's own are built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from organizer import decode
from organizer.cluster.decisions import Constraints, compiled
from organizer.errors import ImageError, SettingsError
from organizer.library import crops, embedders, texts, undoing, views
from organizer.library import ingest as ingesting
from organizer.library import recluster as reclustering
from organizer.library.commit import IngestReport
from organizer.library.compare.grid import Plan as ComparePlan
from organizer.library.compare.running import Compared, compared
from organizer.library.detecting import Detecting
from organizer.library.evidence import Evidence
from organizer.library.fieldwork import Fieldwork
from organizer.library.folders import Folders
from organizer.library.history import Event, history_of
from organizer.library.progress import Progress, Silent
from organizer.library.recluster import K, KMethod, Plan, ReclusterReport
from organizer.library.seeing import parsed_centring
from organizer.library.space import parsed, with_centring
from organizer.library.words import Words
from organizer.protocols import EmbedderInfo, least_side
from organizer.settings import DEFAULT_REDUCER, Settings
from organizer.store import StoredClustering
from organizer.types import Hit, ImageRef, Outcome, PartSpec, Vectors


class Library(Words, Evidence, Detecting, Folders, Fieldwork):
    """A folder of photos, organised. Use it as a context manager, or call `close`.

        with Library.open_or_create(Path(".")) as library:
            library.ingest([Path("photos")])
            library.recluster(k="auto")

    A person's words are in `Words`, reports and reviews in `Evidence`, what detectors saw in
    `Detecting`, arrangements of its files in `Folders`, deployments in `Fieldwork`.

    Attributes:
        store: The library's folder.
        settings: What the user chose.
    """

    # Writing -------------------------------------------------------------------------------

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        embedder: str | None = None,
        other_weights: bool = False,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> IngestReport:
        """Bring the images of folders and files in; new ones join the present clusters.

        A file that is known and unchanged costs a stat. Nothing that is in the library moves.

        Args:
            paths: Folders and files.
            embedder: The embedder to use; the library's own where None.
            other_weights: Whether to embed with the weights that are here, beside the vectors of
                that embedder which others made.
            progress: Told how far it is.
            stop: Asked after every batch; True ends the run with what was done so far committed.

        Raises:
            SettingsError: A path does not exist, there are no images, or no such embedder.
            WeightsError: The weights of the embedder cannot be had.
            StoreError: The library cannot be written.
        """
        embedders.require_photos(embedder)
        starts = ingesting.starts_of(paths)
        if not self._knows_files_below(starts):
            ingesting.require_images(starts)
        with self._writing() as was_cut_short:
            report = ingesting.ingest(
                self.store,
                starts,
                was_cut_short=was_cut_short,
                embedder=embedder,
                other_weights=other_weights,
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
        bursts: bool = False,
        center: str | None = None,
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
            dry_run: Tell what would change, and change nothing.
            progress: Told how far it is.

        Raises:
            SettingsError: k cannot be, there are no vectors, or a name is unknown.
            ClusteringError: The images cannot be clustered so.
        """
        space = with_centring(parsed(reduce or DEFAULT_REDUCER), parsed_centring(center))
        plan = Plan(k, k_method, algorithm, space, embedder, dry_run, bursts)
        with self._writing():
            report = reclustering.recluster(
                self.store, plan, settings=self.settings, progress=progress or Silent()
            )
            if not dry_run:
                self._tidy()
        return report

    def undo(self) -> StoredClustering:
        """Bring the clustering before the last recluster, merge, split, move or the like back.

        A person's word that made the present one is taken back with it. Images that came since
        join the former clustering.

        Raises:
            ClusteringError: There is no former clustering.
        """
        with self._writing():
            former = undoing.undo(self.store, settings=self.settings)
            self._tidy()
        return former

    # Reading -------------------------------------------------------------------------------

    def clusters(self) -> list[views.ClusterSummary]:
        """The clusters, largest first."""
        return views.cluster_summaries(self.store)

    def cluster(self, cluster_id: int | None) -> list[views.Member]:
        """The images of a cluster, the most typical first; the unsure ones where None."""
        return views.cluster_members(self.store, cluster_id)

    def hidden_in(self, cluster_id: int | None) -> int:
        """How many images of a cluster, or of the pile, are left out: people are with them."""
        return views.hidden_in(self.store, cluster_id)

    def groups_beside(self) -> dict[crops.Group, int]:
        """How many photos are beside the clusters, by what they show.

        Where crops are clustered these are the empty ones and those without a detector's result;
        photos with people or vehicles always. Groups of no photo are left out.
        """
        current = self.store.clusterings.current()
        of_crops = current is not None and crops.are_crops(current.embedder)
        beside = set(crops.Group) - {crops.Group.ANIMALS} if of_crops else crops.QUARANTINED
        if not self.store.detections.count():
            return {}
        counts = Counter(home.group for home in self.homes().values())
        return {group: counts[group] for group in crops.Group if group in beside & counts.keys()}

    def photos_in(self, group: crops.Group) -> list[views.Photo]:
        """The photos of a group of those that are in no cluster, by path."""
        return views.photos_in(self.store, group)

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
        own = self._members_at(start, spec)
        stored = self.store.vectors.read_some(spec, own[:1])
        if stored:
            query = stored[own[0]]
        elif start.is_dir():
            raise SettingsError(f"{file} is a folder", "name one photo")
        else:
            query = self._embed_one(start, embedder)
        if not query.any():
            raise SettingsError(
                f"{spec.name} sees nothing in {file} that could be compared",
                "use another --embedder",
            )
        return self._hits(self._nearest(spec, query, limit, without=own))

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
        return self._hits(self._nearest(spec, query, limit))

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

    def status(self) -> views.Status:
        """What is in the library and how current it is."""
        return views.status(self.store)

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used: path, outcome, reason."""
        return self.store.photos.problems()

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
            if embedder.startswith(crops.PREFIX):  # an import of detections makes these
                return True
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

    # -----------------------------------------------------------------------------------------

    def _members_at(self, start: Path, spec: PartSpec) -> list[str]:
        """The images of an embedder that a file of the library holds: crops, the surest first."""
        own = self.store.photos.image_at(start)
        if own is None or not crops.are_crops(spec):
            return [own] if own else []
        return [crop.crop_id for crop in self.homes()[own].crops]

    def _nearest(
        self, spec: PartSpec, query: Vectors, limit: int, *, without: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """The nearest images that may be shown; more are looked for where some may not."""
        wanted = limit + len(without)
        while True:
            found = self.store.vectors.nearest(spec, query, wanted)
            hidden = self.store.photos.hidden([image_id for image_id, _ in found])
            shown = [pair for pair in found if pair[0] not in hidden and pair[0] not in without]
            if len(shown) >= limit or len(found) < wanted:
                return shown[:limit]
            wanted *= 2

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


def models(settings: Settings) -> list[EmbedderInfo]:
    """Every embedder that is installed, with the state of its weights."""
    return embedders.describe_all(settings)
