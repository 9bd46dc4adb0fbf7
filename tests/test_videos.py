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
    with pytest.raises(ImageError, match=r"pip install 'organizer\[video\]'") as raised:
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
