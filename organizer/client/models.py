"""What the API takes and answers with.

Made by docs/make_openapi.py of the OpenAPI description: change the service, then run it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

ArrangeMode = Literal["link", "symlink", "copy", "move"]
AssignmentState = Literal["auto", "unsure", "decided"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
PhotoGroup = Literal["animals", "empty", "people", "vehicles", "no detector result"]
SampleKind = Literal["random", "doubtful"]


class Accepted(BaseModel):
    """Suggestions that are accepted together."""

    suggestions: list[AcceptedSuggestion]


class AcceptedSuggestion(BaseModel):
    """A suggestion that a person accepts."""

    image: str
    cluster: int
    name: str


class ArrangeRequest(BaseModel):
    """How to arrange the files.

    Attributes:
        target: The folder to sort into.
        action: What is done with each file.
        by: A ready template.
        template: A template of one's own in its place.
        keep_tree: Whether the folders of the files are repeated below the new ones.
        among_photos: Whether links and copies may be put among ingested photos.
        dry_run: Only plan it. Files are moved by a plan only: ask for the same with `dry_run`
            first.
    """

    target: str
    action: ArrangeMode = "link"
    by: Literal["cluster", "name", "event", "camera"] = "cluster"
    template: str | None = None
    keep_tree: bool = False
    among_photos: bool = False
    dry_run: bool = False


class Arrangement(BaseModel):
    """An arrangement that is in place.

    Attributes:
        target: The folder.
        action: What was done with the files.
        created_at: When it began.
        done: Number of files that were arranged, with those beside the photos.
        finished: Whether it came to its end; otherwise it is continued or undone first.
        undoing: Whether an undo of it was begun.
    """

    target: str
    action: ArrangeMode
    created_at: str
    done: int
    finished: bool
    undoing: bool


class Arrangements(BaseModel):
    """The arrangements that are in place, the last one first: it is the one that is undone."""

    arrangements: list[Arrangement]


class AuditAnswer(BaseModel):
    """The purity of the clusters, estimated from the answers; null before there are any."""

    revision: int
    audit: dict[str, Any] | None


class ClusterDetail(BaseModel):
    """A cluster, and those that are near to it: what it may have to be merged with."""

    id: int
    name: str | None
    size: int
    share: float
    cohesion_space: float
    cohesion: float
    doubt: float
    decided: int
    pinned: bool
    medoid: str | None
    typical: list[str]
    border: list[str]
    added: int
    found_in: int | None
    hidden: int
    missing: int
    night: float | None
    cameras: int
    revision: int
    near: list[NearCluster]


class ClusterItem(BaseModel):
    """A cluster in pictures and numbers.

    Attributes:
        id: Its id; it is given once and never to another cluster.
        name: Its name; null where it has none.
        size: Number of its images.
        share: Its images as a share of all of the clustering, 0 to 1.
        cohesion_space: Mean cosine similarity of its images to the centroid, in the clustering's
            space.
        cohesion: The same number under its former name; that of a report is on the vectors.
        doubt: Share of its images that are nearly as near to another cluster, 0 to 1.
        decided: Number of its images that a person put here.
        pinned: Whether it stays through every recluster: named and pinned ones do.
        medoid: The most typical image; null where none may be shown.
        typical: Images, the most typical first.
        border: Images, those least certain to be in it first.
        added: Number of its images that the last ingest brought.
        found_in: The ingest that found it; null for one that a recluster or a person made.
        hidden: Number of its images that are not shown, as people are in the photo.
        missing: Number of its images of which no file was there when last looked for.
        night: Share of infrared images; null where unknown.
        cameras: Number of different cameras or deployments.
    """

    id: int
    name: str | None
    size: int
    share: float
    cohesion_space: float
    cohesion: float
    doubt: float
    decided: int
    pinned: bool
    medoid: str | None
    typical: list[str]
    border: list[str]
    added: int
    found_in: int | None
    hidden: int
    missing: int
    night: float | None
    cameras: int


class ClusterList(BaseModel):
    """All clusters.

    Attributes:
        revision: The revision that it shows.
        clusters: The clusters that were asked for.
        progress: How far all of them are named.
    """

    revision: int
    clusters: list[ClusterItem]
    progress: NamingProgress


class ClustersToCorrect(BaseModel):
    """The clusters that images may leave; all where empty."""

    clusters: list[int] = []


class CodedTexts(BaseModel):
    """Texts that come often: each once, and for every image the place of its own."""

    names: list[str]
    of: list[int | None]


class Cohort(BaseModel):
    """Images that look like those of one named cluster.

    Attributes:
        cluster: The cluster.
        name: Its name.
        count: Number of images.
        images: The images, the most probable first.
    """

    cluster: int
    name: str
    count: int
    images: list[SuggestedImage]


class Confirm(BaseModel):
    """Images are rightly where they are: each is kept in the cluster that it is in, for good.

    With the cluster in which they were seen, none is confirmed where somebody else has moved one.
    """

    kind: Literal["confirm"] = "confirm"
    images: list[str]
    cluster: int | None = None


class CropItem(BaseModel):
    """A crop of a photo: what a detector saw, and the cluster that it is in."""

    id: str
    box: tuple[float, float, float, float]
    category: str
    confidence: float
    cluster: int | None
    cluster_name: str | None
    decided: bool


class CurrentClustering(BaseModel):
    """The clustering that is current.

    Attributes:
        id: Its number.
        k: Number of clusters.
        embedder: Whose vectors were clustered.
        algorithm: What really ran.
        created_at: When it was made, UTC.
        made_by: What made it: a recluster, or the kind of decision.
    """

    id: int
    k: int
    embedder: str
    algorithm: str
    created_at: str
    made_by: str


class Decided(BaseModel):
    """What decisions did.

    Attributes:
        revision: The revision now: what the next decision refers to.
        reports: What each did.
    """

    revision: int
    reports: list[DecisionItem]


class DecisionItem(BaseModel):
    """What a decision did.

    Attributes:
        kind: What was decided.
        cluster: The cluster that it is about; of a new one its id.
        images: Number of images that it names.
        what: What was decided, for a person.
        notes: What the person should know, a line each.
        new: Clusters that are new.
        retired: Clusters that are there no more.
        moved: Number of images that are in another cluster now.
    """

    kind: str
    cluster: int
    images: int
    what: str
    notes: list[str]
    new: list[int]
    retired: list[int]
    moved: int


class Decisions(BaseModel):
    """Decisions that are made together: all of them, or none."""

    decisions: list[Rename | Pin | Merge | Split | Move | Exclude | New | Confirm | Retire]


class DeploymentItem(BaseModel):
    """One camera at one place for one period; what is not known is null.

    Attributes:
        id: Its name.
        location: The name of the place.
        camera: The name of the camera.
        latitude: Degrees, north is positive.
        longitude: Degrees, east is positive.
        start: When it began, camera-local.
        end: When it ended, likewise.
        shift: Seconds that its clock is corrected by.
        described: Whether a person described it; otherwise only folders name it.
        images: Number of its images.
        first: The time of its first photo, camera-local, corrected.
        last: That of its last.
        without_time: Number of images without a time.
        outside: Number of images from before its start or after its end.
    """

    id: str
    location: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    start: str | None
    end: str | None
    shift: int
    described: bool
    images: int
    first: str | None
    last: str | None
    without_time: int
    outside: int


class DeploymentList(BaseModel):
    """The deployments, and how folders name them.

    Attributes:
        deployments: All of them, in the order of their ids.
        template: How folders name deployments; null where nothing was chosen.
        without_deployment: Number of images of none.
    """

    deployments: list[DeploymentItem]
    template: str | None
    without_deployment: int


class DetectionItem(BaseModel):
    """What a detector saw in a photo."""

    box: tuple[float, float, float, float]
    category: str
    confidence: float


class EmbedderItem(BaseModel):
    """An embedder, and the number of images that have its vectors."""

    name: str
    images: int


class EventItem(BaseModel):
    """Photos of one camera that soon follow each other.

    Attributes:
        event: Its number: the filter ``event`` of ``GET /images`` gives its images.
        camera: The deployment, or else the camera of the EXIF data.
        deployment: The deployment.
        start: When its first photo was taken, camera-local, as text without a zone.
        end: When its last photo was taken.
        images: Number of its photos.
        hidden: How many of these are not shown, as people or vehicles are on them.
        night: The share of infrared photos, 0 to 1; null where unknown.
        clusters: The number of its images in each cluster, by the cluster's id.
        unassigned: The number of its images in no cluster.
        medoid: The image to show; null where there is none.
        group: What its photos show: animals if one of them does, or else people, vehicles, no
            detector result, empty.
    """

    event: int
    camera: str | None
    deployment: str | None
    start: str
    end: str
    images: int
    hidden: int
    night: float | None
    clusters: dict[str, int]
    unassigned: int
    medoid: str | None
    group: PhotoGroup


class Evidence(BaseModel):
    """The numbers of clusters that were tried, with their scores.

    Attributes:
        revision: The revision that it was read at.
        k: Number of clusters of the clustering as it was made.
        chosen: The number that the evidence is for; null where k was given.
        algorithm: What really ran.
        candidates: The numbers that were tried, with their scores.
    """

    revision: int
    k: int
    chosen: int | None
    algorithm: str
    candidates: list[dict[str, Any]]


class Example(BaseModel):
    """What to search for: images that the hits should be like, and unlike; or a text."""

    likes: list[str] = []
    unlikes: list[str] = []
    text: str | None = None
    limit: int = 48


class Exclude(BaseModel):
    """Exclude images from a cluster: they leave it and never come back."""

    kind: Literal["exclude"] = "exclude"
    images: list[str]
    cluster: int
    burst: bool = False


class ExportFormat(BaseModel):
    """A format, and its own options."""

    format: str
    options: list[FormatOption]


class ExportFormats(BaseModel):
    """The formats of this installation, those of plugins too."""

    formats: list[ExportFormat]


class ExportRequest(BaseModel):
    """What to export.

    Attributes:
        format: The format: csv, parquet and those that GET /exports lists.
        vectors: With vectors or without; the format decides where null.
        embedder: Whose vectors; the library's own where null.
        clusters: Ids and names of clusters, or "unsure" for the unassigned images; all where empty.
        include_missing: Also images whose files are all missing.
        relative_to: The folder that paths are relative to; the format decides where null.
        leave_out_incomplete: Leave out images that lack what the format needs.
        params: The options of the format, by name.
    """

    format: str
    vectors: bool | None = None
    embedder: str | None = None
    clusters: list[int | str] = []
    include_missing: bool = False
    relative_to: str | None = None
    leave_out_incomplete: bool = False
    params: dict[str, str | int | float | bool] = {}


class FormatOption(BaseModel):
    """An option of a format; without `needed` it may be left out."""

    name: str
    help: str
    example: str
    needed: bool


class GivenAnswer(BaseModel):
    """Whether an image belongs to the cluster that it was shown with."""

    image: str
    cluster: int
    belongs: bool
    drawn: SampleKind
    clustering: int = 0


class GivenAnswers(BaseModel):
    """Answers that are stored together."""

    answers: list[GivenAnswer]


class GroupPhotos(BaseModel):
    """The photos of a group.

    Attributes:
        revision: The revision that it shows.
        total: Number of photos of the group.
        items: The first of them, by path.
    """

    revision: int
    total: int
    items: list[ImageItem]


class Health(BaseModel):
    """The service answers."""

    status: Literal["ok"] = "ok"


class History(BaseModel):
    """Events, the latest first.

    Attributes:
        revision: The revision that it shows.
        events: The events.
        can_undo: What the next undo takes back; null where there is nothing.
        can_redo: What the next redo brings back.
    """

    revision: int
    events: list[HistoryItem]
    can_undo: str | None
    can_redo: str | None


class HistoryItem(BaseModel):
    """One thing that happened to the clusters.

    Attributes:
        at: When, UTC, ISO 8601.
        what: What happened, for a person.
        user: Who decided it; empty where unknown.
        clusters: The clusters that it is about.
        step: The revision that it made; 0 for clusters that an ingest found.
    """

    at: str
    what: str
    user: str
    clusters: list[int]
    step: int


class HitList(BaseModel):
    """The nearest images, nearest first; their distance is that to what was searched for."""

    revision: int
    hits: list[ImageItem]


class ImageColumns(BaseModel):
    """A whole list of images, column by column; columns that were not asked for are absent.

    Attributes:
        revision: The revision that it shows.
        total: Number of images.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        ids: The ids, 16 bytes each, one after the other, in base64.
        ratio: Width over height in hundredths.
        time: Camera-local times.
        state: A letter each: a (by its distance), u (unassigned), d (decided), - (not clustered).
        cluster: The clusters.
        event: The numbers of the events.
        burst: The numbers of the bursts.
        camera: The deployments, or else cameras.
        distance: Cosine distances to the centroid of their cluster, or of the nearest one.
        missing: The places in the list of images of which no file was there when last looked for.
    """

    revision: int
    total: int
    hidden: int
    ids: str
    ratio: list[int | None] | None = None
    time: list[str | None] | None = None
    state: str | None = None
    cluster: list[int | None] | None = None
    event: list[int | None] | None = None
    burst: list[int | None] | None = None
    camera: CodedTexts | None = None
    distance: list[float | None] | None = None
    missing: list[int] | None = None


class ImageDecisionItem(BaseModel):
    """What a person decided about an image, and who; empty where that is unknown."""

    at: str
    what: str
    user: str
    step: int


class ImageDetail(BaseModel):
    """All that is known of an image.

    Attributes:
        revision: The revision that it shows.
        paths: Its files, those that were present when last looked for first.
        frame: Of a crop: the photo that it is cut out of.
        crops: Of a photo: its crops that are clustered, the surest first.
        boxes: What else a detector saw in the photo for certain.
        group: What the photo shows, by its detections: animals, empty, people, vehicles.
        facts: Size, format, place and what else the metadata say.
        decisions: What was decided about it and holds, in order of time.
    """

    id: str
    path: str
    name: str
    cluster: int | None = None
    cluster_name: str | None = None
    candidate: int | None = None
    state: AssignmentState | None = None
    distance: float | None = None
    time: str | None = None
    camera: str | None = None
    deployment: str | None = None
    ratio: float | None = None
    event: int | None = None
    burst: int | None = None
    night: bool | None = None
    box: tuple[float, float, float, float] | None = None
    missing: bool = False
    revision: int
    paths: list[ImageFile]
    frame: str | None
    crops: list[CropItem]
    boxes: list[DetectionItem]
    group: str
    facts: dict[str, Any]
    decisions: list[ImageDecisionItem]


class ImageFile(BaseModel):
    """A file that holds an image."""

    path: str
    present: bool


class ImageItem(BaseModel):
    """An image in a list.

    Attributes:
        id: Its id: 32 hexadecimal digits.
        path: A file of it, on the machine of the service.
        name: The name of that file.
        cluster: Its cluster; null for an unassigned image and one that is not clustered.
        cluster_name: The name of that cluster.
        candidate: The nearest cluster of an unassigned image.
        state: How it came to its cluster; null where it is not clustered.
        distance: Cosine distance to the centroid of its cluster, or to what was searched for.
        time: Camera-local time as text without a zone.
        camera: Its deployment, or else its camera.
        deployment: Its deployment.
        ratio: Width over height.
        event: The number of its event.
        burst: The number of its burst.
        night: Whether it is infrared.
        box: Of a crop: left, upper, width and height as shares of the photo.
        missing: Whether no file of it was there when last looked for.
    """

    id: str
    path: str
    name: str
    cluster: int | None = None
    cluster_name: str | None = None
    candidate: int | None = None
    state: AssignmentState | None = None
    distance: float | None = None
    time: str | None = None
    camera: str | None = None
    deployment: str | None = None
    ratio: float | None = None
    event: int | None = None
    burst: int | None = None
    night: bool | None = None
    box: tuple[float, float, float, float] | None = None
    missing: bool = False


class ImagePage(BaseModel):
    """A page of a list of images.

    Attributes:
        revision: The revision that it shows.
        total: Number of images of the whole list.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        items: The images of the page.
        next: The cursor of the next page; null at the end.
    """

    revision: int
    total: int
    hidden: int
    items: list[ImageItem]
    next: str | None


class IngestRequest(BaseModel):
    """What to ingest.

    Attributes:
        paths: Folders and files of the service's machine; all that were ingested before where
            empty.
        embedder: The name of an embedder; the library's own where null.
        confirm_missing: Whether files that are gone are noted as missing even where they are more
            than half of those of a folder; its disk may not be connected.
        verify: Whether to read every file, also those whose size and time are as they were.
        reread_metadata: Whether to read the metadata of all files anew.
        time_from_name: How names of files tell when photos were taken, where nothing else does:
            ``IMG_%Y%m%d_%H%M%S*``.
    """

    paths: list[str] = []
    embedder: str | None = None
    confirm_missing: bool = False
    verify: bool = False
    reread_metadata: bool = False
    time_from_name: str | None = None


class JobItem(BaseModel):
    """A job.

    Attributes:
        id: Its id.
        kind: What it does.
        state: What has become of it.
        created_at: When it was asked for, UTC, ISO 8601.
        started_at: When it began to run; null before.
        ended_at: When it ended; null before.
        user: Who asked for it.
        progress: How far it is.
        notes: What the person should know, a line each.
        result: What it gave: the fields that the command prints with ``--json``.
        problem: What went wrong.
        download: The address of the file that it made.
    """

    id: str
    kind: str
    state: JobState
    created_at: str
    started_at: str | None
    ended_at: str | None
    user: str
    progress: JobProgress
    notes: list[str]
    result: dict[str, Any] | None
    problem: ProblemDetails | None
    download: str | None


class JobProgress(BaseModel):
    """How far a job is.

    Attributes:
        what: What it is doing.
        done: Steps of that which are done.
        total: All steps of it; null where unknown.
    """

    what: str
    done: int
    total: int | None


class Jobs(BaseModel):
    """The jobs that are remembered, the newest first."""

    jobs: list[JobItem]


class LastIngest(BaseModel):
    """The last ingest that brought something new.

    Attributes:
        id: Its number.
        at: When it began, UTC.
        images: Number of images that it assigned, or left unassigned.
        grown: Number of its images by cluster.
        novel: The clusters that it found among the unassigned images.
    """

    id: int
    at: str
    images: int
    unassigned: int
    grown: dict[str, int]
    novel: list[int]


class MapAnswer(BaseModel):
    """The map, without its points.

    Attributes:
        revision: The revision that it shows.
        method: How it is drawn.
        drawn: Whether it is drawn; if not, ``POST /maps`` does it, and the rest is 0 or empty.
        version: Names the images of the map, their order and their places; another one, where one
            of these is another.
        count: Number of images.
        drawn_of: The number of images of which it was drawn; the others were placed beside those
            that are most like them.
        placed_since: How many images came after it was drawn.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        cameras: The deployments or else cameras, by the numbers of the column camera.
        columns: The columns that there are.
    """

    revision: int
    method: Literal["pca", "tsne", "umap"]
    drawn: bool
    version: str
    count: int
    drawn_of: int
    placed_since: int
    hidden: int
    cameras: list[str]
    columns: list[Literal["cluster", "state", "doubt", "camera", "time"]]


class MapRequest(BaseModel):
    """How the map is drawn.

    Attributes:
        method: "tsne", "umap" or "pca".
        redraw: Whether to draw it anew where it is drawn already.
    """

    method: Literal["pca", "tsne", "umap"] = "tsne"
    redraw: bool = False


class Merge(BaseModel):
    """Make one cluster of several; it has the id and the name of the first.

    Where several of them have names, it has to be confirmed.
    """

    kind: Literal["merge"] = "merge"
    clusters: list[int]
    confirm: bool = False


class Move(BaseModel):
    """Put images into a cluster, for good; with burst, those of their bursts too."""

    kind: Literal["move"] = "move"
    images: list[str]
    to: int
    burst: bool = False


class NamingProgress(BaseModel):
    """How far the clusters are named."""

    named: int
    clusters: int
    unassigned: int


class NearCluster(BaseModel):
    """A cluster near to another one.

    Attributes:
        id: Its id.
        name: Its name.
        size: Number of its images.
        distance: Cosine distance of the nearest two centroids.
    """

    id: int
    name: str | None
    size: int
    distance: float


class New(BaseModel):
    """Make a new cluster of images, whichever clusters they are in."""

    kind: Literal["new"] = "new"
    images: list[str]
    name: str | None = None
    burst: bool = False


class Pin(BaseModel):
    """Keep a cluster through every recluster."""

    kind: Literal["pin"] = "pin"
    cluster: int


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457).

    Attributes:
        type: Which kind of problem, a URI reference.
        title: The kind in words.
        status: The HTTP status.
        detail: What happened, one line.
        hint: What to do about it, one line; empty where there is nothing to do.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""


class QuestionItem(BaseModel):
    """An image whose answer would help much.

    Attributes:
        guess: The named cluster that is most probable; null where nothing was learned yet.
        guess_name: Its name.
        confidence: How probable that is, 0 to 1.
    """

    id: str
    path: str
    name: str
    cluster: int | None = None
    cluster_name: str | None = None
    candidate: int | None = None
    state: AssignmentState | None = None
    distance: float | None = None
    time: str | None = None
    camera: str | None = None
    deployment: str | None = None
    ratio: float | None = None
    event: int | None = None
    burst: int | None = None
    night: bool | None = None
    box: tuple[float, float, float, float] | None = None
    missing: bool = False
    guess: int | None
    guess_name: str | None
    confidence: float | None


class Questions(BaseModel):
    """What to ask a person next, the most useful first."""

    revision: int
    questions: list[QuestionItem]


class ReclusterRequest(BaseModel):
    """How to cluster.

    Attributes:
        k: Number of clusters, "auto" to choose it with evidence, or the lowest and the highest.
        k_method: How k is chosen.
        algorithm: The name of the clusterer.
        params: Options of the clusterer's own, by name.
        reduce: The space to cluster in; the default one where null.
        embedder: Whose vectors; the library's own where null.
        bursts: Whether the images of a burst are one observation.
        center: What the vectors are centred by: camera, night or camera,night.
        dry_run: Only report what would change.
        drop_names: Go on where a cluster would be lost that a person named, pinned or made, as
            `dropped` of a dry run lists them; without it the job fails and nothing is changed.
        save_embedder: Of an algorithm that trains a network: keep it as an embedder of this name,
            embed all images with it, and work with it from now on. Its weights lie on the server.
    """

    k: Literal["auto"] | int | tuple[int, int] = "auto"
    k_method: Literal["auto", "silhouette", "elbow", "gap", "stability"] = "auto"
    algorithm: str = "kmeans"
    params: dict[str, str | int | float | bool] | None = None
    reduce: str | None = None
    embedder: str | None = None
    bursts: bool = False
    center: str | None = None
    dry_run: bool = False
    drop_names: bool = False
    save_embedder: str | None = None


class Rename(BaseModel):
    """Name a cluster; the name stays with its images through every recluster."""

    kind: Literal["rename"] = "rename"
    cluster: int
    name: str


class ReportNumbers(BaseModel):
    """The scores of the current clustering, as ``organizer report --json`` prints them."""

    revision: int
    report: dict[str, Any]


class ReportRequest(BaseModel):
    """What is in the page.

    Attributes:
        labels: Known truth to score against.
        map: How the map is drawn.
    """

    labels: Literal["folders", "camera", "format", "light"] | None = None
    map: Literal["pca", "tsne", "umap", "none"] = "tsne"


class Retire(BaseModel):
    """Dissolve a cluster: its images go where they fit, or are unassigned."""

    kind: Literal["retire"] = "retire"
    cluster: int


class Reverted(BaseModel):
    """What an undo or a redo did.

    Attributes:
        revision: The revision now.
        done: Which of the two it was.
        what: What was undone or redone, a line each.
    """

    revision: int
    done: Literal["undone", "redone"]
    what: list[str]


class ReviewImage(BaseModel):
    """An image that a person is shown with the cluster that it is in.

    Attributes:
        shown_in: That cluster.
        drawn: Why it is shown: at random, or because of its neighbours.
        clustering: The clustering in which it is in that cluster.
        disagreeing: Share of its nearest neighbours that are elsewhere; null at random.
        other: The cluster that most of these are in.
        other_name: Its name.
    """

    id: str
    path: str
    name: str
    cluster: int | None = None
    cluster_name: str | None = None
    candidate: int | None = None
    state: AssignmentState | None = None
    distance: float | None = None
    time: str | None = None
    camera: str | None = None
    deployment: str | None = None
    ratio: float | None = None
    event: int | None = None
    burst: int | None = None
    night: bool | None = None
    box: tuple[float, float, float, float] | None = None
    missing: bool = False
    shown_in: int
    drawn: SampleKind
    clustering: int
    disagreeing: float | None
    other: int | None
    other_name: str | None


class ReviewList(BaseModel):
    """Images to look at, in order."""

    revision: int
    images: list[ReviewImage]


class SessionRequest(BaseModel):
    """The token that ``organizer serve`` was started with."""

    token: str


class Split(BaseModel):
    """Make several clusters of one; the largest part keeps the id."""

    kind: Literal["split"] = "split"
    cluster: int
    k: int = 2


class Status(BaseModel):
    """What is in the library, and what can be done with it.

    Attributes:
        library: Its folder.
        version: That of organizer.
        revision: The number of the last step of the history.
        clustering: The current clustering; null before the first.
        images: Number of images.
        files: Number of present files.
        missing: Number of missing files.
        problems: Number of files that could not be used.
        clustered: Number of images of the clustering.
        unassigned: Number of unassigned images.
        added_since: Number of images that came since the clustering was made.
        roots: The ingested folders.
        embedders: The embedders that have vectors.
        embedder: The one that the library works with.
        can_search_text: Whether one of them reads texts.
        can_show_files: Whether the file manager of the service's machine can show files.
        has_deployments: Whether it is known where cameras stood.
        has_times: Whether a photo has a time.
        groups: Number of photos beside the clusters, by group: people, vehicles, empty.
        progress: How far the clusters are named.
        last_ingest: What came last; null before the first.
        user: Who decides, as far as the request says.
        thumbnail_version: The version in the address of a thumbnail.
        thumbnail_sizes: Pixels of the longer side.
    """

    library: str
    version: str
    revision: int
    clustering: CurrentClustering | None
    images: int
    files: int
    missing: int
    problems: int
    clustered: int
    unassigned: int
    added_since: int
    roots: list[str]
    embedders: list[EmbedderItem]
    embedder: str | None
    can_search_text: bool
    can_show_files: bool
    has_deployments: bool
    has_times: bool
    groups: dict[str, int]
    progress: NamingProgress
    last_ingest: LastIngest | None
    user: str
    thumbnail_version: int
    thumbnail_sizes: list[int]


class Stored(BaseModel):
    """Number of answers that were not known already."""

    stored: int


class SuggestedImage(BaseModel):
    """An image that may belong to a named cluster, and how probable that is, 0 to 1."""

    id: str
    path: str
    name: str
    cluster: int | None = None
    cluster_name: str | None = None
    candidate: int | None = None
    state: AssignmentState | None = None
    distance: float | None = None
    time: str | None = None
    camera: str | None = None
    deployment: str | None = None
    ratio: float | None = None
    event: int | None = None
    burst: int | None = None
    night: bool | None = None
    box: tuple[float, float, float, float] | None = None
    missing: bool = False
    confidence: float


class SuggestionList(BaseModel):
    """Suggestions by name, and how far they can be trusted.

    Attributes:
        revision: The revision that it shows.
        cohorts: The suggestions, the largest group first.
        held_out: Number of images that a person decided by themselves.
        right: Those of them of which the others alone would have told the cluster.
        lone: Names for which one decided image alone stands.
    """

    revision: int
    cohorts: list[Cohort]
    held_out: int
    right: int
    lone: list[str]


class TimelineAnswer(BaseModel):
    """The events of a library.

    Attributes:
        revision: The revision that it shows.
        events: The events, by camera and then by time.
        untimed: Number of photos without a time, which are of no event.
        untimed_images: Some of them, at most 60.
        cameras: The cameras of all events, whichever were asked for.
        deployments: The deployments of all events, likewise.
    """

    revision: int
    events: list[EventItem]
    untimed: int
    untimed_images: list[str]
    cameras: list[str]
    deployments: list[str]


class UndoArrangementRequest(BaseModel):
    """Which arrangement to undo.

    Attributes:
        target: The folder of the last one, to be sure; any where null.
    """

    target: str | None = None
