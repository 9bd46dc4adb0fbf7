"""An arranged folder is brought up to date; what a person did in it stays as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from organizer.arrange import ArrangeMode
from organizer.arrange.disk import Disk
from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.library.folders.report import CHANGED_THERE, TAKEN_OUT, ArrangeReport
from tests.arranged import EACH, cluster_at, files_in, home, home_of, library, made, named, names_in
from tests.conftest import make_photo

__all__ = ["home", "library", "made"]

ALL = 3 * EACH
MODES = pytest.mark.parametrize("mode", list(ArrangeMode))
KEPT = pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.SYMLINK, ArrangeMode.COPY])


def arranged(library: Library, mode: ArrangeMode, **options: object) -> Path:
    """Red is the fox, green the deer, blue the hare, each in its folder."""
    named(library, red="fox", green="deer", blue="hare")
    folder = home_of(library) / "sorted"
    choice = ArrangeOptions(folder, mode, **options)  # type: ignore[arg-type]
    if mode is ArrangeMode.MOVE:
        library.folders.arrange(choice, plan=home_of(library) / "plan.csv")
        library.folders.apply(home_of(library) / "plan.csv")
    else:
        library.folders.arrange(choice)
    return folder


def changes(report: ArrangeReport) -> tuple[int, int, int, int]:
    return report.done, report.relocated, report.removed, report.there


def update(library: Library, folder: Path) -> ArrangeReport:
    """Update a folder, of which the plan says before what is then done."""
    how = ArrangeOptions(folder, by="cluster")  # a plan that was read from a file does not tell
    planned = library.folders.update(folder, how, dry_run=True)
    done = library.folders.update(folder, how)
    assert changes(done) == changes(planned)
    assert done.between == planned.between
    return done


def image_of(library: Library, name: str) -> str:
    """The path of a photo as the library knows it, wherever it was moved."""
    held = library.store.photos.held_files()
    return str(next(h.ref.file for h in held if h.ref.file.as_posix().endswith(name)))


@MODES
def test_folders_follow_the_clusters_and_one_undo_takes_all_back(
    library: Library, mode: ArrangeMode
) -> None:
    folder = arranged(library, mode)
    (folder / "deer" / "notes.txt").write_text("seen at the brook")
    before = files_in(home_of(library))
    red, green = (
        (image_of(library, f"{name}/003.jpg") for name in ("fox", "deer"))
        if (mode is ArrangeMode.MOVE)
        else (image_of(library, f"photos/{name}/003.jpg") for name in ("red", "green"))
    )
    library.corrections.move([red], cluster_at(library, os.path.relpath(green, home_of(library))))
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    found = update(library, folder)
    assert changes(found) == (0, 1 + EACH, 0, ALL - 1 - EACH)
    assert set(found.between) == {("hare", "rabbit", EACH), ("fox", "deer", 1)}
    assert found.unknown_files == 1
    assert found.is_whole
    names = names_in(folder)
    assert sum(name.startswith("rabbit/") for name in names) == EACH
    assert sum(name.startswith("deer/") for name in names) == EACH + 2
    assert not (folder / "hare").exists()
    assert update(library, folder).has_changes is False
    undone = library.folders.undo()
    assert (undone.undone, undone.is_whole) == (1 + EACH, True)
    assert files_in(home_of(library)) == before
    assert library.folders.undo().is_whole
    assert names_in(folder) == ["deer/notes.txt"]


@KEPT
def test_new_photos_come_and_what_belongs_nowhere_goes(library: Library, mode: ArrangeMode) -> None:
    folder = arranged(library, mode)
    home = home_of(library)
    make_photo(home / "photos" / "red" / "new.jpg", colour=(250, 10, 10), seed=99)
    library.ingest([home / "photos"])
    blue = [image_of(library, f"blue/{n:03}.jpg") for n in range(EACH)]
    library.corrections.move(blue, library.clusters["fox"].id)
    found = update(library, folder)
    assert (found.done, found.relocated, found.removed) == (1, EACH, 0)
    assert {"hare"}.isdisjoint(name.split("/")[0] for name in names_in(folder))


@KEPT
def test_what_a_person_did_in_the_folder_stays(library: Library, mode: ArrangeMode) -> None:
    folder = arranged(library, mode)
    (folder / "hare" / "000.jpg").unlink()
    edited = folder / "hare" / "001.jpg"
    edited.unlink()
    edited.write_bytes(b"drawn upon")
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    found = update(library, folder)
    assert found.left == {TAKEN_OUT: 1, CHANGED_THERE: 1}
    assert found.relocated == EACH - 2
    assert found.is_whole
    assert edited.read_bytes() == b"drawn upon"
    assert "rabbit/000.jpg" not in names_in(folder)


@MODES
def test_what_was_moved_by_hand_is_read_back_first(library: Library, mode: ArrangeMode) -> None:
    folder = arranged(library, mode)
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    (folder / "fox" / "000.jpg").rename(folder / "deer" / "moved.jpg")
    (folder / "deer" / "best").mkdir()
    (folder / "deer" / "001.jpg").rename(folder / "deer" / "best" / "001.jpg")
    before = files_in(folder)
    how = ArrangeOptions(folder, by="cluster")
    with pytest.raises(SettingsError) as error:
        library.folders.update(folder, how)
    assert "--read-back" in error.value.hint
    assert files_in(folder) == before
    assert library.folders.read_back(folder).moved
    found = update(library, folder)
    assert found.relocated == EACH, "the rabbits alone"
    assert {"deer/moved.jpg", "deer/best/001.jpg"} <= set(names_in(folder))
    assert not library.folders.read_back(folder, dry_run=True).has_decisions


def test_folders_that_swap_their_names_swap_their_files(library: Library) -> None:
    folder = arranged(library, ArrangeMode.COPY)
    fox, deer = library.clusters["fox"].id, library.clusters["deer"].id
    before = {n.partition("/")[2]: c for n, c in files_in(folder).items() if n.startswith("fox/")}
    for cluster_id, name in ((fox, "x"), (deer, "fox"), (fox, "deer")):
        library.corrections.rename(cluster_id, name)
    assert update(library, folder).relocated == 2 * EACH
    after = {n.partition("/")[2]: c for n, c in files_in(folder).items() if n.startswith("deer/")}
    assert after == before


def test_a_link_whose_photo_is_gone_is_kept(library: Library) -> None:
    folder = arranged(library, ArrangeMode.LINK)
    Path(image_of(library, "blue/000.jpg")).unlink()
    library.ingest([home_of(library) / "photos"])
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    found = update(library, folder)
    assert "hare/000.jpg" in names_in(folder), "it may be the last copy"
    assert found.relocated == EACH - 1
    assert any("last copy" in why for _, why in found.refusals)


def test_files_beside_a_photo_go_where_it_goes(library: Library) -> None:
    home = home_of(library)
    (home / "photos" / "blue" / "000.xmp").write_text("<x/>")
    folder = arranged(library, ArrangeMode.COPY)
    assert "hare/000.xmp" in names_in(folder)
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    found = update(library, folder)
    assert found.sidecars == 1
    assert {"rabbit/000.xmp", "rabbit/000.jpg"} <= set(names_in(folder))
    assert not (folder / "hare").exists()
    assert library.folders.undo().is_whole
    assert "hare/000.xmp" in names_in(folder)


@MODES
@pytest.mark.parametrize("way", ["resume", "undo"])
def test_an_update_that_was_killed_goes_on_or_is_taken_back(
    library: Library, mode: ArrangeMode, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = arranged(library, mode)
    before = files_in(home_of(library))
    library.corrections.rename(library.clusters["hare"].id, "rabbit")
    how = ArrangeOptions(folder, by="cluster")
    for calls in range(1, 3 * EACH, 4):
        with monkeypatch.context() as killed:
            _kill_after(killed, calls)
            with suppress(KeyboardInterrupt):
                library.folders.update(folder, how)
        if was_killed := library.folders.unfinished() is not None:
            assert calls <= 2 * EACH
        if was_killed and way == "resume":
            report = library.folders.apply(None)
            assert (report.relocated, report.is_finished) == (EACH, True)
            assert sum(name.startswith("rabbit/") for name in names_in(folder)) == EACH
            assert not (folder / "hare").exists()
        library.folders.undo()
        assert files_in(home_of(library)) == before, calls
        if not was_killed:
            return
    raise AssertionError("it never came to its end")


def _kill_after(patch: pytest.MonkeyPatch, calls: int) -> None:
    """Kill whoever changes names on the disk, after some calls."""
    left = [calls]

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*words: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return real(*words)

        return call

    for name in ("link", "symlink", "rename", "remove", "copy"):
        patch.setattr(Disk, name, dying(getattr(Disk, name)))


def test_nothing_is_arranged_or_it_is_not_known_how(library: Library) -> None:
    with pytest.raises(SettingsError, match="nothing is arranged in"):
        library.folders.update(home_of(library) / "sorted")
    folder = arranged(library, ArrangeMode.MOVE)
    with pytest.raises(SettingsError, match="is not known"):
        library.folders.update(folder)


def test_links_are_not_put_among_photos_unless_that_is_asked_for(library: Library) -> None:
    home = home_of(library)
    for to, said in (
        (home / "photos", "was ingested"),
        (home / "photos" / "sorted", "is inside"),
        (home, "holds"),
    ):
        with pytest.raises(SettingsError, match=said) as error:
            library.folders.arrange(ArrangeOptions(to))
        assert "--yes" in error.value.hint
    asked = ArrangeOptions(home / "photos" / "sorted", among_photos=True)
    assert library.folders.arrange(asked).done == ALL
    assert library.folders.arrange(ArrangeOptions(home / "photos" / "sorted")).there == ALL


def test_a_copy_that_was_edited_is_never_removed_or_written_over(library: Library) -> None:
    folder = arranged(library, ArrangeMode.COPY)
    edited = folder / "hare" / "001.jpg"
    data = edited.read_bytes()[:-8] + bytes(8)
    times = edited.stat().st_atime_ns, edited.stat().st_mtime_ns
    edited.write_bytes(data)
    os.utime(edited, ns=times)  # as a program does that keeps the time
    blue = [image_of(library, f"blue/{n:03}.jpg") for n in range(EACH)]
    library.corrections.move(blue, library.clusters["fox"].id)
    library.folders.update(folder)
    assert data in [file.read_bytes() for file in folder.rglob("001*.jpg")]
