"""Plans of a library's files, made, carried out and gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from organizer.arrange import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    carry_out,
    make_plan,
    next_journal,
    resume_journal,
)
from organizer.errors import SettingsError
from organizer.library.arrangements.active import (
    ActivePhoto,
    active_photos,
    active_records,
    journal_folder,
    original_paths,
    require_finished,
)
from organizer.library.arrangements.file_rows import update_file_rows
from organizer.library.arrangements.relocation import save_location
from organizer.library.current import require_clustering
from organizer.library.folders.items import collect_items
from organizer.library.folders.options import ArrangeOptions, resolve_target_folder
from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import Store


@dataclass(frozen=True, slots=True)
class PlannedArrangement:
    """A plan, and what stands before it is carried out.

    Attributes:
        plan: The plan.
        files: How many files the library knows.
        photos: What the arrangements that stand have put somewhere.
        several: How many photos show animals of several clusters, where clusters make folders.
    """

    plan: ArrangePlan
    files: int
    photos: Sequence[ActivePhoto]
    several: int = 0


def plan_arrangement(
    store: Store, choice: ArrangeOptions, *, settings: Settings, progress: Progress
) -> PlannedArrangement:
    """What would go where. Nothing is touched.

    Raises:
        SettingsError: See `choosing`; or an arrangement was cut short.
        ClusteringError: The template names the cluster, and there is no clustering yet.
    """
    template = choice.parsed()
    if choice.needs_clusters:
        require_clustering(store)
    standing = active_records(store)
    require_finished(standing)
    to = resolve_target_folder(store, choice, standing)
    photos = active_photos(store, standing)
    filing = PhotoFolders(store)
    items = collect_items(
        store,
        original_paths(photos),
        filing=filing,
        settings=settings,
        only_named=choice.only_named,
    )
    if not items:
        raise SettingsError("the library has no photos yet", "organizer ingest FOLDER")
    progress.begin("planning", len(items))
    made = {str(p.path): replace(p.step, target=p.path) for p in photos if p.path is not None}
    found = make_plan(
        items,
        to=to,
        mode=choice.mode,
        template=template,
        placed=made,
        advance=progress.advance,
    )
    several = filing.several if choice.needs_clusters else 0
    return PlannedArrangement(found, len(items), photos, several)


def require_same_library(store: Store, wanted: ArrangePlan) -> None:
    """Make sure that a plan, which a person may have edited, is for this library.

    Raises:
        SettingsError: It knows none of its files, or leads into the library's own folder.
    """
    refs = (held.ref for held in store.photos.held_files())
    known = {f"{ref.root.as_posix()}/{ref.path}" for ref in refs}
    steps = [*wanted.steps, *wanted.there]
    if steps and not any(
        place.as_posix() in known for step in steps for place in (step.source, step.target)
    ):
        raise SettingsError(
            "the plan is of another library: this one knows none of its files",
            "name that library with --library",
        )
    own = f"{store.path.resolve()}{os.sep}"
    inside = [step.target for step in steps if str(step.target).startswith(own)]
    if inside:
        raise SettingsError(f"{inside[0]} is inside the library itself", "edit the plan")


def apply_plan(
    store: Store, wanted: ArrangePlan, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    """Do what a plan says, or go on with it. The caller holds the library for writing.

    Raises:
        SettingsError: Another arrangement was cut short, or it cannot be done at all.
        StoreError: The journal cannot be written.
    """
    folder = journal_folder(store)
    standing = active_records(store)
    last = standing[-1] if standing else None
    is_known = last is not None and last.plan.digest == wanted.digest
    if last is None or not is_known or last.undoing:
        require_finished(standing)
        require_same_library(store, wanted)
    save_location(store)
    journal = last.file if last is not None and is_known else next_journal(folder)
    progress.begin(f"arranging in {wanted.to}", len(wanted.steps))
    record = carry_out(wanted, journal=journal, advance=progress.advance, stop=stop)
    update_file_rows(store, record)
    return record


def resume_plan(store: Store, *, progress: Progress, stop: Callable[[], bool]) -> ArrangeRecord:
    """Go on with the last arrangement. The caller holds the library for writing.

    Raises:
        SettingsError: There is none, or it is being taken back.
    """
    standing = active_records(store)
    if not standing:
        raise SettingsError("nothing is arranged", "organizer arrange --to FOLDER")
    last = standing[-1]
    progress.begin(f"arranging in {last.plan.to}", len(last.plan.steps))
    record = resume_journal(last.file, advance=progress.advance, stop=stop)
    update_file_rows(store, record)
    return record


def plan_notes(found: PlannedArrangement) -> list[str]:
    """What a person should know of a plan that the account of its files does not tell."""
    notes = _stale_notes(found)
    if found.several:
        photos = "1 photo shows" if found.several == 1 else f"{found.several:,} photos show"
        notes.append(f"{photos} animals of several clusters: a file is where its surest animal is")
    return notes


def _stale_notes(found: PlannedArrangement) -> list[str]:
    """A note where earlier links or copies in the folder are not what the plan would make now."""
    wanted = (
        {step.target for step in (*found.plan.there, *found.plan.steps)} if found.photos else ()
    )
    stale = [
        photo
        for photo in found.photos
        if photo.record.plan.to == found.plan.to
        and photo.record.plan.mode is not ArrangeMode.MOVE
        and photo.path is not None
        and photo.path not in wanted
        and os.path.lexists(photo.path)
    ]
    if not stale:
        return []
    note = (
        f"{len(stale):,} files of an earlier arrangement in {found.plan.to} are not where they "
        "would be put now; organizer arrange --undo takes that back before a new one"
    )
    return [note]
