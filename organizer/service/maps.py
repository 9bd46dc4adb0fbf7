"""The map over HTTP: where the images lie, and what their points are coloured by.

The points, the ids and each column are answers of their own, of plain numbers one after the other
in little-endian order, all in the same order: that of one version of the map. So a million images
are read without a parser, and a decision costs its client one column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal, get_args

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel

from organizer.library.images.overview import ImageOverview
from organizer.reduce.projection import Method
from organizer.service.context import RevisionOf, ServiceOf, UserOf
from organizer.service.job_runner import JobAccess, JobResult, JobRun
from organizer.service.jobs import JobItem, accepted
from organizer.service.map_cache import ServedMap
from organizer.service.problems import ProblemError
from organizer.service.schemas import Body
from organizer.types import NOISE, AssignmentState

router = APIRouter(tags=["map"])

_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
_NO_CAMERA = 65_535
_STATES = {AssignmentState.AUTO: 0, AssignmentState.UNSURE: 1, AssignmentState.DECIDED: 2}

MapColumn = Literal["cluster", "state", "doubt", "camera", "time"]

_NUMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "Numbers one after the other, little-endian.",
    },
    304: {"description": "It has not changed."},
}


class MapAnswer(BaseModel):
    """The map, without its points.

    Attributes:
        revision: The revision that it shows.
        method: How it is drawn.
        drawn: Whether it is drawn; if not, ``POST /maps`` does it, and the rest is 0 or empty.
        version: Names the images of the map, their order and their places; another one, where one
            of these is another.
        count: Number of images.
        drawn_of: The number of images of which it was drawn; the others were placed beside those
            that are most like them.
        placed_since: How many images came after it was drawn.
        hidden: Number of images that are left out, as people or vehicles are in the photo.
        cameras: The deployments or else cameras, by the numbers of the column camera.
        columns: The columns that there are.
    """

    revision: int
    method: Method
    drawn: bool
    version: str
    count: int
    drawn_of: int
    placed_since: int
    hidden: int
    cameras: list[str]
    columns: list[MapColumn]


class MapRequest(Body):
    """How the map is drawn.

    Attributes:
        method: "tsne", "umap" or "pca".
        redraw: Whether to draw it anew where it is drawn already.
    """

    method: Method = "tsne"
    redraw: bool = False


MethodOf = Annotated[Method, Query(description="How it is drawn.")]


def drawn_map(service: ServiceOf, method: MethodOf = "tsne") -> ServedMap:
    """The map that a request is about.

    Raises:
        ProblemError: It is not drawn.
    """
    found = service.maps.get(service.library, method)
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            f"the map is not drawn by {method}",
            "POST /api/v1/maps draws it",
        )
    return found


DrawnMapOf = Annotated[ServedMap, Depends(drawn_map)]
VersionOf = Annotated[
    str | None, Query(max_length=64, description="That of GET /map: then it may be cached.")
]


@router.get("/map")
def get_map(service: ServiceOf, revision: RevisionOf, method: MethodOf = "tsne") -> MapAnswer:
    """The map of all images of the clustering: what looks alike lies together.

    Read its points, ids and columns next; one whose version is another one belongs to another map.
    """
    found = service.maps.get(service.library, method)
    image_map = found.map if found is not None else None
    return MapAnswer(
        revision=revision,
        method=method,
        drawn=image_map is not None,
        version=found.version if found is not None else "",
        count=len(image_map) if image_map is not None else 0,
        drawn_of=image_map.drawn_of if image_map is not None else 0,
        placed_since=image_map.placed_since if image_map is not None else 0,
        hidden=image_map.hidden if image_map is not None else 0,
        cameras=camera_names(service.library.images.overview()) if found is not None else [],
        columns=list(get_args(MapColumn)),
    )


@router.get("/map/points", response_class=Response, responses=_NUMBERS)
def get_points(request: Request, found: DrawnMapOf, version: VersionOf = None) -> Response:
    """Where the images are: x and y of each, float32, within -1 to 1."""
    return _fixed(request, found, found.points, version)


@router.get("/map/ids", response_class=Response, responses=_NUMBERS)
def get_ids(request: Request, found: DrawnMapOf, version: VersionOf = None) -> Response:
    """The ids of the images, 16 bytes each."""
    return _fixed(request, found, found.ids, version)


@router.get("/map/columns/{name}", response_class=Response, responses=_NUMBERS)
def get_column(
    name: MapColumn,
    request: Request,
    service: ServiceOf,
    revision: RevisionOf,
    found: DrawnMapOf,
) -> Response:
    """What the points are coloured by, a number for each image.

    - cluster: int32, -1 for an unassigned image.
    - state: uint8: 0 by its distance, 1 unassigned, 2 decided by a person.
    - doubt: float32, 0 to 1: how near it is to its cluster compared to the second nearest one; 1 is
      as near to both, NaN unknown.
    - camera: uint16, the number of a name in ``GET /map``; 65535 unknown.
    - time: float64, seconds of the camera's clock since 1970-01-01T00:00:00 on it; NaN unknown.
    """
    overview = service.library.images.overview()
    values, unknown = _COLUMNS[name](overview)
    rows = overview.photos.rows.of(found.map.image_ids.tolist())
    values = np.append(values, np.array(unknown, dtype=values.dtype))[rows]  # -1 is the last
    content = values.tobytes()
    etag = f'"{revision}-{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
    return _numbers(request, found, content, etag=etag)


@router.post("/maps", status_code=202)
def begin_map(body: MapRequest, service: ServiceOf, user: UserOf, response: Response) -> JobItem:
    """Draw the map, of 100,000 images in half a minute; nothing is done where it is drawn."""

    def work(run: JobRun) -> JobResult:
        found = service.library.reports.map(method=body.method, redraw=body.redraw, progress=run)
        service.maps.forget()
        return JobResult(
            {
                "method": found.method,
                "count": len(found),
                "drawn_of": found.drawn_of,
                "placed_since": found.placed_since,
                "hidden": found.hidden,
            }
        )

    job = service.jobs.submit("map", work, user=user, access=JobAccess.READS)
    return accepted(job, service, response)


def _numbers(
    request: Request, found: ServedMap, content: bytes, *, etag: str, cache: str = _ASK_AGAIN
) -> Response:
    headers = {"Cache-Control": cache, "ETag": etag, "X-Map-Version": found.version}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Encoding"] = "identity"  # numbers hardly shrink, and take long to
    return Response(content, media_type="application/octet-stream", headers=headers)


def _fixed(request: Request, found: ServedMap, content: bytes, version: str | None) -> Response:
    cache = _FOR_EVER if version == found.version else _ASK_AGAIN
    return _numbers(request, found, content, etag=f'"{found.version}"', cache=cache)


# Columns ---------------------------------------------------------------------------------------

_Values = tuple[NDArray[Any], float]
"""``(n,)`` the values of all images of a library, and what stands for an unknown one."""


def camera_names(overview: ImageOverview) -> list[str]:
    """The names of the cameras of all images, in the alphabet's order."""
    return sorted({camera for camera in overview.photos.capture.cameras if camera})[:_NO_CAMERA]


def _clusters(overview: ImageOverview) -> _Values:
    return overview.cluster_ids.astype("<i4"), NOISE


def _states(overview: ImageOverview) -> _Values:
    codes = {state.value: code for state, code in _STATES.items()}
    unassigned = _STATES[AssignmentState.UNSURE]
    found = [codes.get(state, unassigned) for state in overview.states.tolist()]
    return np.array(found, dtype=np.uint8), unassigned


def _doubts(overview: ImageOverview) -> _Values:
    second = overview.distances + np.maximum(overview.margins, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        doubts = np.clip(overview.distances / second, 0, 1)
    # In the middle of both, which are one place: 0 / 0.
    return np.where(second == 0, 1, doubts).astype("<f4"), np.nan


def _cameras(overview: ImageOverview) -> _Values:
    number = {name: i for i, name in enumerate(camera_names(overview))}
    found = [number.get(name or "", _NO_CAMERA) for name in overview.photos.capture.cameras]
    return np.array(found, dtype="<u2"), _NO_CAMERA


def _times(overview: ImageOverview) -> _Values:
    texts = [time or "NaT" for time in overview.photos.capture.taken_at]
    times = np.array(texts, dtype="datetime64[s]")
    return np.where(np.isnat(times), np.nan, times.astype("<i8").astype("<f8")), np.nan


_COLUMNS: dict[MapColumn, Callable[[ImageOverview], _Values]] = {
    "cluster": _clusters,
    "state": _states,
    "doubt": _doubts,
    "camera": _cameras,
    "time": _times,
}
