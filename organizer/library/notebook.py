"""Show images in a notebook: a row of thumbnails with text below each."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.opening import OpenLibrary
from organizer.library.progress import NoProgress

_MOST = 60
"""Cards that are shown; of more, only the number is."""

_CARD = "display:inline-block;vertical-align:top;width:120px;margin:4px;font-size:11px"


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with the text below it.

    Attributes:
        image_id: The image; None where there is none that may be shown.
        title: The first line of the text.
        text: The rest of the text.
    """

    image_id: str | None
    title: str
    text: str


def cards_html(opened: OpenLibrary, cards: Sequence[Card]) -> str:
    """HTML that shows cards, with the pictures inside it."""
    shown = cards[:_MOST]
    wanted = [card.image_id for card in shown if card.image_id]
    pictures = make_thumbnails(
        opened.store, wanted, threads=opened.settings.threads, progress=NoProgress()
    )
    parts = []
    for card in shown:
        found = pictures.get(card.image_id or "")
        picture = "<div>no picture</div>"
        if found is not None:
            data = base64.b64encode(found.jpeg).decode("ascii")
            picture = f'<img src="data:image/jpeg;base64,{data}" alt="{escape(card.title)}">'
        parts.append(
            f'<div style="{_CARD}">{picture}<br><b>{escape(card.title)}</b><br>'
            f"{escape(card.text)}</div>"
        )
    rest = f"<p>and {len(cards) - _MOST:,} more</p>" if len(cards) > _MOST else ""
    return f"<div>{''.join(parts)}{rest}</div>"
