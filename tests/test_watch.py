"""What the watcher waits for, and what it does without events of the file system."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.ingest.run import PendingFiles
from organizer.library.progress import NoProgress
from organizer.library.watch.changes import FileSystemEvents
from organizer.library.watch.events import WatchEventKind
from organizer.library.watch.folder import WatchedFolder
from organizer.library.watch.run import FolderWatch, require_folders
from organizer.library.watch.waiting import WaitingFiles
from organizer.types import ImageRef, Outcome
from tests.conftest import make_groups, make_photo

_ROOT = Path("/photos")


def ref(name: str, *, size: int = 100, changed: int = 1) -> ImageRef:
    return ImageRef(_ROOT, name, size, changed)


def pending(*refs: ImageRef, gone: int = 0) -> PendingFiles:
    return PendingFiles(refs, gone, 0)


def test_a_file_is_complete_once_it_stays_as_it_is_for_the_settle_time() -> None:
    waiting = WaitingFiles(settle=3.0)
    waiting.update(pending(ref("a", size=1), ref("b")), 10.0)
    waiting.update(pending(ref("a", size=2), ref("b")), 12.0)  # a grows
    assert waiting.complete(13.0) == {ref("b")}
    assert not waiting.is_steady(13.0)
    assert waiting.complete(15.0) == {ref("a", size=2), ref("b")}
    assert waiting.is_steady(15.0)


def test_a_file_whose_time_changes_but_not_its_size_is_being_written() -> None:
    waiting = WaitingFiles(settle=3.0)
    waiting.update(pending(ref("a", changed=1)), 10.0)
    waiting.update(pending(ref("a", changed=2)), 13.0)
    assert not waiting.complete(13.0)


def test_what_went_is_waited_for_as_long_it_may_be_on_its_way_to_another_place() -> None:
    waiting = WaitingFiles(settle=3.0)
    waiting.update(pending(gone=1), 10.0)
    assert not waiting.is_steady(11.0)
    waiting.update(pending(gone=2), 12.0)
    assert not waiting.is_steady(14.0)
    assert waiting.is_steady(15.0)


def test_what_was_read_and_not_stored_waits_no_more_until_it_changes_or_is_touched() -> None:
    waiting = WaitingFiles(settle=1.0)
    locked = pending(ref("locked"))
    waiting.update(locked, 10.0)
    waiting.has_read(waiting.complete(11.0))
    waiting.update(locked, 12.0)
    assert len(waiting) == 0
    assert waiting.began is None
    assert waiting.complete(12.0) == {ref("locked")}, "the next ingest reads it again"

    waiting.touch([_ROOT / "locked"])
    waiting.update(locked, 13.0)
    assert len(waiting) == 1
    waiting.has_read(waiting.complete(14.0))
    waiting.update(pending(ref("locked", size=7)), 15.0)
    assert len(waiting) == 1


def test_complete_files_are_ingested_at_last_though_the_copying_never_ends(
    library: Library, tmp_path: Path
) -> None:
    incoming = make_groups(tmp_path / "incoming", each=1)
    growing = incoming / "growing.jpg"
    data = make_photo(tmp_path / "whole.jpg", 9).read_bytes()
    growing.write_bytes(b"")
    watching = FolderWatch(
        library._opened,
        [WatchedFolder(incoming)],
        embedder="channel-mean",
        settle=0.6,
        poll=True,
        progress=NoProgress(),
        stop=lambda: False,
        library=library,
        longest_wait=3.0,
    )
    pieces = itertools.count(1)

    def grow() -> bool:
        growing.write_bytes(data[: 10 * next(pieces)])
        return False

    watching.stop = grow  # asked all the time, it writes on
    began = time.monotonic()
    report = next(event.report for event in watching.events() if event.report)
    assert time.monotonic() - began >= 3.0
    assert report.counts[Outcome.ADDED] == 3
    assert library.problems() == []


@pytest.mark.parametrize("batches", [0, 1])
def test_an_ingest_stops_when_its_folder_goes_and_marks_nothing(
    library: Library, tmp_path: Path, batches: int
) -> None:
    incoming = make_groups(tmp_path / "incoming", each=60)
    moved = tmp_path / "elsewhere"

    class Removing(NoProgress):
        """The card is pulled out once, when so many batches are embedded."""

        left = batches
        is_reading = False

        def begin(self, task: str, total: int | None) -> None:
            self.is_reading = total is not None
            self.advance(0)
            super().begin(task, total)

        def advance(self, steps: int = 1) -> None:
            if self.is_reading and self.left == 0:
                incoming.rename(moved)
            if self.is_reading:
                self.left -= 1
            super().advance(steps)

    events = library.watch(incoming, embedder="channel-mean", settle=0.1, progress=Removing())
    assert any(event.kind is WatchEventKind.AWAY for event in events)
    assert library.problems() == []
    moved.rename(incoming)
    assert any(event.report is not None and event.report.images == 180 for event in events)
    events.close()  # type: ignore[attr-defined]
    assert library.problems() == []


def test_where_no_more_events_are_to_be_had_it_says_why_and_waits(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    pytest.importorskip("watchfiles")  # before no more files can be opened
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    changes = FileSystemEvents([tmp_path], ignored=tmp_path / ".organizer", poll=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        assert changes.wait() == frozenset()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert "open files" in changes.refusal
    make_photo(tmp_path / "a.jpg", 1)
    assert changes.wait() == frozenset()


def test_a_change_of_the_library_itself_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / ".organizer").mkdir()
    changes = FileSystemEvents([tmp_path], ignored=tmp_path / ".organizer", poll=False)
    changes.wait()
    (tmp_path / ".organizer" / "journal").write_text("own")
    assert changes.wait() | changes.wait() == frozenset()
    make_photo(tmp_path / "a.jpg", 1)
    assert tmp_path / "a.jpg" in changes.wait() | changes.wait()
    changes.close()


def test_a_folder_inside_another_one_is_not_watched_twice(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert require_folders([inner, tmp_path / "a", inner]) == [tmp_path / "a"]


def test_a_folder_that_the_library_knows_may_be_away(tmp_path: Path) -> None:
    card = tmp_path / "card"
    assert require_folders([card / "DCIM"], known=[card]) == [card / "DCIM"]
    with pytest.raises(SettingsError, match="there is no folder"):
        require_folders([tmp_path / "typo"], known=[card])


@pytest.mark.parametrize(
    "wrong", [{"settle": -1}, {"settle": "3"}, {"poll": "yes"}, {"paths": ""}, {"stop": None}]
)
def test_wrong_arguments_are_refused_at_once(
    library: Library, tmp_path: Path, wrong: dict[str, object]
) -> None:
    options: dict[str, object] = {"paths": tmp_path, **wrong}
    with pytest.raises(SettingsError):
        library.watch(**options)  # type: ignore[arg-type]


def test_it_runs_outside_the_main_thread(library: Library, tmp_path: Path) -> None:
    """As the web service runs it."""
    from concurrent.futures import ThreadPoolExecutor

    incoming = make_groups(tmp_path / "incoming", each=1)

    def first() -> int:
        with Library.open(tmp_path, library.settings) as own:
            events = own.watch(incoming, embedder="channel-mean", settle=0.1)
            return next(event.report.images for event in events if event.report)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(first).result(timeout=60) == 3
