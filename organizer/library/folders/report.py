"""Reports of an arrangement and its undo: every file is accounted for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    StepAction,
    StepResult,
)
from organizer.library.folders.photo_folders import WITHHELD_REASONS

_SHOWN = 5

TAKEN_OUT, CHANGED_THERE = "taken out of the folder by hand", "changed in the folder by hand"
LEFT_BY_HAND = (TAKEN_OUT, CHANGED_THERE)
"""Why an update leaves files as they are."""


@dataclass(frozen=True, slots=True)
class ArrangeReport:
    """What became of every file of the library.

    Attributes:
        to: The folder.
        mode: What was done with the files.
        files: Number of files that the library knows.
        done: Number of files that were arranged, or that a plan would arrange.
        there: Number of files that are where they should be already.
        results: Number of files that were not arranged, by what became of them.
        left: Number of files that were not to be arranged, by the reason.
        absent: Number of files that are not in the plan.
        sidecars: Number of files beside the photos that went along.
        relocated: Of an update, number of files that were put into another folder of the same.
        removed: Of an update, number of files that were removed from the folder.
        not_removed: Of an update, number of files that were to be removed and were not, by why.
        between: Of an update, the folders of the files that were relocated: from where, to where,
            how many.
        updates: Whether it is an update.
        unknown_files: Of an update, number of files in the folder that no arrangement put there.
        refusals: A few of the files that were not arranged, with the reason.
        suffixed: Number of files with a suffix, because another has the name.
        made_safe: Number of names that were changed to be possible everywhere.
        is_finished: Whether it came to its end.
        plan: The file that the plan was written to; None where it was applied.
        notes: What the person should know, a line each.
    """

    to: Path
    mode: ArrangeMode
    files: int
    done: int = 0
    there: int = 0
    results: Counter[StepResult] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    absent: int = 0
    sidecars: int = 0
    relocated: int = 0
    removed: int = 0
    not_removed: Counter[StepResult] = field(default_factory=Counter)
    between: Sequence[tuple[str, str, int]] = ()
    updates: bool = False
    unknown_files: int = 0
    refusals: Sequence[tuple[Path, str]] = ()
    suffixed: int = 0
    made_safe: int = 0
    is_finished: bool = True
    plan: Path | None = None
    notes: Sequence[str] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every file of the library was arranged that was to be."""
        arranged = self.done + self.relocated + self.there
        return self.files == arranged + self.withheld and not self.not_removed

    @property
    def has_changes(self) -> bool:
        """Whether a file is placed, put elsewhere or removed, or would be."""
        return bool(self.done or self.relocated or self.removed or self.sidecars)

    @property
    def withheld(self) -> int:
        """Files that are left because people or vehicles are in the photo, or by hand."""
        return sum(self.left[why] for why in (*WITHHELD_REASONS.values(), *LEFT_BY_HAND))


@dataclass(frozen=True, slots=True)
class ArrangeUndoReport:
    """What an undo did; see `ArrangeReport`. `results` counts files that were not taken back."""

    to: Path
    mode: ArrangeMode
    created_at: str
    undone: int
    sidecars: int
    results: Counter[StepResult]
    refusals: Sequence[tuple[Path, str]]
    is_finished: bool
    of_update: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every file was taken back."""
        return not self.results


def report_plan(
    made: ArrangePlan,
    *,
    files: int,
    file: Path | None = None,
    unknown_files: int = 0,
    notes: Sequence[str] = (),
) -> ArrangeReport:
    """Report what a plan would do.

    Args:
        made: The plan.
        files: Number of files that the library knows.
        file: Where the plan was written to.
        unknown_files: Of an update, files in the folder that no arrangement put there.
        notes: What the person should know.
    """
    withheld = {*WITHHELD_REASONS.values(), *LEFT_BY_HAND}
    counted = _count_steps(made.steps, made)
    return ArrangeReport(
        to=made.to,
        mode=made.mode,
        files=files,
        done=counted.placed,
        relocated=counted.relocated,
        removed=counted.removed,
        between=counted.between,
        updates=made.updates,
        unknown_files=unknown_files,
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


def report_record(
    record: ArrangeRecord, *, files: int, unknown_files: int = 0, notes: Sequence[str] = ()
) -> ArrangeReport:
    """Report what an arrangement did; see `report_plan`."""
    planned = report_plan(record.plan, files=files, unknown_files=unknown_files, notes=notes)
    done = record.of(StepResult.DONE)
    counted = _count_steps(done, record.plan)
    results: Counter[StepResult] = Counter()
    not_removed: Counter[StepResult] = Counter()
    for step, result in zip(record.plan.steps, record.results, strict=True):
        if step.is_photo and result is not StepResult.DONE:
            is_removal = step.action is StepAction.REMOVE
            (not_removed if is_removal else results)[result] += 1
    refusals = [(_place_of(step), reason) for step, _, reason in record.refusals()]
    return replace(
        planned,
        done=counted.placed,
        relocated=counted.relocated,
        removed=counted.removed,
        between=counted.between,
        results=results,
        not_removed=not_removed,
        sidecars=sum(not step.is_photo for step in done),
        refusals=[*refusals, *planned.refusals][:_SHOWN],
        is_finished=record.applied,
    )


def _place_of(step: ArrangeStep) -> Path:
    return step.target if step.action is StepAction.REMOVE else step.source


@dataclass(frozen=True, slots=True)
class _StepCounts:
    """Photos among some steps: newly placed, put into another folder, removed for good."""

    placed: int
    relocated: int
    removed: int
    between: Sequence[tuple[str, str, int]]


def _count_steps(steps: Sequence[ArrangeStep], plan: ArrangePlan) -> _StepCounts:
    photos = [step for step in steps if step.is_photo]
    removals: dict[str, list[Path]] = defaultdict(list)
    for step in photos:
        if step.action is StepAction.REMOVE:
            removals[step.image_id].append(step.target)
    between: Counter[tuple[str, str]] = Counter()
    placed = 0
    for step in photos:
        if step.action is StepAction.REMOVE:
            continue
        former: Path | None = None
        if step.action is StepAction.RELOCATE or (
            plan.updates and step.source.is_relative_to(plan.to)
        ):
            former = step.source
        elif removals[step.image_id]:
            former = removals[step.image_id].pop()
        if former is None:
            placed += 1
        else:
            between[_folder_in(plan.to, former), _folder_in(plan.to, step.target)] += 1
    return _StepCounts(
        placed,
        between.total(),
        sum(map(len, removals.values())),
        [(one, other, count) for (one, other), count in between.most_common()],
    )


def _folder_in(to: Path, file: Path) -> str:
    return file.parent.relative_to(to).as_posix()


def report_undo(record: ArrangeRecord) -> ArrangeUndoReport:
    """Report what an undo did."""
    counts = record.photo_counts
    steps = counts.pop(StepResult.UNDONE, 0)
    counts.pop(StepResult.PENDING, None)  # what the apply had not done
    counted = _count_steps(record.of(StepResult.UNDONE), record.plan)
    undone = counted.placed + counted.relocated + counted.removed
    return ArrangeUndoReport(
        to=record.plan.to,
        mode=record.plan.mode,
        created_at=record.created_at,
        undone=undone,
        sidecars=record.counts[StepResult.UNDONE] - steps,
        of_update=record.plan.updates,
        results=+counts,
        refusals=[(step.target, reason) for step, _, reason in record.refusals()][:_SHOWN],
        is_finished=record.undone,
    )
