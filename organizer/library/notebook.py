"""Images in a notebook: a row of small pictures with a line below each."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.opening import OpenLibrary
from organizer.library.progress import NoProgress

_MOST = 60
"""Pictures that are shown; of more, how many there are is said."""

_CARD = "display:inline-block;vertical-align:top;width:120px;margin:4px;font-size:11px"


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with what stands below it.

    Attributes:
        image_id: The image; None where there is none that may be shown.
        title: The first line.
        text: What follows it.
    """

    image_id: str | None
    title: str
    text: str


def cards_html(opened: OpenLibrary, cards: Sequence[Card]) -> str:
    """HTML that shows cards; everything in it is part of it, and nothing is fetched."""
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
