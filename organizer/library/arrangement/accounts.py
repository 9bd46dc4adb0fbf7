"""What arranging did, or would do, for a person: every file is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import Mode, Plan, Record, Result
from organizer.library.arrangement.filing import WITHHELD

_SHOWN = 5


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
