"""What decisions teach about other images: which follow at a recluster, which at an ingest.

The images of these tests are of two kinds, by day and by night. The time of the day shows more than
the kind, so the clusters are by day and by night, and are wrong about one image in four; a person
who says so of some images teaches which of the two counts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.cluster.incremental import unit_rows
from organizer.library import Library
from organizer.library.clustering import space
from organizer.library.clustering.cluster_count import K
from organizer.library.clustering.learned import MOST_DECIDED, sampled_ids
from organizer.library.ingest.loaded import LoadedClustering
from organizer.settings import Settings
from organizer.types import NOISE, EmbeddingBatch, PartSpec, Vectors
from tests.cards import blobs, decide, fill, ids_of, ingest, library_at, members, where
from tests.traps import COLOUR, Colour, frame
from tests.traps import where as files_where

N = 200
IDS = ids_of(range(N))
NEW = ids_of(range(1_000, 1_100))
KIND = np.arange(N) % 2
ASKED = np.random.default_rng(1).permutation(N)[:30].tolist()
"""The images that a person decides about."""


def two_kinds(n: int, *, seed: int = 0, dim: int = 16) -> Vectors:
    """Images of two kinds in turn; by day and by night is a stronger difference."""
    draw = np.random.default_rng(seed)
    kind = np.arange(n) % 2
    light = np.where(draw.random(n) < 0.8, kind, 1 - kind)
    vectors = draw.normal(0, 0.08, (n, dim)).astype(np.float32)
    vectors[:, 0] += 1
    vectors[np.arange(n), 1 + light] += 0.8
    vectors[np.arange(n), 3 + kind] += 0.5
    return unit_rows(vectors)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library with two clusters, named after the kind of most of their images."""
    home = tmp_path_factory.mktemp("made")
    with library_at(home) as library:
        fill(library, IDS, two_kinds(N))
        library.recluster(k=2)
        name_clusters(library)
    return home


@pytest.fixture
def named(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with library_at(tmp_path) as library:
        yield library


@pytest.fixture
def taught(named: Library) -> Library:
    """The same, after a person has said of thirty images what they are."""
    teach(named)
    return named


def name_clusters(library: Library) -> None:
    found = clusters_of(library, IDS)
    for cluster_id in sorted(set(found.tolist()) - {NOISE}):
        library.corrections.rename(
            cluster_id, ["fox", "owl"][round(KIND[found == cluster_id].mean())]
        )


def teach(library: Library) -> None:
    for kind, cluster_id in enumerate(kinds(library)):
        asked = [IDS[row] for row in ASKED if KIND[row] == kind]
        decide(library, lambda editor, i=cluster_id, a=asked: editor.move(a, i))  # type: ignore[misc]


def kinds(library: Library) -> list[int]:
    """The clusters of the two kinds."""
    names = library.corrections.constraints().names
    return [next(i for i, known in names.items() if known == name) for name in ("fox", "owl")]


def clusters_of(library: Library, ids: list[str]) -> NDArray[np.int64]:
    at = where(library)
    return np.array([at[i] for i in ids])


def share_right(library: Library) -> float:
    return float((clusters_of(library, IDS) == np.array(kinds(library))[KIND]).mean())


# At a recluster ------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", ["smooth", "none", "pca"])
def test_images_follow_what_was_decided_about_others(taught: Library, reduce: str) -> None:
    assert share_right(taught) < 0.85
    report = taught.recluster(k=2, reduce=reduce)
    assert share_right(taught) > 0.95
    assert report.learned > 20
    again = where(taught)
    taught.recluster(k=2, reduce=reduce)
    assert sum(again[i] != c for i, c in where(taught).items()) <= N // 50, "and stay there"


def test_images_follow_in_half_precision_too(
    taught: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "_HALF_FROM", 10)
    taught.recluster(k=2, reduce="none")
    assert share_right(taught) > 0.95


def test_a_dry_run_says_how_many_would_follow(taught: Library) -> None:
    before = where(taught)
    assert taught.recluster(k=2, dry_run=True).learned > 20
    assert where(taught) == before


def test_no_decision_is_contradicted(taught: Library) -> None:
    """Not even one that the head is sure is wrong."""
    _, owl = kinds(taught)
    free = [row for row in range(N) if row not in ASKED]
    wrong = [IDS[row] for row in free if KIND[row] == 0][:4]
    excluded = [IDS[row] for row in free if KIND[row] == 1][:8]
    decide(taught, lambda editor: editor.move(wrong, owl))
    decide(taught, lambda editor: editor.exclude(excluded, owl))
    constraints = taught.corrections.constraints()
    assert taught.recluster(k=2).learned > 10
    at = where(taught)
    assert {at[i] for i in wrong} == {owl}
    assert all(at[i] == c for i, c in constraints.fixed.items())
    assert owl not in {at[i] for i in excluded}


def test_without_a_decision_about_single_images_nobody_follows(named: Library) -> None:
    assert named.recluster(k=2).learned == 0
    assert share_right(named) < 0.85


def test_a_small_cluster_that_a_person_made_takes_no_neighbours_that_are_not_of_it(
    tmp_path: Path,
) -> None:
    """To K-means the centroid of two images is one like any other, and takes what is nearest."""
    library = library_at(tmp_path)
    ids = ids_of(range(120))
    fill(library, ids, blobs([60, 60], scale=0.1))
    library.recluster(k=2)
    for cluster_id, name in zip((1, 2), ("fox", "owl"), strict=True):
        library.corrections.rename(cluster_id, name)
    fixed = library.corrections.constraints().fixed
    some = [i for i in ids[:60] if i not in fixed][:2]
    decide(library, lambda editor: editor.new_cluster(some, "genet"))
    report = library.recluster(k=3)
    genets = [i for i, c in where(library).items() if c == 3]
    assert set(some) <= set(genets)
    assert len(genets) <= 5
    assert report.learned > 0


def test_where_the_clusters_are_right_already_nobody_follows(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    ids = ids_of(range(90))
    fill(library, ids, blobs([30, 30, 30]))
    library.recluster(k=3)
    before = where(library)
    for cluster_id in (1, 2, 3):
        library.corrections.rename(cluster_id, f"kind {cluster_id}")
        confirmed = [i for i in ids if before[i] == cluster_id][:8]
        decide(library, lambda editor, i=cluster_id, c=confirmed: editor.move(c, i))  # type: ignore[misc]
    assert library.recluster(k=3).learned == 0
    assert where(library) == before


def test_decisions_at_random_teach_next_to_nothing(named: Library) -> None:
    rows = np.random.default_rng(3).permutation(N)[:60]
    for cluster_id, part in zip(kinds(named), np.split(rows, 2), strict=True):
        some = [IDS[row] for row in part]
        decide(named, lambda editor, i=cluster_id, s=some: editor.move(s, i))  # type: ignore[misc]
    assert named.recluster(k=2).learned < 10


def test_an_undo_takes_what_was_learned_back_and_a_redo_brings_it_again(taught: Library) -> None:
    before = members(taught)
    taught.recluster(k=2)
    after = members(taught)
    assert (before.cluster_ids != after.cluster_ids).sum() > 20
    taught.undo()
    assert members(taught).cluster_ids.tolist() == before.cluster_ids.tolist()
    taught.redo()
    assert members(taught).cluster_ids.tolist() == after.cluster_ids.tolist()
    for _ in range(3):  # the recluster, and both batches of moves
        taught.undo()
    assert taught.recluster(k=2).learned == 0, "what was undone teaches nothing"


@pytest.mark.parametrize("must_fit", [False, True])
def test_what_is_unassigned_follows_only_where_it_fits(taught: Library, *, must_fit: bool) -> None:
    """However sure the head is: it knows no other kinds than those that were decided."""
    taught.recluster(k=2, reduce="none")
    current = taught.store.clusterings.current()
    assert current is not None
    head = LoadedClustering.read(taught.store, current, seed=0).learn_head(seed=0)
    assert head is not None
    nowhere = np.full(60, NOISE)
    known, unseen = two_kinds(60, seed=5), blobs([60], first=3, scale=0.05)
    assert (head.probabilities(unseen, unseen).max(axis=1) > 0.9).all()
    found = head.reassigned(unseen, unseen, nowhere, must_fit=must_fit)
    assert (found == NOISE).all()
    found = head.reassigned(known, known, nowhere, must_fit=must_fit)
    right = found == np.array(kinds(taught))[np.arange(60) % 2]
    assert right.mean() > 0.5
    assert (right | (found == NOISE)).all()


@pytest.mark.parametrize("algorithm", ["hdbscan", "dbscan", "ward", "gmm", "average"])
def test_decisions_hold_with_every_algorithm_and_what_is_odd_stays_odd(
    tmp_path: Path, algorithm: str
) -> None:
    library = library_at(tmp_path)
    odd = ids_of(range(5_000, 5_012))
    strange = unit_rows(np.random.default_rng(9).normal(size=(12, 16)).astype(np.float32))
    fill(library, [*IDS, *odd], np.concatenate([two_kinds(N), strange]))
    finds_own = algorithm in {"hdbscan", "dbscan"}
    k: K = "auto" if finds_own else 4
    library.recluster(k=k, algorithm=algorithm, reduce="none")
    found = clusters_of(library, IDS)
    for place, cluster_id in enumerate(sorted(set(found.tolist()) - {NOISE})):
        library.corrections.rename(cluster_id, f"kind {place}")
    some = [IDS[row] for row in ASKED]
    target = int(found[ASKED[0]])
    decide(library, lambda editor: editor.move(some, target))
    library.recluster(k=k, algorithm=algorithm, reduce="none")
    assert set(clusters_of(library, some).tolist()) == {target}
    if finds_own:
        assert (clusters_of(library, odd) == NOISE).mean() > 0.8
    assert len(ingest(library, NEW, two_kinds(100, seed=5))[0]) == 100


# At an ingest --------------------------------------------------------------------------------


def test_new_images_follow_what_was_decided_about_others(named: Library) -> None:
    vectors, kind = two_kinds(100, seed=5), np.arange(100) % 2
    first, _ = ingest(named, NEW[:50], vectors[:50])
    assert (first.cluster_ids == np.array(kinds(named))[kind[:50]]).mean() < 0.85
    teach(named)
    named.recluster(k=2)
    before = where(named)
    new, _ = ingest(named, NEW[50:], vectors[50:])
    wanted = np.array(kinds(named))[kind[50:]]
    assert (new.cluster_ids == wanted).mean() > 0.9
    assert ((new.cluster_ids == wanted) | new.unassigned).all()
    assert {i: c for i, c in where(named).items() if i in before} == before, "no other image moves"


def test_the_size_of_the_batches_decides_nothing(taught: Library, tmp_path: Path) -> None:
    vectors = two_kinds(60, seed=5)
    whole, _ = ingest(taught, NEW[:60], vectors)
    taught.undo()
    shutil.copytree(tmp_path / ".organizer", tmp_path / "again" / ".organizer")
    with library_at(tmp_path / "again") as again:
        again.corrections.redo()
        parts, _ = ingest(again, ids_of(range(2_000, 2_060)), vectors, batch=7)
    assert parts.cluster_ids.tolist() == whole.cluster_ids.tolist()


def test_a_kind_that_nobody_has_seen_stays_unassigned_as_before(
    named: Library, made: Path, tmp_path: Path
) -> None:
    unseen = blobs([60], first=8, scale=0.2, seed=2)
    unseen = unit_rows(unseen + 0.6 * two_kinds(60, seed=3))
    shutil.copytree(made, tmp_path / "untaught")
    with library_at(tmp_path / "untaught") as untaught:
        before, _ = ingest(untaught, NEW[:60], unseen)
    teach(named)
    after, _ = ingest(named, NEW[:60], unseen)
    assert before.unassigned.mean() > 0.9
    assert after.unassigned.sum() >= before.unassigned.sum()


def test_a_new_image_that_was_excluded_does_not_come_back(taught: Library) -> None:
    """It was excluded, and a clustering from before it came is brought back."""
    vectors = two_kinds(40, seed=5)
    taught.recluster(k=2)
    new, _ = ingest(taught, NEW[:40], vectors)
    fox, _ = kinds(taught)
    excluded = new.image_ids[new.cluster_ids == fox].tolist()[:5]
    assert len(excluded) == 5
    decide(taught, lambda editor: editor.exclude(excluded, fox))
    ingest(taught, NEW[40:], two_kinds(60, seed=6))
    taught.recluster(k=2)
    assert fox not in {where(taught)[i] for i in excluded}


def test_images_that_an_undo_assigns_again_follow_too(taught: Library) -> None:
    """They came after the recluster that is undone, and are new to the clusters before it."""
    taught.recluster(k=2)
    taught.recluster(k=3)
    ingest(taught, NEW[:40], two_kinds(40, seed=5))
    taught.undo()
    right = clusters_of(taught, NEW[:40]) == np.array(kinds(taught))[np.arange(40) % 2]
    assert right.mean() > 0.9


# Other embedders, cameras and bursts ---------------------------------------------------------


def test_what_was_decided_teaches_another_embedder_too(taught: Library) -> None:
    other = PartSpec("other")
    taught.store.vectors.append(other, EmbeddingBatch(tuple(IDS), two_kinds(N, seed=7, dim=9)))
    report = taught.recluster(k=2, embedder="other")
    assert report.embedder == other
    assert report.learned > 20
    assert share_right(taught) > 0.95


def light_and_kind(row: int) -> tuple[int, int]:
    """Every fourth burst of each kind is by the other light."""
    kind = row % 2
    return (kind if row // 2 % 4 else 1 - kind), kind


def colour_of(light: int, kind: int) -> Colour:
    return (190 if light else 60, 150 if kind else 90, 60 if light else 190)


@pytest.mark.parametrize(("bursts", "center"), [(True, None), (False, "camera"), (True, "camera")])
def test_bursts_and_centred_vectors_follow_too(
    tmp_path: Path, *, bursts: bool, center: str | None
) -> None:
    for row in range(40):
        for shot in range(2):
            frame(
                tmp_path / "photos" / f"{row}-{shot}.jpg",
                colour_of(*light_and_kind(row)),
                at=f"2024:05:01 {10 + row // 6:02}:{row % 6 * 10:02}:{shot * 10:02}",
                camera="AB"[row // 2 % 2],
            )
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "photos"], embedder=COLOUR)
        library.recluster(k=2, reduce="none", bursts=bursts, center=center)
        first = files_where(library)
        by_light = {light_and_kind(row)[0]: first[f"{row}-0"] for row in range(40)}
        assert by_light[0] != by_light[1]
        library.corrections.rename(by_light[0], "fox")
        library.corrections.rename(by_light[1], "owl")
        asked = [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21]
        for row in asked:
            path = tmp_path / "photos" / f"{row}-0.jpg"
            library.corrections.move(path, by_light[row % 2])
        report = library.recluster(k=2, reduce="none", bursts=bursts, center=center)
        assert report.learned > 0
        after = files_where(library)
        assert all(after[f"{row}-0"] == by_light[row % 2] for row in asked)
        right = [after[f"{row}-1"] == by_light[row % 2] for row in range(40)]
        assert np.mean(right) > 0.85
        late = tmp_path / "photos" / "late.jpg"
        frame(late, colour_of(1, 0), at="2024:05:03 10:00:00", camera="A")
        library.ingest([tmp_path / "photos"])
        assert files_where(library)["late"] in {by_light[0], NOISE}


# Very many decisions -------------------------------------------------------------------------


def test_of_very_many_decided_images_those_that_were_decided_singly_count_first() -> None:
    fixed = ids_of(range(MOST_DECIDED + 500))
    singly = fixed[-700:]
    found = sampled_ids(fixed, set(singly), seed=0)
    assert len(set(found)) == MOST_DECIDED
    assert set(singly) <= set(found)
    assert found == sampled_ids(list(reversed(fixed)), set(singly), seed=0)
    assert sampled_ids(fixed[:9], set(), seed=0) == sorted(fixed[:9])
