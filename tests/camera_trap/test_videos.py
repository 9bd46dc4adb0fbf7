"""Videos of trail cameras: detections of their frames in and out, Camtrap DP and Timelapse."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from organizer.library import Library
from tests.conftest import Run, make_photo
from tests.videos import RATE, make_video, plain

RED, BLUE = (200, 40, 40), (40, 40, 200)


@pytest.fixture(autouse=True, scope="module")
def _pyav() -> None:
    pytest.importorskip("av", reason="the extra video is not installed")


def _animal_in_the_third_second() -> bytes:
    """A red place, and from the third second on a blue animal in its upper left quarter."""
    frames = [*plain(RED, 2 * RATE), *(frame.copy() for frame in plain(RED, 2 * RATE))]
    for frame in frames[2 * RATE :]:
        frame[:48, :64] = BLUE
    return make_video(".mp4", frames)


def _box(number: int, frame: int, confidence: float, *edges: float) -> dict[str, Any]:
    box = {"category": str(number), "conf": confidence, "bbox": list(edges)}
    return {**box, "frame_number": frame}


def _write_results(file: Path, *boxes: dict[str, Any]) -> None:
    video = {
        "file": "cam1/PICT0001.MP4",
        "frame_rate": RATE,
        "frames_processed": [0, RATE, 2 * RATE, 3 * RATE],
        "detections": list(boxes),
    }
    photo = {"file": "cam1/PICT0002.JPG", "detections": []}
    categories = {"1": "animal", "2": "person", "3": "vehicle"}
    info = {"format_version": "1.5", "detector": "md_v5a.0.0.pt"}
    results = {"images": [video, photo], "detection_categories": categories, "info": info}
    file.write_text(json.dumps(results), encoding="utf-8")


@pytest.fixture
def card(tmp_path: Path, run: Run) -> Path:
    """A card with a video and a photo, ingested."""
    card = tmp_path / "card"
    make_photo(card / "cam1" / "PICT0002.JPG", 2)
    (card / "cam1" / "PICT0001.MP4").write_bytes(_animal_in_the_third_second())
    assert run("ingest", "card", "--embedder", "channel-mean").code == 0
    return card


def test_the_boxes_of_the_frame_with_the_surest_animal_are_those_of_a_video(
    run: Run, tmp_path: Path, card: Path
) -> None:
    _write_results(
        tmp_path / "md.json",
        _box(1, RATE, 0.3, 0.6, 0.6, 0.2, 0.2),
        _box(1, 2 * RATE, 0.9, 0.0, 0.0, 0.5, 0.5),
        _box(1, 3 * RATE, 0.8, 0.0, 0.0, 0.5, 0.5),
    )
    ran = run("detections", "import", "md.json", "--base", "card", "--json")
    assert (ran.code, ran.json["images"], ran.json["embedded"]) == (0, 2, 1)
    with Library.open(tmp_path) as library:
        image_id = library.store.photos.image_at(card / "cam1" / "PICT0001.MP4")
        assert image_id is not None
        (found,) = library.store.detections.of([image_id]).values()
        (box,) = found.detections
        assert box.confidence == pytest.approx(0.9)
        assert found.extra["frame_at"] == 2
        assert found.extra["boxes_in_other_frames"] == 2
        spec = next(s for s in library.store.vectors.specs() if s.name.startswith("crops:"))
        vector = library.store.vectors.read_some(spec, [box.crop_id])[box.crop_id]
        assert np.argmax(vector) == 2, "the crop is cut out of the frame in which the animal is"
        picture = library.images.thumbnail(box.crop_id, side=96)
        assert picture is not None
    assert run("export", "megadetector-json", "--to", "out.json").code == 0
    (video, _) = json.loads((tmp_path / "out.json").read_text("utf-8"))["images"]
    (detection,) = video["detections"]
    assert detection["frame_number"] / video["frame_rate"] == 2
    again = run("detections", "import", "out.json", "--base", "card", "--json")
    assert (again.code, again.json["embedded"]) == (0, 0), "what we write is read as the same"


def test_a_person_in_any_frame_puts_a_video_in_quarantine(
    run: Run, tmp_path: Path, card: Path
) -> None:
    del card
    _write_results(
        tmp_path / "md.json",
        _box(1, 2 * RATE, 0.9, 0.0, 0.0, 0.5, 0.5),
        _box(2, 0, 0.7, 0.1, 0.1, 0.2, 0.2),
    )
    assert run("detections", "import", "md.json", "--base", "card").code == 0
    assert run("export", "csv", "--json", "--to", "t.csv").json["skipped"]["people"] == 1


def test_timelapse_and_camtrap_dp_have_a_row_for_a_video(
    run: Run, tmp_path: Path, card: Path
) -> None:
    del card
    told = run("export", "timelapse-csv", "--set", "datetime=no", "--to", "t.csv")
    assert told.code == 0, told.err
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text("utf-8-sig").splitlines()))
    names = {(row["RelativePath"], row["File"]) for row in rows}
    assert names == {("cam1", "PICT0001.MP4"), ("cam1", "PICT0002.JPG")}
