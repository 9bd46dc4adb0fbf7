"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from organizer.types.detections import Box
from organizer.types.images import FileState


@dataclass(frozen=True, slots=True)
class UsualDistance:
    """Which distances the images of a cluster have: whether another one is near or far.

    Attributes:
        typical: Their mean.
        border: Two standard deviations more: about one image in twenty lies farther out.
    """

    typical: float
    border: float


@dataclass(frozen=True, slots=True)
class Hit:
    """An image near to a query.

    Attributes:
        image_id: The image.
        path: Where a file of it lies.
        distance: Cosine distance to the query: 0 is the same direction, 2 the opposite.
        cluster_id: Its cluster in the current clustering, if it has one.
        cluster_name: That cluster's name, if a person gave it one.
        state: Whether the file was there when last looked for.
        box: The part of the picture that is meant, for a crop; None for all of it.
        usual: What a distance to the images of its cluster usually is; None where it is in none,
            and where the query cannot be compared with them.
    """

    image_id: str
    path: Path
    distance: float
    cluster_id: int | None = None
    cluster_name: str | None = None
    state: FileState = FileState.PRESENT
    box: Box | None = None
    usual: UsualDistance | None = None
