"""The MegaDetector batch output format 1.6, for Timelapse, AddaxAI and MegaDetector's own tools.

https://lila.science/megadetector-output-format

In this format a classification hangs on a detection, and nothing was detected here. A box of the
category "animal" would claim an animal that nobody saw; no detections at all would claim that the
image is empty, and tools put such images aside. So every image has one detection of the whole image
(``bbox`` [0, 0, 1, 1], ``conf`` 1.0) in a category of its own, "whole_image_classification", which
is what SpeciesNet calls the carrier of a classification that belongs to no box. It says that the
box is the image, and nothing more. The three categories of MegaDetector are declared, so that the
file can be merged with a detector's, and used by nobody.

The cluster is the classification. Its confidence is the cosine similarity to the cluster's
centroid (1 - distance, not below 0), which is no probability; where a person decided it is 1.0. An
image that is unsure has its whole-image detection without a classification. One whose file is
missing is a failure, "image access failure". What the format has no field for stands in the image's
own ``organizer``; extra fields are allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from organizer.export.paths import relative
from organizer.records import ExportBatch, ExportInfo, VectorUse, label
from organizer.types import AssignmentState

_WHOLE_IMAGE = "4"
_DETECTION_CATEGORIES = {
    "1": "animal",
    "2": "person",
    "3": "vehicle",
    _WHOLE_IMAGE: "whole_image_classification",
}
_NOT_THERE = "image access failure"  # MegaDetector's own word


class MegaDetectorJson:
    """Writes MegaDetector JSON; see the module.

    ``file`` is relative to one folder, with forward slashes: the one that the user names, or the
    deepest that holds all ingested ones. ``info.organizer.base_folder`` says which it is.
    """

    suffix = ".json"
    file_name = "organizer-megadetector.json"
    vectors = VectorUse.NEVER

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file, image by image."""
        base = about.relative_to or about.common
        written = 0
        with to.open("w", encoding="utf-8", newline="\n") as file:
            file.write(_head(about, base) + '"images": [')
            for batch in batches:
                for image in _images(batch, base):
                    file.write(",\n" if written else "\n")
                    file.write(json.dumps(image, ensure_ascii=False, allow_nan=False))
                    written += 1
            file.write("\n]}\n")
        return written


def _head(about: ExportInfo, base: Path) -> str:
    head = {
        "info": {
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
        },
        "detection_categories": _DETECTION_CATEGORIES,
        "classification_categories": {str(i): label(i, name) for i, name in about.clusters.items()},
    }
    return json.dumps(head, ensure_ascii=False, allow_nan=False)[:-1] + ",\n"


def _images(batch: ExportBatch, base: Path) -> Iterator[dict[str, Any]]:
    for row, file in enumerate(relative(batch.paths, base)):
        missing = batch.missing[row]
        image: dict[str, Any] = {
            "file": file,
            "detections": None if missing else [_whole_image(batch, row)],
            "failure": _NOT_THERE if missing else None,
            "width": batch.widths[row],
            "height": batch.heights[row],
            "datetime": _exif_time(batch.taken_at[row]),
            "organizer": _ours(batch, row),
        }
        yield {name: value for name, value in image.items() if name != "failure" or missing}


def _whole_image(batch: ExportBatch, row: int) -> dict[str, Any]:
    detection: dict[str, Any] = {
        "category": _WHOLE_IMAGE,
        "conf": 1.0,
        "bbox": [0.0, 0.0, 1.0, 1.0],
    }
    cluster_id = batch.cluster_ids[row]
    if cluster_id is not None:
        detection["classifications"] = [[str(cluster_id), _confidence(batch, row)]]
    return detection


def _confidence(batch: ExportBatch, row: int) -> float:
    distance = batch.distances[row]
    if batch.states[row] == AssignmentState.DECIDED or distance is None:
        return 1.0
    return round(min(1.0, max(0.0, 1.0 - distance)), 6)


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
        "camera": batch.cameras[row],
        "latitude": batch.latitudes[row],
        "longitude": batch.longitudes[row],
        "brightness": batch.brightness[row],
        "chroma": batch.chroma[row],
    }
    return {name: value for name, value in known.items() if value is not None}


def _exif_time(taken_at: str | None) -> str | None:
    """A time as EXIF, and so MegaDetector, writes it."""
    return None if taken_at is None else taken_at[:19].replace("-", ":").replace("T", " ")
