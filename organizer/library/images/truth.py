"""Truth: known classes of images, from folders, a table, or the photos' own metadata."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arguments import require_path
from organizer.counts import count_text
from organizer.deployments import is_card_folder
from organizer.errors import SettingsError
from organizer.library import csv_tables
from organizer.library.csv_tables import CsvTable
from organizer.library.photo_paths.columns import COLUMNS_OF_PHOTOS, PathColumns, find_in_table
from organizer.library.photo_paths.find import not_found_lines
from organizer.light import is_infrared
from organizer.store import Store

FOLDERS = "folders"
TRUTH_COLUMNS = ("camera", "format", "light")
"""Properties of the photos themselves that may be taken for truth."""

_OTHER_TRUTH = (
    "--labels FILE.csv with the columns path and label; without labels, organizer review measures "
    "how pure the clusters are from a sample that you look at"
)

_LABEL_COLUMNS = ("label", "class", "truth", "species", "category")


@dataclass(frozen=True, slots=True)
class Truth:
    """The known classes of images.

    Attributes:
        of: The class by image id, where it is known.
        unmatched: Number of labels that match no photo of the library.
        reasons: Why they match none, a line for each reason.
        conflicting: Number of images with several different labels: copies in different folders, or
            lines of a table that contradict each other.
        of_table: Whether the labels are those of a table.
    """

    of: Mapping[str, str]
    unmatched: int = 0
    conflicting: int = 0
    of_table: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def conflict(self) -> str | None:
        """A note on images with several labels; None where there are none."""
        if not self.conflicting:
            return None
        images = count_text(self.conflicting, "image has", "images have")
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
        pairs = [(i, row.file.parent.name) for i, rows in files.items() for row in rows]
        _require_classes({label for _, label in pairs})
        return _one_label_each(pairs)
    return _of_table(store, labels, below)


def _require_classes(folders: Collection[str]) -> None:
    """Make sure that folders can be classes of what is in their photos.

    Raises:
        SettingsError: There is only one, or they are those that cameras make on their cards.
    """
    if not folders:
        return
    if all(map(is_card_folder, folders)):
        shown = ", ".join(sorted(folders)[:3])
        raise SettingsError(
            f"the folders are those of memory cards ({shown}): they tell nothing of what is in the "
            "photos, so nothing is scored",
            _OTHER_TRUTH,
        )
    if len(folders) == 1:
        raise SettingsError(
            f"all photos lie in one folder ({next(iter(folders))}): they are of one class, so "
            "nothing can be scored",
            _OTHER_TRUTH,
        )


def _of_table(store: Store, labels: str, below: Path) -> Truth:
    file, column = _file_and_column(labels, below)
    table = csv_tables.read_csv(below / file, shown=file, what="the labels ", hint=_TAKEN)
    columns, label = _columns(table, column)
    table.require_single_lines([label])
    lines = [
        line for line in table.lines if columns.path(line).strip() and line.cell(label).strip()
    ]
    folder = (below / file).expanduser().resolve().parent
    photos = find_in_table(columns, lines, store, folder=folder, below=below)
    pairs = list(zip(photos.image_ids, lines, strict=True))
    for image_id, line in pairs:
        # A name may hold a line break; one that matches no file is several lines in one.
        if image_id is None and line.has_break(columns.name):
            raise table.broken(line, columns.name)
    truth = _one_label_each((i, line.cell(label).strip()) for i, line in pairs if i is not None)
    return replace(
        truth,
        unmatched=sum(i is None for i, _ in pairs),
        reasons=tuple(not_found_lines(photos.found, "label,labels")),
        of_table=True,
    )


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
    why = f"; {truth.reasons[0]}" if truth.reasons else ""
    raise SettingsError(
        f"no image of the library has a label in {labels}{why}",
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


def _columns(table: CsvTable, column: str | None) -> tuple[PathColumns, int]:
    """The columns that name photos, and that of their labels."""
    wanted = (column.strip().lower(),) if column else _LABEL_COLUMNS
    columns = PathColumns.of(table)
    label = next((table.columns[name] for name in wanted if name in table.columns), None)
    if columns is None or label is None:
        found = ", ".join(table.header) or "nothing"
        raise SettingsError(
            f"{table.file} needs the columns path and {column or 'label'}; it has: {found}",
            f"also taken: {COLUMNS_OF_PHOTOS}, and {', '.join(_LABEL_COLUMNS)}; "
            "another column is named behind a colon: labels.csv:genus",
        )
    return columns, label
