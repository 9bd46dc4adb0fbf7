"""The power cut after every command that writes, and again and again during some.

The waits of 40 seconds cost nothing where many tests run beside each other: see CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cut_disks import FILE_SYSTEMS, WRITE_THROUGH, FileSystem, new_disk
from tests.power_cut_session import ALL, INTERRUPTIONS, make_photos
from tests.power_cuts import (
    AT_A_COMMIT,
    AT_ONCE,
    Interruption,
    Moment,
    broken_promises,
    cut_after_each,
    interrupt,
    moments,
    unflushed,
)
from tests.strict_disk import require_strace
from tests.warm import Warm, warm_program

_AT_ONCE = 3
"""Commands of one test: tests run beside each other, and most of their time is waiting."""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


@pytest.mark.parametrize("first", range(0, len(ALL), _AT_ONCE))
@pytest.mark.parametrize("system", FILE_SYSTEMS, ids=str)
def test_what_was_reported_is_there_whenever_the_power_is_cut(
    warm: Warm, tmp_path: Path, system: FileSystem, first: int
) -> None:
    """A few commands of the session; those before them are typed, and their power is not cut."""
    system.require(tmp_path)
    whens = [AT_ONCE, *(Moment(f"{seconds} s after", seconds) for seconds in (7, 20, 40))]
    with new_disk(system, tmp_path) as disk:
        make_photos(disk.home)
        disk.flush()
        cuts = cut_after_each(disk, warm, ALL[: first + _AT_ONCE], whens, from_step=first)
    assert len(cuts) == len(whens) * len(ALL[first : first + _AT_ONCE])
    wrong = broken_promises(cuts, warm, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("system", FILE_SYSTEMS, ids=str)
def test_each_command_alone_brings_what_it_reported_to_the_disk(
    warm: Warm, tmp_path: Path, system: FileSystem
) -> None:
    system.require(tmp_path)
    with new_disk(system, tmp_path) as disk:
        make_photos(disk.home)
        cuts = cut_after_each(disk, warm, ALL, [AT_ONCE, AT_A_COMMIT], each_by_itself=True)
    wrong = broken_promises(cuts, warm, tmp_path)
    assert not wrong, "\n".join(wrong)


def test_what_was_reported_was_flushed(warm: Warm, tmp_path: Path) -> None:
    require_strace()
    home = tmp_path / "home"
    make_photos(home)
    wrong = unflushed(home, warm, ALL, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("task", INTERRUPTIONS, ids=str)
@pytest.mark.parametrize("system", FILE_SYSTEMS, ids=str)
def test_a_power_cut_during_a_command_damages_nothing(
    warm: Warm, tmp_path: Path, system: FileSystem, task: Interruption, seed: int
) -> None:
    system.require(tmp_path)
    delays = moments(seed, at_most=0.01)
    cuts, wrong = interrupt(system, warm, tmp_path, make_photos, task, delays, most=15)
    assert not wrong, "\n".join(wrong)
    if cuts < 2:
        pytest.skip(f"the command had ended after {cuts} cuts: too quick to be cut")


# What the tests above find is the power, and nothing else.


def test_nothing_is_lost_of_a_disk_that_writes_at_once(warm: Warm, tmp_path: Path) -> None:
    WRITE_THROUGH.require(tmp_path)
    with new_disk(WRITE_THROUGH, tmp_path) as disk:
        make_photos(disk.home)
        cuts = cut_after_each(disk, warm, ALL, [AT_ONCE])
    wrong = broken_promises(cuts, warm, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("task", INTERRUPTIONS, ids=str)
def test_a_power_cut_during_a_command_leaves_a_disk_that_writes_at_once_sound(
    warm: Warm, tmp_path: Path, task: Interruption
) -> None:
    WRITE_THROUGH.require(tmp_path)
    delays = moments(0, at_most=0.02)
    cuts, wrong = interrupt(WRITE_THROUGH, warm, tmp_path, make_photos, task, delays, most=10)
    assert cuts >= 2
    assert not wrong, "\n".join(wrong)
