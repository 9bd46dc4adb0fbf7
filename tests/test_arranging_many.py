"""An arrangement of many files costs what its files cost, and not the square of it."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pytest

from organizer.arrange import ArrangeMode, FolderTemplate, carry_out, make_plan, next_journal
from organizer.library import Library
from organizer.library.arrangements.active import journal_folder
from organizer.library.arrangements.last_seen import SeenPhoto, save_seen
from organizer.settings import Settings
from tests.arrange_trees import item_of, make


def _calls_of_undo(home: Path, mode: ArrangeMode, *, photos: int) -> int:
    """The calls that an undo makes for photos with sidecars, all dragged into another folder."""
    items = []
    for number in range(photos):
        file = make(home / f"in/{number:04}.jpg", b"%d" % number, age=number)
        make(file.with_suffix(".xmp"), b"sidecar of %d" % number, age=number)
        items.append(item_of(file, cluster_name="fox"))
    template = FolderTemplate.parse("{cluster_name}/{stem}")
    plan = make_plan(items, to=home / "out", mode=mode, template=template)
    with Library.open_or_create(home, Settings()) as library:
        journals = journal_folder(library.store)
        record = carry_out(plan, journal=next_journal(journals))
        seen = {}
        (home / "out/badger").mkdir()
        for step in plan.steps:
            step.target.rename(home / "out/badger" / step.target.name)
            if step.is_photo:
                path = f"badger/{step.target.name}"
                seen[record.file.name, str(step.target)] = SeenPhoto(path, "badger", 1)
        save_seen(journals, seen)
        profile = cProfile.Profile()
        undone = profile.runcall(library.folders.undo)
    assert undone.is_whole
    assert (undone.undone, undone.sidecars) == (photos, photos)
    assert not (home / "out").exists()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.MOVE])
def test_an_undo_of_twice_as_many_dragged_files_costs_twice_as_much(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    some = _calls_of_undo(tmp_path / "some", mode, photos=100)
    more = _calls_of_undo(tmp_path / "more", mode, photos=200)
    assert more < 2.2 * some
