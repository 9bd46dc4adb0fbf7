"""Contact sheets as PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from organizer.report.contents import ReportPicture
from organizer.report.drawing import INK, QUIET, RULE, SOFTWARE, fonts, text_of

if TYPE_CHECKING:
    from PIL.Image import Image as Canvas
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_CELL, _GAP, _NOTE, _HEAD, _TITLE = 160, 12, 22, 30, 46
_ACROSS = 10


def sheet_png(title: str, rows: Sequence[tuple[str, Sequence[ReportPicture]]]) -> bytes:
    """A contact sheet of groups of pictures, each below its name; ten pictures per line."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    filled = [(name, pictures) for name, pictures in rows if pictures]
    across = min(_ACROSS, max(len(pictures) for _, pictures in filled))
    height = _TITLE + sum(_HEAD + _lines(pictures) * _line_height() for _, pictures in filled)
    width = max(_GAP + across * (_CELL + _GAP), 480)
    sheet = Image.new("RGB", (width, height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    _write(pen, (_GAP, _GAP), _short(title, 40), 24, INK)
    top = _TITLE
    for name, pictures in filled:
        _write(pen, (_GAP, top + 4), name, 15, QUIET)
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


def _paste(sheet: Canvas, pen: ImageDraw, picture: ReportPicture, x: int, y: int) -> None:
    from PIL import Image

    _write(pen, (x, y + _CELL + 2), _short(picture.note, 22), 13, QUIET)
    if not picture.jpeg:
        pen.rectangle((x, y, x + _CELL, y + _CELL), outline=RULE, width=2)
        _write(pen, (x + 30, y + 70), "cannot be read", 13, QUIET)
        return
    with Image.open(io.BytesIO(picture.jpeg)) as found:
        image = found.convert("RGB")
    scale = _CELL / max(image.size)
    small = image.resize([max(1, round(side * scale)) for side in image.size])
    sheet.paste(small, (x + (_CELL - small.width) // 2, y + (_CELL - small.height) // 2))


def _lines(pictures: Sequence[ReportPicture]) -> int:
    return -(-len(pictures) // _ACROSS)


def _line_height() -> int:
    return _CELL + _NOTE + _GAP // 2


def _write(pen: ImageDraw, at: tuple[int, int], text: str, size: int, colour: str) -> None:
    pen.text(at, text, fill=colour, font=_font(text, size))


def _short(text: str, most: int) -> str:
    return text_of(text, most).replace(r"\$", "$")


def _font(text: str, size: int) -> FreeTypeFont:
    """The installed font that has the most characters of a text; Pillow tries no second one."""
    from matplotlib.font_manager import findfont, get_font
    from PIL import ImageFont

    files = [findfont(name) for name in fonts()]
    best = max(
        files, key=lambda file: sum(bool(get_font(file).get_char_index(ord(c))) for c in text)
    )
    return ImageFont.truetype(best, size)
