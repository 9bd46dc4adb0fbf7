"""A library whose writer was killed opens, is complete, and goes on to the same end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.library.corrections.requests import MoveImages, RetireCluster
from tests.crashes import (
    COLOUR,
    SMALL,
    Alter,
    assert_nothing_twice,
    assert_paths_once,
    assert_whole,
    assert_whole_clustering,
    before_each_write,
    broken,
    changed,
    contents,
    copied,
    cut_at_every_write,
    deleted,
    groups_of,
    ingest_all,
    kill_while_it_ingests_and_finish,
    kill_while_it_is_made,
    kill_while_it_reclusters,
    look_at_all,
    look_before_each_write,
    make_begun,
    members,
    new,
    photos_of,
    renamed,
    touched,
    undisturbed,
    undisturbed_after,
)

# Killed -------------------------------------------------------------------------------------


def test_an_ingest_that_was_killed_three_times_ends_like_one_that_was_not(tmp_path: Path) -> None:
    kill_while_it_ingests_and_finish(tmp_path, kills=3)


@pytest.mark.slow
def test_a_library_whose_making_was_killed_is_made_by_the_next_ingest(tmp_path: Path) -> None:
    kill_while_it_is_made(tmp_path, [0, 3, 7])


@pytest.mark.slow
def test_a_recluster_that_was_killed_leaves_the_old_clustering_or_the_new_one_whole(
    tmp_path: Path,
) -> None:
    kill_while_it_reclusters(tmp_path, [0.1, 0.35], at_least=2)


@pytest.mark.slow
def test_an_interrupted_ingest_ends_with_130_and_keeps_what_it_did(tmp_path: Path) -> None:
    photos = photos_of(tmp_path, 200)
    command = [sys.executable, "-m", "organizer", "ingest", "photos", "--embedder", COLOUR]
    small = {"ORGANIZER_COMMIT_IMAGES": "8", "ORGANIZER_BATCH_SIZE": "4"}
    files = tmp_path / ".organizer" / "files.lance" / "data"
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **small}, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (files.exists() and len(list(files.iterdir())) >= 2):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping" in err
    assert "Traceback" not in err
    assert not (tmp_path / ".organizer" / "writing").exists(), "it ended in good order"
    with Library.open(tmp_path, SMALL) as library:
        kept = library.status().files
        assert 16 <= kept < 200
        assert_nothing_twice(library)
        report = library.ingest([photos])
        assert sum(report.counts.values()) == 200
        assert library.status().files == 200
        assert contents(library, tmp_path) == undisturbed(tmp_path, photos)


# Cut short between two writes, at every place -----------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_begun(tmp_path_factory.mktemp("made"))


@pytest.fixture
def begin(made: Path, tmp_path: Path) -> Path:
    """A library with three named groups of photos, to change."""
    return Path(shutil.copytree(made, tmp_path / "begin"))


_ALTERATIONS = [
    touched,
    *(
        pytest.param(alter, marks=pytest.mark.slow)
        for alter in (new, deleted, renamed, changed, copied, broken)
    ),
]


@pytest.mark.parametrize("alter", _ALTERATIONS)
def test_an_ingest_interrupted_before_any_write_can_be_read_and_ends_like_one_that_was_not(
    begin: Path, tmp_path: Path, alter: Alter
) -> None:
    alter(begin)
    expected = undisturbed_after(begin, tmp_path, ingest_all)
    wrong = []
    for home in cut_at_every_write(begin, tmp_path, ingest_all):
        look_at_all(home)
        with Library.open(home, SMALL) as library:
            assert_whole(library)
            ingest_all(library)
            assert_nothing_twice(library)
            assert_paths_once(library)
            found = contents(library, home)
        wrong += [f"cut {home.name}: {name}" for name in found if found[name] != expected[name]]
    assert wrong == []


@pytest.mark.parametrize("alter", [new, changed])
def test_everything_can_be_read_before_each_write_of_an_ingest(begin: Path, alter: Alter) -> None:
    look_before_each_write(begin, alter)


@pytest.mark.slow
def test_images_that_get_their_vectors_late_are_assigned_though_the_ingest_was_interrupted(
    begin: Path,
    tmp_path: Path,
) -> None:
    new(begin)
    with Library.open(begin, SMALL) as library:
        library.ingest([begin / "photos"], embedder="hog+hsv")
    expected = undisturbed_after(begin, tmp_path, ingest_all)
    before = undisturbed_after(begin, tmp_path, Library.status)
    assert len(_clusters_in(expected)) == len(_clusters_in(before)) + 5
    for home in cut_at_every_write(begin, tmp_path, ingest_all):
        with Library.open(home, SMALL) as library:
            ingest_all(library)
            assert contents(library, home)["clusters"] == expected["clusters"]


def _clusters_in(found: dict[str, object]) -> list[object]:
    clusters = found["clusters"]
    assert isinstance(clusters, list)
    return clusters


@pytest.mark.slow
@pytest.mark.parametrize("k", [2, 5])
def test_a_recluster_interrupted_before_any_of_its_writes_leaves_the_old_or_the_new_one(
    begin: Path, tmp_path: Path, k: int
) -> None:
    with Library.open(begin, SMALL) as library:
        old = members(library)
        ever = {cluster_id for _, cluster_id, _ in old}
    new_ones = undisturbed_after(begin, tmp_path, lambda library: library.recluster(k=k))[
        "clusters"
    ]
    for home in cut_at_every_write(begin, tmp_path, lambda library: library.recluster(k=k)):
        look_at_all(home)
        with Library.open(home, SMALL) as library:
            assert sorted(members(library)) in (sorted(old), new_ones)
            assert_whole_clustering(library, images=12)
            report = library.recluster(k=6)
            assert_whole_clustering(library, images=12)
            assert not set(report.lineage.new) & ever
            assert library.clusters.name_of(1) == "First"
            library.undo()
            assert sorted(members(library)) in (sorted(old), new_ones)


def test_an_undo_interrupted_before_any_of_its_writes_leaves_the_old_or_the_new_one(
    begin: Path,
    tmp_path: Path,
) -> None:
    with Library.open(begin, SMALL) as library:
        library.recluster(k=2)
        new(begin)
        ingest_all(library)
    undone = undisturbed_after(begin, tmp_path, Library.undo)["clusters"]
    with Library.open(begin, SMALL) as library:
        before = sorted(members(library))
    for home in cut_at_every_write(begin, tmp_path, Library.undo):
        look_at_all(home)
        with Library.open(home, SMALL) as library:
            assert sorted(members(library)) == before
            library.undo()
            assert sorted(members(library)) == undone


@pytest.mark.parametrize(
    "kind", ["merge", "split", "retire", "move", "exclude", "new", "batch", "redo"]
)
def test_a_decision_interrupted_before_any_of_its_writes_is_applied_or_was_never_made(
    begin: Path, tmp_path: Path, kind: str
) -> None:
    with Library.open(begin, SMALL) as library:
        ids = [cluster.cluster_id for cluster in library.clusters.summaries()]
        image = min(i for i, cluster_id, _ in members(library) if cluster_id == ids[0])
        if kind == "redo":
            library.corrections.retire(ids[-1])
            library.undo()
        before, steps = sorted(members(library)), library.store.steps.count()
    decisions: dict[str, Callable[[Library], object]] = {
        "merge": lambda library: library.corrections.merge(ids[:2]),
        "split": lambda library: library.corrections.split(ids[0], k=2),
        "retire": lambda library: library.corrections.retire(ids[-1]),
        "move": lambda library: library.corrections.move(image, ids[1]),
        "exclude": lambda library: library.corrections.exclude(image, ids[0]),
        "new": lambda library: library.corrections.new_cluster([image], "Lynx"),
        "batch": lambda library: library.corrections.apply(
            [MoveImages(image, ids[1]), RetireCluster(ids[-1])]
        ),
        "redo": lambda library: library.redo(),
    }
    done = undisturbed_after(begin, tmp_path, decisions[kind])["clusters"]
    for home in cut_at_every_write(begin, tmp_path, decisions[kind]):
        look_at_all(home)
        with Library.open(home, SMALL) as library:
            found, later = groups_of(members(library)), groups_of(before)
            assert found in (later, groups_of(done))
            assert (library.store.steps.count() == steps) == (found == later), "all or nothing"
            if found == later:
                assert not library.corrections.constraints().retired
                decisions[kind](library)
            assert groups_of(members(library)) == groups_of(done)


def test_an_undo_of_a_decision_interrupted_before_any_of_its_writes_is_done_or_not_begun(
    begin: Path,
    tmp_path: Path,
) -> None:
    with Library.open(begin, SMALL) as library:
        before = groups_of(members(library))
        library.corrections.merge(
            [cluster.cluster_id for cluster in library.clusters.summaries()][:2]
        )
        merged = groups_of(members(library))
    for home in cut_at_every_write(begin, tmp_path, Library.undo):
        look_at_all(home)
        with Library.open(home, SMALL) as library:
            library.corrections.rename(library.clusters.summaries()[0].cluster_id, "Later")
            now, retired = groups_of(members(library)), library.corrections.constraints().retired
            assert (now, bool(retired)) in [(before, False), (merged, True)]


def test_everything_can_be_read_before_each_write_of_recluster_and_undo(
    begin: Path,
) -> None:
    with Library.open(begin, SMALL) as library, before_each_write(lambda: look_at_all(begin)):
        library.recluster(k=2)
        library.corrections.rename(library.clusters.summaries()[0].cluster_id, "Other")
        library.undo()


def test_a_reader_never_sees_a_state_between(begin: Path) -> None:
    """A merge of the named cluster into another, and its undo, while another thread reads."""
    with Library.open(begin, SMALL) as library:
        first, second, _ = sorted(c.cluster_id for c in library.clusters.summaries())
        sizes = {c.cluster_id: c.count for c in library.clusters.summaries()}
    states = {
        ((first, "First", sizes[first]), (second, None, sizes[second])),
        ((second, "First", sizes[first] + sizes[second]),),
    }
    seen: set[tuple[tuple[int, str | None, int], ...]] = set()
    done = threading.Event()

    def read() -> None:
        with Library.open(begin, SMALL) as reader:
            while not done.is_set():
                found = [
                    (c.cluster_id, c.name, c.count)
                    for c in reader.clusters.summaries()
                    if c.cluster_id in {first, second}
                ]
                seen.add(tuple(sorted(found, key=lambda row: row[0])))

    with ThreadPoolExecutor(1) as pool, Library.open(begin, SMALL) as library:
        reading = pool.submit(read)
        for _ in range(25):
            library.corrections.merge([second, first])
            library.undo()
        done.set()
        reading.result(timeout=60)
    assert seen == states
