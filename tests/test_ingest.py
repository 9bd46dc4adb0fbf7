"""What an ingest makes of files that come, go, move, change, break and come back."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.arrange import ArrangeMode
from organizer.errors import PluginError, SettingsError, WeightsError
from organizer.library import Library, Progress
from organizer.library.folders.options import ArrangeOptions
from organizer.library.ingest.report import IngestReport
from organizer.settings import Settings, config_path, load_settings
from organizer.types import FileState, Outcome, PartSpec
from tests.conftest import Run, Site, make_groups, make_photo

COLOUR = "channel-mean"


def test_a_date_too_far_to_be_kept_ends_no_ingest(tmp_path: Path) -> None:
    """Cards hold dates as far as the year 2446; 64 bits of nanoseconds end in 2262."""
    for i, year in enumerate((1902, 2024, 2400)):
        file = make_photo(tmp_path / "card" / f"{year}.jpg", seed=i)
        seconds = (year - 1970) * 31_556_952
        os.utime(file, ns=(seconds * 10**9, seconds * 10**9))
    with Library.open_or_create(tmp_path, Settings()) as library:
        assert library.ingest([tmp_path / "card"], embedder=COLOUR).counts[Outcome.ADDED] == 3
        again = library.ingest([tmp_path / "card"])
        assert (again.counts[Outcome.UNCHANGED], again.images) == (3, 3)
        library.recluster(k=2)
        options = ArrangeOptions(tmp_path / "sorted", mode=ArrangeMode.MOVE)
        library.folders.arrange(options, plan=tmp_path / "plan.csv")
        moved = library.folders.apply(tmp_path / "plan.csv")
        assert (moved.done, moved.refusals) == (3, [])
        assert library.ingest([tmp_path / "sorted"]).counts[Outcome.UNCHANGED] == 3


class Listening(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.tasks: list[str] = []
        self.steps = 0

    def begin(self, task: str, total: int | None) -> None:
        self.tasks.append(task)
        del total

    def advance(self, steps: int = 1) -> None:
        self.steps += steps

    def note(self, text: str) -> None:
        self.notes.append(text)


def some_photos(folder: Path, count: int, first: int = 0) -> Path:
    for i in range(first, first + count):
        make_photo(folder / f"{i:03}.jpg", i)
    return folder


def counts(report: IngestReport) -> dict[str, int]:
    """What was counted, without what was not."""
    return {outcome.value: count for outcome, count in report.counts.items() if count}


def files_in(library: Library) -> set[tuple[Path, str, FileState]]:
    rows = library.store.photos.files_of()
    return {(row.file, row.image_id, row.state) for files in rows.values() for row in files}


def present_in(library: Library) -> set[Path]:
    return {file for file, _, state in files_in(library) if state is FileState.PRESENT}


def vectors_in(library: Library) -> dict[str, bytes]:
    (spec,) = library.store.vectors.specs()
    ids, vectors = library.store.vectors.read(spec)
    assert len(set(ids)) == len(ids)
    return {image_id: row.tobytes() for image_id, row in zip(ids, vectors, strict=True)}


def assert_whole(library: Library) -> None:
    """Every image has one row, a file and a vector."""
    ids = library.store.photos._database.read("images")["image_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert {image_id for _, image_id, _ in files_in(library)} == set(ids)
    assert set(vectors_in(library)) == set(ids)


# New, known, twice --------------------------------------------------------------------------


def test_new_photos_are_added_with_vector_and_facts(library: Library, photos: Path) -> None:
    report = library.ingest([photos], embedder=COLOUR)
    assert counts(report) == {"added": 24}
    assert (report.images, report.embedded, report.compared) == (24, 24, 0)
    assert report.embedder.name == COLOUR
    assert not report.interrupted
    assert present_in(library) == set(photos.rglob("*.jpg"))
    assert_whole(library)
    rows = library.store.photos._database.read("images").to_pylist()
    assert {(row["width"], row["height"], row["format"]) for row in rows} == {(64, 48, "JPEG")}


def test_the_vectors_are_what_the_embedder_makes_of_the_pixels(
    library: Library, tmp_path: Path
) -> None:
    from PIL import Image

    photo = make_photo(tmp_path / "photos" / "a.jpg", 3)
    library.ingest([photo], embedder=COLOUR)
    pixels = np.asarray(Image.open(photo).convert("RGB")).reshape(-1, 3).astype(np.float64) / 255
    expected = np.concatenate([pixels.mean(axis=0), pixels.std(axis=0)])
    (spec,) = library.store.vectors.specs()
    np.testing.assert_allclose(library.store.vectors.read(spec)[1][0], expected, atol=1e-3)


def test_known_photos_are_not_read_again(filled: Library, photos: Path) -> None:
    before = _stand(filled)
    listening = Listening()
    report = filled.ingest([photos], progress=listening)
    assert counts(report) == {"unchanged": 24}
    assert report.embedded == 0
    assert listening.tasks == ["looking for images"]
    assert _stand(filled) == before


def test_the_same_content_under_two_paths_is_one_image_with_two_files(
    library: Library, tmp_path: Path
) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    (folder / "sub").mkdir()
    shutil.copy(folder / "000.jpg", folder / "sub" / "copy.jpg")
    report = library.ingest([folder], embedder=COLOUR)
    assert counts(report) == {"added": 2, "duplicate": 1}
    assert (report.images, report.embedded) == (2, 2)
    image_id = library.store.photos.image_at(folder / "000.jpg")
    assert image_id is not None
    twins = [row.file for row in library.store.photos.files_of([image_id])[image_id]]
    assert twins == [folder / "000.jpg", folder / "sub" / "copy.jpg"]
    assert counts(library.ingest([folder])) == {"unchanged": 3}


def test_a_copy_that_comes_later_is_a_duplicate(filled: Library, photos: Path) -> None:
    shutil.copy(photos / "red" / "000.jpg", photos / "red" / "copy.jpg")
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 24, "duplicate": 1}
    assert report.examples[Outcome.DUPLICATE] == [str(photos / "red" / "copy.jpg")]
    assert (report.images, report.embedded) == (24, 0)


def test_a_single_file_is_ingested_and_known_when_its_folder_is(
    library: Library, photos: Path
) -> None:
    one = photos / "red" / "003.jpg"
    assert counts(library.ingest([one], embedder=COLOUR)) == {"added": 1}
    assert counts(library.ingest([one])) == {"unchanged": 1}
    assert counts(library.ingest([photos / "red"])) == {"unchanged": 1, "added": 7}
    assert counts(library.ingest([one])) == {"unchanged": 1}
    assert library.status().missing == 0


# Gone, moved, back --------------------------------------------------------------------------


def test_a_renamed_file_is_moved_and_neither_a_duplicate_nor_missing(
    filled: Library, photos: Path
) -> None:
    vectors = vectors_in(filled)
    (photos / "red" / "000.jpg").rename(photos / "blue" / "renamed.jpg")
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 23, "moved": 1}
    assert report.examples[Outcome.MOVED] == [str(photos / "blue" / "renamed.jpg")]
    assert present_in(filled) == set(photos.rglob("*.jpg"))
    assert filled.status().missing == 0
    assert vectors_in(filled) == vectors


def test_a_moved_file_is_no_example_of_a_duplicate(filled: Library, photos: Path) -> None:
    (photos / "red" / "000.jpg").rename(photos / "blue" / "renamed.jpg")
    report = filled.ingest([photos])
    assert report.counts[Outcome.DUPLICATE] == 0
    assert report.examples[Outcome.DUPLICATE] == []


def test_a_renamed_folder_inside_a_root_moves_every_file(filled: Library, photos: Path) -> None:
    (photos / "red").rename(photos / "crimson")
    assert counts(filled.ingest([photos])) == {"unchanged": 16, "moved": 8}
    assert present_in(filled) == set(photos.rglob("*.jpg"))
    assert filled.status().missing == 0


def test_two_copies_that_were_both_renamed_are_both_moved(library: Library, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos" / "old", 2)
    shutil.copy(folder / "000.jpg", folder / "copy.jpg")
    library.ingest([tmp_path / "photos"], embedder=COLOUR)
    folder.rename(tmp_path / "photos" / "new")
    report = library.ingest([tmp_path / "photos"])
    assert counts(report) == {"moved": 3}
    assert library.status().missing == 0
    assert present_in(library) == set((tmp_path / "photos" / "new").iterdir())


def test_one_of_two_copies_renamed_is_moved(library: Library, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    shutil.copy(folder / "000.jpg", folder / "copy.jpg")
    library.ingest([folder], embedder=COLOUR)
    (folder / "copy.jpg").rename(folder / "renamed.jpg")
    assert counts(library.ingest([folder])) == {"unchanged": 2, "moved": 1}
    assert library.status().missing == 0


def test_a_file_renamed_before_an_interrupted_ingest_is_no_missing_one_after_the_next(
    library: Library, tmp_path: Path
) -> None:
    folder = some_photos(tmp_path / "photos", 6)
    library.ingest([folder], embedder=COLOUR)
    folder.rename(tmp_path / "away")
    folder.mkdir()
    (tmp_path / "away").rename(folder / "sub")
    report = library.ingest([folder], stop=lambda: True)
    assert report.interrupted
    library.ingest([folder])
    assert present_in(library) == set((folder / "sub").iterdir())
    assert library.status().missing == 0


def test_a_deleted_file_is_missing_and_its_image_stays(filled: Library, photos: Path) -> None:
    filled.recluster(k=3)
    (photos / "red" / "000.jpg").unlink()
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 23, "missing": 1}
    assert report.images == 24
    assert_whole(filled)
    assert filled.status().missing == 1
    assert sum(cluster.count for cluster in filled.clusters.summaries()) == 24
    assert counts(filled.ingest([photos])) == {"unchanged": 23}, "it is told once"


def test_a_file_that_comes_back_is_present_again_and_not_read(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    before = _stand(filled)
    (photos / "red" / "000.jpg").rename(tmp_path / "aside.jpg")
    filled.ingest([photos])
    (tmp_path / "aside.jpg").rename(photos / "red" / "000.jpg")
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 24}
    assert report.embedded == 0
    assert _stand(filled) == before


def test_a_file_that_comes_back_with_another_date_is_present_again(
    filled: Library, photos: Path
) -> None:
    before = _stand(filled)
    data = (photos / "red" / "000.jpg").read_bytes()
    (photos / "red" / "000.jpg").unlink()
    filled.ingest([photos])
    (photos / "red" / "000.jpg").write_bytes(data)
    assert counts(filled.ingest([photos])) == {"unchanged": 24}
    assert _stand(filled) == before


def test_a_changed_file_that_goes_and_comes_back_is_one_present_file(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    changed = make_photo(photos / "red" / "000.jpg", 555)
    filled.ingest([photos])
    before = _stand(filled)
    changed.rename(tmp_path / "aside.jpg")
    filled.ingest([photos])
    (tmp_path / "aside.jpg").rename(changed)
    filled.ingest([photos])
    assert filled.status().files == 24
    assert _stand(filled) == before


def test_a_vanished_sub_folder_makes_its_files_missing_and_no_others(
    filled: Library, photos: Path
) -> None:
    shutil.rmtree(photos / "green")
    assert counts(filled.ingest([photos])) == {"unchanged": 16, "missing": 8}
    gone = {file for file, _, state in files_in(filled) if state is FileState.MISSING}
    assert {file.parent for file in gone} == {photos / "green"}


def test_files_outside_the_folder_that_is_ingested_are_left_as_they_are(
    filled: Library, photos: Path
) -> None:
    (photos / "green" / "000.jpg").unlink()
    assert counts(filled.ingest([photos / "red"])) == {"unchanged": 8}
    assert filled.status().missing == 0
    assert counts(filled.ingest([photos / "green"])) == {"unchanged": 7, "missing": 1}


def test_the_files_of_a_folder_that_cannot_be_listed_are_not_called_missing(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    filled.close()
    (photos / "green").chmod(0)
    try:
        done = _as_ordinary_user(tmp_path, "ingest", photos, "--json")
    finally:
        (photos / "green").chmod(0o755)
    assert done.returncode == 3, done.stderr
    with Library.open(tmp_path, Settings()) as library:
        assert library.status().missing == 0
        assert [(path, outcome) for path, outcome, _ in library.problems()] == [
            (photos / "green", Outcome.BROKEN)
        ]
        assert counts(library.ingest([photos])) == {"unchanged": 24}
        assert library.problems() == []


@pytest.mark.slow
def test_a_file_that_may_not_be_read_is_tried_again_though_it_did_not_change(
    library: Library, tmp_path: Path
) -> None:
    folder = some_photos(tmp_path / "photos", 3)
    library.close()
    (folder / "001.jpg").chmod(0)
    try:
        done = _as_ordinary_user(tmp_path, "ingest", folder, "--embedder", COLOUR)
    finally:
        (folder / "001.jpg").chmod(0o644)
    assert done.returncode == 3, done.stderr
    with Library.open(tmp_path, Settings()) as again:
        assert [path for path, _, _ in again.problems()] == [folder / "001.jpg"]
        assert counts(again.ingest([folder])) == {"unchanged": 2, "added": 1}
        assert again.problems() == []


def _as_ordinary_user(cwd: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The program without root's power to read what nobody may."""
    command = [sys.executable, "-m", "organizer", *map(str, words)]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("NOT TESTED: root without setpriv may read everything")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_what_a_path_held_before_is_no_reason_to_forget_what_it_held_last(
    library: Library, tmp_path: Path
) -> None:
    """The former content turns up elsewhere in the run in which the path goes."""
    path = make_photo(tmp_path / "photos" / "a.jpg", 1)
    make_photo(tmp_path / "photos" / "other.jpg", 3)
    library.ingest([tmp_path / "photos"], embedder=COLOUR)
    former = path.read_bytes()
    make_photo(path, 2)
    library.ingest([tmp_path / "photos"])
    last = library.store.photos.image_at(path)
    path.unlink()
    (tmp_path / "photos" / "copy.jpg").write_bytes(former)
    library.ingest([tmp_path / "photos"])
    assert last in library.store.photos.files_of()
    assert library.status().missing >= 1
    assert_whole(library)


# Changed ------------------------------------------------------------------------------------


def test_a_changed_content_is_a_new_image_and_the_former_stays(
    filled: Library, photos: Path
) -> None:
    path = photos / "red" / "000.jpg"
    former = filled.store.photos.image_at(path)
    make_photo(path, 4242)
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 23, "added": 1}
    assert report.images == 25
    assert filled.store.photos.image_at(path) != former
    assert former is not None
    (row,) = filled.store.photos.files_of([former])[former]
    assert (row.file, row.state) == (path, FileState.MISSING)
    assert filled.status().files == 24
    assert_whole(filled)
    assert counts(filled.ingest([photos])) == {"unchanged": 24}


def test_a_content_that_returns_to_its_path_is_the_image_that_it_was(
    filled: Library, photos: Path
) -> None:
    path = photos / "red" / "000.jpg"
    former, data = filled.store.photos.image_at(path), path.read_bytes()
    make_photo(path, 4242)
    filled.ingest([photos])
    path.write_bytes(data)
    assert counts(filled.ingest([photos])) == {"unchanged": 24}
    assert filled.store.photos.image_at(path) == former
    assert filled.status().files == 24


def test_a_file_that_was_only_touched_is_unchanged_and_read_once(
    filled: Library, photos: Path
) -> None:
    before = _stand(filled)
    os.utime(photos / "red" / "000.jpg", (1, 1))
    report = filled.ingest([photos])
    assert counts(report) == {"unchanged": 24}
    assert report.embedded == 0
    assert _stand(filled) == before
    listening = Listening()
    filled.ingest([photos], progress=listening)
    assert listening.tasks == ["looking for images"]


def test_two_files_that_changed_places_are_both_known(library: Library, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    library.ingest([folder], embedder=COLOUR)
    (folder / "000.jpg").rename(folder / "aside")
    (folder / "001.jpg").rename(folder / "000.jpg")
    (folder / "aside").rename(folder / "001.jpg")
    for name in ("000.jpg", "001.jpg"):
        os.utime(folder / name, (7, 7))
    report = library.ingest([folder])
    assert report.images == 2
    assert report.embedded == 0
    assert library.status().files == 2
    assert_whole(library)


# Broken -------------------------------------------------------------------------------------


def test_a_broken_file_is_counted_each_time_and_its_problem_goes_when_it_is_mended(
    library: Library, tmp_path: Path
) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    (folder / "broken.jpg").write_bytes(b"no picture")
    report = library.ingest([folder], embedder=COLOUR)
    assert counts(report) == {"added": 2, "broken": 1}
    assert report.unusable == 1
    ((path, outcome, reason),) = library.problems()
    assert (path, outcome) == (folder / "broken.jpg", Outcome.BROKEN)
    assert reason
    assert "\n" not in reason
    listening = Listening()
    again = library.ingest([folder], progress=listening)
    assert counts(again) == {"unchanged": 2, "broken": 1}
    assert listening.tasks == ["looking for images"], "it is not read again"
    assert library.status().problems == 1
    make_photo(folder / "broken.jpg", 9)
    assert counts(library.ingest([folder])) == {"unchanged": 2, "added": 1}
    assert library.problems() == []


def test_the_problem_of_a_broken_file_goes_with_the_file(library: Library, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 1)
    (folder / "broken.jpg").write_bytes(b"no picture")
    library.ingest([folder], embedder=COLOUR)
    (folder / "broken.jpg").unlink()
    assert counts(library.ingest([folder])) == {"unchanged": 1}
    assert library.problems() == []


def test_a_photo_that_breaks_is_a_problem_and_its_image_stays(
    filled: Library, photos: Path
) -> None:
    (photos / "red" / "000.jpg").write_bytes(b"")
    assert counts(filled.ingest([photos])) == {"unchanged": 23, "broken": 1}
    assert filled.status().images == 24
    assert filled.status().missing == 1
    assert counts(filled.ingest([photos])) == {"unchanged": 23, "broken": 1}
    assert_whole(filled)


def test_a_folder_of_nothing_but_broken_files_is_ingested(library: Library, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for i in range(3):
        (tmp_path / "photos" / f"{i}.jpg").write_bytes(b"no picture")
    assert counts(library.ingest([tmp_path / "photos"], embedder=COLOUR)) == {"broken": 3}
    assert library.status().images == 0
    assert counts(library.ingest([tmp_path / "photos"])) == {"broken": 3}


def test_a_file_that_is_too_large_is_called_so_every_time(tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    with Library.open_or_create(tmp_path, Settings(max_file_bytes=100)) as library:
        assert counts(library.ingest([folder], embedder=COLOUR)) == {"too_large": 2}
        assert counts(library.ingest([folder])) == {"too_large": 2}


def test_a_file_that_was_too_large_is_read_when_the_limit_is_raised(tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    with Library.open_or_create(tmp_path, Settings(max_file_bytes=100)) as library:
        library.ingest([folder], embedder=COLOUR)
    with Library.open(tmp_path, Settings()) as library:
        assert counts(library.ingest([folder], embedder=COLOUR)) == {"added": 2}
        assert library.problems() == []


def test_other_kinds_of_files_are_counted_by_suffix(library: Library, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 1)
    for name in ("a.txt", "b.txt", "layers.PSD", "README"):
        (folder / name).write_text("x")
    report = library.ingest([folder], embedder=COLOUR)
    assert report.other_suffixes == {".txt": 2, ".psd": 1, "": 1}


# Folders within folders ---------------------------------------------------------------------


def test_a_sub_folder_first_and_its_parent_later_are_the_same_files(
    library: Library, photos: Path
) -> None:
    assert counts(library.ingest([photos / "red"], embedder=COLOUR)) == {"added": 8}
    assert counts(library.ingest([photos])) == {"unchanged": 8, "added": 16}
    assert counts(library.ingest([photos])) == {"unchanged": 24}
    assert counts(library.ingest([photos / "red"])) == {"unchanged": 8}
    assert len(files_in(library)) == 24
    (photos / "red" / "000.jpg").unlink()
    assert counts(library.ingest([photos])) == {"unchanged": 23, "missing": 1}
    assert_whole(library)


def test_the_parent_first_and_a_sub_folder_later_are_the_same_files(
    library: Library, photos: Path
) -> None:
    library.ingest([photos], embedder=COLOUR)
    assert counts(library.ingest([photos / "red"])) == {"unchanged": 8}
    assert len(library.status().roots) == 1
    make_photo(photos / "red" / "new.jpg", 321)
    assert counts(library.ingest([photos / "red"])) == {"unchanged": 8, "added": 1}
    assert counts(library.ingest([photos])) == {"unchanged": 25}
    assert len(files_in(library)) == 25


def test_a_folder_with_a_name_that_begins_alike_is_another(
    library: Library, tmp_path: Path
) -> None:
    some_photos(tmp_path / "all" / "red", 2)
    some_photos(tmp_path / "all" / "red-2", 2, first=10)
    library.ingest([tmp_path / "all" / "red"], embedder=COLOUR)
    assert counts(library.ingest([tmp_path / "all"])) == {"unchanged": 2, "added": 2}
    shutil.rmtree(tmp_path / "all" / "red-2")
    assert counts(library.ingest([tmp_path / "all" / "red"])) == {"unchanged": 2}
    assert library.status().missing == 0


def test_starts_inside_one_another_and_named_twice_are_walked_once(
    library: Library, photos: Path
) -> None:
    paths = [photos / "red", photos, photos / "red" / "000.jpg", photos]
    assert counts(library.ingest(paths, embedder=COLOUR)) == {"added": 24}
    assert library.status().roots == (photos,)


def test_several_folders_are_ingested_at_once(library: Library, photos: Path) -> None:
    report = library.ingest([photos / "red", photos / "blue"], embedder=COLOUR)
    assert counts(report) == {"added": 16}
    (photos / "red" / "000.jpg").rename(photos / "blue" / "moved.jpg")
    assert counts(library.ingest([photos / "blue", photos / "red"])) == {
        "unchanged": 15,
        "moved": 1,
    }
    assert library.status().missing == 0


# Roots that move ----------------------------------------------------------------------------


def test_a_root_with_a_new_name_is_not_read_again(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    moved = photos.rename(tmp_path / "pictures")
    listening = Listening()
    report = filled.ingest([moved], progress=listening)
    assert counts(report) == {"unchanged": 24}
    assert listening.tasks == ["looking for images"]
    assert filled.status().roots == (moved,)
    assert present_in(filled) == set(moved.rglob("*.jpg"))


def test_library_and_photos_moved_together_are_as_they_were(tmp_path: Path) -> None:
    home = tmp_path / "home"
    photos = make_groups(home / "photos", each=3)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([photos / "red"], embedder=COLOUR)
        library.ingest([photos])
        library.recluster(k=3)
    moved = home.rename(tmp_path / "drive")
    with Library.open(moved, Settings()) as library:
        listening = Listening()
        report = library.ingest([moved / "photos"], progress=listening)
        assert counts(report) == {"unchanged": 9}
        assert listening.tasks == ["looking for images"]
        assert present_in(library) == set(moved.rglob("*.jpg"))
        hits = library.search(moved / "photos" / "red" / "000.jpg", limit=2)
        assert {hit.path.parent for hit in hits} == {moved / "photos" / "red"}


@pytest.mark.parametrize("outside", [True, False])
def test_a_root_inside_a_root_moves_with_it(
    library: Library, tmp_path: Path, *, outside: bool
) -> None:
    """Whether or not the outer folder has files of its own."""
    outer = tmp_path / "photos"
    some_photos(outer / "inner", 4)
    if outside:
        some_photos(outer, 3, first=50)
    library.ingest([outer / "inner"], embedder=COLOUR)
    library.ingest([outer])
    moved = outer.rename(tmp_path / "pictures")
    report = library.ingest([moved])
    assert counts(report) == {"unchanged": 7 if outside else 4}
    assert present_in(library) == set(moved.rglob("*.jpg"))


def test_a_new_folder_is_ingested_after_a_known_one_was_deleted(
    library: Library, tmp_path: Path
) -> None:
    some_photos(tmp_path / "photos" / "card", 3)
    some_photos(tmp_path / "photos" / "rest", 3, first=10)
    library.ingest([tmp_path / "photos" / "card"], embedder=COLOUR)
    shutil.rmtree(tmp_path / "photos" / "card")
    assert counts(library.ingest([tmp_path / "photos"])) == {"added": 3, "missing": 3}
    some_photos(tmp_path / "next", 2, first=20)
    assert counts(library.ingest([tmp_path / "next"])) == {"added": 2}


# Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        'say "hello"',
        "semi; colon -- %s 100%",
        "emoji 😀 in a ne\u0301w name",
        "a" * 200,
        "back\\slash",
        "path_id = '' OR 1=1",
        " spaces ",
    ],
)
def test_any_name_of_a_file_or_folder_is_kept(library: Library, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "photos" / name
    photo = make_photo(folder / f"{name}.jpg", 1)
    other = make_photo(folder / "other.jpg", 2)
    (folder / f"{name}-broken.png").write_bytes(b"x")
    assert counts(library.ingest([tmp_path / "photos"], embedder=COLOUR)) == {
        "added": 2,
        "broken": 1,
    }
    assert present_in(library) == {photo, other}
    assert [path for path, _, _ in library.problems()] == [folder / f"{name}-broken.png"]
    assert library.search(photo, limit=1)[0].path == other
    assert counts(library.ingest([folder])) == {"unchanged": 2, "broken": 1}
    photo.unlink()
    assert counts(library.ingest([photo.parent])) == {"unchanged": 1, "broken": 1, "missing": 1}


# Nothing to do ------------------------------------------------------------------------------


def test_an_empty_folder_is_refused_and_no_root_is_added(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    with pytest.raises(SettingsError, match="no images") as caught:
        library.ingest([tmp_path / "empty"], embedder=COLOUR)
    assert ".txt" in caught.value.message
    assert library.status().roots == ()


def test_an_empty_folder_beside_known_ones_is_refused_too(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="no images"):
        filled.ingest([tmp_path / "empty"])
    assert filled.status().roots == (photos,)


def test_a_known_folder_that_was_emptied_is_ingested(filled: Library, photos: Path) -> None:
    for file in photos.rglob("*.jpg"):
        file.unlink()
    assert counts(filled.ingest([photos], confirm_missing=True)) == {"missing": 24}


@pytest.mark.parametrize("paths", [[], [Path("nowhere")]])
def test_what_is_not_there_is_refused(library: Library, paths: list[Path]) -> None:
    with pytest.raises(SettingsError) as caught:
        library.ingest(paths, embedder=COLOUR)
    assert caught.value.hint
    assert library.status().roots == ()


def test_an_embedder_that_is_not_installed_is_refused_before_anything_is_written(
    library: Library, photos: Path
) -> None:
    with pytest.raises(SettingsError, match="chanel-mean") as caught:
        library.ingest([photos], embedder="chanel-mean")
    assert COLOUR in caught.value.hint
    assert library.status().roots == ()


# Stopping -----------------------------------------------------------------------------------


def test_a_stopped_ingest_keeps_what_it_did_and_the_next_goes_on(tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 20)
    (folder / "019.jpg").rename(folder / "zzz.jpg")
    with Library.open_or_create(tmp_path, Settings(batch_size=4, commit_images=8)) as library:
        asked = iter([False, True])
        report = library.ingest([folder], embedder=COLOUR, stop=lambda: next(asked))
        assert report.interrupted
        assert counts(report) == {"added": 8}
        assert library.status().images == 8
        assert_whole(library)
        again = library.ingest([folder])
        assert not again.interrupted
        assert counts(again) == {"unchanged": 8, "added": 12}
        assert_whole(library)


def test_a_stopped_ingest_tells_what_is_gone_and_calls_nothing_else_missing(
    filled: Library, photos: Path
) -> None:
    """Every file was looked for before the first one was read."""
    (photos / "red" / "000.jpg").unlink()
    some_photos(photos / "new", 3, first=900)
    report = filled.ingest([photos], stop=lambda: True)
    assert report.interrupted
    assert report.counts[Outcome.MISSING] == filled.status().missing == 1
    assert present_in(filled) <= set(photos.rglob("*.jpg"))
    filled.ingest([photos])
    assert filled.status().missing == 1
    assert present_in(filled) == set(photos.rglob("*.jpg"))


# Embedders ----------------------------------------------------------------------------------


def test_a_second_embedder_reads_once_more_and_leaves_the_first_alone(
    filled: Library, photos: Path
) -> None:
    filled.recluster(k=3)
    (colour,) = filled.store.vectors.specs()
    ids, before = filled.store.vectors.read(colour)
    assignments = filled.store.clusterings.assignments(1)
    report = filled.ingest([photos], embedder="hog+hsv")
    assert counts(report) == {"unchanged": 24}
    assert (report.embedded, report.compared, report.images) == (24, 0, 24)
    contours = report.embedder
    assert filled.store.vectors.read(colour)[0] == ids
    assert np.array_equal(filled.store.vectors.read(colour)[1], before)
    assert set(filled.store.vectors.read(contours)[0]) == set(ids)
    assert len(files_in(filled)) == 24
    assert np.array_equal(filled.store.clusterings.assignments(1).distances, assignments.distances)
    listening = Listening()
    filled.ingest([photos], embedder="hog+hsv", progress=listening)
    assert listening.tasks == ["looking for images"]


def test_later_ingests_use_the_embedder_of_the_clustering(filled: Library, photos: Path) -> None:
    filled.recluster(k=3)
    some_photos(photos / "new", 5, first=900)
    filled.ingest([photos], embedder="hog+hsv")
    report = filled.ingest([photos])
    assert report.embedder.name == COLOUR
    assert counts(report) == {"unchanged": 29}
    assert (report.embedded, report.compared) == (5, 5)
    assert filled.status().clustered == 29


def test_without_clusters_later_ingests_use_the_first_embedder(
    filled: Library, photos: Path
) -> None:
    make_photo(photos / "new.jpg", 900)
    filled.ingest([photos], embedder="hog+hsv")
    make_photo(photos / "newer.jpg", 901)
    assert filled.ingest([photos]).embedder.name == COLOUR


@pytest.mark.slow
def test_the_default_embedder_is_installed_and_asks_nothing_of_the_net(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *where: asked.append(where))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: asked.append(where))
    listening = Listening()
    report = library.ingest([photos / "red"], progress=listening)
    assert (report.embedder.name, report.embedded) == ("efficientnet_lite2", 8)
    assert not asked
    assert not listening.notes
    assert library.ingest([photos]).embedder == report.embedder


def test_a_place_for_weights_that_does_not_exist_is_told_though_the_default_could_do_without(
    tmp_path: Path, photos: Path
) -> None:
    with (
        Library.open_or_create(tmp_path, Settings(weights=tmp_path / "lost")) as library,
        pytest.raises(WeightsError, match="there are no weights at"),
    ):
        library.ingest([photos])


def test_a_named_embedder_without_weights_is_an_error_of_use(
    library: Library, photos: Path
) -> None:
    with pytest.raises(WeightsError, match="mobilenet_v2") as caught:
        library.ingest([photos], embedder="mobilenet_v2")
    assert caught.value.exit_code == 2
    assert "--embedder efficientnet_lite2" in caught.value.hint
    assert library.status().images == 0
    assert counts(library.ingest([photos], embedder=COLOUR)) == {"added": 24}


@pytest.mark.slow
def test_on_the_command_line_a_named_embedder_without_weights_ends_with_2(
    run: Run, photos: Path
) -> None:
    ran = run("ingest", photos, "--embedder", "mobilenet_v2")
    assert ran.code == 2
    assert "mobilenet_v2" in ran.err
    assert "Traceback" not in ran.err


class Misbehaving:
    """An embedder that keeps the contract for two batches."""

    dim = 2

    def __init__(self, bad: NDArray[np.float32]) -> None:
        self._bad, self._batches = bad, 0

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(image.mean(axis=(0, 1))[:2], dtype=np.float32)

    def embed(self, batch: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        self._batches += 1
        return self._bad if self._batches > 2 else np.stack(batch)

    def mend(self) -> None:
        """Keep the contract from now on."""
        self._batches = -100


@pytest.mark.parametrize(
    "bad",
    [
        np.full((2, 2), np.nan, np.float32),
        np.full((2, 2), 1e6, np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((0, 2), np.float32),
    ],
    ids=["nan", "beyond half", "too long", "too few"],
)
def test_what_was_committed_before_an_embedder_misbehaved_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: NDArray[np.float32]
) -> None:
    from organizer import registry

    folder = some_photos(tmp_path / "photos", 10)
    part = Misbehaving(bad)
    real = registry.part_factory

    def factory(group: str, name: str) -> object:
        return (lambda: part) if name == COLOUR else real(group, name)

    monkeypatch.setattr(registry, "part_factory", factory)
    settings = Settings(batch_size=2, commit_images=2, threads=1)
    with Library.open_or_create(tmp_path, settings) as library:
        with pytest.raises(PluginError, match=COLOUR):
            library.ingest([folder], embedder=COLOUR)
        assert library.status().images == 4
        assert library.problems() == []
        assert_whole(library)
        part.mend()
        assert counts(library.ingest([folder], embedder=COLOUR)) == {"unchanged": 4, "added": 6}
        assert_whole(library)
        assert library.store.vectors.specs() == (PartSpec(COLOUR),)


def _stand(library: Library) -> object:
    """All that an ingest could change and that has no date of a file in it."""
    return files_in(library), vectors_in(library), library.problems(), library.status()


# Executors ----------------------------------------------------------------------------------

_ONE_BY_ONE = """
from organizer.execute import ThreadedExecutor

class OneByOne(ThreadedExecutor):
    runs = 0

    def __init__(self, *, max_file_bytes: int) -> None:
        super().__init__(threads=1, batch_size=1, max_file_bytes=max_file_bytes)

    def run(self, refs, embedder, *, find):
        OneByOne.runs += 1
        return super().run(refs, embedder, find=find)
"""


@pytest.mark.parametrize("how", ["environment", "file", "argument"])
def test_an_ingest_runs_on_the_executor_of_the_settings(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    dist = f"executor-by-{how}"
    site.install(dist, _ONE_BY_ONE, group="organizer.executors", **{"one-by-one": "OneByOne"})
    if how == "environment":
        monkeypatch.setenv("ORGANIZER_EXECUTOR", "one-by-one")
    elif how == "file":
        config_path().parent.mkdir(parents=True)
        config_path().write_text('executor = "one-by-one"\n')
    settings = load_settings(executor="one-by-one" if how == "argument" else None)
    folder = some_photos(tmp_path / "photos", 5)
    with Library.open_or_create(tmp_path, settings) as library:
        assert counts(library.ingest(folder, embedder=COLOUR)) == {"added": 5}
        assert_whole(library)
    assert importlib.import_module(dist.replace("-", "_")).OneByOne.runs == 1


def test_an_unknown_executor_is_told_before_anything_is_written(tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 3)
    with Library.open_or_create(tmp_path, Settings(executor="thread")) as library:
        kept = {f: f.stat().st_mtime_ns for f in library.store.path.rglob("*")}
        with pytest.raises(SettingsError, match="no executor 'thread'") as caught:
            library.ingest(folder, embedder=COLOUR)
        assert {f: f.stat().st_mtime_ns for f in library.store.path.rglob("*")} == kept
    assert "ORGANIZER_EXECUTOR" in caught.value.hint
    assert "threads" in caught.value.hint


def test_an_unknown_executor_makes_no_library(run: Run, tmp_path: Path) -> None:
    folder = some_photos(tmp_path / "photos", 2)
    ran = run("ingest", folder, "--embedder", COLOUR, env={"ORGANIZER_EXECUTOR": "cluster"})
    assert ran.code == 2
    assert "no executor 'cluster'" in ran.err
    assert not (tmp_path / ".organizer").exists()
