"""A whole training, as typed: every step in a process of its own, as a person would run it."""

from __future__ import annotations

from pathlib import Path

from tests.test_training import go_the_whole_way, in_a_process


def test_the_whole_way_as_typed_and_gone_on_with(tmp_path: Path) -> None:
    go_the_whole_way(in_a_process, tmp_path, photos=800, batch=32, minutes=0.02)
