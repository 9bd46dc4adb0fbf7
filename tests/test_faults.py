"""Commands that are killed, or refused by the system, at one of their calls.

A command is whole or was never typed, for whoever reads meanwhile and for whoever types it again.
`tests.soak` tries all commands, and as many calls as it is asked to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from organizer.library import Library
from tests.faults import (
    BROKEN_ONCE,
    ERRORS,
    GONE,
    KILL,
    TEAR,
    Fault,
    Session,
    Stage,
    compile_faults,
    wrong_after_a_kill,
    wrong_after_an_error,
)
from tests.power_cut_session import (
    APPLY,
    ARRANGE,
    DETECTIONS,
    EXCLUDE,
    FIRST_INGEST,
    MERGE,
    MOVE,
    NAME_AGAIN,
    NEW,
    PLAN,
    READ_BACK,
    RECLUSTER,
    RENAME,
    SECOND_INGEST,
    SPLIT,
    UNDO,
    UPDATE,
    make_photos,
)
from tests.service.servers import serving
from tests.warm import warm_program

_STEPS = (
    *(FIRST_INGEST, RECLUSTER, RENAME, MOVE, EXCLUDE, NEW, SPLIT, MERGE, UNDO, SECOND_INGEST),
    *(DETECTIONS, ARRANGE, READ_BACK, NAME_AGAIN, UPDATE, PLAN, APPLY),
)
_DECISIONS = ("move", "exclude", "new cluster", "split", "merge", "undo")
_KILLS = 4
"""Of each command."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    scratch = tmp_path_factory.mktemp("faults")
    for name in ("home", "kept", "printed"):
        (scratch / name).mkdir()
    with warm_program(scratch / "printed", preloaded=compile_faults(scratch)) as warm:
        make_photos(scratch / "home")
        reports = ("status", "clusters", "history", "images")
        yield Session(warm, scratch / "home", scratch / "kept", reports=reports)


@pytest.fixture(scope="module")
def stages(session: Session) -> dict[str, Stage]:
    return {stage.step.name: stage for stage in session.record(_STEPS)}


@pytest.mark.slow
@pytest.mark.parametrize("name", [step.name for step in _STEPS if step not in (PLAN, NAME_AGAIN)])
def test_a_command_that_is_killed_at_a_call_is_whole_or_was_never_typed(
    session: Session, stages: dict[str, Stage], name: str
) -> None:
    stage = stages[name]
    faults = [*stage.some(KILL, _KILLS - 1), *stage.some(TEAR, 1, seed=3)]
    found = [(fault, wrong_after_a_kill(session, stage, fault)) for fault in faults]
    assert [(fault, wrong) for fault, wrong in found if wrong] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recluster", "second ingest"])
@pytest.mark.parametrize("error", ERRORS)
def test_what_the_system_refuses_is_said_in_a_line_and_loses_nothing(
    session: Session, stages: dict[str, Stage], name: str, error: str
) -> None:
    stage = stages[name]
    (fault,) = stage.some(ERRORS[error], 1, seed=len(error))
    assert not wrong_after_an_error(session, stage, fault), fault


@pytest.mark.slow
def test_an_undo_whose_library_goes_away_is_done_or_says_that_it_is_not(
    session: Session, stages: dict[str, Stage]
) -> None:
    """Nothing is read once it is done; what cannot be read before is not taken for nothing."""
    stage = stages["undo"]
    found = [(fault, wrong_after_an_error(session, stage, fault)) for fault in stage.some(GONE, 4)]
    assert [(fault, wrong) for fault, wrong in found if wrong] == []


def test_a_write_that_is_lost_without_a_word_is_no_commit(
    session: Session, stages: dict[str, Stage]
) -> None:
    """Lance does not say when the last write to a file of data failed."""
    stage = stages["recluster"]
    writes = replace(BROKEN_ONCE, calls="write")
    data = [
        at
        for at, call in enumerate(stage.points(writes), start=1)
        if "assignments_" in call and "/data/" in call
    ]
    assert data
    for at in data:
        assert not wrong_after_an_error(session, stage, replace(writes, at=at)), at


# Seen by readers meanwhile ----------------------------------------------------------------------


def _by_commands(session: Session) -> Callable[[], object]:
    def read() -> object:
        printed = session.warm.run("clusters", "--json", cwd=session.home)
        assert printed.code == 0, printed.err
        rows = json.loads(printed.out)["clusters"]
        return sorted((row["cluster_id"], row["name"], row["count"]) for row in rows)

    return read


@pytest.mark.parametrize("name", _DECISIONS)
def test_readers_see_the_clusters_before_a_decision_or_after_it(
    session: Session, stages: dict[str, Stage], name: str
) -> None:
    """Each call takes milliseconds longer, and readers look all the while."""
    stage = stages[name]
    session.restore(stage)
    slow = Fault("slow", code=10_000)
    with Library.open(session.home) as library, serving(library) as service:

        def rows() -> object:
            return sorted((c.id, c.name, c.size) for c in library.clusters)

        def members() -> object:
            table = library.assignments().to_pylist()
            return sorted((row["path"], row["cluster_id"]) for row in table)

        def answers() -> object:
            answer = service.get("/clusters").raise_for_status().json()
            return sorted((row["id"], row["name"], row["size"]) for row in answer["clusters"])

        reads = (rows, members, answers, _by_commands(session))
        before = [read() for read in reads]
        running = session.warm.begin(stage.words, cwd=session.home, **slow.settings(session.home))
        seen = []
        while running.code() is None:
            seen.append([read() for read in reads])
        assert running.finish().code == 0
        after = [read() for read in reads]
    assert before != after
    assert seen, "the command had ended: the test tests nothing"
    for found in seen:
        for what, old, new in zip(found, before, after, strict=True):
            assert what in (old, new)
