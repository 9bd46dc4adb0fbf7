"""Videos that lie beside a photo of the same name: of live photos, or of trail cameras.

A telephone writes some three seconds of video with a photo, ``IMG_1.HEIC`` and ``IMG_1.MOV``: they
are one picture. A trail camera that takes a photo and then a video writes ``IMG_0001.JPG`` and
``IMG_0001.MP4`` or ``.AVI`` of ten seconds and more: they are two. No live photo is longer than
three and a half seconds, nor in another container than MOV and MP4.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import BinaryIO

from organizer.companions import split_name

_LONGEST = 3.5
_CONTAINERS = frozenset([".3gp", ".m4v", ".mov", ".mp4"])
_MOST_BOXES = 1_000
_HEADERS = {0: (12, 4), 1: (20, 8)}
"""By the version of an mvhd box where its time scale is, and of how many bytes its duration is."""


def is_of_live_photo(file: str) -> bool:
    """Whether a video is that of a live photo, where a photo has its name.

    One that does not tell how long it is is taken for that of a live photo if it is a MOV.
    """
    suffix = split_name(file)[1].lower()
    if suffix not in _CONTAINERS:
        return False
    seconds: float | None = None
    with suppress(OSError), open(file, "rb") as opened:  # noqa: PTH123 - names come as texts
        seconds = duration_in(opened)
    return suffix == ".mov" if seconds is None else seconds <= _LONGEST


def duration_in(file: BinaryIO) -> float | None:
    """The seconds that the header of a MOV or MP4 tells; None where it tells none."""
    end = file.seek(0, os.SEEK_END)
    movie = _find_box(file, b"moov", 0, end)
    header = None if movie is None else _find_box(file, b"mvhd", *movie)
    if header is None:
        return None
    file.seek(header[0])
    told = file.read(28)
    at, size = _HEADERS.get(told[0] if told else -1, (0, 0))
    scale = int.from_bytes(told[at : at + 4], "big")
    ticks = told[at + 4 : at + 4 + size]
    if not scale or len(ticks) < size or ticks == b"\xff" * size:
        return None
    return int.from_bytes(ticks, "big") / scale


def _find_box(file: BinaryIO, wanted: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where the content of a box begins and ends, among the boxes of a part of a file."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return None
        file.seek(start)
        head = file.read(16)
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), 16
        size = size or end - start
        if size < begin:
            return None
        if kind == wanted:
            return start + begin, min(start + size, end)
        start += size
    return None
