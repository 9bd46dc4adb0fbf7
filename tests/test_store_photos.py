"""Roots, images, files and problems, against plain Python dictionaries."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.store import FileRow, IdSet, Store
from organizer.store.file_index import path_id
from organizer.types import FileState, ImageFacts, ImageRef, Outcome, Problem, ProcessedFile


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "home" / ".organizer")


def id_of(number: int) -> str:
    return f"{number:032x}"


def ref_of(root: Path, path: str, *, size: int = 10, mtime: int = 5) -> ImageRef:
    return ImageRef(root, path, size, mtime)


def holding(ref: ImageRef, number: int) -> ProcessedFile:
    return ProcessedFile(ref, id_of(number))


def facts_of(number: int) -> ImageFacts:
    return ImageFacts(id_of(number), 10, 4, 3, "PNG", None, "Canon", None, -1.5)


def written(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def known_as_they_are(store: Store, folder: Path) -> dict[Path, int]:
    """Enter every file below a folder as it lies there."""
    root = store.roots.root_for(folder)
    store.roots.write_pending()
    root_ids = {root.folder: root.root_id}
    files = []
    for number, file in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        status = file.stat()
        path = file.relative_to(root.folder).as_posix()
        ref = ImageRef(root.folder, path, status.st_size, status.st_mtime_ns)
        files.append(holding(ref, number))
    store.photos.add_files(files, root_ids)
    return root_ids


# Roots --------------------------------------------------------------------------------------


def test_a_root_beside_the_library_is_kept_relative_to_it_and_another_is_not(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "home" / "photos").mkdir()
    (tmp_path / "elsewhere").mkdir()
    store.roots.root_for(tmp_path / "home" / "photos")
    store.roots.root_for(tmp_path / "elsewhere")
    assert store.photos._database.count("roots") == 0, "nothing is stored before the first file"
    store.roots.write_pending()
    locations = store.photos._database.read("roots")["location"].to_pylist()
    assert locations == ["photos", str(tmp_path / "elsewhere")]
    found = [root.folder for root in store.roots.all()]
    assert found == [tmp_path / "home" / "photos", tmp_path / "elsewhere"]


def test_a_root_is_made_once_and_holds_what_lies_below_it(store: Store, tmp_path: Path) -> None:
    written(tmp_path / "photos", "a.jpg", "sub/b.jpg")
    root = store.roots.root_for(tmp_path / "photos")
    assert store.roots.root_for(tmp_path / "photos") == root
    assert store.roots.root_for(tmp_path / "photos" / "sub") == root
    assert store.roots.root_for(tmp_path / "photos" / "sub" / "b.jpg") == root
    assert store.roots.root_for(tmp_path / "photos-2") != root
    assert len(store.roots.all()) == 2


def test_the_deepest_root_holds_a_folder(store: Store, tmp_path: Path) -> None:
    written(tmp_path / "photos", "sub/deep/b.jpg")
    inner = store.roots.root_for(tmp_path / "photos" / "sub")
    outer = store.roots.root_for(tmp_path / "photos")
    assert inner != outer
    assert store.roots.root_for(tmp_path / "photos" / "sub" / "deep") == inner


def test_the_root_of_a_single_file_is_its_folder(store: Store, tmp_path: Path) -> None:
    written(tmp_path / "photos", "a.jpg")
    assert store.roots.root_for(tmp_path / "photos" / "a.jpg").folder == tmp_path / "photos"


def test_a_folder_with_another_name_and_the_same_files_is_the_same_root(
    store: Store, tmp_path: Path
) -> None:
    folder = written(tmp_path / "photos", *(f"{i:02}.jpg" for i in range(20)))
    known_as_they_are(store, folder)
    moved = folder.rename(tmp_path / "pictures")
    (moved / "00.jpg").unlink()
    (moved / "new.jpg").write_text("new")
    root = store.roots.root_for(moved)
    assert root.root_id == 1
    assert [known.folder for known in store.roots.all()] == [moved]


def test_a_folder_with_other_files_is_another_root(store: Store, tmp_path: Path) -> None:
    folder = written(tmp_path / "photos", *(f"{i:02}.jpg" for i in range(20)))
    known_as_they_are(store, folder)
    moved = folder.rename(tmp_path / "pictures")
    for i in range(5):
        (moved / f"{i:02}.jpg").write_text("something else")
    assert store.roots.root_for(moved).root_id == 2


def test_a_copy_is_another_root_while_the_first_is_there(store: Store, tmp_path: Path) -> None:
    known_as_they_are(store, written(tmp_path / "photos", "a.jpg", "b.jpg"))
    written(tmp_path / "copy")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_text(name)
        status = (tmp_path / "photos" / name).stat()
        os.utime(tmp_path / "copy" / name, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.roots.root_for(tmp_path / "copy").root_id == 2


def test_a_root_that_is_gone_with_all_its_files_known_as_missing_hinders_no_new_one(
    store: Store, tmp_path: Path
) -> None:
    folder = written(tmp_path / "photos", "a.jpg")
    root_ids = known_as_they_are(store, folder)
    store.photos.mark([(path_id(root_ids[folder], "a.jpg"), id_of(0))], FileState.MISSING)
    (folder / "a.jpg").unlink()
    folder.rmdir()
    written(tmp_path / "next", "b.jpg")
    assert store.roots.root_for(tmp_path / "next").root_id == 2


def test_an_empty_root_that_is_gone_hinders_no_new_one(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    store.roots.root_for(tmp_path / "empty")
    (tmp_path / "empty").rmdir()
    written(tmp_path / "next", "b.jpg")
    assert store.roots.root_for(tmp_path / "next").root_id == 2


# Files --------------------------------------------------------------------------------------


def test_the_files_of_an_image_are_those_that_are_there_first(store: Store, tmp_path: Path) -> None:
    root = store.roots.root_for(tmp_path)
    ids = {tmp_path: root.root_id}
    paths = ["b.jpg", "a.jpg", "c.jpg"]
    store.photos.add_files([holding(ref_of(tmp_path, path), 1) for path in paths], ids)
    store.photos.add_files([holding(ref_of(tmp_path, "d.jpg"), 2)], ids)
    store.photos.mark([(path_id(root.root_id, "a.jpg"), id_of(1))], FileState.MISSING)
    assert store.photos.files_of([id_of(1)]) == {
        id_of(1): [
            FileRow(id_of(1), tmp_path / "b.jpg", FileState.PRESENT),
            FileRow(id_of(1), tmp_path / "c.jpg", FileState.PRESENT),
            FileRow(id_of(1), tmp_path / "a.jpg", FileState.MISSING),
        ]
    }
    assert set(store.photos.files_of()) == {id_of(1), id_of(2)}
    assert store.photos.count_files(FileState.PRESENT) == 3
    assert store.photos.count_files(FileState.MISSING) == 1


def test_a_path_holds_its_last_content_and_remembers_the_former(
    store: Store, tmp_path: Path
) -> None:
    ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
    ref = ref_of(tmp_path, "a.jpg")
    store.photos.add_files([holding(ref, 1)], ids)
    store.photos.add_files([holding(replace(ref, mtime_ns=6), 2)], ids)
    assert store.photos.image_at(tmp_path / "a.jpg") == id_of(2)
    assert set(store.photos.files_of()) == {id_of(1), id_of(2)}
    assert store.photos.files_of()[id_of(1)][0].state is FileState.MISSING


def test_the_same_content_with_a_new_date_takes_the_place_of_its_row(
    store: Store, tmp_path: Path
) -> None:
    ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
    ref = ref_of(tmp_path, "a.jpg")
    store.photos.add_files([holding(ref, 1)], ids)
    store.photos.add_files([holding(replace(ref, mtime_ns=6), 1)], ids)
    assert store.photos.files_of() == {
        id_of(1): [FileRow(id_of(1), tmp_path / "a.jpg", FileState.PRESENT)]
    }
    index = store.photos.index([tmp_path], IdSet([id_of(1)]))
    assert index.look_up([replace(ref, mtime_ns=6)], ids) == [Outcome.UNCHANGED]


def test_a_path_that_holds_nothing_known_has_no_image(store: Store, tmp_path: Path) -> None:
    assert store.photos.image_at(tmp_path / "a.jpg") is None
    store.roots.root_for(tmp_path)
    assert store.photos.image_at(tmp_path / "a.jpg") is None


def test_forgetting_one_content_of_a_path_leaves_the_others(store: Store, tmp_path: Path) -> None:
    ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
    ref = ref_of(tmp_path, "a.jpg")
    store.photos.add_files([holding(ref, 1), holding(ref_of(tmp_path, "b.jpg"), 1)], ids)
    store.photos.add_files([holding(replace(ref, mtime_ns=6), 2)], ids)
    store.photos.forget_files([(path_id(1, "a.jpg"), id_of(1))])
    assert {image_id: len(rows) for image_id, rows in store.photos.files_of().items()} == {
        id_of(1): 1,
        id_of(2): 1,
    }
    assert store.photos.image_at(tmp_path / "a.jpg") == id_of(2)
    assert store.photos.image_at(tmp_path / "b.jpg") == id_of(1)


def test_a_problem_is_kept_once_for_each_path_until_it_is_mended(
    store: Store, tmp_path: Path
) -> None:
    ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
    ref = ref_of(tmp_path, "b'a\"d; %.jpg")
    first = Problem(ref, Outcome.BROKEN, "it is torn", lasting=True)
    second = Problem(ref, Outcome.TOO_LARGE, "it is large", lasting=True)
    store.photos.add_problems([first], ids)
    store.photos.add_problems([second], ids)
    assert store.photos.problems() == [(ref.file, Outcome.TOO_LARGE, "it is large")]
    store.photos.add_files([holding(ref, 1)], ids)
    assert store.photos.count_problems() == 0
    store.photos.add_files([ProcessedFile(ref, problem=first)], ids)
    assert store.photos.problems() == [(ref.file, Outcome.BROKEN, "it is torn")]
    assert store.photos.count_files(FileState.PRESENT) == 0
    store.photos.forget_problems([path_id(1, ref.path)])
    assert store.photos.problems() == []


def test_images_are_counted_and_known_by_id(store: Store) -> None:
    store.photos.add_images([])
    store.photos.add_images([facts_of(1), facts_of(2)])
    assert store.photos.count_images() == 2
    assert id_of(2) in store.photos.image_ids()
    row = store.photos._database.read("images").to_pylist()[0]
    assert (row["image_id"], row["camera"], row["taken_at"]) == (id_of(1), "Canon", None)
    assert (row["width"], row["height"], row["longitude"]) == (4, 3, -1.5)


# The index ----------------------------------------------------------------------------------


_PATHS = ["a.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg", "sub-2/a.jpg", "sub/deep/a.jpg"]
_file = st.tuples(st.integers(1, 3), st.integers(1, 3))  # size and mtime
_state = st.sampled_from(["present", "missing", "lasting problem", "passing problem"])
_known = st.dictionaries(st.sampled_from(_PATHS), st.tuples(_file, _state, st.booleans()))
_seen = st.dictionaries(st.sampled_from(_PATHS), _file)


@given(known=_known, seen=_seen, below=st.sampled_from(["", "sub"]))
@settings(max_examples=12, deadline=None)
def test_the_index_answers_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory,
    known: dict[str, tuple[tuple[int, int], str, bool]],
    seen: dict[str, tuple[int, int]],
    below: str,
) -> None:
    folder = tmp_path_factory.mktemp("index")
    store = Store.create(folder / ".organizer")
    ids = {folder: store.roots.root_for(folder).root_id}
    embedded = _enter(store, ids, folder, known)
    start = folder / below
    refs = [
        ref_of(folder, path, size=size, mtime=mtime)
        for path, (size, mtime) in seen.items()
        if (folder / path).is_relative_to(start)
    ]
    index = store.photos.index([start], embedded)
    answers = dict(zip([r.path for r in refs], index.look_up(refs, ids), strict=True))
    assert answers == {ref.path: _expected(ref, known) for ref in refs}
    asked = {ref.path for ref in refs}
    inside = {path for path in known if (folder / path).is_relative_to(start)}
    numbers = {path: number for number, path in enumerate(known)}
    gone = {path for path in inside - asked if known[path][1] == "present"}
    assert index.vanished(except_below=[]) == _pairs(gone, numbers)
    seen_for = {path for path in gone if not path.startswith("sub/deep/")}
    blind = [folder / "sub" / "deep"]
    assert index.vanished(except_below=blind) == _pairs(seen_for, numbers)
    again = {p for p in asked & inside if known[p][1] == "missing" and seen[p] == known[p][0]}
    assert index.found_again() == _pairs(again, numbers)
    no_problem_now = {path for path in inside - asked if known[path][1].endswith("problem")}
    assert set(index.vanished_problems()) == {path_id(1, path) for path in no_problem_now}


def _enter(
    store: Store,
    ids: dict[Path, int],
    folder: Path,
    known: dict[str, tuple[tuple[int, int], str, bool]],
) -> IdSet:
    """Make a library of what is said to be known; the ids that have a vector."""
    embedded = []
    for number, (path, ((size, mtime), state, has_vector)) in enumerate(known.items()):
        ref = ref_of(folder, path, size=size, mtime=mtime)
        if state.endswith("problem"):
            lasting = state.startswith("lasting")
            store.photos.add_problems([Problem(ref, Outcome.TOO_LARGE, "big", lasting)], ids)
            continue
        store.photos.add_files([holding(ref, number)], ids)
        if state == "missing":
            store.photos.mark([(path_id(ids[folder], path), id_of(number))], FileState.MISSING)
        if has_vector:
            embedded.append(id_of(number))
    return IdSet(embedded)


def _expected(ref: ImageRef, known: dict[str, tuple[tuple[int, int], str, bool]]) -> Outcome | None:
    if ref.path not in known:
        return None
    (size, mtime), state, has_vector = known[ref.path]
    if (size, mtime) != (ref.size, ref.mtime_ns) or state == "passing problem":
        return None
    if state == "lasting problem":
        return Outcome.TOO_LARGE
    return Outcome.UNCHANGED if has_vector else None


def _pairs(paths: set[str], numbers: dict[str, int]) -> list[tuple[str, str]]:
    """Path id and image id of each path, as the index orders them."""
    return sorted((path_id(1, path), id_of(numbers[path])) for path in paths)


def test_a_path_that_came_back_is_present_once_with_the_content_that_it_holds(
    store: Store, tmp_path: Path
) -> None:
    """The row of a former content stays missing."""
    ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
    ref = ref_of(tmp_path, "a.jpg")
    store.photos.add_files([holding(ref, 1)], ids)
    store.photos.add_files([holding(replace(ref, mtime_ns=6), 2)], ids)
    store.photos.mark([(path_id(1, "a.jpg"), id_of(2))], FileState.MISSING)
    index = store.photos.index([tmp_path], IdSet([id_of(1), id_of(2)]))
    index.look_up([replace(ref, mtime_ns=6)], ids)
    store.photos.mark(index.found_again(), FileState.PRESENT)
    assert store.photos.count_files(FileState.PRESENT) == 1
    assert store.photos.image_at(tmp_path / "a.jpg") == id_of(2)


def test_two_paths_that_changed_contents_are_known_alike_however_they_are_written(
    tmp_path: Path,
) -> None:
    """The size of a commit must not decide what is remembered."""
    states = []
    for size in (1, 2):
        store = Store.create(tmp_path / f"library-{size}")
        ids = {tmp_path: store.roots.root_for(tmp_path).root_id}
        refs = [ref_of(tmp_path, name) for name in ("a.jpg", "b.jpg")]
        store.photos.add_files([holding(refs[0], 1), holding(refs[1], 2)], ids)
        swapped = [
            holding(replace(refs[0], mtime_ns=6), 2),
            holding(replace(refs[1], mtime_ns=6), 1),
        ]
        for start in range(0, 2, size):
            store.photos.add_files(swapped[start : start + size], ids)
        rows = [row for files in store.photos.files_of().values() for row in files]
        states.append(sorted((row.image_id, row.file.name, row.state) for row in rows))
    assert states[0] == states[1]


# Files that organizer itself moved ----------------------------------------------------------


def test_moved_files_are_known_at_their_new_place_and_the_rest_where_it_was(
    store: Store, tmp_path: Path
) -> None:
    folder = written(tmp_path / "home" / "photos", "a.jpg", "sub/b.jpg", "c.jpg")
    known_as_they_are(store, folder)
    before = store.photos.held_files()
    home = tmp_path / "sorted"
    moves = {
        folder / "a.jpg": (home / "fox" / "a.jpg", id_of(0)),
        folder / "sub" / "b.jpg": (folder / "sub" / "fox" / "b.jpg", id_of(2)),
        folder / "c.jpg": (home / "c.jpg", id_of(77)),  # another photo lies there by now
        folder / "nowhere.jpg": (home / "d.jpg", id_of(3)),
    }
    assert store.moved_files.relocate(moves, new_root=home) == 2
    held = {held.ref.file: held for held in store.photos.held_files()}
    assert {file: held.image_id for file, held in held.items()} == {
        home / "fox" / "a.jpg": id_of(0),
        folder / "sub" / "fox" / "b.jpg": id_of(2),
        folder / "c.jpg": id_of(1),
    }
    assert [root.folder for root in store.roots.all()] == [folder, home]
    sizes = {held.image_id: (held.ref.size, held.ref.mtime_ns) for held in before}
    assert {h.image_id: (h.ref.size, h.ref.mtime_ns) for h in held.values()} == sizes
    assert store.photos.image_at(home / "fox" / "a.jpg") == id_of(0)
    assert store.moved_files.relocate(moves, new_root=home) == 0, "noted twice is noted once"
    back = {now: (former, image_id) for former, (now, image_id) in moves.items()}
    assert store.moved_files.relocate(back, new_root=home) == 2
    assert store.photos.held_files() == before
    store.roots.forget(folder)
    store.roots.forget(home)
    assert [root.folder for root in store.roots.all()] == [folder]


def test_a_moved_file_that_was_thought_missing_is_there_and_takes_the_place_of_what_was(
    store: Store, tmp_path: Path
) -> None:
    folder = written(tmp_path / "home" / "photos", "a.jpg", "b.jpg")
    root_ids = known_as_they_are(store, folder)
    store.photos.mark(store.photos.all_in_state(FileState.PRESENT), FileState.MISSING)
    store.photos.add_files([holding(ref_of(folder, "b.jpg"), 0)], root_ids)
    store.photos.mark([(path_id(1, "b.jpg"), id_of(0))], FileState.MISSING)
    store.moved_files.relocate({folder / "a.jpg": (folder / "b.jpg", id_of(0))}, new_root=folder)
    rows = store.photos.files_of()
    assert [(row.file, row.state) for row in rows[id_of(0)]] == [
        (folder / "b.jpg", FileState.PRESENT)
    ]
    assert [(row.file, row.state) for row in rows[id_of(1)]] == [
        (folder / "b.jpg", FileState.MISSING)
    ]
    (held,) = store.photos.held_files()
    assert (held.image_id, held.state) == (id_of(0), FileState.PRESENT)


def test_however_many_moved_files_are_noted_in_one_commit(store: Store, tmp_path: Path) -> None:
    folder, home = tmp_path / "home" / "photos", tmp_path / "sorted"
    folder.mkdir(parents=True)
    root = store.roots.root_for(folder)
    files = [holding(ref_of(folder, f"{n}.jpg"), n) for n in range(2_000)]
    store.photos.add_files(files, {folder: root.root_id})
    dataset = store.photos._database.dataset("files")
    moves = {f.ref.file: (home / f.ref.path, str(f.image_id)) for f in files}
    assert store.moved_files.relocate(moves, new_root=home) == len(files)
    assert store.photos._database.dataset("files").version == dataset.version + 1
