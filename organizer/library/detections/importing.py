"""Import a detector's results into the store."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from organizer.errors import SettingsError
from organizer.library import embedders
from organizer.library.images.crops import active_crops
from organizer.library.progress import Progress
from organizer.store import Store
from organizer.store.detections import QUARANTINED_CATEGORIES
from organizer.types import (
    CROPS_PREFIX,
    FRAME_AT,
    SAME_ANIMAL,
    Box,
    Crop,
    Detected,
    ImageDetections,
    PartSpec,
    crop_id,
    is_crop_embedder,
)

_IMAGES_AT_ONCE = 2_000


def crop_embedder(store: Store, named: str | None) -> PartSpec:
    """The embedder of crops: the one that is named, or that of the library's own network.

    Raises:
        SettingsError: There is no embedder of that name, or the library has none of its own.
    """
    if named is not None:
        name = named if named.startswith(CROPS_PREFIX) else CROPS_PREFIX + named
        return embedders.stored_spec(store, name)
    own = embedders.library_embedder(store)
    if own is None:
        raise SettingsError("there are no vectors in this library", "organizer ingest FOLDER")
    if is_crop_embedder(own):
        return own
    return replace(own, name=CROPS_PREFIX + own.name)


def require_threshold(threshold: float | None) -> None:
    """Make sure that a threshold is a confidence.

    Raises:
        SettingsError: It is not between 0 and 1.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise SettingsError(
            f"the threshold cannot be {threshold:g}", "0 to 1, for example --threshold 0.2"
        )


@dataclass(slots=True)
class ImportedDetections:
    """How many images an import had results for.

    Attributes:
        images: All of them.
        new: Those whose results are new.
        left: Those whose earlier results were kept.
    """

    images: int = 0
    new: int = 0
    left: int = 0


def import_detections(
    store: Store,
    found: Iterable[ImageDetections],
    *,
    total: int | None,
    keep_other_detectors: bool,
    progress: Progress,
) -> ImportedDetections:
    """Store a detector's results, some images at a time.

    Args:
        store: The library, held for writing.
        found: The results.
        total: The number of images, where it is known.
        keep_other_detectors: Whether results of another detector are kept where there are some.
        progress: Receives each image.
    """
    progress.begin("importing detections", total)
    imported = ImportedDetections()
    active = active_crops(store).keys()
    rest: Iterator[ImageDetections] = iter(found)
    while some := list(islice(rest, _IMAGES_AT_ONCE)):
        imported.images += len(some)
        kept = _without_failures(
            store, _without_known(store, some) if keep_other_detectors else some
        )
        imported.left += len(some) - len(kept)
        crops = store.detections.crops_of(one.image_id for one in kept)
        if any(FRAME_AT in one.extra for one in kept):
            store.photos.count_turn()  # another frame may stand for a video now
        imported.new += store.detections.write(
            [with_crops(one, crops.get(one.image_id, ()), active) for one in kept]
        )
        progress.advance(len(some))
    return imported


def _without_known(store: Store, some: Sequence[ImageDetections]) -> list[ImageDetections]:
    """The results for images without results of another detector."""
    known = store.detections.of(one.image_id for one in some)
    return [
        one
        for one in some
        if one.image_id not in known or known[one.image_id].detector == one.detector
    ]


def _without_failures(store: Store, some: Sequence[ImageDetections]) -> list[ImageDetections]:
    """The results without failures for images that have a result already.

    A file that could not be read this time takes no photo out of quarantine.
    """
    failed = [one.image_id for one in some if one.outcome is Detected.FAILED]
    known = store.detections.of(failed) if failed else {}
    done = {i for i, one in known.items() if one.outcome is not Detected.FAILED}
    return [one for one in some if one.outcome is not Detected.FAILED or one.image_id not in done]


def with_crops(
    one: ImageDetections, known: Sequence[Crop] = (), active: Container[str] = ()
) -> ImageDetections:
    """A detector's result with the ids of its crops: of all boxes but people and vehicles.

    A box over an animal that was cut out before has the id of that crop, so that its vector, its
    cluster and what a person decided about it stay: a box that is the same, or else overlaps it by
    half or more. The surest box chooses first, and each crop is chosen once.

    Args:
        one: The result.
        known: The crops that the image ever had.
        active: The crops that are clustered now; they are chosen before others.
    """
    boxes = one.detections
    free = {crop.crop_id: crop for crop in known}
    # A crop of a photo that was turned since has an id of where it was.
    held = {crop_id(one.image_id, crop.box): crop.crop_id for crop in known}
    turned = set(held.values()) - held.keys()
    places = {
        number: crop_id(one.image_id, box.box)
        for number, box in enumerate(boxes)
        if box.category not in QUARANTINED_CATEGORIES
    }
    chosen: dict[str, str] = {}  # by place: two boxes that are the same make one crop
    for place in places.values():
        if free.pop(held.get(place, ""), None) is not None:
            chosen[place] = held[place]
    for number in sorted(places, key=lambda n: -boxes[n].confidence):
        place, box = places[number], boxes[number].box
        if place not in chosen:
            alike = {i: c.box.overlap(box) for i, c in free.items()}
            best = max(
                (i for i, overlap in alike.items() if overlap >= SAME_ANIMAL),
                key=lambda i: (i in active, alike[i]),
                default=None,
            )
            chosen[place] = best or _new_id(place, box, turned)
            free.pop(chosen[place], None)
    ids = {number: chosen[place] for number, place in places.items()}
    named = (replace(box, crop_id=ids.get(number, "")) for number, box in enumerate(boxes))
    return replace(one, detections=tuple(named))


def _new_id(made: str, box: Box, turned: Container[str]) -> str:
    """The id of a new crop: its own, unless one that was turned away from there has that."""
    while made in turned:
        made = crop_id(made, box)
    return made
