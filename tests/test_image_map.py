"""The map of all images: places beside the landmarks, and what moves no image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.library.reports import image_map, maps
from organizer.reduce.layout import MapLayout, weighted_medians
from organizer.reduce.neighbours import memberships
from organizer.reduce.projection import project
from organizer.settings import Settings
from organizer.types import Labels, Vectors
from tests.conftest import make_groups, make_photo
from tests.scenes import STATIONS, season
from tests.test_detecting import seen


def _groups(n: int, k: int = 6, *, seed: int = 0) -> tuple[Vectors, Labels]:
    centres = np.random.default_rng(0).normal(size=(k, 24))
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, k, n)
    vectors = centres[labels] + draw.normal(scale=0.5, size=(n, 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def _sum_of_distances(at: NDArray[Any], places: NDArray[Any], weights: NDArray[Any]) -> float:
    return float((weights * np.linalg.norm(places - at, axis=1)).sum())


# Places beside landmarks ---------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 31, 700])
def test_a_vector_lies_at_the_median_of_its_nearest_landmarks(n: int) -> None:
    """Against all distances, computed one by one in double precision."""
    vectors, _ = _groups(n)
    others, _ = _groups(40, seed=1)
    layout = MapLayout.draw(vectors, method="pca", seed=0)
    state = layout.state()
    points = (others.astype(np.float64) - state["mean"]) @ state["components"].T
    found = layout.place(others)
    assert found.dtype == np.float32
    for point, at in zip(points, found, strict=True):
        apart = np.linalg.norm(state["landmarks"] - point, axis=1)
        nearest = np.argsort(apart, kind="stable")[:8]
        weights = memberships(apart[None, nearest].astype(np.float32))[0]
        places = layout.xy[nearest].astype(np.float64)
        least = _sum_of_distances(at, places, weights)
        around = at + np.array([[0.02, 0], [-0.02, 0], [0, 0.02], [0, -0.02]])
        assert all(_sum_of_distances(other, places, weights) > 0.99 * least for other in around)


def test_held_out_images_lie_among_their_own_class() -> None:
    vectors, labels = _groups(1_200)
    others, theirs = _groups(300, seed=1)
    layout = MapLayout.draw(vectors, method="tsne", seed=0)
    apart = np.linalg.norm(layout.place(others)[:, None] - layout.xy[None], axis=2)
    own = labels[np.argsort(apart, axis=1)[:, :5]] == theirs[:, None]
    assert own.mean() > 0.99


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 1_000))
def test_a_median_is_no_farther_from_its_places_than_any_of_them(k: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    places = draw.uniform(-1, 1, (1, k, 2)).astype(np.float32)
    weights = draw.uniform(0.05, 1, (1, k)).astype(np.float32)
    (median,) = weighted_medians(places, weights)
    assert (median >= places[0].min(axis=0) - 1e-5).all()
    assert (median <= places[0].max(axis=0) + 1e-5).all()
    best = min(_sum_of_distances(place, places[0], weights[0]) for place in places[0])
    assert _sum_of_distances(median, places[0], weights[0]) <= best * 1.05 + 1e-4


def test_what_lies_between_two_groups_is_drawn_to_one_of_them() -> None:
    places = np.array([[[0, 0], [0.01, 0], [0, 0.01], [1, 1]]], dtype=np.float32)
    (median,) = weighted_medians(places, np.ones((1, 4), dtype=np.float32))
    assert np.linalg.norm(median) < 0.02  # the mean is at (0.25, 0.25)


# The map of a library ------------------------------------------------------------------------


@pytest.fixture
def clustered(filled: Library) -> Library:
    filled.recluster(k=3)
    return filled


def _places(library: Library) -> dict[str, tuple[float, float]]:
    found = library.reports.map()
    return dict(zip(found.image_ids.tolist(), map(tuple, found.xy.tolist()), strict=True))


def test_without_clusters_there_is_no_map(filled: Library) -> None:
    with pytest.raises(ClusteringError):
        filled.reports.map()
    with pytest.raises(ClusteringError):
        filled.reports.kept_map()


def test_few_images_are_drawn_as_the_report_draws_them(clustered: Library) -> None:
    found = clustered.reports.map(method="pca")
    assert (found.drawn_of, found.placed_since, found.hidden) == (24, 0, 0)
    ids, vectors = clustered.embeddings()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    row_of = {image_id: row for row, image_id in enumerate(ids.tolist())}
    expected = project(unit[[row_of[i] for i in found.image_ids.tolist()]], method="pca")
    assert found.xy == pytest.approx(expected, abs=1e-3)
    assert found.image_ids.tolist() == sorted(ids.tolist())


def test_a_map_is_kept_and_is_the_same_when_it_is_drawn_again(clustered: Library) -> None:
    assert clustered.reports.kept_map() is None
    first = clustered.reports.map()
    kept = clustered.reports.kept_map()
    assert kept is not None
    assert kept.xy.tobytes() == first.xy.tobytes()
    assert clustered.reports.map(redraw=True).xy.tobytes() == first.xy.tobytes()
    assert clustered.reports.kept_map(method="pca") is None


def test_new_images_move_no_other(clustered: Library, tmp_path: Path) -> None:
    before = _places(clustered)
    more = make_groups(tmp_path / "more", each=4, seed=777)
    clustered.ingest([more], embedder="channel-mean")
    found = clustered.reports.map()
    assert found.placed_since == 12
    assert len(found) == 36
    after = _places(clustered)
    assert {i: after[i] for i in before} == before
    assert found.image_ids.tolist()[:24] == list(before)
    # A red photo is placed among the red ones.
    colour_of = {
        i: rows[0].file.parent.name for i, rows in clustered.store.photos.files_of().items()
    }
    old = np.array(list(before.values()))
    for image_id in found.image_ids.tolist()[24:]:
        nearest = list(before)[int(np.linalg.norm(old - after[image_id], axis=1).argmin())]
        assert colour_of[nearest] == colour_of[image_id]
    redrawn = clustered.reports.map(redraw=True)
    assert (redrawn.drawn_of, redrawn.placed_since) == (36, 0)


def test_neither_decisions_nor_a_recluster_move_an_image(clustered: Library) -> None:
    before = _places(clustered)
    first, *_ = before
    clustered.corrections.move([first], 2)
    clustered.corrections.rename(2, "Red fox")
    assert _places(clustered) == before
    clustered.recluster(k=2)
    assert _places(clustered) == before


def test_of_many_images_a_sample_is_drawn_and_the_others_are_placed(
    clustered: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MAPPED", 12)
    found = clustered.reports.map()
    assert (len(found), found.drawn_of, found.placed_since) == (24, 12, 0)
    colour_of = {
        i: rows[0].file.parent.name for i, rows in clustered.store.photos.files_of().items()
    }
    colours = np.array([colour_of[i] for i in found.image_ids.tolist()])
    apart = np.linalg.norm(found.xy[:, None] - found.xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (colours[apart.argmin(axis=1)] == colours).mean() > 0.9


def test_more_images_than_are_looked_up_by_id_are_placed_alike(
    clustered: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MAPPED", 12)
    looked_up = clustered.reports.map().xy
    monkeypatch.setattr(image_map, "_SOUGHT_BY_ID", 5)
    monkeypatch.setattr(image_map, "_ROWS_AT_ONCE", 7)
    assert clustered.reports.map(redraw=True).xy == pytest.approx(looked_up, abs=1e-4)


def test_people_are_left_out_unless_the_settings_say_so(library: Library, tmp_path: Path) -> None:
    scenes = season(tmp_path / "season", each=2)
    library.ingest([scenes.folder], embedder="channel-mean")
    library.recluster(k=2)
    library.detections.add(seen(library, scenes))
    found = library.reports.map()
    people = {
        library.images[scenes.folder / station / name].id
        for station in STATIONS
        for name in ("person.jpg", "car.jpg")
    }
    assert found.hidden == len(people) == 4
    assert not people & set(found.image_ids.tolist())
    with Library.open(tmp_path, Settings(with_people=True)) as other:
        assert people < set(other.reports.map().image_ids.tolist())


def test_a_kept_map_that_is_damaged_is_drawn_again(clustered: Library) -> None:
    first = clustered.reports.map()
    (file,) = (clustered.store.path / "maps").iterdir()
    file.write_bytes(file.read_bytes()[:200])
    assert clustered.reports.kept_map() is None
    assert clustered.reports.map().xy.tobytes() == first.xy.tobytes()
    file.write_bytes(b"")
    assert clustered.reports.kept_map() is None


def test_another_seed_is_another_map(tmp_path: Path, clustered: Library) -> None:
    clustered.reports.map()
    with Library.open(tmp_path, Settings(seed=5)) as other:
        assert other.reports.kept_map() is None


def test_a_method_that_is_none_is_refused(clustered: Library) -> None:
    with pytest.raises(SettingsError, match="method cannot be"):
        clustered.reports.map(method="none")  # type: ignore[arg-type]


def test_two_images_have_a_place_and_so_has_a_third(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "few"
    for number in range(2):
        make_photo(folder / f"{number}.jpg", number)
    library.ingest([folder], embedder="channel-mean")
    library.recluster(k=2)
    assert sorted(library.reports.map().xy[:, 0].tolist()) == [-1, 1]
    make_photo(folder / "third.jpg", 2)
    library.ingest([folder], embedder="channel-mean")
    found = library.reports.map()
    assert (len(found), found.placed_since) == (3, 1)
    assert np.isfinite(found.xy).all()
