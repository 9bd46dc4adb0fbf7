"""The timeline over HTTP: what each camera saw, event by event."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from organizer.library.images.crops import PhotoGroup
from organizer.library.images.timeline import TimelineEvent
from organizer.service.context import RevisionOf, ServiceOf

router = APIRouter(tags=["timeline"])


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
    clusters: dict[int, int]
    unassigned: int
    medoid: str | None
    group: PhotoGroup

    @classmethod
    def of(cls, event: TimelineEvent) -> EventItem:
        """An event as the API shows it; its values are right already."""
        return cls.model_construct(
            event=event.event,
            camera=event.camera,
            deployment=event.deployment,
            start=event.start,
            end=event.end,
            images=event.images,
            hidden=event.hidden,
            night=event.night,
            clusters=dict(event.clusters),
            unassigned=event.unassigned,
            medoid=event.medoid,
            group=event.group,
        )


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


@router.get("/timeline")
def get_timeline(
    service: ServiceOf,
    revision: RevisionOf,
    deployment: Annotated[str | None, Query(min_length=1)] = None,
    camera: Annotated[str | None, Query(min_length=1)] = None,
) -> TimelineAnswer:
    """The events: what each camera saw and when, by camera and then by time."""
    library = service.library
    found = service.timelines.get(
        (library.store.revision(), deployment, camera),
        lambda: library.images.timeline(deployment=deployment, camera=camera),
    )
    return TimelineAnswer.model_construct(
        revision=revision,
        events=[EventItem.of(event) for event in found.events],
        untimed=found.untimed,
        untimed_images=list(found.untimed_images),
        cameras=[camera for camera in found.cameras if camera],
        deployments=list(found.deployments),
    )
