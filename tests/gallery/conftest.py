"""A library of made pictures, the real service, and the gallery in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.browsers import chromium
from tests.gallery.made import make_library
from tests.gallery.opened import Gallery
from tests.service.servers import serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library that was made once: eight clusters, none with a name."""
    return make_library(tmp_path_factory.mktemp("made"))


@pytest.fixture
def eight(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A library of its own for each test: 96 images in eight clusters."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path, Settings()) as library:
        yield library


@pytest.fixture
def client(eight: Library) -> Iterator[httpx.Client]:
    with serving(eight) as client:
        yield client


@pytest.fixture
def open_page(browser: Any, client: httpx.Client) -> Iterator[Callable[..., Gallery]]:
    """Opens the gallery, in a browser of its own each time; checks at the end what it did."""
    opened: list[Gallery] = []

    def open_one(view: str = "#/", **options: Any) -> Gallery:
        opened.append(Gallery.open(browser, client, view, **options))
        return opened[-1]

    yield open_one
    for gallery in opened:
        gallery.close()


@pytest.fixture
def gallery(open_page: Callable[..., Gallery]) -> Gallery:
    """The wall of the eight clusters."""
    return open_page()
