"""``organizer watch`` as typed: cards that are copied, folders that go and come back, kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from organizer.library import Library
from organizer.settings import Settings
from organizer.types import Outcome
from tests.conftest import Run, make_groups, make_photo
from tests.warm import Warm, warm_program

pytestmark = pytest.mark.slow  # each starts the program, and waits for files to settle

_PAUSE = 0.02
_PATIENCE = 60.0
"""Seconds that a test waits for an event; a quiet machine needs two or three."""

Event = dict[str, Any]
Matches = Callable[[Event], bool]


class Watching:
    """A process of ``organizer watch``, and the events that it prints."""

    def __init__(self, warm: Warm, home: Path, *words: object) -> None:
        self.process = warm.begin(["watch", *words, "--json"], cwd=home)
        self.events: list[Event] = []

    def until(self, kind: str, matches: Matches = lambda _: True) -> Event:
        """The next event of a kind."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            has_ended = self.process.code() is not None
            event = self._next()
            if event is not None and event["event"] == kind and matches(event):
                return event
            if has_ended and event is None:
                break
        raise AssertionError(f"no {kind}: {self.events}\n{self.process.errors()}")

    def quiet(self, seconds: float) -> list[Event]:
        """All events of some seconds."""
        end, before = time.monotonic() + seconds, len(self.events)
        while time.monotonic() < end:
            self._next()
        return self.events[before:]

    def _next(self) -> Event | None:
        printed = self.process.printed().splitlines()
        if len(printed) == len(self.events):
            time.sleep(_PAUSE)
            return None
        self.events.append(json.loads(printed[len(self.events)]))
        return self.events[-1]

    def end(self, number: int) -> int:
        """Send a signal; the exit code, with all events read."""
        self.process.send(number)
        code = self.process.finish().code
        while self._next() is not None:
            pass
        return code


Watch = Callable[..., Watching]


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


@pytest.fixture
def watch(tmp_path: Path, warm: Warm) -> Iterator[Watch]:
    """Starts a watcher of a folder with a short settle time."""
    started: list[Watching] = []

    def start(*words: object) -> Watching:
        if not words:
            words = ("incoming", "--embedder", "channel-mean", "--settle", "0.4")
        started.append(Watching(warm, tmp_path, *words))
        started[-1].until("watching")
        return started[-1]

    yield start
    for watching in started:
        watching.end(signal.SIGKILL)


def added(count: int) -> Matches:
    return lambda event: event["ingest"]["added"] == count


def states(home: Path) -> dict[str, str]:
    """The files that the library knows, by name, with their state."""
    with Library.open(home, Settings()) as library:
        rows = library.store.photos.file_columns("path", "state")
        return dict(zip(rows["path"], rows["state"], strict=True))


def problems(home: Path) -> list[tuple[Path, Outcome, str]]:
    with Library.open(home, Settings()) as library:
        return library.problems()


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Another writer holds the library."""
    with Library.open(home, Settings()) as library, library.store.writing():
        yield


def copy_slowly(source: Path, target: Path, *, pieces: int, pause: float) -> None:
    """Copy a file piece by piece, as a slow card reader does."""
    data = source.read_bytes()
    size = -(-len(data) // pieces)
    with target.open("wb") as out:
        for start in range(0, len(data), size):
            out.write(data[start : start + size])
            out.flush()
            time.sleep(pause)


def test_a_card_that_is_copied_slowly_is_ingested_in_one_run_once_it_is_complete(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    card = make_groups(tmp_path / "card", each=2)
    watching = watch()
    for source in sorted(card.rglob("*.jpg")):
        target = incoming / source.relative_to(card)
        target.parent.mkdir(exist_ok=True)
        copy_slowly(source, target, pieces=4, pause=0.1)
    done = watching.until("ingested")
    assert (done["ingest"]["added"], done["ingest"]["broken"]) == (6, 0)
    assert [e["event"] for e in watching.events] == ["watching", "copying", "ingesting", "ingested"]
    assert problems(tmp_path) == []
    promised = json.loads(Path(__file__).with_name("json_fields.json").read_text("utf-8"))
    assert {tuple(sorted(event)) for event in watching.events} == {tuple(promised["watch"])}
    assert set(done["ingest"]) == {name.split(".")[0] for name in promised["ingest"]}


def test_a_file_that_pauses_half_way_is_no_problem_in_the_end(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    photo = make_photo(tmp_path / "card" / "a.jpg", 1)
    watching = watch()
    copy_slowly(photo, incoming / "a.jpg", pieces=2, pause=2.5)  # longer than the settle time
    watching.until("ingested", added(1))
    assert problems(tmp_path) == []


def test_what_is_there_is_ingested_first_and_then_what_is_renamed_or_moved_in(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    make_photo(incoming / "first.jpg", 1)
    watching = watch()
    assert watching.until("ingested")["ingest"]["added"] == 1

    make_photo(incoming / ".second.jpg.part.jpg", 2).rename(incoming / "second.jpg")
    assert watching.until("ingested")["ingest"]["added"] == 1

    make_groups(tmp_path / "card", each=1).rename(incoming / "card")
    assert watching.until("ingested")["ingest"]["added"] == 3

    (incoming / "first.jpg").rename(incoming / "card" / "elsewhere.jpg")
    moved = watching.until("ingested")["ingest"]
    assert (moved["moved"], moved["missing"], moved["added"]) == (1, 0, 0)
    assert states(tmp_path).keys() == {
        "second.jpg", "card/elsewhere.jpg", "card/red/000.jpg", "card/green/000.jpg",
        "card/blue/000.jpg",
    }  # fmt: skip


def test_a_file_that_is_deleted_becomes_missing_and_one_that_returns_is_there_again(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    make_photo(incoming / "a.jpg", 1)
    make_photo(incoming / "b.jpg", 2)
    watching = watch()
    watching.until("ingested", added(2))
    (incoming / "a.jpg").rename(tmp_path / "a.jpg")
    assert watching.until("ingested")["ingest"]["missing"] == 1
    assert states(tmp_path) == {"a.jpg": "missing", "b.jpg": "present"}
    (tmp_path / "a.jpg").rename(incoming / "a.jpg")
    watching.until("ingested")
    assert states(tmp_path) == {"a.jpg": "present", "b.jpg": "present"}


def test_the_last_file_of_a_folder_may_go(incoming: Path, watch: Watch) -> None:
    make_photo(incoming / "a.jpg", 1)
    watching = watch()
    watching.until("ingested", added(1))
    (incoming / "a.jpg").unlink()
    assert watching.until("ingested")["ingest"]["missing"] == 1


def test_a_folder_that_goes_is_waited_for_and_nothing_in_it_becomes_missing(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    make_groups(incoming, each=1)
    watching = watch()
    watching.until("ingested", added(3))

    incoming.rename(tmp_path / "elsewhere")
    assert watching.until("away")["folder"] == str(incoming)
    make_photo(tmp_path / "elsewhere" / "new.jpg", 7)
    assert watching.quiet(1.5) == []
    assert set(states(tmp_path).values()) == {"present"}

    (tmp_path / "elsewhere").rename(incoming)
    assert watching.until("back")["folder"] == str(incoming)
    assert watching.until("ingested")["ingest"]["added"] == 1

    shutil.rmtree(incoming)
    watching.until("away")
    incoming.mkdir()
    make_photo(incoming / "other.jpg", 8)
    watching.until("back")
    watching.until("ingested", added(1))  # another folder in its place: what it holds counts
    assert states(tmp_path)["other.jpg"] == "present"
    assert states(tmp_path)["new.jpg"] == "missing"
    assert watching.end(signal.SIGTERM) == 0


def test_an_empty_folder_in_the_place_of_a_drive_is_no_loss(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    make_photo(incoming / "a.jpg", 1)
    first = watch()
    first.until("ingested", added(1))
    assert first.end(signal.SIGTERM) == 0

    incoming.rename(tmp_path / "drive")
    incoming.mkdir()  # as the mount point that stays
    watching = watch()
    watching.until("away")
    assert watching.quiet(1.5) == []
    assert states(tmp_path) == {"a.jpg": "present"}

    incoming.rmdir()
    (tmp_path / "drive").rename(incoming)
    watching.until("back")
    make_photo(incoming / "b.jpg", 2)
    watching.until("ingested", added(1))
    assert states(tmp_path) == {"a.jpg": "present", "b.jpg": "present"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounts a drive")
def test_a_drive_that_is_unmounted_while_it_is_watched_is_waited_for(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    mount = ["mount", "--bind", str(tmp_path / "drive"), str(incoming)]
    (tmp_path / "drive").mkdir()
    disk = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path / "drive"], check=False)
    if disk.returncode:
        pytest.skip("NOT TESTED: no drive can be mounted here")
    try:
        make_photo(tmp_path / "drive" / "a.jpg", 1)
        subprocess.run(mount, check=True)
        watching = watch()
        watching.until("ingested", added(1))
        subprocess.run(["umount", "--lazy", incoming], check=True)
        watching.until("away")
        assert watching.quiet(1.0) == []
        assert states(tmp_path) == {"a.jpg": "present"}
        make_photo(tmp_path / "drive" / "b.jpg", 2)
        subprocess.run(mount, check=True)
        watching.until("back")
        watching.until("ingested", added(1))
        assert watching.end(signal.SIGTERM) == 0
    finally:
        subprocess.run(["umount", "--lazy", incoming], check=False, capture_output=True)
        subprocess.run(["umount", "--lazy", tmp_path / "drive"], check=True)


def test_another_writer_is_waited_for(tmp_path: Path, incoming: Path, watch: Watch) -> None:
    watching = watch()
    with held(tmp_path):
        make_photo(incoming / "a.jpg", 1)
        busy = watching.until("busy")
        assert "is being written" in busy["error"]
        assert watching.quiet(2.5) == []  # told once, tried each second
    watching.until("ingested", added(1))


def test_two_watchers_of_one_library_store_each_image_once(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    watchers = [watch(), watch()]
    make_groups(incoming, each=4)
    # Who comes second finds nothing to do once the first one has ended.
    end = time.monotonic() + _PATIENCE
    while len(states(tmp_path)) < 12 and time.monotonic() < end:
        time.sleep(0.1)
    for watching in watchers:
        watching.quiet(1.0)
    assert [watching.end(signal.SIGTERM) for watching in watchers] == [0, 0]
    events = [event for watching in watchers for event in watching.events]
    assert sum(e["ingest"]["added"] for e in events if e["event"] == "ingested") == 12
    assert set(states(tmp_path).values()) == {"present"}
    assert len(states(tmp_path)) == 12


def test_other_commands_write_while_it_waits_and_new_images_go_to_their_clusters(
    incoming: Path, watch: Watch, typed: Run
) -> None:
    make_groups(incoming)
    watching = watch()
    watching.until("ingested", added(24))
    assert typed("recluster", "--k", 3).code == 0
    assert typed("clusters", "rename", 1, "Fox").code == 0
    make_photo(incoming / "red" / "new.jpg", 900, colour=(200, 40, 40))
    done = watching.until("ingested")["ingest"]
    assert (done["added"], done["joined"], done["unsure"]) == (1, 1, 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_what_is_embedded_stored(
    tmp_path: Path, incoming: Path, watch: Watch, number: signal.Signals, code: int
) -> None:
    make_groups(incoming, each=40)
    watching = watch()
    watching.until("ingesting")
    assert watching.end(number) == code
    watching.quiet(0.3)
    last = watching.events[-1]
    assert last["event"] == "ingested"
    assert len(states(tmp_path)) == last["ingest"]["added"]
    assert "Traceback" not in watching.process.errors()


def test_a_signal_ends_it_while_it_waits(incoming: Path, watch: Watch) -> None:
    assert incoming.is_dir()
    watching = watch()
    watching.quiet(1.0)
    began = time.monotonic()
    assert watching.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
    assert [event["event"] for event in watching.events] == ["watching"]


def test_after_a_kill_it_goes_on_where_it_was(tmp_path: Path, incoming: Path, watch: Watch) -> None:
    make_groups(incoming, each=30)
    killed = watch()
    killed.until("ingesting")
    time.sleep(0.3)
    killed.end(signal.SIGKILL)
    for file in sorted(incoming.rglob("00?.jpg"))[:5]:
        file.unlink()
    again = watch()
    again.until("ingested", lambda event: event["ingest"]["images"] >= 85)
    kept = states(tmp_path)
    assert sum(state == "present" for state in kept.values()) == 85
    assert problems(tmp_path) == []


def test_looking_without_events_finds_what_comes_and_goes(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    make_photo(incoming / "a.jpg", 1)
    watching = watch("incoming", "--embedder", "channel-mean", "--settle", "0.3", "--poll")
    watching.until("ingested", added(1))
    copy_slowly(make_photo(tmp_path / "b.jpg", 2), incoming / "b.jpg", pieces=5, pause=0.2)
    watching.until("ingested", added(1))
    (incoming / "a.jpg").unlink()
    assert watching.until("ingested")["ingest"]["missing"] == 1
    assert problems(tmp_path) == []


def test_a_full_disk_is_told_and_tried_again(tmp_path: Path, incoming: Path, watch: Watch) -> None:
    if os.name == "nt" or os.geteuid():
        pytest.skip("NOT TESTED: mounts a small disk")
    small = tmp_path / "small"
    small.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)]
    if subprocess.run(mounted, check=False).returncode:
        pytest.skip("NOT TESTED: no disk can be mounted here")
    try:
        words = ("incoming", "--embedder", "channel-mean", "--settle", "0.2", "--library", small)
        watching = watch(*words)
        filling = small / "filling"
        with filling.open("wb") as out:
            try:
                while out.write(b"0" * 65_536):
                    out.flush()
            except OSError:
                pass
        make_groups(incoming, each=2)
        failed = watching.until("failed")
        assert failed["error"]
        filling.unlink()
        watching.until("ingested", lambda event: event["ingest"]["images"] == 6)
        assert watching.end(signal.SIGTERM) == 0
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_an_unusable_file_is_told_once_and_tried_again_when_it_changes(
    tmp_path: Path, incoming: Path, watch: Watch
) -> None:
    (incoming / "a.jpg").write_bytes(b"\xff\xd8\xff no picture")
    watching = watch()
    assert watching.until("ingested")["ingest"]["broken"] == 1
    assert watching.quiet(2.0) == []
    make_photo(incoming / "a.jpg", 1)
    watching.until("ingested", added(1))
    assert problems(tmp_path) == []


def test_all_ingested_folders_are_watched_if_none_is_named(
    tmp_path: Path, incoming: Path, watch: Watch, typed: Run
) -> None:
    make_photo(incoming / "a.jpg", 1)
    make_photo(tmp_path / "more" / "b.jpg", 2)
    assert typed("ingest", "incoming", "more", "--embedder", "channel-mean").code == 0
    watching = watch("--settle", "0.3")
    folders = {watching.events[0]["folder"], watching.until("watching")["folder"]}
    assert folders == {str(incoming), str(tmp_path / "more")}
    make_photo(tmp_path / "more" / "c.jpg", 3)
    watching.until("ingested", added(1))


def test_lines_for_people_tell_what_happens(tmp_path: Path, incoming: Path) -> None:
    make_photo(incoming / "a.jpg", 1)
    words = ["incoming", "--embedder", "channel-mean", "--settle", "0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "organizer", "watch", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line[10:].rstrip())
        if "ingested" in line:
            break
    process.terminate()
    assert process.wait(timeout=_PATIENCE) == 0
    process.stdout.close()
    assert lines == [
        "watching: incoming",
        "copying: 1 file, waiting",
        "ingesting: 1 file",
        "ingested: 1 added (1 image in the library)",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("watch nowhere", "there is no folder"),
        ("watch a.jpg", "is no folder"),
        ("watch", "no folder was named"),
        ("watch incoming --embedder bogus", "bogus"),
        ("watch incoming --settle -1", "--settle"),
    ],
)
def test_what_cannot_be_watched_is_refused_before_a_library_is_made(
    tmp_path: Path, incoming: Path, typed: Run, words: str, says: str
) -> None:
    make_photo(tmp_path / "a.jpg", 1)
    assert incoming.is_dir()
    ran = typed(*words.split())
    assert ran.code == 2
    assert says in ran.err
    assert not (tmp_path / ".organizer").exists()
