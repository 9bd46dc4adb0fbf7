"""Reports of an arrangement and its undo: every file is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import ArrangeMode, ArrangePlan, ArrangeRecord, StepResult
from organizer.library.folders.photo_folders import WITHHELD_REASONS

_SHOWN = 5


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
        return sum(self.left[why] for why in WITHHELD_REASONS.values())


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

    @property
    def is_whole(self) -> bool:
        """Whether every file was taken back."""
        return not self.results


def report_plan(
    made: ArrangePlan, *, files: int, file: Path | None = None, notes: Sequence[str] = ()
) -> ArrangeReport:
    """Report what a plan would do.

    Args:
        made: The plan.
        files: Number of files that the library knows.
        file: Where the plan was written to.
        notes: What the person should know.
    """
    withheld = WITHHELD_REASONS.values()
    return ArrangeReport(
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


def report_record(record: ArrangeRecord, *, files: int, notes: Sequence[str] = ()) -> ArrangeReport:
    """Report what an arrangement did; see `report_plan`."""
    planned = report_plan(record.plan, files=files, notes=notes)
    counts = record.photo_counts
    done = counts.pop(StepResult.DONE, 0)
    refusals = [(step.source, reason) for step, _, reason in record.refusals()]
    return replace(
        planned,
        done=done,
        results=+counts,
        sidecars=record.counts[StepResult.DONE] - done,
        refusals=[*refusals, *planned.refusals][:_SHOWN],
        is_finished=record.applied,
    )


def report_undo(record: ArrangeRecord) -> ArrangeUndoReport:
    """Report what an undo did."""
    counts = record.photo_counts
    undone = counts.pop(StepResult.UNDONE, 0)
    counts.pop(StepResult.PENDING, None)  # what the apply had not done
    return ArrangeUndoReport(
        to=record.plan.to,
        mode=record.plan.mode,
        created_at=record.created_at,
        undone=undone,
        sidecars=record.counts[StepResult.UNDONE] - undone,
        results=+counts,
        refusals=[(step.target, reason) for step, _, reason in record.refusals()][:_SHOWN],
        is_finished=record.undone,
    )
