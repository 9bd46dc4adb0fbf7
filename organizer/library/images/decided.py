"""What was decided about photos, for their crops, and what was decided about crops, for the photos.

A decision is stored with the image that it was made about: a photo where whole photos were
clustered, a crop where crops were. Here it becomes one about the other too, each time that
decisions are read, so nothing that is stored changes and an undo takes both back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from organizer.cluster.decisions import ConstraintsBuilder, with_counterparts
from organizer.store import Store
from organizer.types import AssignmentState, Decision, DecisionKind, is_crop_embedder


@dataclass(frozen=True, slots=True)
class PhotoCrops:
    """Which crop of a photo takes what is known of the photo, and which one gives it back.

    Attributes:
        surest: For each photo the crop that decisions about the photo hold for, and that continues
            its cluster: the only one, or the one that the detector is surest of. A crop that they
            hold for in the current clusters keeps them, whatever another detector is surest of.
        telling: For each photo the crop whose decisions hold for the photo, and whose cluster the
            photo continues: one that a person moved, or else the surest.
        several: The photos with several crops.
    """

    surest: Mapping[str, str]
    telling: Mapping[str, str]
    several: frozenset[str]

    @property
    def counterparts(self) -> dict[str, str]:
        """The photo or the crop that decisions about a crop or a photo hold for as well."""
        return {**self.surest, **{crop: photo for photo, crop in self.telling.items()}}


def read_photo_crops(
    store: Store, decisions: Sequence[Decision], image_ids: Collection[str] | None = None
) -> PhotoCrops:
    """Read the crops of photos.

    Args:
        store: The library.
        decisions: The decisions that hold, as they are stored.
        image_ids: Photos, or crops whose photos are meant; all where None.
    """
    detections = store.detections
    if not detections.has_crops():
        return PhotoCrops({}, {}, frozenset())
    photos: set[str] | None = None
    if image_ids is not None:
        crops = detections.crops(image_ids)
        photos = {crops[i].image_id if i in crops else i for i in image_ids}
    confidence: dict[str, dict[str, float]] = {}
    for crop, box in detections.current_crops(photos):
        confidence.setdefault(crop.image_id, {})[crop.crop_id] = box.confidence
    several = frozenset(photo for photo, of in confidence.items() if len(of) > 1)
    fixed = ConstraintsBuilder.of(decisions).fixed.keys()
    held = _decided_members(store) - fixed if several else frozenset()
    surest = {photo: _surest(of, held) for photo, of in confidence.items()}
    moved = _moved_crops(store, moved_by_person(decisions) & fixed, confidence, photos)
    return PhotoCrops(surest, surest | moved, several)


def _surest(confidence: Mapping[str, float], held: Collection[str]) -> str:
    return max(confidence, key=lambda crop_id: (crop_id in held, confidence[crop_id], crop_id))


def _decided_members(store: Store) -> frozenset[str]:
    """The crops that a decision holds for in the current clusters; none of whole photos."""
    current = store.clusterings.current()
    if current is None or not is_crop_embedder(current.embedder):
        return frozenset()
    members = store.clusterings.assignments(current.clustering_id)
    return frozenset(members.image_ids[members.states == AssignmentState.DECIDED.value].tolist())


def _moved_crops(
    store: Store,
    moved: Collection[str],
    confidence: Mapping[str, Mapping[str, float]],
    photos: Collection[str] | None,
) -> dict[str, str]:
    """For each photo the surest of the crops that a person moved."""
    found: dict[str, tuple[float, str]] = {}
    for crop_id, crop in store.detections.crops(moved).items():
        photo = crop.image_id
        if photos is None or photo in photos:
            # A crop that no detector has any more stands for a person's decision alone.
            sure = (confidence.get(photo, {}).get(crop_id, 1.0), crop_id)
            found[photo] = max(found.get(photo, sure), sure)
    return {photo: crop_id for photo, (_, crop_id) in found.items()}


def current_decisions(
    store: Store, as_stored: tuple[Decision, ...] | None = None
) -> tuple[Decision, ...]:
    """The decisions that hold, also for the crops of their photos and the photos of their crops.

    They are those that are stored, one by one, but for the images that they are about; see
    `organizer.cluster.decisions.with_counterparts`.

    Args:
        store: The library.
        as_stored: `store.decisions.current()`, where it was read already.
    """
    decisions = store.decisions.current() if as_stored is None else as_stored
    if not decisions or not store.detections.has_crops():
        return decisions
    about = {image_id for decision in decisions for image_id in decision.image_ids}
    return with_counterparts(decisions, read_photo_crops(store, decisions, about).counterparts)


def crossing_notes(
    store: Store, decisions: Sequence[Decision], crops: PhotoCrops
) -> tuple[str, ...]:
    """What becomes of decisions about photos where their crops are clustered, a line each.

    Args:
        store: The library.
        decisions: The decisions that hold, as they are stored.
        crops: The crops of all photos.
    """
    about = {image_id for decision in decisions for image_id in decision.image_ids}
    alone = decided_singly(decisions)
    photos = alone - store.detections.crops(alone).keys()
    lacking = photos - crops.surest.keys() - crops.telling.keys()
    notes = []
    if several := len(crops.several & about):
        notes.append(
            f"{several:,} {_photos(several)} with several animals that you decided about: what you "
            "decided holds for the surest animal of each"
        )
    if lacking:
        notes.append(
            f"{len(lacking):,} {_photos(len(lacking))} without a crop that you moved or excluded: "
            "what you decided holds again when whole photos are clustered"
        )
    return tuple(notes)


def decided_singly(decisions: Iterable[Decision]) -> set[str]:
    """The images that a person moved to a cluster or excluded from one by themselves."""
    return {
        image_id
        for decision in decisions
        if decision.kind in {DecisionKind.MOVE, DecisionKind.NOT}
        for image_id in decision.image_ids
    }


def moved_by_person(decisions: Sequence[Decision]) -> set[str]:
    """The images that a person moved; representatives of named clusters are not among them."""
    return {i for d in decisions if d.kind is DecisionKind.MOVE for i in d.image_ids}


def movers(decisions: Sequence[Decision], users: Mapping[int, str]) -> dict[str, str]:
    """Who moved each image that a person moved; the last one counts, empty where not known.

    Args:
        decisions: The decisions that hold, in order.
        users: Who made each step.
    """
    moves = [d for d in decisions if d.kind is DecisionKind.MOVE]
    return {i: users.get(d.step_id, "") for d in moves for i in d.image_ids}


def _photos(count: int) -> str:
    return "photo" if count == 1 else "photos"
