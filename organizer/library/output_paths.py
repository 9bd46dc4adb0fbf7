"""Where organizer may write files: not over a photo, and not inside the library."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from organizer import atomic
from organizer.discover import is_ignored
from organizer.errors import SettingsError
from organizer.store import Store

_LONGEST_NAME = 255
"""Bytes of a file name on the usual file systems."""


def resolve_output(store: Store, to: Path, *, option: str) -> Path:
    """Resolve a target to an absolute path, if organizer may write there at all.

    Args:
        store: The library.
        to: As it was typed.
        option: The option that names another target, for the hint.

    Raises:
        SettingsError: It is a photo of the library, inside the library, or no name of a file.
    """
    try:
        place = Path(os.path.abspath(to.expanduser()))  # noqa: PTH100 - a link stays one
    except RuntimeError as error:  # an unknown ~user
        raise SettingsError(f"there is no folder {to}", "check the path") from error
    hint = f"choose another {option}"
    if not str(place).isprintable():
        raise SettingsError(f"a file cannot be called {place.name!r}", hint)
    for name in place.parts:
        if len(os.fsencode(name)) > _LONGEST_NAME:
            raise SettingsError(f"the name {name[:40]}... is too long for a file", hint)
    real = Path(os.path.realpath(place))
    if real.is_relative_to(store.path.resolve()):
        raise SettingsError(f"{place} is inside the library itself", hint)
    if store.photos.image_at(place) or store.photos.image_at(real):
        raise SettingsError(f"{place} is a photo of the library", hint)
    return place


def require_suffix(place: Path, *suffixes: str, option: str) -> None:
    """Make sure that a file, and what it links to, has the suffix of its kind.

    It keeps a picture that is in no library from being replaced by a typing mistake.

    Raises:
        SettingsError: It is not.
    """
    real = Path(os.path.realpath(place))
    if place.suffix.lower() not in suffixes:
        raise SettingsError(
            f"the name of such a file ends in {suffixes[0]}: programs recognise it by that",
            f"{option} {place.with_suffix(suffixes[0]).name}",
        )
    if real.suffix.lower() not in suffixes:
        raise SettingsError(
            f"{place.name} is a link to {real}, whose name does not end in {suffixes[0]}",
            f"choose another {option}",
        )


def resolve_output_file(
    store: Store,
    to: Path,
    *,
    option: str,
    kind: str,
    is_ours: Callable[[Path], bool] | None,
    otherwise: str = "",
) -> Path:
    """Resolve a target for a file, before the work that it is the result of.

    Args:
        store: The library.
        to: As it was typed.
        option: See `resolve_output`.
        kind: What such a file is, for the message: "report of organizer".
        is_ours: Whether a file that is there may be replaced; None where any file may.
        otherwise: How to replace another file all the same, for the hint.

    Raises:
        SettingsError: See `resolve_output`; or there is something else, or it cannot be written.
    """
    place = resolve_output(store, to, option=option)
    hint = f"choose another {option}"
    try:
        if place.is_dir():
            raise SettingsError(f"{to} is a folder", "name a file in it")
        if not place.parent.is_dir():
            raise SettingsError(f"there is no folder {to.parent}", "make it first")
        if os.path.lexists(place):
            if not place.is_file():
                raise SettingsError(f"{to} is no file that could be replaced", hint)
            if is_ours is not None and not is_ours(place):
                raise SettingsError(f"{to} is there and no {kind}", hint + otherwise)
        atomic.check_writable(place)
    except OSError as error:
        raise unwritable(to, error, option=option) from error
    return place


def resolve_output_folder(store: Store, to: Path, *, option: str) -> Path:
    """Resolve a target folder for pictures, before the work that they are the result of.

    It is not among the photos: the next ingest would take the pictures for photos.

    Raises:
        SettingsError: See `resolve_output`; or it is a file, among photos, or cannot be written to.
    """
    place = resolve_output(store, to, option=option)
    try:
        if os.path.lexists(place) and not place.is_dir():
            raise SettingsError(f"{to} is a file", f"name a folder with {option}")
        root = _photos_around(store, Path(os.path.realpath(place)))
        if root is not None:
            raise SettingsError(
                f"{to} is among the photos of {root}: ingest would take what is drawn for photos",
                f"choose another {option}, or a name that begins with a dot, which ingest skips",
            )
        atomic.check_writable(place / "a plot")
    except OSError as error:
        raise unwritable(to, error, option=option) from error
    return place


def unwritable(to: Path, error: OSError, *, option: str) -> SettingsError:
    """The error for a target that cannot be written."""
    return SettingsError(
        f"cannot write {to}: {error.strerror or error}", f"choose another {option}"
    )


def _photos_around(store: Store, place: Path) -> Path | None:
    """The ingested folder whose ingest would find the files of a folder; None for none."""
    for root in store.roots.all():
        if place.is_relative_to(root.folder):
            inside = place.relative_to(root.folder).parts
            if not any(map(is_ignored, inside)):
                return root.folder
    return None
