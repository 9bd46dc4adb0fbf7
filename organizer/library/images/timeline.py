"""The timeline: what each camera saw, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.arguments import refused
from organizer.library.images.capture import CaptureInfo, read_capture_info
from organizer.library.images.crops import PhotoGroup, frames_of, locate_photos
from organizer.settings import Settings
from organizer.store import IdRows, Store
from organizer.types import NOISE, Labels

_RANKED = (
    PhotoGroup.ANIMALS,
    PhotoGroup.PEOPLE,
    PhotoGroup.VEHICLES,
    PhotoGroup.UNKNOWN,
    PhotoGroup.EMPTY,
)
"""Groups; an event is of the first of them that one of its photos is of."""

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """Photos of one camera that soon follow each other; see `organizer.events`.

    Attributes:
        event: Its number, over all photos of the library: by camera, then by time.
        camera: The deployment, or else the camera of the EXIF data; None where unknown.
        deployment: The deployment; None where there is none.
        start: When its first photo was taken, camera-local; ``2024-05-01T06:54:00``.
        end: When its last photo was taken.
        images: The number of its photos.
        hidden: How many of these are not shown, as people or vehicles are on them.
        night: The share of infrared photos, 0 to 1, among those whose light is known; None where
            that of none is.
        clusters: The number of its images (photos, or crops where these are clustered) in each
            cluster, the most first; hidden ones are not counted.
        unassigned: The number of its images in no cluster.
        medoid: The image to show: of the most frequent cluster the one nearest to its centroid, or
            else the first photo that may be shown; None where there is none.
        group: What its photos show: animals if one of them does, or else people, vehicles, no
            detector result, nothing.
    """

    event: int
    camera: str | None
    deployment: str | None
    start: str
    end: str
    images: int
    hidden: int
    night: float | None
    clusters: Mapping[int, int]
    unassigned: int
    medoid: str | None
    group: PhotoGroup


@dataclass(frozen=True, slots=True)
class Timeline:
    """The events of a library.

    Attributes:
        events: The events, by camera and then by time.
        untimed: The number of photos without a time, which are of no event.
        untimed_images: Some of them that may be shown, 60 at most.
        cameras: The cameras of all events, whichever were asked for, in the order of the events.
        deployments: The deployments of all events, likewise.
    """

    events: tuple[TimelineEvent, ...]
    untimed: int
    untimed_images: tuple[str, ...]
    cameras: tuple[str | None, ...]
    deployments: tuple[str, ...]


def read_timeline(
    store: Store, *, deployment: str | None, camera: str | None, settings: Settings
) -> Timeline:
    """Read the events of a library; see `Images.timeline`."""
    with store.snapshot():
        info = read_capture_info(store, settings=settings)
        photos = _read_photos(store, info)
    events = tuple(_events(info, photos))
    cameras = tuple(dict.fromkeys(event.camera for event in events))
    deployments = tuple(sorted({event.deployment for event in events if event.deployment}))
    wanted = np.ones(len(info.image_ids), dtype=np.bool_)
    for name, value, column, known in (
        ("deployment", deployment, info.deployments, deployments),
        ("camera", camera, info.cameras, cameras),
    ):
        if value is not None:
            if value not in column:
                there = ", ".join(str(one) for one in known[:20] if one) or "none"
                raise refused(name, value, f"one of this library: {there}")
            wanted &= np.array([one == value for one in column], dtype=np.bool_)
    untimed = np.flatnonzero(wanted & (info.events == NOISE))
    return Timeline(
        events=tuple(event for event in events if _is_of(event, deployment, camera)),
        untimed=len(untimed),
        untimed_images=tuple(
            info.image_ids[row] for row in untimed[~photos.is_hidden[untimed]][:_SHOWN]
        ),
        cameras=cameras,
        deployments=deployments,
    )


def _is_of(event: TimelineEvent, deployment: str | None, camera: str | None) -> bool:
    return deployment in {None, event.deployment} and camera in {None, event.camera}


@dataclass(frozen=True, slots=True)
class _Photos:
    """What is known of the photos besides how they were taken, and of the clustered images.

    Attributes:
        ranks: ``(n,)`` the place of each photo's group in `_RANKED`.
        is_hidden: ``(n,)`` whether each photo is not shown.
        members: ``(m,)`` the ids of the clustered images that are shown: photos, or crops.
        rows: ``(m,)`` the photo of each.
        clusters: ``(m,)`` the cluster of each; NOISE for an unassigned one.
        distances: ``(m,)`` how far each is from its cluster's centroid.
    """

    ranks: Labels
    is_hidden: NDArray[np.bool_]
    members: NDArray[np.object_]
    rows: Labels
    clusters: Labels
    distances: NDArray[np.float32]


def _read_photos(store: Store, info: CaptureInfo) -> _Photos:
    current = store.clusterings.current()
    rank = {group: place for place, group in enumerate(_RANKED)}
    locations = locate_photos(store, current)
    ranks = np.array([rank[locations[i].group] for i in info.image_ids], dtype=np.int64)
    hidden = store.photos.hidden(info.image_ids)
    is_hidden = np.array([i in hidden for i in info.image_ids], dtype=np.bool_)
    if current is None:
        nothing = np.empty(0, dtype=np.int64)
        none = np.empty(0, dtype=object)
        return _Photos(ranks, is_hidden, none, nothing, nothing, np.empty(0, np.float32))
    members = store.clusterings.assignments(current.clustering_id)
    rows = IdRows(info.image_ids).of(frames_of(store, members.image_ids.tolist()))
    keep = rows != NOISE
    keep[keep] = ~is_hidden[rows[keep]]
    return _Photos(
        ranks,
        is_hidden,
        members.image_ids[keep],
        rows[keep],
        members.cluster_ids[keep],
        members.distances[keep],
    )


def _events(info: CaptureInfo, photos: _Photos) -> Iterator[TimelineEvent]:
    """All events, by their numbers."""
    timed = np.flatnonzero(info.events != NOISE)
    if not len(timed):
        return
    times = np.array([info.taken_at[row] for row in timed.tolist()], dtype=object)
    order = np.lexsort((info.ranks[timed], info.events[timed]))
    rows, times = timed[order], times[order]
    number = info.events[rows]
    first = np.flatnonzero(np.diff(number, prepend=NOISE))
    last = np.append(first[1:], len(rows)) - 1
    infrared = info.infrared[rows]
    known = np.add.reduceat((infrared != NOISE).astype(np.int64), first)
    dark = np.add.reduceat((infrared == 1).astype(np.int64), first)
    hidden = np.add.reduceat(photos.is_hidden[rows].astype(np.int64), first)
    ranks = np.minimum.reduceat(photos.ranks[rows], first)
    # The first photo of each event that is shown, where there is one: hidden ones sort last.
    shown = rows[np.lexsort((np.arange(len(rows)), photos.is_hidden[rows], number))[first]]
    clusters, medoids = _clusters_of(info.events[photos.rows], photos)
    for at, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        row, event = int(rows[begin]), int(number[begin])
        counts = clusters.get(event, {})
        images = end - begin + 1
        all_hidden = int(hidden[at]) == images
        yield TimelineEvent(
            event=event,
            camera=info.cameras[row],
            deployment=info.deployments[row],
            start=str(times[begin]),
            end=str(times[end]),
            images=images,
            hidden=int(hidden[at]),
            night=int(dark[at]) / int(known[at]) if known[at] else None,
            clusters={i: count for i, count in counts.items() if i != NOISE},
            unassigned=counts.get(NOISE, 0),
            medoid=medoids.get(event) or (None if all_hidden else info.image_ids[shown[at]]),
            group=_RANKED[ranks[at]],
        )


def _clusters_of(
    events: Labels, photos: _Photos
) -> tuple[dict[int, dict[int, int]], dict[int, str]]:
    """By event the number of images in each cluster, the most first; and the image to show."""
    order = np.lexsort((photos.distances, photos.clusters, events))
    order = order[events[order] != NOISE]
    if not len(order):
        return {}, {}
    event, cluster = events[order], photos.clusters[order]
    first = np.flatnonzero((np.diff(event, prepend=-2) != 0) | (np.diff(cluster, prepend=-2) != 0))
    counts = np.diff(np.append(first, len(order)))
    found: dict[int, dict[int, int]] = {}
    medoids: dict[int, str] = {}
    for at in np.lexsort((cluster[first], -counts, event[first])).tolist():
        number, cluster_id = int(event[first[at]]), int(cluster[first[at]])
        found.setdefault(number, {})[cluster_id] = int(counts[at])
        if cluster_id != NOISE:
            medoids.setdefault(number, photos.members[order[first[at]]])
    return found, medoids
