"""Filters: which images of a library are listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from organizer.arguments import (
    require_choice,
    require_cluster_id,
    require_flag,
    require_integer,
    require_text,
)
from organizer.errors import SettingsError
from organizer.library.images.overview import ImageOverview
from organizer.library.images.truth import FOLDERS, TRUTH_COLUMNS, read_truth
from organizer.store import Store
from organizer.types import NOISE, AssignmentState

Mask = NDArray[np.bool_]

Light = Literal["day", "night"]

_MOMENT = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d)?)?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """What images have to be in order to be listed; None for whatever.

    Attributes:
        cluster: In this cluster.
        unassigned: Whether they are in no cluster, as none fits.
        near: The nearest cluster of an unassigned image.
        state: How they came to their cluster.
        camera: Their deployment, or else their camera.
        deployment: Their deployment.
        after: Not before this camera-local time, or the beginning of one: "2024-05".
        before: Not after it: "2024-05" takes all of May.
        text: A part of their path, in any case.
        labels: Where known classes are from: "folders", "camera", "format" or "light".
        label: Their known class.
        ingest: The ingest that assigned them, by its number or its numbers.
        event: The number of their event.
        burst: The number of their burst.
        light: "night" for infrared images, "day" for the others.
    """

    cluster: int | None = None
    unassigned: bool | None = None
    near: int | None = None
    state: AssignmentState | None = None
    camera: str | None = None
    deployment: str | None = None
    after: str | None = None
    before: str | None = None
    text: str | None = None
    labels: str = FOLDERS
    label: str | None = None
    ingest: int | Sequence[int] | None = None
    event: int | None = None
    burst: int | None = None
    light: Light | None = None


def matching(store: Store, overview: ImageOverview, wanted: ImageFilter) -> Mask:
    """``(n,)`` which images a filter lets through; images with people are not left out by it.

    Raises:
        SettingsError: A value of the filter cannot be.
    """
    keep = np.ones(len(overview), dtype=np.bool_)
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            keep &= condition(overview, value)
    if wanted.label is not None:
        keep &= _labelled(store, overview, wanted.labels, wanted.label)
    return keep


def _of_cluster(overview: ImageOverview, value: int) -> Mask:
    return np.asarray(overview.cluster_ids == require_cluster_id(value, "cluster"))


def _unassigned(overview: ImageOverview, value: bool) -> Mask:
    is_open = np.asarray(overview.states == AssignmentState.UNSURE.value)
    return is_open if require_flag("unassigned", value) else ~is_open


def _near(overview: ImageOverview, value: int) -> Mask:
    near = overview.candidates == require_cluster_id(value, "near")
    return np.asarray(near & (overview.cluster_ids == NOISE))


def _in_state(overview: ImageOverview, value: str) -> Mask:
    state = require_choice("state", value, [s.value for s in AssignmentState])
    return np.asarray(overview.states == state)


def _of_ingest(overview: ImageOverview, value: int | Sequence[int]) -> Mask:
    given = value if isinstance(value, list | tuple) else [value]
    return np.isin(overview.since, [require_integer("ingest", one, least=0) for one in given])


def _of_event(overview: ImageOverview, value: int) -> Mask:
    events = overview.photos.capture.events
    return np.asarray(events == require_integer("event", value, least=0))


def _of_burst(overview: ImageOverview, value: int) -> Mask:
    bursts = overview.photos.capture.bursts
    return np.asarray(bursts == require_integer("burst", value, least=0))


def _in_light(overview: ImageOverview, value: str) -> Mask:
    light = require_choice("light", value, get_args(Light))
    return np.asarray(overview.photos.capture.infrared == int(light == "night"))


def _by_camera(overview: ImageOverview, value: str) -> Mask:
    return _equal(overview.photos.capture.cameras, require_text("camera", value))


def _of_deployment(overview: ImageOverview, value: str) -> Mask:
    return _equal(overview.photos.capture.deployments, require_text("deployment", value))


def _taken_after(overview: ImageOverview, value: str) -> Mask:
    """Times are text of one form, so that their order is that of the text."""
    first = _require_moment("after", value)
    times = overview.photos.capture.taken_at
    return _true([time is not None and time >= first for time in times])


def _taken_before(overview: ImageOverview, value: str) -> Mask:
    last = _require_moment("before", value)
    times = overview.photos.capture.taken_at
    return _true([time is not None and time[: len(last)] <= last for time in times])


def _require_moment(name: str, value: str) -> str:
    """A camera-local time, or the beginning of one."""
    text = require_text(name, value)
    if _MOMENT.fullmatch(text) is None:
        raise SettingsError(
            f"{name}: {text!r} is no time", "write 2024-05-01T06:54:00, or its beginning: 2024-05"
        )
    return text


def _with_text(overview: ImageOverview, value: str) -> Mask:
    part = require_text("text", value).casefold()
    return _true([part in path.casefold() for path in overview.photos.paths.tolist()])


_CONDITIONS: Mapping[str, Callable[[ImageOverview, Any], Mask]] = {
    "cluster": _of_cluster,
    "unassigned": _unassigned,
    "near": _near,
    "state": _in_state,
    "ingest": _of_ingest,
    "event": _of_event,
    "burst": _of_burst,
    "light": _in_light,
    "camera": _by_camera,
    "deployment": _of_deployment,
    "after": _taken_after,
    "before": _taken_before,
    "text": _with_text,
}
"""The condition of each field of a filter."""


def _labelled(store: Store, overview: ImageOverview, labels: str, label: str) -> Mask:
    sought = require_text("label", label)
    require_choice("labels", labels, [FOLDERS, *TRUTH_COLUMNS])
    truth = read_truth(store, labels, below=Path.cwd()).of
    ids = overview.photos.image_ids.tolist()
    return _true([truth.get(image_id) == sought for image_id in ids])


def _equal(values: Sequence[str | None], sought: str) -> Mask:
    return _true([value == sought for value in values])


def _true(values: Sequence[bool]) -> Mask:
    return np.array(values, dtype=np.bool_)
