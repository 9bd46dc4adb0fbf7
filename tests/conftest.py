"""What the tests share: photos made on the spot, the program as typed, the real photos if there."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.kept_workers import kept_workers

settings.register_profile("soak", max_examples=1_000, deadline=None)

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Each process of pytest-xdist is a session of its own, by which Linux shares the cores out.

    Priorities count inside of a session: an ingest of the service, which has the lowest, would
    otherwise get nothing while the tests of other processes are at work.
    """
    if hasattr(config, "workerinput") and sys.platform != "win32":
        os.setsid()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests are left out of the coverage: tracing every line adds half to their time.

    Where Chromium says that a page crashed, the test is tried once more, and for no other failure.
    """
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.no_cover)
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["(Page|Target) crashed"]))


def pytest_xdist_auto_num_workers() -> int:
    """Processes of ``-n auto``: many tests wait for a disk, a process or a browser's frames."""
    return (os.cpu_count() or 1) + 2


@dataclass(frozen=True)
class Ran:
    """What a run of the program gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


class Site:
    """A folder on the path into which distributions are installed, as pip lays them out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, dist: str, code: str, *, group: str = "organizer.embedders", **points: str
    ) -> None:
        module = dist.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        lines = [f"{name} = {module}:{target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text(f"[{group}]\n" + "\n".join(lines) + "\n")
        importlib.invalidate_caches()


def examples(few: int, *, soak: int) -> int:
    """How many examples a law takes whose examples are dear: see `tests.soak`."""
    loaded = settings()
    return soak if loaded.max_examples == settings.get_profile("soak").max_examples else few


def make_photo(file: Path, seed: int = 0, *, colour: tuple[int, int, int] | None = None) -> Path:
    """A small JPEG that no other seed gives: noise around a colour."""
    draw = np.random.default_rng(seed)
    base = np.array(colour or draw.integers(40, 215, 3))
    pixels = np.clip(base + draw.normal(0, 12, (48, 64, 3)), 0, 255).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, quality=95)
    return file


def make_groups(folder: Path, *, each: int = 8, seed: int = 0) -> Path:
    """Three folders of photos that colour alone tells apart: red, green, blue."""
    colours = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
    for place, (name, colour) in enumerate(colours.items()):
        for i in range(each):
            make_photo(folder / name / f"{i:03}.jpg", seed + place * 10_000 + i, colour=colour)
    return folder


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all tests: a network is converted once, not by every test that uses it.

    Nor by every process of pytest-xdist: each has a folder below a common one.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    cache = folder / "cache"
    cache.mkdir(exist_ok=True)
    return cache


@pytest.fixture(scope="session", autouse=True)
def _worker_processes() -> Iterator[None]:
    with kept_workers():
        yield


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, converted: Path
) -> None:
    """No test sees what this user has set, and none writes outside its folder."""
    for name in list(os.environ):
        if name.startswith("ORGANIZER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(converted))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no-data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no-hub"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """24 photos in three folders: red, green, blue."""
    folder = tmp_path / "photos"
    return folder if folder.exists() else make_groups(folder)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty library in `tmp_path`."""
    with Library.open_or_create(tmp_path, Settings()) as found:
        yield found


@pytest.fixture(scope="session")
def made_filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `filled`, which is copied: an ingest takes longer than half of the tests."""
    home = tmp_path_factory.mktemp("filled")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([make_groups(home / "photos")], embedder="channel-mean")
    return home


@pytest.fixture
def filled(made_filled: Path, tmp_path: Path) -> Iterator[Library]:
    """A library with the 24 photos, embedded by the channel-mean plugin."""
    shutil.copytree(made_filled, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path, Settings()) as found:
        yield found


@pytest.fixture
def typed(tmp_path: Path) -> Run:
    """As `run`, in this process: the same program without the second that a start takes."""
    from tests.typed import in_this_process

    return partial(in_this_process, tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The program as typed, in `tmp_path`: ``run("ingest", photos, "--json")``."""

    def typed(
        *words: object,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str = "",
    ) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "organizer", *map(str, words)],
            cwd=cwd or tmp_path,
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return typed


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Where plugins can be installed for one test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return Site(folder)


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder with the real ``mobilenet_v2.pth``."""
    return _found("ORGANIZER_TEST_WEIGHTS", _SHARED / "weights", "mobilenet_v2.pth")


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """The folder with the real labelled photos."""
    return _found("ORGANIZER_TEST_PHOTOS", _SHARED / "photos", "wildcats")


@pytest.fixture(scope="session")
def hostile() -> Path:
    """The folder with broken and odd image files."""
    return _found("ORGANIZER_TEST_HOSTILE", _SHARED / "hostile", "pillow")


def _found(variable: str, usual: Path, holds: str) -> Path:
    folder = Path(os.environ.get(variable) or usual)
    if not (folder / holds).exists():
        pytest.skip(f"NOT TESTED: there is no {holds} in {folder}; set {variable}")
    return folder
