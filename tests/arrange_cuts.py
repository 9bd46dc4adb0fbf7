"""Arrangements that are killed, or lose their power, at any call of the disk.

The disk keeps only what was synchronised. The loops try every so many-th call: the default run a
few of them, `tests.soak` all.
"""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from organizer.arrange import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    FolderTemplate,
    StepResult,
    carry_out,
    make_plan,
    read_journal,
    resume_journal,
    undo_journal,
)
from tests.arrange_disks import PowerCuts, VolatileDisk, files_of, forget
from tests.arrange_trees import KilledError, item_of, make

KINDS = (*ArrangeMode, "move to another disk", "move to another disk, removing at once")
HARD_KINDS = ("symlink", "move", "move to another disk, removing at once")
_MANY = 200
"""More calls of the disk than an arrangement of the small tree makes."""


class AnotherDisk(VolatileDisk):
    """A disk of which the folder of the sources is no part."""

    def rename(self, source: str, target: str) -> None:
        if not source.endswith(".partial"):
            raise OSError(errno.EXDEV, "Invalid cross-device link", source, None, target)
        super().rename(source, target)


class World:
    """A few photos, and a plan of them."""

    def __init__(self, home: Path, kind: str, *names: str) -> None:
        self.root, self.kind = home / "disk", kind
        self.mode = ArrangeMode(kind.split(maxsplit=1)[0])
        for number, name in enumerate(names or ("a.jpg", "a.xmp", "b.jpg", "below/c.jpg")):
            make(self.root / "in" / name, name.encode() * 9, age=number)
        self.before = files_of(self.root)
        self.journal = self.root / "library/arrangements/arrangement-000001.jsonl"
        self.cuts = PowerCuts(self.root, home / "pool", removes_at_once="at once" in kind)
        self.plan = self._plan()

    def _plan(self) -> ArrangePlan:
        photos = sorted((self.root / "in").rglob("*.jpg"))
        items = [
            item_of(p, cluster_id=n % 2 + 1, cluster_name=f"c{n % 2}") for n, p in enumerate(photos)
        ]
        return make_plan(
            items,
            to=self.root / "out",
            mode=self.mode,
            template=FolderTemplate.parse("{cluster_name}/{stem}"),
        )

    def disk(self, calls: int = _MANY) -> VolatileDisk:
        kind = AnotherDisk if "another" in self.kind else VolatileDisk
        return kind(self.cuts, calls)

    def cut(self, run: Callable[[VolatileDisk], object], calls: int = _MANY, **how: bool) -> bool:
        """Run until a power cut; whether the run had ended before it."""
        disk = self.disk(calls)
        with self.cuts.watching(**how), suppress(KilledError):
            run(disk)
        self.cuts.cut()
        return not disk.is_dead

    def apply(self, disk: VolatileDisk) -> ArrangeRecord:
        return carry_out(self.plan, journal=self.journal, disk=disk)

    def undo(self, disk: VolatileDisk) -> ArrangeRecord:
        return undo_journal(self.journal, disk=disk)

    def files(self) -> dict[str, bytes | str]:
        """All files but those of the library."""
        return {n: c for n, c in files_of(self.root).items() if not n.startswith("library/")}

    def require_arranged(self) -> None:
        record = read_journal(self.journal)
        assert record.applied
        assert record.counts == {StepResult.DONE: len(self.before)}
        found = self.files()
        sources = {} if self.mode is ArrangeMode.MOVE else self.before
        targets = {
            str(step.target.relative_to(self.root)): str(step.source)
            if self.mode is ArrangeMode.SYMLINK
            else self.before[str(step.source.relative_to(self.root))]
            for step in self.plan.steps
        }
        assert found == {**sources, **targets}

    def require_undone(self) -> None:
        assert read_journal(self.journal).undone
        assert self.files() == self.before
        assert not self.plan.to.exists()


class Worlds:
    """A new world again and again; the one before is removed."""

    def __init__(self, home: Path) -> None:
        self._home, self._numbers = home, itertools.count()

    def __call__(self, kind: str, *names: str) -> World:
        number = next(self._numbers)
        forget(self._home / str(number - 1))
        return World(self._home / str(number), kind, *names)


def cut_arrangements(worlds: Worlds, kind: str, way: str, *, every: int) -> None:
    """Cut the power while files are arranged; then go on, or take it back."""
    for calls in range(0, _MANY, every):
        world = worlds(kind)
        has_ended = world.cut(world.apply, calls)
        if not world.journal.exists():
            assert world.files() == world.before
            continue
        if way == "resume":
            resume_journal(world.journal)
            world.require_arranged()
        undo_journal(world.journal)
        world.require_undone()
        if has_ended:
            return
    raise AssertionError("it never came to its end")


def cut_undos(worlds: Worlds, kind: str, *, every: int) -> None:
    """Cut the power while an arrangement is undone; then undo it again."""
    for calls in range(0, _MANY, every):
        world = worlds(kind)
        carry_out(world.plan, journal=world.journal)
        has_ended = world.cut(world.undo, calls)
        undo_journal(world.journal)
        world.require_undone()
        if has_ended:
            return
    raise AssertionError("it never came to its end")


def kill_arrangements(worlds: Worlds, kind: str, *, every: int) -> None:
    """What a killed run did without waiting for the disk, the next one waits for."""
    for calls in range(0, _MANY, every):
        world = worlds(kind)
        disk = world.disk(calls)
        with world.cuts.watching():
            with suppress(KilledError):
                world.apply(disk)
            if world.journal.exists():
                resume_journal(world.journal, disk=world.disk())
        world.cuts.cut()
        if world.journal.exists():
            world.require_arranged()
        if not disk.is_dead:
            return
    raise AssertionError("it never came to its end")


def kill_undos(worlds: Worlds, kind: str, *, every: int) -> None:
    """Kill an undo, undo again, and cut the power after it."""
    for calls in range(0, _MANY, every):
        world = worlds(kind)
        carry_out(world.plan, journal=world.journal)
        disk = world.disk(calls)
        with world.cuts.watching():
            with suppress(KilledError):
                world.undo(disk)
            world.undo(world.disk())
        world.cuts.cut()
        world.require_undone()
        if not disk.is_dead:
            return
    raise AssertionError("it never came to its end")


def kill_and_cut(worlds: Worlds, kind: str, way: str, *, every: int) -> None:
    """One photo, and pairs of a moment of the kill and a moment of the power cut after it."""
    for killed in range(0, _MANY, every):
        for cut in range(0, _MANY, every):
            world = worlds(kind, "below/a.jpg")
            first, then = world.disk(killed), world.disk(cut)
            on: Callable[..., object] = resume_journal if way == "resume" else undo_journal
            begin = world.apply
            if way == "undo again":
                carry_out(world.plan, journal=world.journal)
                begin = world.undo
            with world.cuts.watching():
                world.cuts.before_sync = first.tick
                with suppress(KilledError):
                    begin(first)
                world.cuts.before_sync = then.tick
                if world.journal.exists():
                    with suppress(KilledError):
                        on(world.journal, disk=then)
            was_there = world.journal.exists()
            world.cuts.cut()
            if world.journal.exists():
                on(world.journal)
                world.require_arranged() if way == "resume" else world.require_undone()
            else:
                assert world.files() == world.before
            if not then.is_dead or not was_there:
                break
        if not first.is_dead:
            return
    raise AssertionError("it never came to its end")
