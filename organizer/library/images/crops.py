"""Locations of photos: their groups, their crops, and the clusters of these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.library.images.decided import current_decisions, moved_by_person
from organizer.store import Store, StoredClustering
from organizer.types import (
    Assignments,
    Box,
    Crop,
    Detection,
    PartSpec,
    Vectors,
    is_crop_embedder,
)


class PhotoGroup(StrEnum):
    """What a photo shows, by the detectors and by what a person moved."""

    ANIMALS = "animals"
    EMPTY = "empty"
    PEOPLE = "people"
    VEHICLES = "vehicles"
    UNKNOWN = "no detector result"


QUARANTINED_GROUPS = frozenset({PhotoGroup.PEOPLE, PhotoGroup.VEHICLES})
"""Groups whose photos are not shown unless it is asked for."""


@dataclass(frozen=True, slots=True)
class CropLocation:
    """A crop and the cluster that it is in.

    Attributes:
        crop_id: Its image id.
        box: Its box in the photo.
        category: The detector's category; "animal" for a crop that only a person decided about.
        confidence: The detector's, 0 to 1; 1 for a crop that only a person decided about.
        cluster_id: Its cluster; NOISE where it is unassigned; None where it is not clustered yet.
        decided: Whether a person moved it there.
    """

    crop_id: str
    box: Box
    category: str
    confidence: float
    cluster_id: int | None
    decided: bool

    @classmethod
    def of(
        cls, crop: Crop, box: Detection | None, *, cluster_id: int | None, moved: Collection[str]
    ) -> Self:
        """The location of a crop.

        Args:
            crop: The crop.
            box: The detector's box; None for a crop that only a person decided about.
            cluster_id: Its cluster.
            moved: The images that a person moved.
        """
        return cls(
            crop_id=crop.crop_id,
            box=crop.box,
            category=box.category if box else "animal",
            confidence=box.confidence if box else 1.0,
            cluster_id=cluster_id,
            decided=crop.crop_id in moved,
        )


@dataclass(frozen=True, slots=True)
class PhotoLocation:
    """The group, the cluster and the crops of a photo.

    Attributes:
        image_id: The photo.
        group: What it shows.
        cluster_id: The cluster of its surest crop, or its own where whole photos were clustered;
            NOISE where that is unassigned; None where there is none.
        crops: Its crops, the surest first: those that a person moved, then by confidence. Empty
            where whole photos were clustered.
    """

    image_id: str
    group: PhotoGroup
    cluster_id: int | None
    crops: tuple[CropLocation, ...] = ()

    @property
    def quarantined(self) -> bool:
        """Whether it shows a person or a vehicle."""
        return self.group in QUARANTINED_GROUPS

    @property
    def where(self) -> int | str:
        """The id of its cluster, NOISE where it is unassigned, or else the name of its group."""
        if self.quarantined or self.cluster_id is None:
            return self.group.value
        return self.cluster_id


def frames_of(store: Store, image_ids: Sequence[str]) -> list[str]:
    """The photo that each image is, or is a crop of."""
    crops = store.detections.crops(image_ids)
    return [crops[i].image_id if i in crops else i for i in image_ids]


def photo_groups(store: Store) -> dict[str, PhotoGroup]:
    """The group of each photo of the library, by the detectors' results alone."""
    detections = store.detections
    if not detections.count():
        return dict.fromkeys(_photos(store), PhotoGroup.UNKNOWN)
    looked_at, found = detections.looked_at(), detections.images_with()
    people, vehicles = (detections.images_with({name}) for name in ("person", "vehicle"))

    return {
        image_id: photo_group(
            people=image_id in people,
            vehicles=image_id in vehicles,
            animals=image_id in found,
            looked_at=image_id in looked_at,
        )
        for image_id in _photos(store)
    }


def photo_group(*, people: bool, vehicles: bool, animals: bool, looked_at: bool) -> PhotoGroup:
    """The group of a photo on which there are people, vehicles, anything else, or nothing."""
    if people:
        return PhotoGroup.PEOPLE
    if vehicles:
        return PhotoGroup.VEHICLES
    if animals:
        return PhotoGroup.ANIMALS
    return PhotoGroup.EMPTY if looked_at else PhotoGroup.UNKNOWN


def active_crops(store: Store, constraints: Constraints | None = None) -> dict[str, Crop]:
    """The crops that are clustered: those of the boxes that count, and those that were decided.

    A decision outlives the detector that made the box: a named cluster keeps the crops that
    represent it.
    """
    detected = {crop.crop_id: crop for crop, _ in store.detections.current_crops()}
    constraints = constraints or compile_constraints(store.decisions.current())
    decided = [image_id for image_id in constraints.fixed if image_id not in detected]
    return detected | store.detections.crops(decided)


def active_vectors(
    store: Store,
    spec: PartSpec,
    image_ids: tuple[str, ...],
    vectors: Vectors,
    constraints: Constraints | None = None,
) -> tuple[tuple[str, ...], Vectors]:
    """The images of an embedder that are clustered, and their vectors: of crops the active ones."""
    if not is_crop_embedder(spec):
        return image_ids, vectors
    clustered = active_crops(store, constraints)
    rows = [row for row, image_id in enumerate(image_ids) if image_id in clustered]
    if len(rows) == len(image_ids):
        return image_ids, vectors
    return tuple(image_ids[row] for row in rows), vectors[rows]


def locate_photos(store: Store, clustering: StoredClustering | None) -> dict[str, PhotoLocation]:
    """Locate every photo of the library.

    Args:
        store: The library.
        clustering: Of crops or of whole photos; None where there is none.

    Returns:
        By image id, all photos of the library, also those without a crop and the quarantined ones.
    """
    group_of = photo_groups(store)
    members = (
        store.clusterings.assignments(clustering.clustering_id)
        if clustering
        else Assignments.empty()
    )
    cluster_of = dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))
    if clustering is None or not is_crop_embedder(clustering.embedder):
        return {i: PhotoLocation(i, group, cluster_of.get(i)) for i, group in group_of.items()}
    crops_of = _locate_crops(store, cluster_of)
    found = {}
    for image_id, group in group_of.items():
        crops = tuple(sorted(crops_of.get(image_id, ()), key=surest_first))
        shown = group if group in QUARANTINED_GROUPS or not crops else PhotoGroup.ANIMALS
        cluster_id = next((c.cluster_id for c in crops if c.cluster_id is not None), None)
        found[image_id] = PhotoLocation(image_id, shown, cluster_id, crops)
    return found


def _locate_crops(store: Store, cluster_of: Mapping[str, int]) -> dict[str, list[CropLocation]]:
    decisions = current_decisions(store)
    constraints, moved = compile_constraints(decisions), moved_by_person(decisions)
    box_of = {crop.crop_id: box for crop, box in store.detections.current_crops()}
    found: dict[str, list[CropLocation]] = {}
    for crop_id, crop in active_crops(store, constraints).items():
        box = box_of.get(crop_id)
        location = CropLocation.of(crop, box, cluster_id=cluster_of.get(crop_id), moved=moved)
        found.setdefault(crop.image_id, []).append(location)
    return found


def surest_first(crop: CropLocation) -> tuple[bool, float, str]:
    """What crops are sorted by: those that a person moved first, then by confidence."""
    return not crop.decided, -crop.confidence, crop.crop_id


def _photos(store: Store) -> list[str]:
    ids: list[str] = store.photos.columns("image_id")["image_id"].tolist()
    return ids
