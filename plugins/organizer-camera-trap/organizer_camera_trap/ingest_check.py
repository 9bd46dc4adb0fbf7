"""What a person should look at of the cards that were just ingested; see `deployments check`.

Cameras that have a deployment are looked at with all their photos, others with those that came. So
what it takes grows with the cards that came, and not with the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from organizer.cli.output import short
from organizer.counts import count_text
from organizer.library import Library
from organizer.library.images.capture import correct_times
from organizer.library.images.placement import Placement, read_placement
from organizer.store import pack_ids
from organizer_camera_trap.camera_health import CardPhotos, check_card
from organizer_camera_trap.health_output import health_lines

_CAMERAS_SHOWN = 5
"""Cameras that are told of one by one."""


class CardCheck:
    """Says of which cameras the clock, the flash or the place is doubtful."""

    def check(self, library: Library, image_ids: Sequence[str]) -> Iterator[str]:
        """See `organizer.protocols.IngestCheck`."""
        with library.store.snapshot():
            placement = read_placement(library.store)
            cards = _cards(library, placement, image_ids)
        yield from _unplaced(placement, image_ids)
        now = datetime.now(UTC)
        doubtful = 0
        for name, photos in sorted(cards.items()):
            deployment = placement.deployments.get(name)
            health = check_card(photos, camera=name, deployment=deployment, now=now)
            if health.is_doubtful:
                doubtful += 1
                if doubtful <= _CAMERAS_SHOWN:
                    yield f"{name}: {'; '.join(health_lines(health, most=1))}"
        if doubtful > _CAMERAS_SHOWN:
            rest = doubtful - _CAMERAS_SHOWN
            yield f"{rest:,} cameras more: organizer deployments check"


def _unplaced(placement: Placement, image_ids: Sequence[str]) -> Iterator[str]:
    """Photos of no deployment, where others are of one."""
    outside = sum(image_id not in placement.deployment_of for image_id in image_ids)
    if outside and placement.deployment_of:
        photos = count_text(outside, "photo is", "photos are")
        yield f"{photos} in no deployment: organizer deployments"


def _cards(
    library: Library, placement: Placement, image_ids: Sequence[str]
) -> dict[str, CardPhotos]:
    """The photos to look at, by deployment, or else by folder."""
    photos = library.store.photos
    touched = {placement.deployment_of.get(image_id) for image_id in image_ids} - {None}
    ids = {i for i, deployment in placement.deployment_of.items() if deployment in touched}
    ids |= set(image_ids)
    found = photos.columns_of(ids, "image_id", "taken_at", "brightness")
    rows = found["image_id"]
    paths, _ = photos.file_lists(ids).first(pack_ids(rows))
    names = [
        placement.deployment_of.get(image_id) or short(Path(path).parent)
        for image_id, path in zip(rows, paths, strict=True)
    ]
    shifts = {name: found.shift or 0 for name, found in placement.deployments.items()}
    times = correct_times(found["taken_at"], [shifts.get(name, 0) for name in names])
    brightness = np.array(found["brightness"], dtype=np.float64)
    of: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        of.setdefault(name, []).append(row)
    return {
        name: CardPhotos(
            tuple(paths[row] for row in mine),
            tuple(times[row] for row in mine),
            brightness[mine],
        )
        for name, mine in of.items()
    }
