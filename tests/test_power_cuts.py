"""What a command reported is on the disk: it is there when the power is cut right after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.power_cut_session import (
    FEW,
    INTERRUPTIONS,
    SOME,
    make_photos,
    with_redo,
)
from tests.power_cuts import (
    AT_A_COMMIT,
    AT_ONCE,
    BTRFS,
    EXT4,
    XFS,
    FileSystem,
    Interruption,
    broken_promises,
    cut_after_each,
    interrupt,
    moments,
    new_disk,
)
from tests.warm import Warm, warm_program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


def test_what_was_reported_is_there_after_a_power_cut(warm: Warm, tmp_path: Path) -> None:
    EXT4.require(tmp_path)
    steps = with_redo(SOME, warm, tmp_path)
    with new_disk(EXT4, tmp_path) as disk:
        make_photos(disk.home)
        disk.flush()
        cuts = cut_after_each(disk, warm, steps, [AT_ONCE, AT_A_COMMIT])
    assert broken_promises(cuts, warm, tmp_path) == []


@pytest.mark.parametrize("system", [XFS, BTRFS], ids=str)
def test_what_was_reported_is_there_on_other_file_systems(
    warm: Warm, tmp_path: Path, system: FileSystem
) -> None:
    system.require(tmp_path)
    with new_disk(system, tmp_path) as disk:
        make_photos(disk.home)
        disk.flush()
        cuts = cut_after_each(disk, warm, FEW, [AT_ONCE])
    assert broken_promises(cuts, warm, tmp_path) == []


@pytest.mark.parametrize("task", INTERRUPTIONS[1:3], ids=str)
def test_a_power_cut_during_a_command_damages_nothing(
    warm: Warm, tmp_path: Path, task: Interruption
) -> None:
    EXT4.require(tmp_path)
    delays = moments(0, at_most=0.02)
    cuts, wrong = interrupt(EXT4, warm, tmp_path, make_photos, task, delays, most=6)
    assert cuts >= 2, "the command had ended: the test tests nothing"
    assert wrong == []
