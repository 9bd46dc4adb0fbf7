"""Any tree, any plan, killed anywhere: applied to the end it is as planned, undone as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    FolderTemplate,
    StepResult,
    carry_out,
    make_plan,
    read_journal,
    read_plan,
    resume_journal,
    undo_journal,
    write_plan,
)
from tests.arrange_trees import (
    Bomb,
    KilledError,
    item_of,
    make,
    require_arranged,
    set_folder_times,
    snapshot,
)

_SHM = Path("/dev/shm")  # noqa: S108 - another file system, where there is one

_PHOTOS = (
    "a.jpg", "A.jpg", "a.JPG", "a.png", "b.jpg", "é.jpg", "e\u0301.jpg", "🦊🏽.jpg", "CON.jpg",
    "x" * 240 + ".jpg", "é" * 120 + ".png", " b .jpg", "-rf.jpg", "=1+1.jpg", "two\nlines.jpg",
    "a:b?.jpg", "a.jpg.jpg",
)  # fmt: skip
_SIDECARS = (
    "a.xmp", "A.xmp", "a.jpg.xmp", "a.JPG.XMP", "b.json", "a.jpg.more.json", "é.xmp", "a.CR2",
    "b.mov", "a.cr2.xmp", "A.wav",
)  # fmt: skip
_FOLDERS = (
    "", "card1", "card2", "card1/déep", "card2/.hidden", "linked", f"{'long' * 50}/{'path' * 50}",
)  # fmt: skip
_TEMPLATES = (
    "{cluster_name}/{stem}", "{stem}", "{cluster_name}/{camera}/{stem}", "{cluster:02}_{stem}",
    "{camera}/{cluster_name}/x", "{name}/{stem}", "{cluster_name}/{below}/{stem}",
)  # fmt: skip
_NEVER = 10**9
_NAMES = {1: "fox", 2: "Fox", 3: "fox/../..", 4: "🦡" * 80, 5: "unsure", 6: "NUL "}


@pytest.fixture(autouse=True, scope="module")
def small_batches() -> Iterator[None]:
    """Several batches also in a small tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("organizer.arrange.batches.CONTENTS", 3)
        patch.setattr("organizer.arrange.batches.NAMES", 2)
        yield


class World:
    """Two folders, what is in them, and how they were."""

    def __init__(self, home: Path, elsewhere: Path) -> None:
        self.home, self.elsewhere = home, elsewhere
        self.items: list[ArrangeItem] = []
        self.contents: dict[Path, bytes] = {}
        self.before: tuple[object, object] = ({}, {})

    @property
    def to(self) -> Path:
        return self.elsewhere / "out"

    @property
    def journal(self) -> Path:
        return self.home.parent / f"{self.home.name}-journals" / "arrangement-000001.jsonl"

    def fill(self, files: Sequence[tuple[str, str, int]], existing: Sequence[str]) -> None:
        (self.home / "photos").mkdir()
        (self.home / "another folder").mkdir()
        (self.home / "photos" / "linked").symlink_to("../another folder")
        for number, (folder, name, content) in enumerate(files):
            file = self.home / "photos" / folder / name
            if os.path.lexists(file):
                continue
            mode = 0o444 if content == 2 else 0o644
            real = self.home / "originals" / str(number) if content == 3 else file
            make(real, b"%d" % content * content, age=number, mode=mode)
            if real != file:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.symlink_to(real)
            self.contents[file] = file.read_bytes()
        for there in existing:
            make(self.to / there, b"another's")
        photos = [file for file in self.contents if file.name not in _SIDECARS]
        for number, file in enumerate(photos):
            below = file.parent.relative_to(self.home / "photos").as_posix()
            cluster_id = number % 8 or None
            label = f"cluster {cluster_id}" if cluster_id else None
            cluster = _NAMES.get(cluster_id or 0, label)
            self.items.append(
                item_of(
                    file,
                    below="" if below == "." else below,
                    cluster_id=cluster_id,
                    cluster_name=cluster,
                    camera="A/B:1" if number % 2 else None,
                )
            )
        for top in (self.home, self.elsewhere):
            top.mkdir(exist_ok=True)
            set_folder_times(top)
        self.before = self.now()

    def now(self) -> tuple[object, object]:
        # A file that was on another disk comes back as another file with the same bytes.
        inodes = self.home == self.elsewhere
        return snapshot(self.home, inodes=inodes), snapshot(self.elsewhere, inodes=inodes)

    def plan(self, mode: ArrangeMode, template: str) -> ArrangePlan:
        made = make_plan(self.items, to=self.to, mode=mode, template=FolderTemplate.parse(template))
        assert made.photos == len(self.items)
        for left in made.left:
            assert (
                "cannot be a folder" in left.why
                or (left.source.is_symlink() and mode is ArrangeMode.MOVE)
                or (left.image_id == "" and left.why.startswith("its photo goes with "))
            )
        assert self.now() == self.before
        return made


worlds = st.fixed_dictionaries(
    {
        "files": st.lists(
            st.tuples(
                st.sampled_from(_FOLDERS),
                st.sampled_from(_PHOTOS + _SIDECARS),
                st.integers(0, 4),
            ),
            min_size=1,
            max_size=14,
        ),
        "existing": st.lists(
            st.sampled_from(["a.jpg", "fox/a.JPG", "fox/b.jpg", "FOX/é.jpg", "unsure/mine.txt"]),
            max_size=3,
        ),
        "mode": st.sampled_from([*ArrangeMode]),
        "template": st.sampled_from(_TEMPLATES),
        "across": st.booleans(),
    }
)
kills = st.lists(st.integers(0, 60), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@settings(max_examples=60, deadline=None)
@given(drawn=worlds, calls=kills)
def test_applied_to_the_end_it_is_as_planned_and_undone_it_is_as_it_was(
    place: Path, drawn: dict[str, object], calls: list[int]
) -> None:
    with _world(place, drawn) as (world, made):
        record = _until_done(world, made, calls)
        assert record.applied, record.refusals()
        assert set(record.results) <= {StepResult.DONE}, record.refusals()
        assert record == read_journal(world.journal)
        require_arranged(made, world.contents)
        assert make_plan(
            world.items, to=world.to, mode=made.mode, template=FolderTemplate.parse(made.template)
        ).photos == len(world.items)
        undone = _until_undone(world, [])
        assert set(undone.results) <= {StepResult.UNDONE}, undone.refusals()
        assert world.now() == world.before


@settings(max_examples=60, deadline=None)
@given(drawn=worlds, first=st.integers(0, 60), calls=kills)
def test_killed_anywhere_it_can_be_taken_back(
    place: Path, drawn: dict[str, object], first: int, calls: list[int]
) -> None:
    with _world(place, drawn) as (world, made):
        with suppress(KilledError):
            carry_out(made, journal=world.journal, disk=Bomb(first))
        if not world.journal.exists():
            assert world.now() == world.before
            return
        record = _until_undone(world, calls)
        assert record.undone
        assert set(record.results) <= {StepResult.UNDONE, StepResult.PENDING}, record.refusals()
        assert world.now() == world.before


@settings(max_examples=40, deadline=None)
@given(drawn=worlds)
def test_a_plan_has_no_two_files_in_one_place_and_survives_its_table(
    place: Path, drawn: dict[str, object]
) -> None:
    import unicodedata

    with _world(place, drawn) as (world, made):
        folded = [
            unicodedata.normalize("NFC", unicodedata.normalize("NFD", str(s.target)).casefold())
            for s in made.steps
        ]
        assert len(folded) == len(set(folded))
        for step in made.steps:
            assert step.target.is_relative_to(world.to)
            assert not os.path.lexists(step.target)
            for name in step.target.relative_to(world.to).parts:
                assert len(name.encode()) <= 255
                assert not set(name) & set('<>:"/\\|?*\n')
                assert name.rstrip(" .") == name
            assert step.target.suffix == step.source.suffix
            assert step.cluster_folder == "" or step.target.is_relative_to(
                world.to / step.cluster_folder
            )
        if not made.steps:  # a table of nothing to do does not tell how
            return
        read = read_plan(write_plan(made, world.journal.with_suffix(".csv"), over=True))
        assert read.digest == made.digest
        assert read.steps == made.steps
        shuffled = make_plan(
            reversed(world.items),
            to=made.to,
            mode=made.mode,
            template=FolderTemplate.parse(made.template),
        )
        assert shuffled == made


class _world:  # noqa: N801 - used as a function
    """A world and a plan for it; gone when it is left."""

    def __init__(self, place: Path, drawn: dict[str, object]) -> None:
        mode = drawn["mode"]
        across = drawn["across"] and mode is not ArrangeMode.LINK and _SHM.is_dir()
        home = Path(tempfile.mkdtemp(dir=place))
        elsewhere = Path(tempfile.mkdtemp(dir=_SHM)) if across else home
        self._world = World(home, elsewhere)
        self._world.fill(drawn["files"], drawn["existing"])  # type: ignore[arg-type]
        self._world.journal.parent.mkdir()
        self._plan = self._world.plan(mode, str(drawn["template"]))  # type: ignore[arg-type]

    def __enter__(self) -> tuple[World, ArrangePlan]:
        return self._world, self._plan

    def __exit__(self, *_: object) -> None:
        for top in (self._world.home, self._world.elsewhere, self._world.journal.parent):
            shutil.rmtree(top, ignore_errors=True)


def _until_done(world: World, made: ArrangePlan, calls: list[int]) -> ArrangeRecord:
    for count in calls:
        with suppress(KilledError):
            carry_out(made, journal=world.journal, disk=Bomb(count))
    if world.journal.exists():
        return resume_journal(world.journal, disk=Bomb(_NEVER))
    return carry_out(made, journal=world.journal, disk=Bomb(_NEVER))


def _until_undone(world: World, calls: list[int]) -> ArrangeRecord:
    for count in calls:
        with suppress(KilledError):
            undo_journal(world.journal, disk=Bomb(count))
    return undo_journal(world.journal, disk=Bomb(_NEVER))
