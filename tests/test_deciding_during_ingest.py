"""Decisions between the commits of an ingest: stored at once, and kept by what follows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from organizer.errors import LibraryBusyError, SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer.types import Outcome
from tests.conftest import make_groups

_SETTINGS = Settings(batch_size=8, commit_images=16, wait=0)


@pytest.fixture
def clustered(tmp_path: Path) -> Iterator[Library]:
    """A library of three clusters, and 60 more photos in `tmp_path / "more"`."""
    make_groups(tmp_path / "photos")
    make_groups(tmp_path / "more", each=20, seed=500)
    with Library.open_or_create(tmp_path, _SETTINGS) as library:
        library.ingest([tmp_path / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        yield library


def _sizes(library: Library) -> list[int]:
    return sorted(cluster.size for cluster in library.clusters)


def _cluster_at(library: Library, folder: Path) -> int:
    members = library.assignments().to_pylist()
    return next(int(row["cluster_id"]) for row in members if Path(row["path"]).parent == folder)


def test_a_decision_is_stored_at_once_and_the_ingest_goes_on(
    clustered: Library, tmp_path: Path
) -> None:
    red = _cluster_at(clustered, tmp_path / "photos" / "red")
    names = iter(["Fire", "Flame", "Ember", "Ash"])
    seen: list[str | None] = []

    def decide() -> bool:
        name = next(names, None)
        if name is not None:
            clustered.corrections.rename(red, name)
            seen.append(clustered.clusters[red].name)
        return False

    report = clustered.ingest([tmp_path / "more"], stop=decide)
    assert seen == ["Fire", "Flame", "Ember", "Ash"]
    assert +report.counts == {Outcome.ADDED: 60}
    assert (report.compared, report.unassigned, report.embedded) == (60, 0, 60)
    assert _sizes(clustered) == [28, 28, 28]
    assert clustered.clusters[red].name == "Ash"


def test_images_that_follow_go_to_the_clusters_after_the_decision(
    clustered: Library, tmp_path: Path
) -> None:
    red = _cluster_at(clustered, tmp_path / "photos" / "red")
    blue = _cluster_at(clustered, tmp_path / "photos" / "blue")
    batches = 0

    def decide() -> bool:
        nonlocal batches
        batches += 1
        if batches == 4:
            clustered.corrections.merge([red, blue])
        return False

    clustered.ingest([tmp_path / "more"], stop=decide)
    assert _sizes(clustered) == [28, 56]
    # What came before and after the decision is one ingest: its parts have one time.
    assert len(set(clustered.store.clusterings.ingest_times().values())) == 1
    clustered.undo()
    assert _sizes(clustered) == [28, 28, 28]


def test_an_undo_is_kept(clustered: Library, tmp_path: Path) -> None:
    clustered.recluster(k=2)
    asked = 0

    def decide() -> bool:
        nonlocal asked
        asked += 1
        if asked == 5:
            clustered.undo()
        return False

    report = clustered.ingest([tmp_path / "more"], stop=decide)
    assert report.counts[Outcome.ADDED] == 60
    assert _sizes(clustered) == [28, 28, 28]
    clustered.redo()
    assert sum(cluster.size for cluster in clustered.clusters) == 84


def test_a_refused_decision_leaves_the_ingest_alone(clustered: Library, tmp_path: Path) -> None:
    refused = 0

    def decide() -> bool:
        nonlocal refused
        with pytest.raises(SettingsError, match="999"):
            clustered.corrections.rename(999, "nobody")
        refused += 1
        return False

    report = clustered.ingest([tmp_path / "more"], stop=decide)
    assert refused > 5
    assert +report.counts == {Outcome.ADDED: 60}
    with Library.open(tmp_path) as again:  # and the library is not taken for an interrupted one
        with again.store.writing() as was_interrupted:
            assert not was_interrupted
        assert _sizes(again) == [28, 28, 28]


def test_another_thread_may_decide_and_do_nothing_else(clustered: Library, tmp_path: Path) -> None:
    red = _cluster_at(clustered, tmp_path / "photos" / "red")
    names = (f"Name {number}" for number in range(100))
    with Library.open(tmp_path, _SETTINGS) as other, ThreadPoolExecutor(1) as pool:

        def meanwhile() -> bool:
            pool.submit(other.corrections.rename, red, next(names)).result()
            for refused in (partial(other.recluster, k=2), partial(other.ingest, [tmp_path])):
                with pytest.raises(LibraryBusyError, match="being written"):
                    pool.submit(refused).result()
            return False

        report = clustered.ingest([tmp_path / "more"], stop=meanwhile)
        assert report.counts[Outcome.ADDED] == 60
        assert clustered.clusters[red].name == other.clusters[red].name == "Name 7"
        assert other.recluster(k=2).k == 2


def test_what_another_thread_reads_outlives_the_upkeep(tmp_path: Path) -> None:
    """Without `serving` the upkeep after a write removes the version that is being read."""
    photos = make_groups(tmp_path / "photos", each=12)
    with Library.open_or_create(tmp_path, Settings(batch_size=2, commit_images=2)) as library:
        library.ingest([photos / "red"], embedder="channel-mean")
        dataset = library.store._database.dataset("images")
        with library.serving():
            library.ingest([photos])
            assert dataset.to_table().num_rows == 12
