"""Where an export goes: written beside its target and moved there when it is whole."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from organizer.errors import OrganizerError, SettingsError

_ABANDONED_AFTER = 86_400
"""Seconds without a change after which what a killed export left beside its target is removed."""


@contextmanager
def replacing(to: Path, *, force: bool, holds: frozenset[str] | None = None) -> Iterator[Path]:
    """A place beside `to` that becomes `to` when the context ends well, and is gone otherwise.

    Args:
        to: The target.
        force: Whether what is there may be replaced.
        holds: None for a file. For a folder the names that an export of this format has in it: a
            folder with anything else in it is replaced by nobody.

    Raises:
        SettingsError: There is something at the target, or no folder to hold it.
        OrganizerError: It cannot be written.
    """
    check(to, force=force, holds=holds)
    _remove_abandoned(to)
    partial = _beside(to, "partial")
    try:
        if holds is not None:
            partial.mkdir()
        yield partial
        _take_the_place(partial, to, force=force, folder=holds is not None)
    except OSError as error:
        raise OrganizerError(
            f"cannot write {to}: {error.strerror or error}", "choose another place with --to"
        ) from error
    finally:
        _remove(partial)


def check(to: Path, *, force: bool, holds: frozenset[str] | None) -> None:
    """Make sure that something may be written to a place.

    Raises:
        SettingsError: It may not.
    """
    if not to.parent.is_dir():
        raise SettingsError(f"there is no folder {to.parent}", "make it, or choose another --to")
    if not os.path.lexists(to):
        return
    if to.is_dir() and holds is None:
        raise SettingsError(f"{to} is a folder", "name a file in it")
    if not force:
        raise _occupied(to)
    if holds is not None and not (to.is_dir() and {f.name for f in to.iterdir()} <= holds):
        raise SettingsError(
            f"{to} holds something else than an export of this format", "choose another --to"
        )
    if holds is None and not to.is_file():
        raise SettingsError(f"{to} is no file that could be replaced", "choose another --to")


def _take_the_place(partial: Path, to: Path, *, force: bool, folder: bool) -> None:
    if folder:
        former = _beside(to, "former")
        with suppress(FileNotFoundError):
            to.rename(former)
        partial.rename(to)
        _remove(former)
        return
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    if force:
        partial.replace(to)
        return
    try:
        os.link(partial, to)  # unlike a rename it replaces nothing that came in the meantime
    except FileExistsError as error:
        raise _occupied(to) from error
    except OSError:  # a file system without hard links
        if os.path.lexists(to):
            raise _occupied(to) from None
        partial.rename(to)


def _beside(to: Path, what: str) -> Path:
    return to.with_name(f".{to.name}.{os.getpid()}.{what}")


def _remove_abandoned(to: Path) -> None:
    for left in to.parent.glob(f".{_literal(to.name)}.*.partial"):
        inside = left.iterdir() if left.is_dir() else ()
        with suppress(OSError):
            last = max(item.stat().st_mtime for item in (left, *inside))
            if time.time() - last > _ABANDONED_AFTER:
                _remove(left)


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _remove(place: Path) -> None:
    remove: Callable[[Path], None] = shutil.rmtree if place.is_dir() else Path.unlink
    with suppress(FileNotFoundError):
        remove(place)


def _occupied(to: Path) -> SettingsError:
    return SettingsError(f"{to} is there already", "--force replaces it; --to names another place")
