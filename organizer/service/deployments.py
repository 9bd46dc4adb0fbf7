"""Where and when cameras stood."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from organizer.library.deployments.summary import DeploymentSummary
from organizer.service.context import ServiceOf

router = APIRouter(tags=["deployments"])


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


@router.get("/deployments")
def get_deployments(service: ServiceOf) -> DeploymentList:
    """The deployments with the number and times of their photos."""
    found = service.library.deployments.summary()
    return DeploymentList(
        deployments=[_item(summary) for summary in found.deployments],
        template=found.template,
        without_deployment=found.without_deployment,
    )


def _item(found: DeploymentSummary) -> DeploymentItem:
    one = found.deployment
    return DeploymentItem(
        id=one.deployment_id,
        location=one.location,
        camera=one.camera,
        latitude=one.latitude,
        longitude=one.longitude,
        start=one.start,
        end=one.end,
        shift=one.shift,
        described=found.described,
        images=found.images,
        first=found.first,
        last=found.last,
        without_time=found.without_time,
        outside=found.outside,
    )
