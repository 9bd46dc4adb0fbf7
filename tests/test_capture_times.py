"""Times as cameras, programs and names of files tell them."""

from __future__ import annotations

import pytest

from organizer.capture_times import FILE_NAME, NamePattern, parse_time, time_of_tags
from organizer.errors import SettingsError

_TEN = "2024-05-01T10:00:00"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2024:05:01 10:00:00", _TEN),
        ("2024:05:01 10:00", _TEN),
        ("2024/05/01 10:00:00", _TEN),
        ("2024.05.01 10:00:00", _TEN),
        ("2024-05-01 10.00.00", _TEN),
        ("2024 05 01 10:00:00", _TEN),
        ("2024-05-01t10:00:00", _TEN),
        ("2024:05:01:10:00:00", _TEN),
        ("20240501 100000", _TEN),
        ("20240501_1000", _TEN),
        ("2024:05:01\x0010:00:00", _TEN),
        ("2024:05:01 10:00:00\0", _TEN),
        ("2024:05:01 10:00:00\0\0junk\n", _TEN),
        ("2024:05:01 10:00:00\xff\xff", _TEN),
        ("2024:05:01 10:00:00+02:00", _TEN),
        ("2024:05:01 10:00:00 Z", _TEN),
        ("2024: 5: 1  9: 3: 5", "2024-05-01T09:03:05"),
        ("2024:5:1 9:03:05", "2024-05-01T09:03:05"),
        ("2024:05:01 24:04:20", "2024-05-01T00:04:20"),
        ("2024:05:01 03:10:00 PM", "2024-05-01T15:10:00"),
        ("2024:05:01 03:10:00\0PM", "2024-05-01T15:10:00"),
        ("2024:05:01 3:10:00p.m.", "2024-05-01T15:10:00"),
        ("2024:05:01 15:10:00 PM", "2024-05-01T15:10:00"),
        ("2024:05:01 12:10:00 AM", "2024-05-01T00:10:00"),
        ("2024:05:01 12:10:00 PM", "2024-05-01T12:10:00"),
        ("2024:05:01 00:10:00 am", "2024-05-01T00:10:00"),
    ],
)
def test_what_has_one_meaning_is_read(text: str, told: str) -> None:
    assert parse_time(text) == (told, None)


@pytest.mark.parametrize(
    "text",
    [
        "01/05/2024 10:00:00",
        "24:05:01 10:00:00",
        "2024:05:01 24:00:00",
        "2024:05:01 25:00:00",
        "2024:05:01 15:10:00 AM",
        "2024:05:01 00:10:00 PM",
        "2024:05:01 24:10:00 PM",
        "2024:05:01 10:00:60",
        "2024:05:01 10",
        "2024:05/01 10:00:00",
        "20245 1 100000",
        "2024:05:01 10:00:00 or so",
        "\u0662\u0660\u0662\u0664:05:01 10:00:00",
    ],
)
def test_what_has_two_meanings_or_none_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.parametrize(
    ("digits", "subsecond"),
    [("5", 0.5), ("05", 0.05), ("250  ", 0.25), ("37\0\xff", 0.37), ("", None), (37, None)],
)
def test_the_fraction_of_a_second_is_told_by_its_own_tag(
    digits: str | int, subsecond: float | None
) -> None:
    tags = {"DateTimeOriginal": "2024:05:01 10:00:00", "SubSecTimeOriginal": digits}
    found = time_of_tags(tags | {"SubSecTimeDigitized": "99"})
    assert found is not None
    assert (found.text, found.subsecond) == (_TEN, subsecond)


def test_a_fraction_in_the_time_itself_counts_first() -> None:
    found = time_of_tags({"DateTimeOriginal": _TEN + ".25", "SubSecTimeOriginal": "7"})
    assert found is not None
    assert found.subsecond == 0.25


def test_the_surest_tag_that_can_be_read_counts() -> None:
    tags = {
        "DateTime": "2024:05:05 00:00:01",
        "XMP:CreateDate": "2024-05-04T00:00:01",
        "DateTimeDigitized": "2024:05:03 00:00:01",
        "XMP:DateTimeOriginal": "2024-05-02T00:00:01",
        "DateTimeOriginal": "2024:05:01 00:00:01",
    }
    for day in range(1, 6):
        name = list(tags)[5 - day]
        found = time_of_tags(tags)
        assert found is not None
        assert (found.text, found.source) == (f"2024-05-0{day}T00:00:01", name)
        tags[name] = "0000:00:00 00:00:00"
    assert time_of_tags(tags) is None


def test_a_time_in_utc_is_not_that_of_the_clock() -> None:
    assert time_of_tags({"XMP:CreateDate": "2024-05-01T10:00:00Z"}) is None
    assert time_of_tags({"XMP:CreateDate": "2024-05-01T10:00:00+02:00"}) is not None


@pytest.mark.parametrize(
    ("pattern", "path", "told"),
    [
        ("IMG_%Y%m%d_%H%M%S*", "a/IMG_20240501_100000_2.jpg", _TEN),
        ("IMG_%Y%m%d_%H%M%S*", "IMG_20240501_100000.jpg", _TEN),
        ("%Y-%m-%d %H.%M.%S", "2024-05-01 10.00.00.JPG", _TEN),
        ("*_%Y%m%d%H%M", "cam(1)_202405011000.jpg", _TEN),
        ("IMG_%Y%m%d_%H%M%S*", "VID_20240501_100000.jpg", None),
        ("IMG_%Y%m%d_%H%M%S*", "IMG_20241301_100000.jpg", None),
        ("IMG_%Y%m%d_%H%M%S", "IMG_20240501_100000/x.jpg", None),
    ],
)
def test_names_tell_a_time_by_a_pattern(pattern: str, path: str, told: str | None) -> None:
    found = NamePattern.parse(pattern).time_of(path)
    assert (found and found.text) == told
    assert found is None or (found.source, found.subsecond) == (FILE_NAME, None)


def test_names_tell_fractions() -> None:
    found = NamePattern.parse("%Y%m%d_%H%M%S%f").time_of("20240501_100000250.jpg")
    assert found is not None
    assert found.subsecond == 0.25


@pytest.mark.parametrize(
    "pattern",
    ["", "IMG_*", "%Y%m%d", "%Y%m%d%H%M%q", "%Y%m%d%H%M%Y", "%Y%m%d%H%M%f", "%Y%m%d%H%M%"],
)
def test_a_pattern_that_tells_no_time_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="no pattern of file names") as refused:
        NamePattern.parse(pattern)
    assert "IMG_%Y%m%d_%H%M%S*" in refused.value.hint
