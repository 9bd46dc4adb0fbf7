"""A number has one name and one definition wherever it is printed or returned.

`docs/reference/numbers.md` has the definitions. Each is computed here from the vectors and the
members alone, with scikit-learn or by hand, and compared with every place that gives it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import silhouette_samples, silhouette_score

from organizer.cluster.kmeans import KMeans
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import make_photo
from tests.typed import in_this_process

Floats = NDArray[np.float64]
_KINDS = {"fox": (190, 90, 50), "owl": (50, 90, 190), "pine": (40, 150, 60)}
_EACH = 9


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds of photos, clustered with a chosen k; it is only read."""
    home = tmp_path_factory.mktemp("numbers")
    draw = np.random.default_rng(5)
    for place, (kind, usual) in enumerate(_KINDS.items()):
        for i in range(_EACH):
            red, green, blue = np.clip(draw.normal(usual, 12), 5, 250).astype(int).tolist()
            make_photo(
                home / "photos" / kind / f"{i}.jpg", 50 * place + i, colour=(red, green, blue)
            )
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.ingest([home / "photos"], embedder="hsv")
        library.recluster(reduce="smooth")
    return home


class Facts:
    """Members, vectors and points of the library, and what follows from them."""

    def __init__(self, library: Library) -> None:
        store = library.store
        current = store.clusterings.current()
        assert current is not None
        members = store.clusterings.assignments(current.clustering_id)
        ids, vectors = library.embeddings()
        row = {image_id: place for place, image_id in enumerate(list(ids))}
        order = [row[image_id] for image_id in members.image_ids.tolist()]
        unit = np.asarray(vectors, dtype=np.float64)[order]
        self.vectors: Floats = unit / np.linalg.norm(unit, axis=1, keepdims=True)
        self.labels = members.cluster_ids
        self.distances = members.distances.astype(np.float64)
        self.ids = sorted(set(self.labels.tolist()))

    def cohesion(self, cluster_id: int) -> float:
        """Mean cosine similarity to the centroid, of the vectors."""
        mine = self.vectors[self.labels == cluster_id]
        mean = mine.mean(axis=0)
        return float((mine @ (mean / np.linalg.norm(mean))).mean())

    def separation(self, cluster_id: int) -> float:
        """Distance of the centroid to the nearest other one, of the vectors."""
        means = {i: self.vectors[self.labels == i].mean(axis=0) for i in self.ids}
        own = means.pop(cluster_id)
        return min(float(np.linalg.norm(own - other)) for other in means.values())

    def nearest_three(self, cluster_id: int) -> tuple[float, float]:
        """Mean and deviation over the images of the mean distance to the three nearest others."""
        mine = self.vectors[self.labels == cluster_id]
        between = 1 - mine @ mine.T
        np.fill_diagonal(between, np.inf)
        found = np.sort(between, axis=1)[:, :3].mean(axis=1)
        return float(found.mean()), float(found.std())

    def usual(self) -> dict[int, tuple[float, float]]:
        """Typical and border of the distances: a cluster's own, with eight usual images more."""
        own = {i: self.nearest_three(i) for i in self.ids}
        mean = float(np.median([found[0] for found in own.values()]))
        deviation = float(np.median([found[1] for found in own.values()]))
        usual = {}
        for i, (its, spread) in own.items():
            n = int(np.count_nonzero(self.labels == i))
            weight = n / (n + 8)
            typical = weight * its + (1 - weight) * mean
            mixed = np.sqrt(weight * spread**2 + (1 - weight) * deviation**2)
            usual[i] = typical, typical + 2 * max(float(mixed), deviation / 2)
        return usual


@pytest.fixture(scope="module")
def facts(home: Path) -> Facts:
    with Library.open(home) as library:
        return Facts(library)


def _json(home: Path, words: str) -> Any:
    ran = in_this_process(home, *words.split(), "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_silhouette_is_that_of_the_vectors(home: Path, facts: Facts) -> None:
    whole = silhouette_score(facts.vectors, facts.labels)
    each = silhouette_samples(facts.vectors, facts.labels)
    found = _json(home, "report")
    assert found["silhouette"] == pytest.approx(whole, abs=1e-4)
    for row in found["per_cluster"]:
        mine = each[facts.labels == row["cluster_id"]].mean()
        assert row["silhouette"] == pytest.approx(mine, abs=1e-4)
    printed = in_this_process(home, "report").out
    assert f"silhouette {whole:.3f} (euclidean, on vectors of unit length)" in printed


def test_the_silhouette_of_the_space_is_another_number_of_another_name(
    home: Path, facts: Facts
) -> None:
    evidence = _json(home, "recluster --dry-run")["evidence"]
    (chosen,) = (one for one in evidence if one["chosen"])
    assert evidence == _json(home, "report")["evidence"], "the report keeps what recluster found"
    assert chosen["silhouette"] != pytest.approx(
        float(silhouette_score(facts.vectors, facts.labels)), abs=1e-3
    )
    printed = in_this_process(home, "recluster", "--dry-run", "--evidence").out
    assert f"silhouette (space) {chosen['silhouette']:.3f}" in printed
    head = next(line for line in printed.splitlines() if "inertia" in line)
    names = ("silhouette", "inertia", "Davies-Bouldin", "Calinski-Harabasz")
    assert [f"{name} (space)" in head for name in names] == [True] * 4
    page = home / "report.html"
    assert in_this_process(home, "report", "--html", page, "--map", "none").code == 0
    text = page.read_text(encoding="utf-8")
    assert [f"{name[:1].upper()}{name[1:]} (space)</th>" in text for name in names] == [True] * 4


def test_the_silhouette_of_the_space_by_scikit_learn(home: Path) -> None:
    """Without a reduction the space is the vectors: then the definition can be computed again."""
    evidence = _json(home, "recluster --dry-run --reduce none --k 2:4")["evidence"]
    with Library.open(home) as library:
        trial = library.recluster(k=3, reduce="none", dry_run=True)
        _, vectors = library.embeddings()
    assert trial.choice is None
    unit = np.asarray(vectors, dtype=np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    (three,) = (one for one in evidence if one["k"] == 3)
    labels = KMeans(n_clusters=3, n_init=4, random_state=0).fit_predict(unit)
    each = silhouette_samples(unit, labels, metric="cosine")
    mean = np.mean([each[labels == i].mean() for i in set(labels.tolist())])
    assert three["silhouette"] == pytest.approx(mean, abs=1e-3)


def test_cohesion_and_separation_are_those_of_the_vectors(home: Path, facts: Facts) -> None:
    printed = in_this_process(home, "report").out
    for row in _json(home, "report")["per_cluster"]:
        cluster_id = row["cluster_id"]
        assert row["cohesion"] == pytest.approx(facts.cohesion(cluster_id), abs=1e-5)
        assert row["separation"] == pytest.approx(facts.separation(cluster_id), abs=1e-5)
        numbers = f"{row['silhouette']:.3f}   {row['cohesion']:>8.3f}   {row['separation']:>10.3f}"
        assert numbers in printed


def test_typical_and_border_are_one_number_in_every_place(home: Path, facts: Facts) -> None:
    usual = facts.usual()
    listed = _json(home, "clusters")["clusters"]
    assert {row["cluster_id"]: row["usual"] for row in listed} == {
        i: {"typical": pytest.approx(typical, abs=1e-4), "border": pytest.approx(border, abs=1e-4)}
        for i, (typical, border) in usual.items()
    }
    by_id = {row["cluster_id"]: row["usual"] for row in listed}
    photo = home / "photos/fox/0.jpg"
    hits = _json(home, f"search {photo} -n 20")["hits"]
    assert {hit["cluster_id"] for hit in hits} == set(facts.ids)
    assert all(hit["usual"] == by_id[hit["cluster_id"]] for hit in hits)
    with Library.open(home) as library:
        found = library.search(photo)[0]
        assert found.usual is not None
        assert found.usual == library.clusters[found.cluster_id or 0].usual
        other = library.search_picture(photo.read_bytes(), limit=1)[0]
        assert other.usual is not None
    rows = in_this_process(home, "clusters").out.splitlines()
    for row in listed:
        (line,) = (line for line in rows if line.split()[:1] == [str(row["cluster_id"])])
        assert f"{row['usual']['typical']:.3f}" in line.split()
    hit = hits[0]
    first = next(
        line for line in in_this_process(home, "search", photo).out.splitlines()
        if line.split()[:1] == ["1"]
    )  # fmt: skip
    shown = [f"{hit['distance']:.3f}", *(f"{hit['usual'][w]:.3f}" for w in ("typical", "border"))]
    assert first.split()[1:4] == shown


def test_distances_to_the_centroid_are_those_of_the_space(home: Path, facts: Facts) -> None:
    for row in _json(home, "clusters")["clusters"]:
        cluster_id = row["cluster_id"]
        mine = facts.distances[facts.labels == cluster_id]
        assert row["cohesion_space"] == pytest.approx(1 - mine.mean(), abs=1e-6)
        assert row["cohesion"] == row["cohesion_space"]
        shown = _json(home, f"clusters show {cluster_id}")
        (scale,) = shown["distances_to_centroid"]
        assert scale["typical"] == pytest.approx(mine.mean(), abs=1e-7)
        assert scale["border"] == pytest.approx(mine.mean() + 2 * mine.std(), abs=1e-7)
        assert sorted(i["distance"] for i in shown["images"]) == pytest.approx(sorted(mine))
        last = in_this_process(home, "clusters", "show", cluster_id).out.splitlines()[-1]
        assert last.startswith("distance to the centroid: typical 0.0")


def test_distances_of_another_embedder_have_no_usual_ones(home: Path) -> None:
    with Library.open(home) as library:
        hits = library.search(home / "photos/fox/0.jpg", embedder="hsv")
        assert {hit.usual for hit in hits} == {None}
        assert all(hit.cluster_id is not None for hit in hits)
