"""Whatever a person or a disk does in between, the last name of a photo is never removed."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    Disk,
    FolderTemplate,
    StepResult,
    carry_out,
    make_plan,
    next_journal,
    placed_by_journals,
    read_journal,
    read_plan,
    resume_journal,
    undo_journal,
    write_plan,
)
from organizer.errors import SettingsError, StoreError
from tests.arrange_trees import T0, Bomb, KilledError, item_of, make

_PHOTO = b"the only photo of it" * 10


class Photo:
    """One photo, and what is known of an arrangement of it."""

    def __init__(self, home: Path, mode: ArrangeMode, *, to: str = "out", below: str = "") -> None:
        self.home = home
        self.source = make(home / "in/a.jpg", _PHOTO)
        self.journal = home / "journals/arrangement-000001.jsonl"
        self.target = home / to / below / "a.jpg"
        self.mode = mode
        item = item_of(self.source)
        step = ArrangeStep(
            self.source, self.target, "", item.image_id, 1, item.size, item.mtime_ns, below
        )
        self.plan = ArrangePlan(home / to, mode, (step,))

    def apply(self, disk: Disk | None = None) -> ArrangeRecord:
        return carry_out(self.plan, journal=self.journal, disk=disk)

    def killed(self, calls: int) -> bool:
        """Apply until a kill; whether there is a journal to go on with."""
        with suppress(KilledError):
            self.apply(Bomb(calls))
        return self.journal.exists()

    def require_alive(self) -> None:
        found = [f for f in self.home.rglob("*") if f.is_file() and not f.is_symlink()]
        assert any(f.read_bytes() == _PHOTO for f in found)


@pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.COPY, ArrangeMode.MOVE])
def test_a_folder_of_sources_that_became_a_link_to_the_targets_holds_nothing(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    photo = Photo(tmp_path, mode)
    photo.apply()
    shutil.rmtree(photo.source.parent)
    photo.source.parent.symlink_to(photo.target.parent)
    record = undo_journal(photo.journal)
    assert photo.target.read_bytes() == _PHOTO
    assert record.counts == {
        StepResult.OCCUPIED if mode is ArrangeMode.MOVE else StepResult.KEPT: 1
    }
    photo.source.parent.unlink()
    assert undo_journal(photo.journal).counts == {
        StepResult.UNDONE if mode is ArrangeMode.MOVE else StepResult.KEPT: 1
    }
    photo.require_alive()


@pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.COPY, ArrangeMode.MOVE])
def test_a_source_that_became_a_link_to_its_target_holds_nothing(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    photo = Photo(tmp_path, mode)
    photo.apply()
    photo.source.unlink(missing_ok=True)
    photo.source.symlink_to(photo.target)
    record = undo_journal(photo.journal)
    assert photo.target.read_bytes() == _PHOTO
    assert record.counts == {
        StepResult.OCCUPIED if mode is ArrangeMode.MOVE else StepResult.KEPT: 1
    }


def test_a_copy_stays_where_its_source_is_changed_though_size_and_time_are_not(
    tmp_path: Path,
) -> None:
    photo = Photo(tmp_path, ArrangeMode.COPY)
    photo.apply()
    make(photo.source, _PHOTO.replace(b"only", b"ONLY"))
    assert undo_journal(photo.journal).counts == {StepResult.KEPT: 1}
    assert photo.target.read_bytes() == _PHOTO


@pytest.mark.parametrize("way", [resume_journal, undo_journal])
@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_a_file_that_is_led_onto_itself_stays_whenever_it_is_killed(
    tmp_path: Path, mode: ArrangeMode, way: Callable[[Path], ArrangeRecord]
) -> None:
    for kill in range(8):
        for name, to in (("itself", "in"), ("link", "out")):
            home = tmp_path / f"{name}{kill}"
            photo = Photo(home, mode, to=to)
            if name == "link":
                (home / "out").symlink_to("in")
            if photo.killed(kill):
                way(photo.journal)
                undo_journal(photo.journal)
            assert photo.source.read_bytes() == _PHOTO
            assert not photo.source.is_symlink()


def test_names_that_differ_by_case_are_one_only_where_the_disk_says_so(tmp_path: Path) -> None:
    photo = Photo(tmp_path, ArrangeMode.LINK, to="in")
    step = photo.plan.steps[0]
    other = ArrangeStep(
        step.source, tmp_path / "in/A.JPG", "", step.image_id, 1, step.size, step.mtime_ns, ""
    )
    carry_out(ArrangePlan(tmp_path / "in", ArrangeMode.LINK, (other,)), journal=photo.journal)
    if not (tmp_path / "in/A.JPG").is_file():
        pytest.skip("the disk does not tell cases apart")
    assert undo_journal(photo.journal).counts == {StepResult.UNDONE: 1}
    assert [f.name for f in (tmp_path / "in").iterdir()] == ["a.jpg"]


# Disks that say one thing and do another -----------------------------------------------------


class Forgetful(Disk):
    """A network's disk: a name is taken away, the answer is lost, and asked again it is gone."""

    def remove(self, path: str) -> None:
        super().remove(path)
        if "/in/" in path:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)


class ForgetfulAcross(Forgetful):
    """The same, with the target on another disk."""

    def rename(self, source: str, target: str) -> None:
        if "/in/" in source:
            raise OSError(errno.EXDEV, "Invalid cross-device link", source, None, target)
        super().rename(source, target)


class ForgetfulWithoutLinks(Forgetful):
    """The same, without links: a rename is done, and said not to be."""

    def link_as_it_is(self, source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", source, None, target)

    def replace(self, source: str, target: str) -> None:
        super().replace(source, target)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", source, None, target)


@pytest.mark.parametrize("kind", [Forgetful, ForgetfulAcross, ForgetfulWithoutLinks])
def test_a_source_that_went_though_the_disk_denies_it_is_moved(
    tmp_path: Path, kind: type[Disk]
) -> None:
    photo = Photo(tmp_path, ArrangeMode.MOVE)
    disk = kind()
    disk._rename_new = None
    assert photo.apply(disk).counts == {StepResult.DONE: 1}
    assert photo.target.read_bytes() == _PHOTO
    assert undo_journal(photo.journal).counts == {StepResult.UNDONE: 1}
    assert photo.source.read_bytes() == _PHOTO


# Moved, and nobody knows ---------------------------------------------------------------------


@pytest.fixture
def moved(tmp_path: Path) -> Photo:
    """A photo that was moved by a process which was killed before it could say so."""
    for kill in range(20):
        photo = Photo(tmp_path / str(kill), ArrangeMode.MOVE)
        if photo.killed(kill) and not photo.source.exists():
            return photo
    raise AssertionError("it was never moved")


@pytest.mark.parametrize("way", [resume_journal, undo_journal])
def test_a_move_is_known_again_when_its_disk_is_back(
    moved: Photo, way: Callable[[Path], ArrangeRecord]
) -> None:
    away = moved.home / "away"
    moved.plan.to.rename(away)
    record = way(moved.journal)
    assert record.counts == {StepResult.MISSING if way is resume_journal else StepResult.GONE: 1}
    assert record.refusals()
    shutil.rmtree(moved.plan.to, ignore_errors=True)
    away.rename(moved.plan.to)
    if way is resume_journal:
        assert resume_journal(moved.journal).counts == {StepResult.DONE: 1}
    assert undo_journal(moved.journal).counts == {StepResult.UNDONE: 1}
    assert moved.source.read_bytes() == _PHOTO


def test_a_move_that_was_missing_for_one_run_is_taken_back_by_the_undo(moved: Photo) -> None:
    away = moved.home / "away"
    moved.plan.to.rename(away)
    resume_journal(moved.journal)
    moved.plan.to.rmdir()
    away.rename(moved.plan.to)
    assert undo_journal(moved.journal).counts == {StepResult.UNDONE: 1}
    assert moved.source.read_bytes() == _PHOTO


def test_what_an_undo_could_not_take_back_it_takes_back_later(moved: Photo) -> None:
    make(moved.source, b"another's")
    assert undo_journal(moved.journal).counts == {StepResult.OCCUPIED: 1}
    moved.source.unlink()
    assert undo_journal(moved.journal).counts == {StepResult.UNDONE: 1}
    assert moved.source.read_bytes() == _PHOTO


def test_a_file_that_is_at_the_target_of_one_that_went_is_not_taken_for_it(tmp_path: Path) -> None:
    photo = Photo(tmp_path, ArrangeMode.MOVE)
    photo.source.unlink()
    make(photo.target, _PHOTO.replace(b"only", b"ONLY"))
    assert photo.apply().counts == {StepResult.MISSING: 1}
    assert undo_journal(photo.journal).counts == {StepResult.PENDING: 1}
    assert photo.target.exists()


def test_a_source_that_cannot_even_be_looked_for_fails_alone(tmp_path: Path) -> None:
    photo = Photo(tmp_path, ArrangeMode.COPY)
    other = make(tmp_path / "other/b.jpg", b"b")
    item = item_of(other)
    step = ArrangeStep(
        other, tmp_path / "out/b.jpg", "", item.image_id, 1, item.size, item.mtime_ns, ""
    )
    made = ArrangePlan(photo.plan.to, photo.mode, (*photo.plan.steps, step))
    shutil.rmtree(photo.source.parent)
    photo.source.parent.symlink_to(photo.source.parent)
    record = carry_out(made, journal=photo.journal)
    assert record.results == (StepResult.FAILED, StepResult.DONE)
    assert record.applied


# What is another's, and who else is at work --------------------------------------------------


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_an_empty_file_that_was_at_the_target_before_stays(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    for kill in range(8):
        photo = Photo(tmp_path / str(kill), mode)
        empty = make(photo.target, b"")
        if photo.killed(kill):
            assert resume_journal(photo.journal).counts == {StepResult.OCCUPIED: 1}
            undo_journal(photo.journal)
        assert (empty.read_bytes(), empty.is_symlink()) == (b"", False)
        assert photo.source.read_bytes() == _PHOTO


def test_an_empty_file_that_came_to_the_target_of_a_link_stays(tmp_path: Path) -> None:
    for kill in range(8):
        photo = Photo(tmp_path / str(kill), ArrangeMode.LINK)
        if not photo.killed(kill) or photo.target.exists():
            continue
        photo.target.parent.mkdir(exist_ok=True)
        photo.target.touch()
        assert resume_journal(photo.journal).counts == {StepResult.OCCUPIED: 1}
        assert photo.target.stat().st_size == 0


def test_one_file_that_may_not_be_linked_does_not_keep_the_others(tmp_path: Path) -> None:
    """Linux refuses second names for files of another user (protected_hardlinks)."""

    class Protected(Disk):
        def link(self, source: str, target: str) -> None:
            if source == str(photo.source):
                raise PermissionError(errno.EPERM, "Operation not permitted", source)
            super().link(source, target)

    photo = Photo(tmp_path, ArrangeMode.LINK)
    other = make(tmp_path / "in/b.jpg", b"b")
    item = item_of(other)
    step = ArrangeStep(
        other, tmp_path / "out/b.jpg", "", item.image_id, 1, item.size, item.mtime_ns, ""
    )
    made = ArrangePlan(photo.plan.to, photo.mode, (*photo.plan.steps, step))
    record = carry_out(made, journal=photo.journal, disk=Protected())
    assert record.results == (StepResult.FAILED, StepResult.DONE)
    assert record.refusals()[0][2] == "Operation not permitted"


def test_two_at_once_do_not_write_to_one_journal(tmp_path: Path) -> None:
    photo = Photo(tmp_path, ArrangeMode.MOVE)

    def intrude() -> bool:
        for way in (resume_journal, undo_journal):
            with pytest.raises(StoreError, match="another organizer is arranging"):
                way(photo.journal)
        with pytest.raises(StoreError, match="another organizer is arranging"):
            carry_out(photo.plan, journal=photo.journal)
        assert read_journal(photo.journal).pending
        return False

    assert carry_out(photo.plan, journal=photo.journal, stop=intrude).counts == {StepResult.DONE: 1}
    assert undo_journal(photo.journal).counts == {StepResult.UNDONE: 1}


def test_the_name_of_the_journal_is_on_the_disk_before_anything_is_done(tmp_path: Path) -> None:
    told: list[str] = []

    class Telling(Disk):
        def sync_folder(self, path: str) -> None:
            told.append(path)
            super().sync_folder(path)

        def make_folder(self, path: str) -> None:
            told.append(path)
            super().make_folder(path)

    photo = Photo(tmp_path, ArrangeMode.MOVE)
    photo.apply(Telling())
    assert told[:2] == [str(photo.journal.parent), str(photo.plan.to)]


# A plan that a person edited -----------------------------------------------------------------


def test_names_that_are_swapped_or_handed_on_are_refused_with_their_line(tmp_path: Path) -> None:
    files = [make(tmp_path / f"in/{name}.jpg", name.encode()) for name in "ab"]
    items = [item_of(file) for file in files]

    def edited(*targets: Path) -> Path:
        steps = [
            ArrangeStep(i.source, target, "", i.image_id, 1, i.size, i.mtime_ns, "")
            for i, target in zip(items, targets, strict=True)
        ]
        made = ArrangePlan(tmp_path / "in", ArrangeMode.MOVE, tuple(steps))
        return write_plan(made, tmp_path / "plan.csv", over=True)

    new = tmp_path / "in/c.jpg"
    with pytest.raises(SettingsError, match=r"line 2: .* is also a source of the plan"):
        read_plan(edited(files[1], files[0]))
    for targets, line in (
        ((files[1], new), 2),
        ((new, files[0].with_name("A.jpg")), 3),
        ((new, files[1]), 3),
    ):
        read = read_plan(edited(*targets))
        (left,) = read.left
        assert left.why.startswith(f"line {line}: ")
        assert left.why.endswith("is also a source of the plan")
        assert len(read.steps) == 1
    assert read_plan(edited(files[0].with_name("A.jpg"), new)).photos == 2


def test_a_file_is_moved_to_one_place_and_linked_to_many(tmp_path: Path) -> None:
    item = item_of(make(tmp_path / "in/a.jpg", _PHOTO))
    steps = tuple(
        ArrangeStep(item.source, tmp_path / f"out/{n}.jpg", "", item.image_id, 1, item.size, T0, "")
        for n in range(2)
    )
    for mode in ArrangeMode:
        file = write_plan(ArrangePlan(tmp_path / "out", mode, steps), tmp_path / f"{mode}.csv")
        if mode is not ArrangeMode.MOVE:
            assert read_plan(file).steps == steps
            continue
        with pytest.raises(SettingsError, match=r"line 2: .*a\.jpg is moved in line 3 too"):
            read_plan(file)


def test_photos_that_are_one_file_under_two_names_do_not_share_a_target(tmp_path: Path) -> None:
    first = make(tmp_path / "in/z/a.jpg", _PHOTO)
    template = FolderTemplate.parse("{stem}")
    journals = tmp_path / "journals"

    def again(*items: ArrangeItem) -> ArrangePlan:
        made = make_plan(
            items,
            to=tmp_path / "out",
            mode=ArrangeMode.LINK,
            template=template,
            placed=placed_by_journals(journals),
        )
        assert read_plan(write_plan(made, tmp_path / "plan.csv", over=True)).photos == len(items)
        return made

    carry_out(again(item_of(first, below="z")), journal=next_journal(journals))
    second = tmp_path / "in/b/a.jpg"
    second.parent.mkdir()
    second.hardlink_to(first)
    items = item_of(first, below="z"), item_of(second, below="b")
    made = again(*items)
    assert (len(made.there), len(made.steps)) == (1, 1)
    carry_out(made, journal=next_journal(journals))
    assert len(again(*items).there) == 2


# To another disk -----------------------------------------------------------------------------


class Across(Bomb):
    """A disk of which the folder of the sources is no part."""

    def __init__(self, calls: int = 10**9) -> None:
        super().__init__(calls)
        self.told: list[str] = []

    def rename(self, source: str, target: str) -> None:
        if not source.endswith(".partial"):
            raise OSError(errno.EXDEV, "Invalid cross-device link", source, None, target)
        super().rename(source, target)

    def sync(self, descriptor: int) -> None:
        self.told.append("sync")
        super().sync(descriptor)

    def sync_folder(self, path: str) -> None:
        self.told.append(f"sync {path}")
        super().sync_folder(path)

    def make_folder(self, path: str) -> None:
        self.told.append(f"make {path}")
        super().make_folder(path)

    def remove(self, path: str) -> None:
        self.told += [f"remove {path}"] if Path(path).exists() else []
        super().remove(path)


def test_all_is_on_the_other_disk_before_the_source_is_removed(tmp_path: Path) -> None:
    photo = Photo(tmp_path, ArrangeMode.MOVE)
    disk = Across()
    assert photo.apply(disk).counts == {StepResult.DONE: 1}
    out = photo.plan.to
    assert disk.told[:7] == [
        f"sync {photo.journal.parent}", "sync", f"make {out}", f"sync {out.parent}",
        "sync", f"sync {out}", f"remove {photo.source}",
    ]  # fmt: skip


def test_a_copy_that_the_disk_does_not_give_back_is_no_copy(tmp_path: Path) -> None:
    class Rotten(Across):
        def copy(self, source: str, target: str) -> str:
            read = super().copy(source, target)
            Path(target).write_bytes(_PHOTO[:-1] + b"?")
            return read

    photo = Photo(tmp_path, ArrangeMode.MOVE)
    record = photo.apply(Rotten())
    assert record.counts == {StepResult.CHANGED: 1}
    assert photo.source.read_bytes() == _PHOTO
    assert not list(photo.plan.to.iterdir())


@pytest.mark.parametrize("moment", ["copy", "sync_folder"])
def test_a_source_that_changes_while_it_is_moved_stays(tmp_path: Path, moment: str) -> None:
    photo = Photo(tmp_path, ArrangeMode.MOVE)

    class Busy(Across):
        def edit(self, what: str) -> None:
            if what == moment:
                make(photo.source, b"edited meanwhile", age=5)

        def copy(self, source: str, target: str) -> str:
            read = super().copy(source, target)
            self.edit("copy")
            return read

        def sync_folder(self, path: str) -> None:
            super().sync_folder(path)
            if path == str(photo.plan.to):
                self.edit("sync_folder")

    assert photo.apply(Busy()).counts == {StepResult.CHANGED: 1}
    assert photo.source.read_bytes() == b"edited meanwhile"
    assert not photo.target.exists()


@pytest.fixture
def halves(tmp_path: Path) -> Photo:
    """A photo that is whole at both places, since the process was killed before the removal."""
    for kill in range(30):
        photo = Photo(tmp_path / str(kill), ArrangeMode.MOVE)
        with suppress(KilledError):
            photo.apply(Across(kill))
        if photo.source.exists() and photo.target.exists():
            return photo
    raise AssertionError("it was never at both")


def test_of_two_halves_the_first_goes_when_it_is_finished(halves: Photo) -> None:
    assert resume_journal(halves.journal).counts == {StepResult.DONE: 1}
    assert not halves.source.exists()
    assert halves.target.read_bytes() == _PHOTO


def test_of_two_halves_the_second_goes_when_it_is_taken_back(halves: Photo) -> None:
    assert undo_journal(halves.journal).counts == {StepResult.UNDONE: 1}
    assert not halves.target.exists()
    assert halves.source.read_bytes() == _PHOTO


@pytest.mark.parametrize("way", [resume_journal, undo_journal])
@pytest.mark.parametrize(("old", "age"), [(b"ONLY", 0), (b"ONLY", 9), (b"only", 9)])
def test_what_is_no_half_stays(
    halves: Photo, way: Callable[[Path], ArrangeRecord], old: bytes, age: int
) -> None:
    theirs = _PHOTO.replace(b"only", old)
    make(halves.source, theirs, age=age)
    way(halves.journal)
    assert halves.source.read_bytes() == theirs
    assert halves.target.read_bytes() == _PHOTO
