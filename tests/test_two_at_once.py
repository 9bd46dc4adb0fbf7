"""Several writers and readers of one library at once, and what is said of who holds it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker
import pytest

from organizer.errors import LibraryBusyError, StoreError
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups
from tests.crashes import COLOUR
from tests.mixed_operations import assert_nothing_lost, type_at_once
from tests.warm import Warm, warm_program

_SHORT = Settings(wait=0.2)
_HOLD = """
import sys
from organizer.library import Library
sys.argv = ["organizer", "recluster", "--k", "5"]
with Library.open(sys.stdin.readline().strip()) as library, library.store.writing():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    make_groups(tmp_path / "photos", each=3)
    with Library.open_or_create(tmp_path, _SHORT) as opened:
        opened.ingest([tmp_path / "photos"], embedder=COLOUR)
        opened.recluster(k=3)
        yield opened


@contextmanager
def held_by_another(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A library that another process holds for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{home}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_hundred_commands_of_four_programs_lose_nothing(warm: Warm, tmp_path: Path) -> None:
    done = assert_nothing_lost(tmp_path, type_at_once(warm, tmp_path, count=100))
    assert len(done) == 9, f"some command was never done: the test tests little: {done}"


def test_who_holds_the_library_is_told(library: Library, tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other, pytest.raises(LibraryBusyError) as caught:
        library.corrections.rename(1, "Fox")
    said = caught.value.message
    assert f"'organizer recluster --k 5', process {other.pid} on {socket.gethostname()}" in said
    assert f"since {time.strftime('%Y-%m-%dT')}" in said
    assert "organizer --wait 600" in caught.value.hint


def test_a_writer_waits_as_long_as_it_is_told(library: Library, tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        began = time.monotonic()
        with pytest.raises(LibraryBusyError):
            library.corrections.rename(1, "Fox")
        assert 0.2 <= time.monotonic() - began < 3.0
        patient = library.settings.model_copy(update={"wait": 60.0})
        with Library.open(tmp_path, patient) as opened:
            assert other.stdin is not None
            other.stdin.write("end\n")
            other.stdin.flush()
            opened.corrections.rename(1, "Fox")
    assert library.clusters[1].name == "Fox"


def test_the_lock_of_a_process_that_was_killed_is_free_at_once(
    library: Library, tmp_path: Path
) -> None:
    with held_by_another(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (tmp_path / ".organizer" / "lock.holder").exists()
        library.corrections.rename(1, "Fox")
    assert not (tmp_path / ".organizer" / "lock.holder").exists()


def _note(lock: Path, **fields: object) -> None:
    told = {"host": "other", "boot": "1", "pid": 7, "command": "organizer ingest", "since": "then"}
    lock.with_name(f"{lock.name}.holder").write_text(json.dumps(told | fields))


@pytest.mark.parametrize("name", ["lock", "ingest"])
def test_the_lock_of_another_computer_is_taken_over_only_by_who_says_so(
    library: Library, tmp_path: Path, run: Run, name: str
) -> None:
    _note(tmp_path / ".organizer" / name)
    refused = run("ingest", "photos", cwd=tmp_path) if name == "ingest" else None
    with pytest.raises(LibraryBusyError, match="'organizer ingest', process 7 on other"):
        library.ingest([tmp_path / "photos"])
    with pytest.raises(LibraryBusyError, match="process 7 on other"):
        library.corrections.rename(1, "Fox")
    assert len(library.clusters) == 3, "it can be read"
    if refused is not None:
        assert refused.code == 1
        assert "hint: if it has ended there, type organizer unlock" in refused.err
    unlocked = run("unlock", "--json", cwd=tmp_path)
    assert "process 7 on other" in unlocked.json["taken_from"]
    library.ingest([tmp_path / "photos"])
    assert Library.unlock(tmp_path) is None


@pytest.mark.parametrize(
    "fields", [{"host": socket.gethostname()}, {"boot": "this"}, {"pid": "no number"}]
)
def test_what_was_left_on_this_computer_stops_nobody(
    library: Library, tmp_path: Path, fields: dict[str, object]
) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id")
    if fields.get("boot") == "this":
        if not boot.exists():
            pytest.skip("NOT TESTED: nothing tells one run of this system from others")
        fields = {"boot": boot.read_text().strip()}
    _note(tmp_path / ".organizer" / "lock", **fields)
    library.corrections.rename(1, "Fox")


def test_what_is_held_here_is_not_unlocked(library: Library, tmp_path: Path) -> None:
    assert len(library.clusters) == 3
    with held_by_another(tmp_path), pytest.raises(LibraryBusyError):
        Library.unlock(tmp_path)


def test_a_disk_without_locks_is_called_so(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise portalocker.LockException(OSError(95, "x"), os.strerror(95))

    monkeypatch.setattr(portalocker.Lock, "acquire", refuse)
    with pytest.raises(StoreError, match="its disk has no locks") as caught:
        library.corrections.rename(1, "Fox")
    assert not isinstance(caught.value, LibraryBusyError)
