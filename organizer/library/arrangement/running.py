"""Plan, apply and undo for a library: its rows follow the files that are moved.

The files come first, with the journal; then the rows, all in one commit. What a kill leaves between
the two is put right from the journal by `recover`.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import (
    Disk,
    Mode,
    Plan,
    Record,
    Result,
    Step,
    apply,
    journals,
    next_journal,
    plan,
    read_journal,
    resume,
    undo,
)
from organizer.errors import SettingsError
from organizer.library.arrangement.choosing import Choice, require_folder
from organizer.library.arrangement.filing import WITHHELD, Filing
from organizer.library.arrangement.items import items_of
from organizer.library.arrangement.memory import Remembered, remembered
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
class Arranged:
    """What became of every file of the library.

    Attributes:
        to: The folder.
        mode: What was done.
        files: Files that the library knows.
        done: Files that were arranged, or that a plan would arrange.
        there: Files that are where they should be already.
        results: Files that were not arranged, by what became of them.
        left: Files that were never to be arranged, by why.
        absent: Files of which the plan says nothing.
        sidecars: Files beside the photos that went along.
        refusals: A few of what was not done: file and reason.
        suffixed: Files with a suffix, because another has the name.
        made_safe: Names that were changed to be possible everywhere.
        is_finished: Whether it came to its end.
        plan: The file that the plan was written to; None where it was carried out.
        notes: What the person should know.
    """

    to: Path
    mode: Mode
    files: int
    done: int = 0
    there: int = 0
    results: Counter[Result] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    absent: int = 0
    sidecars: int = 0
    refusals: Sequence[tuple[Path, str]] = ()
    suffixed: int = 0
    made_safe: int = 0
    is_finished: bool = True
    plan: Path | None = None
    notes: Sequence[str] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every file of the library was arranged that was to be."""
        return self.files == self.done + self.there + self.withheld

    @property
    def withheld(self) -> int:
        """Files that are left because people or vehicles are in the photo."""
        return sum(self.left[why] for why in WITHHELD.values())


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo did; see `Arranged`. `results` tells of files that could not be taken back."""

    to: Path
    mode: Mode
    created_at: str
    undone: int
    sidecars: int
    results: Counter[Result]
    refusals: Sequence[tuple[Path, str]]
    is_finished: bool

    @property
    def is_whole(self) -> bool:
        """Whether every file was taken back."""
        return not self.results


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


def taken_back(store: Store, *, progress: Progress, stop: Callable[[], bool]) -> Record:
    """Take the last arrangement back that stands. The caller holds the library for writing.

    Files that a person dragged elsewhere, and that a read-back knew again, are taken back from
    there.

    Raises:
        SettingsError: None stands.
    """
    standing = records(store)
    if not standing:
        raise SettingsError(
            "no arrangement stands that could be taken back", "organizer arrange --to DIR makes one"
        )
    last = standing[-1]
    if last.plan.mode is Mode.MOVE and last.of(Result.DONE) and not last.plan.to.is_dir():
        raise SettingsError(
            f"there is no folder {last.plan.to}, into which the files were moved",
            "connect its disk; what is not there cannot be taken back",
        )
    progress.begin(f"taking back what is in {last.plan.to}", len(last.plan.steps))
    _put_back(standing_photos(store, [last]), [s for s in last.plan.steps if not s.is_photo])
    found = undo(last.file, advance=progress.advance, stop=stop)
    settle(store, found)
    if found.undone and last.plan.mode is Mode.MOVE:
        store.photos.forget_root(last.plan.to)
    return found


def _put_back(photos: Sequence[Standing], sidecars: Sequence[Step]) -> None:
    """Bring dragged files to where the arrangement had put them, if nothing else is there."""
    disk, emptied = Disk(), set()
    tops = {photo.record.plan.to for photo in photos}
    beside: dict[Path, list[Step]] = defaultdict(list)
    for sidecar in sidecars:
        beside[sidecar.target.parent].append(sidecar)
    for photo in photos:
        target = photo.step.target
        if photo.path is None or photo.path == target or not os.path.lexists(photo.path):
            continue
        dragged = [(photo.path, target)]
        for sidecar in beside[target.parent]:
            tail = sidecar.target.name.removeprefix(target.stem)
            place = photo.path.with_name(photo.path.stem + tail)
            if tail != sidecar.target.name and _is_as_it_was(place, sidecar):
                dragged.append((place, sidecar.target))
        for place, former in dragged:
            with suppress(OSError):  # the undo tells then that nothing is there to be taken back
                target.parent.mkdir(parents=True, exist_ok=True)
                disk.rename(str(place), str(former))
        emptied.add(photo.path.parent)
    for folder in emptied:
        with suppress(OSError):  # something else is in it
            while folder not in tops:
                folder.rmdir()
                folder = folder.parent  # noqa: PLW2901 - upwards


def _is_as_it_was(place: Path, step: Step) -> bool:
    try:
        status = os.stat(place)  # noqa: PTH116 - a hundred thousand times
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (step.size, step.mtime_ns)


# The library's rows -------------------------------------------------------------------------


def settle(store: Store, record: Record) -> int:
    """Let the rows of the library say where the files that were moved are now.

    It looks at the disk: a row is only changed where its file is gone and the one that it became is
    there. Done twice it is done once.

    Returns:
        How many rows were changed.
    """
    if record.plan.mode is not Mode.MOVE:
        return 0
    seen = remembered(journal_folder(store))
    moves: dict[Path, tuple[Path, str]] = {}
    for step, result in zip(record.plan.steps, record.results, strict=True):
        if step.is_photo:
            moves.update(_moves_of(record, step, result, seen))
    return store.photos.relocate(moves, home=record.plan.to) if moves else 0


def recover(store: Store) -> None:
    """Put the rows right after a writer that was cut short between files and rows."""
    for file in journals(journal_folder(store)):
        settle(store, read_journal(file))


def _moves_of(
    record: Record, step: Step, result: Result, seen: Mapping[tuple[str, str], Remembered]
) -> Iterator[tuple[Path, tuple[Path, str]]]:
    dragged = seen.get((record.file.name, str(step.target)))
    places = [step.target]
    if dragged is not None and dragged.path:
        places.insert(0, record.plan.to / dragged.path)
    if result is Result.UNDONE:
        places = [step.source, *places]
    elif result is Result.PENDING and not record.undoing:
        places = [step.source, step.target]
    else:
        places.append(step.source)
    here = [place for place in places if os.path.lexists(place)]
    if here:
        for former in places:
            if former not in here:
                yield former, (here[0], step.image_id)


# Telling ------------------------------------------------------------------------------------

_SHOWN = 5


def plan_told(
    made: Plan, *, files: int, file: Path | None = None, notes: Sequence[str] = ()
) -> Arranged:
    """What a plan would do.

    Args:
        made: The plan.
        files: How many files the library knows.
        file: Where the plan was written to.
        notes: What the person should know.
    """
    withheld = WITHHELD.values()
    return Arranged(
        to=made.to,
        mode=made.mode,
        files=files,
        done=sum(step.is_photo for step in made.steps),
        there=sum(step.is_photo for step in made.there),
        left=Counter(item.why for item in made.left if item.image_id),
        absent=max(files - made.photos, 0),
        sidecars=sum(not step.is_photo for step in made.steps),
        refusals=[(i.source, i.why) for i in made.left if i.why not in withheld][:_SHOWN],
        suffixed=made.suffixed,
        made_safe=made.made_safe,
        plan=file,
        notes=notes,
    )


def record_told(record: Record, *, files: int, notes: Sequence[str] = ()) -> Arranged:
    """What an arrangement did; see `plan_told`."""
    told = plan_told(record.plan, files=files, notes=notes)
    counts = record.photo_counts
    done = counts.pop(Result.DONE, 0)
    refusals = [(step.source, reason) for step, _, reason in record.refusals()]
    return replace(
        told,
        done=done,
        results=+counts,
        sidecars=record.counts[Result.DONE] - done,
        refusals=[*refusals, *told.refusals][:_SHOWN],
        is_finished=record.applied,
    )


def undo_told(record: Record) -> TakenBack:
    """What an undo did."""
    counts = record.photo_counts
    undone = counts.pop(Result.UNDONE, 0)
    counts.pop(Result.PENDING, None)  # what the apply had not done
    return TakenBack(
        to=record.plan.to,
        mode=record.plan.mode,
        created_at=record.created_at,
        undone=undone,
        sidecars=record.counts[Result.UNDONE] - undone,
        results=+counts,
        refusals=[(step.target, reason) for step, _, reason in record.refusals()][:_SHOWN],
        is_finished=record.undone,
    )


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
