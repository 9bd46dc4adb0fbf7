"""One image with all that the library knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from organizer.cluster.decisions import describe_decision
from organizer.library.images.crops import (
    CropLocation,
    PhotoGroup,
    photo_group,
    surest_first,
)
from organizer.library.images.decided import current_decisions, moved_by_person
from organizer.library.images.listing import ImageList, ListedImage
from organizer.library.images.overview import ImageOverview
from organizer.metadata import TIME_SOURCE, time_source
from organizer.store import Store
from organizer.types import (
    Box,
    Decision,
    DecisionKind,
    Detected,
    Detection,
    FileState,
    ImageFacts,
    is_crop_embedder,
)

_SHOWN_ELSEWHERE = frozenset({"image_id", "taken_at", "camera", "extra"})
_ABOUT_IMAGES = frozenset({DecisionKind.MOVE, DecisionKind.NOT})


@dataclass(frozen=True, slots=True)
class ImageDecision:
    """What a person decided about an image, and how it stands.

    Attributes:
        at: When, UTC, ISO 8601.
        what: What, for a person.
        user: Who decided; empty where that is not known.
        step_id: The step of the history that it is of.
    """

    at: str
    what: str
    user: str
    step_id: int


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """All that is known of an image.

    Attributes:
        image_id: The image.
        listed: Its cluster, time and camera; None for a photo of which only crops are clustered.
        paths: Its files, and whether each was present when last looked for; those that were first.
        frame_id: Of a crop: the photo that it is cut out of.
        box: Of a crop: its box.
        group: What the photo shows.
        crops: The crops of the photo that are clustered, the surest first.
        boxes: What else a detector saw in it for certain, the surest first.
        facts: Size, format, place, and what else the metadata say, by name.
        decisions: What a person decided about it that holds, in order of time.
    """

    image_id: str
    listed: ListedImage | None
    paths: tuple[tuple[Path, bool], ...]
    frame_id: str | None
    box: Box | None
    group: PhotoGroup
    crops: tuple[CropLocation, ...]
    boxes: tuple[Detection, ...]
    facts: Mapping[str, Any]
    decisions: tuple[ImageDecision, ...]


def read_details(store: Store, overview: ImageOverview, image_id: str) -> ImageDetails | None:
    """Read all that is known of an image or a crop; None where there is none of that id."""
    facts = store.photos.facts_of([image_id]).get(image_id)
    if facts is None:
        return None
    crop = store.detections.crops([image_id]).get(image_id)
    frame_id = image_id if crop is None else crop.image_id
    files = store.photos.files_of([frame_id], with_people=True).get(frame_id, [])
    as_stored = store.decisions.current()
    decisions = current_decisions(store, as_stored)
    about = [
        stored
        for stored, held in zip(as_stored, decisions, strict=True)
        if held.kind in _ABOUT_IMAGES and image_id in held.image_ids
    ]
    users = {step.step_id: step.user for step in store.steps.all()} if about else {}
    detected = store.detections.of([frame_id]).get(frame_id)
    every = detected.detections if detected is not None else ()
    boxes = [box for box in every if box.confidence >= store.detections.threshold]
    seen = {box.category for box in boxes}
    crops = _crops(store, overview, frame_id, every, decisions)
    cropped = {crop.crop_id for crop in crops}
    known = {name: value for name, value in asdict(facts).items() if name not in _SHOWN_ELSEWHERE}
    return ImageDetails(
        image_id=image_id,
        listed=_listed(overview, image_id),
        paths=tuple((row.file, row.state is FileState.PRESENT) for row in files),
        frame_id=frame_id if crop is not None else None,
        box=crop.box if crop is not None else None,
        group=photo_group(
            people="person" in seen,
            vehicles="vehicle" in seen,
            animals=bool(crops or seen),
            looked_at=detected is not None and detected.outcome is not Detected.FAILED,
        ),
        crops=crops,
        boxes=tuple(box for box in boxes if box.crop_id not in cropped),
        facts={**known, **facts.extra, **_source(facts)},
        decisions=tuple(
            ImageDecision(d.at, describe_decision(d), users.get(d.step_id, ""), d.step_id)
            for d in about
        ),
    )


def _source(facts: ImageFacts) -> dict[str, str]:
    source = time_source(facts.taken_at, facts.extra)
    return {} if source is None else {TIME_SOURCE: source}


def _listed(overview: ImageOverview, image_id: str) -> ListedImage | None:
    rows = overview.photos.rows.of([image_id])
    found = ImageList(overview, rows[rows >= 0].astype(np.int64), "path", 0)
    return next(iter(found), None)


def _crops(
    store: Store,
    overview: ImageOverview,
    frame_id: str,
    boxes: tuple[Detection, ...],
    decisions: tuple[Decision, ...],
) -> tuple[CropLocation, ...]:
    """The crops of a photo that are clustered, the surest first."""
    if overview.clustering is None or not is_crop_embedder(overview.clustering.embedder):
        return ()
    box_of = {box.crop_id: box for box in boxes}
    moved = moved_by_person(decisions)
    found = []
    for crop in store.detections.crops_of([frame_id]).get(frame_id, []):
        listed = _listed(overview, crop.crop_id)
        if listed is None:
            continue
        box, cluster_id = box_of.get(crop.crop_id), listed.cluster_id
        found.append(CropLocation.of(crop, box, cluster_id=cluster_id, moved=moved))
    return tuple(sorted(found, key=surest_first))
