"""A second embedder in a library: each file is read once, also when the run is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from organizer.library import Library
from tests.conftest import Run, Site, make_groups, make_photo
from tests.typed import in_this_process

_SLOW = '''
import os, time
import numpy as np

class Slow:
    """Notes every picture that it prepares."""

    dim = 2
    version = "1"

    def prepare(self, image):
        time.sleep(0.01)
        with open(os.environ["PREPARED"], "a") as log:
            log.write(f"{image.astype(int).sum()}\\n")
        return image.reshape(-1, 3).mean(axis=0)[:2]

    def embed(self, batch):
        return np.asarray(batch, dtype=np.float32).reshape(len(batch), 2)
'''
_EACH = 40


@pytest.fixture
def home(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of 120 photos from two folders, and a plugin that notes what it prepares."""
    site.install("slow-embedder", _SLOW, slow="Slow")
    monkeypatch.setenv("PREPARED", str(tmp_path / "prepared"))
    for name, value in {"COMMIT_IMAGES": "8", "BATCH_SIZE": "4", "THREADS": "2"}.items():
        monkeypatch.setenv(f"ORGANIZER_{name}", value)
    make_groups(tmp_path / "one", each=_EACH // 2)
    make_groups(tmp_path / "two", each=_EACH // 2, seed=500)
    in_this_process(tmp_path, "ingest", "one", "two", "--embedder", "channel-mean")
    in_this_process(tmp_path, "recluster", "--k", "3")
    return tmp_path


@pytest.fixture
def typed(home: Path) -> Run:
    """The program as typed, in the library."""
    return partial(in_this_process, home)


def _prepared(home: Path) -> Counter[str]:
    file = home / "prepared"
    return Counter(file.read_text().split() if file.exists() else [])


def test_without_a_path_all_that_was_ingested_is_read_once(home: Path, typed: Run) -> None:
    before = typed("clusters", "show", "1", "--json").out
    ran = typed("ingest", "--embedder", "slow", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["embedded"] == 3 * _EACH
    assert (ran.json["unchanged"], ran.json["added"], ran.json["missing"]) == (3 * _EACH, 0, 0)
    assert sum(_prepared(home).values()) == 3 * _EACH
    assert typed("clusters", "show", "1", "--json").out == before
    again = typed("ingest", "--embedder", "slow", "--json")
    assert again.json["embedded"] == 0
    assert sum(_prepared(home).values()) == 3 * _EACH


def test_search_and_recluster_take_it_by_its_name(home: Path, typed: Run) -> None:
    photo = next((home / "one" / "red").iterdir())
    refused = typed("search", photo, "--embedder", "slow")
    assert (refused.code, refused.out) == (2, "")
    assert "there are no vectors of 'slow' in this library" in refused.err
    assert "organizer ingest" in refused.err
    assert typed("recluster", "--k", "3", "--embedder", "slow").code == 2
    typed("ingest", "--embedder", "slow")
    hits = typed("search", photo, "--embedder", "slow", "-n", "20", "--json").json["hits"]
    assert {Path(hit["path"]).parent.name for hit in hits} == {"red"}
    done = typed("recluster", "--k", "3", "--embedder", "slow", "--json")
    assert done.code == 0, done.err
    assert typed("status", "--json").json["embedder"] == "slow"


def test_a_new_photo_is_assigned_after_an_ingest_with_another_embedder(
    home: Path, typed: Run
) -> None:
    typed("ingest", "--embedder", "slow")
    make_photo(home / "one" / "red" / "new.jpg", 9_999, colour=(200, 40, 40))
    ran = typed("ingest", "--json")
    assert (ran.json["embedder"], ran.json["added"], ran.json["joined"]) == ("channel-mean", 1, 1)
    later = typed("ingest", "--embedder", "slow", "--json")
    assert (later.json["embedded"], later.json["unchanged"]) == (1, 3 * _EACH + 1)


def test_ingest_names_the_recluster_that_uses_the_vectors(typed: Run) -> None:
    err = typed("ingest", "--embedder", "slow").err
    assert (
        "do not use these vectors yet; to make those that do: organizer recluster --embedder slow"
        in err
    )
    typed("recluster", "--k", "3", "--embedder", "slow")
    assert "these vectors" not in typed("ingest").err
    err = typed("ingest", "--embedder", "channel-mean", "--other-weights").err
    assert "organizer recluster --embedder channel-mean" in err


def test_ingest_names_that_recluster_before_there_are_clusters(
    tmp_path: Path, photos: Path
) -> None:
    typed = partial(in_this_process, tmp_path)
    assert "organizer recluster --k auto\n" in typed("ingest", photos, "--embedder", "hsv").err
    err = typed("ingest", photos, "--embedder", "channel-mean").err
    assert "organizer recluster --k auto --embedder channel-mean\n" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_continues_where_it_was(home: Path, typed: Run, how: int) -> None:
    command = [sys.executable, "-m", "organizer", "ingest", "--embedder", "slow"]
    with subprocess.Popen(
        command, cwd=home, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    ) as process:
        while sum(_prepared(home).values()) < 30:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), err
    kept = _embedded(home)
    assert 8 <= kept < 3 * _EACH, "stopped too early or too late: the test tests nothing"
    assert typed("status", "--json").json["clustered"] == 3 * _EACH
    ran = typed("ingest", "--embedder", "slow", "--json")
    assert (ran.code, ran.json["embedded"]) == (0, 3 * _EACH - kept)
    assert _embedded(home) == 3 * _EACH
    # Nothing that was committed is read again: only what was in work may be.
    assert sum(_prepared(home).values()) <= 3 * _EACH + 30


def _embedded(home: Path) -> int:
    with Library.open(home) as library:
        specs = {spec.name: spec for spec in library.store.vectors.specs()}
        ids, _ = library.store.vectors.read(specs["slow"])
    assert len(ids) == len(set(ids))
    return len(ids)
