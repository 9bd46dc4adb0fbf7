"""An ingest in a process of its own: what becomes of it when one of the two ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizer.errors import SettingsError, StoreError, WeightsMissingError
from organizer.library import Library
from organizer.library.progress import NoProgress
from organizer.service.ingest_process import run_ingest_process
from organizer.settings import Settings
from tests.conftest import make_groups

_SLOW = Settings(batch_size=2, commit_images=2)

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")


class _Watching(NoProgress):
    """Calls something once embedding has begun, and notes what was told."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self._then, self.done, self.tasks = then, 0, list[str]()

    def begin(self, task: str, total: int | None) -> None:
        self.tasks.append(f"{task}: {total}")
        self.done = 0

    def advance(self, steps: int = 1) -> None:
        self.done += steps
        if self.tasks[-1].startswith("embedding") and self.done == 4:
            self._then()


def _ingest(library: Library, folder: Path, progress: NoProgress, **options: Any) -> dict[str, Any]:
    options = {"embedder": "channel-mean", "stop": lambda: False, **options}
    return run_ingest_process(library, [folder], progress=progress, **options)


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def _child(of: int | None = None) -> int:
    """The process of an ingest that a process started; this one where None."""
    own = str(of or os.getpid())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if parent == own and "ingest_process" in command:
            return int(folder.name)
    raise AssertionError("there is no such process")


def test_it_gives_the_report_and_tells_its_progress(tmp_path: Path) -> None:
    photos = make_groups(tmp_path / "photos")
    with Library.open_or_create(tmp_path, Settings(threads=1)) as library:
        progress = _Watching()
        fields = _ingest(library, photos, progress)
        assert (fields["added"], fields["images"], fields["interrupted"]) == (24, 24, False)
        assert progress.tasks == ["looking for images: None", "embedding with channel-mean: 24"]
        assert progress.done == 24
        assert len(library.images) == 24


@pytest.mark.parametrize(
    ("embedder", "kind", "said"),
    [("nonsense", SettingsError, "nonsense"), ("timm:resnet18", WeightsMissingError, "resnet18")],
)
def test_errors_are_those_of_the_library(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    embedder: str,
    kind: type[Exception],
    said: str,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "TORCH_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    photos = make_groups(tmp_path / "photos")
    with (
        Library.open_or_create(tmp_path, Settings()) as library,
        pytest.raises(kind, match=said) as caught,
    ):
        _ingest(library, photos, NoProgress(), embedder=embedder)
    assert type(caught.value) is kind


@needs_signals
def test_a_process_that_is_killed_fails_the_ingest_and_nothing_else(tmp_path: Path) -> None:
    photos = make_groups(tmp_path / "photos", each=20)
    with Library.open_or_create(tmp_path, _SLOW) as library:
        kill = _Watching(lambda: os.kill(_child(), signal.SIGKILL))
        with pytest.raises(StoreError, match="signal 9") as caught:
            _ingest(library, photos, kill)
        assert "ingest again" in caught.value.hint
        committed = len(library.images)
        assert 0 < committed < 60
        assert _ingest(library, photos, NoProgress())["added"] == 60 - committed


@needs_signals
def test_it_ends_in_order_when_the_service_is_killed(tmp_path: Path) -> None:
    photos = make_groups(tmp_path / "photos", each=100)
    with Library.open_or_create(tmp_path, _SLOW):
        pass
    command = [sys.executable, "-m", "organizer", "serve", "--port", "0", "--json"]
    environment = {**os.environ, "ORGANIZER_BATCH_SIZE": "2", "ORGANIZER_COMMIT_IMAGES": "2"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        url = f"{json.loads(service.stdout.readline())['url']}api/v1"
        body = {"paths": [str(photos)], "embedder": "channel-mean"}
        job = httpx.post(f"{url}/ingests", json=body).json()["id"]
        _wait(lambda: httpx.get(f"{url}/jobs/{job}").json()["progress"]["done"] >= 10)
        child = _child(service.pid)
        service.kill()
    _wait(lambda: not Path(f"/proc/{child}").exists())
    with Library.open(tmp_path) as library:
        assert 0 < len(library.images) < 300
        with library.store.writing() as was_interrupted:
            assert not was_interrupted


@needs_signals
def test_it_has_a_lower_priority(tmp_path: Path) -> None:
    photos = make_groups(tmp_path / "photos")
    found: list[int] = []
    watching = _Watching(lambda: found.append(os.getpriority(os.PRIO_PROCESS, _child())))
    with Library.open_or_create(tmp_path, _SLOW) as library:
        _ingest(library, photos, watching)
    assert found == [19]
