"""Small pictures in a terminal that can show any: by sixels, or by the protocol of kitty.

What the terminal can is asked of it by escape sequences, when a command is to show pictures and
stdin and stdout are that terminal. iTerm2, WezTerm, Konsole, foot, xterm and Windows Terminal
answer for sixels, kitty and Ghostty for its protocol.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import say

if TYPE_CHECKING:
    from PIL import Image
    from textual_image.renderable import HalfcellImage, SixelImage, TGPImage

    from organizer.library import Library

    Drawing = type[SixelImage] | type[TGPImage] | type[HalfcellImage]

PicturesOption = Annotated[
    bool,
    typer.Option("--pictures", help="Show small pictures, in a terminal that can (kitty, sixel)."),
]
BlocksOption = Annotated[
    bool,
    typer.Option("--blocks", help="Show them as coarse coloured blocks, in any other terminal."),
]

MOST_PICTURES = 20
"""Pictures that a command shows at most; the gallery is for more."""

_CELLS = 15
"""Width of a picture on the terminal, with the space after it."""

_SIDE, _SPACE = 160, 12
"""Pixels of a picture, and between two."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture to show.

    Attributes:
        image_id: The image; None where it is not in the library.
        caption: A short text below it.
    """

    image_id: str | None
    caption: str


def find_drawing(*, blocks: bool) -> Drawing | None:
    """How the terminal shows pictures; None, with a note to the user, where it shows none.

    Args:
        blocks: Whether a terminal without pictures gets coloured blocks.
    """
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        say("pictures are shown on a terminal only; organizer open shows them in the browser")
        return None
    sys.stdout.flush()
    # The import asks the terminal.
    from textual_image.renderable import HalfcellImage, Image, SixelImage, TGPImage

    if Image in {SixelImage, TGPImage}:
        return Image
    if blocks:
        return HalfcellImage
    say(
        "this terminal shows no pictures: organizer open shows them in the browser, --blocks as "
        "coarse blocks"
    )
    return None


def show_if_asked(
    library: Library, shown: Iterable[Captioned], *, pictures: bool, blocks: bool
) -> None:
    """Show pictures below a table, where ``--pictures`` or ``--blocks`` asks for them."""
    drawing = find_drawing(blocks=blocks) if pictures or blocks else None
    if drawing is not None:
        show_pictures(library, list(shown), drawing)


def show_pictures(library: Library, pictures: Sequence[Captioned], drawing: Drawing) -> None:
    """Show pictures side by side on the terminal, in rows.

    Args:
        library: Has the images.
        pictures: What to show; the first 20.
        drawing: How the terminal shows pictures.
    """
    from organizer.cli.output import terminal_width

    each = max((terminal_width() or _CELLS) // _CELLS, 1)
    shown = pictures[:MOST_PICTURES]
    for start in range(0, len(shown), each):
        _show_row(library, shown[start : start + each], drawing)
    if len(pictures) > len(shown):
        say(f"pictures of the first {len(shown)} of {len(pictures):,}; all of them: organizer open")


def _show_row(library: Library, pictures: Sequence[Captioned], drawing: Drawing) -> None:
    """One row of pictures as a single one, which every protocol shows alike, and its captions."""
    from rich.console import Console
    from textual_image.renderable import TGPImage

    from organizer.cli.output import print_line
    from organizer.cli.table_layout import shorten_path

    sys.stdout.flush()
    row = _joined(library, [picture.image_id for picture in pictures])
    # The protocol of kitty writes the number of a picture as a colour, which must stay exact.
    exact = drawing is TGPImage
    console = Console(
        file=sys.stdout,
        highlight=False,
        color_system="truecolor" if exact else "auto",
        no_color=False if exact else None,
    )
    console.print(drawing(row, width=_CELLS * len(pictures)))
    captions = [shorten_path(picture.caption, _CELLS - 1, "~") for picture in pictures]
    print_line("".join(map(_filled, captions)).rstrip())


def _filled(caption: str) -> str:
    from rich.cells import cell_len

    return caption + " " * (_CELLS - cell_len(caption))


def _joined(library: Library, image_ids: Sequence[str | None]) -> Image.Image:
    """Pictures side by side; a grey one where no file of an image can be read."""
    from PIL import Image, ImageOps

    step = _SIDE + _SPACE
    row = Image.new("RGB", (step * len(image_ids), _SIDE))
    for place, image_id in enumerate(image_ids):
        found = library.images.thumbnail(image_id, side=_SIDE) if image_id else None
        if found is None:
            row.paste((96, 96, 96), (place * step, 0, place * step + _SIDE, _SIDE))
            continue
        with Image.open(io.BytesIO(found.jpeg)) as picture:
            whole = ImageOps.contain(picture, (_SIDE, _SIDE))  # a small one is enlarged
        left, top = (_SIDE - whole.width) // 2, (_SIDE - whole.height) // 2
        row.paste(whole, (place * step + left, top))
    return row
