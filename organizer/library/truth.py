"""Known truth for the images of a library: from folders, a table, or what the photos tell."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.light import is_infrared
from organizer.store import Store

FOLDERS = "folders"
COLUMNS = ("camera", "format", "light")
"""What the photos tell of themselves and may be taken for truth."""

_PATH_COLUMNS = ("path", "file", "filename", "filepath", "image")
_LABEL_COLUMNS = ("label", "class", "truth", "species", "category")


@dataclass(frozen=True, slots=True)
class Truth:
    """The class of images.

    Attributes:
        of: By image id, of those whose class is known.
        unmatched: Labels of files that are not in the library.
        conflicting: Images whose files have different labels.
    """

    of: Mapping[str, str]
    unmatched: int = 0
    conflicting: int = 0


def truth_of(store: Store, labels: str, *, below: Path) -> Truth:
    """Read the truth.

    Args:
        store: The library.
        labels: "folders" (the folder that a file lies in is its class), one of `COLUMNS`, or the
            path of a CSV file with the columns path and label; a colon and the name of another
            column may follow the path.
        below: What a relative path is relative to.

    Raises:
        SettingsError: The labels cannot be read.
    """
    if labels in COLUMNS:
        return Truth(_told(store, labels))
    files = store.photos.files_of()
    if labels == FOLDERS:
        pairs = ((i, row.file.parent.name) for i, rows in files.items() for row in rows)
        return _one_label_each(pairs)
    file, column = _file_and_column(labels, below)
    roots = [root.folder for root in store.photos.roots()]
    by_path = {row.file: image_id for image_id, rows in files.items() for row in rows}
    places = [(below / file).resolve().parent, below, *roots]
    matched = [
        (_match(path, places, by_path.get), label) for path, label in _rows(below / file, column)
    ]
    truth = _one_label_each((i, label) for i, label in matched if i is not None)
    return Truth(truth.of, sum(i is None for i, _ in matched), truth.conflicting)


def require_some(truth: Truth, image_ids: Iterable[str], labels: str) -> None:
    """Make sure that the labels speak of these images at all.

    Raises:
        SettingsError: They do not.
    """
    if any(image_id in truth.of for image_id in image_ids):
        return
    if labels in COLUMNS:
        raise SettingsError(f"no photo of the library tells its {labels}", "use other --labels")
    raise SettingsError(
        f"no image of the library has a label in {labels}",
        "paths in the file are relative to it, to the current folder or to an ingested folder",
    )


def _told(store: Store, column: str) -> dict[str, str]:
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
    """The first label of each image, and how many images have another one too."""
    truth: dict[str, str] = {}
    conflicting: set[str] = set()
    for image_id, label in pairs:
        if truth.setdefault(image_id, label) != label:
            conflicting.add(image_id)
    return Truth(truth, conflicting=len(conflicting))


def _file_and_column(labels: str, below: Path) -> tuple[Path, str | None]:
    """The table, and the column that was named behind a colon."""
    whole = _expanded(labels)
    before, colon, column = labels.rpartition(":")
    if colon and column and before and not (below / whole).exists():
        return _expanded(before), column
    return whole, None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~nobody
        raise SettingsError(f"cannot read the labels {text}: {error}", _TAKEN) from error


_TAKEN = (
    f"--labels takes the word {FOLDERS}, one of {', '.join(COLUMNS)}, or a CSV file with the "
    "columns path and label"
)


def _rows(file: Path, column: str | None) -> list[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"cannot read the labels {file}: {error.strerror}", _TAKEN) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text", "save it as CSV in UTF-8") from error
    try:
        return _labels_in(csv.DictReader(text.splitlines()), file, column)
    except csv.Error as error:
        raise SettingsError(f"{file} is not CSV: {error}", "look for an unclosed quote") from error


def _labels_in(rows: csv.DictReader[str], file: Path, column: str | None) -> list[tuple[str, str]]:
    columns = {name.strip().lower(): name for name in rows.fieldnames or []}
    wanted = (column.strip().lower(),) if column else _LABEL_COLUMNS
    path = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    label = next((columns[name] for name in wanted if name in columns), None)
    if path is None or label is None:
        found = ", ".join(rows.fieldnames or []) or "nothing"
        raise SettingsError(
            f"{file} needs the columns path and {column or 'label'}; it has: {found}",
            f"also taken: {', '.join(_PATH_COLUMNS)} and {', '.join(_LABEL_COLUMNS)}; "
            "another column is named behind a colon: labels.csv:genus",
        )
    return [(row[path].strip(), row[label].strip()) for row in rows if row[path] and row[label]]


def _match(path: str, places: Sequence[Path], image_at: Callable[[Path], str | None]) -> str | None:
    for place in places:
        found = image_at(place / path) or image_at((place / path).resolve())
        if found is not None:
            return found
    return None
