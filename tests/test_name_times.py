"""Times at an ingest: counted by their source, and from the names of files where that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run
from tests.traps import COLOUR, FOX, frame
from tests.typed import in_this_process

_PATTERN = "IMG_%Y%m%d_%H%M%S*"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A photo with a time of its own, two whose names tell one, and one that tells none."""
    folder = tmp_path / "card"
    frame(folder / "IMG_20240502_100000.jpg", FOX, at="2024:05:01 10:00:00")
    for name in ("IMG_20240501_100000", "IMG_20240501_100001-2", "holiday"):
        frame(folder / f"{name}.jpg", FOX, at=None)
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open_or_create(tmp_path, Settings()) as opened:
        yield opened


def _times(library: Library) -> dict[str, tuple[str | None, object]]:
    ids = library.store.photos.columns("image_id")["image_id"].tolist()
    facts = library.store.photos.facts_of(ids)
    return {
        rows[0].file.stem: (facts[i].taken_at, facts[i].extra.get("time_source"))
        for i, rows in library.store.photos.files_of().items()
    }


_NAMED = {
    "IMG_20240502_100000": ("2024-05-01T10:00:00", None),
    "IMG_20240501_100000": ("2024-05-01T10:00:00", "file name"),
    "IMG_20240501_100001-2": ("2024-05-01T10:00:01", "file name"),
    "holiday": (None, None),
}


def test_names_tell_times_only_where_that_is_asked(library: Library, card: Path) -> None:
    report = library.ingest([card], embedder=COLOUR)
    assert (report.without_time, dict(report.time_sources)) == (3, {"DateTimeOriginal": 1})
    assert _times(library)["IMG_20240501_100000"] == (None, None)


def test_names_tell_times_of_new_images(library: Library, card: Path) -> None:
    report = library.ingest([card], embedder=COLOUR, time_from_name=_PATTERN)
    assert report.without_time == 1
    assert report.time_sources == {"DateTimeOriginal": 1, "file name": 2}
    assert _times(library) == _NAMED


def test_names_tell_times_of_known_images_of_the_same_folder(
    library: Library, card: Path, tmp_path: Path
) -> None:
    frame(tmp_path / "other" / "IMG_20230101_000000.jpg", FOX, at=None)
    library.ingest([card, tmp_path / "other"], embedder=COLOUR)
    report = library.ingest([card], time_from_name=_PATTERN)
    assert (report.without_time, dict(report.time_sources)) == (0, {"file name": 2})
    assert _times(library) == _NAMED | {"IMG_20230101_000000": (None, None)}
    assert not library.ingest([card], time_from_name=_PATTERN).time_sources


def test_names_tell_times_of_what_a_watcher_ingests(library: Library, card: Path) -> None:
    events = library.watch(
        card, embedder=COLOUR, settle=0.1, poll=True, time_from_name=_PATTERN, stop=lambda: False
    )
    report = next(event.report for event in events if event.report is not None)
    assert report.time_sources == {"DateTimeOriginal": 1, "file name": 2}
    assert _times(library) == _NAMED
    with pytest.raises(SettingsError, match="more than 4"):
        library.watch(card, time_from_name="*_*_*_*_*_%Y%m%d_%H%M%S")


def test_a_pattern_that_is_none_changes_nothing(library: Library, card: Path) -> None:
    with pytest.raises(SettingsError, match="%H is missing"):
        library.ingest([card], embedder=COLOUR, time_from_name="%Y%m%d")
    assert library.store.photos.count_images() == 0


def test_times_that_have_not_come_are_counted(library: Library, tmp_path: Path) -> None:
    for year in (2024, 2199, 9999):
        frame(tmp_path / "card" / f"{year}.jpg", FOX, at=f"{year}:05:01 10:00:00")
    assert library.ingest([tmp_path / "card"], embedder=COLOUR).future == 2


def test_the_command_tells_what_has_no_time(tmp_path: Path, card: Path) -> None:
    typed: Run = partial(in_this_process, tmp_path)
    assert "no time: 3\n" in typed("ingest", card, "--embedder", COLOUR).out
    told = typed("ingest", card, "--time-from-name", _PATTERN).out
    assert "time from file name: 2\n" in told
    assert "no time" not in told
    frame(card / "late.jpg", FOX, at=None)
    counts = typed("ingest", card, "--json").json
    assert (counts["without_time"], counts["time_sources"]) == (1, {})
