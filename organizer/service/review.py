"""Review: samples of the clusters, a person's answers, and the purity that they show."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from organizer.library.review.sample import ReviewItem
from organizer.service.context import RevisionOf, Service, ServiceOf, UserOf
from organizer.service.decisions import Decided, decided
from organizer.service.listed import ListedImages
from organizer.service.preconditions import ExpectedRevision
from organizer.service.schemas import Body, ClusterIdNumber, ImageIdText, ImageItem
from organizer.store import Answer, SampleKind

router = APIRouter(prefix="/review", tags=["review"])

Limit = Annotated[int, Query(ge=1, le=5_000)]
Clusters = Annotated[list[ClusterIdNumber] | None, Query(description="Only these clusters.")]


class ReviewImage(ImageItem):
    """An image that a person is shown with the cluster that it is in.

    Attributes:
        shown_in: That cluster.
        drawn: Why it is shown: at random, or because of its neighbours.
        clustering: The clustering in which it is in that cluster.
        disagreeing: Share of its nearest neighbours that are elsewhere; null at random.
        other: The cluster that most of these are in.
        other_name: Its name.
    """

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


class GivenAnswer(Body):
    """Whether an image belongs to the cluster that it was shown with."""

    image: ImageIdText
    cluster: ClusterIdNumber
    belongs: bool
    drawn: SampleKind
    clustering: Annotated[int, Field(ge=0, le=2**53)] = 0


class GivenAnswers(Body):
    """Answers that are stored together."""

    answers: Annotated[list[GivenAnswer], Field(min_length=1, max_length=10_000)]


class Stored(BaseModel):
    """Number of answers that were not known already."""

    stored: int


class ClustersToCorrect(Body):
    """The clusters that images may leave; all where empty."""

    clusters: Annotated[list[ClusterIdNumber], Field(max_length=10_000, default_factory=list)]


class AuditAnswer(BaseModel):
    """The purity of the clusters, estimated from the answers; null before there are any."""

    revision: int
    audit: dict[str, Any] | None


@router.get("/sample")
def list_sample(
    service: ServiceOf, revision: RevisionOf, limit: Limit = 200, cluster: Clusters = None
) -> ReviewList:
    """Images drawn at random from each cluster: what the purity is estimated from."""
    found = service.library.review.sample(limit, cluster_ids=cluster or ())
    return ReviewList(revision=revision, images=_shown(service, found))


@router.get("/doubtful")
def list_doubtful(
    service: ServiceOf, revision: RevisionOf, limit: Limit = 50, cluster: Clusters = None
) -> ReviewList:
    """Images of whose nearest neighbours most are in another cluster."""
    found = service.library.review.doubtful(limit, cluster_ids=cluster or ())
    return ReviewList(revision=revision, images=_shown(service, found))


@router.post("/answers")
def answer(asked: GivenAnswers, service: ServiceOf, user: UserOf) -> Stored:
    """Store answers; nothing moves by it. See `correct`."""
    answers = [
        Answer(one.image, one.cluster, one.belongs, one.drawn, one.clustering)
        for one in asked.answers
    ]
    stored = service.decide(
        lambda: service.library.review.answer(answers), revision=None, user=user
    )
    return Stored(stored=stored)


@router.post("/correct")
def correct(
    asked: ClustersToCorrect,
    service: ServiceOf,
    user: UserOf,
    expected: ExpectedRevision,
    response: Response,
) -> Decided:
    """Exclude every image that was answered with no: one step, which one undo takes back."""
    review = service.library.review
    reports = service.decide(lambda: review.correct(asked.clusters), revision=expected, user=user)
    return decided(service, reports, response)


@router.get("/audit")
def get_audit(service: ServiceOf, revision: RevisionOf) -> AuditAnswer:
    """The purity of the clusters as far as the answers show it, with its interval."""
    found = service.library.review.audit()
    return AuditAnswer(revision=revision, audit=None if found is None else asdict(found))


def _shown(service: Service, items: list[ReviewItem]) -> list[ReviewImage]:
    listed = ListedImages(service.library, (item.image_id for item in items))
    return [
        ReviewImage(
            **listed.item(item.image_id, item.path).model_dump(),
            shown_in=item.cluster_id,
            drawn=item.drawn,
            clustering=item.clustering_id,
            disagreeing=item.disagreeing,
            other=item.other_id,
            other_name=item.other_name,
        )
        for item in items
    ]
