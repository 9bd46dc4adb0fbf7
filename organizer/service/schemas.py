"""What several routes answer with."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from organizer.library.images.listing import ListedImage
from organizer.types import AssignmentState, Box

ImageIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""An image id: 32 hexadecimal digits."""

ClusterIdNumber = Annotated[int, Field(ge=1, le=2**53)]

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500)]

EmbedderName = ShortText
"""The name of an embedder; several are joined by a plus."""


class Body(BaseModel):
    """What a client sends; a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


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

    @classmethod
    def of(cls, image: ListedImage, names: dict[int, str]) -> Self:
        """An image of the library as the API shows it."""
        return cls(
            id=image.image_id,
            path=str(image.path),
            name=image.path.name,
            cluster=image.cluster_id,
            cluster_name=names.get(image.cluster_id or 0),
            candidate=image.candidate,
            state=image.state,
            distance=image.distance,
            time=image.taken_at,
            camera=image.camera,
            deployment=image.deployment,
            ratio=image.ratio,
            event=image.event,
            burst=image.burst,
            night=image.is_infrared,
            missing=image.missing,
        )


def box_shares(box: Box) -> tuple[float, float, float, float]:
    """A box as the API shows it."""
    return (box.x, box.y, box.width, box.height)
