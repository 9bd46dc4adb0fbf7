"""JPEG files that are not whole: what of them can be read, and how much is missing.

Cameras and recovery programs leave files without an end marker, with a video behind it, cut off in
the middle, or with a hole of zeros. What libjpeg says of them does not tell these apart: it warns
alike of a marker that nobody misses and of half a picture. So the rows decide.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

LEAST_SHARE = 0.25
"""Of the rows that have to be there. A photo that lost its end cannot be taken again, and what is
left of it tells what it shows; of less than a quarter that is sky or foliage, and the grey rest
would put it with other damaged photos."""

MOST_PIXELS = 2**29
"""Of a JPEG that is decoded at a reduced size: a panorama of 500 megapixels."""

_MOST_EXACT = 50_000_000
"""Pixels of a damaged JPEG whose last row is looked for at its full size, which takes up to twenty
times as long as to decode it."""

_SCALES = (1, 2, 4, 8)
_END = b"\xff\xd9"
_HOLE = 256
"""Bytes of zeros in a row that are no picture's: parts of files are lost by 512 bytes and more."""

_LAST_BLOCK = 512
"""Bytes that are more than the last block of a picture has."""

_FILLER = bytes(np.random.default_rng(0).integers(1, 255, 4_096, dtype=np.uint8))
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN_ENDS = frozenset(range(1, 0x100)) - frozenset(range(0xD0, 0xD8)) - {0xFF}


def open_jpeg(data: bytes) -> Image.Image:
    """A JPEG of any size; Pillow's own way refuses large ones, that may be decoded reduced.

    Raises:
        SyntaxError: It is none; Pillow raises other errors too.
    """
    return JpegImagePlugin.jpeg_factory(io.BytesIO(data))


def is_within(image: Image.Image, min_side: int, most: int) -> bool:
    """Whether a JPEG can be decoded reduced with not many pixels in memory.

    Args:
        image: As it was opened.
        min_side: As in `organizer.decode.decode_image`.
        most: Pixels at the reduced size, at most.
    """
    width, height = image.size
    scale = max((s for s in _SCALES if min(image.size) // s >= min_side), default=1)
    is_progressive = "progressive" in image.info  # held at its full size while it is decoded
    return not is_progressive and width * height <= min(MOST_PIXELS, most * scale**2)


def closed_forms(data: bytes) -> Iterator[bytes]:
    """What there is of a JPEG, with an end marker; none where no scan begins.

    First from its beginning to the end of its last scan. Then, where that had no end marker, up to
    the end of its last row: without what else was written behind it.
    """
    ends = list(_scan_ends(data))
    if not ends:
        return
    begin, end = ends[-1]
    yield data[:end] + _END
    if len(ends) == 1 and data[end : end + 2] != _END and _rows_there(data, end) == 1.0:
        # At an eighth of the size only the first numbers of a block count, so this is a bit early.
        early = bisect_left(range(end), 1.0, lo=begin, key=partial(_rows_there, data))
        if _pixels(data) > _MOST_EXACT:
            yield data[:early] + _END
            return
        late = min(end, early + _LAST_BLOCK)
        exact = partial(_rows_there, data, is_exact=True)
        yield data[: bisect_left(range(late), 1.0, lo=early, key=exact)] + _END


def missing_share(data: bytes) -> float:
    """The share of a JPEG that is not there: rows that its data do not reach, holes in the data."""
    first = next(_scan_ends(data), None)
    if first is None:
        return 1.0
    begin, end = first
    return 1 - _rows_there(data, end) * (1 - _hole_share(data[begin:end]))


def _rows_there(data: bytes, end: int, *, is_exact: bool = False) -> float:
    """The share of rows that the data up to `end` describe.

    What follows the data makes no difference to these: the first row that comes out otherwise with
    other bytes behind the data is the first that is missing.
    """
    described = data[:end].rstrip(b"\xff")  # with what follows it would be a marker
    rows = _rows(described + _END, is_exact=is_exact)
    others = _rows(described + _FILLER + _END, is_exact=is_exact)
    differing = np.flatnonzero((rows != others).reshape(len(rows), -1).any(axis=1))
    return float(differing[0]) / len(rows) if len(differing) else 1.0


def damage_text(missing: float) -> str:
    """What is to be said of a JPEG whose data are not in order."""
    percent = round(100 * missing)
    if not percent:
        return "its data are damaged: a part of the picture may be wrong or coarse"
    return f"{percent}% of the picture is missing"


def _rows(data: bytes, *, is_exact: bool) -> NDArray[np.uint8]:
    """The picture, at an eighth of its size unless it has to be exact."""
    with open_jpeg(data) as image:
        if not is_exact:
            image.draft(None, (1, 1))
        return np.asarray(image)


def _pixels(data: bytes) -> int:
    with open_jpeg(data) as image:
        return image.width * image.height


def _hole_share(scan: bytes) -> float:
    """The share of bytes in long runs of zeros."""
    is_zero = np.frombuffer(scan, np.uint8) == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_zero, [False]])))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= _HOLE].sum()) / max(len(scan), 1)


def _scan_ends(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the data of each scan begin and end: at a marker that is no restart, or with the file.

    Where one scan has all of the picture, what follows it is of no interest, and may be anything.
    """
    frame, is_progressive = 0, False
    for marker, at in _markers(data):
        if marker in _FRAMES:
            frame, is_progressive = data[at + 9], marker in _PROGRESSIVE
        elif marker == _START_OF_SCAN:
            begin = at + 2 + int.from_bytes(data[at + 2 : at + 4])
            yield begin, _scan_end(data, begin)
            if not is_progressive and data[at + 4] >= frame:
                return


def _markers(data: bytes) -> Iterator[tuple[int, int]]:
    """The segments and where each begins, up to the first thing that is none."""
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        head = data[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] in {0, _END_OF_IMAGE}:
            return
        length = int.from_bytes(head[2:])
        if length < 2 or at + 2 + length > len(data) or (head[1] in _FRAMES and length < 8):
            return
        yield head[1], at
        at += 2 + length
        if head[1] == _START_OF_SCAN:
            at = _scan_end(data, at)


def _scan_end(data: bytes, at: int) -> int:
    while (at := data.find(0xFF, at)) >= 0:
        if at + 1 == len(data):
            return at
        if data[at + 1] in _SCAN_ENDS:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
    return len(data)
