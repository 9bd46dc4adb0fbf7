"""What is done to files, what is refused, and how it is taken back."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from organizer.arrange import (
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    Disk,
    FolderTemplate,
    StepResult,
    carry_out,
    journals,
    make_plan,
    next_journal,
    placed_by_journals,
    read_journal,
    resume_journal,
    undo_journal,
)
from organizer.errors import SettingsError, StoreError
from tests.arrange_trees import (
    Bomb,
    Fat,
    KilledError,
    WithoutRename,
    item_of,
    make,
    require_arranged,
    set_folder_times,
    snapshot,
)

_SHM = Path("/dev/shm")  # noqa: S108 - another file system, where there is one

another_disk = pytest.mark.skipif(
    not _SHM.is_dir() or _SHM.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev,
    reason="there is no second file system",
)


class Cards:
    """Photos in two folders, planned into a third."""

    def __init__(self, home: Path, to: Path | None = None, count: int = 6) -> None:
        self.home = home / "photos"
        self.to = to or home / "out"
        self.journal = home / "journals" / "arrangement-000001.jsonl"
        self.files = [
            make(self.home / f"card{n % 2}/IMG_{n}.JPG", b"photo %d" % n * 50, age=n)
            for n in range(count)
        ]
        self.sidecar = make(self.files[0].with_suffix(".xmp"), b"edits", age=77)
        self.contents = {f: f.read_bytes() for f in (*self.files, self.sidecar)}
        set_folder_times(self.home)
        self.before = snapshot(self.home)

    def plan(self, mode: ArrangeMode) -> ArrangePlan:
        items = [item_of(f, cluster_name="fox") for f in self.files]
        template = FolderTemplate.parse("{cluster_name}/x/{stem}")
        return make_plan(items, to=self.to, mode=mode, template=template)

    def apply(self, mode: ArrangeMode, disk: Disk | None = None) -> ArrangeRecord:
        return carry_out(self.plan(mode), journal=self.journal, disk=disk)


@pytest.fixture
def cards(tmp_path: Path) -> Cards:
    return Cards(tmp_path)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another disk."""
    with tempfile.TemporaryDirectory(dir=_SHM) as name:
        yield Path(name)


# Sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_a_source_that_changed_or_went_is_left_and_told(cards: Cards, mode: ArrangeMode) -> None:
    made = cards.plan(mode)
    make(cards.files[0], b"edited")
    cards.files[1].unlink()
    shutil.rmtree(cards.files[1].parent)
    record = carry_out(made, journal=cards.journal)
    told = {step.source: (result, reason) for step, result, reason in record.refusals()}
    assert told[cards.files[0]][0] is StepResult.CHANGED
    assert {told[f][0] for f in cards.files[1::2]} == {StepResult.MISSING}
    assert record.photo_counts == {StepResult.CHANGED: 1, StepResult.MISSING: 3, StepResult.DONE: 2}
    assert record.applied
    assert sum(record.counts.values()) == len(made.steps)
    make(cards.files[0], cards.contents[cards.files[0]], age=0)
    assert resume_journal(cards.journal).photo_counts == {StepResult.MISSING: 3, StepResult.DONE: 3}


def test_a_copy_finds_a_change_that_size_and_time_hide(cards: Cards) -> None:
    made = cards.plan(ArrangeMode.COPY)
    make(cards.files[0], cards.contents[cards.files[0]].replace(b"photo", b"PHOTO"), age=0)
    record = carry_out(made, journal=cards.journal)
    assert record.photo_counts == {StepResult.CHANGED: 1, StepResult.DONE: 5}
    assert record.refusals()[0][2] == "its content changed, though size and time did not"
    assert not list(cards.to.rglob(".*"))


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_a_sidecar_stays_where_its_photo_stays(cards: Cards, mode: ArrangeMode) -> None:
    made = cards.plan(mode)
    assert [s.source for s in made.steps[:2]] == [cards.files[0], cards.sidecar]
    turned = replace(made, steps=made.steps[::-1])  # as a person may sort the table
    make(cards.files[0], b"edited", age=9)
    record = carry_out(turned, journal=cards.journal)
    assert {s.source for s, _, _ in record.refusals()} == {cards.files[0], cards.sidecar}
    assert {result for _, result, _ in record.refusals()} == {StepResult.CHANGED}
    make(cards.files[0], cards.contents[cards.files[0]])
    assert resume_journal(cards.journal).counts == {StepResult.DONE: 7}
    target = made.steps[0].target
    target.unlink()
    make(target, b"edited", age=9)
    record = undo_journal(cards.journal)
    assert record.counts == {StepResult.CHANGED: 1, StepResult.KEPT: 1, StepResult.UNDONE: 5}
    assert made.steps[1].target.read_bytes() == b"edits"
    target.unlink()
    undo_journal(cards.journal)
    assert not os.path.lexists(made.steps[1].target)
    assert cards.sidecar.read_bytes() == b"edits"


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_what_a_disk_forgot_without_power_is_done_again(cards: Cards, mode: ArrangeMode) -> None:
    made = cards.plan(mode)
    asked = iter([False] * 4 + [True] * 100)
    carry_out(made, journal=cards.journal, stop=lambda: next(asked))
    first = made.steps[0]
    if mode is ArrangeMode.MOVE:
        first.target.rename(first.source)
    else:
        first.target.unlink()
    assert resume_journal(cards.journal).counts == {StepResult.DONE: 7}
    require_arranged(made, cards.contents)
    assert undo_journal(cards.journal).counts == {StepResult.UNDONE: 7}


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_what_came_to_a_target_in_between_is_not_overwritten(
    cards: Cards, mode: ArrangeMode
) -> None:
    made = cards.plan(mode)
    theirs = make(made.steps[2].target, b"another's")
    record = carry_out(made, journal=cards.journal)
    assert record.counts == {StepResult.OCCUPIED: 1, StepResult.DONE: len(made.steps) - 1}
    assert theirs.read_bytes() == b"another's"
    undone = undo_journal(cards.journal)
    assert undone.counts == {StepResult.PENDING: 1, StepResult.UNDONE: len(made.steps) - 1}
    assert theirs.read_bytes() == b"another's"
    theirs.unlink()
    assert snapshot(cards.home) == cards.before


def test_a_symbolic_link_is_followed_and_never_moved(tmp_path: Path) -> None:
    real = make(tmp_path / "real/a.jpg", b"photo")
    (tmp_path / "in").mkdir()
    link = tmp_path / "in/link.jpg"
    link.symlink_to("../real/a.jpg")
    link.with_suffix(".xmp").symlink_to(make(tmp_path / "real/a.xmp", b"edits"))
    for number, mode in enumerate((ArrangeMode.LINK, ArrangeMode.COPY, ArrangeMode.SYMLINK)):
        made = make_plan(
            [item_of(link)], to=tmp_path / mode, mode=mode, template=FolderTemplate.parse("{stem}")
        )
        carry_out(made, journal=tmp_path / f"{number}.jsonl")
        target = tmp_path / mode / "link.jpg"
        assert target.read_bytes() == b"photo"
        assert target.is_symlink() == (mode is ArrangeMode.SYMLINK)
        assert target.samefile(real) == (mode is not ArrangeMode.COPY)
        assert undo_journal(tmp_path / f"{number}.jsonl").counts == {StepResult.UNDONE: 2}
    real.with_suffix(".xmp").unlink()
    item = item_of(real)
    made = make_plan(
        [item], to=tmp_path / "m", mode=ArrangeMode.MOVE, template=FolderTemplate.parse("{stem}")
    )
    real.rename(tmp_path / "other.jpg")
    real.symlink_to(tmp_path / "other.jpg")
    assert carry_out(made, journal=tmp_path / "9.jsonl").counts == {StepResult.CHANGED: 1}


def test_modes_and_times_go_with_a_copy(tmp_path: Path) -> None:
    file = make(tmp_path / "in/a.jpg", b"photo", age=5, mode=0o444)
    made = make_plan(
        [item_of(file)],
        to=tmp_path / "o",
        mode=ArrangeMode.COPY,
        template=FolderTemplate.parse("a"),
    )
    carry_out(made, journal=tmp_path / "1.jsonl")
    status = (tmp_path / "o/a.jpg").stat()
    assert (status.st_mtime_ns, status.st_mode) == (file.stat().st_mtime_ns, file.stat().st_mode)
    assert status.st_ino != file.stat().st_ino
    assert undo_journal(tmp_path / "1.jsonl").counts == {StepResult.UNDONE: 1}


# Other disks, full disks, cards --------------------------------------------------------------


@another_disk
def test_a_move_to_another_disk_comes_back_as_it_was(tmp_path: Path, elsewhere: Path) -> None:
    cards = Cards(tmp_path, elsewhere / "out")
    before = snapshot(cards.home, inodes=False), snapshot(elsewhere)
    made = cards.plan(ArrangeMode.MOVE)
    record = carry_out(made, journal=cards.journal)
    assert record.counts == {StepResult.DONE: len(made.steps)}
    require_arranged(made, cards.contents)
    assert not [f for f in cards.home.rglob("*") if f.is_file()]
    assert undo_journal(cards.journal).counts == {StepResult.UNDONE: len(made.steps)}
    assert (snapshot(cards.home, inodes=False), snapshot(elsewhere)) == before


@another_disk
def test_links_to_another_disk_are_refused_before_anything_is_done(
    tmp_path: Path, elsewhere: Path
) -> None:
    cards = Cards(tmp_path, elsewhere / "out")
    with pytest.raises(SettingsError, match="another disk") as refused:
        cards.apply(ArrangeMode.LINK)
    assert refused.value.hint == "--mode copy or --mode symlink"
    assert not cards.journal.exists()
    assert not cards.to.exists()


def test_a_source_that_cannot_be_removed_stays_and_its_copy_goes(cards: Cards) -> None:
    class Stubborn(Disk):
        def rename(self, source: str, target: str) -> None:
            if "photos" in source:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            super().rename(source, target)

        def remove(self, path: str) -> None:
            if "photos" in path:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            super().remove(path)

    record = cards.apply(ArrangeMode.MOVE, Stubborn())
    assert record.counts == {StepResult.FAILED: 7}
    reasons = {reason for step, _, reason in record.refusals() if step.is_photo}
    assert reasons == {"Permission denied"}
    assert snapshot(cards.home) == cards.before
    assert not [f for f in cards.to.rglob("*") if f.is_file()]


def test_a_read_only_folder_of_sources_fails_step_by_step(cards: Cards) -> None:
    class ReadOnly(Disk):
        def rename(self, source: str, target: str) -> None:
            if "card0" in source:
                raise OSError(errno.EROFS, "Read-only file system", source)
            super().rename(source, target)

    record = cards.apply(ArrangeMode.MOVE, ReadOnly())
    assert record.photo_counts == {StepResult.FAILED: 3, StepResult.DONE: 3}
    undo_journal(cards.journal)
    assert snapshot(cards.home) == cards.before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to mount")
def test_a_full_disk_ends_the_run_which_goes_on_when_there_is_room(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        _fill_and_go_on(tmp_path, small)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


class _Hopeful(Disk):
    """A disk that is believed to have room until it has not."""

    def free(self, path: str) -> int:  # noqa: ARG002
        return 10**18


def _fill_and_go_on(home: Path, small: Path) -> None:
    ballast = make(small / "ballast", b"b" * 100_000)
    cards = Cards(home, small / "out", count=1)
    cards.files += [make(cards.home / f"{n}.jpg", b"%d" % n * 40_000, age=n) for n in range(5)]
    cards.contents |= {f: f.read_bytes() for f in cards.files}
    cards.before = snapshot(cards.home)
    with pytest.raises(SettingsError, match="bytes of free space"):
        cards.apply(ArrangeMode.COPY)
    assert not cards.to.exists()
    record = cards.apply(ArrangeMode.COPY, _Hopeful())
    assert not record.applied
    assert record.pending
    assert set(record.results) == {StepResult.DONE, StepResult.PENDING}
    assert record.refusals()[0][2] == "the disk is full"
    assert not list(small.rglob(".*"))
    ballast.unlink()
    record = resume_journal(cards.journal)
    assert record.applied
    require_arranged(record.plan, cards.contents)
    assert undo_journal(cards.journal).counts == {StepResult.UNDONE: 7}
    assert snapshot(cards.home) == cards.before
    assert not cards.to.exists()


def test_a_card_without_links_is_refused_for_links_and_left_as_it_was(cards: Cards) -> None:
    home = snapshot(cards.home.parent / "photos")
    with pytest.raises(SettingsError, match="no link can be made") as refused:
        cards.apply(ArrangeMode.LINK, Fat())
    assert "--mode copy" in refused.value.hint
    assert not cards.to.exists()
    assert snapshot(cards.home) == home


@pytest.mark.parametrize("system", [WithoutRename, Fat])
@pytest.mark.parametrize("mode", [ArrangeMode.COPY, ArrangeMode.MOVE])
def test_systems_that_rename_only_over_files_are_served_too(
    tmp_path: Path, system: type[Bomb], mode: ArrangeMode
) -> None:
    for kill in range(0, 80, 3):
        cards = Cards(tmp_path / str(kill), count=3)
        made = cards.plan(mode)
        theirs = make(made.steps[1].target, b"another's")
        made = cards.plan(mode)
        disk = system(kill)
        with suppress(KilledError):
            carry_out(made, journal=cards.journal, disk=disk)
        assert theirs.read_bytes() == b"another's"
        if kill % 2 and cards.journal.exists():
            assert resume_journal(cards.journal, disk=system(10**9)).counts == {StepResult.DONE: 4}
            require_arranged(made, cards.contents)
        with suppress(KilledError):
            undo_journal(cards.journal, disk=system(kill // 2))
        undo_journal(cards.journal, disk=system(10**9))
        assert snapshot(cards.home) == cards.before
        assert [f for f in cards.to.rglob("*") if f.is_file()] == [theirs]


# Undo ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_what_a_person_did_since_is_never_undone_over(cards: Cards, mode: ArrangeMode) -> None:
    record = cards.apply(mode)
    edited, moved, deleted, *_ = (step.target for step in record.plan.steps if step.is_photo)
    edited.unlink()
    make(edited, b"edited since", age=500)
    moved.rename(moved.with_name("elsewhere.jpg"))
    deleted.unlink()
    mine = make(edited.with_name("my notes.txt"), b"notes")
    undone = undo_journal(cards.journal)
    assert undone.photo_counts == {StepResult.CHANGED: 1, StepResult.GONE: 2, StepResult.UNDONE: 3}
    assert undone.undone
    assert edited.read_bytes() == b"edited since"
    assert moved.with_name("elsewhere.jpg").exists() or mode is ArrangeMode.SYMLINK
    assert mine.read_bytes() == b"notes"
    edited.unlink()
    assert undo_journal(cards.journal).photo_counts == {StepResult.GONE: 3, StepResult.UNDONE: 3}


@pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.COPY])
def test_the_last_copy_of_a_photo_is_never_removed(cards: Cards, mode: ArrangeMode) -> None:
    record = cards.apply(mode)
    cards.files[0].unlink()
    undone = undo_journal(cards.journal)
    assert undone.photo_counts == {StepResult.KEPT: 1, StepResult.UNDONE: 5}
    kept = next(s.target for s in record.plan.steps if s.source == cards.files[0])
    assert kept.read_bytes() == cards.contents[cards.files[0]]


def test_a_copy_of_which_the_source_was_edited_stays(cards: Cards) -> None:
    cards.apply(ArrangeMode.COPY)
    make(cards.files[0], b"edited", age=900)
    assert undo_journal(cards.journal).photo_counts == {StepResult.KEPT: 1, StepResult.UNDONE: 5}


def test_a_copy_that_was_edited_and_dated_back_is_found_by_its_hash(cards: Cards) -> None:
    record = cards.apply(ArrangeMode.COPY)
    target = record.plan.steps[0].target
    make(target, cards.contents[cards.files[0]].replace(b"photo", b"PHOTO"), age=0)
    assert undo_journal(cards.journal).photo_counts == {StepResult.CHANGED: 1, StepResult.UNDONE: 5}


def test_a_move_back_does_not_replace_what_came_to_the_place(cards: Cards) -> None:
    record = cards.apply(ArrangeMode.MOVE)
    make(cards.files[0], b"a new card's IMG_0")
    undone = undo_journal(cards.journal)
    assert undone.photo_counts == {StepResult.OCCUPIED: 1, StepResult.UNDONE: 5}
    assert cards.files[0].read_bytes() == b"a new card's IMG_0"
    assert record.plan.steps[0].target.read_bytes() == cards.contents[cards.files[0]]
    cards.files[0].unlink()
    assert undo_journal(cards.journal).photo_counts == {StepResult.UNDONE: 6}
    assert snapshot(cards.home, times=False) == {
        path: told if told[0] != 0o040000 else told[:2] for path, told in cards.before.items()
    }


def test_times_of_folders_that_another_changed_since_stay(cards: Cards) -> None:
    made = cards.plan(ArrangeMode.MOVE)
    carry_out(made, journal=cards.journal)
    make(cards.home / "card0" / "new.jpg", b"new")
    changed = (cards.home / "card0").stat().st_mtime_ns
    undo_journal(cards.journal)
    assert (cards.home / "card0").stat().st_mtime_ns >= changed
    told = snapshot(cards.home)
    assert told["card1"] == cards.before["card1"]


def test_a_stop_ends_an_apply_and_an_undo_that_go_on_later(cards: Cards) -> None:
    made = cards.plan(ArrangeMode.LINK)
    asked = iter([False] * 4 + [True] * 100)
    record = carry_out(made, journal=cards.journal, stop=lambda: next(asked))
    assert record.counts == {StepResult.DONE: 3, StepResult.PENDING: 4}
    assert record.pending
    assert carry_out(made, journal=cards.journal).counts == {StepResult.DONE: 7}
    asked = iter([False] * 2 + [True] * 100)
    record = undo_journal(cards.journal, stop=lambda: next(asked))
    assert record.counts == {StepResult.UNDONE: 2, StepResult.DONE: 5}
    assert record.pending
    with pytest.raises(SettingsError, match="is being undone"):
        resume_journal(cards.journal)
    assert undo_journal(cards.journal).counts == {StepResult.UNDONE: 7}
    with pytest.raises(SettingsError, match="was undone"):
        resume_journal(cards.journal)
    assert snapshot(cards.home)["card0"] == cards.before["card0"]


def test_everybody_is_told_how_far_it_is(cards: Cards) -> None:
    told: list[int] = []
    made = cards.plan(ArrangeMode.LINK)
    carry_out(made, journal=cards.journal, advance=told.append)
    undo_journal(cards.journal, advance=told.append)
    assert sum(told) == 2 * len(made.steps)


# The journal ---------------------------------------------------------------------------------


def test_journals_are_counted_and_tell_what_stands(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    assert next_journal(folder).name == "arrangement-000001.jsonl"
    assert journals(folder) == []
    assert placed_by_journals(folder) == {}
    one = Cards(tmp_path / "1", count=2)
    two = Cards(tmp_path / "2", count=2)
    for cards in (one, two):
        cards.journal = next_journal(folder)
        cards.apply(ArrangeMode.COPY)
    assert [file.name[-7:] for file in journals(folder)] == ["1.jsonl", "2.jsonl"]
    undo_journal(one.journal)
    assert {step.source for step in placed_by_journals(folder).values()} == set(two.contents)
    assert next_journal(folder).name == "arrangement-000003.jsonl"


def test_a_torn_last_line_is_as_none_and_a_broken_one_before_is_told(cards: Cards) -> None:
    cards.apply(ArrangeMode.LINK)
    data = cards.journal.read_bytes()
    for torn in (data[:-5], data + b'{"do":[1,', data + b"\0" * 100, data + b"\0\0\n"):
        cards.journal.write_bytes(torn)
        assert resume_journal(cards.journal).counts == {StepResult.DONE: 7}
    for line in cards.journal.read_bytes().splitlines():
        json.loads(line)
    lines = data.splitlines(keepends=True)
    for broken in (
        [*lines[:-2], b"{]\n", lines[-1]],
        lines[:4],
        [b"[]\n"],
        [],
        [*lines, b'{"x":1}\n'],
        [*lines, b'{"did":[99]}\n'],
    ):
        cards.journal.write_bytes(b"".join(broken))
        with pytest.raises(StoreError, match="damaged"):
            read_journal(cards.journal)
    cards.journal.write_bytes(data.replace(b'arrangement":2', b'arrangement":99', 1))
    with pytest.raises(StoreError, match="newer"):
        undo_journal(cards.journal)
    with pytest.raises(StoreError, match="cannot read"):
        read_journal(cards.journal.with_name("none.jsonl"))


def test_a_journal_of_another_plan_is_not_gone_on_with(cards: Cards) -> None:
    cards.apply(ArrangeMode.LINK)
    with pytest.raises(StoreError, match="another plan"):
        carry_out(cards.plan(ArrangeMode.COPY), journal=cards.journal)


def test_where_no_journal_can_be_written_nothing_is_done(cards: Cards) -> None:
    make(cards.journal.parent, b"a file")
    with pytest.raises(StoreError, match="cannot write the journal"):
        cards.apply(ArrangeMode.MOVE)
    assert snapshot(cards.home) == cards.before


def test_a_journal_that_is_full_ends_all(cards: Cards) -> None:
    class NoRoom(Disk):
        lines = 0

        def write(self, descriptor: int, data: bytes) -> None:
            self.lines += 1
            if self.lines == 2:
                os.write(descriptor, data[:7])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(descriptor, data)

    with pytest.raises(StoreError, match="No space left"):
        cards.apply(ArrangeMode.MOVE, NoRoom())
    assert resume_journal(cards.journal).counts == {StepResult.DONE: 7}
    undo_journal(cards.journal)
    assert snapshot(cards.home) == cards.before


def test_a_file_that_comes_where_a_moved_one_was_harms_neither(cards: Cards) -> None:
    made = cards.plan(ArrangeMode.MOVE)
    for kill in range(60):
        with suppress(KilledError):
            carry_out(made, journal=cards.journal, disk=Bomb(kill))
        if cards.journal.exists() and not cards.files[5].exists():
            break
        undo_journal(cards.journal)
        cards.journal.unlink()
    assert not read_journal(cards.journal).counts[StepResult.DONE]
    new = make(cards.files[5], b"a new photo of the same name")
    record = resume_journal(cards.journal)
    assert record.counts == {StepResult.DONE: 7}
    assert new.read_bytes() == b"a new photo of the same name"
    target = next(s.target for s in made.steps if s.source == new)
    assert target.read_bytes() == cards.contents[new]
    assert undo_journal(cards.journal).photo_counts == {
        StepResult.OCCUPIED: 1,
        StepResult.UNDONE: 5,
    }
    assert new.read_bytes() == b"a new photo of the same name"
    assert target.read_bytes() == cards.contents[new]


# A real kill ---------------------------------------------------------------------------------

_WORKER = """
import sys
from pathlib import Path
from organizer.arrange import batches, resume_journal, undo_journal
batches.CONTENTS = batches.NAMES = 8
what, journal = sys.argv[1], Path(sys.argv[2])
run = {"resume": resume_journal, "undo": undo_journal}[what]
run(journal, advance=lambda n: print(n, flush=True))
"""


def _killed(what: str, journal: Path, *, after: float) -> None:
    words = [sys.executable, "-c", _WORKER, what, str(journal)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        process.kill()


@pytest.mark.parametrize("mode", [ArrangeMode.COPY, ArrangeMode.MOVE])
def test_a_process_that_is_killed_leaves_what_can_be_finished_or_undone(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    cards = Cards(tmp_path, count=200)
    made = cards.plan(mode)
    carry_out(made, journal=cards.journal, stop=lambda: True)
    draw = random.Random(mode)  # noqa: S311
    _killed("resume", cards.journal, after=draw.uniform(0, 0.05))
    assert read_journal(cards.journal).counts[StepResult.DONE] >= 8
    done = resume_journal(cards.journal)
    assert done.counts == {StepResult.DONE: len(made.steps)}
    require_arranged(made, cards.contents)
    _killed("undo", cards.journal, after=draw.uniform(0, 0.05))
    assert undo_journal(cards.journal).counts == {StepResult.UNDONE: len(made.steps)}
    assert snapshot(cards.home) == cards.before
    assert not cards.to.exists()
