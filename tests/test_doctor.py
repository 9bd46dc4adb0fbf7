"""The doctor: a library is damaged file by file, and mended; the whole matrix is in tests/soak."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from organizer.errors import EXIT_DAMAGED, LibraryBusyError, StoreError
from organizer.library import Library
from organizer.library.backups import BackupFolder
from organizer.library.doctor import Doctor, Remedy
from organizer.library.folders.options import ArrangeOptions
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.holders import Holder, forget_holder
from organizer.store.schemas import ROOTS
from tests.conftest import make_photo
from tests.crashes import members
from tests.damages import make_sound
from tests.doctoring import (
    HARMS,
    Known,
    files_of,
    flipped,
    forget_content,
    forget_copies,
    harm,
    mend_one,
)
from tests.typed import in_this_process


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def known(sound: Path) -> Known:
    return Known.of(sound)


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "home")


def test_nothing_is_wrong_with_a_sound_library_and_nothing_is_done(home: Path) -> None:
    before = {name: (home / ".organizer" / name).read_bytes() for name in files_of(home)}
    diagnosis = Doctor(home).examine()
    assert diagnosis.findings == ()
    assert diagnosis.checked_files > 25
    assert Doctor(home).mend().mended == ()
    assert {name: (home / ".organizer" / name).read_bytes() for name in files_of(home)} == before


_EXACT = [
    ("journal.sqlite", "flipped"),
    ("journal.sqlite", "emptied"),
    ("journal.sqlite", "gone"),
    ("library.json", "cut"),
    ("library.json", "gone"),
    ("images.lance/data/", "flipped"),
    ("assignments_1.lance/_versions/", "gone"),
    ("vectors_", "flipped"),
]


@pytest.mark.parametrize(("place", "how"), _EXACT)
def test_what_has_a_copy_is_as_before(
    sound: Path, known: Known, tmp_path: Path, place: str, how: str
) -> None:
    name = _first(sound, place)
    mended = mend_one(sound, tmp_path / "home", name, HARMS[how], known)
    assert mended is not None
    assert mended.complaints() == []
    assert mended.lacking == ()
    if how != "flipped":  # a bit may lie where nobody looks
        assert mended.errors
    if how != "gone":
        assert mended.report.aside is not None
        assert (mended.report.aside / name).exists(), "the damaged file was not moved aside"


_REBUILT = [
    "images", "files", "roots", "crops", "detected", "assignments_1", "arrays_1", "points_1",
]  # fmt: skip


@pytest.mark.parametrize("table", _REBUILT)
def test_what_has_no_copy_is_made_of_the_rest_and_no_decision_is_lost(
    sound: Path, known: Known, tmp_path: Path, table: str
) -> None:
    name = _first(sound, f"{table}.lance/data/")
    mended = mend_one(sound, tmp_path / "home", name, HARMS["cut"], known, before=forget_content)
    assert mended is not None
    assert mended.complaints() == []
    assert mended.report.mended


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_without_journal_and_copy_the_decisions_are_those_that_were_written_down(
    sound: Path, known: Known, tmp_path: Path, how: str
) -> None:
    home = tmp_path / "home"
    mended = mend_one(sound, home, "journal.sqlite", HARMS[how], known, before=forget_copies)
    assert mended is not None
    assert mended.complaints() == []
    with Library.open(home) as library:
        named = library.clusters["first"]
        assert named.id == 1
        first = next(d for d in library.store.decisions.all() if d.name == "first")
        held = {image_id: cluster for image_id, cluster, _ in members(library)}
        assert {held[image_id] for image_id in first.image_ids} == {1}
        with pytest.raises(Exception, match="nothing to undo"):
            library.undo()
        library.corrections.rename(1, "second")
        library.recluster(k=3)
        assert library.clusters["second"].id == 1


def test_images_that_lost_their_vectors_are_embedded_by_the_next_ingest(
    home: Path, known: Known
) -> None:
    forget_content(home)
    harm(home, _vectors(home), flipped)
    report = Doctor(home).mend()
    assert [finding.remedy for finding in report.mended] == [Remedy.DROP_FRAGMENTS]
    assert [finding.kind for finding in report.left.notes] == ["vectors"]
    with Library.open(home, Settings()) as library:
        again = library.ingest([home / "photos"])
        assert again.embedded > 0
    assert Known.of(home) == known
    assert Doctor(home).examine().findings == ()


def test_images_that_lost_their_row_are_described_by_the_next_ingest(home: Path) -> None:
    before = _described(home)
    forget_content(home)
    for name in files_of(home):
        if name.startswith("images.lance/data"):
            harm(home, name, flipped)
    Doctor(home).mend()
    with Library.open(home, Settings()) as library:
        library.ingest([home / "photos"])
    assert _described(home) == before


def _described(home: Path) -> list[str]:
    """What is known of the images, but for how bright they are."""
    with Library.open(home, Settings()) as library:
        rows = library.store.photos.table().drop_columns(["brightness", "chroma"]).to_pylist()
    return sorted(map(str, rows))


def test_a_backup_has_what_nothing_else_has(home: Path, known: Known, tmp_path: Path) -> None:
    with Library.open(home, Settings()) as library:
        library.backup(tmp_path / "backups")
    forget_content(home)
    harm(home, _first(home, "arrays_1.lance/data/"), flipped)
    doctor = Doctor(home, backup=tmp_path / "backups")
    assert [f.remedy for f in doctor.examine().damage] == [Remedy.PUT_BACK_FILE]
    assert doctor.mend().left.is_sound
    assert Known.of(home) == known
    assert BackupFolder(tmp_path / "backups").all()


def test_decisions_that_a_journal_lost_are_added_from_those_written_down(home: Path) -> None:
    journal = home / ".organizer" / "journal.sqlite"
    older = journal.read_bytes()
    with Library.open(home, Settings()) as library:
        library.corrections.rename(2, "later")
    journal.write_bytes(older)
    forget_copies(home)
    assert Remedy.ADD_DECISIONS in {f.remedy for f in Doctor(home).examine().damage}
    assert Doctor(home).mend().left.is_sound
    with Library.open(home, Settings()) as library:
        assert library.corrections.constraints().names == {1: "first", 2: "later"}


def test_a_journal_of_an_arrangement_is_put_back(home: Path) -> None:
    with Library.open(home, Settings()) as library:
        library.folders.arrange(ArrangeOptions(home / "sorted"))
    (file,) = (home / ".organizer" / "arrangements").glob("arrangement-*.jsonl")
    before = file.read_bytes()
    file.write_bytes(flipped(before))
    assert [f.kind for f in Doctor(home).examine().damage] == ["arrangement"]
    assert Doctor(home).mend().left.is_sound
    assert file.read_bytes() == before


def test_a_damaged_search_index_is_dropped_and_no_row_is(tmp_path: Path) -> None:
    database = Database.create(tmp_path / ".organizer")
    with database.writing(), database.transaction():
        rows = [{"root_id": number, "location": f"{number:032}"} for number in range(20_000)]
        database.append("roots", pa.Table.from_pylist(rows, schema=ROOTS))
        database.change_table("roots", lambda d: lambda: d.create_scalar_index("location", "BTREE"))
    database.close()
    index = next(name for name in files_of(tmp_path) if name.endswith("page_data.lance"))
    harm(tmp_path, index, flipped)
    report = Doctor(tmp_path, Settings()).mend()
    assert [finding.remedy for finding in report.mended] == [Remedy.DROP_INDEX]
    assert report.left.is_sound
    assert Database(tmp_path / ".organizer").count("roots") == 20_000


@pytest.mark.parametrize("name", ["files.jsonl", "decisions-", "journal.sqlite"])
def test_a_damaged_safety_copy_is_noted_and_made_anew(home: Path, name: str) -> None:
    copy = _first(home, f"safety/{name}")
    harm(home, copy, flipped)
    (found,) = Doctor(home).examine().findings
    assert (found.kind, found.where, found.is_damage) == ("copy", copy, False)
    with Library.open(home, Settings()) as library:
        library.ingest([make_photo(home / "photos" / "later.jpg", 99)])
    if name != "decisions-":  # of these there is a whole one every day
        assert Doctor(home).examine().findings == ()


_HOLD = """
import sys
from pathlib import Path
from organizer.store.locks import held_for_ingest
with held_for_ingest(Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""


def test_a_lock_that_was_left_or_is_held_is_noted(home: Path) -> None:
    lock = home / ".organizer" / "lock"
    holder = Holder.of_this_process()
    replace(holder, pid=2**22 + 1).note(lock)
    (left,) = Doctor(home).examine().findings
    assert (left.kind, "ended before" in left.what) == ("lock", True)
    replace(holder, host="another", boot="").note(lock)
    (elsewhere,) = Doctor(home).examine().findings
    assert "organizer unlock" in elsewhere.advice
    code = (
        "import sys; from pathlib import Path; from organizer.store.locks import held_for_ingest\n"
    )
    code += "with held_for_ingest(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    forget_holder(lock)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, lock.parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (held,) = Doctor(home).examine().findings
        assert "is being written by" in held.what
        assert f"process {other.pid}" in held.what
        other.communicate(b"")


def test_a_library_that_is_written_is_not_mended(home: Path) -> None:
    harm(home, "journal.sqlite", flipped)
    other = Database(home / ".organizer")
    with other.locked(), pytest.raises(LibraryBusyError):
        Doctor(home).mend()


def test_a_newer_library_is_left_alone(home: Path) -> None:
    (home / ".organizer" / "library.json").write_text('{"schema": 99}')
    with pytest.raises(StoreError, match="newer"):
        Doctor(home).mend()


def test_the_command_says_what_it_finds_and_what_it_does(home: Path) -> None:
    assert in_this_process(home, "doctor").code == 0
    harm(home, "journal.sqlite", HARMS["cut"])
    refused = in_this_process(home, "status")
    assert refused.code == 1
    assert "organizer doctor --fix" in refused.err
    planned = in_this_process(home, "doctor")
    assert (planned.code, "put the copy" in planned.out) == (EXIT_DAMAGED, True)
    found = in_this_process(home, "doctor", "--json")
    assert found.code == EXIT_DAMAGED
    assert [row["kind"] for row in found.json["findings"]] == ["journal"]
    mended = in_this_process(home, "doctor", "--fix", "--json")
    assert (mended.code, mended.json["sound"]) == (0, True)
    assert [row["where"] for row in mended.json["mended"]] == ["journal.sqlite"]
    assert in_this_process(home, "status").code == 0


def _first(home: Path, place: str) -> str:
    names = files_of(home)
    if place.startswith("vectors_"):
        return next(n for n in names if n.startswith("vectors_") and "/_versions/" in n)
    return next(name for name in names if name.startswith(place))


def _vectors(home: Path) -> str:
    """A file of the vectors by which photos are clustered."""
    with Library.open(home, Settings()) as library:
        current = library.store.clusterings.current()
        assert current is not None
        table = library.store.vectors.table_name(current.embedder)
    return next(name for name in files_of(home) if name.startswith(f"{table}.lance/data/"))
