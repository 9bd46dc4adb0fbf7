"""Python objects through a pipe; arrays go as they are, without a copy in between."""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

_HEAD = struct.Struct("<QQ")
"""Bytes of the pickle, and number of the buffers that follow it."""

_LENGTH = struct.Struct("<Q")
_MOST_BUFFERS = 64
_MOST_BYTES = 1 << 35
"""What is larger was never sent: the process on the other end has lost its senses."""


class BrokenMessageError(Exception):
    """What came is no message: the other end died in the middle of one, or its memory is broken."""


def send(stream: BinaryIO, value: object) -> None:
    """Send an object.

    Args:
        stream: An unbuffered pipe.
        value: What can be pickled.

    Raises:
        OSError: Nobody reads any more.
    """
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raws = [buffer.raw() for buffer in buffers]
    lengths = b"".join(_LENGTH.pack(raw.nbytes) for raw in raws)
    _write(stream, memoryview(_HEAD.pack(len(body), len(raws)) + lengths + body))
    for raw in raws:
        _write(stream, raw)


def receive(stream: BinaryIO) -> Any:
    """The next object.

    Raises:
        EOFError: Nobody writes any more.
        BrokenMessageError: What comes is no message.
    """
    head = stream.read(_HEAD.size)
    if not head:
        raise EOFError
    if len(head) < _HEAD.size:
        raise BrokenMessageError
    length, count = _HEAD.unpack(head)
    if count > _MOST_BUFFERS:
        raise BrokenMessageError
    lengths = _LENGTH.iter_unpack(_read(stream, count * _LENGTH.size))
    sizes = [size for (size,) in lengths]
    if length + sum(sizes) > _MOST_BYTES:
        raise BrokenMessageError
    body = _read(stream, length)
    buffers = [_read(stream, size) for size in sizes]
    try:
        return pickle.loads(body, buffers=buffers)  # noqa: S301 - of a process of this user
    except Exception as error:
        raise BrokenMessageError from error


def _write(stream: BinaryIO, view: memoryview) -> None:
    while view.nbytes:
        view = view[stream.write(view) :]


def _read(stream: BinaryIO, size: int) -> bytearray:
    data = bytearray(size)
    if stream.readinto(data) < size:  # type: ignore[attr-defined]
        raise BrokenMessageError
    return data
