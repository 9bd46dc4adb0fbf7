"""Plans of a library's files, made, carried out and gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from organizer.arrange import Mode, Plan, Record, apply, next_journal, plan, resume
from organizer.errors import SettingsError
from organizer.library.arrangement.choosing import Choice, require_folder
from organizer.library.arrangement.filing import Filing
from organizer.library.arrangement.home import remember_home
from organizer.library.arrangement.items import items_of
from organizer.library.arrangement.rows import settle
from organizer.library.arrangement.standing import (
    Standing,
    first_names,
    journal_folder,
    records,
    require_finished,
    standing_photos,
)
from organizer.library.current import require_clustering
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import Store


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what stands before it is carried out.

    Attributes:
        plan: The plan.
        files: How many files the library knows.
        photos: What the arrangements that stand have put somewhere.
        several: How many photos show animals of several clusters, where clusters make folders.
    """

    plan: Plan
    files: int
    photos: Sequence[Standing]
    several: int = 0


def planned(store: Store, choice: Choice, *, settings: Settings, progress: Progress) -> Planned:
    """What would go where. Nothing is touched.

    Raises:
        SettingsError: See `choosing`; or an arrangement was cut short.
        ClusteringError: The template names the cluster, and there is no clustering yet.
    """
    template = choice.parsed()
    if choice.needs_clusters:
        require_clustering(store)
    standing = records(store)
    require_finished(standing)
    to = require_folder(store, choice, standing)
    photos = standing_photos(store, standing)
    filing = Filing(store)
    items = items_of(
        store,
        first_names(photos),
        filing=filing,
        settings=settings,
        only_named=choice.only_named,
    )
    if not items:
        raise SettingsError("the library has no photos yet", "organizer ingest FOLDER")
    progress.begin("planning", len(items))
    made = {str(p.path): replace(p.step, target=p.path) for p in photos if p.path is not None}
    found = plan(
        items,
        to=to,
        mode=choice.mode,
        template=template,
        placed=made,
        advance=progress.advance,
    )
    several = filing.several if choice.needs_clusters else 0
    return Planned(found, len(items), photos, several)


def require_own(store: Store, wanted: Plan) -> None:
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


def carried_out(
    store: Store, wanted: Plan, *, progress: Progress, stop: Callable[[], bool]
) -> Record:
    """Do what a plan says, or go on with it. The caller holds the library for writing.

    Raises:
        SettingsError: Another arrangement was cut short, or it cannot be done at all.
        StoreError: The journal cannot be written.
    """
    folder = journal_folder(store)
    standing = records(store)
    last = standing[-1] if standing else None
    is_known = last is not None and last.plan.digest == wanted.digest
    if last is None or not is_known or last.undoing:
        require_finished(standing)
        require_own(store, wanted)
    remember_home(store)
    journal = last.file if last is not None and is_known else next_journal(folder)
    progress.begin(f"arranging in {wanted.to}", len(wanted.steps))
    record = apply(wanted, journal=journal, advance=progress.advance, stop=stop)
    settle(store, record)
    return record


def resumed(store: Store, *, progress: Progress, stop: Callable[[], bool]) -> Record:
    """Go on with the last arrangement. The caller holds the library for writing.

    Raises:
        SettingsError: There is none, or it is being taken back.
    """
    standing = records(store)
    if not standing:
        raise SettingsError("nothing is arranged", "organizer arrange --to FOLDER")
    last = standing[-1]
    progress.begin(f"arranging in {last.plan.to}", len(last.plan.steps))
    record = resume(last.file, advance=progress.advance, stop=stop)
    settle(store, record)
    return record


def notes_on(found: Planned) -> list[str]:
    """What a person should know of a plan that the account of its files does not tell."""
    notes = _stale_notes(found)
    if found.several:
        photos = "1 photo shows" if found.several == 1 else f"{found.several:,} photos show"
        notes.append(f"{photos} animals of several clusters: a file is where its surest animal is")
    return notes


def _stale_notes(found: Planned) -> list[str]:
    """A note where earlier links or copies in the folder are not what the plan would make now."""
    wanted = (
        {step.target for step in (*found.plan.there, *found.plan.steps)} if found.photos else ()
    )
    stale = [
        photo
        for photo in found.photos
        if photo.record.plan.to == found.plan.to
        and photo.record.plan.mode is not Mode.MOVE
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
