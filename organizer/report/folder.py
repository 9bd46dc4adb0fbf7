"""Writes a folder of plots; those of an earlier run are replaced, no other file is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from organizer.atomic import write_atomically
from organizer.errors import SettingsError
from organizer.report.drawing import SOFTWARE


def write_pngs(
    drawn: Iterable[tuple[str, bytes]], folder: Path, *, names: re.Pattern[str]
) -> tuple[Path, ...]:
    """Write plots into a folder.

    Plots of an earlier run are replaced or removed; no other file is touched.

    Args:
        drawn: Name and PNG of each plot; may be a generator.
        folder: Where; created if it does not exist.
        names: The names that plots of this kind can have.

    Returns:
        The files that were written.

    Raises:
        SettingsError: The folder is a file or cannot be written, or one of these names is taken by
            a file that organizer did not make.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = [file for file in sorted(folder.iterdir()) if names.fullmatch(file.name)]
        for file in earlier:
            _require_ours(file)
        written = tuple(write_atomically(folder / name, png) for name, png in drawn)
        for file in set(earlier) - set(written):
            file.unlink()
    except OSError as error:
        raise SettingsError(
            f"plots cannot be written to {folder}: {error.strerror or error}",
            "name a folder that can be written",
        ) from error
    return written


def _require_ours(file: Path) -> None:
    if not _is_ours(file):
        raise SettingsError(
            f"{file} is there and organizer did not make it", "name another folder for plots"
        )


def _is_ours(file: Path) -> bool:
    from PIL import Image, UnidentifiedImageError

    if file.is_symlink() or not file.is_file():
        return False
    try:
        with Image.open(file) as image:
            return image.info.get("Software") == SOFTWARE
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return False
