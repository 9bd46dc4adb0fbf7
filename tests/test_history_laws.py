"""Laws of any sequence of decisions, ingests, reclusters, undos and redos."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.errors import ClusteringError, OrganizerError
from organizer.library import Library
from organizer.library.clustering.space import ClusterSpace
from organizer.library.corrections.editor import Editor
from organizer.settings import Settings
from organizer.store import step_to_redo, step_to_undo
from organizer.types import NOISE, Assignments
from tests.cards import blobs, decide, fill, ids_of, ingest, library_at, members
from tests.conftest import examples

_SIZES = (14, 10, 12)
_COUNT = sum(_SIZES)
_image = st.integers(0, _COUNT - 1)
_cluster = st.integers(0, 3)
_decision = st.one_of(
    st.tuples(st.just("rename"), _cluster, st.integers(0, 9)),
    st.tuples(st.just("pin"), _cluster, _cluster),
    st.tuples(st.just("merge"), _cluster, _cluster),
    st.tuples(st.just("split"), _cluster, st.integers(2, 3)),
    st.tuples(st.just("move"), _image, _cluster),
    st.tuples(st.just("new"), _image, st.integers(1, 8)),
    st.tuples(st.just("exclude"), _image, _cluster),
    st.tuples(st.just("retire"), _cluster, _cluster),
)
_what = st.one_of(
    st.tuples(st.just("batch"), st.lists(_decision, min_size=1, max_size=3)),
    st.tuples(st.just("ingest"), st.integers(1, 6)),
    st.tuples(st.just("recluster"), st.integers(2, 4)),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("undo"), st.none()),
    st.tuples(st.just("redo"), st.none()),
    st.tuples(st.just("reopen"), st.none()),
)


@dataclass
class Told:
    """What a library said of itself at some moment."""

    clusters: dict[str, int]
    names: dict[int, str]
    ingests: int


@dataclass
class History:
    """What every state was, to compare undo and redo with."""

    before: list[Told] = field(default_factory=list)
    after: list[Told] = field(default_factory=list)


@pytest.mark.slow
@pytest.mark.parametrize("reduce", ["none", "smooth"])
@settings(
    max_examples=examples(12, soak=150),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=st.lists(_what, min_size=4, max_size=14))
def test_undo_and_redo_give_back_what_was(
    tmp_path_factory: pytest.TempPathFactory, reduce: str, steps: list[tuple[str, object]]
) -> None:
    home = tmp_path_factory.mktemp("history")
    library = library_at(home)
    fill(library, ids_of(range(_COUNT)), blobs(_SIZES))
    library.recluster(k=3, reduce=reduce)
    done, undone = History(), History()
    fresh = 1_000
    for what, how in steps:
        before = _told(library)
        if what == "ingest":
            assert isinstance(how, int)
            ingest(library, ids_of(range(fresh, fresh + how)), blobs([how], seed=fresh))
            fresh += how
        elif what == "reopen":
            library.close()
            library = Library.open(home, Settings())
        elif what in {"undo", "redo"}:
            _back_or_forth(library, what, done, undone)
        elif _is_done(library, what, how, reduce):
            done.before.append(before)
            done.after.append(_told(library))
            undone = History()
        _assert_sound(library)
    library.close()
    shutil.rmtree(home)


def _is_done(library: Library, what: str, how: object, reduce: str) -> bool:
    revision = library.store.revision()
    steps = len(library.store.steps.all())
    try:
        if what == "recluster":
            assert isinstance(how, int)
            library.recluster(k=how, reduce=reduce)
        else:
            assert isinstance(how, list)
            decide(library, lambda editor: _decide_all(editor, how))
    except OrganizerError:
        assert library.store.revision() == revision, "a refused step leaves nothing"
        return False
    assert len(library.store.steps.all()) == steps + 1, "one step"
    return True


def _decide_all(editor: Editor, decisions: list[tuple[str, int, int]]) -> None:
    for kind, one, other in decisions:
        _decide(editor, kind, one, other)


def _decide(editor: Editor, kind: str, one: int, other: int) -> None:
    ids = editor.clusters.models.ids
    image, pick, to = ids_of([one])[0], ids[one % len(ids)], ids[other % len(ids)]
    {
        "rename": lambda: editor.rename(pick, f"name {other}"),
        "pin": lambda: editor.pin(pick),
        "merge": lambda: editor.merge([pick, to]),
        "split": lambda: editor.split(pick, other),
        "move": lambda: editor.move([image], to),
        "new": lambda: editor.new_cluster(ids_of(range(one, min(one + other, _COUNT)))),
        "exclude": lambda: editor.exclude([image], to),
        "retire": lambda: editor.retire(pick),
    }[kind]()


def _back_or_forth(library: Library, what: str, done: History, undone: History) -> None:
    """Undo or redo, and compare with what was before, or after, the step that it is about."""
    from_, to = (done, undone) if what == "undo" else (undone, done)
    if not from_.before:
        with pytest.raises(ClusteringError, match=f"nothing to {what}"):
            getattr(library, what)()
        return
    report = getattr(library, what)()
    assert report.what
    before, after = from_.before.pop(), from_.after.pop()
    to.before.append(before)
    to.after.append(after)
    expected, now = (before if what == "undo" else after), _told(library)
    assert now.names == expected.names
    if now.ingests == max(before.ingests, after.ingests, _ingests_at(library)):
        shared = expected.clusters.keys() & now.clusters.keys()
        assert {i: now.clusters[i] for i in shared} == {i: expected.clusters[i] for i in shared}


def _ingests_at(library: Library) -> int:
    """The number of the last ingest before the step that the last undo or redo was about."""
    steps = library.store.steps.all()
    about = next(step for step in steps if step.step_id == steps[-1].about)
    return about.ingest_id


def _told(library: Library) -> Told:
    at = members(library)
    clusters = dict(zip(at.image_ids.tolist(), at.cluster_ids.tolist(), strict=True))
    names = dict(library.corrections.constraints().names)
    return Told(clusters, names, library.store.clusterings.last_ingest())


def _assert_sound(library: Library) -> None:
    """Every image is once in a cluster that is there, and the clusters count what they hold."""
    store, at = library.store, members(library)
    current = store.clusterings.current()
    assert current is not None
    models = store.clusterings.models(current.clustering_id)
    assert len(set(at.image_ids.tolist())) == len(at) == store.clusterings.count(current.base_id)
    assert store.clusterings.count_unassigned(current.clustering_id) == at.unassigned.sum()
    assert (at.unassigned == (at.cluster_ids == NOISE)).all()
    held = {c for c in at.cluster_ids.tolist() if c != NOISE}
    assert held <= set(models.ids)
    assert set(at.candidates.tolist()) <= set(models.ids)
    for cluster_id in models.ids:
        mine = models.cluster_ids == cluster_id
        assert models.counts[mine].sum() == np.count_nonzero(at.cluster_ids == cluster_id)
    _assert_means(library, at)
    found = library.corrections.constraints()
    for image_id, banned in found.banned.items():
        assert int(at.cluster_ids[at.image_ids == image_id][0]) not in banned
    steps = store.steps.all()
    assert step_to_undo(steps) is not None
    redo = step_to_redo(steps)
    assert redo is None or redo.kind == "undo"


def _assert_means(library: Library, at: Assignments) -> None:
    """The means of the clusters are those of their members' points, computed anew."""
    store = library.store
    current = store.clusterings.current()
    assert current is not None
    models = store.clusterings.models(current.clustering_id)
    space = ClusterSpace.restored(
        current.reducer, store.clusterings.space(current.clustering_id), seed=0
    )
    vectors = unit_rows(store.vectors.read_rows(current.embedder, at.image_ids.tolist()))
    points = space.points(vectors)
    for cluster_id in models.ids:
        mine = models.cluster_ids == cluster_id
        total = (models.means[mine] * models.counts[mine][:, None]).sum(axis=0)
        expected = points[at.cluster_ids == cluster_id].sum(axis=0, dtype=np.float64)
        # Vectors and points are kept in half precision.
        np.testing.assert_allclose(total, expected, atol=2e-3 * max(1, int(mine.sum())) * 6)
