"""Reads MegaDetector's batch results, formats 1.0 to 1.6, and SpeciesNet's, as detections.

https://lila.science/megadetector-output-format
https://github.com/google/cameratrapai, "Output format"

An image with `"detections": null`, or none, failed, with the reason in `failure`. An empty list
means that nothing was detected. Classifications and other values of an image are kept with its
boxes. A box is in shares of width and height, from the upper left corner.

A box of the category "whole_image_classification" only carries a classification: it is left out,
and an image without other boxes counts as not processed by a detector.

Of a video the boxes of one frame are read: see `frames`.

An odd entry harms itself alone: a box that reaches over the edge is clipped, one that cannot be
read is left out, and both are counted. An image of which no box can be read failed: it is not
empty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from organizer.errors import SettingsError
from organizer.library.photo_paths.find import printable
from organizer.types import Box, Detected, Detection, ImageDetections
from organizer_camera_trap.frames import (
    FrameBox,
    boxes_of_one_frame,
    frame_number,
    told_of_frame,
)
from organizer_camera_trap.json_stream import JsonElements, RepeatedNames, json_members

_SLACK = 0.005
"""How far a box may extend beyond its picture, as a share: detectors round."""

_FARTHEST = 2.0
"""A share of a picture is never farther from it; pixels are."""

_KNOWN = range(7)
_SHOWN = 20
_LISTS = ("images", "predictions")  # MegaDetector's, SpeciesNet's
_NOTHING = {"empty", "blank"}
_CARRIER = "whole_image_classification"
_PEOPLE = {"person", "people", "human"}
_TAKEN = {"file", "filepath", "detections", "failure"}


@dataclass(slots=True)
class OddEntries:
    """What is odd in a file of results.

    Attributes:
        clipped: Number of boxes that reached over the edge of their picture.
        boxes: Number of boxes that were left out.
        images: Number of images that were left out: without a path, or there twice.
        first_clipped: Where the first such box is.
        first_left_out: Where the first box or image is that was left out, and why.
    """

    clipped: int = 0
    boxes: int = 0
    images: int = 0
    first_clipped: str = ""
    first_left_out: str = ""

    def lines(self) -> list[str]:
        """A line for each kind."""
        lines = []
        if self.clipped:
            one, many = "1 box reaches", f"{self.clipped:,} boxes reach"
            what = one if self.clipped == 1 else many
            lines.append(f"{what} over the edge and are clipped: {self.first_clipped}")
            if self.clipped == 1:
                lines[-1] = lines[-1].replace("are clipped", "is clipped")
        left = [f"{self.boxes:,} {'box' if self.boxes == 1 else 'boxes'}"] if self.boxes else []
        if self.images:
            left.append(f"{self.images:,} {'image' if self.images == 1 else 'images'}")
        if left:
            lines.append(f"left out: {' and '.join(left)}; the first: {self.first_left_out}")
        return lines


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
        odd: What of it was clipped or left out.
        notes: Notes to the user about the file.
    """

    file: Path
    version: str = ""
    detector: str = ""
    usual_threshold: float | None = None
    categories: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    odd: OddEntries = field(default_factory=OddEntries)
    notes: list[str] = field(default_factory=list)

    def detections(
        self, image_ids: Mapping[str, str], *, odd: OddEntries | None = None
    ) -> Iterator[ImageDetections]:
        """Read the detections of a library's images, one by one.

        Args:
            image_ids: The image of each path, as it is written; others are left out. Of several
                paths of one image the first counts.
            odd: What is odd is counted here too; `DetectorResults.odd` has all of the file.

        Raises:
            SettingsError: The file cannot be read any more.
        """
        odd = OddEntries() if odd is None else odd
        done: set[str] = set()
        for image, place in _images(self.file):
            path = _path(image)
            image_id = None if path is None else image_ids.get(path)
            if image_id is not None and image_id not in done:
                done.add(image_id)
                one = _detections(image, image_id, self, place, odd)
                if one is not None:
                    yield one


def read_results(file: Path) -> DetectorResults:
    """Read a file's metadata and the paths of its images, and count its odd entries.

    Raises:
        SettingsError: It cannot be read, is not JSON or not in one of the formats, or not one of
            its images has a path.
    """
    results = DetectorResults(file)
    lists = 0
    numbers: dict[str, str] = {}
    for name, value in json_members(file, listed=_LISTS):
        if name == "info":
            _read_info(value, results)
        elif name == "detection_categories":
            results.categories |= _names(value, _Place(file, name), results)
        elif name == "classification_categories":
            results.classes |= _names(value, _Place(file, name), results)
        elif name in _LISTS:
            if not isinstance(value, JsonElements):
                raise _Place(file, name).wrong("is not a list")
            lists += 1
            _read_paths(value, _Place(file, name), numbers, results.odd)
        elif name == "annotations":
            raise SettingsError(
                f"{file} holds {name!r}: it is not in MegaDetector's batch format",
                "convert it, for example with the megadetector package",
            )
    if not lists or (results.odd.images and not numbers):
        why = f": {results.odd.first_left_out}" if lists else ""
        raise SettingsError(
            f"{file} has no list of images: it is not in MegaDetector's batch format{why}",
            "give the file that run_detector_batch, AddaxAI or SpeciesNet wrote",
        )
    results.paths = list(numbers)
    for _ in results.detections({path: path for path in results.paths}, odd=results.odd):
        pass
    return results


class _OddBoxError(Exception):
    """What is wrong with a box."""


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


def _read_info(value: Any, results: DetectorResults) -> None:
    if not isinstance(value, dict):
        results.notes.append("its member info is not an object: the detector is not known")
        return
    version = str(value.get("format_version") or "")
    main, _, part = version.partition(".")
    if version and main != "1":
        place = _Place(results.file, "info.format_version")
        raise place.wrong(f"{version[:_SHOWN]!r} cannot be read, only 1.0 to 1.6")
    if version and not (part.isdecimal() and int(part[:4]) in _KNOWN):
        results.notes.append(
            f"format {version[:_SHOWN]} is newer than the newest supported one, 1.6"
        )
    results.version, results.detector = version, printable(str(value.get("detector") or ""))
    metadata = value.get("detector_metadata")
    usual = metadata.get("typical_detection_threshold") if isinstance(metadata, dict) else None
    if usual is not None:
        try:
            results.usual_threshold = _share(usual, slack=0.0)
        except _OddBoxError as error:
            results.notes.append(f"the detector's typical threshold {error}; it is not used")


def _names(value: Any, place: _Place, results: DetectorResults) -> dict[str, str]:
    if not isinstance(value, dict):
        raise place.wrong("should give a name for each number")
    names = {number: printable(name) for number, name in value.items() if isinstance(name, str)}
    if isinstance(value, RepeatedNames):
        results.notes.append(f"{place.where} gives two names for one number; the last counts")
    if len(names) < len(value):
        results.notes.append(f"{place.where} gives no name for a number; it is left out")
    return names


def _read_paths(
    images: JsonElements, place: _Place, numbers: dict[str, str], odd: OddEntries
) -> None:
    """Add the path of each image, with its place; images without one are counted."""
    for number, image in enumerate(images):
        path, at = _path(image), place.at(f"[{number}]")
        if path is None:
            is_object = isinstance(image, dict)
            why = "has no path of its file" if is_object else "is not an object"
            _leave_image(odd, at, why)
        elif path in numbers:
            _leave_image(odd, at, f"{printable(path)} is also in {numbers[path]}, which counts")
        else:
            numbers[path] = at.where


def _leave_image(odd: OddEntries, place: _Place, why: str) -> None:
    odd.images += 1
    odd.first_left_out = odd.first_left_out or f"{place.where} {why}"


def _path(image: Any) -> str | None:
    """The path of an image; None where it has none."""
    if not isinstance(image, dict):
        return None
    path = image.get("file", image.get("filepath"))
    return path if isinstance(path, str) and path.strip() else None


def _images(file: Path) -> Iterator[tuple[Any, _Place]]:
    for name, value in json_members(file, listed=_LISTS):
        if name in _LISTS and isinstance(value, JsonElements):
            for number, image in enumerate(value):
                yield image, _Place(file, f"{name}[{number}]")


def _detections(
    image: dict[str, Any],
    image_id: str,
    results: DetectorResults,
    place: _Place,
    odd: OddEntries,
) -> ImageDetections | None:
    """The detections of an image; None where no detector processed it."""
    extra = _extra(image)
    reason = printable(str(image.get("failure") or ""))
    boxes = image.get("detections")
    failed = ImageDetections(image_id, Detected.FAILED, (), "", results.detector, extra)
    if boxes is None:
        return replace(failed, failure=reason or "the results have no detections of it")
    if not isinstance(boxes, list) or isinstance(image, RepeatedNames):
        repeated = isinstance(image, RepeatedNames)
        why = "has two values of one name" if repeated else "its detections are not a list"
        _leave_image(odd, place, why)
        return replace(failed, failure=f"it cannot be read in the results: {why}")
    read_boxes: list[FrameBox] = []
    is_processed, unread = not boxes, ""
    for number, box in enumerate(boxes):
        is_processed = is_processed or not _is_carrier(box, results)
        try:
            read = _box(box, results, place.at(f".detections[{number}]"), odd)
        except _OddBoxError as error:
            unread = unread or str(error)
            odd.boxes += 1
            where = f"{place.where}.detections[{number}]"
            odd.first_left_out = odd.first_left_out or f"{where}: {error}"
            continue
        if read is not None:
            read_boxes.append(FrameBox(read, frame_number(box), _classifications(box, results)))
    if not is_processed:
        return None
    frame, kept = boxes_of_one_frame(read_boxes)
    found = [box.detection for box in kept]
    if unread and not found:
        return replace(failed, failure=f"no box of it can be read in the results: {unread}")
    if frame is not None:
        extra |= told_of_frame(frame, image, left_out=len(read_boxes) - len(kept))
    classified = {str(n): box.classes for n, box in enumerate(kept) if box.classes}
    if classified:
        extra["classifications"] = json.dumps(classified, ensure_ascii=False)
    outcome = Detected.FOUND if found else Detected.EMPTY
    return ImageDetections(image_id, outcome, tuple(found), reason, results.detector, extra)


def _box(box: Any, results: DetectorResults, place: _Place, odd: OddEntries) -> Detection | None:
    """One box; None for one that says that nothing is there, or only carries a classification.

    Raises:
        _OddBoxError: It cannot be read.
    """
    if not isinstance(box, dict):
        raise _OddBoxError("is not an object")
    if isinstance(box, RepeatedNames):
        raise _OddBoxError("has two values of one name")
    name = _name(box, results)
    if not name:
        number = str(box.get("category"))[:_SHOWN]
        raise _OddBoxError(f"the category {number!r} is not in detection_categories")
    if name in _NOTHING or name == _CARRIER:
        return None
    try:
        confidence = _share(box.get("conf"))
    except _OddBoxError as error:
        raise _OddBoxError(f"the confidence {error}") from error
    edges = box.get("bbox")
    if not isinstance(edges, list) or len(edges) != 4:
        raise _OddBoxError("bbox is not four numbers")
    where, is_clipped = _clipped(*map(_edge, edges))
    if is_clipped:
        odd.clipped += 1
        odd.first_clipped = odd.first_clipped or place.where
    category = "person" if name in _PEOPLE else name
    return Detection(category, confidence, where.x, where.y, where.width, where.height)


def _clipped(x: float, y: float, width: float, height: float) -> tuple[Box, bool]:
    """A box within its picture, and whether more than rounding was clipped.

    Raises:
        _OddBoxError: Nothing is left of it.
    """
    is_rounded = min(x, y) >= -_SLACK and max(x + width, y + height) <= 1 + _SLACK
    left, upper = max(x, 0.0), max(y, 0.0)
    if is_rounded:
        box = Box(left, upper, min(width, 1 - left), min(height, 1 - upper))
    else:
        box = Box(left, upper, min(x + width, 1.0) - left, min(y + height, 1.0) - upper)
    if width <= 0 or height <= 0:
        raise _OddBoxError("bbox has no area")
    if box.width <= 0 or box.height <= 0:
        raise _OddBoxError("bbox is outside the picture")
    return box, not is_rounded


def _is_carrier(box: Any, results: DetectorResults) -> bool:
    return isinstance(box, dict) and _name(box, results) == _CARRIER


def _name(box: dict[str, Any], results: DetectorResults) -> str:
    """The name of a box's category; SpeciesNet writes it with the box."""
    name = results.categories.get(str(box.get("category")))
    if name is None and not results.categories and isinstance(box.get("label"), str):
        name = printable(box["label"])
    return (name or "").strip().lower()


def _edge(value: Any) -> float:
    number = _number(value, "bbox ")
    if abs(number) > _FARTHEST:
        raise _OddBoxError(f"bbox {str(value)[:_SHOWN]} is not a share of the picture")
    return number


def _share(value: Any, *, slack: float = _SLACK) -> float:
    number = _number(value, "")
    if not -slack <= number <= 1 + slack:
        raise _OddBoxError(f"{str(value)[:_SHOWN]} is not between 0 and 1")
    return min(max(number, 0.0), 1.0)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _OddBoxError(f"{what}{printable(str(value))[:_SHOWN]!r} is not a number")
    if not math.isfinite(value):
        raise _OddBoxError(f"{what}{value} is not a number")
    return float(value)


def _classifications(box: dict[str, Any], results: DetectorResults) -> list[list[Any]]:
    """Names and confidences, as the file has them; what is no such pair is left out."""
    classes = box.get("classifications")
    return [
        [results.classes.get(str(pair[0]), printable(str(pair[0]))), pair[1]]
        for pair in (classes if isinstance(classes, list) else [])
        if isinstance(pair, list) and len(pair) == 2 and _is_number(pair[1])
    ]


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _extra(image: dict[str, Any]) -> dict[str, str | int | float]:
    """Other values of an image that are texts or numbers."""
    return {
        printable(name): printable(value) if isinstance(value, str) else value
        for name, value in image.items()
        if name not in _TAKEN
        and (
            isinstance(value, str | bool) or (isinstance(value, int | float) and _is_number(value))
        )
    }
