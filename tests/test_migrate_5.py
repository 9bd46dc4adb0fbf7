"""A library of format 5, in which nobody knew who decided, opened today."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from organizer.errors import StoreError
from organizer.library import Library
from organizer.store import Answer, SampleKind, Store
from organizer.store.journal import LibraryJournal
from organizer.store.locks import held_for_writing
from organizer.store.schemas import SCHEMA_VERSION
from tests.cards import blobs, fill, ids_of, library_at

_IDS = ids_of(range(40))
_STEPS = """
CREATE TABLE steps (
    step_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    about INTEGER NOT NULL,
    former_id INTEGER NOT NULL,
    clustering_id INTEGER NOT NULL,
    ingest_id INTEGER NOT NULL
)
"""
_ANSWERS = """
CREATE TABLE answers (
    answer_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    image_id TEXT NOT NULL,
    cluster_id INTEGER NOT NULL,
    clustering_id INTEGER NOT NULL,
    belongs INTEGER NOT NULL,
    drawn TEXT NOT NULL
)
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A named cluster, a move that was undone, and an answer."""
    folder = tmp_path / "old"
    with library_at(folder) as library, library.acting_as("forgotten"):
        fill(library, _IDS, blobs([20, 20]))
        library.recluster(k=2)
        library.corrections.rename(1, "Fox")
        library.corrections.move(_IDS[0], 2)
        library.undo()
        library.review.answer([Answer(_IDS[1], 1, belongs=True, drawn=SampleKind.RANDOM)])
    home = folder / ".organizer"
    journal = sqlite3.connect(home / "journal.sqlite", isolation_level=None)
    for table, create in (("steps", _STEPS), ("answers", _ANSWERS)):
        journal.execute(f"ALTER TABLE {table} RENAME TO newer")
        journal.execute(create)
        columns = [row[1] for row in journal.execute(f"PRAGMA table_info({table})")]
        journal.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM newer")  # noqa: S608
        journal.execute("DROP TABLE newer")
    journal.close()
    (home / "library.json").write_text(json.dumps({"schema": 5, "created_at": "then"}))
    return folder


def _columns(folder: Path, table: str) -> list[str]:
    journal = sqlite3.connect(folder / ".organizer" / "journal.sqlite")
    found = [row[1] for row in journal.execute(f"PRAGMA table_info({table})")]
    journal.close()
    return found


def _assert_whole(folder: Path) -> None:
    with Library.open(folder) as library:
        events = library.corrections.history()
        assert [event.what for event in events] == [
            "recluster 1 with painter: 2 clusters made",
            "cluster 1 named 'Fox'",
            "1 image moved to cluster 2",
            "undone: 1 image moved to cluster 2",
        ]
        assert {event.user for event in events} == {""}, "nobody is invented"
        assert [a.user for a in library.store.answers.all()] == [""]
        assert library.status().k == 2


def test_who_decided_then_is_not_known_and_who_decides_now_is(old: Path) -> None:
    _assert_whole(old)
    manifest = json.loads((old / ".organizer" / "library.json").read_text())
    assert manifest == {"schema": SCHEMA_VERSION, "created_at": "then"}
    with Library.open(old) as library, library.acting_as("Ann"):
        library.redo()
        library.review.answer([Answer(_IDS[2], 1, belongs=True, drawn=SampleKind.RANDOM)])
        assert [event.user for event in library.corrections.history()] == ["", "", "", "", "Ann"]
        assert [answer.user for answer in library.store.answers.all()] == ["", "Ann"]


def test_a_library_that_cannot_be_written_stays_as_it_is(old: Path) -> None:
    home = old / ".organizer"
    with (
        held_for_writing(home),  # by another program: this one may not write
        pytest.raises(StoreError, match="of format 5 and could not be brought"),
    ):
        Library.open(old)
    assert json.loads((home / "library.json").read_text())["schema"] == 5
    assert "user" not in [*_columns(old, "steps"), *_columns(old, "answers")]
    _assert_whole(old)


def test_a_migration_that_is_cut_anywhere_is_done_by_the_next(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = list(_cut(old, tmp_path, monkeypatch))
    assert len(homes) >= 3, "nothing was cut: the test tests nothing"
    for home in homes:
        found = [name in _columns(home, name) for name in ("steps", "answers")]
        assert len(set(found)) == 1, "one table is not changed without the other"
        _assert_whole(home)


class _CutError(BaseException):
    """A kill: nothing that comes after it runs, but for what SQLite would do at the next start."""


def _cut(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copies of the library, each cut before another statement of the migration."""
    execute = LibraryJournal.execute
    for number in range(100):
        home = tmp_path / f"cut-{number}"
        shutil.copytree(old, home)
        left = iter(range(number))

        def cut(
            self: LibraryJournal, statement: str, values: tuple[object, ...] = (),
            left: Iterator[int] = left,
        ) -> None:  # fmt: skip
            if statement.startswith("ALTER") and next(left, None) is None:
                raise _CutError
            execute(self, statement, values)

        def unwritten(*_: object) -> None:
            raise _CutError

        with monkeypatch.context() as patch:
            patch.setattr(LibraryJournal, "execute", cut)
            patch.setattr("organizer.store.database.write_manifest", unwritten)
            try:
                Store.open(home / ".organizer")
            except _CutError:
                yield home
            if number == 2:  # both tables are changed, and the manifest is not
                return
