"""A long history: what no undo leads back to goes; decisions and lineage stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from organizer.errors import ClusteringError
from organizer.library import Library
from organizer.store import KEPT_BASES
from organizer.types import StepKind
from tests.cards import blobs, fill, ids_of, library_at, where

_IDS = ids_of(range(40))
_MORE = 2


def _size(home: Path) -> tuple[int, int]:
    files = [file for file in (home / ".organizer").rglob("*") if file.is_file()]
    return len(files), sum(file.stat().st_size for file in files)


def _for_ever(act: Callable[[], object]) -> None:
    while True:
        act()


def _recluster_often(library: Library, times: int) -> list[dict[str, int]]:
    """Reclusters with decisions between them; the members after each."""
    found = []
    for number in range(times):
        library.recluster(k=2 + number % 2)
        largest = max(library.clusters, key=lambda cluster: cluster.size)
        largest.rename(f"Name {number}")
        library.corrections.new_cluster([_IDS[number % len(_IDS)]])
        found.append(where(library))
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which was clustered more often than is kept."""
    folder = tmp_path_factory.mktemp("history")
    with library_at(folder) as library:
        fill(library, _IDS, blobs([20, 20]))
        _recluster_often(library, KEPT_BASES + _MORE)
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of `made`, to change."""
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def test_files_and_bytes_stay_with_the_data(home: Path) -> None:
    before_files, before_bytes = _size(home)
    with library_at(home) as library:
        tables = {name.partition("_")[0] for name in library.store.clusterings.member_tables()}
        assert tables == {"assignments"}
        assert len(library.store.clusterings.member_tables()) == KEPT_BASES
        _recluster_often(library, 3)
    files, size = _size(home)
    assert files < 1.1 * before_files
    assert size < 1.2 * before_bytes


def test_undo_leads_back_through_all_that_is_kept_and_says_where_it_ends(home: Path) -> None:
    with library_at(home) as library:
        now, kept = where(library), len(library.store.clusterings.member_tables())
        with pytest.raises(ClusteringError, match="are kept no more") as caught:
            _for_ever(library.undo)
        assert f"the last {KEPT_BASES} reclusters" in caught.value.hint
        reached = library.store.clusterings.current()
        assert reached is not None
        assert reached.base_id == min(
            int(name.rpartition("_")[2]) for name in library.store.clusterings.member_tables()
        )
        assert len(where(library)) == len(_IDS)
        with pytest.raises(ClusteringError, match="nothing to redo"):
            _for_ever(library.redo)
        assert where(library) == now
        assert len(library.store.clusterings.member_tables()) == kept


def test_the_history_and_the_lineage_of_all_clusters_stay(home: Path) -> None:
    with library_at(home) as library:
        steps = [step.kind for step in library.store.steps.all()]
        assert steps.count(StepKind.RECLUSTER) >= KEPT_BASES + _MORE
        history = library.corrections.history()
        assert len(history) >= KEPT_BASES + _MORE
        assert set(where(library).values()) - {-1} <= set(library.store.clusterings.origins())
        names = {cluster.name for cluster in library.clusters}
        assert any(name and name.startswith("Name ") for name in names)


def test_a_decision_after_many_reclusters_is_seen_by_who_reads(home: Path) -> None:
    with library_at(home) as writer, library_at(home) as reader:
        before = where(reader)
        goal = next(c.id for c in writer.clusters if c.id != before[_IDS[3]])
        writer.corrections.move(_IDS[3], goal)
        assert where(reader) == {**before, _IDS[3]: goal}
        writer.undo()
        assert where(reader) == before


def test_points_of_a_former_base_are_made_where_they_are_needed(tmp_path: Path) -> None:
    with library_at(tmp_path) as library:
        fill(library, _IDS, blobs([20, 20]))
        for k in (2, 3, 2, 3):
            library.recluster(k=k, reduce="pca")
        kept = sorted(tmp_path.glob(".organizer/points_*.lance"))
        assert [folder.stem for folder in kept] == ["points_3", "points_4"]
        for _ in range(3):
            library.undo()
        first = where(library)
        made = library.corrections.new_cluster(_IDS[:2])
        assert made is not None
        library.undo()
        assert where(library) == first
        assert np.isfinite(list(first.values())).all()
