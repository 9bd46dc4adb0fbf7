"""Search: by images of the library, by a picture from elsewhere, by a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from organizer.service.context import RevisionOf, Service, ServiceOf
from organizer.service.images import no_image
from organizer.service.listed import ListedImages
from organizer.service.schemas import Body, ImageIdText, ImageItem
from organizer.types import Hit

router = APIRouter(tags=["search"])

_MOST_EXAMPLES = 100
Limit = Annotated[int, Query(ge=1, le=1_000)]


class Example(Body):
    """What to search for: images that the hits should be like, and unlike; or a text."""

    likes: Annotated[list[ImageIdText], Field(max_length=_MOST_EXAMPLES, default_factory=list)]
    unlikes: Annotated[list[ImageIdText], Field(max_length=_MOST_EXAMPLES, default_factory=list)]
    text: Annotated[str | None, Field(min_length=1, max_length=1_000)] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 48


class HitList(BaseModel):
    """The nearest images, nearest first; their distance is that to what was searched for."""

    revision: int
    hits: list[ImageItem]


@router.get("/images/{image_id}/neighbours")
def list_neighbours(
    image_id: Annotated[ImageIdText, Path()],
    service: ServiceOf,
    revision: RevisionOf,
    limit: Limit = 24,
) -> HitList:
    """The images most similar to one of the library."""
    images = service.library.images
    is_listed = images.overview().photos.rows.of([image_id])[0] >= 0
    if not is_listed and image_id not in images:
        raise no_image(image_id)
    hits = service.library.search(image_id, limit=limit)
    return HitList(revision=revision, hits=_items(service, hits))


@router.post("/search")
def search_images(asked: Example, service: ServiceOf, revision: RevisionOf) -> HitList:
    """The images most similar to some and least to others, or nearest to a text."""
    library = service.library
    if asked.text is not None:
        hits = library.search_text(
            asked.text, likes=asked.likes, unlikes=asked.unlikes, limit=asked.limit
        )
    else:
        hits = library.search(asked.likes, unlikes=asked.unlikes, limit=asked.limit)
    return HitList(revision=revision, hits=_items(service, hits))


@router.post("/search/picture")
async def search_picture(
    request: Request, service: ServiceOf, revision: RevisionOf, limit: Limit = 48
) -> HitList:
    """The images most similar to a picture from elsewhere, whose bytes are the body."""
    data = await request.body()
    hits = await run_in_threadpool(service.library.search_picture, data, limit=limit)
    return HitList(revision=revision, hits=await run_in_threadpool(_items, service, hits))


def _items(service: Service, hits: Iterable[Hit]) -> list[ImageItem]:
    found = list(hits)
    listed = ListedImages(service.library, (hit.image_id for hit in found))
    return [
        listed.item(hit.image_id, hit.path).model_copy(update={"distance": hit.distance})
        for hit in found
    ]
