"""The first ingest makes the library: two at once, or one that is killed while it does."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from organizer.library import Library
from tests.conftest import Ran, make_groups
from tests.crashes import COLOUR, SMALL, assert_nothing_twice
from tests.warm import Warm, warm_program

_INGEST = ("ingest", "photos", "--embedder", COLOUR)
_PHOTOS = 9


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_groups(tmp_path_factory.mktemp("photos"), each=_PHOTOS // 3)


def assert_refused_or_done(ran: Ran) -> None:
    """Done, or refused in plain words because another one is at work."""
    if ran.code == 0:
        return
    assert ran.code == 1, ran.err
    lines = [line for line in ran.err.splitlines() if line.startswith(("error:", "hint:"))]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], ran.err
    assert "is being written by another organizer" in lines[0]
    assert "Traceback" not in ran.err


def assert_made(home: Path) -> None:
    """The library opens and has all photos, once."""
    with Library.open(home, SMALL) as library:
        assert library.status().files == _PHOTOS
        assert_nothing_twice(library)


@pytest.mark.parametrize("number", range(8))
def test_of_two_first_ingests_at_once_one_makes_the_library(
    warm: Warm, photos: Path, tmp_path: Path, number: int
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    first = warm.begin(_INGEST, cwd=tmp_path)
    time.sleep(number * 0.004)  # from at once to just after
    second = warm.begin(_INGEST, cwd=tmp_path)
    rans = [first.finish(), second.finish()]
    assert 0 in [ran.code for ran in rans], [ran.err for ran in rans]
    for ran in rans:
        assert_refused_or_done(ran)
    assert_made(tmp_path)
    assert warm.run("ingest", cwd=tmp_path).code == 0
    assert_made(tmp_path)


@pytest.mark.slow
def test_a_first_ingest_that_was_killed_at_any_moment_is_done_by_the_next_one(
    warm: Warm, photos: Path, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    wrong, killed, made = [], 0, 0
    for number in range(12):
        home = tmp_path / str(number)
        shutil.copytree(photos, home / "photos")
        running = warm.begin(_INGEST, cwd=home)
        while not (home / ".organizer").exists():
            assert running.code() is None
            time.sleep(0.001)
        time.sleep(float(draw.uniform(0.0, 0.2)))
        running.send(signal.SIGKILL)
        killed += running.finish().code == -signal.SIGKILL
        made += (home / ".organizer" / "library.json").exists()
        ran = warm.run(*_INGEST, cwd=home)
        if ran.code:
            wrong.append(f"{number}: {ran.err}")
            continue
        assert_made(home)
    assert wrong == []
    assert killed >= 3, "killed too late: the test tests nothing"
    assert made < 12, "killed too late: the test tests nothing"


@pytest.mark.slow
def test_two_first_ingests_one_of_which_is_killed_leave_a_library_for_the_next_one(
    warm: Warm, photos: Path, tmp_path: Path
) -> None:
    draw = np.random.default_rng(1)
    for number in range(6):
        home = tmp_path / str(number)
        shutil.copytree(photos, home / "photos")
        first, second = warm.begin(_INGEST, cwd=home), warm.begin(_INGEST, cwd=home)
        time.sleep(float(draw.uniform(0.0, 0.15)))
        first.send(signal.SIGKILL)
        first.finish()
        assert_refused_or_done(second.finish())
        ran = warm.run(*_INGEST, cwd=home)
        assert ran.code == 0, f"{number}: {ran.err}"
        assert_made(home)
