"""The client: a method for every route of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, Unpack

from organizer.client.connection import Connection, Revision
from organizer.client.events import StreamedEvent, listen
from organizer.client.jobs import JobClient
from organizer.client.models import (
    Accepted,
    AcceptedSuggestion,
    Arrangements,
    AuditAnswer,
    ClusterDetail,
    ClusterList,
    ClustersToCorrect,
    Confirm,
    Decided,
    Decisions,
    DeploymentList,
    Evidence,
    Example,
    Exclude,
    ExportFormats,
    GivenAnswer,
    GivenAnswers,
    GroupPhotos,
    Health,
    History,
    HitList,
    ImageColumns,
    ImageDetail,
    ImageItem,
    ImagePage,
    MapAnswer,
    Merge,
    Move,
    New,
    Pin,
    Questions,
    Rename,
    ReportNumbers,
    Retire,
    Reverted,
    ReviewList,
    Split,
    Status,
    Stored,
    SuggestionList,
    TimelineAnswer,
)
from organizer.client.queries import (
    Group,
    ImageQuery,
    Labels,
    MapColumn,
    MapMethod,
    Order,
    Sort,
    map_numbers,
)

AnyDecision = Rename | Pin | Merge | Split | Move | Exclude | New | Confirm | Retire


class Client:
    """A client of one service. Use it as a context manager, or call `close`.

    A decision refers to the revision that the last answer showed; where somebody was faster it is
    refused with a `ServiceError` of kind "stale-revision", and nothing is changed. Every method
    raises a `ServiceError` where it does not get what it asked for.

    Attributes:
        jobs: What takes longer than a request: ingest, recluster, export and the like.

    Args:
        url: Where the service is, as ``organizer serve`` prints it.
        token: Its token, where it has one.
        user: Who decides; as the service was started where None.
        timeout: Seconds to wait for an answer.

    Examples:
        >>> with Client("http://127.0.0.1:8765") as client:  # doctest: +SKIP
        ...     client.clusters(sort="doubt")
        ...     client.decide(Rename(cluster=3, name="Red fox"), Merge(clusters=[4, 7]))
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8765",
        *,
        token: str | None = None,
        user: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._service = Connection(url, token=token, user=user, timeout=timeout)
        self.jobs = JobClient(self._service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    @property
    def revision(self) -> int | None:
        """The revision that the last answer showed; None before the first."""
        return self._service.revision

    # Reading -------------------------------------------------------------------------------

    def health(self) -> Health:
        """Whether the service answers."""
        return self._service.get("/health", Health)

    def status(self) -> Status:
        """What is in the library, and what can be done with it."""
        return self._service.get("/status", Status)

    def clusters(
        self, *, sort: Sort = "size", name: str | None = None, samples: int = 8
    ) -> ClusterList:
        """All clusters, or those of a name."""
        return self._service.get("/clusters", ClusterList, sort=sort, name=name, samples=samples)

    def cluster(self, cluster_id: int, *, samples: int = 8) -> ClusterDetail:
        """A cluster, and those that are near to it."""
        return self._service.get(f"/clusters/{cluster_id}", ClusterDetail, samples=samples)

    def images(
        self, *, order: Order = "typical", limit: int = 1_000, **query: Unpack[ImageQuery]
    ) -> Iterator[ImageItem]:
        """The images that a filter lets through, in order; read a page at a time.

        Args:
            order: What they are ordered by.
            limit: Images a page.
            **query: The filter; see `ImageQuery`.
        """
        cursor = None
        while True:
            page = self.image_page(order=order, limit=limit, cursor=cursor, **query)
            yield from page.items
            if page.next is None:
                return
            cursor = page.next

    def image_page(
        self,
        *,
        order: Order = "typical",
        limit: int = 100,
        cursor: str | None = None,
        **query: Unpack[ImageQuery],
    ) -> ImagePage:
        """A page of the images that a filter lets through; `cursor` is the last page's `next`."""
        return self._service.get(
            "/images", ImagePage, order=order, limit=limit, cursor=cursor, **query
        )

    def image_columns(
        self,
        *columns: str,
        order: Order = "typical",
        **query: Unpack[ImageQuery],
    ) -> ImageColumns:
        """The images that a filter lets through, column by column; see `column_ids`.

        Args:
            *columns: ratio, time, state, cluster, event, burst, camera, distance.
            order: What they are ordered by.
            **query: The filter; see `ImageQuery`.
        """
        asked = ",".join(columns) if columns else None
        return self._service.get(
            "/images/columns", ImageColumns, order=order, columns=asked, **query
        )

    def image(self, image_id: str) -> ImageDetail:
        """All that is known of an image."""
        return self._service.get(f"/images/{image_id}", ImageDetail)

    def thumbnail(self, image_id: str, *, size: int = 384) -> bytes:
        """A small JPEG of an image, upright and whole.

        Args:
            image_id: The image.
            size: Pixels of the longer side: 96, 192, 384, 768 or 1536.
        """
        return self._service.read_bytes(f"/images/{image_id}/thumbnail/{size}")

    def save_original(self, image_id: str, target: Path) -> None:
        """Write the file of an image to a new file.

        Raises:
            FileExistsError: There is a file already.
        """
        self._service.save(f"/images/{image_id}/original", target)

    def show_in_folder(self, image_id: str) -> None:
        """Show the file of an image in the file manager of the service's machine.

        Raises:
            ServiceError: Other machines reach the service, or it has no file manager.
        """
        self._service.do(f"/images/{image_id}/show")

    def history(
        self, cluster_id: int | None = None, *, limit: int = 100, before: int | None = None
    ) -> History:
        """What became of the clusters, or of one of them, the latest first."""
        return self._service.get(
            "/history", History, cluster=cluster_id, limit=limit, before=before
        )

    def deployments(self) -> DeploymentList:
        """Where and when cameras stood."""
        return self._service.get("/deployments", DeploymentList)

    def timeline(
        self, *, deployment: str | None = None, camera: str | None = None
    ) -> TimelineAnswer:
        """What each camera saw, event by event."""
        path, limits = "/timeline", {"deployment": deployment, "camera": camera}
        return self._service.get(path, TimelineAnswer, **limits)

    def group(self, name: Group, *, limit: int = 1_000) -> GroupPhotos:
        """Photos beside the clusters, by path: with people or vehicles, empty ones."""
        return self._service.get(f"/groups/{name}", GroupPhotos, limit=limit)

    def map(self, *, method: MapMethod = "tsne") -> MapAnswer:
        """The map of all images, without its points; `jobs.map` draws it where it is not drawn."""
        return self._service.get("/map", MapAnswer, method=method)

    def map_points(self, *, method: MapMethod = "tsne") -> list[tuple[str, float, float]]:
        """The images of the map, each with its x and y within -1 to 1.

        Raises:
            ServiceError: The map is not drawn.
        """
        ids = self._service.read_bytes("/map/ids", method=method)
        xy = map_numbers("f", self._service.read_bytes("/map/points", method=method))
        names = (ids[at : at + 16].hex() for at in range(0, len(ids), 16))
        return list(zip(names, xy[::2], xy[1::2], strict=True))

    def map_column(self, name: MapColumn, *, method: MapMethod = "tsne") -> list[float]:
        """A number for each image of the map, in the order of `map_points`.

        Args:
            name: "cluster" (-1 for an unassigned image), "state" (0 by its distance, 1 unassigned,
                2 decided), "doubt" (0 to 1), "camera" (the number of a name in `map`; 65535
                unknown), or "time" (seconds of the camera's clock since 1970-01-01T00:00:00).
            method: How the map is drawn.

        Raises:
            ServiceError: The map is not drawn.
        """
        kind = {"cluster": "i", "state": "B", "doubt": "f", "camera": "H", "time": "d"}[name]
        data = self._service.read_bytes(f"/map/columns/{name}", method=method)
        return list(map_numbers(kind, data))

    def report(self, *, labels: Labels | None = None) -> ReportNumbers:
        """How good the current clusters are; `labels` names a known truth to score against."""
        return self._service.get("/report", ReportNumbers, labels=labels)

    def evidence(self) -> Evidence:
        """Which numbers of clusters were tried, and which was chosen."""
        return self._service.get("/evidence", Evidence)

    def export_formats(self) -> ExportFormats:
        """The formats that images can be exported in."""
        return self._service.get("/exports", ExportFormats)

    def arrangements(self) -> Arrangements:
        """The arrangements that are in place, the last one first."""
        return self._service.get("/arrangements", Arrangements)

    def events(
        self, *, after: str | None = None, attempts: int | None = None
    ) -> Iterator[StreamedEvent]:
        """What happens in the library, as it happens; a lost connection is made again.

        Args:
            after: The id of the last event that is known already; those to come where None.
            attempts: How often to try in a row to connect again; without end where None.
        """
        return listen(self._service, after=after, attempts=attempts)

    # Searching -----------------------------------------------------------------------------

    def neighbours(self, image_id: str, *, limit: int = 24) -> HitList:
        """The images most similar to one of the library."""
        return self._service.get(f"/images/{image_id}/neighbours", HitList, limit=limit)

    def search(
        self,
        *,
        likes: Sequence[str] = (),
        unlikes: Sequence[str] = (),
        text: str | None = None,
        limit: int = 48,
    ) -> HitList:
        """The images most similar to some and least to others, or nearest to a text."""
        asked = Example(likes=list(likes), unlikes=list(unlikes), text=text, limit=limit)
        return self._service.post("/search", HitList, asked)

    def search_picture(self, picture: Path | bytes, *, limit: int = 48) -> HitList:
        """The images most similar to a picture from elsewhere."""
        data = picture if isinstance(picture, bytes) else picture.read_bytes()
        return self._service.post_bytes("/search/picture", HitList, data, limit=limit)

    # Deciding ------------------------------------------------------------------------------

    def decide(self, *decisions: AnyDecision, revision: Revision = None) -> Decided:
        """Make decisions: all of them in one step, which one undo takes back, or none.

        Args:
            *decisions: `Rename`, `Merge`, `Move` and so on, of `organizer.client.models`.
            revision: What they refer to; what the last answer showed where None, "*" for any.
        """
        asked = Decisions(decisions=list(decisions))
        return self._service.write("/decisions", Decided, asked, revision=revision)

    def rename(self, cluster_id: int, name: str, *, revision: Revision = None) -> Decided:
        """Name a cluster."""
        return self.decide(Rename(cluster=cluster_id, name=name), revision=revision)

    def undo(self, *, revision: Revision = None) -> Reverted:
        """Undo the last step, whatever it was."""
        return self._service.write("/undo", Reverted, revision=revision)

    def redo(self, *, revision: Revision = None) -> Reverted:
        """Redo what was undone last."""
        return self._service.write("/redo", Reverted, revision=revision)

    # Suggestions and review ----------------------------------------------------------------

    def suggestions(
        self, name: str | None = None, *, min_confidence: float | None = None
    ) -> SuggestionList:
        """Images that may belong to named clusters, by name."""
        return self._service.get(
            "/suggestions", SuggestionList, name=name, min_confidence=min_confidence
        )

    def accept(
        self, suggestions: Sequence[AcceptedSuggestion], *, revision: Revision = None
    ) -> Decided:
        """Move images to the clusters that were suggested: one step."""
        asked = Accepted(suggestions=list(suggestions))
        return self._service.write("/suggestions/accept", Decided, asked, revision=revision)

    def questions(self, *, limit: int = 20) -> Questions:
        """The images whose answers would help most."""
        return self._service.get("/questions", Questions, limit=limit)

    def review_sample(self, *, limit: int = 200, clusters: Sequence[int] = ()) -> ReviewList:
        """Images drawn at random from each cluster: what the purity is estimated from."""
        return self._service.get(
            "/review/sample", ReviewList, limit=limit, cluster=list(clusters) or None
        )

    def review_doubtful(self, *, limit: int = 50, clusters: Sequence[int] = ()) -> ReviewList:
        """Images of whose nearest neighbours most are in another cluster."""
        return self._service.get(
            "/review/doubtful", ReviewList, limit=limit, cluster=list(clusters) or None
        )

    def answer(self, answers: Sequence[GivenAnswer]) -> Stored:
        """Store whether images belong to the clusters that they were shown with."""
        return self._service.post("/review/answers", Stored, GivenAnswers(answers=list(answers)))

    def correct(self, clusters: Sequence[int] = (), *, revision: Revision = None) -> Decided:
        """Exclude every image that was answered with no: one step."""
        asked = ClustersToCorrect(clusters=list(clusters))
        return self._service.write("/review/correct", Decided, asked, revision=revision)

    def audit(self) -> AuditAnswer:
        """The purity of the clusters as far as the answers show it."""
        return self._service.get("/review/audit", AuditAnswer)
