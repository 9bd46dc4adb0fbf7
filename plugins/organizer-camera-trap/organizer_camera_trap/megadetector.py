"""Reads MegaDetector's batch results, formats 1.0 to 1.6, as detections.

https://lila.science/megadetector-output-format

An image with `"detections": null`, or none, failed, with the reason in `failure`. An empty list
means that nothing was detected. Classifications and other values of an image are kept with its
boxes. A box is in shares of width and height, from the upper left corner.

A box of the category "whole_image_classification" only carries a classification: it is left out,
and an image without other boxes counts as not processed by a detector.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from organizer.errors import SettingsError
from organizer.types import Detected, Detection, ImageDetections
from organizer_camera_trap.json_stream import JsonElements, json_members

_SLACK = 0.005
"""How far a box may extend beyond its picture, as a share: detectors round."""

_KNOWN = range(7)
_SHOWN = 20
_NOTHING = {"empty", "blank"}
_CARRIER = "whole_image_classification"
_PEOPLE = {"person", "people", "human"}
_TAKEN = {"file", "detections", "failure"}


@dataclass(slots=True)
class DetectorResults:
    """A file of results: its metadata and the paths of its images.

    Attributes:
        file: The file.
        version: The format, "1.4"; empty where it is not given.
        detector: The detector's name and version; empty likewise.
        usual_threshold: The detector's typical threshold; None likewise.
        categories: The names of the boxes' categories, by number.
        classes: The names of the classifications, by number.
        paths: The paths of its images as they are written, in their order.
        notes: Notes to the user about the file.
    """

    file: Path
    version: str = ""
    detector: str = ""
    usual_threshold: float | None = None
    categories: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def detections(self, image_ids: Mapping[str, str]) -> Iterator[ImageDetections]:
        """Read the detections of a library's images, one by one.

        Args:
            image_ids: The image of each path, as it is written; others are left out. Of several
                paths of one image the first counts.

        Raises:
            SettingsError: An image is not in the format; the message names the place.
        """
        done: set[str] = set()
        for number, image in _images(self.file):
            image_id = image_ids.get(image["file"])
            if image_id is not None and image_id not in done:
                done.add(image_id)
                one = _detections(image, image_id, self, _Place(self.file, f"images[{number}]"))
                if one is not None:
                    yield one


def read_results(file: Path) -> DetectorResults:
    """Read a file's metadata and the paths of its images.

    Every image is checked, so that a file with a mistake is refused as a whole.

    Raises:
        SettingsError: It cannot be read, is not in the format, or holds an image twice.
    """
    results = DetectorResults(file)
    there = False
    for name, value in json_members(file, listed="images"):
        place = _Place(file, name)
        if name == "info":
            _read_info(value, results, place)
        elif name == "detection_categories":
            results.categories = _names(value, place)
        elif name == "classification_categories":
            results.classes = _names(value, place)
        elif name == "images":
            there = True
            results.paths = _paths(value, place)
        elif name in {"predictions", "annotations"}:
            raise SettingsError(
                f"{file} holds {name!r}: it is not in MegaDetector's batch format",
                "convert it, for example with the megadetector package",
            )
    if not there:
        raise SettingsError(
            f"{file} has no list of images: it is not in MegaDetector's batch format",
            "give the file that run_detector_batch or AddaxAI wrote",
        )
    for _ in results.detections({path: path for path in results.paths}):
        pass
    return results


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a file, for messages."""

    file: Path
    where: str

    def at(self, more: str) -> _Place:
        return _Place(self.file, f"{self.where}{more}")

    def wrong(self, what: str) -> SettingsError:
        return SettingsError(
            f"{self.file}, {self.where}: {what}",
            "the format: https://lila.science/megadetector-output-format",
        )


def _read_info(value: Any, results: DetectorResults, place: _Place) -> None:
    if not isinstance(value, dict):
        raise place.wrong("is not an object")
    version = str(value.get("format_version", ""))
    main, _, part = version.partition(".")
    if version and main != "1":
        raise place.at(".format_version").wrong(f"{version!r} cannot be read, only 1.0 to 1.6")
    if version and not (part.isdecimal() and int(part) in _KNOWN):
        results.notes.append(f"format {version} is newer than the newest supported one, 1.6")
    results.version, results.detector = version, _text(value.get("detector") or "")
    metadata = value.get("detector_metadata")
    if isinstance(metadata, dict):
        usual = metadata.get("typical_detection_threshold")
        if usual is not None:
            at = place.at(".detector_metadata.typical_detection_threshold")
            results.usual_threshold = _share(usual, at, slack=0.0)


def _names(value: Any, place: _Place) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise place.wrong("should give a name for each number")
    return {number: _text(name) for number, name in value.items()}


def _paths(value: Any, place: _Place) -> list[str]:
    if not isinstance(value, JsonElements):
        raise place.wrong("is not a list")
    number_of: dict[str, int] = {}
    for number, image in enumerate(value):
        path = _path(image, place.at(f"[{number}]"))
        if path in number_of:
            raise place.at(f"[{number}]").wrong(f"{path} is also in images[{number_of[path]}]")
        number_of[path] = number
    return list(number_of)


def _path(image: Any, place: _Place) -> str:
    if not isinstance(image, dict):
        raise place.wrong("is not an object")
    path = image.get("file")
    if not isinstance(path, str) or not path.strip():
        raise place.at(".file").wrong("is not a path")
    return path


def _images(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for name, value in json_members(file, listed="images"):
        if name == "images" and isinstance(value, JsonElements):
            for number, image in enumerate(value):
                _path(
                    image, _Place(file, f"images[{number}]")
                )  # the file may have changed since it was checked
                yield number, image


def _detections(
    image: dict[str, Any], image_id: str, results: DetectorResults, place: _Place
) -> ImageDetections | None:
    """The detections of an image; None where no detector processed it."""
    failure, boxes = image.get("failure"), image.get("detections")
    if failure is not None and not isinstance(failure, str):
        raise place.at(".failure").wrong("is not a text")
    extra = _extra(image)
    if boxes is None:
        failure = _text(failure or "the results have no detections of it")
        return ImageDetections(image_id, Detected.FAILED, (), failure, results.detector, extra)
    if not isinstance(boxes, list):
        raise place.at(".detections").wrong("is not a list")
    is_processed = not boxes
    found: list[Detection] = []
    classified: dict[str, list[list[Any]]] = {}
    for number, box in enumerate(boxes):
        at = place.at(f".detections[{number}]")
        read = _box(box, results, at)
        is_processed = is_processed or _name(box, results) != _CARRIER
        if read is not None:
            classes = _classifications(box, results, at)
            if classes:
                classified[str(len(found))] = classes
            found.append(read)
    if not is_processed:
        return None
    if classified:
        extra["classifications"] = json.dumps(classified, ensure_ascii=False)
    outcome = Detected.FOUND if found else Detected.EMPTY
    reason = _text(failure or "")
    return ImageDetections(image_id, outcome, tuple(found), reason, results.detector, extra)


def _box(box: Any, results: DetectorResults, place: _Place) -> Detection | None:
    """One box; None for one of an empty image, or without area."""
    if not isinstance(box, dict):
        raise place.wrong("is not an object")
    name = _name(box, results)
    if not name:
        number = str(box.get("category"))
        raise place.at(".category").wrong(f"{number!r} is not in detection_categories")
    if name in _NOTHING or name == _CARRIER:
        return None
    confidence = _share(box.get("conf"), place.at(".conf"))
    edges = box.get("bbox")
    if not isinstance(edges, list) or len(edges) != 4:
        raise place.at(".bbox").wrong("is not four numbers")
    x, y, width, height = (_share(e, place.at(f".bbox[{i}]")) for i, e in enumerate(edges))
    if x + width > 1 + _SLACK or y + height > 1 + _SLACK:
        raise place.at(".bbox").wrong(
            "extends beyond the picture: it should be x, y, width, height as shares of it"
        )
    width, height = min(width, 1 - x), min(height, 1 - y)
    if width <= 0 or height <= 0:
        return None
    return Detection("person" if name in _PEOPLE else name, confidence, x, y, width, height)


def _name(box: dict[str, Any], results: DetectorResults) -> str:
    return results.categories.get(str(box.get("category")), "").strip().lower()


def _share(value: Any, place: _Place, *, slack: float = _SLACK) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.wrong("is not a number")
    if not -slack <= value <= 1 + slack:
        raise place.wrong(f"{str(value)[:_SHOWN]} is not between 0 and 1")
    return min(max(float(value), 0.0), 1.0)


def _classifications(
    box: dict[str, Any], results: DetectorResults, place: _Place
) -> list[list[Any]]:
    """Names and confidences, as the file has them."""
    classes = box.get("classifications")
    if classes is None:
        return []
    pairs = isinstance(classes, list) and all(isinstance(c, list) and len(c) == 2 for c in classes)
    if not pairs:
        raise place.at(".classifications").wrong("is not a list of pairs")
    return [[results.classes.get(str(number), _text(number)), share] for number, share in classes]


def _extra(image: dict[str, Any]) -> dict[str, str | int | float]:
    """Other values of an image that are texts or numbers."""
    return {
        _text(name): _text(value) if isinstance(value, str) else value
        for name, value in image.items()
        if name not in _TAKEN and isinstance(value, str | int | float)
    }


def _text(value: object) -> str:
    """A text that can be stored: JSON can hold lone surrogates, which UTF-8 cannot."""
    return str(value).encode("utf-8", "replace").decode()
