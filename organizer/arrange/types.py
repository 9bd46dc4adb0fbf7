"""What flows through an arrangement: files, the steps that are to be done, and what became of them.

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
    """What is done with a file: a second name, a link, a copy, or another place."""

    LINK = "link"
    SYMLINK = "symlink"
    COPY = "copy"
    MOVE = "move"


class StepResult(StrEnum):
    """What became of a step.

    PENDING: not tried yet (a stop, a full disk, a kill). DONE. MISSING: the source is not there.
    CHANGED: the source, or for an undo the target, is not what it was. OCCUPIED: something else is
    at the place. FAILED: the system refused. UNDONE: done once and taken back. GONE: what an undo
    would take back is not there. KEPT: an undo left it, since it is the last copy of the content.
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
    """A photo that is to be arranged.

    Attributes:
        image_id: The hash of its content: 32 hexadecimal digits.
        source: Where it lies.
        size: Bytes.
        mtime_ns: Nanoseconds.
        below: Its folder relative to the ingested one, with forward slashes; "" directly in it.
        cluster_id: None where it is in no cluster.
        fields: What the template can name, by name; None where nothing is known. ``stem``,
            ``suffix``, ``name``, ``folder`` and ``below`` are filled in from `source` and `below`
            where they are not given. Photos in no cluster share the folder of their
            ``cluster_name``, which stands for no cluster.
        withheld: Why it is not to be arranged, for a person; "" where it is.
    """

    image_id: str
    source: Path
    size: int
    mtime_ns: int
    below: str = ""
    cluster_id: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class ArrangeStep:
    """One file and where it goes.

    Attributes:
        source: Where it lies.
        target: Where it goes, below the plan's folder.
        why: For a person.
        image_id: The hash of the content; "" for a sidecar.
        cluster_id: The cluster of the photo, also for its sidecar.
        size: Bytes, when it was planned.
        mtime_ns: Nanoseconds, when it was planned.
        cluster_folder: The folder that stands for the cluster, relative to the plan's with forward
            slashes; "" where no folder does.
    """

    source: Path
    target: Path
    why: str
    image_id: str
    cluster_id: int | None
    size: int
    mtime_ns: int
    cluster_folder: str = ""

    @property
    def is_photo(self) -> bool:
        """Whether it is a photo and no sidecar."""
        return self.image_id != ""


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that is not arranged.

    Attributes:
        source: Where it lies. What is no valid UTF-8 in it stands as Python's lone surrogates.
        why: For a person.
        image_id: The hash of the content; "" for a sidecar.
    """

    source: Path
    why: str
    image_id: str


@dataclass(frozen=True, slots=True)
class ArrangePlan:
    """What is to be done, and what is not.

    Every photo is in one of `steps`, `there` and `left`.

    Attributes:
        to: The folder into which all goes.
        mode: What is done.
        steps: In the order in which they are done.
        there: What is at its target already, by an earlier arrangement or by nature.
        left: What is not arranged, and why.
        template: As the user wrote it; "" where the plan was read from a file.
        made_safe: Names of files and folders that were changed to be possible on every system.
        suffixed: Photos whose name has a suffix, because another has the name.
    """

    to: Path
    mode: ArrangeMode
    steps: Sequence[ArrangeStep]
    there: Sequence[ArrangeStep] = ()
    left: Sequence[LeftFile] = ()
    template: str = ""
    made_safe: int = 0
    suffixed: int = 0

    @property
    def photos(self) -> int:
        """How many photos it accounts for."""
        return (
            sum(step.is_photo for step in self.steps)
            + sum(step.is_photo for step in self.there)
            + sum(item.image_id != "" for item in self.left)
        )

    @property
    def digest(self) -> str:
        """What two plans share that would do the same."""
        made = hashlib.sha256(f"{self.mode}\0{self.to}\0".encode("utf-8", "surrogateescape"))
        for step in self.steps:
            line = f"{step.source}\0{step.target}\0{step.image_id}\0{step.size}\0{step.mtime_ns}\n"
            made.update(line.encode("utf-8", "surrogateescape"))
        return made.hexdigest()

    def cluster_folders(self) -> dict[str, int | None]:
        """The folders that stand for clusters, relative to `to`, and which they stand for.

        None is the folder of the photos that are in no cluster. Where a person edited a plan so
        that a folder holds two clusters, it stands for the one that has more photos in it.
        """
        votes: dict[str, Counter[int | None]] = {}
        for step in (*self.there, *self.steps):
            if step.cluster_folder and step.is_photo:
                votes.setdefault(step.cluster_folder, Counter())[step.cluster_id] += 1
        return {folder: found.most_common(1)[0][0] for folder, found in votes.items()}


@dataclass(frozen=True, slots=True)
class ArrangeRecord:
    """What a journal tells: the plan, and how far it is carried out.

    Attributes:
        file: The journal.
        plan: The plan.
        created_at: When the arrangement began, ISO 8601 with its offset.
        results: What became of each step, in the order of `plan.steps`.
        reasons: Words for a person, by the number of the step, where it was not done.
        applied: Whether an apply came to its end; what it could not do is in `results`.
        undoing: Whether an undo has begun.
        undone: Whether an undo came to its end; what it could not take back is in `results`.
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
        """How many steps ended in which way, photos and sidecars."""
        return Counter(self.results)

    @property
    def photo_counts(self) -> Counter[StepResult]:
        """How many photos ended in which way."""
        pairs = zip(self.plan.steps, self.results, strict=True)
        return Counter(result for step, result in pairs if step.is_photo)

    @property
    def pending(self) -> bool:
        """Whether an apply or an undo was begun and did not come to its end."""
        return not self.undone and (self.undoing or not self.applied)

    def of(self, *results: StepResult) -> list[ArrangeStep]:
        """The steps that ended in one of some ways."""
        pairs = zip(self.plan.steps, self.results, strict=True)
        return [step for step, result in pairs if result in results]

    def refusals(self) -> list[tuple[ArrangeStep, StepResult, str]]:
        """The steps that were not done, or not taken back, with the reason."""
        return [
            (self.plan.steps[number], self.results[number], reason)
            for number, reason in sorted(self.reasons.items())
        ]
