"""The tables of a library: what breaks, who may write, and that upkeep keeps up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from _pytest.mark.structures import ParameterSet

from organizer.errors import StoreError
from organizer.library import Library
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.journal import LibraryJournal
from organizer.store.schemas import SCHEMA_VERSION, TABLES
from tests.conftest import make_photo
from tests.damages import HARMS, OTHERS, Harm, assert_well_explained, harm_and_use_all, make_sound

THINGS = pa.schema([("key", pa.string()), ("n", pa.int64())])

_HOLDER = """
import sys
from pathlib import Path
from organizer.store.database import Database

database = Database(Path(sys.argv[1]))
with database.reading() if sys.argv[2] == "reading" else database.writing():
    if sys.argv[2] == "at work":
        database.mark_unfinished()
    dataset = database.dataset("things") if database.has("things") else None
    print("held", flush=True)
    sys.stdin.readline()
    if dataset is not None:
        print(sorted(dataset.to_table()["n"].to_pylist()), flush=True)
"""


@contextmanager
def held_elsewhere(path: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the library for as long as this lasts.

    Args:
        path: The library.
        how: "reading", "writing", or "at work": writing in several transactions.
    """
    words = [sys.executable, "-c", _HOLDER, str(path), how]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            if process.poll() is None:
                process.communicate("go\n", timeout=60)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database.create(tmp_path / "library")
    made.create_table("things", THINGS)
    return made


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound"))


def things(*numbers: int) -> pa.Table:
    return pa.table({"key": [key(n) for n in numbers], "n": list(numbers)}, schema=THINGS)


def key(number: int) -> str:
    return f"{number:032x}"


def numbers_in(database: Database) -> list[int]:
    found: list[int] = database.read("things", ["n"])["n"].to_pylist()
    return found


def as_ordinary_user(words: list[str]) -> list[str]:
    """The command without root's power to read and write what nobody may."""
    if os.geteuid() != 0:
        return words
    if shutil.which("setpriv") is None:
        pytest.skip("NOT TESTED: root without setpriv may write everywhere")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *words]


# Making and opening -------------------------------------------------------------------------


def test_a_new_library_has_every_table_empty_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "below" / "library"
    Database.create(path)
    opened = Database.open(path)
    assert opened.names() == sorted(TABLES)
    assert {name: opened.count(name) for name in TABLES} == dict.fromkeys(TABLES, 0)
    assert json.loads((path / "library.json").read_text())["schema"] == SCHEMA_VERSION


def test_where_there_is_no_library_opening_says_so(tmp_path: Path) -> None:
    assert not Database.is_library(tmp_path)
    with pytest.raises(StoreError) as caught:
        Database.open(tmp_path / "nowhere")
    assert_well_explained(caught.value)


def test_a_library_of_a_newer_format_is_refused_with_the_way_out(database: Database) -> None:
    manifest = database.path / "library.json"
    manifest.write_text(json.dumps({"schema": SCHEMA_VERSION + 1}))
    with pytest.raises(StoreError, match="newer") as caught:
        Database.open(database.path)
    assert_well_explained(caught.value)
    assert "update" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"schema": null}',
        b'{"schema": "new"}',
        b'{"schema": [1]}',
        b'{"schema": Infinity}',
        b"\xff\xfe\x00",
        b"\0" * 60,
    ],
)
def test_a_damaged_manifest_is_reported_as_damage(database: Database, content: bytes) -> None:
    (database.path / "library.json").write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        Database.open(database.path)
    assert_well_explained(caught.value)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_missing_table_is_named(database: Database, table: str) -> None:
    shutil.rmtree(database.path / f"{table}.lance")
    with pytest.raises(StoreError, match=f"no table {table}") as caught:
        Database.open(database.path)
    assert_well_explained(caught.value)


def test_a_file_where_the_library_should_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StoreError, match="cannot make a library") as caught:
        Database.create(tmp_path / "taken")
    assert_well_explained(caught.value)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_creation_interrupted_between_tables_is_completed(database: Database) -> None:
    (database.path / "library.json").unlink()
    for name in ("roots", "images", "crops"):
        shutil.rmtree(database.path / f"{name}.lance")
    assert not Database.is_library(database.path)
    completed = Database.create(database.path)
    assert set(completed.names()) == {*TABLES, "things"}
    assert Database.open(database.path).count("roots") == 0


@pytest.mark.parametrize("left", ["", "_transactions", "_versions"])
def test_a_creation_interrupted_inside_a_table_is_completed(tmp_path: Path, left: str) -> None:
    """LanceDB makes a table's folders before its first version."""
    path = tmp_path / "library"
    (path / "images.lance" / left).mkdir(parents=True)
    Database.create(path)
    assert Database.open(path).count("images") == 0


@pytest.mark.parametrize("left", ["", "_transactions", "_versions"])
def test_a_table_whose_creation_was_interrupted_is_made(database: Database, left: str) -> None:
    (database.path / "late.lance" / left).mkdir(parents=True)
    database.create_table("late", THINGS, {"spec": "x"})
    database.append("late", things(1, 2))
    assert database.count("late") == 2
    assert database.metadata("late") == {"spec": "x"}


def test_a_table_that_is_there_is_not_made_again(database: Database) -> None:
    database.append("things", things(1))
    database.create_table("things", THINGS)
    assert numbers_in(database) == [1]


@pytest.mark.parametrize("name", ["100%", "a%20b", "question?x#y", "käse 😀", 'it\'s "so"; x'])
def test_the_name_of_the_folder_does_not_matter(tmp_path: Path, name: str) -> None:
    made = Database.create(tmp_path / name)
    made.create_table("things", THINGS)
    made.append("things", things(1, 2))
    made.tidy()
    assert numbers_in(Database.open(tmp_path / name)) == [1, 2]
    assert [folder.name for folder in tmp_path.iterdir()] == [name]


# Rows ---------------------------------------------------------------------------------------


def test_rows_come_back_in_the_order_in_which_they_were_added(database: Database) -> None:
    draw = np.random.default_rng(1)
    added: list[int] = []
    for size in (1, 40, 0, 7, 300):
        part: list[int] = draw.integers(0, 10**6, size).tolist()
        database.append("things", things(*part))
        added += part
    assert numbers_in(database) == added
    parts = database.batches("things", ["n"], rows=50)
    assert [n for part in parts for n in part.column("n").to_pylist()] == added


def test_thousands_of_ids_are_read_and_deleted_by_id(database: Database) -> None:
    database.append("things", things(*range(6_000)))
    wanted = [key(n) for n in range(500, 9_000, 2)]
    rows = database.read_by_id("things", "key", [*wanted, wanted[0]])
    assert sorted(rows["n"].to_pylist()) == list(range(500, 6_000, 2))
    database.delete_by_id("things", "key", wanted[:2_500])
    left = set(range(6_000)) - set(range(500, 5_500, 2))
    assert sorted(numbers_in(database)) == sorted(left)


def test_rows_are_changed_and_deleted_by_pairs_and_not_by_half_of_one(database: Database) -> None:
    columns = ("one", "other")
    schema = pa.schema([*((name, pa.string()) for name in columns), ("n", pa.int64())])
    database.create_table("pairs", schema)
    there = {(key(a), key(b)) for a in range(20) for b in range(20)}
    rows = [{"one": one, "other": other, "n": 0} for one, other in sorted(there)]
    database.append("pairs", pa.Table.from_pylist(rows, schema=schema))
    some = {(key(a), key(b)) for a in range(20) for b in range(20) if (3 * a + b) % 2}
    new = (key(77), key(0))
    changed = [{"one": one, "other": other, "n": 1} for one, other in [*sorted(some), new]]
    database.upsert("pairs", columns, pa.Table.from_pylist(changed, schema=schema))
    assert _pairs_in(database) == {pair: int(pair in {*some, new}) for pair in {*there, new}}
    database.delete_pairs("pairs", columns, [*some, (key(77), key(0))])
    assert set(_pairs_in(database)) == there - some


def _pairs_in(database: Database) -> dict[tuple[str, str], int]:
    rows = database.read("pairs").to_pylist()
    found = {(row["one"], row["other"]): row["n"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_rows_take_the_place_of_those_with_the_same_keys(database: Database) -> None:
    database.append("things", things(1, 2, 3))
    both = things(2, 9).set_column(1, THINGS.field("n"), pa.array([20, 90]))
    database.upsert("things", ["key"], both)
    assert sorted(numbers_in(database)) == [1, 3, 20, 90]


def test_no_ids_mean_no_rows(database: Database) -> None:
    database.append("things", things(1, 2))
    assert database.read_by_id("things", "key", []).num_rows == 0
    database.delete_by_id("things", "key", [])
    database.append("things", things())
    database.upsert("things", ["key"], things())
    assert numbers_in(database) == [1, 2]


# Damage -------------------------------------------------------------------------------------


def _damages() -> Iterator[ParameterSet]:
    """Every harm to the vectors; to each other table one harm in turn; tests/soak has them all."""
    for kind, harm in HARMS:
        yield pytest.param("vectors_*", kind, harm)
    for place, table in enumerate(OTHERS):
        for kind, harm in HARMS[place % 4 :: 4]:
            yield pytest.param(table, kind, harm, marks=pytest.mark.slow)


@pytest.mark.parametrize(("table", "kind", "harm"), [*_damages()])
def test_a_damaged_file_never_gives_a_raw_error(
    sound: Path, tmp_path: Path, table: str, kind: str, harm: Harm
) -> None:
    harm_and_use_all(sound, tmp_path, table, kind, harm)


def test_damage_to_the_data_of_the_files_is_noticed_by_the_views(
    sound: Path, tmp_path: Path
) -> None:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    for file in (tmp_path / ".organizer" / "files.lance" / "data").iterdir():
        file.unlink()
    with Library.open(tmp_path, Settings()) as library:
        with pytest.raises(StoreError, match="damaged"):
            library.clusters.summaries()
        with pytest.raises(StoreError, match="damaged"):
            library.ingest([tmp_path / "photos"])


# Writers and readers ------------------------------------------------------------------------


def test_a_second_writer_fails_at_once_and_may_write_later(database: Database) -> None:
    with held_elsewhere(database.path, "writing"):
        began = time.monotonic()
        with pytest.raises(StoreError, match="another organizer") as caught, database.writing():
            pytest.fail("two writers at once")
        assert time.monotonic() - began < 2
        assert_well_explained(caught.value)
    with database.writing() as was_interrupted:
        assert not was_interrupted


def test_readers_work_while_another_process_writes(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    with (
        held_elsewhere(tmp_path / ".organizer", "writing"),
        Library.open(tmp_path, Settings()) as library,
    ):
        assert library.status().images == 10
        assert len(library.clusters.summaries()) == 3
        assert library.search(tmp_path / "photos" / "red" / "000.jpg", limit=2)
        with pytest.raises(StoreError, match="another organizer"):
            library.recluster(k=2)


def test_a_killed_writer_leaves_no_lock_and_counts_as_interrupted_if_it_was_at_work(
    database: Database,
) -> None:
    for how in ("writing", "at work"):
        with held_elsewhere(database.path, how) as process:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)
        with database.writing() as was_interrupted:
            assert was_interrupted == (how == "at work")
        with database.writing() as was_interrupted:
            assert not was_interrupted


def test_a_writer_that_fails_counts_as_interrupted_if_it_was_at_work(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing():
        raise ZeroDivisionError
    with database.writing() as was_interrupted:
        assert not was_interrupted
    with suppress(ZeroDivisionError), database.writing():
        database.mark_unfinished()
        raise ZeroDivisionError
    with database.writing() as was_interrupted:
        assert was_interrupted


def test_a_transaction_that_fails_leaves_no_byte(database: Database) -> None:
    before = _bytes_of(database.path)
    with suppress(ZeroDivisionError), database.transaction():
        database.append("things", things(1, 2))
        database.create_table("more", THINGS)
        database.append("more", things(3))
        assert numbers_in(database) == [1, 2]
        raise ZeroDivisionError
    assert _bytes_of(database.path) == before
    assert numbers_in(database) == []
    database.append("things", things(4))
    assert numbers_in(database) == [4]


def test_an_interrupt_just_after_the_commit_removes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while SQLite commits is raised when the commit has ended."""
    real = LibraryJournal.transaction

    @contextmanager
    def interrupted(self: LibraryJournal) -> Iterator[None]:
        with real(self):
            yield
        raise KeyboardInterrupt

    monkeypatch.setattr(LibraryJournal, "transaction", interrupted)
    with suppress(KeyboardInterrupt), database.transaction():
        database.append("things", things(1, 2))
        database.create_table("more", THINGS)
        database.append("more", things(3))
    monkeypatch.undo()
    other = Database.open(database.path)
    for found in (database, other):
        assert sorted(numbers_in(found)) == [1, 2]
        assert found.count("more") == 1
    with other.writing():
        other.append("things", things(4))
    assert sorted(numbers_in(other)) == [1, 2, 4]


def test_what_is_not_committed_is_seen_by_nobody_and_goes_with_the_next_writer(
    database: Database,
) -> None:
    """As a kill between the tables and the journal leaves it, and a power cut: half a manifest."""
    database.append("things", things(1))
    table = database._connection.open_table("things")
    table.add(things(2))
    table.add(things(3))
    newest = min((database.path / "things.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(b"")
    other = Database.open(database.path)
    assert numbers_in(other) == [1]
    with other.writing() as was_interrupted:
        assert not was_interrupted
        other.append("things", things(4))
    assert sorted(numbers_in(other)) == [1, 4]
    assert sorted(numbers_in(database)) == [1, 4]


def test_another_thread_sees_only_what_is_committed(database: Database) -> None:
    database.append("things", things(1))
    with ThreadPoolExecutor(1) as pool, database.transaction():
        database.append("things", things(2))
        assert sorted(numbers_in(database)) == [1, 2]
        assert pool.submit(numbers_in, database).result(timeout=60) == [1]
    assert sorted(numbers_in(database)) == [1, 2]


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "latest_version_hint.json"
    }


def test_in_a_read_only_folder_reading_works_and_writing_fails(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    everything = [tmp_path / ".organizer", *(tmp_path / ".organizer").rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        status = _organizer(tmp_path, "status")
        renamed = _organizer(tmp_path, "clusters", "rename", "1", "other")
        ingested = _organizer(tmp_path, "ingest", "photos")
    finally:
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert status.returncode == 0, status.stderr
    for failed in (renamed, ingested):
        assert failed.returncode == 1
        assert "may not be written" in failed.stderr
        assert "permission" in failed.stderr.lower()
        assert "Traceback" not in failed.stderr


def test_no_library_is_made_where_nothing_may_be_written(tmp_path: Path) -> None:
    make_photo(tmp_path / "a.jpg", 1)
    tmp_path.chmod(0o555)
    try:
        done = _organizer(tmp_path, "ingest", ".", "--embedder", "channel-mean")
    finally:
        tmp_path.chmod(0o755)
    assert done.returncode == 1
    assert "cannot make a library" in done.stderr
    assert "Traceback" not in done.stderr


def _organizer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = as_ordinary_user([sys.executable, "-m", "organizer", *words])
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


# Upkeep -------------------------------------------------------------------------------------


def test_after_many_small_appends_files_and_bytes_are_in_proportion_to_the_data(
    database: Database, tmp_path: Path
) -> None:
    at_once = Database.create(tmp_path / "at-once")
    at_once.create_table("things", THINGS)
    at_once.append("things", things(*range(400)))
    for start in range(0, 400, 5):
        database.append("things", things(*range(start, start + 5)))
    files, size = _weight(database)
    assert files > 200, "nothing to tidy: the test tests nothing"
    database.tidy()
    files_after, size_after = _weight(database)
    ideal_files, ideal_size = _weight(at_once)
    assert files_after <= ideal_files + 20
    assert size_after <= 3 * ideal_size
    assert size_after < size / 4
    assert numbers_in(database) == list(range(400))


def test_tidying_after_every_few_appends_bounds_the_number_of_files(database: Database) -> None:
    most = 0
    for start in range(60):
        database.append("things", things(start))
        database.update_where("things", f"n = {start}", {"n": start})
        if start % 5 == 4:
            database.tidy()
            most = max(most, _weight(database)[0])
    assert most <= 60
    assert sorted(numbers_in(database)) == list(range(60))


def test_tidying_leaves_a_full_fragment_alone(database: Database) -> None:
    database.append("things", things(*range(70_000)))
    (full,) = (database.path / "things.lance" / "data").iterdir()
    written = full.stat().st_mtime_ns
    for n in range(12):
        database.append("things", things(70_000 + n))
    database.tidy()
    assert full.stat().st_mtime_ns == written
    assert len(list((database.path / "things.lance" / "data").iterdir())) == 2
    assert numbers_in(database) == list(range(70_012))


def test_tidying_breaks_no_reader_in_another_process(database: Database) -> None:
    for n in range(20):
        database.append("things", things(n))
    with held_elsewhere(database.path, "reading") as reader:
        database.delete_by_id("things", "key", [key(n) for n in range(0, 20, 2)])
        for n in range(100, 120):
            database.append("things", things(n))
        database.tidy()
        out, _ = reader.communicate("go\n", timeout=60)
        assert json.loads(out) == list(range(20))
        assert reader.returncode == 0
    with_old_versions, _ = _weight(database)
    database.tidy()
    assert _weight(database)[0] < with_old_versions / 2
    assert sorted(numbers_in(database)) == [*range(1, 20, 2), *range(100, 120)]


def test_what_a_killed_writer_left_half_written_is_swept_by_tidying(database: Database) -> None:
    database.append("things", things(1))
    stray = database.path / "things.lance" / "data" / f"{'0' * 24}.lance"
    stray.write_bytes(b"half a file")
    database.tidy()
    assert not stray.exists()
    assert numbers_in(database) == [1]


def _weight(database: Database) -> tuple[int, int]:
    """Number and bytes of the files of the table."""
    files = [file for file in (database.path / "things.lance").rglob("*") if file.is_file()]
    return len(files), sum(file.stat().st_size for file in files)
