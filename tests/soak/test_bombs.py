"""Files that unpack to gigabytes: each costs itself, and no process takes a gigabyte for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bombs import BOMBS, sidecars, write_bomb
from tests.conftest import make_photo

_MEASURED = """
import json, resource, subprocess, sys
words = [sys.executable, "-m", "organizer", "ingest", "photos", "--embedder", "hsv", "--json"]
ran = subprocess.run(words, capture_output=True, text=True)
kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([ran.returncode, ran.stdout, ran.stderr, kib]))
"""
_LIMIT = 1 << 20
"""KiB."""


def _ingest(home: Path) -> tuple[dict[str, Any], int]:
    """What the ingest reports, and the KiB of the largest process that it had."""
    make_photo(home / "photos" / "photo.jpg")
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=400,
        check=True,
    )
    code, out, err, kib = json.loads(ran.stdout)
    assert code in {0, 3}, err
    return json.loads(out), kib


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_itself_and_less_than_a_gigabyte(
    tmp_path: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    write_bomb(name, tmp_path / "photos")
    report, kib = _ingest(tmp_path)
    record_property("MiB", kib // 1024)
    record_property("added", report["added"])
    assert report["added"] + report["broken"] == 2
    assert report["added"] >= 1, "the photo beside it"
    assert kib < _LIMIT


def test_what_is_nested_beside_a_photo_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name, content in sidecars():
        (tmp_path / "photos" / name).write_bytes(content)
    report, kib = _ingest(tmp_path)
    assert report["added"] == 1
    assert kib < _LIMIT
