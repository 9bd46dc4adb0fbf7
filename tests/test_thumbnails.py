"""Pictures of a library's images: what the files hold now is shown only if it is the image."""

from __future__ import annotations

import io
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from organizer.library import Library
from organizer.library.images.thumbnails import make_thumbnails
from organizer.library.progress import NoProgress
from organizer.thumbnail import Thumbnail
from tests.conftest import make_photo
from tests.test_ingest import COLOUR, Listening


def _ids(library: Library) -> dict[str, str]:
    """Image id by the path of its first file, relative to the photos."""
    rows = library.store.photos.files_of()
    return {"/".join(files[0].file.parts[-2:]): image_id for image_id, files in rows.items()}


def _pictures(library: Library, wanted: list[str], **how: Any) -> dict[str, Thumbnail]:
    return make_thumbnails(library.store, wanted, progress=NoProgress(), **how)


def _colour(picture: Thumbnail) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(picture.jpeg)))
    return int(pixels.reshape(-1, 3).mean(axis=0).argmax())


@pytest.mark.parametrize("threads", [1, 4])
def test_each_image_gets_its_own_picture_in_the_order_asked(filled: Library, threads: int) -> None:
    ids = _ids(filled)
    wanted = sorted(ids.values())
    found = _pictures(filled, [*wanted, wanted[0]], threads=threads)
    assert list(found) == wanted
    for path, image_id in ids.items():
        assert _colour(found[image_id]) == ["red", "green", "blue"].index(path.split("/")[0])
        assert (found[image_id].width, found[image_id].height) == (64, 48)


def test_a_picture_is_as_small_as_asked(filled: Library) -> None:
    (found,) = _pictures(filled, sorted(_ids(filled).values())[:1], side=32).values()
    assert (found.width, found.height) == (32, 24)


def test_files_that_are_gone_broken_or_changed_are_absent(filled: Library, photos: Path) -> None:
    ids = _ids(filled)
    (photos / "red/000.jpg").unlink()
    (photos / "red/001.jpg").write_bytes(b"no picture")
    (photos / "red/002.jpg").write_bytes(b"")
    make_photo(photos / "red/003.jpg", 999, colour=(40, 40, 200))
    shutil.rmtree(photos / "green")
    found = _pictures(filled, list(ids.values()))
    lost = {path for path, image_id in ids.items() if image_id not in found}
    assert lost == {f"red/00{i}.jpg" for i in range(4)} | {f"green/00{i}.jpg" for i in range(8)}


def test_a_copy_stands_in_for_a_file_that_went_or_changed(library: Library, photos: Path) -> None:
    shutil.copy(photos / "red/000.jpg", photos / "z-copy.jpg")
    library.ingest([photos], embedder=COLOUR)
    image_id = _ids(library)["red/000.jpg"]
    make_photo(photos / "red/000.jpg", 999, colour=(40, 40, 200))
    assert _colour(_pictures(library, [image_id])[image_id]) == 0
    (photos / "red/000.jpg").unlink()
    assert image_id in _pictures(library, [image_id])


def test_a_file_over_the_limit_is_absent(filled: Library) -> None:
    assert _pictures(filled, list(_ids(filled).values()), max_file_bytes=10) == {}


def test_an_unknown_image_is_absent(filled: Library) -> None:
    assert _pictures(filled, ["0" * 32]) == {}
    assert _pictures(filled, []) == {}


def test_a_picture_is_upright(library: Library, tmp_path: Path) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, :200] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned").mkdir()
    Image.fromarray(pixels).save(tmp_path / "turned/a.jpg", exif=exif)
    library.ingest([tmp_path / "turned"], embedder=COLOUR)
    (found,) = _pictures(library, list(_ids(library).values())).values()
    assert (found.width, found.height) == (72, 96)
    shown = np.asarray(Image.open(io.BytesIO(found.jpeg)))
    assert shown[:40].mean() > 250
    assert shown[-40:].mean() < 5


def test_progress_is_told_of_every_image(filled: Library, photos: Path) -> None:
    ids = list(_ids(filled).values())
    (photos / "red/000.jpg").unlink()
    told = Listening()
    make_thumbnails(filled.store, ids, progress=told)
    assert told.tasks == ["reading pictures"]
    assert told.steps == len(ids)


def test_warnings_of_the_caller_are_as_before(filled: Library) -> None:
    before = list(warnings.filters)
    _pictures(filled, list(_ids(filled).values()))
    assert list(warnings.filters) == before
