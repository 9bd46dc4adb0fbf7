"""A report's page, opened in a real browser, and what it did that it should not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class OpenedPage:
    """A page that is open, and what it did that it should not."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._refuse)
        page.on("request", lambda request: self.requests.append(request.url))

    def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point of the map, from -1 to 1, on the screen at zoom 1."""
        box = self.page.locator("#map-canvas").bounding_box()
        scale = min(box["width"], box["height"]) / 2 * 0.92
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        return middle[0] + float(x) * scale, middle[1] - float(y) * scale

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what comes with one of the next frames."""
        end = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < end
            self.page.evaluate("new Promise(requestAnimationFrame)")

    def to_map(self) -> None:
        """Scroll to the map, and wait until it is drawn and nothing moves any more."""
        canvas = self.page.locator("#map-canvas")
        canvas.scroll_into_view_if_needed()
        self.page.wait_for_selector("#map-canvas[data-zoom]")
        canvas.evaluate("(map) => map.scrollIntoView({ block: 'center' })")
        boxes = [canvas.bounding_box()]

        def is_still() -> bool:
            boxes.append(canvas.bounding_box())
            return all(box == boxes[-1] for box in boxes[-4:-1])

        self.until(is_still)

    def unfold(self) -> None:
        """Open all folded parts."""
        self.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")

    @property
    def zoom(self) -> float:
        return float(self.page.get_attribute("#map-canvas", "data-zoom"))

    @property
    def tip(self) -> str:
        return str(self.page.inner_text("#tip"))

    def column(self, number: int) -> list[str]:
        cells = self.page.locator(f"#clusters tbody tr > :nth-child({number})")
        return [text.split()[0] for text in cells.all_inner_texts()]

    def pixels(self) -> str:
        return str(self.page.evaluate("document.getElementById('map-canvas').toDataURL()"))


@contextmanager
def opened(browser: Any, file: Path, **options: Any) -> Iterator[OpenedPage]:
    """A page from disk, in a window of its own; it must not complain or ask the network."""
    context = browser.new_context(reduced_motion="reduce", **options)
    seen = OpenedPage(context.new_page())
    seen.page.goto(file.as_uri())
    yield seen
    assert seen.complaints == [], seen.complaints
    assert all(url.startswith(("file:", "data:", "blob:")) for url in seen.requests)
    context.close()
