"""Arrangements that are killed, or lose their power, at each single call of the disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.arrange_cuts import (
    HARD_KINDS,
    KINDS,
    Worlds,
    cut_arrangements,
    cut_undos,
    kill_and_cut,
    kill_arrangements,
    kill_undos,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are found in /proc")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches also in a small tree."""
    monkeypatch.setattr("organizer.arrange.batches.CONTENTS", 2)
    monkeypatch.setattr("organizer.arrange.batches.NAMES", 2)


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    return Worlds(tmp_path)


@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_arrangement_that_loses_its_power_is_finished_or_taken_back(
    worlds: Worlds, kind: str, way: str
) -> None:
    cut_arrangements(worlds, kind, way, every=1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_undo_that_loses_its_power_is_finished(worlds: Worlds, kind: str) -> None:
    cut_undos(worlds, kind, every=1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_killed_and_finished_stays(worlds: Worlds, kind: str) -> None:
    kill_arrangements(worlds, kind, every=1)
    kill_undos(worlds, kind, every=1)


@pytest.mark.parametrize("way", ["resume", "undo", "undo again"])
@pytest.mark.parametrize("kind", HARD_KINDS)
def test_what_goes_on_after_a_kill_may_lose_its_power(worlds: Worlds, kind: str, way: str) -> None:
    kill_and_cut(worlds, kind, way, every=1)
