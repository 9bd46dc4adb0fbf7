"""Videos for tests, made with PyAV."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

CONTAINERS = {
    ".mp4": ("mp4", "mpeg4"), ".mov": ("mov", "mjpeg"), ".avi": ("avi", "mjpeg"),
    ".mkv": ("matroska", "mpeg4"), ".mts": ("mpegts", "mpeg2video"), ".m4v": ("mp4", "mpeg4"),
}  # fmt: skip
"""Format and codec of each kind of file."""

RATE = 5


def make_video(
    kind: str, frames: Sequence[NDArray[np.uint8]], told: Mapping[str, str] | None = None
) -> bytes:
    """A video of some frames, `RATE` a second."""
    import av

    container_format, codec = CONTAINERS[kind]
    stream = io.BytesIO()
    options = {"movflags": "use_metadata_tags"} if container_format in {"mp4", "mov"} else {}
    with av.open(stream, "w", format=container_format, options=options) as container:
        container.metadata.update(told or {})
        height, width = frames[0].shape[:2]
        video = container.add_stream(codec, rate=25 if codec == "mpeg2video" else RATE)
        video.width, video.height = width, height
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.bit_rate = 4_000_000
        repeats = 5 if codec == "mpeg2video" else 1  # MPEG-2 knows no rate so low
        for frame in (frame for frame in frames for _ in range(repeats)):
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(video.encode())
    return stream.getvalue()


def with_date(avi: bytes, date: str) -> bytes:
    """An AVI in which the camera wrote a date, as a chunk ``IDIT`` of its header."""
    chunk = date.encode() + b"\n\0"
    chunk = b"IDIT" + len(chunk).to_bytes(4, "little") + chunk + bytes(len(chunk) % 2)
    size = int.from_bytes(avi[4:8], "little") + len(chunk)
    header = int.from_bytes(avi[16:20], "little")
    assert avi[12:16] == b"LIST"
    end = 20 + header
    longer = (header + len(chunk)).to_bytes(4, "little")
    return (
        avi[:4] + size.to_bytes(4, "little") + avi[8:16] + longer + avi[20:end] + chunk + avi[end:]
    )


def plain(colour: tuple[int, int, int], count: int = RATE) -> list[NDArray[np.uint8]]:
    """Frames of one colour."""
    return [np.full((96, 128, 3), colour, dtype=np.uint8)] * count
