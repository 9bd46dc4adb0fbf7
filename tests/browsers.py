"""The real browser that pages are opened in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_program() -> str:
    """The program of the browser; the test is skipped where there is none."""
    found = os.environ.get("ORGANIZER_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, _NAMES)), None
    )
    if found is None:
        pytest.skip("NOT TESTED: there is no Chromium here; set ORGANIZER_TEST_CHROMIUM")
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; the test is skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: no playwright")
    program = browser_program()
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def another_chromium(browser: Any, arguments: Sequence[str] = _ARGUMENTS) -> Iterator[Any]:
    """One more browser beside one that is open, for a test that wants its own."""
    found = browser.browser_type.launch(executable_path=browser_program(), args=[*arguments])
    yield found
    found.close()
