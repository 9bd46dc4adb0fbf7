"""Clocks that were wrong, cameras that stopped, and flashes that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from organizer.library import Library
from organizer.settings import Settings
from organizer_camera_trap.camera_health import check_cameras
from organizer_camera_trap.clock_checks import ClockFindings, check_clock
from tests.batches import batch
from tests.camera_trap.test_camtrap_dp import package
from tests.traps import COLOUR, FOX, frame
from tests.typed import in_this_process

_NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)


def _check(photos: Sequence[tuple[str, str]], **how: object) -> ClockFindings:
    known = {"start": None, "end": None, "now": _NOW, "where": None} | how
    return check_clock(photos, **known)  # type: ignore[arg-type]


def _numbered(times: Sequence[str], *, first: int = 1, name: str = "IMG") -> list[tuple[str, str]]:
    return [(f"card/{name}_{first + i:04}.JPG", time) for i, time in enumerate(times)]


def _days(*days: int, year: int = 2024) -> list[str]:
    start = datetime(year, 1, 1)  # noqa: DTZ001 - cameras know no zones
    return [(start + timedelta(days=day)).isoformat() for day in days]


def test_a_clock_that_was_right_is_not_doubted() -> None:
    found = _check(_numbered(_days(1, 2, 2, 5)), start=_days(0)[0], end=_days(9)[0])
    assert found == ClockFindings(0, 0, 0, (), None)
    assert not found.is_doubtful


def test_times_outside_the_deployment_and_in_the_future_are_counted() -> None:
    photos = _numbered(_days(1, 2, 3, 4, 200))
    found = _check(photos, start=_days(2)[0], end=_days(3)[0])
    assert (found.early, found.late, found.future) == (1, 2, 1)
    assert _check([("a", "2024-07-02T01:59:59")]).future == 0
    assert _check([("a", "2024-07-02T02:00:01")]).future == 1


def test_a_clock_that_begins_anew_goes_back_by_the_names_of_files() -> None:
    reset = [*_days(120, 121, 122), *_days(0, 1, year=2000)]
    (step,) = _check(_numbered(reset)).set_back
    assert (Path(step.path).name, step.before[:10], step.after[:10]) == (
        "IMG_0004.JPG",
        "2024-05-02",
        "2000-01-01",
    )


def test_a_counter_that_begins_anew_is_no_clock_that_does() -> None:
    early = _numbered(_days(1, 2, 3), first=9997)
    assert _check([*early, *_numbered(_days(4, 5))]).set_back == ()
    reset = _numbered([*_days(100, 101), *_days(0, year=2000)], first=9997)
    assert len(_check(reset).set_back) == 1


@pytest.mark.parametrize("step", [1, 60])
def test_a_minute_back_is_nothing(step: int) -> None:
    times = ["2024-05-01T10:01:00", f"2024-05-01T10:0{(60 - step) // 60}:{(60 - step) % 60:02}"]
    assert _check(_numbered(times)).set_back == ()


def test_names_that_are_in_no_order_tell_nothing() -> None:
    days = [7, 3, 9, 1, 8, 2, 6, 4, 5, 0] * 3
    assert _check(_numbered(_days(*days))).set_back == ()
    two_cards = [*_numbered(_days(10, 11)), *_numbered(_days(1, 2), name="DSC", first=3)]
    assert _check(two_cards).set_back == ()


def test_the_hours_of_summer_time_are_doubtful_where_the_zone_is_known() -> None:
    times = ["2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-10-27T03:30:00"]
    photos = _numbered(times)
    assert _check(photos).changed_hours is None
    assert _check(photos, where=ZoneInfo("Europe/Berlin")).changed_hours == 2
    assert _check(photos, where=UTC).changed_hours == 0
    assert _check([("a", "9999-12-31T23:59:59")], where=ZoneInfo("Asia/Tokyo")).future == 1


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """One camera stopped after its flash failed, the clock of one began anew, and one is fine."""
    cards = tmp_path / "cards"
    for i in range(6):
        night = (2, 2, 2)
        at = f"2024:05:0{i + 1} 23:00:00"
        frame(cards / "dark" / f"IMG_{i}.JPG", night, at=at, noise=1, seed=i)
        year = 2024 if i < 3 else 2000
        frame(cards / "reset" / f"IMG_{i}.JPG", FOX, at=f"{year}:05:0{i + 1} 23:00:00", seed=10 + i)
        frame(cards / "fine" / f"IMG_{i}.JPG", FOX, at=at, seed=20 + i)
    frame(cards / "fine" / "IMG_9.JPG", FOX, at=None, seed=30)
    table = tmp_path / "deployments.csv"
    lines = ["id,end", "dark,2024-06-01", "fine,2024-05-10", "reset,2024-05-10"]
    table.write_text("\n".join(lines), encoding="utf-8")
    with Library.open_or_create(tmp_path, Settings()) as opened:
        opened.ingest([cards], embedder=COLOUR)
        opened.deployments.read_csv(table)
        yield opened


def test_every_camera_of_a_library_is_checked(library: Library) -> None:
    dark, fine, reset = check_cameras(library, now=_NOW)
    assert [c.camera for c in (dark, fine, reset)] == ["dark", "fine", "reset"]
    assert (dark.black_nights, dark.silent_days) == (True, 26)
    assert (fine.is_doubtful, fine.images, fine.without_time) == (False, 7, 1)
    assert len(reset.clock.set_back) == 1
    assert (reset.black_nights, reset.silent_days) == (False, None)
    assert [c.is_doubtful for c in check_cameras(library, now=_NOW - timedelta(days=400))] == [
        True
    ] * 3


def test_the_command_tells_what_there_is_to_look_at(library: Library, tmp_path: Path) -> None:
    del library
    told = in_this_process(tmp_path, "deployments", "check", "--timezone", "Europe/Berlin")
    assert "its photos of the nights are black: did the flash fail?" in told.out
    assert "no photo in the last 26 days before its end" in told.out
    assert (
        "the clock went back from 2024-05-03 23:00:00 to 2000-05-04 23:00:00: IMG_3.JPG" in told.out
    )
    assert "3 cameras examined, 1 of them with nothing to look at" in told.out
    assert "organizer deployments shift" in told.err
    cameras = in_this_process(tmp_path, "deployments", "check", "--json").json["cameras"]
    assert [len(camera["clock"]["set_back"]) for camera in cameras] == [0, 0, 1]
    refused = in_this_process(tmp_path, "deployments", "check", "--timezone", "Moon")
    assert (refused.code, refused.out) == (2, "")


def test_a_package_tells_which_clocks_are_doubtful(tmp_path: Path) -> None:
    _, tables = package(tmp_path / "fine", batch(3))
    assert tables["deployments"][0]["timestampIssues"] == ""
    times = ("2023-01-01T00:00:00",) * 3
    _, tables = package(tmp_path / "early", batch(3, taken_at=times))
    issues = {row["deploymentID"]: row["timestampIssues"] for row in tables["deployments"]}
    assert issues["A1"] == "true"


def test_where_a_project_has_two_methods_the_camera_tells_that_of_an_image(tmp_path: Path) -> None:
    extras: tuple[dict[str, str], ...] = ({"trigger": "motion"}, {"trigger": "time lapse"}, {})
    both = "activityDetection,timeLapse"
    _, tables = package(tmp_path / "dp", batch(3, extras=extras), capture_method=both)
    methods = [row["captureMethod"] for row in tables["media"]]
    assert methods == ["activityDetection", "timeLapse", ""]
