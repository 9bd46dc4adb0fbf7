"""The columns of an export batch about detections, and the clusters of their crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from organizer.library.exports.membership import Membership
from organizer.library.images.crops import CropLocation, PhotoLocation, locate_photos
from organizer.library.images.frames import frame_shown
from organizer.store import Store
from organizer.store.detections import DetectionLists
from organizer.store.ids import IdArray, contains_ids, pack_ids, unpack_ids
from organizer.types import (
    SAME_ANIMAL,
    WHOLE,
    AssignmentState,
    Detected,
    Detection,
    ExportDetection,
    ImageDetections,
    is_crop_embedder,
)


class DetectionColumns:
    """Detections, to be looked up by packed image id.

    Args:
        membership: The clusters of images and crops.
        lists: The detectors' results; None where there are none.
        locations: The photos with their crops; empty where no crops are clustered.
    """

    def __init__(
        self,
        membership: Membership,
        lists: DetectionLists | None,
        locations: Mapping[str, PhotoLocation],
    ) -> None:
        self._membership, self._lists, self._locations = membership, lists, locations

    @classmethod
    def read(cls, store: Store, membership: Membership) -> Self:
        """The detections of a library as they are now."""
        current = membership.current
        lists = store.detections.lists() if store.detections.count() else None
        of_crops = current is not None and is_crop_embedder(current.embedder)
        return cls(membership, lists, locate_photos(store, current) if of_crops else {})

    def representing(self, ids: IdArray) -> IdArray:
        """For each image the member that gives its cluster: itself, or its surest crop in one."""
        if not self._locations:
            return ids
        return pack_ids(
            _surest(self._locations.get(image_id), image_id) for image_id in unpack_ids(ids)
        )

    def with_crop_in(self, ids: IdArray, inside: IdArray) -> IdArray:
        """The images that are, or have a crop that is, among some ascending ids."""
        if not self._locations:
            return ids[contains_ids(inside, ids)]
        crops = [
            pack_ids(crop.crop_id for crop in self._locations[image_id].crops)
            for image_id in unpack_ids(ids)
        ]
        keep = [bool(len(packed)) and bool(contains_ids(inside, packed).any()) for packed in crops]
        return ids[np.array(keep, dtype=np.bool_)]

    def columns(self, ids: IdArray) -> dict[str, tuple[Any, ...]]:
        """The columns of a batch about detections."""
        names = unpack_ids(ids)
        results = self._lists.of(ids) if self._lists is not None else [None] * len(ids)
        boxes = [self._boxes(name, one) for name, one in zip(names, results, strict=True)]
        clusters = self._clusters([crop_id for row in boxes for _, crop_id in row or ()])
        return {
            "detections": tuple(
                None
                if row is None
                else tuple(_as_exported(box, clusters.get(crop_id)) for box, crop_id in row)
                for row in boxes
            ),
            "detectors": tuple((one.detector or None) if one else None for one in results),
            "detected_at": tuple(frame_shown(None, one) for one in results),
            "failures": tuple(
                (one.failure or None) if one is not None and row is None else None
                for one, row in zip(results, boxes, strict=True)
            ),
        }

    def _boxes(
        self, image_id: str, result: ImageDetections | None
    ) -> list[tuple[Detection, str]] | None:
        """The boxes of an image, each with its crop; None where no detector has a result.

        Crops that a person moved are boxes too; representatives of named clusters without a box of
        a detector are not.
        """
        detected = list(result.detections) if result is not None else []
        known = {box.crop_id for box in detected}
        crops = self._locations[image_id].crops if image_id in self._locations else ()
        decided = [crop for crop in crops if crop.decided and crop.crop_id not in known]
        has_result = result is not None and result.outcome is not Detected.FAILED
        if not has_result and not decided:
            return None
        same = _match_boxes(decided, detected)
        alone = [_as_detection(crop) for crop in decided if crop.crop_id not in same.values()]
        boxes = [(box, same.get(place, box.crop_id)) for place, box in enumerate(detected)]
        return [*((box, box.crop_id) for box in alone), *boxes]

    def _clusters(self, crop_ids: list[str]) -> dict[str, dict[str, Any]]:
        """The columns about clusters of some crops, by their id."""
        cut = [crop_id for crop_id in crop_ids if crop_id]
        if not self._locations or not cut:
            return {}
        columns = self._membership.columns(pack_ids(cut))
        return {
            crop_id: {name: column[row] for name, column in columns.items()}
            for row, crop_id in enumerate(cut)
        }


def _surest(photo: PhotoLocation | None, image_id: str) -> str:
    crops = photo.crops if photo is not None else ()
    return next((crop.crop_id for crop in crops if crop.cluster_id is not None), image_id)


def _match_boxes(decided: Sequence[CropLocation], detected: Sequence[Detection]) -> dict[int, str]:
    """The crops that a person moved, by the place of the box in which a later detector has them.

    Two detectors draw two boxes round one animal: it is not there twice, and what was decided about
    it holds for the new box. A decision about a whole photo holds for the surest box.
    """
    found: dict[int, str] = {}
    for crop in decided:
        scores = {
            place: box.confidence if crop.box == WHOLE else crop.box.overlap(box.box)
            for place, box in enumerate(detected)
            if box.crop_id and place not in found
        }
        best = max(scores, key=scores.__getitem__, default=None)
        if best is not None and (crop.box == WHOLE or scores[best] >= SAME_ANIMAL):
            found[best] = crop.crop_id
    return found


def _as_detection(crop: CropLocation) -> Detection:
    box = crop.box
    return Detection(
        crop.category, crop.confidence, box.x, box.y, box.width, box.height, crop.crop_id
    )


def _as_exported(box: Detection, columns: Mapping[str, Any] | None) -> ExportDetection:
    cluster = columns or {}
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
        decided_by=cluster.get("decided_by"),
    )
