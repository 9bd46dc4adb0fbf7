"""Files that duplicates make superfluous: which are to be set aside, and which are already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from organizer.arrange import ArrangeMode
from organizer.library.arrangements.active import active_photos, active_records
from organizer.library.duplicates.photos import KnownPhotos
from organizer.library.duplicates.report import (
    DuplicateFile,
    DuplicateGroup,
    DuplicateKind,
    DuplicatesReport,
)
from organizer.store import Store

ASIDE = "set aside: "
"""How the reason begins for which an arrangement moves such a file: by it the file is known again,
and no duplicate of the one that was kept while it lies there."""


def files_to_set_aside(
    store: Store, report: DuplicatesReport, aside: Mapping[Path, str]
) -> dict[Path, str]:
    """The files to set aside, each with the reason.

    Of an image that is not needed all files go. What is kept beside another one stays, whatever
    further groups it is in.

    Args:
        store: The library.
        report: What was found.
        aside: The files that are set aside already.
    """
    ids = {one.image_id for group in report.groups for one in group.others}
    known = KnownPhotos(store, ids, aside)
    found: dict[Path, str] = {}
    gone: set[str] = set()
    keepers: set[str] = set()
    for group in report.groups:
        if group.kind is DuplicateKind.EXACT:
            found |= {one.path: _why(group, group.kept, one) for one in group.others}
            continue
        there = [one for one in group.files if one.image_id not in gone]
        if len(there) < 2:
            continue
        kept, *others = there
        keepers.add(kept.image_id)
        for one in others:
            if one.image_id not in keepers:
                gone.add(one.image_id)
                why = _why(group, kept, one)
                found |= {held.ref.file: why for held in known.files.get(one.image_id, ())}
    return found


def _why(group: DuplicateGroup, kept: DuplicateFile, one: DuplicateFile) -> str:
    if group.kind is DuplicateKind.EXACT:
        return f"{ASIDE}the same picture as {kept.path}"
    if group.kind is DuplicateKind.BURST:
        return f"{ASIDE}of one burst with {kept.path}"
    alike = "" if one.likeness is None or kept is not group.kept else f" ({one.likeness:.2f} alike)"
    return f"{ASIDE}a copy of {kept.path}{alike}"


def files_aside(store: Store) -> dict[Path, str]:
    """The files that an arrangement has set aside and that are still there, each with its image."""
    return {
        photo.path: photo.step.image_id
        for photo in active_photos(store, active_records(store))
        if photo.path is not None
        and photo.record.plan.mode is ArrangeMode.MOVE
        and photo.step.why.startswith(ASIDE)
    }
