"""Hostile bodies: too many bytes, too many pixels, too slow, no picture, nested without end."""

from __future__ import annotations

import io
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from organizer.client import Client
from organizer.library import Library
from organizer.service import ServiceOptions
from tests.service.servers import running

PATH = "/api/v1/search/picture"
_LIMIT = 200_000


@pytest.fixture(scope="module")
def strict(field_library: Library) -> Iterator[str]:
    """A service that takes little, and not for long."""
    options = ServiceOptions(max_upload=_LIMIT, max_body=10_000, max_body_seconds=1.0)
    with running(field_library, options) as url:
        yield url


def test_a_photo_of_the_library_is_its_own_first_hit(reader: Client, field: Path) -> None:
    for photo in (
        field / "photos" / "fox" / "fox0-0.jpg",
        field / "photos" / "green" / "green0.png",
    ):
        hits = reader.search_picture(photo, limit=5).hits
        assert len(hits) == 5
        assert hits[0].path == str(photo)
        assert hits[0].distance == pytest.approx(0, abs=1e-4)
        distances = [hit.distance or 0 for hit in hits]
        assert distances == sorted(distances)
        assert reader.search_picture(photo.read_bytes(), limit=5).hits == hits


def test_too_many_bytes_by_the_header(strict: str) -> None:
    answer = httpx.post(f"{strict}{PATH}", content=b"\xff\xd8" + bytes(_LIMIT))
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_too_many_bytes_in_chunks(strict: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(10_000)

    try:
        answer = httpx.post(f"{strict}{PATH}", content=chunks())
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        return  # the service has hung up
    assert answer.status_code == 413


def test_too_many_bytes_of_json(strict: str) -> None:
    body = json.dumps({"likes": [], "text": "x" * 20_000})
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{strict}/api/v1/search", content=body, headers=headers)
    assert answer.status_code == 413


def _bomb_png(side: int) -> bytes:
    """A PNG of side x side pixels in a few kilobytes, made without decoding it."""
    import struct

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(64)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def _gif_frames() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (200, 90, 40 + i)) for i in range(50)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), "red").save(buffer, "JPEG")
    return buffer.getvalue()


HOSTILE = {
    "empty": b"",
    "text": b"hello",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "bomb": _bomb_png(60_000),
    "wide bomb": _bomb_png(20_000),
    "head of a JPEG": _jpeg()[:100],
    "zeros": bytes(50_000),
    "nothing but a marker": b"\xff\xd8\xff",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["image/jpeg", "text/html", ""])
def test_what_is_no_picture_is_refused(field_url: str, name: str, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    began = time.monotonic()
    answer = httpx.post(f"{field_url}{PATH}", content=HOSTILE[name], headers=headers, timeout=60)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "/problems/invalid"
    assert "alert(1)" not in answer.text
    assert time.monotonic() - began < 30


def test_an_odd_picture_is_searched_with_or_refused(reader: Client, field_url: str) -> None:
    assert reader.search_picture(_gif_frames(), limit=1).hits
    cut = httpx.post(f"{field_url}{PATH}", content=_jpeg()[: len(_jpeg()) // 2])
    assert cut.status_code in {200, 422}


def _slowly(url: str, path: str, *, body: bytes, length: int, kind: str) -> bytes:
    """What comes back where a body is begun and not ended; b"" where the service hung up."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {kind}\r\n"
            f"If-Match: *\r\nContent-Length: {length}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        received = b""
        while part := connection.recv(65_536):
            received += part
        return received


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (PATH, "image/jpeg"),
        ("/api/v1/search", "application/json"),
        ("/api/v1/decisions", "application/json"),
    ],
)
def test_a_body_that_does_not_come_is_not_waited_for(strict: str, path: str, kind: str) -> None:
    began = time.monotonic()
    received = _slowly(strict, path, body=b'{"a', length=5_000, kind=kind)
    assert time.monotonic() - began < 10
    assert received.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in received
    assert b"nosniff" in received


NO_JSON = {
    "nested lists": "[" * 50_000,
    "nested objects": '{"a":' * 50_000,
    "cut": "{",
    "zero": "\0",
    "no number": "NaN",
    "half a character": '{"likes": ["\\ud800"], "decisions": "\\ud800"}',
    "digits": "1" * 9_000,
}


@pytest.mark.parametrize("path", ["/search", "/decisions", "/review/answers", "/ingests"])
@pytest.mark.parametrize("name", NO_JSON)
def test_a_body_that_is_no_json_is_refused(field_url: str, path: str, name: str) -> None:
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    answer = httpx.post(f"{field_url}/api/v1{path}", content=NO_JSON[name], headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_packed_bodies_are_not_unpacked(field_url: str) -> None:
    body = zlib.compress(bytes(10**7))
    headers = {"Content-Encoding": "deflate"}
    answer = httpx.post(f"{field_url}{PATH}", content=body, headers=headers)
    assert answer.status_code == 422
