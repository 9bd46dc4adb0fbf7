"""Videos: frames at some moments, upright, and what the container tells.

PyAV (FFmpeg) reads them from memory, finds frames by time in any container, and gives the
container's metadata, which OpenCV does not.

Times: Apple's ``com.apple.quicktime.creationdate`` is a clock's time with its offset, and
the date of an AVI (``IDIT``) is what the camera's clock showed. The ``creation_time`` of MP4, MOV
and MKV is in UTC by their standards and local time in what many cameras write: it has no one
meaning, and is not read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ImageError

_APPLE = "com.apple.quicktime."
_TAGS = {
    f"{_APPLE}creationdate": "QuickTime:CreationDate",
    f"{_APPLE}make": "Make",
    f"{_APPLE}model": "Model",
}
_MICROSECONDS = 1_000_000
_WITHOUT_INDEX = frozenset({"mpegts", "mpeg"})
"""Containers in which a place is found by guessing: they are decoded from their beginning."""

_ROUNDING = 1_000
"""Microseconds: moments are kept in thousandths of a second."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame of a video.

    Attributes:
        pixels: ``(h, w, 3)`` uint8 RGB, upright.
        at: Seconds from the beginning of the video.
        duration: Seconds of the video; None where the container does not tell.
        tags: What the container tells, by the names of EXIF and QuickTime.
    """

    pixels: NDArray[np.uint8]
    at: float
    duration: float | None
    tags: dict[str, str | int | float]


def video_frames(data: bytes, *, most: int, max_pixels: int | None = None) -> Iterator[VideoFrame]:
    """Frames of a video, one a second; of one with more seconds, at equal distances.

    Args:
        data: The whole file.
        most: Frames at most.
        max_pixels: A video with larger frames is refused.

    Raises:
        ImageError: PyAV is not installed, or not one frame can be decoded.
    """
    with _opened(data, max_pixels) as (container, stream):
        seconds = _seconds(container)
        count = max(1, min(most, int(seconds or 1)))
        step = max(1.0, (seconds or 1.0) / count)
        yield from _frames_at(container, stream, [place * step for place in range(count)])


def video_frame(data: bytes, at: float, *, max_pixels: int | None = None) -> VideoFrame:
    """The frame of a video at a moment, in seconds; see `video_frames`."""
    with _opened(data, max_pixels) as (container, stream):
        return next(_frames_at(container, stream, [at]))


def _frames_at(container: Any, stream: Any, moments: list[float]) -> Iterator[VideoFrame]:
    """The frames that are shown at some moments; a moment that cannot be decoded is left out."""
    begin = container.start_time or 0
    seconds, tags = _seconds(container), _tags(container)
    can_seek = container.format.name not in _WITHOUT_INDEX
    decoded = container.decode(stream)
    last: float | None = None
    count = 0
    for moment in moments:
        place = begin + round(moment * _MICROSECONDS)
        try:
            if can_seek and moment > 0:
                container.seek(place, backward=True)
                decoded = container.decode(stream)
            frame = _first_from(decoded, place)
            pixels = None if frame is None else _upright(frame)
        except _errors() as error:
            if not count and moment == moments[-1]:
                raise _damaged(error) from error
            continue
        if pixels is not None and (frame.time != last or not count):
            count, last = count + 1, frame.time
            at = 0.0 if frame.time is None else frame.time - begin / _MICROSECONDS
            yield VideoFrame(pixels, round(at, 3), seconds, dict(tags))
    if not count:
        raise ImageError("the video holds no frame that can be decoded")


def _first_from(decoded: Iterator[Any], place: int) -> Any:
    """The first frame from a place on, in microseconds, or the last before it; None for none."""
    frame = None
    for frame in decoded:
        if frame.time is None or frame.time * _MICROSECONDS >= place - _ROUNDING:
            break
    return frame


def _upright(frame: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def _tags(container: Any) -> dict[str, str | int | float]:
    told = container.metadata
    tags: dict[str, str | int | float] = {
        ours: told[name] for name, ours in _TAGS.items() if name in told
    }
    if container.format.name == "avi" and "creation_time" in told:
        tags["AVI:DateTimeOriginal"] = told["creation_time"]
    return tags


def _seconds(container: Any) -> float | None:
    return None if container.duration is None else container.duration / _MICROSECONDS


@contextmanager
def _opened(data: bytes, max_pixels: int | None) -> Iterator[tuple[Any, Any]]:
    if find_spec("av") is None:
        raise ImageError(
            "videos are not read here: pip install 'organizer-photos[video]' to read them",
            lasting=False,
        )
    import av

    try:
        container = av.open(io.BytesIO(data), metadata_errors="replace")
    except _errors() as error:
        raise _damaged(error) from error
    with container:
        if not container.streams.video:
            raise ImageError("the file holds no video")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise ImageError("the video is damaged, or of a codec that cannot be read")
        size = stream.codec_context.width * stream.codec_context.height
        if max_pixels is not None and size > max_pixels:
            raise ImageError(
                f"the video has {size:,} pixels, over the limit of {max_pixels:,}", too_large=True
            )
        yield container, stream


def _errors() -> tuple[type[Exception], ...]:
    import av

    return (av.FFmpegError, OSError, ValueError, EOFError)


def _damaged(error: Exception) -> ImageError:
    return ImageError(f"the video is damaged: {' '.join(str(error).split())}")
