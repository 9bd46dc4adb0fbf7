"""Which images are asked for, and how ids lie in columns."""

from __future__ import annotations

import base64
import sys
from array import array
from typing import Any, Literal, TypedDict

from organizer.client.models import AssignmentState, ImageColumns

Sort = Literal["size", "doubt", "novelty", "newest", "name"]
Order = Literal["typical", "border", "time", "path", "newest"]
Labels = Literal["folders", "camera", "format", "light"]
Group = Literal["people", "vehicles", "empty", "unknown"]
MapMethod = Literal["tsne", "umap", "pca"]
MapColumn = Literal["cluster", "state", "doubt", "camera", "time"]

_ID_BYTES = 16


class ImageQuery(TypedDict, total=False):
    """What images have to be in order to be listed; what is absent does not matter.

    Attributes:
        cluster: In this cluster, or in none as none fits.
        near: The nearest cluster of an unassigned image.
        state: How they came to their cluster.
        camera: Their deployment, or else their camera.
        deployment: Their deployment.
        after: Not before this camera-local time, or the beginning of one: "2024-05".
        before: Not after it: "2024-05" takes all of May.
        text: A part of their path, in any case.
        label: Their known class.
        labels: Where known classes are from.
        ingest: The ingest that brought them.
        event: The number of their event.
        burst: The number of their burst.
        light: Infrared images, or the others.
    """

    cluster: int | Literal["unassigned"]
    near: int
    state: AssignmentState
    camera: str
    deployment: str
    after: str
    before: str
    text: str
    label: str
    labels: Labels
    ingest: int | Literal["last"]
    event: int
    burst: int
    light: Literal["day", "night"]


def column_ids(columns: ImageColumns) -> list[str]:
    """The image ids of columns, in order."""
    data = base64.b64decode(columns.ids)
    return [data[at : at + _ID_BYTES].hex() for at in range(0, len(data), _ID_BYTES)]


def map_numbers(kind: str, data: bytes) -> array[Any]:
    """Numbers of the map, as they come: little-endian, `kind` as in Python's `array`."""
    numbers = array(kind)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
