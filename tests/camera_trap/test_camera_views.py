"""Cameras that were knocked or covered: found where their view changed and stayed so."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from organizer_camera_trap.camera_health import check_cameras
from organizer_camera_trap.view_change import LEAST, find_change
from tests.scenes import SPECIES, Thing, scene
from tests.typed import in_this_process

_BURSTS, _KNOCKED = 36, 24
_EXIF, _TIME, _MODEL = 0x8769, 0x9003, 0x0110


def _moved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.roll(pixels, (12, 20), axis=(0, 1))


def _covered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    leaf = pixels.copy()
    leaf[:, :90] = (30, 45, 20)
    return leaf


_HAPPENED = {"moved": _moved, "covered": _covered}


def _photo(number: int, *, happened: str | None) -> NDArray[np.uint8]:
    """A photo of a place in some light; half have an animal on them, at some place."""
    seed = 100 * [None, *_HAPPENED].index(happened) + number  # no two photos are one picture
    draw = np.random.default_rng(seed)
    at = int(draw.integers(0, 120)), int(draw.integers(0, 80))
    things = [Thing(list(SPECIES)[number % 3], *at)] if draw.random() < 0.5 else []
    pixels = scene("brook", things, seed=seed)
    pixels[:30] = (90, 150, 230)  # a sky: without colours it would be infrared
    light = np.clip(pixels * np.exp(draw.normal(0, 0.2)), 0, 255).astype(np.uint8)
    return _HAPPENED[happened](light) if happened is not None and number >= _KNOCKED else light


def _card(folder: Path, *, happened: str | None) -> None:
    """A camera's card: a photo every three hours."""
    folder.mkdir(parents=True)
    for number in range(_BURSTS):
        exif = Image.Exif()
        exif[_MODEL] = "A"
        moment = datetime(2024, 5, 1) + number * timedelta(hours=3)  # noqa: DTZ001
        exif.get_ifd(_EXIF)[_TIME] = moment.strftime("%Y:%m:%d %H:%M:%S")
        file = folder / f"IMG_{number:04}.JPG"
        Image.fromarray(_photo(number, happened=happened)).save(file, quality=92, exif=exif)


def test_a_camera_that_was_knocked_or_covered_is_asked_about(tmp_path: Path) -> None:
    for happened in (None, *_HAPPENED):
        _card(tmp_path / "cards" / str(happened), happened=happened)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "cards"], embedder="hog")
        found = {Path(one.example).parent.name: one for one in check_cameras(library)}
    assert found["None"].view is None
    assert not found["None"].is_doubtful
    for happened in _HAPPENED:
        view = found[happened].view
        assert view is not None, happened
        assert (Path(view.path).name, view.at) == ("IMG_0024.JPG", "2024-05-04T00:00:00")
        assert (view.infrared, view.embedder) == (False, "hog")
        assert found[happened].is_doubtful
        assert not found[happened].clock.is_doubtful
    told = in_this_process(tmp_path, "deployments", "check")
    question = (
        "its view changed on 2024-05-04 at 00:00 and stayed so, from IMG_0024.JPG on: was the "
        "camera moved, or its lens covered?"
    )
    assert told.out.count(question) == 2
    assert "shift" not in told.err
    cameras = in_this_process(tmp_path, "deployments", "check", "--json").json["cameras"]
    assert [camera["view"] is None for camera in cameras].count(True) == 1


def _series(*parts: tuple[int, int], spread: float = 0.3, seed: int = 0) -> NDArray[np.float32]:
    """Vectors around axes: so many around each."""
    draw = np.random.default_rng(seed)
    axes = np.eye(16)
    rows = [axes[axis] + draw.normal(0, spread / 4, (count, 16)) for axis, count in parts]
    return np.concatenate(rows).astype(np.float32)


@pytest.mark.parametrize("at", [20, 23, 31, 40])
def test_the_first_photo_after_a_change_is_told(at: int) -> None:
    change = find_change(_series((0, at), (1, 60 - at)))
    assert change is not None
    assert change.row == at


def test_what_does_not_stay_is_no_change() -> None:
    """One odd night, an animal that stays for a while, a place that changes with its leaves."""
    assert find_change(_series((0, 60))) is None
    assert find_change(_series((0, 28), (1, 5), (0, 27))) is None
    slow = np.linspace(0, 1, 80)[:, None] * _series((1, 80)) + _series((0, 80), seed=1)
    assert find_change(slow.astype(np.float32)) is None


def test_of_few_photos_nothing_is_said() -> None:
    assert find_change(_series((0, LEAST // 2), (1, LEAST - 1 - LEAST // 2))) is None
    assert find_change(_series((0, LEAST - 10), (1, 10))) is not None
    assert find_change(np.zeros((0, 16), dtype=np.float32)) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(LEAST, 400), st.floats(0.05, 3))
def test_photos_of_a_place_that_stays_are_hardly_ever_doubted(
    seed: int, count: int, spread: float
) -> None:
    found = find_change(_series((0, count), spread=spread, seed=seed))
    assert found is None or found.times_usual < 2.5
