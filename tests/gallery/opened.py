"""The gallery, opened in a browser: typed at, looked at, and watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self

import httpx

_SECONDS = 180
# The browser itself reports answers that a page was told to expect.
_EXPECTED = "Failed to load resource"


class Gallery:
    """A page of the gallery, and what it did that it should not."""

    def __init__(self, context: Any, client: httpx.Client) -> None:
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(1_000 * _SECONDS)
        self.client = client
        self.root = str(client.base_url).removesuffix("api/v1/")
        self.presses = 0
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.refused: list[int] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", self._on_response)

    @classmethod
    def open(
        cls,
        browser: Any,
        client: httpx.Client,
        view: str = "#/",
        *,
        tour: bool = False,
        **options: Any,
    ) -> Self:
        """Open a view, in a browser that knows nothing of other tests."""
        size = options.pop("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(reduced_motion="reduce", viewport=size, **options)
        if not tour:
            context.add_init_script("localStorage.setItem('organizer.toured', 'true')")
        found = cls(context, client)
        found.go(view)
        return found

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"} and _EXPECTED not in message.text:
            self.complaints.append(message.text)

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self.refused.append(response.status)

    def go(self, view: str) -> None:
        """Open a view by its address."""
        self.page.goto(self.root + view)
        self.page.wait_for_selector("main h1")

    def press(self, *keys: str) -> None:
        """Press keys, and count them."""
        for key in keys:
            self.presses += 1
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type the letters of a name, which are not counted."""
        self.page.keyboard.type(text)

    def until(self, is_so: Callable[[], Any], *, seconds: float = _SECONDS) -> None:
        """Wait for what comes with one of the next frames."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, " ".join(self.page.inner_text("body").split())
            self.page.wait_for_timeout(20)

    def settled(self) -> None:
        """Wait until the service has been asked nothing for a moment."""
        self.page.wait_for_timeout(450)
        self.page.wait_for_load_state("domcontentloaded")

    def text(self, selector: str) -> str:
        """What is read at a place, in one line."""
        return " ".join(str(self.page.inner_text(selector)).split())

    def evaluate(self, code: str, *arguments: Any) -> Any:
        return self.page.evaluate(code, *arguments)

    @property
    def focused(self) -> str:
        """What has the focus: its label, or what it is."""
        return str(
            self.evaluate(
                "document.activeElement.ariaLabel || document.activeElement.className"
                " || document.activeElement.tagName"
            )
        )

    @property
    def says(self) -> str:
        """The messages at the foot of the page."""
        return self.text(".toasts")

    # The grid ------------------------------------------------------------------------------

    def wait_for_grid(self) -> None:
        self.page.wait_for_selector(".cell img.shown")

    @property
    def total(self) -> int:
        """Images that the grid holds, by what it tells screen readers."""
        if not self.page.locator(".cell:visible").count():
            return 0
        return int(self.page.locator(".cell:visible").first.get_attribute("aria-setsize"))

    def until_total(self, total: int) -> None:
        """Wait until the grid holds so many images."""
        self.until(lambda: self.total == total)

    @property
    def cursor(self) -> int:
        """The place of the cursor in the grid, from 1."""
        return int(self.page.locator(".cell.cursor:visible").get_attribute("aria-posinset"))

    @property
    def selected(self) -> int:
        """Cells that are selected, of those that are seen."""
        return int(self.page.locator('.cell[aria-selected="true"]:visible').count())

    # The library ---------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        response = self.client.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def decide(self, *decisions: dict[str, Any]) -> Any:
        """Decide as another program does, whatever the revision is."""
        response = self.client.post(
            "/decisions", json={"decisions": list(decisions)}, headers={"If-Match": "*"}
        )
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def names(self) -> dict[int, str | None]:
        """The names in the library, by cluster."""
        return {cluster["id"]: cluster["name"] for cluster in self.get("/clusters")["clusters"]}

    def size(self, cluster: int) -> int:
        return int(self.get(f"/clusters/{cluster}")["size"])

    def close(self) -> None:
        """Close the page, which did nothing that it should not."""
        self.context.close()
        assert self.complaints == []
        own = (self.root, "data:", "blob:")
        assert [url for url in self.requests if not url.startswith(own)] == []
