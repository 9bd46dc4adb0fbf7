"""The order of photos in time: by second, then by what is known of the order within a second."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"\d+", re.ASCII)
_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)

_Row = int


def time_keys(
    taken_at: Sequence[str | None],
    cameras: Sequence[str],
    subseconds: NDArray[np.float64],
    paths: Sequence[str],
) -> list[str]:
    """Texts that sort images by time, and those of one second by camera.

    Within a second of one camera they are sorted by the fraction of it, where that of each is
    known, and then by the names of their files, in which 10 comes after 9 and 0001 after 9999.

    Args:
        taken_at: Camera-local times, ISO 8601 to the second; None where unknown: those are last.
        cameras: A text that is alike for photos of one camera, and begins with its name.
        subseconds: ``(n,)`` how much of its second had passed; NaN where unknown.
        paths: A file of each.

    Returns:
        A text for each; those of images that nothing tells apart are equal.
    """
    times = ["~" if time is None else time for time in taken_at]
    keys = [""] * len(paths)
    short: dict[str, str] = {}
    rows = sorted(range(len(paths)), key=lambda row: (times[row], cameras[row]))
    for second in _seconds(rows, times, cameras):
        fractions = subseconds[second]
        is_known = len(second) > 1 and not np.isnan(fractions).any()
        names = natural_names([paths[row] for row in second]) if len(second) > 1 else [""]
        camera = cameras[second[0]]
        if camera not in short:
            short[camera] = _short(camera)
        begin = f"{times[second[0]]}\0{short[camera]}"
        for row, fraction, name in zip(second, fractions.tolist(), names, strict=True):
            part = f"{fraction:.9f}" if is_known else ""
            keys[row] = f"{begin}\0{part}\0{name}\0{paths[row]}"
    return keys


def natural_names(paths: Sequence[str]) -> list[str]:
    """Names that sort files as a camera counts them: 9 before 10, 9999 before 0001.

    A counter has begun anew where numbers of equal length are more than half of all such numbers
    apart. Only files of one second are to be compared so.
    """
    stems = [re.split(r"[/\\]", path)[-1].rpartition(".")[0].lower() for path in paths]
    matches = [_LAST_NUMBER.fullmatch(stem) for stem in stems]
    numbers = [int(match[2]) for match in matches if match is not None]
    digits = {len(match[2]) for match in matches if match is not None}
    turn = 10 ** digits.pop() if len(digits) == 1 else 0
    has_turned = bool(numbers) and max(numbers) - min(numbers) > turn / 2 > 0
    names = []
    for stem, match in zip(stems, matches, strict=True):
        if has_turned and match is not None and int(match[2]) < turn / 2:
            stem = f"{match[1]}{int(match[2]) + turn}{match[3]}"  # noqa: PLW2901
        names.append(_NUMBER.sub(_padded, stem))
    return names


def _padded(number: re.Match[str]) -> str:
    """A number that sorts as a text among others: by its length, then by its digits."""
    digits = number[0].lstrip("0")
    return f"{len(digits):03d}{digits}"


def _seconds(
    rows: Sequence[_Row], times: Sequence[str], cameras: Sequence[str]
) -> Iterator[list[_Row]]:
    """Rows of one second and camera at a time."""
    begin = 0
    for end in range(1, len(rows) + 1):
        one, other = rows[begin], rows[end] if end < len(rows) else None
        if other is None or (times[one], cameras[one]) != (times[other], cameras[other]):
            yield list(rows[begin:end])
            begin = end


def _short(camera: str) -> str:
    """The name of a camera, and what distinguishes it from others of that name."""
    digest = hashlib.blake2b(camera.encode("utf-8", "surrogateescape"), digest_size=6)
    return f"{camera.partition(chr(0))[0]}\0{digest.hexdigest()}"
