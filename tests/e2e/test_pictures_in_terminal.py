"""Small pictures on a terminal: what it answers decides, and what it gets is decoded again."""

from __future__ import annotations

import base64
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_groups
from tests.typed import in_this_process

Pixels = NDArray[np.int64]
_CELL = (10, 20)
"""Width and height of a cell of the terminal, pixels."""
_ANSWERS_FOR_SIXEL = b"\x1b[?62;4;22c"
_ANSWERS_WITHOUT = b"\x1b[?62;22c"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, green and blue photos in three clusters; it is only read."""
    home = tmp_path_factory.mktemp("pictures")
    make_groups(home / "photos", each=3)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


def on_terminal(home: Path, *words: str, attributes: bytes, kitty: bool, typed: bytes = b"") -> str:
    """What a command writes to a terminal that answers as a real one does.

    Args:
        home: The current folder.
        *words: What is typed.
        attributes: The answer to the question for its attributes (DA1).
        kitty: Whether it knows the graphics protocol of kitty.
        typed: What somebody types once the prompt is there.
    """
    master, slave = pty.openpty()
    size = struct.pack("HHHH", 40, 80, 80 * _CELL[0], 40 * _CELL[1])
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    process = subprocess.Popen(
        [sys.executable, "-m", "organizer", *words],
        cwd=home,
        env={**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    seen, answered = b"", 0
    question = re.compile(rb"\x1b\[c|\x1b_Gi=(\d+),[^\x1b]*a=q[^\x1b]*\x1b\\|\[y/n/s/o/m/b/q\] ")
    try:
        while data := _read(master):
            seen += data
            while (asked := question.search(seen, answered)) is not None:
                answered = asked.end()
                if asked[0] == b"\x1b[c":
                    os.write(master, attributes)
                elif asked[0].startswith(b"["):
                    os.write(master, typed)
                elif kitty:
                    os.write(master, b"\x1b_Gi=" + asked[1] + b";OK\x1b\\")
        assert process.wait(60) == 0, seen[-2000:]
    finally:
        process.kill()
        os.close(master)
    return seen.decode("utf-8")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the other side is closed
        return b""


def sixels_of(text: str) -> list[Pixels]:
    """The pictures that a terminal would draw, decoded: ``(h, w, 3)`` each."""
    return [_decoded(body) for body in re.findall("\x1bP[0-9;]*q([^\x1b]*)\x1b\\\\", text)]


def _decoded(body: str) -> Pixels:
    height, width = 0, 0
    if size := re.match(r'"\d+;\d+;(\d+);(\d+)', body):
        width, height = int(size[1]), int(size[2])
        body = body[size.end() :]
    drawn = np.zeros((height + 6, width, 3), dtype=np.int64)
    colours: dict[str, tuple[int, int, int]] = {}
    x = y = 0
    colour = "0"
    for part in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([$\-?-~])", body):
        number, red, green, blue, chosen, repeat, repeated, single = part.groups()
        if number is not None:
            colours[number] = (int(red), int(green), int(blue))
            colour = number
        elif chosen is not None:
            colour = chosen
        elif single == "$":
            x = 0
        elif single == "-":
            x, y = 0, y + 6
        else:
            count, bits = int(repeat or 1), ord(repeated or single) - 63
            for row in range(6):
                if bits >> row & 1:
                    drawn[y + row, x : x + count] = np.round(np.array(colours[colour]) * 2.55)
            x += count
    return drawn[:height]


def kitty_pictures_of(text: str) -> list[Pixels]:
    """The pictures that were sent by the protocol of kitty, put together from their parts."""
    parts: dict[str, str] = {}
    for number, data in re.findall("\x1b_Gi=(\\d+),m=[01],f=100,q=2;([^\x1b]*)\x1b\\\\", text):
        parts[number] = parts.get(number, "") + data
    found = []
    for data in parts.values():
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            found.append(np.asarray(image.convert("RGB"), dtype=np.int64))
    return found


def _tiles(picture: Pixels, count: int) -> list[Pixels]:
    """The colour in the middle of each picture of a row."""
    step = picture.shape[1] // count
    middle = picture.shape[0] // 2
    return [
        picture[middle - 5 : middle + 5, place * step + step // 3 : place * step + step // 2]
        .reshape(-1, 3)
        .mean(axis=0)
        for place in range(count)
    ]


def _is_red(colour: Pixels) -> bool:
    return bool(colour[0] > 150 and colour[1] < 90 and colour[2] < 90)


SEARCH = ("search", "photos/red/000.jpg", "--limit", "3", "--pictures")


def test_a_terminal_with_sixels_gets_them(home: Path) -> None:
    text = on_terminal(home, *SEARCH, attributes=_ANSWERS_FOR_SIXEL, kitty=False)
    (row,) = sixels_of(text)
    assert row.shape[1] == 3 * 15 * _CELL[0], "as wide as the captions"
    colours = _tiles(row, 3)
    assert [_is_red(colour) for colour in colours] == [True, True, False]
    captions = text.splitlines()[-1]
    hits = in_this_process(home, *SEARCH[:4], "--json").json["hits"]
    shown = [f"{place} {hit['distance']:.3f}" for place, hit in enumerate(hits, start=1)]
    assert [captions.find(caption) for caption in shown] == [
        captions.find(shown[0]) + 15 * place for place in range(3)
    ]
    assert kitty_pictures_of(text) == []


def test_kitty_gets_its_own_protocol(home: Path) -> None:
    words = ("clusters", "show", "1", "--pictures")
    text = on_terminal(home, *words, attributes=_ANSWERS_WITHOUT, kitty=True)
    (row,) = kitty_pictures_of(text)
    members = in_this_process(home, *words[:3], "--json").json["images"]
    for colour, member in zip(_tiles(row, 3), members, strict=True):
        with Image.open(member["path"]) as photo:
            mean = np.asarray(photo.convert("RGB")).reshape(-1, 3).mean(axis=0)
        assert np.abs(colour - mean).max() < 20
        assert Path(member["path"]).name in text
    # The picture is placed by characters of which the colour is its number, also without colours.
    (number,) = re.findall("\x1b_Ga=p,i=(\\d+),c=45,r=\\d+,U=1,q=2\x1b", text)
    low = int(number) & 0xFFFFFF
    assert f"\x1b[38;2;{low >> 16};{low >> 8 & 255};{low & 255}m\U0010eeee" in text


def test_other_terminals_get_words_and_blocks_where_asked(home: Path) -> None:
    text = on_terminal(home, *SEARCH, attributes=_ANSWERS_WITHOUT, kitty=False)
    assert "this terminal shows no pictures: organizer open shows them in the browser" in text
    assert "▀" not in text
    text = on_terminal(home, *SEARCH[:4], "--blocks", attributes=_ANSWERS_WITHOUT, kitty=False)
    assert text.count("▀") > 45 * 4


def test_a_review_shows_what_it_asks_about(home: Path) -> None:
    text = on_terminal(
        home, "review", "--sample", "3", "--pictures", attributes=_ANSWERS_FOR_SIXEL,
        kitty=False, typed=b"q\n",
    )  # fmt: skip
    (row,) = sixels_of(text)
    assert "this one?" in text
    assert row.shape[1] > 15 * _CELL[0], "typical ones beside it"


@pytest.mark.parametrize("words", [SEARCH, ("clusters", "show", "1", "--pictures")])
def test_a_pipe_gets_none(home: Path, words: tuple[str, ...]) -> None:
    ran = in_this_process(home, *words)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "▀" not in ran.out
    assert "pictures are shown on a terminal only" in ran.err
    assert in_this_process(home, *words, "--json").json
