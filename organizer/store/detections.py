"""What detectors found in the images of a library, and the box of each crop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from organizer.store.choices import ChoiceTable
from organizer.store.database import Database, now
from organizer.store.ids import IdArray, contains_ids, pack_ids
from organizer.store.schemas import CROPS, DETECTED
from organizer.types import Box, Crop, Detected, Detection, ImageDetections

QUARANTINED_CATEGORIES = ("person", "vehicle")
"""Categories whose images are not shown by default."""

USUAL_THRESHOLD = 0.2
"""MegaDetector's own typical threshold, from version 5 on."""

_THRESHOLD, _USUAL = "detection_threshold", "usual_detection_threshold"
_ROWS_PER_UPSERT = 5_000
_SOUGHT_BY_ID = 4_000  # of more, a table is sooner read in full
_NARROW = ["image_id", "boxes"]
_COMPARED = ("outcome", "failure", "detector", "extra", "boxes")


class DetectionTables:
    """The detections of one library: one row an image, and one for each crop that ever was."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._choices = ChoiceTable(database)

    @property
    def threshold(self) -> float:
        """The confidence from which a box counts: as a person chose, or the detector's own."""
        chosen = (self._choices.get(name) for name in (_THRESHOLD, _USUAL))
        return float(next((value for value in chosen if value is not None), USUAL_THRESHOLD))

    def choose_threshold(self, threshold: float) -> None:
        """Choose the confidence from which a box counts; nothing that was written changes."""
        self._choices.set(_THRESHOLD, threshold)

    def note_usual_threshold(self, threshold: float) -> None:
        """Note the confidence that the detector itself proposes."""
        self._choices.set(_USUAL, threshold)

    # Reading -------------------------------------------------------------------------------

    def of(self, image_ids: Iterable[str] | None = None) -> dict[str, ImageDetections]:
        """The detections of some images, or of all; images never looked at are left out."""
        if image_ids is None:
            table = self._database.read("detected")
        else:
            table = self._database.read_by_id("detected", "image_id", image_ids)
        return {row["image_id"]: _detections(row) for row in table.to_pylist()}

    def count(self) -> int:
        """Number of images that a detector was asked about."""
        return self._database.count("detected")

    def detectors(self) -> Counter[str]:
        """Number of images by the detector that looked at them."""
        return Counter(self._database.read("detected", ["detector"])["detector"].to_pylist())

    def looked_at(self) -> set[str]:
        """The images in which a detector found something or nothing."""
        rows = self._database.read("detected", ["image_id", "outcome"])
        seen = rows.filter(pc.not_equal(rows["outcome"], Detected.FAILED.value))
        return set(seen["image_id"].to_pylist())

    def images_with(self, categories: Collection[str] | None = None) -> set[str]:
        """The images with a box that counts, of any category or of some."""
        boxes, images = _boxes(self._database.read("detected", _NARROW))
        return set(images.filter(self._counting(boxes, categories)).to_pylist())

    def quarantined(self, image_ids: Collection[str]) -> set[str]:
        """Of some images, or crops, those on whose frame a person or a vehicle is."""
        if not image_ids or not self.count():
            return set()
        many = len(image_ids) > _SOUGHT_BY_ID
        frame_of = {i: crop.image_id for i, crop in self.crops(None if many else image_ids).items()}
        if many:
            found = self.images_with(QUARANTINED_CATEGORIES)
        else:
            frames = {frame_of.get(i, i) for i in image_ids}
            rows = self._database.read_by_id("detected", "image_id", frames, _NARROW)
            boxes, images = _boxes(rows)
            found = set(images.filter(self._counting(boxes, QUARANTINED_CATEGORIES)).to_pylist())
        return {i for i in image_ids if frame_of.get(i, i) in found}

    def current_crops(
        self, image_ids: Collection[str] | None = None
    ) -> list[tuple[Crop, Detection]]:
        """The crops that the detectors' current boxes make, as far as they count.

        Args:
            image_ids: The images that they are cut out of; all where None.
        """
        if image_ids is None or len(image_ids) > _SOUGHT_BY_ID:
            rows = self._database.read("detected", _NARROW)
        else:
            rows = self._database.read_by_id("detected", "image_id", image_ids, _NARROW)
        boxes, images = _boxes(rows)
        cut = pc.not_equal(pc.struct_field(boxes, "crop_id"), "")
        keep = pc.and_(self._counting(boxes, None), cut)
        kept = zip(images.filter(keep).to_pylist(), boxes.filter(keep).to_pylist(), strict=True)
        wanted = None if image_ids is None else set(image_ids)
        found = [(i, Detection(**box)) for i, box in kept if wanted is None or i in wanted]
        return [(Crop(box.crop_id, image_id, box.box), box) for image_id, box in found]

    def has_crops(self) -> bool:
        """Whether any image of the library was ever cut."""
        return self._database.count("crops") > 0

    def crops(self, crop_ids: Iterable[str] | None = None) -> dict[str, Crop]:
        """Some crops by their ids, or all; other ids are left out."""
        if crop_ids is None:
            return _crops(self._database.read("crops"))
        if not self.has_crops():
            return {}
        return _crops(self._database.read_by_id("crops", "crop_id", crop_ids))

    def crops_of(self, image_ids: Iterable[str]) -> dict[str, list[Crop]]:
        """All crops that some images ever had."""
        found: dict[str, list[Crop]] = {}
        if self.has_crops():
            rows = self._database.read_by_id("crops", "image_id", image_ids)
            for crop in _crops(rows).values():
                found.setdefault(crop.image_id, []).append(crop)
        return found

    def lists(self) -> DetectionLists:
        """The detections of all images, to be looked up many at a time."""
        return DetectionLists(self._database.read("detected"))

    # Writing -------------------------------------------------------------------------------

    def write(self, found: Sequence[ImageDetections]) -> int:
        """Write detections, in place of those of the same images.

        Crops are written first, so that no box names an unknown one.

        Returns:
            Number of images of which it is new.
        """
        rows = {one.image_id: _row(one) for one in found}
        known = self._database.read_by_id("detected", "image_id", rows)
        for row in known.to_pylist():
            if all(row[name] == rows[row["image_id"]][name] for name in _COMPARED):
                del rows[row["image_id"]]
        self.add_crops(
            Crop(box.crop_id, one.image_id, box.box)
            for one in found
            if one.image_id in rows
            for box in one.detections
            if box.crop_id
        )
        fresh = list(rows.values())
        for start in range(0, len(fresh), _ROWS_PER_UPSERT):
            part = pa.Table.from_pylist(fresh[start : start + _ROWS_PER_UPSERT], schema=DETECTED)
            self._database.upsert("detected", ["image_id"], part)
        return len(fresh)

    def turn(self, turned: Mapping[str, Callable[[Box], Box]]) -> None:
        """Put the boxes and crops of photos elsewhere in them; the ids of crops stay.

        Args:
            turned: By photo, where a box of it is now.
        """
        detected = self._database.read_by_id("detected", "image_id", turned).to_pylist()
        for row in detected:
            for box in row["boxes"]:
                box.update(_place(turned[row["image_id"]](Detection(**box).box)))
        crops = self._database.read_by_id("crops", "image_id", turned).to_pylist()
        for row in crops:
            box = Box(row["x"], row["y"], row["width"], row["height"])
            row.update(_place(turned[row["image_id"]](box)))
        for name, key, rows, schema in (
            ("detected", "image_id", detected, DETECTED),
            ("crops", "crop_id", crops, CROPS),
        ):
            for start in range(0, len(rows), _ROWS_PER_UPSERT):
                part = pa.Table.from_pylist(rows[start : start + _ROWS_PER_UPSERT], schema=schema)
                self._database.upsert(name, [key], part)

    def add_crops(self, crops: Iterable[Crop]) -> None:
        """Write crops; those that are known stay."""
        wanted = {crop.crop_id: crop for crop in crops}
        known = self.crops(wanted) if wanted else {}
        rows = [_crop_row(crop) for crop_id, crop in wanted.items() if crop_id not in known]
        self._database.append("crops", pa.Table.from_pylist(rows, schema=CROPS))

    def _counting(self, boxes: Any, categories: Collection[str] | None) -> Any:
        keep = pc.greater_equal(pc.struct_field(boxes, "confidence"), self.threshold)
        if categories is None:
            return keep
        wanted = pa.array(sorted(categories), pa.string())
        return pc.and_(keep, pc.is_in(pc.struct_field(boxes, "category"), wanted))


class DetectionLists:
    """The detections of every image, as they were when this was made."""

    def __init__(self, rows: pa.Table) -> None:
        packed = pack_ids(rows["image_id"].to_pylist())
        self._order = np.argsort(packed)
        self._ids = packed[self._order]
        self._rows = rows.combine_chunks()

    def of(self, ids: IdArray) -> list[ImageDetections | None]:
        """For each image its detections; None where it was never looked at."""
        known = contains_ids(self._ids, ids)
        places = self._order[np.searchsorted(self._ids, ids[known])]
        rows = iter(self._rows.take(pa.array(places, pa.int64())).to_pylist())
        return [_detections(next(rows)) if there else None for there in known.tolist()]


def _boxes(rows: pa.Table) -> tuple[Any, Any]:
    """The boxes of images, as structs, and the image of each."""
    rows = rows.combine_chunks()
    boxes = rows["boxes"]
    return pc.list_flatten(boxes), rows["image_id"].take(pc.list_parent_indices(boxes))


def _row(one: ImageDetections) -> dict[str, Any]:
    extra = json.dumps(dict(one.extra), sort_keys=True, ensure_ascii=False) if one.extra else ""
    boxes = sorted(one.detections, key=lambda box: -box.confidence)
    return {
        "image_id": one.image_id,
        "outcome": one.outcome.value,
        "failure": one.failure,
        "detector": one.detector,
        "extra": extra,
        "at": now(),
        "boxes": [_box_row(box) for box in boxes],
    }


def _box_row(box: Detection) -> dict[str, Any]:
    return {
        "category": box.category,
        "confidence": float(box.confidence),
        "x": float(box.x),
        "y": float(box.y),
        "width": float(box.width),
        "height": float(box.height),
        "crop_id": box.crop_id,
    }


def _place(box: Box) -> dict[str, float]:
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height}


def _detections(row: dict[str, Any]) -> ImageDetections:
    return ImageDetections(
        image_id=row["image_id"],
        outcome=Detected(row["outcome"]),
        detections=tuple(Detection(**box) for box in row["boxes"] or ()),
        failure=row["failure"],
        detector=row["detector"],
        extra=json.loads(row["extra"]) if row["extra"] else {},
    )


def _crop_row(crop: Crop) -> dict[str, Any]:
    return {
        "crop_id": crop.crop_id,
        "image_id": crop.image_id,
        "x": crop.box.x,
        "y": crop.box.y,
        "width": crop.box.width,
        "height": crop.box.height,
    }


def _crops(rows: pa.Table) -> dict[str, Crop]:
    return {
        row["crop_id"]: Crop(
            row["crop_id"], row["image_id"], Box(row["x"], row["y"], row["width"], row["height"])
        )
        for row in rows.to_pylist()
    }
