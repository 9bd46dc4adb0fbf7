"""Output where the code page lacks the characters of a name: escapes, never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from organizer.cli import main
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Ran, make_groups

_FOX = "狐"

COMMANDS = [
    "ingest photos",
    f"ingest photos/{_FOX}/none",
    "clusters",
    "clusters show 1",
    "clusters show unsure",
    f"clusters rename 1 {_FOX}",
    "clusters history",
    "status",
    "problems",
    f"search photos/{_FOX}/red/000.jpg",
    f"search photos/{_FOX}/red/000.jpg --filepath-only",
    "report --labels folders",
    "review --sample 3",
    "suggest",
    "suggest --ask 2",
    "recluster --k 2 --dry-run",
    "export csv --to -",
    f"export csv --to {_FOX}.csv --force",
    f"arrange --to sorted-{_FOX} --dry-run",
    f"nothing-{_FOX}",
    "--help",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of which all paths and a problem have such a name."""
    folder = tmp_path_factory.mktemp("narrow")
    make_groups(folder / "photos" / _FOX, each=4)
    (folder / "photos" / _FOX / f"{_FOX}.jpg").write_bytes(b"no picture")
    with Library.open_or_create(folder, Settings()) as library:
        library.ingest(folder / "photos", embedder="channel-mean")
        library.recluster(k=3)
    return folder


def typed(home: Path, words: str, encoding: str) -> Ran:
    """A command with stdout and stderr in an encoding, which refuse what it lacks."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", ["organizer", *words.split()])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.chdir(home)
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        texts = []
        for stream in (out, err):
            stream.flush()
            assert isinstance(stream.buffer, io.BytesIO)
            texts.append(stream.buffer.getvalue().decode("utf-8", "replace"))
    return Ran(code, *texts)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_ends_as_it_does_elsewhere(home: Path, words: str, encoding: str) -> None:
    ran = typed(home, words, encoding)
    assert "Traceback" not in ran.err
    assert ran.code in {0, 1, 2, 3}
    assert ran.out or ran.err
    if _FOX in words and "rename" in words and encoding != "utf-8":
        assert r"\u72d0" in ran.out + ran.err


@pytest.mark.parametrize("words", ["clusters", "clusters show 1", "problems", "status"])
def test_json_is_ascii_where_the_stream_is(home: Path, words: str) -> None:
    narrow = typed(home, f"{words} --json", "ascii")
    assert narrow.out.isascii()
    wide = typed(home, f"{words} --json", "utf-8")
    assert json.loads(narrow.out) == json.loads(wide.out)
    if words != "status":
        assert r"\u72d0" in narrow.out
        assert _FOX in wide.out


def test_columns_are_as_wide_as_what_is_in_them(home: Path) -> None:
    lines = typed(home, "clusters show 1", "ascii").out.splitlines()
    assert len({line.index("auto") for line in lines if "auto" in line}) == 1
    assert any(r"\u72d0" in line for line in lines)


def test_as_a_program_in_a_pipe(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "organizer", "ingest", "photos", "--json"],
        cwd=home,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["broken"] == 1
    assert b"Traceback" not in done.stderr
