"""Groups of duplicates as a CSV file and as a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from organizer.atomic import write_atomically
from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded_path
from organizer.library import csv_tables
from organizer.library.duplicates.report import DuplicateFile, DuplicateGroup
from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.output_paths import require_suffix, resolve_output, unwritable
from organizer.library.progress import Progress
from organizer.report.contact import sheet_png
from organizer.report.contents import ReportPicture
from organizer.settings import Settings
from organizer.store import Store

COLUMNS = (
    "group",
    "kind",
    "keep",
    "path",
    "image_id",
    "width",
    "height",
    "bytes",
    "taken_at",
    "likeness",
    "sharpness",
    "why",
)
SHEET_GROUPS = 60
"""Groups on a contact sheet, the first ones: a picture of more is too long for many viewers."""
_SHEET_FILES = 10
_SIDE = 160


def write_groups(
    file: Path, groups: Sequence[DuplicateGroup], *, store: Store, force: bool
) -> None:
    """Write groups as CSV, a line a file (UTF-8 with a byte order mark, commas).

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    place = _place(file, ".csv", option="--csv", store=store, force=force)
    rows = (
        _row(number, group, file)
        for number, group in enumerate(groups, start=1)
        for file in group.files
    )
    hint = "name another file with --csv"
    csv_tables.write_table(place, COLUMNS, rows, force=force, hint=hint)


def write_sheet(
    file: Path,
    groups: Sequence[DuplicateGroup],
    *,
    store: Store,
    settings: Settings,
    force: bool,
    progress: Progress,
) -> int:
    """Write a contact sheet of the first groups as PNG, of each some files, the one to keep first.

    Returns:
        Number of groups on it; 0 where there are none, and nothing is written.

    Raises:
        SettingsError: There is something that may not be replaced, or the place
            cannot be written.
    """
    place = _place(file, ".png", option="--sheet", store=store, force=force)
    if not groups:
        return 0
    shown = groups[:SHEET_GROUPS]
    wanted = [one.image_id for group in shown for one in group.files[:_SHEET_FILES]]
    made = make_thumbnails(
        store,
        wanted,
        side=_SIDE,
        threads=settings.threads,
        max_file_bytes=settings.max_file_bytes,
        progress=progress,
    )
    jpegs = {image_id: picture.jpeg for image_id, picture in made.items()}
    rows = [
        (f"{number}  {group.kind}: {group.why}", list(_pictures(group, jpegs)))
        for number, group in enumerate(shown, start=1)
    ]
    try:
        write_atomically(place, sheet_png("Duplicates", rows))
    except OSError as error:
        raise unwritable(file, error, option="--sheet") from error
    return len(shown)


def _place(file: Path, suffix: str, *, option: str, store: Store, force: bool) -> Path:
    place = resolve_output(store, file, option=option)
    require_suffix(place, suffix, option=option)
    if place.exists() and not force:
        raise SettingsError(f"{file} is there already", f"choose another {option}, or add --force")
    return place


def _pictures(group: DuplicateGroup, jpegs: dict[str, bytes]) -> Iterator[ReportPicture]:
    for one in group.files[:_SHEET_FILES]:
        note = f"keep: {one.path.name}" if one is group.kept else one.path.name
        jpeg = jpegs.get(one.image_id, b"")
        yield ReportPicture(str(one.path), jpeg, _SIDE, _SIDE, note)


def _row(number: int, group: DuplicateGroup, one: DuplicateFile) -> list[object]:
    is_kept = one is group.kept
    return [
        number,
        group.kind.value,
        "yes" if is_kept else "",
        guarded_path(str(one.path)),
        one.image_id,
        one.width,
        one.height,
        one.bytes,
        one.taken_at,
        None if one.likeness is None else round(one.likeness, 3),
        None if one.sharpness is None else round(one.sharpness, 1),
        group.why if is_kept else "",
    ]
