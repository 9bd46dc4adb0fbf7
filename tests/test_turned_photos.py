"""Photos that a tag turns: detectors' boxes and crops follow the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from organizer.library import Library
from organizer.library.detections.importing import with_crops
from organizer.pixels.turns import turned_box, upright
from organizer.settings import Settings
from organizer.types import Box, Crop, Detected, Detection, ImageDetections, crop_id
from tests.test_metadata_written import write_tags
from tests.typed import in_this_process

_ORIENTATIONS = st.integers(1, 8)
_RED, _BLUE, _PLACE = (220, 30, 30), (30, 30, 220), (30, 160, 60)


@given(
    _ORIENTATIONS, _ORIENTATIONS, st.integers(0, 12), st.integers(0, 12), st.integers(1, 8),
    st.integers(1, 8),
)  # fmt: skip
def test_a_box_holds_the_same_pixels_however_its_picture_is_turned(
    former: int, now: int, x: int, y: int, width: int, height: int
) -> None:
    stored = np.arange(16 * 32, dtype=np.uint16).reshape(16, 32)[..., None]  # shares are exact
    before, after = (upright(stored, turn) for turn in (former, now))  # type: ignore[arg-type]
    high, wide = before.shape[:2]
    width, height = min(width, wide - x), min(height, high - y)
    box = Box(x / wide, y / high, width / wide, height / high)
    turned = turned_box(box, former, now)
    left, top, right, low = turned.pixels(after.shape[1], after.shape[0])
    inside = before[y : y + height, x : x + width]
    assert sorted(after[top:low, left:right].ravel()) == sorted(inside.ravel())
    again = turned_box(turned, now, former)
    assert np.allclose(
        [again.x, again.y, again.width, again.height], [box.x, box.y, box.width, box.height]
    )


def _photo(file: Path, seed: int) -> None:
    """A red animal at the upper left, and a blue one at the lower right."""
    draw = np.random.default_rng(seed)
    pixels = np.array(_PLACE) + draw.normal(0, 5, (60, 80, 3))
    pixels[6:24, 4:28] = _RED + draw.normal(0, 8, 3) * (seed > 0)
    pixels[40:56, 50:76] = _BLUE + draw.normal(0, 8, 3) * (seed > 0)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, quality=95)


_BOXES = (
    Detection("animal", 0.9, 4 / 80, 6 / 60, 24 / 80, 18 / 60),
    Detection("animal", 0.8, 50 / 80, 40 / 60, 26 / 80, 16 / 60),
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    for number in range(6):
        _photo(tmp_path / "photos" / f"{number}.jpg", number)
    with Library.open_or_create(tmp_path, Settings()) as opened:
        opened.ingest([tmp_path / "photos"], embedder="channel-mean")
        ids = opened.store.photos.columns("image_id")["image_id"].tolist()
        opened.detections.add([ImageDetections(i, Detected.FOUND, _BOXES) for i in ids])
        opened.recluster(k=2, embedder="crops:channel-mean")
        yield opened


def _clusters(library: Library) -> dict[str, int]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    return dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_boxes_and_crops_of_a_turned_photo_are_where_the_animals_are(
    library: Library, tmp_path: Path, orientation: int
) -> None:
    store, file = library.store, tmp_path / "photos" / "0.jpg"
    image_id = store.photos.image_at(file)
    assert image_id is not None
    crops = {crop.crop_id for crop in store.detections.crops_of([image_id])[image_id]}
    clusters, others = _clusters(library), store.detections.of()
    spec = next(s for s in store.vectors.specs() if s.name.startswith("crops:"))
    vectors = store.vectors.read_some(spec, sorted(crops))
    write_tags(file, orientation=orientation)
    report = library.ingest([tmp_path / "photos"])
    turned = report.turned
    assert (turned.photos, turned.embedded, turned.failed, turned.doubtful) == (1, 2, 0, 0)

    (detected,) = store.detections.of([image_id]).values()
    assert {box.crop_id for box in detected.detections} == crops
    shown = np.asarray(Image.open(file)).astype(np.uint8)
    shown = upright(shown, orientation)
    for box, colour in zip(detected.detections, (_RED, _BLUE), strict=True):
        left, top, right, low = box.box.pixels(shown.shape[1], shown.shape[0])
        cut = shown[top + 2 : low - 2, left + 2 : right - 2].reshape(-1, 3)
        assert np.abs(cut.mean(axis=0) - colour).max() < 12
    for crop in store.detections.crops_of([image_id])[image_id]:
        (box,) = [box for box in detected.detections if box.crop_id == crop.crop_id]
        assert crop.box == box.box
    assert _clusters(library) == clusters
    now = store.vectors.read_some(spec, sorted(crops))
    assert now.keys() == vectors.keys()
    for cut_out in crops:  # the same part of the photo: it was background before
        assert np.abs(now[cut_out] - vectors[cut_out]).max() < 6
    rest = others.keys() - {image_id}
    after = store.detections.of()
    assert {i: after[i] for i in rest} == {i: others[i] for i in rest}
    assert library.ingest([tmp_path / "photos"]).turned.photos == 0

    write_tags(file, orientation=1)
    library.ingest([tmp_path / "photos"])
    (back,) = store.detections.of([image_id]).values()
    for box, former in zip(back.detections, _BOXES, strict=True):
        assert box.box.overlap(former.box) > 0.99


def test_the_command_says_that_boxes_were_turned(library: Library, tmp_path: Path) -> None:
    library.close()
    write_tags(tmp_path / "photos" / "0.jpg", orientation=6)
    told = in_this_process(tmp_path, "ingest", "photos")
    assert "1 photo turned with the boxes of its detections; 2 crops embedded anew" in told.err


def test_a_detector_that_is_run_on_the_turned_photo_finds_the_same_crops() -> None:
    image, box = "a" * 32, Box(0.1, 0.1, 0.2, 0.3)
    turned = turned_box(box, 1, 3)
    known = [Crop(crop_id(image, box), image, turned)]
    seen = Detection("animal", 0.9, turned.x, turned.y, turned.width, turned.height)
    another = Detection("animal", 0.8, box.x, box.y, box.width, box.height)
    found = with_crops(ImageDetections(image, Detected.FOUND, (seen, another)), known)
    ids = [box.crop_id for box in found.detections]
    assert ids[0] == known[0].crop_id
    assert ids[1] not in {"", ids[0]}
    again = with_crops(found, [*known, Crop(ids[1], image, box)])
    assert [box.crop_id for box in again.detections] == ids
