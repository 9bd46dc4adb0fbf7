"""Adds the offset of a time zone to camera-local times."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from organizer.errors import SettingsError

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_MOST = timedelta(hours=14)


def time_zone(name: str) -> tzinfo:
    """A time zone by its IANA name, or by its offset (``+02:00``), which has no summer time.

    Raises:
        SettingsError: There is no such zone.
    """
    offset = _OFFSET.fullmatch(name)
    if offset:
        sign, hours, minutes = offset.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        if ahead > _MOST or int(minutes) > 59:
            raise SettingsError(f"there is no time zone {name}", "offsets go from -14:00 to +14:00")
        return timezone(-ahead if sign == "-" else ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = {known.lower(): known for known in available_timezones()}
        near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(known[one] for one in near)}?"
            if near
            else "a name like Europe/Berlin, or an offset like +02:00"
        )
        raise SettingsError(f"there is no time zone {name}", hint) from error


def require_valid_time(local: str, where: tzinfo, *, by: str) -> None:
    """Refuse a time in the hour that a zone skips when summer time begins.

    A clock that showed such a time did not follow the zone's summer time, so its offset is wrong.

    Args:
        local: A camera-local ISO 8601 time.
        where: The zone.
        by: The photo.

    Raises:
        SettingsError: The time does not exist in the zone.
    """
    aware = datetime.fromisoformat(local).replace(tzinfo=where)
    try:
        back = aware.astimezone(UTC).astimezone(where)
    except OverflowError:  # on the first or last day of the calendar, nothing is skipped
        return
    if back.replace(tzinfo=None) != aware.replace(tzinfo=None):
        raise SettingsError(
            f"no clock in {where} showed {local.replace('T', ' ')}, when {by} was taken: summer "
            "time began",
            f"for a clock without summer time give an offset: --set timezone={str(aware)[-6:]}",
        )


def with_offset(local: str, where: tzinfo) -> str:
    """A camera-local ISO 8601 time with its offset, to the second."""
    return datetime.fromisoformat(local).replace(tzinfo=where).isoformat(timespec="seconds")
