"""What is kept beside the journal: lines that check themselves, and a copy that follows it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.library import Library
from organizer.store.database import Database
from organizer.store.journal import LibraryJournal
from organizer.store.safety.decision_lines import (
    KEPT,
    DecisionLines,
    best_decisions,
    read_decisions,
)
from organizer.store.safety.file_lines import FileLines
from organizer.store.safety.sealed_lines import open_seal, seal
from tests.crashes import SMALL, make_begun
from tests.doctoring import Known

_VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
_ROWS = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name != "check"), _VALUES, min_size=1
)


@given(_ROWS)
def test_a_line_is_read_as_it_was_written(row: dict[str, object]) -> None:
    assert open_seal(seal(row)) == row
    assert seal(row).count(b"\n") == 1


@given(_ROWS, st.data())
def test_a_line_that_was_changed_or_cut_is_none(
    row: dict[str, object], data: st.DataObject
) -> None:
    line = seal(row)
    at = data.draw(st.integers(0, len(line) - 2))
    bit = 1 << data.draw(st.integers(0, 7))
    assert open_seal(line[:at] + bytes([line[at] ^ bit]) + line[at + 1 :]) is None
    assert open_seal(line[:at]) is None


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_begun(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def home(begun: Path, tmp_path: Path) -> Path:
    return shutil.copytree(begun, tmp_path / "home")


def _written_down(home: Path) -> dict[str, list[dict[str, object]]]:
    found = best_decisions(Database(home / ".organizer").safety.decisions.files())
    assert found is not None
    return found


def _assert_followed(home: Path) -> None:
    """All that is in the journal is written down, and the copy is the journal."""
    database = Database(home / ".organizer")
    kept = _written_down(home)
    for table in ("steps", "decisions", "answers", "ingests", "cluster_origins", "choices"):
        assert kept[table] == database.journal.rows(f"SELECT * FROM {table}")  # noqa: S608
    state = database.safety.journal.state()
    assert state is not None
    assert state.revision == database.journal.revision()
    assert database.safety.journal.file.read_bytes() == database.journal.file.read_bytes()
    database.close()


def test_each_decision_is_written_down(home: Path) -> None:
    with Library.open(home, SMALL) as library:
        library.corrections.rename(1, "Fuchs, größer")
        _assert_followed(home)
        library.corrections.move(home / "photos" / "red" / "000.jpg", 1)
        library.undo()
        _assert_followed(home)
        library.review.answer([look.answer(belongs=True) for look in library.review.sample(1)])
        library.deployments.set_template("{deployment}")
        library.recluster(k=2, drop_names=True)
        _assert_followed(home)
    assert '"name":"Fuchs, größer"' in _newest(home).read_text(encoding="utf-8")


def _newest(home: Path) -> Path:
    return Database(home / ".organizer").safety.decisions.files()[-1]


def test_what_a_killed_writer_did_not_write_down_is_written_by_the_next_one(home: Path) -> None:
    before = _newest(home).read_bytes()
    with Library.open(home, SMALL) as library:
        library.corrections.rename(1, "Fox")
        library.corrections.rename(2, "Lynx")
    _newest(home).write_bytes(before)  # as if nothing had been written after the commits
    with Library.open(home, SMALL) as library:
        library.corrections.rename(3, "Badger")
    _assert_followed(home)


def test_a_line_that_was_cut_is_looked_for_in_an_older_file(home: Path) -> None:
    torn = _newest(home)
    with Library.open(home, SMALL) as library:
        torn.write_bytes(torn.read_bytes()[:-9])
        library.corrections.rename(1, "Fox")
    assert _newest(home) != torn
    _assert_followed(home)
    lines = _newest(home).read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b'"decision_id":1,' not in line]
    assert len(kept) == len(lines) - 1
    _newest(home).write_bytes(b"".join([*kept, b"torn"]))
    assert len(read_decisions(_newest(home))["decisions"]) == 1
    assert len(_written_down(home)["decisions"]) == 2


def test_ten_files_are_kept(tmp_path: Path) -> None:
    lines = DecisionLines(tmp_path, LibraryJournal.create(tmp_path), list)
    for _ in range(KEPT + 3):
        lines.follow()
        assert read_decisions(lines.files()[-1])["decisions"] == []
        lines.files()[-1].write_bytes(b"torn")
    assert len(lines.files()) == KEPT


def test_without_room_for_the_copies_a_decision_is_made_all_the_same(home: Path) -> None:
    safety = home / ".organizer" / "safety"
    shutil.rmtree(safety)
    safety.write_text("a file where the folder should be")
    with Library.open(home, SMALL) as library:
        library.corrections.rename(1, "Fox")
    assert Known.of(home).names == {1: "Fox"}
    safety.unlink()
    with Library.open(home, SMALL) as library:
        library.corrections.rename(2, "Lynx")
    _assert_followed(home)


def test_the_lines_of_files_stay_in_proportion_to_the_files(tmp_path: Path) -> None:
    data = tmp_path / "images.lance" / "data"
    data.mkdir(parents=True)
    lines = FileLines(tmp_path, tmp_path)
    for number in range(700):
        (data / f"{number}.lance").write_bytes(b"%d" % number)
        (data / f"{number - 3}.lance").unlink(missing_ok=True)
        lines.follow()
    assert (tmp_path / "files.jsonl").read_bytes().count(b"\n") < 300
    there = {f"images.lance/data/{number}.lance": b"%d" % number for number in range(697, 700)}
    kept = FileLines(tmp_path, tmp_path).all()
    assert {name: kept[name].content for name in there} == there


def test_a_table_that_took_the_name_of_another_is_noted_anew(tmp_path: Path) -> None:
    file = tmp_path / "points_1.lance" / "_versions" / "1.manifest"
    file.parent.mkdir(parents=True)
    lines = FileLines(tmp_path, tmp_path)
    for content in (b"first", b"second"):
        file.write_bytes(content)
        lines.follow()
        (known,) = FileLines(tmp_path, tmp_path).all().values()
        assert known.content == content
        lines.forget_table("points_1")
        assert FileLines(tmp_path, tmp_path).all() == {}
