"""What Lance raises, by real damage and real refusals of the system: each is called what it is."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from organizer.errors import StoreError
from organizer.store.database import Database
from organizer.store.lance_errors import translated
from tests.damages import assert_well_explained, half, noise, nothing, zeros
from tests.faults import compile_faults
from tests.test_store_database import as_ordinary_user

WIDTH = 8
COLUMNS = pa.schema([("key", pa.string()), ("n", pa.int64()), ("v", pa.list_(pa.float16(), WIDTH))])
Use = Callable[[Database], object]


def rows(start: int, stop: int) -> pa.Table:
    drawn = np.random.default_rng(start).random((stop - start) * WIDTH).astype(np.float16)
    columns = [
        [f"{n:032x}" for n in range(start, stop)],
        list(range(start, stop)),
        pa.FixedSizeListArray.from_arrays(drawn, WIDTH),
    ]
    return pa.table(columns, schema=COLUMNS)


def search(database: Database) -> object:
    nearest = {"column": "v", "q": np.ones(WIDTH, np.float32), "k": 3}
    with translated(database.path):
        return database.dataset("things").to_table(nearest=nearest)


READS: dict[str, Use] = {
    "read": lambda d: d.read("things"),
    "read by id": lambda d: d.read_by_id("things", "key", [f"{5:032x}"]),
    "read by id again": lambda d: [d.read_by_id("things", "key", [f"{5:032x}"]) for _ in "abc"],
    "batches": lambda d: list(d.batches("things", ["key", "n", "v"], rows=10)),
    "search": search,
}
WRITES: dict[str, Use] = {
    "append": lambda d: d.append("things", rows(900, 910)),
    "upsert": lambda d: d.upsert("things", ["key"], rows(40, 50)),
    "delete": lambda d: d.delete_where("things", "n = 30"),
    "update": lambda d: d.update_where("things", "n = 31", {"key": "a"}),
    "overwrite": lambda d: d.overwrite("things", rows(0, 3)),
    "create": lambda d: d.create_table("others", COLUMNS),
    "tidy": Database.tidy,
}
USES = READS | WRITES


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of two data files with rows deleted from both."""
    database = Database.create(tmp_path_factory.mktemp("sound") / "library")
    database.create_table("things", COLUMNS)
    database.append("things", rows(0, 100))
    database.append("things", rows(100, 200))
    database.delete_where("things", "n < 7 OR n > 195")
    return database.path


@pytest.fixture
def database(sound: Path, tmp_path: Path) -> Database:
    shutil.copytree(sound, tmp_path / "library")
    return Database(tmp_path / "library")


def raised(database: Database, uses: dict[str, Use]) -> Iterator[BaseException]:
    """What every use of a table raises, each on its own."""
    for use in uses.values():
        try:
            use(Database(database.path))
        except BaseException as error:  # noqa: BLE001 - a panic of Rust is no Exception
            yield error


# Damage -------------------------------------------------------------------------------------


def flipped(data: bytes) -> bytes:
    """Every seventh byte inverted."""
    harmed = np.frombuffer(data, np.uint8).copy()
    harmed[::7] ^= 0xFF
    return harmed.tobytes()


def cut(data: bytes) -> bytes:
    return data[:-1]


@pytest.mark.parametrize("harm", [zeros, half, nothing, noise, flipped, cut, None])
@pytest.mark.parametrize("kind", ["data/*", "_versions/*.manifest", "_deletions/*"])
def test_damage_is_called_damage(
    database: Database, kind: str, harm: Callable[[bytes], bytes] | None
) -> None:
    files = list((database.path / "things.lance").glob(kind))
    assert files
    for file in files:
        if harm is None:
            file.unlink()
        else:
            file.write_bytes(harm(file.read_bytes()))
    errors = list(raised(database, READS))
    assert errors
    for error in errors:
        assert isinstance(error, StoreError), repr(error)
        assert "is damaged: " in error.message
        assert_well_explained(error)


def test_what_damages_nothing_that_is_read_is_no_error(database: Database) -> None:
    """The transactions of the past are the files that a table can be read without."""
    for file in (database.path / "things.lance" / "_transactions").iterdir():
        file.write_bytes(b"")
    assert list(raised(database, READS)) == []


def test_a_message_of_damage_has_no_places_in_sources_of_rust(database: Database) -> None:
    for file in (database.path / "things.lance" / "data").iterdir():
        file.write_bytes(b"")
    with pytest.raises(StoreError) as caught:
        database.read("things")
    assert ".rs:" not in caught.value.message
    assert "LanceError" not in caught.value.message


def test_the_hint_for_damage_keeps_what_a_person_decided(database: Database) -> None:
    shutil.rmtree(database.path / "things.lance" / "data")
    with pytest.raises(StoreError) as caught:
        database.read("things")
    hint = caught.value.hint
    assert "organizer doctor --fix" in hint
    assert "your decisions are kept" in hint
    assert "ingest again" not in hint
    assert "move" not in hint


def test_a_library_that_is_gone_is_not_called_damaged(database: Database) -> None:
    shutil.rmtree(database.path)
    with pytest.raises(StoreError, match="not there any more") as caught:
        database.read("things")
    assert_well_explained(caught.value)


# The system ---------------------------------------------------------------------------------

_EACH = """
import os, sys
from pathlib import Path
from organizer.errors import StoreError
from organizer.store.database import Database
from tests.test_lance_errors import READS, USES, raised, rows

database = Database(Path(sys.argv[1]))
import portalocker  # and what Python reads of itself later is read before anything fails
list(raised(database, READS))
rows(0, 1)
{before}
for error in raised(database, {uses}):
    print(type(error).__name__, error, sep="|", flush=True)
"""


def messages(
    database: Database, *, before: str = "", uses: str = "USES", **env: str
) -> list[tuple[str, str]]:
    """Type and message of all that the uses raise in a process of its own."""
    script = _EACH.format(before=before, uses=uses)
    done = subprocess.run(
        as_ordinary_user([sys.executable, "-c", script, str(database.path)]),
        env={**os.environ, **env, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("|", 1) for line in done.stdout.splitlines()]
    return [(kind, message) for kind, message in lines]


def assert_all_say(found: list[tuple[str, str]], what: str, *, at_least: int) -> None:
    assert len(found) >= at_least, found
    for kind, message in found:
        assert kind == "StoreError", (kind, message)
        assert what in message
        assert "damaged" not in message


@pytest.fixture(scope="session")
def faulty_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_faults(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (errno.EIO, "does not answer"),
        (errno.ENOTCONN, "does not answer"),
        (errno.ESTALE, "does not answer"),
        (errno.EDQUOT, "is full"),
        (errno.ENOMEM, "not enough memory"),
        (errno.EPERM, "may not be written or read"),
    ],
    ids=errno.errorcode.get,
)
def test_a_call_of_the_system_that_fails_is_called_what_it_is(
    database: Database, faulty_calls: Path, code: int, what: str
) -> None:
    fault = {
        "FAULT_DO": "fail",
        "FAULT_PATHS": ".lance/",
        "FAULT_CALLS": "read write",
        "FAULT_CODE": str(code),
    }
    found = messages(database, before=f"os.environ.update({fault})", LD_PRELOAD=str(faulty_calls))
    assert_all_say(found, what, at_least=len(READS) + 4)


def test_too_many_open_files_are_called_so(database: Database) -> None:
    hold = (
        "import resource; n = len(os.listdir('/proc/self/fd'));"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (n - 1, 4096))"
    )
    assert_all_say(messages(database, before=hold), "too many files are open", at_least=6)


def test_what_may_not_be_read_or_written_is_called_so(database: Database) -> None:
    folder = database.path / "things.lance"
    try:
        lock = "[p.chmod(0) for p in database.path.glob('things.lance/*')]"
        found = messages(database, before=lock, uses="READS")
    finally:
        for inside in folder.iterdir():
            inside.chmod(0o755)
    assert_all_say(found, "may not be written or read", at_least=len(READS))


def test_a_full_disk_is_called_so(sound: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: no small disk can be mounted here")
    try:
        shutil.copytree(sound, disk / "library")
        _fill(disk / "rest")
        found = messages(Database(disk / "library"), uses="USES")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert_all_say(found, "is full", at_least=4)


def _fill(file: Path) -> None:
    full = os.strerror(errno.ENOSPC)
    with file.open("wb", buffering=0) as target, pytest.raises(OSError, match=full):
        target.writelines(b"\0" * 4_096 for _ in range(1_000))


def test_a_disk_that_can_only_be_read_is_called_so(sound: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    bind = ["mount", "--bind", str(sound), str(disk)]
    if os.geteuid() != 0 or subprocess.run(bind, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: no disk can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(disk)], check=True)
        found = messages(Database(disk), uses="{k: u for k, u in USES.items() if k != 'tidy'}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert_all_say(found, "can only be read", at_least=5)


def test_a_library_whose_description_may_not_be_read_is_not_called_damaged(
    database: Database,
) -> None:
    (database.path / "library.json").chmod(0)
    script = "import sys; from organizer.store.manifest import *; read_manifest(Path(sys.argv[1]))"
    done = subprocess.run(
        as_ordinary_user([sys.executable, "-c", script, str(database.path)]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "may not be written or read" in done.stderr
    assert "is damaged" not in done.stderr


# Bugs ---------------------------------------------------------------------------------------


def test_a_wrong_condition_is_a_bug_and_raised_as_it_is(database: Database) -> None:
    with pytest.raises(ValueError, match="No field named nothing"):
        database.read("things", where="nothing = 3")


def test_rows_with_wrong_columns_are_a_bug_and_raised_as_it_is(database: Database) -> None:
    with pytest.raises((ValueError, RuntimeError)) as caught:
        database.append("things", pa.table({"others": [1]}))
    assert not isinstance(caught.value, StoreError)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("generator raised StopIteration"), ValueError("x"), OSError("y"), KeyError("z")],
)
def test_what_nobody_foresaw_is_raised_as_it_is(database: Database, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated(database.path):
        raise error
    assert caught.value is error


def test_an_interrupt_is_let_through(database: Database) -> None:
    with pytest.raises(KeyboardInterrupt), translated(database.path):
        raise KeyboardInterrupt


def test_arrow_without_memory_is_called_so(database: Database) -> None:
    with pytest.raises(StoreError, match="not enough memory"), translated(database.path):
        pa.allocate_buffer(2**62)
