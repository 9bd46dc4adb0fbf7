"""Videos are images: a few of their frames, one vector, one picture."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from organizer import decode
from organizer.errors import ImageError
from organizer.library import Library
from organizer.live_photos import duration_in
from organizer.metadata import image_facts
from organizer.pixels import video
from organizer.types import FRAME_AT, DecodedImage, ImageRef
from tests.conftest import Run, make_photo
from tests.videos import CONTAINERS, RATE, make_video, plain, with_date

RED, GREEN, BLUE = (200, 40, 40), (40, 200, 40), (40, 40, 200)
kinds = pytest.mark.parametrize("kind", CONTAINERS)


@pytest.fixture(autouse=True, scope="module")
def _pyav() -> None:
    pytest.importorskip("av", reason="the extra video is not installed")


def frames_of(data: bytes, name: str, most: int = 16) -> list[DecodedImage]:
    ref = ImageRef(Path("/photos"), name, len(data), 0)
    return list(decode.decode_frames(ref, data, image_id="0" * 32, most=most))


def colour(image: DecodedImage) -> int:
    """Which of red, green and blue a frame is."""
    return int(image.pixels.reshape(-1, 3).mean(axis=0).argmax())


@kinds
def test_a_frame_is_taken_each_second(kind: str) -> None:
    data = make_video(kind, [*plain(RED), *plain(GREEN), *plain(BLUE), *plain(RED)])
    frames = frames_of(data, f"a{kind}")
    assert [colour(frame) for frame in frames] == [0, 1, 2, 0]
    assert [frame.frame_at for frame in frames] == pytest.approx([0, 1, 2, 3], abs=0.1)
    assert {(frame.width, frame.height, frame.format) for frame in frames} == {
        (128, 96, kind[1:].upper())
    }
    assert frames[0].duration == pytest.approx(4, abs=0.3)


@kinds
def test_a_frame_is_found_again_by_its_second(kind: str) -> None:
    data = make_video(kind, [*plain(RED), *plain(GREEN), *plain(BLUE)])
    for frame in frames_of(data, f"a{kind}"):
        again = decode.decode_image(frame.ref, data, frame_at=frame.frame_at)
        assert (again.pixels == frame.pixels).all()
        assert again.frame_at == frame.frame_at


def test_of_a_long_video_some_frames_are_taken_at_equal_distances() -> None:
    data = make_video(".mp4", plain(RED, 40 * RATE))
    times = [frame.frame_at for frame in frames_of(data, "a.mp4", most=4)]
    assert times == pytest.approx([0, 10, 20, 30], abs=0.1)


@kinds
def test_a_short_video_has_one_frame(kind: str) -> None:
    assert len(frames_of(make_video(kind, plain(GREEN, 2)), f"a{kind}")) == 1


@pytest.mark.parametrize("content", [b"x" * 5_000, b"RIFF\0\0\0\0AVI LIST", b"\0\0\0\x14ftypqt  "])
def test_a_damaged_video_is_a_problem(content: bytes) -> None:
    with pytest.raises(ImageError, match="video"):
        frames_of(content, "a.avi")


@cache
def _whole(kind: str) -> bytes:
    return make_video(kind, [*plain(RED), *plain(GREEN)])


@settings(max_examples=20)
@given(st.sampled_from([".avi", ".mp4", ".mts"]), st.data())
def test_of_a_video_that_was_cut_the_rest_is_read(kind: str, data: st.DataObject) -> None:
    whole = _whole(kind)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    try:
        frames = frames_of(cut, f"a{kind}")
    except ImageError:
        return
    assert frames


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_video(".avi", plain(RED))
    monkeypatch.setattr(video, "find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"pip install 'organizer-photos\[video\]'") as raised:
        frames_of(data, "a.avi")
    assert not raised.value.lasting


# Times ---------------------------------------------------------------------------------------


def taken_at(data: bytes, name: str) -> tuple[str | None, object]:
    facts = image_facts(frames_of(data, name)[0])
    return facts.taken_at, facts.extra.get("time_source")


def test_the_clock_of_a_telephone_is_read_with_its_source() -> None:
    told = {
        "com.apple.quicktime.creationdate": "2024-05-01T12:15:00+0200",
        "creation_time": "2024-05-01T10:15:00Z",
    }
    data = make_video(".mov", plain(RED), told)
    assert taken_at(data, "a.mov") == ("2024-05-01T12:15:00", "QuickTime:CreationDate")


def test_the_date_in_an_avi_is_that_of_the_cameras_clock() -> None:
    data = with_date(make_video(".avi", plain(RED)), "Wed May 01 10:15:00 2024")
    assert taken_at(data, "a.avi") == ("2024-05-01T10:15:00", "AVI:DateTimeOriginal")


@pytest.mark.parametrize("kind", [".mp4", ".mov", ".mkv"])
def test_a_time_that_may_be_in_utc_or_local_is_unknown(kind: str) -> None:
    data = make_video(kind, plain(RED), {"creation_time": "2024-05-01T10:15:00Z"})
    assert taken_at(data, f"a{kind}") == (None, None)


# Ingest --------------------------------------------------------------------------------------


def test_a_trail_cameras_video_is_no_companion_of_the_photo_before_it(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    live, clip = plain(RED, 2 * RATE), plain(GREEN, 10 * RATE)
    videos = {"LIVE.MOV": live, "PICT.MP4": clip, "IMG.AVI": clip[:RATE]}
    for seed, (name, video_of) in enumerate(videos.items()):
        make_photo(folder / f"{Path(name).stem}.JPG", seed, colour=BLUE)
        (folder / name).write_bytes(make_video(Path(name).suffix.lower(), video_of))
    make_photo(folder / "ODD.JPG", 9, colour=BLUE)
    (folder / "ODD.MOV").write_bytes(b"a video that tells nothing")
    ran = run("ingest", "photos", "--embedder", "channel-mean", "--json")
    assert (ran.json["added"], ran.json["companions"]) == (6, 2)
    assert ran.json["videos_beside_photos"] == 2
    assert "2 videos are images of their own, beside a photo of the same name" in ran.err


@pytest.mark.parametrize("kind", [".mp4", ".mov"])
@pytest.mark.parametrize("seconds", [2, 10])
def test_the_header_of_a_video_tells_how_long_it_is(kind: str, seconds: int) -> None:
    data = make_video(kind, plain(RED, seconds * RATE))
    assert duration_in(io.BytesIO(data)) == pytest.approx(seconds, abs=0.3)
    moved = b"\0\0\0\x01free" + (16 + 9).to_bytes(8, "big") + b"x" * 9 + data
    assert duration_in(io.BytesIO(moved)) == pytest.approx(seconds, abs=0.3)


@given(st.binary(max_size=200), st.integers(0, 1_500))
def test_a_header_that_is_none_tells_nothing_and_harms_nothing(junk: bytes, cut: int) -> None:
    duration_in(io.BytesIO(junk))
    duration_in(io.BytesIO(_whole(".mp4")[:cut] + junk))


def test_fiftyone_gets_no_video_and_detectors_tools_their_frames(run: Run, tmp_path: Path) -> None:
    make_photo(tmp_path / "photos" / "a.jpg", colour=GREEN)
    data = make_video(".mp4", [*plain(RED), *plain(GREEN, 3 * RATE), *plain(BLUE)])
    (tmp_path / "photos" / "b.mp4").write_bytes(data)
    assert run("ingest", "photos", "--embedder", "channel-mean").code == 0
    told = run("export", "fiftyone", "--json")
    assert (told.json["images"], told.json["skipped"]["videos"]) == (1, 1)
    samples = json.loads((tmp_path / "organizer-fiftyone" / "samples.json").read_text("utf-8"))
    assert [Path(sample["filepath"]).name for sample in samples["samples"]] == ["a.jpg"]
    said = run("export", "fiftyone", "--force")
    assert "left out, the format holds no videos: 1" in said.err
    assert run("export", "megadetector-json", "--to", "out.json").code == 0
    photo, video_of = json.loads((tmp_path / "out.json").read_text("utf-8"))["images"]
    assert "frame_rate" not in photo
    (number,) = video_of["frames_processed"]
    assert [box["frame_number"] for box in video_of["detections"]] == [number]
    assert 1 <= number / video_of["frame_rate"] < 4


def test_an_ingest_takes_videos_and_shows_the_frame_in_their_midst(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    make_photo(folder / "a.jpg", colour=GREEN)
    (folder / "a.mov").write_bytes(b"the video of a live photo")
    frames = [*plain(RED), *plain(GREEN, 3 * RATE), *plain(BLUE)]
    (folder / "MVI_1.AVI").write_bytes(make_video(".avi", frames))
    (folder / "MVI_1.THM").write_bytes(b"its small copy")
    (folder / "bad.mp4").write_bytes(b"x" * 100)
    ran = run("ingest", "photos", "--embedder", "channel-mean", "--json")
    assert (ran.code, ran.json["added"], ran.json["broken"]) == (3, 2, 1)
    assert ran.json["companions"] == 2
    with Library.open(tmp_path) as library:
        image = library.images[folder / "MVI_1.AVI"]
        facts = image.facts.extra
        assert facts["kind"] == "video"
        assert float(facts["duration"]) == pytest.approx(5, abs=0.2)
        assert 1 <= float(facts[FRAME_AT]) < 4
        library.ingest([folder], reread_metadata=True)
        again = library.images[folder / "MVI_1.AVI"]
        assert again.facts.extra == image.facts.extra, "the frame that is shown, and how long it is"
        picture = library.images.thumbnail(image.id, side=96)
    assert picture is not None
    shown = np.asarray(Image.open(io.BytesIO(picture.jpeg)))
    assert shown.reshape(-1, 3).mean(axis=0).argmax() == 1
    assert run("export", "csv", "--to", "out.csv").code == 0
    text = (tmp_path / "out.csv").read_text("utf-8-sig")
    assert "extra.kind" in text
    assert "video" in text
    assert json.loads(run("ingest", "photos", "--json").out)["unchanged"] == 2
