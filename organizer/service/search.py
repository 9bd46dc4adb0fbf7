"""Search: by images of the library, by a picture from elsewhere, by a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from organizer.service.context import RevisionOf, Service, ServiceOf, etag_of
from organizer.service.images import no_image
from organizer.service.listed import ListedImages
from organizer.service.problems import ProblemError
from organizer.service.schemas import Body, ImageIdText, ImageItem
from organizer.types import Hit

router = APIRouter(tags=["search"])

_MOST_EXAMPLES = 100

_PICTURE = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
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


@router.get("/images/{image_id}/neighbours", response_model=HitList)
def list_neighbours(
    image_id: Annotated[ImageIdText, Path()], service: ServiceOf, limit: Limit = 24
) -> Response:
    """The images most similar to one of the library."""
    revision = service.library.revision
    _require_images(service, [image_id])
    found = service.library.nearest(image_id, limit=limit)
    hits = HitList(revision=revision, hits=_items(service, found))
    # As it is: FastAPI would check it again on another thread, and who looks waits for that.
    headers = {"ETag": etag_of(revision)}
    return Response(hits.model_dump_json(), media_type="application/json", headers=headers)


@router.post("/search")
def search_images(asked: Example, service: ServiceOf, revision: RevisionOf) -> HitList:
    """The images most similar to some and least to others, or nearest to a text."""
    library = service.library
    if asked.text is None and not asked.likes:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            "there is nothing to search for",
            "name images in likes, or a text",
        )
    _require_images(service, [*asked.likes, *asked.unlikes])
    if asked.text is not None:
        hits = library.search_text(
            asked.text, likes=asked.likes, unlikes=asked.unlikes, limit=asked.limit
        )
        found = _pairs(hits)
    else:
        found = library.nearest(asked.likes, unlikes=asked.unlikes, limit=asked.limit)
    return HitList(revision=revision, hits=_items(service, found))


@router.post("/search/picture", openapi_extra=_PICTURE)
async def search_picture(
    request: Request, service: ServiceOf, revision: RevisionOf, limit: Limit = 48
) -> HitList:
    """The images most similar to a picture from elsewhere, whose bytes are the body."""
    data = await request.body()
    async with service.decoding:  # a large picture takes half a gigabyte
        hits = await run_in_threadpool(service.library.search_picture, data, limit=limit)
    items = await run_in_threadpool(_items, service, _pairs(hits))
    return HitList(revision=revision, hits=items)


def _require_images(service: Service, image_ids: Sequence[str]) -> None:
    """Make sure that there are these images: an id is never taken for a path.

    Raises:
        ProblemError: There is no such image.
    """
    images = service.library.images
    rows = images.overview().photos.rows.of(image_ids)
    for image_id, row in zip(image_ids, rows.tolist(), strict=True):
        if row < 0 and image_id not in images:
            raise no_image(image_id)


def _pairs(hits: Iterable[Hit]) -> list[tuple[str, float]]:
    return [(hit.image_id, hit.distance) for hit in hits]


def _items(service: Service, found: Sequence[tuple[str, float]]) -> list[ImageItem]:
    listed = ListedImages(service.library, [image_id for image_id, _ in found])
    return [
        item.model_copy(update={"distance": distance})
        for image_id, distance in found
        if (item := listed.find(image_id)) is not None
    ]
