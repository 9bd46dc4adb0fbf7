"""Make the plan of an arrangement, apply it, or go on with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    carry_out,
    make_plan,
    next_journal,
    resume_journal,
)
from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.library.arrangements.active import (
    ActivePhoto,
    active_photos,
    active_records,
    journal_folder,
    original_paths,
    placed_steps,
    require_finished,
)
from organizer.library.arrangements.file_rows import update_file_rows
from organizer.library.arrangements.relocation import save_location
from organizer.library.current import require_clustering
from organizer.library.duplicates.aside import ASIDE
from organizer.library.folders.items import collect_items
from organizer.library.folders.options import ArrangeOptions, resolve_target_folder
from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.progress import Progress
from organizer.paths import folder_prefix
from organizer.settings import Settings
from organizer.store import Store

_STAYS = "it is no duplicate to set aside"


@dataclass(frozen=True, slots=True)
class PlannedArrangement:
    """A plan, with the active arrangements before it is applied.

    Attributes:
        plan: The plan.
        files: Number of files that the library knows.
        photos: The photos of the active arrangements.
        several: Number of photos that show animals of several clusters, where clusters make
            folders.
        unknown_files: Files in the folder that no arrangement put there; counted for an update.
    """

    plan: ArrangePlan
    files: int
    photos: Sequence[ActivePhoto]
    several: int = 0
    unknown_files: int = 0


def plan_arrangement(
    store: Store,
    options: ArrangeOptions,
    *,
    settings: Settings,
    progress: Progress,
    only: Mapping[Path, str] | None = None,
) -> PlannedArrangement:
    """Plan an arrangement. Nothing is changed.

    Args:
        store: The library.
        options: Where to and how.
        settings: The gaps of a burst and of an event; whether photos with people are arranged.
        progress: Receives the progress.
        only: The files that are arranged, each with the reason; all where None.

    Raises:
        SettingsError: The options cannot be; or an arrangement was interrupted.
        ClusteringError: The template names the cluster, and there is no clustering yet.
    """
    template = options.parsed()
    if options.needs_clusters:
        require_clustering(store)
    active = active_records(store)
    require_finished(active)
    to = resolve_target_folder(store, options, active)
    photos = active_photos(store, active)
    photo_folders = PhotoFolders.read(store)
    items = collect_items(
        store,
        original_paths(photos),
        photo_folders=photo_folders,
        settings=settings,
        only_named=options.only_named,
    )
    if not items:
        raise SettingsError("the library has no photos yet", "organizer ingest FOLDER")
    if only is not None:
        items = [_chosen(item, only) for item in items]
    progress.begin("planning", len(items))
    plan = make_plan(
        items,
        to=to,
        mode=options.mode,
        template=template,
        placed=placed_steps(photos),
        advance=progress.advance,
    )
    if only is not None:  # the files that stay are not counted as left
        plan = replace(plan, left=[one for one in plan.left if one.why != _STAYS])
    plan = replace(plan, made_with=options.to_keep(with_people=settings.with_people))
    several = photo_folders.several if options.needs_clusters else 0
    return PlannedArrangement(plan, len(items if only is None else only), photos, several)


def _chosen(item: ArrangeItem, only: Mapping[Path, str]) -> ArrangeItem:
    """A file with the reason for which it is arranged; one that stays still owns its sidecars."""
    why = only.get(item.source, "")
    return replace(item, why=why) if why else replace(item, withheld=_STAYS)


def is_set_aside(plan: ArrangePlan) -> bool:
    """Whether a plan only sets duplicates aside."""
    photos = [step for step in (*plan.steps, *plan.there) if step.is_photo]
    return bool(photos) and all(step.why.startswith(ASIDE) for step in photos)


def require_same_library(store: Store, plan: ArrangePlan) -> None:
    """Make sure that a plan, which a person may have edited, is of this library.

    Raises:
        SettingsError: It knows none of its files, or leads into the library's own folder.
    """
    refs = (held.ref for held in store.photos.held_files())
    known = {f"{folder_prefix(ref.root)}{ref.path}" for ref in refs}
    steps = [*plan.steps, *plan.there]
    if steps and not any(
        place.as_posix() in known for step in steps for place in (step.source, step.target)
    ):
        raise SettingsError(
            "the plan is of another library: this one knows none of its files",
            "name that library with --library",
        )
    own = os.path.normcase(f"{store.path.resolve()}{os.sep}")
    inside = [s.target for s in steps if os.path.normcase(s.target).startswith(own)]
    if inside:
        raise SettingsError(f"{inside[0]} is inside the library itself", "edit the plan")


def apply_plan(
    store: Store, plan: ArrangePlan, *, progress: Progress, stop: Callable[[], bool]
) -> ArrangeRecord:
    """Apply a plan, or go on with it. The caller holds the library for writing.

    Raises:
        SettingsError: Another arrangement was interrupted, or it cannot be applied at all.
        StoreError: The journal cannot be written.
    """
    folder = journal_folder(store)
    active = active_records(store)
    last = active[-1] if active else None
    is_known = last is not None and last.plan.digest == plan.digest
    if last is None or not is_known or last.undoing:
        require_finished(active)
        if not plan.updates:
            require_same_library(store, plan)
    save_location(store)
    journal = last.file if last is not None and is_known else next_journal(folder)
    progress.begin(f"arranging in {plan.to}", len(plan.steps))

    def begin() -> bool:  # a plan that is refused has no step, and leaves no mark
        _mark_moving(store, plan)
        return stop()

    record = carry_out(plan, journal=journal, advance=progress.advance, stop=begin)
    update_file_rows(store, record)
    return record


def resume_plan(store: Store, *, progress: Progress, stop: Callable[[], bool]) -> ArrangeRecord:
    """Go on with the last arrangement. The caller holds the library for writing.

    Raises:
        SettingsError: There is none, or it is being undone.
    """
    active = active_records(store)
    if not active:
        raise SettingsError("nothing is arranged", "organizer arrange --to FOLDER")
    last = active[-1]
    progress.begin(f"arranging in {last.plan.to}", len(last.plan.steps))
    if not last.undoing:
        _mark_moving(store, last.plan)
    record = resume_journal(last.file, advance=progress.advance, stop=stop)
    update_file_rows(store, record)
    return record


def _mark_moving(store: Store, plan: ArrangePlan) -> None:
    """Have the next writer update the file rows, should files be moved and the rows not."""
    if plan.mode is ArrangeMode.MOVE:
        store.mark_unfinished()


def plan_notes(planned: PlannedArrangement) -> list[str]:
    """Notes on a plan that the counts of its files do not show, a line each."""
    return [*_stale_notes(planned), *several_notes(planned)]


def several_notes(planned: PlannedArrangement) -> list[str]:
    """A note on photos that belong into several folders."""
    if not planned.several:
        return []
    photos = count_text(planned.several, "photo shows", "photos show")
    return [f"{photos} animals of several clusters: a file is where its surest animal is"]


def _stale_notes(planned: PlannedArrangement) -> list[str]:
    """A note where earlier links or copies in the folder are not those that the plan would make."""
    plan = planned.plan
    targets = {step.target for step in (*plan.there, *plan.steps)} if planned.photos else set()
    stale = [
        photo
        for photo in planned.photos
        if photo.record.plan.to == plan.to
        and photo.record.plan.mode is not ArrangeMode.MOVE
        and photo.path is not None
        and photo.path not in targets
        and os.path.lexists(photo.path)
    ]
    if not stale:
        return []
    note = (
        f"{count_text(len(stale), 'file')} of an earlier arrangement in {plan.to} would be put "
        "elsewhere now; organizer arrange --update puts them right, --undo takes them back"
    )
    return [note]
