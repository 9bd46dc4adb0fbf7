"""media.csv and observations.csv, written in one pass over the images."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from organizer.errors import SettingsError
from organizer.export.paths import relative
from organizer.types import ExportBatch, ExportInfo
from organizer_camera_trap.clock_checks import check_clock
from organizer_camera_trap.formats.camtrap_dp.deployments import Row
from organizer_camera_trap.formats.camtrap_dp.events import Event
from organizer_camera_trap.formats.camtrap_dp.observations import Observation, ObservationReader
from organizer_camera_trap.formats.camtrap_dp.standard import (
    DEPLOYMENTS_HEADER,
    MEDIA_HEADER,
    OBSERVATIONS_HEADER,
    media_type,
)
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa, Taxon
from organizer_camera_trap.formats.camtrap_dp.zones import require_valid_time, with_offset

_SMALLEST = 1e-15  # the standard's least width and height of a box
_DIGITS = 6

_METHODS = {"motion": "activityDetection", "time lapse": "timeLapse"}
"""Capture methods by the trigger in the notes of a camera."""

_Cells = dict[str, str | int | float | None]


class Tables:
    """Writes the tables of a package into a folder.

    Args:
        to: The folder.
        about: What all batches have in common.
        where: The time zone of the cameras' clocks.
        taxa: The meaning of cluster names.
        person: The name of whoever decided; where empty, the one that is kept with a decision.
        levels: The levels of observations: "media", "event".
        capture_method: The capture method of all images; "" where there are several: then that of
            an image is told by its camera, or not at all.
        public: Whether the files are publicly accessible.
        url: A prefix of their paths.
    """

    def __init__(
        self,
        to: Path,
        about: ExportInfo,
        *,
        where: tzinfo,
        taxa: Taxa,
        person: str,
        levels: Sequence[str],
        capture_method: str,
        public: bool,
        url: str,
    ) -> None:
        self._to, self._about, self._where = to, about, where
        self._taxa, self._person, self._levels = taxa, person, levels
        self._reader = ObservationReader(taxa, about, person)
        self._capture_method, self._public, self._url = capture_method, public, url
        self._events: dict[int, Event] = {}
        self._photos: dict[str, list[tuple[str, str]]] = {}
        self._names: dict[str, Taxon] = {}

    @property
    def observed_taxa(self) -> list[Taxon]:
        """The taxa of the observations, by scientific name."""
        return [self._names[name] for name in sorted(self._names)]

    def doubtful_clocks(self, now: datetime) -> set[str]:
        """The deployments whose times are doubtful by the images that were written."""
        found = set()
        for name, photos in self._photos.items():
            one = self._about.deployments[name]
            clock = check_clock(photos, start=one.start, end=one.end, now=now, where=self._where)
            if clock.is_doubtful:
                found.add(name)
        return found

    def write_deployments(self, rows: Iterable[Row]) -> None:
        """Write deployments.csv."""
        with self._file("deployments") as file:
            _writer(file, DEPLOYMENTS_HEADER).writerows(rows)

    def write(self, batches: Iterable[ExportBatch]) -> int:
        """Write media.csv and observations.csv, and return the number of images."""
        written = 0
        with self._file("media") as media, self._file("observations") as observations:
            media_rows = _writer(media, MEDIA_HEADER)
            observation_rows = _writer(observations, OBSERVATIONS_HEADER)
            for batch in batches:
                media_rows.writerows(self._media(batch))
                observation_rows.writerows(self._observations(batch))
                written += len(batch)
            for event in self._events.values():
                observation_rows.writerows(self._of_event(event))
        return written

    def _file(self, table: str) -> TextIO:
        return (self._to / f"{table}.csv").open("w", encoding="utf-8", newline="")

    # Media ---------------------------------------------------------------------------------

    def _media(self, batch: ExportBatch) -> Iterator[_Cells]:
        base = self._about.relative_to or self._about.common
        for row, path in enumerate(relative(batch.paths, base)):
            taken_at = _known(batch.taken_at[row])
            require_valid_time(taken_at, self._where, by=path)
            self._photos.setdefault(batch.deployments[row] or "", []).append((path, taken_at))
            yield {
                "mediaID": batch.image_ids[row],
                "deploymentID": batch.deployments[row],
                "captureMethod": self._capture_method or _method_of(batch.extras[row]),
                "timestamp": with_offset(taken_at, self._where),
                "filePath": _path(path, base, self._url),
                "filePublic": _flag(self._public),
                "fileName": path.rpartition("/")[2],
                "fileMediatype": media_type(batch.formats[row]),
                "exifData": _json(batch.extras[row]),
                "mediaComments": _clock(batch.clock_times[row]),
            }

    # Observations --------------------------------------------------------------------------

    def _observations(self, batch: ExportBatch) -> Iterator[_Cells]:
        """The observations of a batch's images at the level "media"; events collect them too."""
        for row, image_id in enumerate(batch.image_ids):
            observations = list(self._reader.of(batch, row))
            deployment, number = batch.deployments[row] or "", batch.events[row]
            event = Event(deployment, -1 if number is None else number)
            if "event" in self._levels:
                self._events.setdefault(event.number, event).add(observations)
            if "media" not in self._levels:
                continue
            for place, one in enumerate(observations, 1):
                yield {
                    "observationID": f"{image_id}-{place}",
                    "deploymentID": deployment,
                    "mediaID": image_id,
                    "observationLevel": "media",
                    **self._when(event),
                    **self._what(one),
                    **_box(one),
                }

    def _of_event(self, event: Event) -> Iterator[_Cells]:
        when = self._when(event)
        for place, (one, count) in enumerate(event.observations(), 1):
            yield {
                "observationID": f"{when['eventID']}-{place}",
                "deploymentID": event.deployment,
                "observationLevel": "event",
                **when,
                **self._what(one),
                "count": count,
            }

    def _when(self, event: Event) -> _Cells:
        """An event's columns; its id is made of place and start, which later ingests keep."""
        first, last = (with_offset(time, self._where) for time in self._about.events[event.number])
        began = "".join(c for c in first[:19] if c.isalnum())
        return {
            "eventID": f"{event.deployment}-{began}",
            "eventStart": first,
            "eventEnd": last,
        }

    def _what(self, one: Observation) -> _Cells:
        if one.scientific_name and one.scientific_name not in self._names:
            self._names[one.scientific_name] = self._taxa.by_scientific_name(one.scientific_name)
        classified = one.kind != "unclassified" or bool(one.tags)
        by_machine = classified and not one.by_person
        clustered_at = self._about.clustered_at if by_machine and one.tags else None
        return {
            "observationType": one.kind,
            "scientificName": one.scientific_name,
            "classificationMethod": _method(one) if classified else "",
            "classifiedBy": one.by,
            "classificationTimestamp": clustered_at and _to_the_second(clustered_at),
            "classificationProbability": one.probability and round(one.probability, _DIGITS),
            "observationTags": one.tags,
        }


def _known(time: str | None) -> str:
    if time is None:
        raise ValueError("an image without a time in a format that needs one")
    return time


def _method(one: Observation) -> str:
    return "human" if one.by_person else "machine"


def _box(one: Observation) -> _Cells:
    """The bounding box within the image, where there is one."""
    if one.box is None:
        return {}
    left, upper = (_share(edge) for edge in (one.box.x, one.box.y))
    width = min(_share(one.box.width), round(1 - left, _DIGITS))
    height = min(_share(one.box.height), round(1 - upper, _DIGITS))
    if width < _SMALLEST or height < _SMALLEST:
        return {}
    return {"bboxX": left, "bboxY": upper, "bboxWidth": width, "bboxHeight": height}


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), _DIGITS)


def _path(path: str, base: Path, url: str) -> str:
    """A path as the standard allows it.

    Raises:
        SettingsError: It contains ".." or begins with one of ``. / ~``.
    """
    is_elsewhere = path.startswith(("../", "/")) or path[1:3] == ":/"  # another drive of Windows
    if url and not is_elsewhere:
        return f"{url.rstrip('/')}/{quote(path)}"
    if is_elsewhere or path.startswith((".", "~")) or ".." in path:
        raise SettingsError(
            f"Camtrap DP does not allow the path {path} below {base}",
            "--relative-to FOLDER, which holds it; no path may begin with . or ~, or contain ..",
        )
    return path


def _to_the_second(time: str) -> str:
    return datetime.fromisoformat(time).isoformat(timespec="seconds")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _json(extra: Mapping[str, str | int | float]) -> str:
    return json.dumps(dict(extra), ensure_ascii=False, sort_keys=True) if extra else ""


def _method_of(extra: Mapping[str, str | int | float]) -> str:
    """The capture method by what the camera says of its trigger; "" where it says nothing."""
    return _METHODS.get(str(extra.get("trigger")), "")


def _clock(time: str | None) -> str:
    return "" if time is None else f"the camera's clock showed {time}"


def _writer(file: TextIO, columns: Sequence[str]) -> csv.DictWriter[str]:
    lines = csv.DictWriter(file, columns, lineterminator="\r\n")
    lines.writeheader()
    return lines
