"""Suggestions: what decisions teach about other images, in groups, and what to ask next."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from organizer.library.clustering.learned import CONFIDENT
from organizer.library.suggestions.propose import Suggestion
from organizer.service.context import RevisionOf, ServiceOf, UserOf
from organizer.service.decisions import Decided, decided
from organizer.service.listed import ListedImages
from organizer.service.preconditions import ExpectedRevision
from organizer.service.schemas import Body, ClusterIdNumber, ImageIdText, ImageItem

router = APIRouter(tags=["suggestions"])

_MOST = 100_000


class SuggestedImage(ImageItem):
    """An image that may belong to a named cluster, and how probable that is, 0 to 1."""

    confidence: float


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


class QuestionItem(ImageItem):
    """An image whose answer would help much.

    Attributes:
        guess: The named cluster that is most probable; null where nothing was learned yet.
        guess_name: Its name.
        confidence: How probable that is, 0 to 1.
    """

    guess: int | None
    guess_name: str | None
    confidence: float | None


class Questions(BaseModel):
    """What to ask a person next, the most useful first."""

    revision: int
    questions: list[QuestionItem]


class AcceptedSuggestion(Body):
    """A suggestion that a person accepts."""

    image: ImageIdText
    cluster: ClusterIdNumber
    name: Annotated[str, Field(min_length=1, max_length=500)]


class Accepted(Body):
    """Suggestions that are accepted together."""

    suggestions: Annotated[list[AcceptedSuggestion], Field(min_length=1, max_length=_MOST)]


@router.get("/suggestions")
def list_suggestions(
    service: ServiceOf,
    revision: RevisionOf,
    name: Annotated[str | None, Query(min_length=1)] = None,
    min_confidence: Annotated[float, Query(ge=0, le=1)] = CONFIDENT,
) -> SuggestionList:
    """Images that may belong to named clusters, by name; nothing is decided by it."""
    library = service.library
    report = library.suggestions.propose(name, min_confidence=min_confidence)
    listed = ListedImages(library, (one.image_id for one in report.suggestions))
    ordered = sorted(report.suggestions, key=lambda one: (one.cluster_id, -one.confidence))
    cohorts = []
    for (cluster, called), group in groupby(ordered, key=lambda one: (one.cluster_id, one.name)):
        images = [
            SuggestedImage(
                **listed.item(one.image_id, one.path).model_dump(), confidence=one.confidence
            )
            for one in group
        ]
        cohorts.append(Cohort(cluster=cluster, name=called, count=len(images), images=images))
    return SuggestionList(
        revision=revision,
        cohorts=sorted(cohorts, key=lambda cohort: -cohort.count),
        held_out=report.held_out,
        right=report.right,
        lone=report.lone,
    )


@router.post("/suggestions/accept")
def accept_suggestions(
    asked: Accepted,
    service: ServiceOf,
    user: UserOf,
    expected: ExpectedRevision,
    response: Response,
) -> Decided:
    """Move images to the clusters that were suggested: one step, which one undo takes back."""
    library = service.library
    listed = ListedImages(library, (one.image for one in asked.suggestions))
    given = [
        Suggestion(one.image, listed.path(one.image), one.cluster, one.name, 1.0, None)
        for one in asked.suggestions
    ]
    reports = service.decide(
        lambda: library.suggestions.accept(given), revision=expected, user=user
    )
    return decided(service, reports, response)


@router.get("/questions")
def list_questions(
    service: ServiceOf, revision: RevisionOf, limit: Annotated[int, Query(ge=1, le=500)] = 20
) -> Questions:
    """The images whose answers would help most: uncertain, and unlike each other."""
    asked = service.library.suggestions.ask(limit)
    listed = ListedImages(service.library, (one.image_id for one in asked))
    return Questions(
        revision=revision,
        questions=[
            QuestionItem(
                **listed.item(one.image_id, one.path).model_dump(),
                guess=one.guess,
                guess_name=one.guess_name,
                confidence=one.confidence,
            )
            for one in asked
        ],
    )
