"""What the tests of the service share: a library in the field, served."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from organizer.client import Client
from organizer.library import Library
from organizer.settings import Settings
from tests.service.field import make_field
from tests.service.servers import running


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library; see `make_field`. Only for what changes nothing."""
    return make_field(tmp_path_factory.mktemp("field"))


@pytest.fixture(scope="module")
def field_library(field: Path) -> Iterator[Library]:
    """The library of `field`."""
    with Library.open(field, Settings()) as found:
        yield found


@pytest.fixture(scope="module")
def field_url(field_library: Library) -> Iterator[str]:
    """Where the library of `field` is served."""
    with running(field_library) as url:
        yield url


@pytest.fixture
def reader(field_url: str) -> Iterator[Client]:
    """A client of `field` that changes nothing."""
    with Client(field_url) as found:
        yield found


@pytest.fixture
def home(field: Path, tmp_path: Path) -> Path:
    """A copy of `field` in `tmp_path`, to change."""
    shutil.copytree(field, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def opened(home: Path) -> Iterator[Library]:
    """The library of `home`."""
    with Library.open(home, Settings()) as found:
        yield found


@pytest.fixture
def url(opened: Library) -> Iterator[str]:
    """Where the library of `home` is served."""
    with running(opened) as found:
        yield found


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """A client that may decide."""
    with Client(url) as found:
        yield found
