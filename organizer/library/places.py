"""Where a file of organizer's own may be written: nowhere that a photo or the library lies."""

from __future__ import annotations

import os
from pathlib import Path

from organizer.errors import SettingsError
from organizer.store import Store

_LONGEST_NAME = 255
"""Bytes of a file name on the usual file systems."""


def require_own(store: Store, to: Path, *, option: str) -> Path:
    """A target as an absolute path, if organizer may write there at all, asked or forced.

    Args:
        store: The library.
        to: As it was typed.
        option: The option that names another target, for the hint.

    Raises:
        SettingsError: It is a photo of the library, inside the library, or no name of a file.
    """
    try:
        place = Path(os.path.abspath(to.expanduser()))  # noqa: PTH100 - a link stays one
    except RuntimeError as error:  # ~nobody
        raise SettingsError(f"there is no folder {to}", "check the path") from error
    hint = f"choose another {option}"
    if not str(place).isprintable():
        raise SettingsError(f"a file cannot be called {place.name!r}", hint)
    if len(os.fsencode(place.name)) > _LONGEST_NAME:
        raise SettingsError(f"the name {place.name[:40]}... is too long for a file", hint)
    whole = place.resolve()
    if whole.is_relative_to(store.path.resolve()):
        raise SettingsError(f"{place} is inside the library itself", hint)
    if store.photos.image_at(place) or store.photos.image_at(whole):
        raise SettingsError(f"{place} is a photo of the library", hint)
    return place
