"""A thousand commands of four programs at once."""

from __future__ import annotations

from pathlib import Path

from tests.mixed_operations import assert_nothing_lost, type_at_once
from tests.warm import warm_program


def test_a_thousand_commands_of_four_programs_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "printed").mkdir()
    with warm_program(tmp_path / "printed") as warm:
        home = tmp_path / "home"
        home.mkdir()
        assert_nothing_lost(home, type_at_once(warm, home, count=1_000, seed=1))
