"""Contact sheets as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from organizer.report.contents import Picture
from organizer.report.drawing import INK, QUIET, RULE, SOFTWARE, text_of

if TYPE_CHECKING:
    from PIL.Image import Image as Canvas
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_CELL, _GAP, _NOTE, _HEAD, _TITLE = 160, 12, 22, 30, 46
_ACROSS = 10


def sheet_png(title: str, rows: Sequence[tuple[str, Sequence[Picture]]]) -> bytes:
    """A sheet with some rows of pictures, each below its name; ten pictures a line."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    filled = [(name, pictures) for name, pictures in rows if pictures]
    across = min(_ACROSS, max(len(pictures) for _, pictures in filled))
    height = _TITLE + sum(_HEAD + _lines(pictures) * _line_height() for _, pictures in filled)
    width = max(_GAP + across * (_CELL + _GAP), 480)
    sheet = Image.new("RGB", (width, height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, _GAP), _written(title, 40), fill=INK, font=_font(24))
    top = _TITLE
    for name, pictures in filled:
        pen.text((_GAP, top + 4), name, fill=QUIET, font=_font(15))
        top += _HEAD
        for i, picture in enumerate(pictures):
            line, column = divmod(i, _ACROSS)
            x, y = _GAP + column * (_CELL + _GAP), top + line * _line_height()
            _paste(sheet, pen, picture, x, y)
        top += _lines(pictures) * _line_height()
    held = io.BytesIO()
    info = PngInfo()
    info.add_text("Software", SOFTWARE)
    sheet.save(held, "PNG", pnginfo=info)
    return held.getvalue()


def _paste(sheet: Canvas, pen: ImageDraw, picture: Picture, x: int, y: int) -> None:
    from PIL import Image

    pen.text((x, y + _CELL + 2), _written(picture.note, 22), fill=QUIET, font=_font(13))
    if not picture.jpeg:
        pen.rectangle((x, y, x + _CELL, y + _CELL), outline=RULE, width=2)
        pen.text((x + 30, y + 70), "cannot be read", fill=QUIET, font=_font(13))
        return
    with Image.open(io.BytesIO(picture.jpeg)) as found:
        image = found.convert("RGB")
    scale = _CELL / max(image.size)
    small = image.resize([max(1, round(side * scale)) for side in image.size])
    sheet.paste(small, (x + (_CELL - small.width) // 2, y + (_CELL - small.height) // 2))


def _lines(pictures: Sequence[Picture]) -> int:
    return -(-len(pictures) // _ACROSS)


def _line_height() -> int:
    return _CELL + _NOTE + _GAP // 2


def _written(text: str, most: int) -> str:
    return text_of(text, most).replace(r"\$", "$")


def _font(size: int) -> FreeTypeFont:
    """The font that matplotlib brings: Pillow's own knows Latin letters only."""
    from matplotlib.font_manager import findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont("DejaVu Sans"), size)
