"""Times of a camera -> what is doubtful about its clock.

Nothing is corrected: a person knows what the clock should have shown, and shifts the deployment or
a part of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

_COUNTER = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)
_FALL = timedelta(minutes=1)
"""A clock that goes back by less is set by a network, or names photos before it dates them."""
_ORDERED = 0.1
"""The share of steps back beyond which the names of files are not in the order of their photos."""
_AHEAD = timedelta(hours=14)
"""The zones of the earth are at most so far ahead of UTC."""


_Counted = tuple[int, str, str]
"""The number in the name of a file, the time of the photo, and its path."""


@dataclass(frozen=True, slots=True)
class SetBack:
    """A clock that went back between two photos that follow each other by the names of their files.

    Attributes:
        path: The photo after it.
        before: The time of the photo before it.
        after: The time of that photo.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ClockFindings:
    """What is doubtful about the times of a camera.

    Attributes:
        early: Photos from before the start of the deployment.
        late: Photos from after its end.
        future: Photos from times that have not come yet anywhere.
        set_back: Where the clock went back, in the order of the names of files.
        changed_hours: Photos from an hour that a zone has twice or not at all, as summer time ends
            or begins; None where the zone is not known.
    """

    early: int
    late: int
    future: int
    set_back: tuple[SetBack, ...]
    changed_hours: int | None

    @property
    def is_doubtful(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.early or self.late or self.future or self.set_back or self.changed_hours)


def check_clock(
    photos: Sequence[tuple[str, str]],
    *,
    start: str | None,
    end: str | None,
    now: datetime,
    where: tzinfo | None,
) -> ClockFindings:
    """Check the times of the photos of one camera.

    Args:
        photos: The path and the time of each, camera-local, ISO 8601.
        start: When its deployment began; None where unknown.
        end: When it ended; None where unknown.
        now: The present, with an offset.
        where: The zone of the camera's clock; None where unknown.
    """
    last = (now.astimezone(UTC) + _AHEAD).replace(tzinfo=None).isoformat(timespec="seconds")
    times = [time for _, time in photos]
    return ClockFindings(
        early=sum(start is not None and time < start for time in times),
        late=sum(end is not None and time > end for time in times),
        future=sum(time > last for time in times),
        set_back=tuple(_set_back(photos)),
        changed_hours=None if where is None else sum(_is_changed(time, where) for time in times),
    )


def _is_changed(time: str, where: tzinfo) -> bool:
    """Whether a clock of a zone showed a time twice, or never."""
    moment = datetime.fromisoformat(time).replace(tzinfo=where)
    try:
        return moment.utcoffset() != moment.replace(fold=1).utcoffset()
    except OverflowError:  # on the first or last day of the calendar, nothing is changed
        return False


def _set_back(photos: Sequence[tuple[str, str]]) -> Iterator[SetBack]:
    """Where time goes back as the counter in the names of files goes on."""
    counted: dict[tuple[str, str, int], list[_Counted]] = defaultdict(list)
    for path, time in photos:
        folder, _, name = path.replace("\\", "/").rpartition("/")
        match = _COUNTER.fullmatch(name.rpartition(".")[0])
        if match is not None:
            key = (f"{folder}/{match[1]}", match[3], len(match[2]))
            counted[key].append((int(match[2]), time, path))
    for (_, _, digits), series in counted.items():
        series.sort()
        back = [(one, then) for one, then in pairwise(series) if _goes_back(one[1], then[1])]
        if len(back) == 1 and _begins_anew(series, *back[0], last=10**digits - 1):
            continue
        if len(back) <= max(1, _ORDERED * (len(series) - 1)):
            yield from (SetBack(then[2], one[1], then[1]) for one, then in back)


def _begins_anew(series: Sequence[_Counted], one: _Counted, then: _Counted, *, last: int) -> bool:
    """Whether a counter had reached its last number, and the photos that it counted next are first.

    Then numbers are missing where the time goes back; where a clock went back, none are.
    """
    is_full = series[-1][0] >= 0.99 * last
    return is_full and then[0] - one[0] > 1 and not _goes_back(series[-1][1], series[0][1])


def _goes_back(before: str, after: str) -> bool:
    return after < before and datetime.fromisoformat(before) - datetime.fromisoformat(after) > _FALL
