"""A season with a camera trap, every command in a process of its own."""

from __future__ import annotations

from pathlib import Path

from tests.camera_trap.test_season import live_a_season
from tests.conftest import Run


def test_a_season(run: Run, tmp_path: Path) -> None:
    live_a_season(run, tmp_path)
