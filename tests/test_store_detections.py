"""What a detector said of images, and the crops that its boxes make."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.store import Store
from organizer.types import WHOLE, Box, Crop, Detected, Detection, ImageDetections, crop_id

_FRAME, _OTHER, _THIRD = "a1" * 16, "b2" * 16, "c3" * 16


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / ".organizer")


def _box(confidence: float, x: float, *, category: str = "animal") -> Detection:
    box = Box(x, 0.25, 0.25, 0.5)
    cut = crop_id(_FRAME, box) if category == "animal" else ""
    return Detection(category, confidence, box.x, box.y, box.width, box.height, cut)


def test_what_was_written_is_read_the_surest_box_first(store: Store) -> None:
    unassigned, sure = _box(0.21, 0.1), _box(0.7, 0.5)
    said = ImageDetections(
        _FRAME, Detected.FOUND, (unassigned, sure), detector="MDv5", extra={"max": 0.7}
    )
    empty = ImageDetections(_OTHER, Detected.EMPTY, detector="MDv5")
    failed = ImageDetections(_THIRD, Detected.FAILED, failure="no pixels", detector="MDv5")
    assert store.detections.write([said, empty, failed]) == 3
    found = store.detections.of()
    assert found[_FRAME].detections == (sure, unassigned)
    assert (found[_OTHER], found[_THIRD]) == (empty, failed)
    assert found[_FRAME].extra == {"max": 0.7}
    assert store.detections.of([_OTHER]) == {_OTHER: empty}
    assert store.detections.looked_at() == {_FRAME, _OTHER}


def test_later_detections_replace_the_first_and_crops_stay_known(store: Store) -> None:
    first = ImageDetections(_FRAME, Detected.FOUND, (_box(0.9, 0.1), _box(0.3, 0.5)))
    second = ImageDetections(_FRAME, Detected.FOUND, (_box(0.8, 0.2),))
    store.detections.write([first])
    assert store.detections.write([second]) == 1
    assert store.detections.write([second]) == 0
    assert store.detections.of()[_FRAME] == second
    assert store.detections.count() == 1
    cut = {box.crop_id for one in (first, second) for box in one.detections}
    assert set(store.detections.crops()) == cut
    assert {crop.crop_id for crop in store.detections.crops_of([_FRAME])[_FRAME]} == cut
    assert [crop.crop_id for crop, _ in store.detections.current_crops()] == [
        second.detections[0].crop_id
    ]


def test_a_threshold_is_reached_by_what_equals_it(store: Store) -> None:
    boxes = (_box(0.7, 0.1), _box(0.2, 0.4, category="person"))
    store.detections.write([ImageDetections(_FRAME, Detected.FOUND, boxes)])
    detections = store.detections
    assert detections.threshold == 0.2
    assert detections.images_with() == detections.images_with({"person", "vehicle"}) == {_FRAME}
    assert detections.quarantined([_FRAME, _OTHER, boxes[0].crop_id]) == {
        _FRAME, boxes[0].crop_id,
    }  # fmt: skip
    detections.choose_threshold(0.21)
    assert (
        detections.images_with({"person", "vehicle"}) == detections.quarantined([_FRAME]) == set()
    )
    assert detections.images_with() == {_FRAME}
    assert [box for _, box in detections.current_crops()] == [boxes[0]]
    detections.choose_threshold(0.7)
    assert detections.images_with() == {_FRAME}
    detections.choose_threshold(0.71)
    assert detections.images_with() == set()
    assert detections.current_crops() == []


def test_a_library_without_detections_has_none(store: Store) -> None:
    assert store.detections.of() == {}
    assert store.detections.images_with() == store.detections.quarantined([_FRAME]) == set()
    assert store.detections.current_crops() == []
    assert store.detections.crops([_FRAME]) == {}
    assert store.detections.crops_of([_FRAME]) == {}


@given(st.lists(st.integers(0, 10_000), min_size=4, max_size=4))
def test_a_crop_id_is_a_fact_of_frame_and_box(edges: list[int]) -> None:
    box = Box(*(edge / 10_000 for edge in edges))
    near = Box(*(edge / 10_000 + 0.00003 for edge in edges))
    assert crop_id(_FRAME, box) == crop_id(_FRAME, near)
    assert crop_id(_FRAME, box) != crop_id(_OTHER, box)
    moved = Box(box.x + 0.0001, box.y, box.width, box.height)
    assert crop_id(_FRAME, box) != crop_id(_FRAME, moved)
    assert len(bytes.fromhex(Crop.of(_FRAME, box).crop_id)) == 16


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1),
    st.integers(1, 4000), st.integers(1, 4000),
)  # fmt: skip
def test_a_box_in_pixels_lies_in_the_picture_and_is_never_nothing(
    x: float, y: float, width: float, height: float, wide: int, high: int
) -> None:
    left, upper, right, lower = Box(x, y, width, height).pixels(wide, high)
    assert 0 <= left < right <= wide
    assert 0 <= upper < lower <= high


def test_all_of_a_picture_is_all_its_pixels_and_overlaps_itself() -> None:
    assert WHOLE.pixels(640, 480) == (0, 0, 640, 480)
    assert WHOLE.overlap(WHOLE) == 1
    assert Box(0, 0, 0.5, 1).overlap(Box(0.25, 0, 0.5, 1)) == pytest.approx(1 / 3)
    assert Box(0, 0, 0.2, 1).overlap(Box(0.5, 0, 0.5, 1)) == 0
