"""Decisions: a batch of them is one step of the history, which one undo takes back."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from organizer.cluster.decisions import describe_decision
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.requests import (
    DecisionRequest,
    ExcludeImages,
    MakeCluster,
    MergeClusters,
    MoveImages,
    PinCluster,
    RenameCluster,
    RetireCluster,
    SplitCluster,
)
from organizer.service.context import Service, ServiceOf, UserOf
from organizer.service.preconditions import ExpectedRevision
from organizer.service.problems import ProblemError
from organizer.service.schemas import Body, ClusterIdNumber, ImageIdText
from organizer.types import DecisionKind

router = APIRouter(tags=["decisions"])

_MOST_IMAGES = 100_000
_LONGEST_NAME = 500

Images = Annotated[list[ImageIdText], Field(min_length=1, max_length=_MOST_IMAGES)]


class Rename(Body):
    """Name a cluster; the name stays with its images through every recluster."""

    kind: Literal["rename"]
    cluster: ClusterIdNumber
    name: Annotated[str, Field(max_length=_LONGEST_NAME)]


class Pin(Body):
    """Keep a cluster through every recluster."""

    kind: Literal["pin"]
    cluster: ClusterIdNumber


class Merge(Body):
    """Make one cluster of several; it has the id and the name of the first.

    Where several of them have names, it has to be confirmed.
    """

    kind: Literal["merge"]
    clusters: Annotated[list[ClusterIdNumber], Field(min_length=2, max_length=1_000)]
    confirm: bool = False


class Split(Body):
    """Make several clusters of one; the largest part keeps the id."""

    kind: Literal["split"]
    cluster: ClusterIdNumber
    k: Annotated[int, Field(ge=2, le=100)] = 2


class Move(Body):
    """Put images into a cluster, for good; with burst, those of their bursts too."""

    kind: Literal["move"]
    images: Images
    to: ClusterIdNumber
    burst: bool = False


class Exclude(Body):
    """Exclude images from a cluster: they leave it and never come back."""

    kind: Literal["exclude"]
    images: Images
    cluster: ClusterIdNumber
    burst: bool = False


class New(Body):
    """Make a new cluster of images, whichever clusters they are in."""

    kind: Literal["new"]
    images: Images
    name: Annotated[str | None, Field(max_length=_LONGEST_NAME)] = None
    burst: bool = False


class Confirm(Body):
    """Images are rightly where they are: each is kept in the cluster that it is in, for good.

    With the cluster in which they were seen, none is confirmed where somebody else has moved one.
    """

    kind: Literal["confirm"]
    images: Images
    cluster: ClusterIdNumber | None = None


class Retire(Body):
    """Dissolve a cluster: its images go where they fit, or are unassigned."""

    kind: Literal["retire"]
    cluster: ClusterIdNumber


AnyDecision = Annotated[
    Rename | Pin | Merge | Split | Move | Exclude | New | Confirm | Retire,
    Field(discriminator="kind"),
]


class Decisions(Body):
    """Decisions that are made together: all of them, or none."""

    decisions: Annotated[list[AnyDecision], Field(min_length=1, max_length=1_000)]


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


class Decided(BaseModel):
    """What decisions did.

    Attributes:
        revision: The revision now: what the next decision refers to.
        reports: What each did.
    """

    revision: int
    reports: list[DecisionItem]


@router.post("/decisions")
def decide(
    asked: Decisions,
    service: ServiceOf,
    user: UserOf,
    expected: ExpectedRevision,
    response: Response,
) -> Decided:
    """Make decisions: one step of the history, which one undo takes back."""
    _require_confirmed(service, asked.decisions)

    def apply() -> list[DecisionReport]:
        requests = [one for asked_one in asked.decisions for one in _requests(service, asked_one)]
        return service.library.corrections.apply(requests)

    reports = service.decide(apply, revision=expected, user=user)
    return decided(service, reports, response)


def decided(service: Service, reports: Sequence[DecisionReport], response: Response) -> Decided:
    """The answer to decisions, which names the revision that they made."""
    revision = service.library.revision
    response.headers["ETag"] = f'"{revision}"'
    return Decided(revision=revision, reports=[_item(report) for report in reports])


def _requests(service: Service, asked: AnyDecision) -> list[DecisionRequest]:
    """The requests to the library that a decision is."""
    request: DecisionRequest
    match asked:
        case Rename():
            request = RenameCluster(asked.cluster, asked.name)
        case Pin():
            request = PinCluster(asked.cluster)
        case Merge():
            request = MergeClusters(asked.clusters)
        case Split():
            request = SplitCluster(asked.cluster, asked.k)
        case Move():
            request = MoveImages(asked.images, asked.to, burst=asked.burst)
        case Exclude():
            request = ExcludeImages(asked.images, asked.cluster, burst=asked.burst)
        case New():
            request = MakeCluster(asked.images, asked.name, burst=asked.burst)
        case Retire():
            request = RetireCluster(asked.cluster)
        case Confirm():
            return _confirmed(service, asked.images, asked.cluster)
    return [request]


def _confirmed(
    service: Service, images: Sequence[str], seen_in: int | None
) -> list[DecisionRequest]:
    """Moves of images to the clusters that they are in."""
    overview = service.library.images.overview()
    merged = service.library.store.merged_images.now()
    images = [merged.get(image_id, image_id) for image_id in images]
    rows = overview.photos.rows.of(images)
    by_cluster: dict[int, list[str]] = {}
    for image_id, row in zip(images, rows.tolist(), strict=True):
        cluster = int(overview.cluster_ids[row]) if row >= 0 else -1
        if cluster < 0:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid",
                f"image {image_id} is in no cluster",
                "move it into one",
            )
        by_cluster.setdefault(cluster, []).append(image_id)
    elsewhere = [i for cluster, ids in by_cluster.items() if cluster != seen_in for i in ids]
    if seen_in is not None and elsewhere:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "elsewhere",
            f"{len(elsewhere)} of these images are not in cluster {seen_in} any more",
            "look at them again",
            images=elsewhere,
        )
    return [MoveImages(ids, cluster) for cluster, ids in by_cluster.items()]


def _require_confirmed(service: Service, decisions: Sequence[AnyDecision]) -> None:
    """Make sure that a merge of clusters with names is meant."""
    merges = [one for one in decisions if isinstance(one, Merge) and not one.confirm]
    if not merges:
        return
    names = service.library.clusters.names()
    for merge in merges:
        named = {i: names[i] for i in merge.clusters if i in names}
        if len(named) > 1:
            first = named.get(merge.clusters[0])
            kept = f"is called {first!r}" if first else "has no name"
            listed = ", ".join(f"{name!r} ({i})" for i, name in named.items())
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "needs-confirmation",
                f"{len(named)} clusters with names become one: {listed}",
                f"what is left {kept}; send confirm: true",
                names={str(i): name for i, name in named.items()},
            )


def _item(report: DecisionReport) -> DecisionItem:
    decision, lineage = report.decision, report.lineage
    return DecisionItem(
        kind=_kind(report),
        cluster=decision.cluster_id,
        images=len(decision.image_ids),
        what=describe_decision(decision),
        notes=list(report.notes),
        new=list(lineage.new),
        retired=list(lineage.retired),
        moved=lineage.images_moved,
    )


def _kind(report: DecisionReport) -> str:
    """What was decided, in the words in which it is asked for."""
    decision = report.decision
    if decision.kind is DecisionKind.MOVE and decision.cluster_id in report.lineage.new:
        return "new"
    return {DecisionKind.NAME: "rename", DecisionKind.NOT: "exclude"}.get(
        decision.kind, decision.kind.value
    )
