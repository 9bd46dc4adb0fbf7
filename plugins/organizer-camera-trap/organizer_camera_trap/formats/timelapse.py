"""CSV for import into Timelapse: one row per file, matched by ``RelativePath`` and ``File``.

https://timelapse.ucalgary.ca

Timelapse matches a row by the text of its two path columns; its own database has them with
backslashes and relative to the folder of its template, so they are written like that. A file in
that folder itself has an empty ``RelativePath``, and Timelapse then matches every file of that
name, also in sub-folders: keep cards in folders of their own.

It refuses a file with a column that its template does not have, an invalid ``DateTime``
(``yyyy-MM-dd HH:mm:ss``), or a flag other than true and false. So the columns can be chosen, an
image without a time is not written unless ``DateTime`` is left out, and ``DeleteFlag`` is false.
``DateTime`` is camera-local time, corrected by the deployment's shift. ``Light`` is a text, since
a flag cannot be unknown. ``Animals``, ``People`` and ``Vehicles`` count the detections above the
threshold, whatever a person decided, and are empty where no detector was run.

A name that a spreadsheet would run as a formula is escaped with an apostrophe; paths are exact, or
Timelapse would not find the files.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from organizer.errors import SettingsError
from organizer.export.paths import relative
from organizer.export.spreadsheet import guarded
from organizer.types import ExportBatch, ExportInfo, PartOption, VectorUse, label

_MARK = "\ufeff"
_OWN = ("RootFolder", "RelativePath", "File", "DateTime", "DeleteFlag")

_Value = str | int | float | None


class TimelapseCsv:
    """Writes CSV for Timelapse; see the module.

    Args:
        columns: The columns besides Timelapse's own, separated by commas; all where None.
        datetime: Whether there is a ``DateTime``, which Timelapse then imports.

    Raises:
        SettingsError: A column is named twice.
    """

    suffix = ".csv"
    file_name = "organizer-timelapse.csv"
    vectors = VectorUse.NEVER
    options: ClassVar[Mapping[str, PartOption]] = {
        "columns": PartOption(
            "the columns of the template, separated by commas",
            "Cluster,Deployment,ImageID",
        ),
        "datetime": PartOption("whether there is a DateTime for Timelapse to import", "yes"),
    }

    def __init__(self, *, columns: str | None = None, datetime: bool = True) -> None:
        self._columns = None if columns is None else _named(columns)
        self._datetime = datetime
        self.needs = frozenset({"taken_at"} if datetime else ())

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write a file, with the UTF-8 byte order mark."""
        base = about.relative_to or about.common
        offered = _offered(about)
        own = [name for name in _OWN if self._datetime or name != "DateTime"]
        chosen = list(offered) if self._columns is None else self._columns
        for name in chosen:
            if name not in offered:
                raise SettingsError(
                    f"there is no column {name} for Timelapse", f"there are: {', '.join(offered)}"
                )
        written = 0
        with to.open("w", encoding="utf-8", newline="") as file:
            file.write(_MARK)
            lines = csv.DictWriter(file, [*own, *chosen], lineterminator="\r\n")
            lines.writeheader()
            for batch in batches:
                values = {name: offered[name] for name in chosen}
                lines.writerows(_rows(batch, base, values, dated=self._datetime))
                written += len(batch)
        return written

    def opened_with(self, to: Path, *, about: ExportInfo) -> str:
        """How to import the file into Timelapse, in one line."""
        base = about.relative_to or about.common
        return f"in Timelapse, with the template in {base}: File, import from {to.name}"


_Column = Callable[[ExportBatch, int], _Value]


def _offered(about: ExportInfo) -> dict[str, _Column]:
    """The columns of this export, by their data label in a template."""
    counts = {name: _counted(one, about.threshold) for name, one in _CATEGORIES.items()}
    extras = {_title(name): _extra(name) for name in about.extras}
    return {**_COLUMNS, **counts, **extras}


def _cluster(batch: ExportBatch, row: int) -> _Value:
    state = batch.states[row]
    name = None if state is None else label(batch.cluster_ids[row], batch.cluster_names[row])
    return guarded(name)


def _candidate(batch: ExportBatch, row: int) -> _Value:
    candidate = batch.candidate_ids[row]
    return None if candidate is None else guarded(label(candidate, batch.candidate_names[row]))


def _light(batch: ExportBatch, row: int) -> _Value:
    infrared = batch.infrared[row]
    return None if infrared is None else "infrared" if infrared else "day"


def _counted(category: str, threshold: float) -> _Column:
    def count(batch: ExportBatch, row: int) -> _Value:
        boxes = batch.detections[row]
        if boxes is None:
            return None
        return sum(one.category == category and one.counts(threshold) for one in boxes)

    return count


def _extra(name: str) -> _Column:
    def value(batch: ExportBatch, row: int) -> _Value:
        found = batch.extras[row].get(name)
        return guarded(found) if isinstance(found, str) else found

    return value


_CATEGORIES = {"Animals": "animal", "People": "person", "Vehicles": "vehicle"}

_COLUMNS: Mapping[str, _Column] = {
    "Cluster": _cluster,
    "ClusterID": lambda batch, row: batch.cluster_ids[row],
    "ClusterName": lambda batch, row: guarded(batch.cluster_names[row]),
    "State": lambda batch, row: batch.states[row],
    "Candidate": _candidate,
    "Deployment": lambda batch, row: guarded(batch.deployments[row]),
    "Event": lambda batch, row: batch.events[row],
    "Burst": lambda batch, row: batch.bursts[row],
    "Light": _light,
    "Camera": lambda batch, row: guarded(batch.cameras[row]),
    "ImageID": lambda batch, row: batch.image_ids[row],
}


def _rows(
    batch: ExportBatch, base: Path, columns: Mapping[str, _Column], *, dated: bool
) -> Iterator[dict[str, _Value]]:
    """One row per file below the folder: an image with several files has several rows."""
    for row, path in enumerate(batch.paths):
        values = {name: value(batch, row) for name, value in columns.items()}
        files = relative([path, *batch.copies[row]], base)
        inside = [file for file in files if not _is_outside(file)]
        if not inside:
            raise SettingsError(
                f"{path} is outside {base}",
                "--relative-to the folder of the template, which holds all files",
            )
        for file in inside:
            yield {**_place(file, base), **_time(batch, row, dated=dated), **values}


def _is_outside(file: str) -> bool:
    return file.startswith("../") or Path(file).is_absolute()


def _place(file: str, base: Path) -> dict[str, _Value]:
    folder, _, name = file.rpartition("/")
    return {
        "RootFolder": base.name,
        "RelativePath": folder.replace("/", "\\"),
        "File": name,
        "DeleteFlag": "false",
    }


def _time(batch: ExportBatch, row: int, *, dated: bool) -> dict[str, _Value]:
    time = batch.taken_at[row]
    return {"DateTime": time[:19].replace("T", " ")} if dated and time is not None else {}


def _named(columns: str) -> list[str]:
    names = [name.strip() for name in columns.split(",") if name.strip()]
    if len(set(names)) < len(names):
        raise SettingsError(f"columns {columns} names one twice", "name each once")
    return names


def _title(name: str) -> str:
    """A name as a data label: moon_phase is MoonPhase."""
    words = "".join(c if c.isalnum() else " " for c in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words)
