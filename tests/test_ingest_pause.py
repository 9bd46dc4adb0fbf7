"""Decisions in the pauses of an ingest: stored at once, and kept by what follows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from organizer.errors import OrganizerError, SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer.types import Outcome
from tests.conftest import make_groups

_SETTINGS = Settings(batch_size=8, commit_images=16)


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
    return next(row["cluster_id"] for row in members if Path(row["path"]).parent == folder)


def test_a_decision_in_a_pause_is_stored_and_the_ingest_goes_on(
    clustered: Library, tmp_path: Path
) -> None:
    red = _cluster_at(clustered, tmp_path / "photos" / "red")
    names = iter(["Fire", "Flame", "Ember", "Ash"])
    seen: list[str | None] = []

    def pause() -> None:
        name = next(names, None)
        if name is not None:
            clustered.corrections.rename(red, name)
            seen.append(clustered.clusters[red].name)

    report = clustered.ingest([tmp_path / "more"], pause=pause)
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

    def pause() -> None:
        nonlocal batches
        batches += 1
        if batches == 4:
            clustered.corrections.merge([red, blue])

    clustered.ingest([tmp_path / "more"], pause=pause)
    assert _sizes(clustered) == [28, 56]
    # What came before and after the decision is one ingest: its parts have one time.
    assert len(set(clustered.store.clusterings.ingest_times().values())) == 1
    clustered.undo()
    assert _sizes(clustered) == [28, 28, 28]


def test_an_undo_in_a_pause_is_kept(clustered: Library, tmp_path: Path) -> None:
    clustered.recluster(k=2)
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 5:
            clustered.undo()

    report = clustered.ingest([tmp_path / "more"], pause=pause)
    assert report.counts[Outcome.ADDED] == 60
    assert _sizes(clustered) == [28, 28, 28]
    clustered.redo()
    assert sum(cluster.size for cluster in clustered.clusters) == 84


def test_a_refused_decision_leaves_the_ingest_alone(clustered: Library, tmp_path: Path) -> None:
    refused = 0

    def pause() -> None:
        nonlocal refused
        with pytest.raises(SettingsError, match="999"):
            clustered.corrections.rename(999, "nobody")
        refused += 1

    report = clustered.ingest([tmp_path / "more"], pause=pause)
    assert refused > 5
    assert +report.counts == {Outcome.ADDED: 60}
    with Library.open(tmp_path) as again:  # and the library is not taken for an interrupted one
        with again.store.writing() as was_interrupted:
            assert not was_interrupted
        assert _sizes(again) == [28, 28, 28]


def test_another_thread_is_refused_while_an_ingest_runs(clustered: Library, tmp_path: Path) -> None:
    red = _cluster_at(clustered, tmp_path / "photos" / "red")
    with ThreadPoolExecutor(1) as pool:

        def pause() -> None:
            with pytest.raises(OrganizerError, match="being written"):
                pool.submit(clustered.corrections.rename, red, "no").result()

        clustered.ingest([tmp_path / "more"], pause=pause)


def test_what_another_thread_reads_outlives_the_upkeep(tmp_path: Path) -> None:
    """Without `serving` the upkeep after a write removes the version that is being read."""
    photos = make_groups(tmp_path / "photos", each=12)
    with Library.open_or_create(tmp_path, Settings(batch_size=2, commit_images=2)) as library:
        library.ingest([photos / "red"], embedder="channel-mean")
        dataset = library.store._database.dataset("images")
        with library.serving():
            library.ingest([photos])
            assert dataset.to_table().num_rows == 12
