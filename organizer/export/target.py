"""The target of an export: only an earlier export is replaced, and only if the user asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from organizer import atomic
from organizer.errors import OrganizerError, SettingsError


@contextmanager
def replace_export(to: Path, *, force: bool, holds: frozenset[str] | None = None) -> Iterator[Path]:
    """A temporary path that replaces `to` when the context succeeds, and is removed otherwise.

    Args:
        to: The target; a link is followed.
        force: Whether an existing target may be replaced.
        holds: None for a file. For a folder the names that an export of this format has in it: a
            folder that holds anything else is never replaced.

    Raises:
        SettingsError: The target exists, or its parent folder does not.
        OrganizerError: It cannot be written.
    """
    try:
        # First, restore a folder that a killed export had moved aside.
        atomic.remove_leftovers(Path(os.path.realpath(to)))
        check_target(to, force=force, holds=holds)
        with atomic.replace_atomically(to, over=force, folder=holds is not None) as partial:
            yield partial
    except FileExistsError as error:
        raise _occupied(to) from error
    except OSError as error:
        raise OrganizerError(
            f"cannot write {to}: {error.strerror or error}", "choose another place with --to"
        ) from error


def check_target(to: Path, *, force: bool, holds: frozenset[str] | None) -> None:
    """Check that a target may be written; see `replace_export`.

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
            f"{to} holds something other than an export of this format", "choose another --to"
        )
    if holds is None and not to.is_file():
        raise SettingsError(f"{to} is no file that could be replaced", "choose another --to")


def _occupied(to: Path) -> SettingsError:
    return SettingsError(f"{to} is there already", "--force replaces it; --to names another place")
