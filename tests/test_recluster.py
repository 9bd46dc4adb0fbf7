"""Reclusters: their shape and seed, what becomes of ids and names, and undo."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.settings import Settings
from organizer.store import KEPT_BASES
from tests.conftest import make_groups, make_photo

COLOUR = "channel-mean"
K = int | Literal["auto"]


def flat(file: Path, colour: tuple[int, int, int]) -> Path:
    """A picture of one colour, exactly."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(file)
    return file


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = vectors.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def clusters_by_image(library: Library) -> dict[str, int]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    assert len(set(members.image_ids)) == len(members)
    return dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))


def members_bytes(library: Library) -> list[tuple[object, ...]]:
    """The members of the current clustering, with every bit."""
    current = library.store.clusterings.current()
    assert current is not None
    m = library.store.clusterings.assignments(current.clustering_id)
    return [
        (i, c, d.tobytes(), g.tobytes(), s)
        for i, c, d, g, s in zip(
            m.image_ids, m.cluster_ids, m.distances, m.margins, m.states, strict=True
        )
    ]


def cluster_of_folder(library: Library, folder: Path) -> int:
    """The one cluster that holds all photos of a folder."""
    rows = library.store.photos.files_of()
    mine = {i for i, files in rows.items() if any(row.file.parent == folder for row in files)}
    held = {cluster for i, cluster in clusters_by_image(library).items() if i in mine}
    assert len(held) == 1
    return held.pop()


# What a clustering is -----------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 5, 12])
def test_k_that_is_given_gives_k_clusters_with_dense_ids(filled: Library, k: int) -> None:
    report = filled.recluster(k=k)
    assert report.k == k
    assert report.evidence == ()
    assert report.images == 24
    assert sorted(cluster_id for cluster_id, _, _ in report.clusters) == list(range(1, k + 1))
    assert all(count > 0 for _, _, count in report.clusters)
    held = list(clusters_by_image(filled).values())
    assert {i: held.count(i) for i in held} == {i: count for i, _, count in report.clusters}
    assert len(held) == 24


def test_auto_finds_the_three_groups(filled: Library, photos: Path) -> None:
    report = filled.recluster(k="auto")
    assert report.k == 3
    assert not report.is_weak
    chosen = [candidate for candidate in report.evidence if candidate.chosen]
    assert [candidate.k for candidate in chosen] == [3]
    assert chosen[0].silhouette == max(candidate.silhouette for candidate in report.evidence)
    ids = {cluster_of_folder(filled, photos / name) for name in ("red", "green", "blue")}
    assert ids == {1, 2, 3}


def test_a_clustering_is_what_its_centroids_say(filled: Library) -> None:
    report = filled.recluster(k=5, reduce="none")
    assert report.clustering_id is not None
    clusterings = filled.store.clusterings
    models, members = (
        clusterings.models(report.clustering_id),
        clusterings.assignments(report.clustering_id),
    )
    ids, vectors = filled.store.vectors.read(report.embedder)
    assert members.image_ids.tolist() == list(ids)
    np.testing.assert_allclose(np.linalg.norm(models.centroids, axis=1), 1, atol=1e-5)
    similarity = unit(vectors) @ models.centroids.astype(np.float64).T
    assert members.cluster_ids.tolist() == models.cluster_ids[similarity.argmax(axis=1)].tolist()
    best = np.sort(similarity, axis=1)
    np.testing.assert_allclose(members.distances, 1 - best[:, -1], atol=1e-5)
    np.testing.assert_allclose(members.margins, best[:, -1] - best[:, -2], atol=1e-5)
    assert members.candidates.tolist() == members.cluster_ids.tolist()
    for row, cluster_id in enumerate(models.cluster_ids):
        mine = members.cluster_ids == cluster_id
        assert models.counts[row] == mine.sum()
        assert models.means[row] == pytest.approx(unit(vectors[mine]).mean(axis=0), abs=1e-6)
        found = models.distance_means[row]
        assert found == pytest.approx(members.distances[mine].mean(), abs=1e-6)
        assert models.deviations[row] == pytest.approx(members.distances[mine].std(), abs=1e-6)
        medoid = members.image_ids.tolist().index(models.medoids[row])
        assert mine[medoid]
        within = unit(vectors[mine]) @ unit(vectors[mine]).T
        assert within.sum(axis=1).max() == pytest.approx(
            (unit(vectors[mine]) @ unit(vectors)[medoid]).sum(), abs=1e-4
        )


def test_a_seed_decides_the_clustering(tmp_path: Path) -> None:
    photos = make_groups(tmp_path / "photos", each=8)
    seen = []
    for name, seed in (("one", 5), ("two", 5)):
        with Library.open_or_create(tmp_path / name, Settings(seed=seed)) as library:
            library.ingest([photos], embedder=COLOUR)
            report = library.recluster(k=6)
            assert report.clustering_id is not None
            models = library.store.clusterings.models(report.clustering_id)
            seen.append((members_bytes(library), models.centroids.tobytes(), report.clusters))
    assert seen[0] == seen[1]


def test_reclustering_without_any_change_moves_nobody(filled: Library) -> None:
    filled.recluster(k=3)
    before = clusters_by_image(filled)
    report = filled.recluster(k=3)
    assert clusters_by_image(filled) == before
    assert report.lineage.kept == (1, 2, 3)
    assert report.lineage.images_moved == 0
    assert (report.lineage.new, report.lineage.retired) == ((), ())


# What cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 0, -3, 25, 10**6])
def test_a_k_that_cannot_be_is_refused_and_changes_nothing(filled: Library, k: int) -> None:
    with pytest.raises(SettingsError, match=str(k)) as caught:
        filled.recluster(k=k)
    assert "auto" in caught.value.hint
    assert filled.store.clusterings.current() is None


def test_k_may_not_exceed_the_number_of_different_images(library: Library, tmp_path: Path) -> None:
    for i, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250)]):
        for copy in range(4):
            file = flat(tmp_path / "photos" / f"{i}-{copy}.bmp", colour)
            file.write_bytes(file.read_bytes() + bytes([copy]))
    assert library.ingest([tmp_path / "photos"], embedder=COLOUR).images == 12
    with pytest.raises(SettingsError, match="3 different"):
        library.recluster(k=4)
    report = library.recluster(k=3)
    assert sorted(count for _, _, count in report.clusters) == [4, 4, 4]


@pytest.mark.parametrize("k", [2, "auto"])
def test_a_library_without_images_cannot_be_clustered(library: Library, k: K) -> None:
    with pytest.raises(SettingsError, match="no images"):
        library.recluster(k=k)


@pytest.mark.parametrize("images", [1, 2])
def test_one_image_or_two_are_too_few_for_auto(
    library: Library, tmp_path: Path, images: int
) -> None:
    for i in range(images):
        make_photo(tmp_path / "photos" / f"{i}.jpg", i)
    library.ingest([tmp_path / "photos"], embedder=COLOUR)
    with pytest.raises(ClusteringError, match="too few") as caught:
        library.recluster(k="auto")
    assert caught.value.hint
    with pytest.raises(SettingsError, match=f"{images} different"):
        library.recluster(k=images + 1)


def test_images_that_all_look_the_same_cannot_be_clustered(
    library: Library, tmp_path: Path
) -> None:
    for i in range(6):
        file = flat(tmp_path / "photos" / f"{i}.bmp", (10, 20, 30))
        file.write_bytes(file.read_bytes() + bytes([i]))
    assert library.ingest([tmp_path / "photos"], embedder=COLOUR).images == 6
    with pytest.raises(SettingsError, match="1 different"):
        library.recluster(k=2)
    with pytest.raises(ClusteringError):
        library.recluster(k="auto")


@pytest.mark.parametrize("k", [2, 5, "auto"])
def test_images_that_differ_by_rounding_alone_end_in_a_clustering_or_in_a_plain_error(
    library: Library, tmp_path: Path, k: K
) -> None:
    """Greys of any brightness have one direction; their vectors differ in the last bit."""
    for i in range(20):
        flat(tmp_path / "photos" / f"{i:02}.png", (10 + i * 10,) * 3)
    library.ingest([tmp_path / "photos"], embedder=COLOUR)
    try:
        report = library.recluster(k=k)
    except (SettingsError, ClusteringError):
        assert library.store.clusterings.current() is None
    else:
        assert all(count > 0 for _, _, count in report.clusters)
        assert len(library.clusters.summaries()) == report.k


def test_as_many_clusters_as_images_are_one_for_each(library: Library, tmp_path: Path) -> None:
    for i in range(12):
        flat(tmp_path / "photos" / f"{i}.png", (250, 20 * i, 250 - 20 * i))
    library.ingest([tmp_path / "photos"], embedder=COLOUR)
    report = library.recluster(k=12)
    assert sorted(count for _, _, count in report.clusters) == [1] * 12


def test_a_black_frame_is_clustered_with_the_others(filled: Library, photos: Path) -> None:
    """Its colour vector is all zeros and has no direction."""
    flat(photos / "black.png", (0, 0, 0))
    filled.ingest([photos])
    report = filled.recluster(k=3)
    assert report.images == 25
    assert report.clustering_id is not None
    models = filled.store.clusterings.models(report.clustering_id)
    np.testing.assert_allclose(np.linalg.norm(models.centroids, axis=1), 1, atol=1e-5)
    ids = {cluster_of_folder(filled, photos / name) for name in ("red", "green", "blue")}
    assert len(ids) == 3


# Lineage and names --------------------------------------------------------------------------


def test_a_new_group_is_a_new_cluster_and_the_others_keep_their_ids(
    filled: Library, photos: Path
) -> None:
    filled.recluster(k=3)
    before = clusters_by_image(filled)
    for i in range(8):
        make_photo(photos / "yellow" / f"{i}.jpg", 70 + i, colour=(200, 200, 40))
    ingested = filled.ingest([photos])
    assert (ingested.compared, ingested.unassigned, ingested.total_unassigned) == (8, 8, 0)
    assert [
        (cluster_found.cluster_id, cluster_found.images) for cluster_found in ingested.novel
    ] == [(4, 8)]
    assert cluster_of_folder(filled, photos / "yellow") == 4
    report = filled.recluster(k="auto")
    assert report.k == 4
    assert report.lineage.kept == (1, 2, 3, 4)
    assert (report.lineage.new, report.lineage.retired, report.lineage.split) == ((), (), ())
    after = clusters_by_image(filled)
    assert {i: after[i] for i in before} == before
    assert cluster_of_folder(filled, photos / "yellow") == 4


def test_clusters_that_become_one_are_reported_as_merged(filled: Library) -> None:
    filled.recluster(k=3)
    report = filled.recluster(k=2)
    assert len(report.lineage.merged) == 1
    merge = report.lineage.merged[0]
    assert len(merge.sources) == 2
    assert {*report.lineage.kept, *report.lineage.retired} == {1, 2, 3}
    assert merge.cluster_id in clusters_by_image(filled).values()


def test_a_name_stays_with_its_images(filled: Library, photos: Path) -> None:
    filled.recluster(k=3)
    green = cluster_of_folder(filled, photos / "green")
    filled.corrections.rename(green, "Meadow")
    for i in range(9):
        make_photo(photos / "yellow" / f"{i}.jpg", 70 + i, colour=(220, 180, 30))
    filled.ingest([photos])
    filled.recluster(k=4)
    filled.recluster(k="auto")
    assert filled.clusters.name_of(cluster_of_folder(filled, photos / "green")) == "Meadow"
    named = [cluster for cluster in filled.clusters.summaries() if cluster.name]
    assert [(cluster.name, cluster.cluster_id) for cluster in named] == [("Meadow", green)]


def test_a_cluster_of_another_embedder_continues_those_of_the_first(
    filled: Library, photos: Path
) -> None:
    filled.recluster(k=3)
    filled.corrections.rename(cluster_of_folder(filled, photos / "red"), "Red")
    filled.ingest([photos], embedder="hog+hsv")
    report = filled.recluster(k=3, embedder="hog+hsv")
    assert report.embedder.name == "hog+hsv"
    assert report.lineage.kept == (1, 2, 3)
    assert filled.clusters.name_of(cluster_of_folder(filled, photos / "red")) == "Red"


# Undo ---------------------------------------------------------------------------------------


def test_undo_brings_assignments_and_names_back_exactly(filled: Library, photos: Path) -> None:
    filled.recluster(k=3)
    filled.corrections.rename(cluster_of_folder(filled, photos / "red"), "Red")
    before, shown = members_bytes(filled), filled.clusters.summaries()
    filled.recluster(k=5)
    assert members_bytes(filled) != before
    former = filled.undo()
    assert former.clustering_id == 1
    assert members_bytes(filled) == before
    assert filled.clusters.summaries() == shown


def test_a_dry_run_reports_what_would_be_and_changes_nothing(filled: Library) -> None:
    filled.recluster(k=3)
    filled.corrections.rename(1, "Red")
    before, head = members_bytes(filled), filled.store.steps.all()
    told = filled.recluster(k=5, dry_run=True)
    assert told.clustering_id is None
    assert (members_bytes(filled), filled.store.steps.all()) == (before, head)
    done = filled.recluster(k=5)
    assert done.clusters == told.clusters
    assert done.lineage == told.lineage


@pytest.mark.parametrize("k", [(2, 6), (3, 3), (2, 10**6)])
def test_k_is_chosen_from_a_range(filled: Library, k: tuple[int, int]) -> None:
    report = filled.recluster(k=k)
    assert k[0] <= report.k <= k[1]
    assert report.k == 3
    assert {candidate.k for candidate in report.evidence} <= set(range(k[0], min(k[1], 24) + 1))


@pytest.mark.parametrize("k", [(5, 3), (1, 4), (25, 40)])
def test_a_range_that_cannot_be_is_refused(filled: Library, k: tuple[int, int]) -> None:
    with pytest.raises(SettingsError):
        filled.recluster(k=k)
    assert filled.store.clusterings.current() is None


@pytest.mark.parametrize("algorithm", ["gmm", "ward", "average", "birch", "spectral"])
def test_other_algorithms_make_clusters_that_new_images_are_assigned_to(
    filled: Library, photos: Path, algorithm: str
) -> None:
    report = filled.recluster(k=3, algorithm=algorithm)
    assert report.k == 3
    ids = {cluster_of_folder(filled, photos / name) for name in ("red", "green", "blue")}
    assert ids == {1, 2, 3}
    assert algorithm in report.algorithm
    green = cluster_of_folder(filled, photos / "green")
    for i in range(6):
        make_photo(photos / "green" / f"new-{i}.jpg", 900 + i, colour=(40, 200, 40))
    filled.ingest([photos])
    members = clusters_by_image(filled)
    rows = filled.store.photos.files_of()
    new = [i for i, files in rows.items() if any("new-" in row.file.name for row in files)]
    assert {members[i] for i in new} <= {green, -1}
    assert sum(members[i] == green for i in new) >= 3


@pytest.mark.parametrize("reduce", ["none", "pca:2", "smooth"])
def test_the_space_is_stored_and_new_images_are_placed_in_it(
    filled: Library, photos: Path, reduce: str
) -> None:
    report = filled.recluster(k=3, reduce=reduce)
    assert report.clustering_id is not None
    red = cluster_of_folder(filled, photos / "red")
    for i in range(6):
        make_photo(photos / "red" / f"new-{i}.jpg", 700 + i, colour=(200, 40, 40))
    filled.ingest([photos])
    held = list(clusters_by_image(filled).values())
    assert held.count(red) >= 8 + 3
    models = filled.store.clusterings.models(report.clustering_id)
    assert models.means.shape[1] <= (2 if reduce == "pca:2" else 64)


@pytest.mark.parametrize("reduce", ["nosuch", "pca:", "pca:0", "pca:x", "none:3", ":3"])
def test_a_space_that_cannot_be_is_refused(filled: Library, reduce: str) -> None:
    with pytest.raises(SettingsError) as caught:
        filled.recluster(k=3, reduce=reduce)
    assert caught.value.hint
    assert filled.store.clusterings.current() is None


def test_an_algorithm_that_is_not_there_is_refused(filled: Library) -> None:
    with pytest.raises(SettingsError, match="nosuch") as caught:
        filled.recluster(k=3, algorithm="nosuch")
    assert caught.value.hint


def test_images_that_came_since_are_assigned_to_the_clustering_that_comes_back(
    filled: Library, photos: Path
) -> None:
    filled.recluster(k=3)
    before = members_bytes(filled)
    filled.recluster(k=2)
    for i in range(4):
        make_photo(photos / "red" / f"new-{i}.jpg", 300 + i, colour=(200, 40, 40))
    filled.ingest([photos])
    filled.undo()
    assert members_bytes(filled)[:24] == before
    assert len(members_bytes(filled)) == 28
    cluster_of_folder(filled, photos / "red")
    assert set(clusters_by_image(filled)) == set(filled.store.photos.files_of())


def test_undo_goes_back_step_by_step_to_the_first_clustering(filled: Library) -> None:
    stands = []
    for k in (2, 3, 4):
        filled.recluster(k=k)
        stands.append(members_bytes(filled))
    for stand in reversed(stands[:-1]):
        filled.undo()
        assert members_bytes(filled) == stand
    with pytest.raises(ClusteringError, match="nothing to undo") as caught:
        filled.undo()
    assert caught.value.hint
    assert members_bytes(filled) == stands[0]


def test_there_is_nothing_to_undo_before_the_second_clustering(filled: Library) -> None:
    with pytest.raises(ClusteringError):
        filled.undo()
    filled.recluster(k=3)
    with pytest.raises(ClusteringError):
        filled.undo()


def test_a_clustering_after_undo_takes_no_id_of_the_one_that_was_undone(filled: Library) -> None:
    filled.recluster(k=2)
    novel = set(filled.recluster(k=6).lineage.new)
    filled.undo()
    again = filled.recluster(k=6)
    assert not novel & set(again.lineage.new)
    filled.undo()
    assert set(clusters_by_image(filled).values()) == {1, 2}


@pytest.mark.slow
def test_many_clusterings_can_all_be_undone(filled: Library) -> None:
    filled.recluster(k=3)
    first = members_bytes(filled)
    for i in range(KEPT_BASES - 1):
        filled.recluster(k=2 + i % 4)
    for _ in range(KEPT_BASES - 1):
        filled.undo()
    assert members_bytes(filled) == first


@pytest.mark.slow
def test_a_recluster_can_always_be_undone_however_far_one_went_back_before(
    filled: Library,
) -> None:
    for i in range(20):
        filled.recluster(k=2 + i % 3)
    for _ in range(19):
        filled.undo()
    before = members_bytes(filled)
    filled.recluster(k=5)
    filled.undo()
    assert members_bytes(filled) == before


# Renaming -----------------------------------------------------------------------------------


def test_a_name_is_trimmed_and_can_be_changed(filled: Library) -> None:
    filled.recluster(k=3)
    filled.corrections.rename(2, "  Red \n fox ")
    assert filled.clusters.name_of(2) == "Red fox"
    filled.corrections.rename(2, "Red fox")
    filled.corrections.rename(2, "Lynx")
    filled.corrections.rename(3, "Red fox")
    names = {cluster.cluster_id: cluster.name for cluster in filled.clusters.summaries()}
    assert names == {1: None, 2: "Lynx", 3: "Red fox"}


def test_a_name_that_another_cluster_has_is_refused(filled: Library) -> None:
    filled.recluster(k=3)
    filled.corrections.rename(1, "Lynx")
    with pytest.raises(SettingsError, match="cluster 1") as caught:
        filled.corrections.rename(2, "Lynx")
    assert caught.value.hint
    assert filled.clusters.name_of(2) is None


@pytest.mark.parametrize("name", ["", "   ", "\n\t"])
def test_a_blank_name_is_refused(filled: Library, name: str) -> None:
    filled.recluster(k=3)
    with pytest.raises(SettingsError) as caught:
        filled.corrections.rename(1, name)
    assert "name" in caught.value.hint
    assert filled.clusters.name_of(1) is None


@pytest.mark.parametrize("cluster_id", [0, 4, -1, 10**9])
def test_a_cluster_that_is_not_there_cannot_be_named(filled: Library, cluster_id: int) -> None:
    filled.recluster(k=3)
    with pytest.raises(SettingsError, match=str(cluster_id)) as caught:
        filled.corrections.rename(cluster_id, "Lynx")
    assert "1, 2, 3" in caught.value.hint


def test_before_there_are_clusters_none_can_be_named(filled: Library) -> None:
    with pytest.raises(ClusteringError):
        filled.corrections.rename(1, "Lynx")


# After files went ---------------------------------------------------------------------------


def test_images_whose_files_are_missing_stay_in_the_clustering(
    filled: Library, photos: Path
) -> None:
    filled.recluster(k=3)
    shutil.rmtree(photos / "red")
    filled.ingest([photos])
    report = filled.recluster(k=3)
    assert report.images == 24
    assert report.lineage.images_moved == 0
    assert sorted(cluster.count for cluster in filled.clusters.summaries()) == [8, 8, 8]
