"""The MegaDetector batch output format 1.6, for Timelapse, AddaxAI and MegaDetector's own tools.

https://lila.science/megadetector-output-format

In this format a classification belongs to a detection. Where a detector was run, its boxes are the
detections, in its own categories and with its own confidences, also those below the threshold; the
cluster of a box is its classification. An image without detections has an empty list, one that the
detector could not read is a failure with its reason.

Where no detector was run, a box of the category "animal" would claim an animal, and an empty list
an empty image. So such an image has one detection of the whole image (``bbox`` [0, 0, 1, 1],
``conf`` 1.0) in the category "whole_image_classification", which SpeciesNet uses for a
classification without a box. The same detection is added to a detector's boxes where whole images
were clustered. The three categories of MegaDetector are always declared, so that the file can be
merged with a detector's.

A classification's confidence is the cosine similarity to the cluster's centroid (1 - distance, not
below 0), which is not a probability; where a person decided it is 1.0. Unassigned images have no
classification. An image whose file is missing is a failure, "image access failure". The detections
of a video are those of the frame that is shown for it. Values for which the format has no field are
in the image's ``organizer`` object; extra fields are allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from organizer.export.paths import relative
from organizer.types import (
    FRAME_AT,
    KIND,
    AssignmentState,
    ExportBatch,
    ExportDetection,
    ExportInfo,
    VectorUse,
    label,
)

_WHOLE_IMAGE = "4"
_CARRIER = "whole_image_classification"
_CATEGORIES = {
    "animal": "1",
    "person": "2",
    "vehicle": "3",
    _CARRIER: _WHOLE_IMAGE,
}
_FRAME_RATE = 1_000
"""Frames a second that numbers of frames count: milliseconds, as the file's own are not kept."""
_DIGITS = 6  # what single precision has
_NOT_THERE = "image access failure"  # as MegaDetector writes it


class MegaDetectorJson:
    """Writes MegaDetector JSON; see the module.

    ``file`` is relative to one folder, with forward slashes: the one that the user names, or the
    deepest that holds all ingested ones. ``info.organizer.base_folder`` holds it.
    """

    suffix = ".json"
    file_name = "organizer-megadetector.json"
    vectors = VectorUse.NEVER

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file, image by image."""
        base = about.relative_to or about.common
        categories = dict(_CATEGORIES)
        written = 0
        with to.open("w", encoding="utf-8", newline="\n") as file:
            file.write(_head(about, base) + '"images": [')
            for batch in batches:
                for image in _images(batch, base, categories):
                    file.write(",\n" if written else "\n")
                    file.write(_dumps(image))
                    written += 1
            # Last, because a detector may have categories of its own.
            numbered = {number: name for name, number in categories.items()}
            file.write(f'\n],\n"detection_categories": {_dumps(numbered)}}}\n')
        return written


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _head(about: ExportInfo, base: Path) -> str:
    info: dict[str, Any] = {
        "format_version": "1.6",
        "classifier": about.program,
        "classification_completion_time": about.created_at[:19].replace("T", " "),
        "classifier_metadata": {
            "confidence": "cosine similarity to the cluster's centroid; 1.0 where a person "
            "decided; no probability",
        },
        "organizer": {
            "base_folder": base.as_posix(),
            "clustering_id": about.clustering_id,
            "algorithm": about.algorithm,
        },
    }
    if about.detectors:
        info["detector"] = ", ".join(about.detectors)
    clusters = {str(i): label(i, name) for i, name in about.clusters.items()}
    return _dumps({"info": info, "classification_categories": clusters})[:-1] + ",\n"


def _images(batch: ExportBatch, base: Path, categories: dict[str, str]) -> Iterator[dict[str, Any]]:
    for row, file in enumerate(relative(batch.paths, base)):
        failure = _NOT_THERE if batch.missing[row] else batch.failures[row]
        image: dict[str, Any] = {
            "file": file,
            "detections": None if failure else _detections(batch, row, categories),
            "failure": failure,
            "width": batch.widths[row],
            "height": batch.heights[row],
            "datetime": _exif_time(batch.taken_at[row]),
            "organizer": _ours(batch, row),
        }
        if batch.extras[row].get(KIND) == "video":
            _number_frames(image, _second(batch, row))
        yield {name: value for name, value in image.items() if name != "failure" or failure}


def _second(batch: ExportBatch, row: int) -> float:
    """The second of the frame that the detections of a video are of."""
    detected = None if batch.detected_at is None else batch.detected_at[row]
    shown = batch.extras[row].get(FRAME_AT, 0.0) if detected is None else detected
    return float(shown) if isinstance(shown, int | float) else 0.0


def _number_frames(video: dict[str, Any], second: float) -> None:
    """What the format wants of a video: the frame of each detection, and how many a second has."""
    number = max(round(second * _FRAME_RATE), 0)
    video |= {"frame_rate": _FRAME_RATE, "frames_processed": [number]}
    for detection in video["detections"] or ():
        detection["frame_number"] = number


def _detections(batch: ExportBatch, row: int, categories: dict[str, str]) -> list[dict[str, Any]]:
    boxes = batch.detections[row]
    if boxes is None:
        return [_whole_image(batch, row)]
    found = [_box(one, categories) for one in boxes]
    by_crops = any(one.cluster_id is not None for one in boxes)
    whole = boxes and not by_crops and batch.cluster_ids[row] is not None
    return [*found, _whole_image(batch, row)] if whole else found


def _box(one: ExportDetection, categories: dict[str, str]) -> dict[str, Any]:
    box = (one.x, one.y, one.width, one.height)
    # The whole of an image that a person moved is not a detector's box.
    category = _CARRIER if one.decided and box == (0, 0, 1, 1) else one.category
    detection: dict[str, Any] = {
        "category": categories.setdefault(category, str(len(categories) + 1)),
        "conf": round(one.confidence, _DIGITS),
        "bbox": [round(edge, _DIGITS) for edge in box],
    }
    if one.cluster_id is not None:
        confidence = _confidence(one.distance, decided=one.decided)
        detection["classifications"] = [[str(one.cluster_id), confidence]]
    return detection


def _whole_image(batch: ExportBatch, row: int) -> dict[str, Any]:
    detection: dict[str, Any] = {
        "category": _WHOLE_IMAGE,
        "conf": 1.0,
        "bbox": [0.0, 0.0, 1.0, 1.0],
    }
    cluster_id = batch.cluster_ids[row]
    if cluster_id is not None:
        decided = batch.states[row] == AssignmentState.DECIDED
        confidence = _confidence(batch.distances[row], decided=decided)
        detection["classifications"] = [[str(cluster_id), confidence]]
    return detection


def _confidence(distance: float | None, *, decided: bool) -> float:
    if decided or distance is None:
        return 1.0
    return round(min(1.0, max(0.0, 1.0 - distance)), _DIGITS)


def _ours(batch: ExportBatch, row: int) -> dict[str, Any]:
    known = {
        "image_id": batch.image_ids[row],
        "cluster_id": batch.cluster_ids[row],
        "cluster_name": batch.cluster_names[row],
        "state": batch.states[row],
        "candidate_id": batch.candidate_ids[row],
        "candidate_name": batch.candidate_names[row],
        "distance": batch.distances[row],
        "margin": batch.margins[row],
        "deployment": batch.deployments[row],
        "event": batch.events[row],
        "burst": batch.bursts[row],
        "infrared": batch.infrared[row],
        "camera": batch.cameras[row],
        "latitude": batch.latitudes[row],
        "longitude": batch.longitudes[row],
        "brightness": batch.brightness[row],
        "chroma": batch.chroma[row],
        "extra": dict(batch.extras[row]) or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _exif_time(taken_at: str | None) -> str | None:
    """A time in the format of EXIF, which MegaDetector uses."""
    return None if taken_at is None else taken_at[:19].replace("-", ":").replace("T", " ")
