"""Texts of cameras and of file names -> when a photo was taken, where they have one meaning.

The standard's form is ``2024:05:01 10:00:00`` (EXIF 2.32, 4.6.5). Cameras and programs write
others, which are read as far as they can mean one time only. What could mean two is no time: a day
before a year (``01/05/2024``), a year of two digits, midnight as 24:00:00, which may be either end
of a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from organizer.errors import SettingsError

EXIF_SOURCES = (
    ("DateTimeOriginal", "SubSecTimeOriginal"),
    ("XMP:DateTimeOriginal", ""),
    ("DateTimeDigitized", "SubSecTimeDigitized"),
    ("XMP:CreateDate", ""),
    ("DateTime", "SubSecTime"),
    ("QuickTime:CreationDate", ""),
    ("AVI:DateTimeOriginal", ""),
)
"""Tags that tell when a photo was taken, the surest first, each with the tag of its fraction."""

_ZONED = frozenset({"XMP:CreateDate", "QuickTime:CreationDate"})

DEFAULT_SOURCE = "DateTimeOriginal"
"""The tag that tells when a photo was taken; all others tell it less surely."""

FILE_NAME = "file name"
"""The source of a time that was read from the name of a file."""

_TIME = re.compile(
    r"(?P<year>\d{4})(?P<dash>[:\-/. ]|) ?(?P<month>\d{1,2})(?P=dash) ?(?P<day>\d{1,2})"
    r"[ Tt\0_:/\-]{1,3}"
    r"(?P<hour>\d{1,2})(?P<colon>[:.\-]|) ?(?P<minute>\d{1,2})"
    r"(?:(?P=colon) ?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"[ \0]?(?P<half>[AaPp]\.?(?:[Mm]\.?)?)?"
    r"(?P<zone> ?(?:Z|[+-]\d{2}:?\d{2}))?"
    r"(?: *|[^ -~].*)",
    re.ASCII | re.DOTALL,
)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """When a photo was taken, as its camera's clock showed it.

    Attributes:
        text: Camera-local, ISO 8601 to the second, without an offset.
        source: The tag that it was read from, or `FILE_NAME`.
        subsecond: What its second had got to, 0 to below 1; None where that is not known.
    """

    text: str
    source: str
    subsecond: float | None = None


def time_of_tags(tags: Mapping[str, str | int | float]) -> CaptureTime | None:
    """When a photo was taken by its tags; None where none of them tells it.

    Cameras whose clock was never set write zeros, blanks or year 0: that is no time.

    Examples:
        >>> time_of_tags({"DateTimeOriginal": "2024:05:01 24:04:20"})
        CaptureTime(text='2024-05-01T00:04:20', source='DateTimeOriginal', subsecond=None)
    """
    for name, fraction_name in EXIF_SOURCES:
        found = parse_time(str(tags.get(name, "")), is_zoned=name in _ZONED)
        if found is not None:
            text, subsecond = found
            if subsecond is None:
                subsecond = _fraction(tags.get(fraction_name))
            return CaptureTime(text, name, subsecond)
    return None


def parse_time(text: str, *, is_zoned: bool = False) -> tuple[str, float | None] | None:
    """A time as cameras and programs write it, to the second, and the fraction of that second.

    Args:
        text: The text, up to whatever follows a NUL behind it.
        is_zoned: Whether ``Z`` in it means that it is in UTC, so that the clock's time is unknown.
            Elsewhere an offset is left out: it tells where the clock was, not what it showed.

    Returns:
        None where the text has no meaning, or more than one.
    """
    match = _TIME.fullmatch(text.strip(" "))
    if (
        match is None
        or _has_short_run(match)
        or (is_zoned and (match["zone"] or "").strip() == "Z")
    ):
        return None
    year, month, day, minute = (int(match[name]) for name in ("year", "month", "day", "minute"))
    second = int(match["second"] or 0)
    hour = _hour(int(match["hour"]), match["half"], is_midnight=minute == second == 0)
    if hour is None:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - camera-local
    except ValueError:
        return None
    return moment.isoformat(), _fraction(match["fraction"])


def _has_short_run(match: re.Match[str]) -> bool:
    """Whether numbers follow each other without a separator, and one is not of two digits."""
    dates = () if match["dash"] else ("month", "day")
    clock = () if match["colon"] else ("hour", "minute", "second")
    return any(len(match[name] or "00") < 2 for name in (*dates, *clock))


def _hour(hour: int, half: str | None, *, is_midnight: bool) -> int | None:
    """The hour of the day, 0 to 23; None where it has no meaning or two."""
    if hour == 24:
        # Some cameras count from 24:00:01 to 24:59:59, then on from 1; 24:00:00 ends days, too.
        return None if is_midnight or half else 0
    if half is None:
        return hour
    is_afternoon = half[0] in "Pp"
    if hour > 12:
        return hour if is_afternoon else None
    if hour == 0:
        return None if is_afternoon else 0
    return hour % 12 + (12 if is_afternoon else 0)


def _fraction(digits: object) -> float | None:
    """The part of a second that the digits behind its point tell; None where they are no digits."""
    text = digits.split("\0")[0].strip() if isinstance(digits, str) else ""
    return float(f"0.{text}") if _DIGITS.fullmatch(text) else None


# Names of files ------------------------------------------------------------------------------

_CODES = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>\d{2})",
    "%d": r"(?P<day>\d{2})",
    "%H": r"(?P<hour>\d{2})",
    "%M": r"(?P<minute>\d{2})",
    "%S": r"(?P<second>\d{2})",
    "%f": r"(?P<fraction>\d{1,9})",
    "*": r".*?",
}
_CODE = re.compile(r"%.|\*|%$")
_MOST_STARS = 4
_NEEDED = ("%Y", "%m", "%d", "%H", "%M")
_EXAMPLE = "for example IMG_%Y%m%d_%H%M%S* for IMG_20240501_063000_2.jpg"


@dataclass(frozen=True, slots=True)
class NamePattern:
    """How the names of files tell when photos were taken: ``IMG_%Y%m%d_%H%M%S*``.

    Attributes:
        text: As the person wrote it.
        expression: What a name without its suffix has to match.
    """

    text: str
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> NamePattern:
        """A pattern from its text.

        Year, month, day, hour, minute, second and the fraction of a second are ``%Y %m %d %H %M %S
        %f``, and ``*`` is anything.

        Raises:
            SettingsError: It has an unknown code, one of them twice, or tells no time to the
                minute.
        """
        codes = _CODE.findall(text)
        unknown = [code for code in codes if code not in _CODES]
        if unknown:
            raise _unfit(text, f"{unknown[0]} is none of {' '.join(_CODES)}")
        if any(codes.count(code) > 1 for code in codes if code != "*"):
            raise _unfit(text, "it tells one thing twice")
        if codes.count("*") > _MOST_STARS:  # of each more, a comparison takes many times as long
            raise _unfit(text, f"it has more than {_MOST_STARS} *")
        missing = [code for code in _NEEDED if code not in codes]
        if missing or ("%f" in codes and "%S" not in codes):
            raise _unfit(text, f"{(missing or ['%S'])[0]} is missing")
        between = _CODE.split(text)
        pieces = [re.escape(between[0])]
        for code, rest in zip(codes, between[1:], strict=True):
            pieces += [_CODES[code], re.escape(rest)]
        return cls(text, re.compile("".join(pieces), re.ASCII | re.DOTALL))

    def time_of(self, path: str) -> CaptureTime | None:
        """When a photo was taken by the name of its file; None where the name is another."""
        name = path.rpartition("/")[2]
        match = self.expression.fullmatch(name.rpartition(".")[0] or name)
        if match is None:
            return None
        part = {"second": "00", "fraction": None, **match.groupdict()}
        found = parse_time("{year}-{month}-{day} {hour}:{minute}:{second}".format_map(part))
        return found and CaptureTime(found[0], FILE_NAME, _fraction(part["fraction"]))


def _unfit(text: str, reason: str) -> SettingsError:
    return SettingsError(f"{text!r} is no pattern of file names: {reason}", _EXAMPLE)
