"""What detectors saw in the images of an export, and where the crops of it are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from organizer.library.exports.membership import Membership
from organizer.library.images.crops import CropLocation, PhotoLocation, locate_photos
from organizer.store import Store
from organizer.store.ids import IdArray, contains_ids, pack_ids, unpack_ids
from organizer.types import (
    WHOLE,
    AssignmentState,
    Detected,
    Detection,
    ExportDetection,
    ImageDetections,
    is_crop_embedder,
)

_SAME = 0.5
"""Intersection over union from which two boxes are of one animal, as in PASCAL VOC and COCO."""


class DetectionColumns:
    """What was seen, to be looked up by packed image id."""

    def __init__(self, store: Store, membership: Membership) -> None:
        current = membership.current
        self._membership = membership
        self._lists = store.detections.lists() if store.detections.count() else None
        self._homes: Mapping[str, PhotoLocation] = {}
        if current is not None and is_crop_embedder(current.embedder):
            self._homes = locate_photos(store, current)

    def standing_for(self, ids: IdArray) -> IdArray:
        """For each image what tells its cluster: itself, or its surest crop that is in one."""
        if not self._homes:
            return ids
        return pack_ids(_surest(image_id, self._homes) for image_id in unpack_ids(ids))

    def with_crop_in(self, ids: IdArray, inside: IdArray) -> IdArray:
        """Of some images those of which a crop, or which themselves, are among ascending ids."""
        if not self._homes:
            return ids[contains_ids(inside, ids)]
        crops = [
            pack_ids(crop.crop_id for crop in self._homes[image_id].crops)
            for image_id in unpack_ids(ids)
        ]
        keep = [bool(len(packed)) and bool(contains_ids(inside, packed).any()) for packed in crops]
        return ids[np.array(keep, dtype=np.bool_)]

    def columns(self, ids: IdArray) -> dict[str, tuple[Any, ...]]:
        """The columns of a batch that tell of detections."""
        names = unpack_ids(ids)
        said = self._lists.of(ids) if self._lists is not None else [None] * len(ids)
        boxes = [self._boxes(name, one) for name, one in zip(names, said, strict=True)]
        clusters = self._clusters([crop_id for row in boxes for _, crop_id in row or ()])
        return {
            "detections": tuple(
                None
                if row is None
                else tuple(_placed(box, clusters.get(crop_id)) for box, crop_id in row)
                for row in boxes
            ),
            "detectors": tuple((one.detector or None) if one else None for one in said),
            "failures": tuple(
                (one.failure or None) if one is not None and row is None else None
                for one, row in zip(said, boxes, strict=True)
            ),
        }

    def _boxes(
        self, image_id: str, said: ImageDetections | None
    ) -> list[tuple[Detection, str]] | None:
        """The boxes of an image, each with its crop; None where nobody looked.

        A crop that stands for a named cluster, and of which no box is left, is none.
        """
        seen = list(said.detections) if said is not None else []
        known = {box.crop_id for box in seen}
        crops = self._homes[image_id].crops if image_id in self._homes else ()
        words = [crop for crop in crops if crop.decided and crop.crop_id not in known]
        looked = said is not None and said.outcome is not Detected.FAILED
        if not looked and not words:
            return None
        same = _seen_anew(words, seen)
        alone = [_as_detection(crop) for crop in words if crop.crop_id not in same.values()]
        boxes = [(box, same.get(place, box.crop_id)) for place, box in enumerate(seen)]
        return [*((box, box.crop_id) for box in alone), *boxes]

    def _clusters(self, crop_ids: list[str]) -> dict[str, dict[str, Any]]:
        """What is known of some crops, by their id."""
        cut = [crop_id for crop_id in crop_ids if crop_id]
        if not self._homes or not cut:
            return {}
        columns = self._membership.columns(pack_ids(cut))
        return {
            crop_id: {name: column[row] for name, column in columns.items()}
            for row, crop_id in enumerate(cut)
        }


def _surest(image_id: str, homes_of: Mapping[str, PhotoLocation]) -> str:
    home = homes_of.get(image_id)
    crops = home.crops if home is not None else ()
    return next((crop.crop_id for crop in crops if crop.cluster_id is not None), image_id)


def _seen_anew(words: Sequence[CropLocation], seen: Sequence[Detection]) -> dict[int, str]:
    """The crops of a person's words by the place of the box in which a later detector has them.

    Two detectors draw two boxes round one animal: it is not there twice, and what was said of it is
    said of the new box. What was said of all of a photo is said of the surest box.
    """
    found: dict[int, str] = {}
    for crop in words:
        likeness = {
            place: box.confidence if crop.box == WHOLE else crop.box.overlap(box.box)
            for place, box in enumerate(seen)
            if box.crop_id and place not in found
        }
        best = max(likeness, key=likeness.__getitem__, default=None)
        if best is not None and (crop.box == WHOLE or likeness[best] >= _SAME):
            found[best] = crop.crop_id
    return found


def _as_detection(crop: CropLocation) -> Detection:
    box = crop.box
    return Detection(
        crop.category, crop.confidence, box.x, box.y, box.width, box.height, crop.crop_id
    )


def _placed(box: Detection, place: Mapping[str, Any] | None) -> ExportDetection:
    cluster = place or {}
    return ExportDetection(
        category=box.category,
        confidence=box.confidence,
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        cluster_id=cluster.get("cluster_ids"),
        cluster_name=cluster.get("cluster_names"),
        decided=cluster.get("states") == AssignmentState.DECIDED,
        distance=cluster.get("distances"),
    )
