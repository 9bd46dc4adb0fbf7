"""Vectors centred by camera and by light: the numbers, the clusters, cameras that come later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from organizer.cluster.incremental import unit_rows
from organizer.library import Library
from organizer.library.clustering.preprocessing import Preprocessor
from organizer.reduce.centring import LEAST_PRIOR, Centring
from organizer.settings import Settings
from organizer.types import NOISE, Vectors
from tests.conftest import Run
from tests.traps import COLOUR, FOX, OWL, Colour, frame, vectors_of, where

TINTS = {"A": (1.0, 1.0, 1.0), "B": (0.25, 1.0, 1.3), "C": (0.7, 1.0, 1.1)}


def drawn(n: int, *, seed: int = 0, dim: int = 6) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


# The numbers ----------------------------------------------------------------------------------


def prior_by_hand(wide: NDArray[np.float64], groups: list[str]) -> float:
    """Analysis of variance, one factor, groups of any size (Searle 1971)."""
    names = sorted(set(groups))
    rows = [wide[[i for i, other in enumerate(groups) if other == name]] for name in names]
    n, g = len(wide), len(names)
    if g in {1, n}:
        return LEAST_PRIOR
    within = sum(((part - part.mean(axis=0)) ** 2).sum() for part in rows) / (n - g)
    middle = wide.mean(axis=0)
    between = sum(len(part) * ((part.mean(axis=0) - middle) ** 2).sum() for part in rows) / (g - 1)
    usual = (n - sum(len(part) ** 2 for part in rows) / n) / (g - 1)
    variance = (between - within) / usual
    return max(LEAST_PRIOR, within / variance) if variance * 1e6 > within else 1e6


def by_hand(vectors: Vectors, groups: list[str], fitted: int) -> NDArray[np.float64]:
    """Some vectors were fitted to; the others are of groups that came later."""
    wide = vectors.astype(np.float64)
    mean = wide[:fitted].mean(axis=0)
    prior = prior_by_hand(wide[:fitted], groups[:fitted])
    found = np.empty_like(wide)
    for row, group in enumerate(groups):
        mine = [i for i, other in enumerate(groups) if other == group]
        if group in groups[:fitted]:
            mine = [i for i in mine if i < fitted]
        shrunk = (wide[mine].sum(axis=0) + prior * mean) / (len(mine) + prior)
        moved = wide[row] - shrunk + mean
        found[row] = moved / np.linalg.norm(moved)
    return found


@given(
    groups=st.lists(st.sampled_from("abc"), min_size=1, max_size=12),
    later=st.lists(st.sampled_from("abde"), max_size=9),
    cut=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_centring_is_the_mean_of_the_group_drawn_towards_that_of_all(
    groups: list[str], later: list[str], cut: int, seed: int
) -> None:
    """Whether new groups come at once or in two goes, and through a store or not."""
    every = groups + later
    vectors = drawn(len(every), seed=seed)
    n = len(groups)
    centring = Centring.fit(vectors[:n], groups)
    state = centring.state()
    for part in (slice(n, n + cut), slice(n + cut, None)):
        learned = centring.learn(vectors[part], every[part])
        state |= {name: np.concatenate([state[name], rows]) for name, rows in learned.items()}
    expected = by_hand(vectors, every, n)
    again = Centring.restored(state)
    assert again is not None
    for one in (centring, again):
        assert one.centred(vectors, every) == pytest.approx(expected, abs=1e-5)


def test_one_group_changes_nothing() -> None:
    vectors = drawn(20)
    centring = Centring.fit(vectors, ["A"] * 20)
    assert centring.centred(vectors, ["A"] * 20) == pytest.approx(vectors, abs=1e-6)


def test_a_group_that_nobody_knows_is_at_the_mean_of_all() -> None:
    vectors = drawn(20)
    centring = Centring.fit(vectors, ["A"] * 10 + ["B"] * 10)
    assert centring.centred(vectors, ["C"] * 20) == pytest.approx(vectors, abs=1e-6)


def test_a_zero_vector_stays_zero() -> None:
    vectors = drawn(4)
    vectors[0] = 0
    found = Centring.fit(vectors, list("AABB")).centred(vectors, list("AABB"))
    assert not found[0].any()
    assert np.linalg.norm(found[1:], axis=1) == pytest.approx(1, abs=1e-5)


def test_half_precision_stays_half_precision() -> None:
    vectors = drawn(4).astype(np.float16)
    assert Centring.fit(vectors, list("AABB")).centred(vectors, list("AABB")).dtype == np.float16


def test_a_state_without_centring_is_none() -> None:
    assert Centring.restored({"mean": np.zeros(3)}) is None


# Clusters -------------------------------------------------------------------------------------


def tinted(colour: Colour, camera: str) -> Colour:
    red, green, blue = (
        int(min(255, value * tint)) for value, tint in zip(colour, TINTS[camera], strict=True)
    )
    return red, green, blue


def shots(folder: Path, cameras: str, each: int = 12, first: int = 0) -> Path:
    """Foxes and owls, alike often before each camera."""
    for camera in cameras:
        for name, colour in (("fox", (160, 110, 75)), ("owl", (105, 110, 130))):
            for i in range(first, first + each):
                file = folder / f"{name}-{camera}-{i}.jpg"
                jitter = np.random.default_rng([i, ord(camera), ord(name[0])]).normal(0, 10, 3)
                red, green, blue = (np.array(colour) + jitter).astype(int).tolist()
                frame(file, tinted((red, green, blue), camera), at=None, camera=camera, noise=8)
    return folder


def follows(library: Library, place: int) -> bool:
    """Whether the clusters are those of the species (0) or the cameras (1)."""
    at = where(library)
    groups: dict[str, set[int]] = {}
    for name, cluster_id in at.items():
        groups.setdefault(name.split("-")[place], set()).add(cluster_id)
    sets = list(groups.values())
    return all(len(ids) == 1 for ids in sets) and len(set.union(*sets)) == len(sets)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Two cameras with tints of their own."""
    with Library.open_or_create(tmp_path, Settings()) as found:
        found.ingest([shots(tmp_path / "card", "AB")], embedder=COLOUR)
        yield found


@pytest.mark.parametrize("reduce", ["none", "smooth"])
def test_clusters_follow_cameras_until_they_are_centred(library: Library, reduce: str) -> None:
    library.recluster(k=2, reduce=reduce)
    assert follows(library, 1)
    library.recluster(k=2, reduce=reduce, center="camera")
    assert follows(library, 0)


def test_it_is_shown_and_stored(typed: Run, tmp_path: Path) -> None:
    shots(tmp_path / "card", "AB", each=4)
    typed("ingest", "card", "--embedder", COLOUR)
    words = ("recluster", "--k", 2, "--center", "night, camera", "--reduce", "pca:3")
    told = typed(*words, "--json").json
    assert (told["center"], told["reduce"]) == ("camera,night", "pca:3")
    assert ", in pca:3, centred by camera and night" in typed(*words, "--dry-run").out
    assert "centred by camera and night" in typed("status").out
    assert typed("status", "--json").json["center"] == "camera,night"


@pytest.mark.parametrize("by", ["colour", "camera,camera", "", "camera,"])
def test_what_cannot_be_centred_by_is_refused(typed: Run, tmp_path: Path, by: str) -> None:
    shots(tmp_path / "card", "A", each=2)
    typed("ingest", "card", "--embedder", COLOUR)
    ran = typed("recluster", "--k", 2, "--center", by)
    assert ran.code == 2
    assert "camera, night, or camera,night" in ran.err


def test_infrared_is_a_group(tmp_path: Path) -> None:
    """By day a picture has many colours: infrared may look like any single tint."""
    draw = np.random.default_rng(0)
    card = tmp_path / "card"
    card.mkdir()
    with Library.open_or_create(tmp_path, Settings()) as library:
        for i in range(10):
            photo = Image.fromarray(draw.integers(0, 255, (6, 8, 3), dtype=np.uint8))
            photo.resize((32, 24)).save(card / f"day-{i}.png")
            grey = np.repeat(draw.integers(0, 255, (6, 8, 1), dtype=np.uint8), 3, axis=2)
            Image.fromarray(grey).save(card / f"night-{i}.png")
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, center="night")
        state = library.store.clusterings.space(1)
        assert state["center.names"].tolist() == ["colour", "infrared"]
        assert state["center.counts"].tolist() == [10, 10]


def test_a_deployment_stands_for_its_camera(tmp_path: Path) -> None:
    """Two cameras of one model, told apart by their folders; so also where that is told late."""
    for place, camera in (("ridge", "A"), ("creek", "B")):
        for file in sorted(shots(tmp_path / "shot", camera).glob(f"*-{camera}-*.jpg")):
            to = tmp_path / "card" / place / file.name
            to.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(file) as photo:
                photo.save(to, quality=95)  # without what the file told
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "card"], embedder=COLOUR)
        library.deployments.set_template("{site}")
        library.recluster(k=2, reduce="none", center="camera")
        assert library.store.clusterings.space(1)["center.names"].tolist() == ["creek", "ridge"]
        assert follows(library, 0)
        library.deployments.set_template(None)
        library.corrections.move(
            [tmp_path / "card" / "ridge" / "fox-A-0.jpg"], where(library)["fox-A-1"]
        )
        assert follows(library, 0)


def test_deployments_that_are_described_late_are_measured_on_all_their_photos(
    tmp_path: Path,
) -> None:
    """Not on those at hand: one that is moved to where it is would draw its cluster along."""
    for place, camera in (("ridge", "A"), ("creek", "B")):
        shots(tmp_path / "card" / place, camera)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "card"], embedder=COLOUR)
        library.recluster(k=2, reduce="none", center="camera")
        means = library.store.clusterings.models(1).means
        library.deployments.set_template("{site}")
        library.corrections.move(
            [tmp_path / "card" / "ridge" / "fox-A-0.jpg"], where(library)["fox-A-0"]
        )
        assert library.store.clusterings.models(2).means == pytest.approx(means, abs=1e-3)
        for place, camera in (("ridge", "A"), ("creek", "B")):
            shots(tmp_path / "card" / place, camera, first=20, each=2)
        library.ingest([tmp_path / "card"])
        state = library.store.clusterings.space(2)
        assert state["center.names"].tolist() == ["A", "B", "creek", "ridge"]
        assert state["center.counts"].tolist() == [24, 24, 28, 28]


# Cameras that come later ----------------------------------------------------------------------


def test_photos_of_a_known_camera_are_centred_by_its_mean(library: Library, tmp_path: Path) -> None:
    library.recluster(k=2, reduce="none", center="camera")
    before = library.store.clusterings.space(1)
    library.ingest([shots(tmp_path / "card", "AB", first=20, each=3)])
    after = library.store.clusterings.space(1)
    assert sorted(after) == sorted(before)
    assert all((after[name] == before[name]).all() for name in before)
    assert follows(library, 0)


def new_photos(library: Library) -> tuple[int, int, int]:
    """Of the photos of camera C: how many are with their species, unsure, with the other one."""
    at = where(library)
    own = {name: at[f"{name}-A-0"] for name in ("fox", "owl")}
    mine = [(name, cluster_id) for name, cluster_id in at.items() if "-C-" in name]
    right = sum(cluster_id == own[name[:3]] for name, cluster_id in mine)
    unassigned = sum(cluster_id == NOISE for _, cluster_id in mine)
    return right, unassigned, len(mine) - right - unassigned


def test_a_new_camera_is_learned_and_nobody_moves(library: Library, tmp_path: Path) -> None:
    """Most of its photos lie with their species at once, and those of its later cards too."""
    library.recluster(k=2, reduce="none", center="camera")
    for first in (0, 20):
        before = where(library)
        library.ingest([shots(tmp_path / "card", "C", first=first, each=8)])
        now = where(library)
        assert {name: now[name] for name in before} == before
    right, _, wrong = new_photos(library)
    assert right > 20
    assert wrong == 0
    state = library.store.clusterings.space(1)
    assert state["center.names"].tolist() == ["A", "B", "C", "C"]
    assert state["center.counts"].tolist() == [24, 24, 16, 16]
    vectors = vectors_of(library)
    total = sum(vectors[name] for name in vectors if "-C-" in name)
    assert state["center.sums"][2:].sum(axis=0) == pytest.approx(total, abs=1e-2)


def test_a_decision_keeps_the_groups_that_were_measured_since(
    library: Library, tmp_path: Path
) -> None:
    library.recluster(k=2, reduce="none", center="camera")
    library.ingest([shots(tmp_path / "card", "C", each=8)])
    learned = library.store.clusterings.space(1)
    library.corrections.move([tmp_path / "card" / "fox-B-3.jpg"], where(library)["fox-A-0"])
    kept = library.store.clusterings.space(2)
    assert {name: rows.tolist() for name, rows in kept.items()} == {
        name: rows.tolist() for name, rows in learned.items()
    }
    library.ingest([shots(tmp_path / "card", "C", first=20, each=8)])
    assert new_photos(library)[2] == 0


def test_the_centroids_are_means_of_centred_vectors(library: Library) -> None:
    library.recluster(k=2, reduce="none", center="camera")
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    preprocessor = Preprocessor.restored(library.store, current, library.store.clusterings.space(1))
    vectors = vectors_of(library)
    names = sorted(vectors)
    rows = np.stack([vectors[name] for name in names]).astype(np.float32)
    expected = by_hand(rows, [name.split("-")[1] for name in names], len(names))
    at = where(library)
    models = library.store.clusterings.models(1)
    for cluster_id, mean in zip(models.cluster_ids, models.means, strict=True):
        mine = [row for row, name in enumerate(names) if at[name] == cluster_id]
        assert mean == pytest.approx(expected[mine].mean(axis=0), abs=1e-3)
    ids = members.image_ids.tolist()
    stored = unit_rows(library.store.vectors.read_rows(current.embedder, ids))
    assert np.linalg.norm(preprocessor.centred(ids, stored), axis=1) == pytest.approx(1, abs=1e-3)


def test_foxes_before_one_camera_and_owls_before_another_are_taken_apart_no_more(
    tmp_path: Path,
) -> None:
    """What centring costs, said in its help: the difference of the cameras was that of species."""
    for i in range(10):
        frame(tmp_path / "card" / f"fox-A-{i}.jpg", FOX, at=None, camera="A", noise=10)
        frame(tmp_path / "card" / f"owl-B-{i}.jpg", OWL, at=None, camera="B", noise=10)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "card"], embedder=COLOUR)
        apart = {}
        for center in (None, "camera"):
            made = library.recluster(k=2, reduce="none", center=center).clustering_id
            assert made is not None
            one, other = library.store.clusterings.models(made).centroids
            apart[center] = 1 - float(one @ other)
        assert apart["camera"] < apart[None] / 10
