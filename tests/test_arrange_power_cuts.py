"""A power cut at any moment, on a disk that keeps only what was synchronised."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from organizer import durable
from organizer.arrange import ArrangeMode, StepResult, carry_out, read_journal, resume_journal
from organizer.atomic import replace_atomically, write_atomically
from organizer.errors import StoreError
from tests.arrange_cuts import (
    HARD_KINDS,
    KINDS,
    World,
    Worlds,
    cut_arrangements,
    cut_undos,
    kill_and_cut,
    kill_arrangements,
    kill_undos,
)
from tests.arrange_disks import PowerCuts, VolatileDisk, files_of
from tests.arrange_trees import KilledError, make

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are found in /proc")

_EVERY = 9
"""Of the calls of the disk; `tests.soak` tries all."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches also in a small tree."""
    monkeypatch.setattr("organizer.arrange.batches.CONTENTS", 2)
    monkeypatch.setattr("organizer.arrange.batches.NAMES", 2)


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    return Worlds(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_arranged_and_undone_stays_so(worlds: Worlds, kind: str) -> None:
    world = worlds(kind)
    # A link or a move in a disk gives a name to what a person may have copied there a moment ago.
    assert world.cut(world.apply, fresh=world.mode in {ArrangeMode.LINK, ArrangeMode.MOVE})
    world.require_arranged()
    assert world.cut(world.undo)
    world.require_undone()


@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_arrangement_that_loses_its_power_is_finished_or_taken_back(
    worlds: Worlds, kind: str, way: str
) -> None:
    cut_arrangements(worlds, kind, way, every=_EVERY)


@pytest.mark.parametrize("kind", KINDS)
def test_an_undo_that_loses_its_power_is_finished(worlds: Worlds, kind: str) -> None:
    cut_undos(worlds, kind, every=_EVERY)


@pytest.mark.parametrize("kind", HARD_KINDS)
def test_an_arrangement_that_was_killed_and_finished_stays(worlds: Worlds, kind: str) -> None:
    kill_arrangements(worlds, kind, every=_EVERY)


@pytest.mark.parametrize("kind", HARD_KINDS)
def test_an_undo_that_was_killed_and_finished_stays(worlds: Worlds, kind: str) -> None:
    kill_undos(worlds, kind, every=_EVERY)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["resume", "undo", "undo again"])
def test_what_goes_on_after_a_kill_may_lose_its_power(worlds: Worlds, way: str) -> None:
    kill_and_cut(worlds, HARD_KINDS[-1], way, every=_EVERY)


def test_an_undo_makes_the_folders_again_that_were_emptied(tmp_path: Path) -> None:
    world = World(tmp_path, "move", "a.jpg", "card/below/b.jpg")
    carry_out(world.plan, journal=world.journal)
    (world.root / "in/card/below").rmdir()
    (world.root / "in/card").rmdir()
    assert world.cut(world.undo)
    world.require_undone()


def test_a_copy_that_a_person_made_meanwhile_is_on_the_disk_before_the_source_goes(
    worlds: Worlds,
) -> None:
    for calls in range(200):
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
