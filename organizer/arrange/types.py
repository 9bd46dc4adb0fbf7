"""The data types of an arrangement: photos, steps, plans and the results of applying them.

Paths are absolute. A *photo* is a file of the library; a *sidecar* is a file beside it that belongs
to it (``a.xmp``, ``a.jpg.json``) and goes where it goes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

Value = str | int | float | datetime | None
"""What a field of a template can hold."""


class ArrangeMode(StrEnum):
    """What is done with a file: hard link, symbolic link, copy or move."""

    LINK = "link"
    SYMLINK = "symlink"
    COPY = "copy"
    MOVE = "move"


class StepAction(StrEnum):
    """What a step does with its file.

    PLACE: it links, copies or moves the source to the target, as the plan's mode says. RELOCATE: it
    renames a copy that was placed before. REMOVE: it removes what was placed at the target before,
    and its undo places that again; neither exists but in an update of an arranged folder.
    """

    PLACE = "place"
    RELOCATE = "relocate"
    REMOVE = "remove"


class StepResult(StrEnum):
    """The result of a step.

    PENDING: not tried yet (stopped, disk full, process killed). DONE: applied. MISSING: the source
    does not exist. CHANGED: the source, or for an undo the target, has changed. OCCUPIED: another
    file is at the destination. FAILED: the system reported an error. UNDONE: applied and then
    undone. GONE: the file that an undo would remove does not exist. KEPT: an undo left the file
    because it is the last copy of the content.
    """

    PENDING = "pending"
    DONE = "done"
    MISSING = "missing"
    CHANGED = "changed"
    OCCUPIED = "occupied"
    FAILED = "failed"
    UNDONE = "undone"
    GONE = "gone"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class ArrangeItem:
    """A photo to arrange.

    Attributes:
        image_id: The image that it holds: 32 hexadecimal digits.
        source: Its path.
        size: Bytes.
        mtime_ns: Modification time, nanoseconds.
        below: Its folder relative to the ingested one, with forward slashes; "" directly in it.
        cluster_id: None where it is in no cluster.
        fields: Values of the template's fields by name; None where unknown. ``stem``, ``suffix``,
            ``name``, ``folder`` and ``below`` are filled in from `source` and `below` where they
            are not given. Photos in no cluster share the folder of their ``cluster_name``, which
            stands for no cluster.
        withheld: Why it must not be arranged, as a message to the user; "" where it may be.
        file_hash: The hash of its bytes; "" where the image id is that.
        picture_hash: The hash of its picture, which metadata that are written into it do not
            change; "" where it is not known.
        why: The reason for which it is arranged, as a message to the user; its cluster where "".
    """

    image_id: str
    source: Path
    size: int
    mtime_ns: int
    below: str = ""
    cluster_id: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    withheld: str = ""
    file_hash: str = ""
    picture_hash: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ArrangeStep:
    """One file and where it goes.

    Attributes:
        source: Its path.
        target: Its new path, below the plan's folder.
        why: The reason, as a message to the user.
        image_id: The image that it holds; "" for a sidecar.
        cluster_id: The cluster of the photo, also for its sidecar.
        size: Bytes at the time of planning.
        mtime_ns: Modification time at the time of planning, nanoseconds.
        cluster_folder: The folder that stands for the cluster, relative to the plan's with forward
            slashes; "" where no folder does.
        file_hash: As `ArrangeItem.file_hash`; "" for a sidecar too.
        picture_hash: As `ArrangeItem.picture_hash`; "" for a sidecar too.
        action: What is done.
    """

    source: Path
    target: Path
    why: str
    image_id: str
    cluster_id: int | None
    size: int
    mtime_ns: int
    cluster_folder: str = ""
    file_hash: str = ""
    picture_hash: str = ""
    action: StepAction = StepAction.PLACE

    @property
    def content_hash(self) -> str:
        """The hash of its bytes at the time of planning; "" for a sidecar."""
        return self.file_hash or self.image_id

    @property
    def is_photo(self) -> bool:
        """Whether it is a photo, not a sidecar."""
        return self.image_id != ""


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that is not arranged.

    Attributes:
        source: Its path. Bytes that are not valid UTF-8 are kept as lone surrogates.
        why: The reason, as a message to the user.
        image_id: The image that it holds; "" for a sidecar.
    """

    source: Path
    why: str
    image_id: str


@dataclass(frozen=True, slots=True)
class ArrangePlan:
    """Which files go where, and which are left out.

    Every photo is in exactly one of `steps`, `there` and `left`.

    Attributes:
        to: The folder into which the files go.
        mode: What is done with each file.
        steps: In the order in which they are done.
        there: Files that are at their targets already.
        left: Files that are not arranged, with the reason.
        template: As the user wrote it; "" where the plan was read from a file.
        made_safe: How many names of files and folders were changed to be valid on every system.
        suffixed: How many photos got a suffix because another photo has the name.
        updates: Whether it brings a folder up to date that was arranged before: folders that its
            steps empty are removed.
        made_with: The options that an update takes over: ``by``, ``keep_tree``, ``with_people``;
            empty where the plan was read from a file.
    """

    to: Path
    mode: ArrangeMode
    steps: Sequence[ArrangeStep]
    there: Sequence[ArrangeStep] = ()
    left: Sequence[LeftFile] = ()
    template: str = ""
    made_safe: int = 0
    suffixed: int = 0
    updates: bool = False
    made_with: Mapping[str, str | bool] = field(default_factory=dict)

    def mode_of(self, step: ArrangeStep) -> ArrangeMode:
        """What one of its steps does, or for a removal what it is the reverse of."""
        return ArrangeMode.MOVE if step.action is StepAction.RELOCATE else self.mode

    @property
    def photos(self) -> int:
        """How many photos the plan covers."""
        return (
            sum(step.is_photo for step in self.steps)
            + sum(step.is_photo for step in self.there)
            + sum(item.image_id != "" for item in self.left)
        )

    @property
    def digest(self) -> str:
        """A hash that is equal for plans that do the same."""
        made = hashlib.sha256(f"{self.mode}\0{self.to}\0".encode("utf-8", "surrogateescape"))
        for step in self.steps:
            action = "" if step.action is StepAction.PLACE else f"{step.action}\0"
            line = (
                f"{action}{step.source}\0{step.target}\0{step.image_id}\0{step.size}\0"
                f"{step.mtime_ns}\n"
            )
            made.update(line.encode("utf-8", "surrogateescape"))
        return made.hexdigest()


@dataclass(frozen=True, slots=True)
class ArrangeRecord:
    """The content of a journal: the plan, and how far it was applied.

    Attributes:
        file: The journal.
        plan: The plan.
        created_at: When the arrangement began, ISO 8601 with its offset.
        results: The result of each step, in the order of `plan.steps`.
        reasons: Why a step was not done, as a message to the user, by the number of the step.
        applied: Whether an apply finished; steps that it could not do are in `results`.
        undoing: Whether an undo has begun.
        undone: Whether an undo finished; steps that it could not undo are in `results`.
    """

    file: Path
    plan: ArrangePlan
    created_at: str
    results: Sequence[StepResult]
    reasons: Mapping[int, str]
    applied: bool
    undoing: bool
    undone: bool

    @property
    def counts(self) -> Counter[StepResult]:
        """The number of steps by result, photos and sidecars."""
        return Counter(self.results)

    @property
    def photo_counts(self) -> Counter[StepResult]:
        """The number of photos by result."""
        pairs = zip(self.plan.steps, self.results, strict=True)
        return Counter(result for step, result in pairs if step.is_photo)

    @property
    def pending(self) -> bool:
        """Whether an apply or an undo was begun and did not finish."""
        return not self.undone and (self.undoing or not self.applied)

    def of(self, *results: StepResult) -> list[ArrangeStep]:
        """The steps that have one of these results."""
        pairs = zip(self.plan.steps, self.results, strict=True)
        return [step for step, result in pairs if result in results]

    def refusals(self) -> list[tuple[ArrangeStep, StepResult, str]]:
        """The steps that were not done, or not undone, with the reason."""
        return [
            (self.plan.steps[number], self.results[number], reason)
            for number, reason in sorted(self.reasons.items())
        ]
