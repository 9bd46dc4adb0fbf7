"""Upkeep that waits until it is asked for, and members that are kept between reads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from organizer.library import Library
from organizer.library.corrections.editor import Editor
from organizer.store import Store
from organizer.types import Assignments
from tests.cards import blobs, fill, ids_of, ingest, library_at, where

_IDS = ids_of(range(60))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Three clusters of 20."""
    with library_at(tmp_path) as opened:
        fill(opened, _IDS, blobs([20, 20, 20]))
        opened.recluster(k=3)
        yield opened


def _members(store: Store) -> Assignments:
    current = store.clusterings.current()
    assert current is not None
    found = store.clusterings.assignments(current.clustering_id)
    return found.take(np.argsort(found.image_ids))


def _assert_as_stored(library: Library) -> None:
    """What is read here is what another program reads, which keeps nothing from before."""
    ours, theirs = _members(library.store), _members(Store.open(library.store.path))
    for item in fields(Assignments):
        assert (getattr(ours, item.name) == getattr(theirs, item.name)).all(), item.name


def test_members_that_are_kept_follow_every_kind_of_write(library: Library) -> None:
    corrections = library.corrections
    one, two, three = (cluster.id for cluster in library.clusters)
    for write in (
        lambda: corrections.move(_IDS[0], three),
        lambda: corrections.exclude([m.image_id for m in library.clusters.members(one)][:2], one),
        corrections.undo,
        corrections.redo,
        lambda: corrections.new_cluster(_IDS[5:9]),
        lambda: ingest(library, ids_of(range(60, 70)), blobs([10])),
        lambda: corrections.merge([two, three]),
        lambda: corrections.split(two),
        lambda: library.store.clusterings.fold(1),
        lambda: library.recluster(k=4),
        corrections.undo,
        corrections.undo,
    ):
        write()
        _assert_as_stored(library)
        assert [c.size for c in library.clusters] == sorted(
            (int((_members(library.store).cluster_ids == c.id).sum()) for c in library.clusters),
            reverse=True,
        )


def test_members_that_another_program_moved_are_seen(library: Library) -> None:
    before = where(library)
    other = next(c.id for c in library.clusters if c.id != before[_IDS[0]])
    with Library.open(library.store.path) as beside:
        beside.corrections.move(_IDS[0], other)
    assert where(library) == {**before, _IDS[0]: other}


def test_a_write_that_is_refused_leaves_nothing_in_what_is_kept(library: Library) -> None:
    before = where(library)
    (goal, *_) = (c.id for c in library.clusters if c.id != before[_IDS[0]])

    def refuse() -> None:
        with library.store.writing(), library.store.transaction():
            editor = Editor.open(library.store, settings=library.settings)
            editor.move([_IDS[0]], goal)
            editor.commit()
            assert where(library)[_IDS[0]] == goal, "the writer sees its own rows"
            with ThreadPoolExecutor(1) as reader:
                assert reader.submit(where, library).result() == before, "nobody else does"
            raise InterruptedError

    with pytest.raises(InterruptedError):
        refuse()
    assert where(library) == before


def test_members_that_are_shared_cannot_be_written(library: Library) -> None:
    members = library.store.clusterings.assignments(1)
    for item in fields(Assignments):
        with pytest.raises(ValueError, match="read-only"):
            getattr(members, item.name)[0] = getattr(members, item.name)[1]


def test_upkeep_waits_until_it_is_asked_for(library: Library, tmp_path: Path) -> None:
    assert library.tidy() is False, "there is none before anything is deferred"
    library.defer_upkeep()
    one, two, _ = (cluster.id for cluster in library.clusters)
    versions = tmp_path / ".organizer" / "arrays_1.lance" / "_versions"
    for image in _IDS[:3]:
        library.corrections.new_cluster([image])  # each writes exemplars: a table
    waiting = len(list(versions.glob("*.manifest")))
    assert waiting >= 4
    before = where(library)
    assert library.tidy() is True
    assert len(list(versions.glob("*.manifest"))) < waiting
    assert library.tidy() is False
    assert where(library) == before
    library.corrections.move(_IDS[0], one if before[_IDS[0]] != one else two)
    library.undo()
    assert where(library) == before
    _assert_as_stored(library)
