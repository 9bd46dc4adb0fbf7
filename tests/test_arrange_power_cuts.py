"""A power cut at any moment, on a disk that keeps only what was synchronised."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from organizer import durable
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
from organizer.atomic import replace_atomically, write_atomically
from organizer.errors import StoreError
from tests.arrange_disks import PowerCuts, VolatileDisk, files_of, forget
from tests.arrange_trees import KilledError, item_of, make

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are found in /proc")

_KINDS = (*ArrangeMode, "move to another disk", "move to another disk, removing at once")
_MANY = 200
"""More calls of the disk than an arrangement of the small tree makes."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches also in a small tree."""
    monkeypatch.setattr("organizer.arrange.batches.CONTENTS", 2)
    monkeypatch.setattr("organizer.arrange.batches.NAMES", 2)


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


@pytest.fixture
def worlds(tmp_path: Path) -> Callable[..., World]:
    made: list[Path] = []

    def world(kind: str, *names: str) -> World:
        for former in made:
            forget(former)
        home = tmp_path / str(len(made))
        made.append(home)
        return World(home, kind, *names)

    return world


@pytest.mark.parametrize("kind", _KINDS)
def test_what_was_arranged_and_undone_stays_so(worlds: Callable[..., World], kind: str) -> None:
    world = worlds(kind)
    # A link or a move in a disk gives a name to what a person may have copied there a moment ago.
    assert world.cut(world.apply, fresh=world.mode in {ArrangeMode.LINK, ArrangeMode.MOVE})
    world.require_arranged()
    assert world.cut(world.undo)
    world.require_undone()


@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("kind", _KINDS)
def test_an_arrangement_that_loses_its_power_is_finished_or_taken_back(
    worlds: Callable[..., World], kind: str, way: str
) -> None:
    for calls in range(_MANY):
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


@pytest.mark.parametrize("kind", _KINDS)
def test_an_undo_that_loses_its_power_is_finished(worlds: Callable[..., World], kind: str) -> None:
    for calls in range(_MANY):
        world = worlds(kind)
        carry_out(world.plan, journal=world.journal)
        has_ended = world.cut(world.undo, calls)
        undo_journal(world.journal)
        world.require_undone()
        if has_ended:
            return
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("kind", _KINDS)
def test_an_arrangement_that_was_killed_and_finished_stays(
    worlds: Callable[..., World], kind: str
) -> None:
    """What a killed run did without waiting for the disk, the next one waits for."""
    for calls in range(_MANY):
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


@pytest.mark.parametrize("kind", _KINDS)
def test_an_undo_that_was_killed_and_finished_stays(
    worlds: Callable[..., World], kind: str
) -> None:
    for calls in range(_MANY):
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


@pytest.mark.slow
@pytest.mark.parametrize("way", ["resume", "undo", "undo again"])
@pytest.mark.parametrize("kind", ["symlink", "move", "move to another disk, removing at once"])
def test_what_goes_on_after_a_kill_may_lose_its_power(
    worlds: Callable[..., World], kind: str, way: str
) -> None:
    """One photo, and every pair of a moment of the kill and a moment of the power cut."""
    for killed in range(_MANY):
        for cut in range(_MANY):
            world = worlds(kind, "below/a.jpg")
            first, then = world.disk(killed), world.disk(cut)
            on = resume_journal if way == "resume" else undo_journal
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


def test_an_undo_makes_the_folders_again_that_were_emptied(tmp_path: Path) -> None:
    world = World(tmp_path, "move", "a.jpg", "card/below/b.jpg")
    carry_out(world.plan, journal=world.journal)
    (world.root / "in/card/below").rmdir()
    (world.root / "in/card").rmdir()
    assert world.cut(world.undo)
    world.require_undone()


def test_a_copy_that_a_person_made_meanwhile_is_on_the_disk_before_the_source_goes(
    worlds: Callable[..., World],
) -> None:
    for calls in range(_MANY):
        world = worlds("move to another disk, removing at once", "a.jpg")
        (step,) = world.plan.steps
        with world.cuts.watching():
            with suppress(KilledError):
                world.apply(world.disk(calls))
            if not step.target.parent.exists():
                continue  # it had not begun
            shutil.copy2(step.source, step.target)
            resume_journal(world.journal, disk=world.disk())
        world.cuts.cut()
        world.require_arranged()
        return


def test_a_disk_that_cannot_write_ends_the_run_and_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, "link")

    class Broken(VolatileDisk):
        def sync_folder(self, path: str) -> None:
            if path.startswith(str(world.plan.to)):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    failing = pytest.raises(StoreError, match=r"out could not write .*Input/output error")
    with world.cuts.watching(), failing:
        world.apply(Broken(world.cuts))
    assert read_journal(world.journal).pending
    assert resume_journal(world.journal).counts == {StepResult.DONE: 4}


# Files that are whole or not there --------------------------------------------------------------


@pytest.mark.parametrize("over", [True, False])
def test_a_file_that_was_written_atomically_stays(tmp_path: Path, over: bool) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    cuts = PowerCuts(root, tmp_path / "pool")
    if over:
        make(root / "table.csv", b"old")
    with cuts.watching():
        durable.make_folders(root / "new/one")
        write_atomically(root / "table.csv", b"new", over=over)
        write_atomically(root / "new/one/table.csv", b"new", over=over)
    cuts.cut()
    assert files_of(root) == {"table.csv": b"new", "new/one/table.csv": b"new"}


def test_a_folder_that_was_replaced_atomically_stays(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    make(root / "export/old.csv", b"old")
    cuts = PowerCuts(root, tmp_path / "pool")
    with cuts.watching(), replace_atomically(root / "export", folder=True) as fresh:
        make(fresh / "below/new.csv", b"new")
    cuts.cut()
    assert {n: c for n, c in files_of(root).items() if not n.startswith(".")} == {
        "export/below/new.csv": b"new"
    }


def test_a_folder_that_is_being_replaced_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "disk"
    make(root / "export/old.csv", b"old")
    cuts = PowerCuts(root, tmp_path / "pool", removes_at_once=True)

    def die(*_: object, **__: object) -> None:
        raise KilledError  # the files of the former folder are removed, and it is not

    monkeypatch.setattr(os, "rmdir", die)
    with (
        cuts.watching(),
        suppress(KilledError),
        replace_atomically(root / "export", folder=True) as fresh,
    ):
        make(fresh / "new.csv", b"new")
    cuts.cut()
    assert files_of(root / "export") == {"new.csv": b"new"}
