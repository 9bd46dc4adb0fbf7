"""Every command killed, and refused by the system, at many of its calls; hundreds at once.

``ORGANIZER_TEST_EVERY`` says at every how many-th call; 5 if it is not set: some 500 kills.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults import (
    BROKEN_ONCE,
    ERRORS,
    FULL_ONCE,
    KILL,
    TEAR,
    Fault,
    Session,
    Stage,
    compile_faults,
    wrong_after_a_kill,
    wrong_after_an_error,
)
from tests.power_cut_session import ALL, make_photos
from tests.warm import warm_program

_EVERY = int(os.environ.get("ORGANIZER_TEST_EVERY", "5"))
_NAMES = [f"{number:02} {step.name}" for number, step in enumerate(ALL)]
_WRITTEN = ["first ingest", "recluster", "split", "ingest with upkeep", "detections import"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    scratch = tmp_path_factory.mktemp("faults")
    for name in ("home", "kept", "printed"):
        (scratch / name).mkdir()
    with warm_program(scratch / "printed", preloaded=compile_faults(scratch)) as warm:
        make_photos(scratch / "home")
        yield Session(warm, scratch / "home", scratch / "kept")


@pytest.fixture(scope="module")
def stages(session: Session) -> dict[str, Stage]:
    return dict(zip(_NAMES, session.record(ALL), strict=True))


def _every(stage: Stage, fault: Fault, place: int, *, every: int = _EVERY) -> list[Fault]:
    """A fault at every so many-th call, 60 at most; commands begin at different ones."""
    count = len(stage.points(fault))
    every = max(every, count // 60)
    calls = range(1 + place % every, count + 1, every)
    return [replace(fault, at=at) for at in calls]


@pytest.mark.parametrize("how", [KILL, TEAR], ids=["kill", "tear"])
@pytest.mark.parametrize("name", _NAMES)
def test_a_command_that_is_killed_is_whole_or_was_never_typed(
    session: Session, stages: dict[str, Stage], name: str, how: Fault
) -> None:
    stage, every = stages[name], _EVERY if how is KILL else 4 * _EVERY
    faults = _every(stage, how, _NAMES.index(name), every=every)
    found = [(fault.at, wrong_after_a_kill(session, stage, fault)) for fault in faults]
    assert [(stage.calls[at - 1], wrong) for at, wrong in found if wrong] == []


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", _NAMES)
def test_what_the_system_refuses_is_said_in_a_line_and_loses_nothing(
    session: Session, stages: dict[str, Stage], name: str, error: str
) -> None:
    stage = stages[name]
    faults = _every(stage, ERRORS[error], _NAMES.index(name) + len(error), every=4 * _EVERY)
    found = [(fault.at, wrong_after_an_error(session, stage, fault)) for fault in faults]
    points = stage.points(ERRORS[error])
    assert [(points[at - 1], wrong) for at, wrong in found if wrong] == []


@pytest.mark.parametrize("error", [FULL_ONCE, BROKEN_ONCE], ids=["full", "broken"])
@pytest.mark.parametrize("name", [n for n in _NAMES if n.partition(" ")[2] in _WRITTEN])
def test_no_single_write_to_a_table_is_lost_without_a_word(
    session: Session, stages: dict[str, Stage], name: str, error: Fault
) -> None:
    stage, writes = stages[name], replace(error, calls="write")
    points = stage.points(writes)
    places = [at for at, call in enumerate(points, start=1) if ".lance/" in call]
    found = [
        (points[at - 1], wrong_after_an_error(session, stage, replace(writes, at=at)))
        for at in places
    ]
    assert [(call, wrong) for call, wrong in found if wrong] == []
