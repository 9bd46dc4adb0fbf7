"""Photos beside the clusters: with people or vehicles, empty, without a detector's result."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from organizer.library.images.crops import PhotoGroup
from organizer.service.context import RevisionOf, ServiceOf
from organizer.service.listed import ListedImages
from organizer.service.schemas import ImageItem

router = APIRouter(tags=["images"])

GroupName = Literal["people", "vehicles", "empty", "unknown"]

_GROUPS: dict[GroupName, PhotoGroup] = {
    "people": PhotoGroup.PEOPLE,
    "vehicles": PhotoGroup.VEHICLES,
    "empty": PhotoGroup.EMPTY,
    "unknown": PhotoGroup.UNKNOWN,
}


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


@router.get("/groups/{name}")
def get_group(
    name: GroupName,
    service: ServiceOf,
    revision: RevisionOf,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> GroupPhotos:
    """The photos of a group, by path. Those with people are in no other list."""
    photos = service.library.clusters.photos_in(_GROUPS[name])
    shown = photos[:limit]
    listed = ListedImages(service.library, (photo.image_id for photo in shown))
    items = [listed.item(photo.image_id, photo.path) for photo in shown]
    return GroupPhotos(revision=revision, total=len(photos), items=items)
