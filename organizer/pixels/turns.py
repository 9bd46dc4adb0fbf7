"""The eight orientations of EXIF: how a picture is turned to stand upright, and boxes with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import Box

ON_ITS_SIDE, ROWS_ROUND, COLUMNS_ROUND = {5, 6, 7, 8}, {3, 4, 7, 8}, {2, 3, 6, 7}
"""The orientations of which width and height change places, and then rows and columns are turned
round."""


def upright(pixels: NDArray[np.uint8], orientation: object) -> NDArray[np.uint8]:
    """A picture as it is to be seen; what is no orientation changes nothing."""
    if orientation in ON_ITS_SIDE:
        pixels = pixels.swapaxes(0, 1)
    if orientation in ROWS_ROUND:
        pixels = pixels[::-1]
    if orientation in COLUMNS_ROUND:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def turned_box(box: Box, former: int, now: int) -> Box:
    """A box of an upright picture, where its file has another orientation than it had.

    Args:
        box: Where it was in the picture as it was shown.
        former: The orientation that the file had.
        now: The one that it has.
    """
    return _shown(_stored(box, former), now)


def _stored(box: Box, orientation: int) -> Box:
    """A box of an upright picture in the picture as it is stored."""
    box = _turned_round(box, rows=orientation in ROWS_ROUND, columns=orientation in COLUMNS_ROUND)
    return _on_its_side(box) if orientation in ON_ITS_SIDE else box


def _shown(box: Box, orientation: int) -> Box:
    """A box of a picture as it is stored in the upright one."""
    box = _on_its_side(box) if orientation in ON_ITS_SIDE else box
    return _turned_round(box, rows=orientation in ROWS_ROUND, columns=orientation in COLUMNS_ROUND)


def _on_its_side(box: Box) -> Box:
    return Box(box.y, box.x, box.height, box.width)


def _turned_round(box: Box, *, rows: bool, columns: bool) -> Box:
    x = max(1 - box.x - box.width, 0.0) if columns else box.x
    y = max(1 - box.y - box.height, 0.0) if rows else box.y
    return Box(x, y, box.width, box.height)
