"""Truth: known classes of images, from folders, a table, or the photos' own metadata."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from organizer.arguments import require_path
from organizer.errors import SettingsError
from organizer.library import csv_tables
from organizer.light import is_infrared
from organizer.store import Store

FOLDERS = "folders"
TRUTH_COLUMNS = ("camera", "format", "light")
"""Properties of the photos themselves that may be taken for truth."""

_PATH_COLUMNS = ("path", "file", "filename", "filepath", "image")
_LABEL_COLUMNS = ("label", "class", "truth", "species", "category")


@dataclass(frozen=True, slots=True)
class Truth:
    """The known classes of images.

    Attributes:
        of: The class by image id, where it is known.
        unmatched: Number of labels of files that are not in the library.
        conflicting: Number of images with several different labels: copies in different folders, or
            lines of a table that contradict each other.
        of_table: Whether the labels are those of a table.
    """

    of: Mapping[str, str]
    unmatched: int = 0
    conflicting: int = 0
    of_table: bool = False

    @property
    def conflict(self) -> str | None:
        """A note on images with several labels; None where there are none."""
        if not self.conflicting:
            return None
        images = "1 image has" if self.conflicting == 1 else f"{self.conflicting:,} images have"
        if self.of_table:
            return f"{images} several different labels; the first in the table counts"
        return f"{images} copies in folders of different names; the first by path counts"


def read_truth(store: Store, labels: str, *, below: Path) -> Truth:
    """Read the truth; the class of a photo is also that of its crops.

    Args:
        store: The library.
        labels: "folders" (the folder that a file lies in is its class), one of `TRUTH_COLUMNS`, or
            the path of a CSV file with the columns path and label; a colon and the name of another
            column may follow the path.
        below: What a relative path is relative to.

    Raises:
        SettingsError: The labels cannot be read.
    """
    found = _truth_of(store, labels, below=below)
    crops = store.detections.crops().values() if store.detections.has_crops() else ()
    cut = {crop.crop_id: found.of[crop.image_id] for crop in crops if crop.image_id in found.of}
    return replace(found, of={**found.of, **cut}) if cut else found


def _truth_of(store: Store, labels: str, *, below: Path) -> Truth:
    if labels in TRUTH_COLUMNS:
        return Truth(_from_photos(store, labels))
    files = store.photos.files_of(with_people=True)
    if labels == FOLDERS:
        pairs = ((i, row.file.parent.name) for i, rows in files.items() for row in rows)
        return _one_label_each(pairs)
    file, column = _file_and_column(labels, below)
    roots = [root.folder for root in store.roots.all()]
    by_path = {str(row.file): image_id for image_id, rows in files.items() for row in rows}
    places = [(below / file).resolve().parent, below, *roots]
    match = _Matcher.of(by_path, places)
    matched = [(match(path), label) for path, label in _labels(below, file, column, match)]
    truth = _one_label_each((i, label) for i, label in matched if i is not None)
    unmatched = sum(i is None for i, _ in matched)
    return Truth(truth.of, unmatched, truth.conflicting, of_table=True)


def require_labelled(truth: Truth, image_ids: Iterable[str], labels: str) -> None:
    """Make sure that one of the images has a label.

    Args:
        truth: The truth.
        image_ids: The images.
        labels: Where the truth is from, for the message.

    Raises:
        SettingsError: They do not.
    """
    if any(image_id in truth.of for image_id in image_ids):
        return
    if labels in TRUTH_COLUMNS:
        raise SettingsError(f"no photo of the library has a known {labels}", "use other --labels")
    raise SettingsError(
        f"no image of the library has a label in {labels}",
        "paths in the file are relative to it, to the current folder or to an ingested folder",
    )


def _from_photos(store: Store, column: str) -> dict[str, str]:
    if column == "light":
        found = store.photos.columns("image_id", "chroma")
        return {
            i: "infrared" if is_infrared(chroma) else "colour"
            for i, chroma in zip(found["image_id"], found["chroma"], strict=True)
            if chroma is not None
        }
    found = store.photos.columns("image_id", column)
    return {i: value for i, value in zip(found["image_id"], found[column], strict=True) if value}


def _one_label_each(pairs: Iterable[tuple[str, str]]) -> Truth:
    """The first label of each image, and the number of images that have another one too."""
    truth: dict[str, str] = {}
    conflicting: set[str] = set()
    for image_id, label in pairs:
        if truth.setdefault(image_id, label) != label:
            conflicting.add(image_id)
    return Truth(truth, conflicting=len(conflicting))


def _file_and_column(labels: str, below: Path) -> tuple[Path, str | None]:
    """The table, and the column that was named behind a colon."""
    path = _expanded(labels)
    before, colon, column = labels.rpartition(":")
    if colon and column and before and not (below / path).exists():
        return _expanded(before), column
    return path, None


def _expanded(text: str) -> Path:
    try:
        return require_path("labels", text).expanduser()
    except RuntimeError as error:  # an unknown ~user
        raise SettingsError(f"cannot read the labels {text}: {error}", _TAKEN) from error


_TAKEN = (
    f"--labels takes the word {FOLDERS}, one of {', '.join(TRUTH_COLUMNS)}, or a CSV file with the "
    "columns path and label"
)


def _labels(below: Path, file: Path, column: str | None, match: _Matcher) -> list[tuple[str, str]]:
    """The paths and labels of a table, where it has both."""
    table = csv_tables.read_csv(below / file, shown=file, what="the labels ", hint=_TAKEN)
    wanted = (column.strip().lower(),) if column else _LABEL_COLUMNS
    at = table.columns
    path = next((at[name] for name in _PATH_COLUMNS if name in at), None)
    label = next((at[name] for name in wanted if name in at), None)
    if path is None or label is None:
        found = ", ".join(table.header) or "nothing"
        raise SettingsError(
            f"{file} needs the columns path and {column or 'label'}; it has: {found}",
            f"also taken: {', '.join(_PATH_COLUMNS)} and {', '.join(_LABEL_COLUMNS)}; "
            "another column is named behind a colon: labels.csv:genus",
        )
    table.require_single_lines([label])
    pairs = []
    for line in table.lines:
        name, value = line.cell(path), line.cell(label).strip()
        # A name may hold a line break; one that matches no file is several lines in one.
        if line.has_break(path) and match(name) is None:
            raise table.broken(line, path)
        if name.strip() and value:
            pairs.append((name, value))
    return pairs


class _Matcher:
    """Finds the image that a path of a table means."""

    def __init__(self, by_path: Mapping[str, str], places: Sequence[str]) -> None:
        self._by_path, self._places = by_path, places

    @classmethod
    def of(cls, by_path: Mapping[str, str], places: Sequence[Path]) -> Self:
        """A matcher for paths that are relative to some folders, or to what these link to."""
        every = [*places, *(place.resolve() for place in places)]
        return cls(by_path, list(dict.fromkeys(map(str, every))))

    def __call__(self, path: str) -> str | None:
        """The image; blanks around the path are ignored where that helps."""
        for name in dict.fromkeys((path, path.strip())):
            found = self._found(name)
            if found is not None:
                return found
        return None

    def _found(self, path: str) -> str | None:
        # Text is ten times as quick as Path, and a table may have a million lines.
        files = [os.path.join(place, path) for place in self._places]  # noqa: PTH118
        for file in files:
            found = self._by_path.get(os.path.normpath(file))
            if found is not None:
                return found
        for file in files:
            if _is_there(file):  # only what is there can be a link to something else
                found = self._by_path.get(str(Path(file).resolve()))
                if found is not None:
                    return found
        return None


def _is_there(file: str) -> bool:
    try:
        return os.path.lexists(file)
    except ValueError:
        return False
