"""Comparisons: their cells and scores, what is cached, and which cell is the best."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.errors import SettingsError, WeightsMissingError
from organizer.library import Library
from organizer.library.compare.grid import CLASSES, ComparisonPlan, parse_ks, parse_plan
from organizer.library.compare.recipe import Recipe
from organizer.library.compare.recipes import RECIPES, find_recipe
from organizer.library.compare.run import ComparisonResult
from organizer.library.compare.verdict import difference_rate, find_verdict
from organizer.report.comparison import TITLES, ComparisonCell, ScoredRun
from organizer.types import NOISE, Labels, Vectors
from tests.conftest import Site, make_photo

_FEATURES = ["channel-mean", "hog"]


def _plan(**words: object) -> ComparisonPlan:
    chosen: dict[str, object] = {
        "embedders": _FEATURES,
        "algorithms": ["kmeans", "gmm", "agglomerative", "dbscan"],
        "k": "2:4",
        "reduce": ["pca:6"],
        "repeats": 2,
    }
    return parse_plan(**{**chosen, **words})  # type: ignore[arg-type]


def _cell(compared: ComparisonResult, **wanted: object) -> ComparisonCell:
    found = [
        cell
        for cell in compared.comparison.cells
        if all(getattr(cell, name) == value for name, value in wanted.items())
    ]
    assert len(found) == 1
    return found[0]


def _vectors(library: Library, embedder: str, compared: ComparisonResult) -> Vectors:
    spec = next(spec for spec in library.store.vectors.specs() if spec.name == embedder)
    ids, vectors = library.store.vectors.read(spec)
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    return vectors[[row_of[image_id] for image_id in compared.image_ids]]


def _truth(library: Library, compared: ComparisonResult) -> list[str]:
    files = library.store.photos.files_of()
    return [files[image_id][0].file.parent.name for image_id in compared.image_ids]


# Words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ks"),
    [("5", (5,)), ("2:4", (2, 3, 4)), ("64,2,16", (2, 16, 64)), ("2:3,3,9", (2, 3, 9)),
     ("classes", CLASSES)],
)  # fmt: skip
def test_numbers_of_clusters_as_they_are_typed(text: str, ks: object) -> None:
    assert parse_ks(text) == ks


@pytest.mark.parametrize("text", ["", "1", "x", "2:", ":3", "4:2", "2,,3", "-2", "2:900"])
def test_numbers_that_cannot_be(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_ks(text)


def test_names_are_looked_at_before_anything_is_embedded(filled: Library) -> None:
    before = filled.store.vectors.specs()
    wrong: list[dict[str, object]] = [
        {"embedders": ["hog", "hogg"]},
        {"algorithms": ["kmeanz"]},
        {"reduce": ["pcc:3"]},
        {"lengths": "kept", "reduce": ["smooth"]},
        {"substitutes": ["hogg"]},
        {"repeats": 0},
        {"embedders": []},
    ]
    for words in wrong:
        with pytest.raises(SettingsError):
            filled.compare(_plan(**words))
    assert filled.store.vectors.specs() == before


# The grid --------------------------------------------------------------------------------------


def test_a_grid_has_every_cell_and_leaves_the_library_as_it_was(filled: Library) -> None:
    filled.recluster(k=3)
    before = filled.clusters.summaries()
    found = filled.compare(_plan(), labels="folders").comparison
    cells = [(c.embedder, c.algorithm, c.k, len(c.runs)) for c in found.cells]
    expected: list[tuple[str, str, int | None, int]] = []
    for name in _FEATURES:
        expected += [(name, algorithm, k, runs) for algorithm, runs in
                     (("kmeans", 2), ("gmm", 2), ("ward", 1)) for k in (2, 3, 4)]  # fmt: skip
        expected.append((name, "dbscan", None, 1))
    assert cells == expected
    assert (found.images, found.labelled, found.classes) == (24, 24, 3)
    assert filled.clusters.summaries() == before
    status = filled.status()
    assert status.embedder is not None
    assert status.embedder.name == "channel-mean"
    assert [spec.name for spec, _ in status.embedders] == ["channel-mean", "hog"]


def test_the_scores_of_a_cell_are_those_of_scikit_learn(filled: Library) -> None:
    from sklearn import metrics

    plan = _plan(embedders=["hog"], k="3", reduce=["none", "pca:6"], algorithms=["kmeans", "ward"])
    compared = filled.compare(plan, labels="folders")
    vectors = unit_rows(_vectors(filled, "hog", compared))
    truth = _truth(filled, compared)
    for cell in compared.comparison.cells:
        labels = compared.labels_of(cell)
        if (cell.algorithm, cell.space) == ("kmeans", "none"):
            by_hand = KMeans(n_clusters=3, random_state=0).fit_predict(vectors)
            assert metrics.adjusted_rand_score(by_hand, labels) == 1
        expected = {
            "silhouette": metrics.silhouette_score(vectors, labels),
            "davies_bouldin": metrics.davies_bouldin_score(vectors, labels),
            "calinski_harabasz": metrics.calinski_harabasz_score(vectors, labels),
            "inertia": sum(
                ((vectors[labels == i] - vectors[labels == i].mean(axis=0)) ** 2).sum()
                for i in range(3)
            ),
            "nmi": metrics.normalized_mutual_info_score(truth, labels),
            "ami": metrics.adjusted_mutual_info_score(truth, labels),
            "ari": metrics.adjusted_rand_score(truth, labels),
            "fmi": metrics.fowlkes_mallows_score(truth, labels),
            "homogeneity": metrics.homogeneity_score(truth, labels),
            "completeness": metrics.completeness_score(truth, labels),
        }
        scores = cell.runs[0].scores
        assert set(scores) == set(TITLES) - {"davies_bouldin_ratio"}  # of trainings alone
        for name, value in expected.items():
            assert scores[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_k_means_of_kept_lengths_is_that_of_scikit_learn(filled: Library) -> None:
    from sklearn.cluster import KMeans as ScikitKMeans
    from sklearn.metrics import adjusted_rand_score

    words = {"embedders": ["raw"], "algorithms": ["kmeans"], "reduce": ["none"]}
    plan = _plan(**words, k="3", lengths="kept")
    compared = filled.compare(plan, labels="folders")
    vectors = _vectors(filled, "raw", compared)
    peer = ScikitKMeans(3, n_init=10, random_state=0).fit(vectors)
    cell = compared.comparison.cells[0]
    assert adjusted_rand_score(peer.labels_, compared.labels_of(cell)) == 1
    assert cell.runs[0].scores["inertia"] == pytest.approx(peer.inertia_, rel=1e-4)


def test_means_and_deviations_are_those_of_the_runs(filled: Library) -> None:
    plan = _plan(embedders=["hog"], algorithms=["kmeans", "ward"], k="4", repeats=4)
    compared = filled.compare(plan, labels="folders")
    cell = _cell(compared, algorithm="kmeans")
    values = [run.scores["nmi"] for run in cell.runs]
    assert [run.seed for run in cell.runs] == [0, 1_000, 2_000, 3_000]
    assert cell.mean("nmi") == pytest.approx(mean(values))
    assert cell.deviation("nmi") == pytest.approx(stdev(values))
    once = _cell(compared, algorithm="ward")
    assert (len(once.runs), once.deviation("nmi"), once.seeded) == (1, None, False)
    assert any("run once" in line and "ward" in line for line in compared.comparison.remarks)


def test_what_is_noise_counts_as_one_more_cluster(filled: Library, site: Site) -> None:
    site.install("noisy", _NOISY, group="organizer.clusterers", noisy="Noisy")
    from sklearn.metrics import normalized_mutual_info_score

    plan = _plan(embedders=["channel-mean"], algorithms=["noisy"])
    compared = filled.compare(plan, labels="folders")
    cell = compared.comparison.cells[0]
    labels = compared.labels_of(cell)
    assert (cell.k, cell.found, cell.noise) == (None, 2, 12)
    assert np.count_nonzero(labels == NOISE) == 12
    expected = normalized_mutual_info_score(_truth(filled, compared), labels)
    assert cell.mean("nmi") == pytest.approx(expected)


def test_a_cell_that_cannot_be_is_refused_and_the_others_are_done(
    filled: Library, site: Site
) -> None:
    site.install("limited", _LIMITED, group="organizer.clusterers", narrow="narrow")
    plan = _plan(embedders=["hog"], algorithms=["kmeans", "ward", "narrow"], k="2,30")
    compared = filled.compare(plan)
    refused = {(c.algorithm, c.k): c.refused for c in compared.comparison.cells if c.refused}
    assert set(refused) == {("kmeans", 30), ("ward", 30), ("narrow", 2), ("narrow", 30)}
    assert refused["ward", 30] == "24 images cannot make 30 clusters"
    assert "at most 10 images" in refused["narrow", 2]
    assert _cell(compared, algorithm="kmeans", k=2).runs


def test_as_many_clusters_as_classes(filled: Library) -> None:
    plan = _plan(embedders=["hog"], algorithms=["kmeans"], k="classes")
    assert [c.k for c in filled.compare(plan, labels="folders").comparison.cells] == [3]
    with pytest.raises(SettingsError, match="no labels"):
        filled.compare(plan)


def test_a_library_without_images_has_nothing_to_compare(library: Library) -> None:
    with pytest.raises(SettingsError, match="no images"):
        library.compare(_plan())


# What is kept ----------------------------------------------------------------------------------


def _after(calls: int) -> Callable[[], bool]:
    """Answers True from the call of that number on."""
    left = iter(range(calls))
    return lambda: next(left, None) is None


def test_an_interrupted_comparison_goes_on_where_it_was(filled: Library) -> None:
    plan = _plan(algorithms=["kmeans", "ward", "dbscan"])
    filled.compare(_plan(algorithms=["kmeans"], k="2", repeats=1))  # both embedders are there
    cut = filled.compare(plan, labels="folders", stop=_after(7)).comparison
    assert (cut.interrupted, cut.computed) == (True, 7)
    whole = filled.compare(plan, labels="folders").comparison
    total = 2 * (2 * 3 + 3 + 1)
    assert (whole.interrupted, whole.computed, whole.kept) == (False, total - 7 - 2, 7 + 2)
    again = filled.compare(plan, labels="folders").comparison
    assert (again.computed, again.kept) == (0, total)
    assert again.cells == whole.cells


def test_a_comparison_that_was_interrupted_while_embedding_goes_on(filled: Library) -> None:
    plan = _plan(embedders=["hog"], algorithms=["kmeans"], k="3")
    cut = filled.compare(plan, stop=lambda: True).comparison
    assert (cut.interrupted, cut.cells, cut.computed) == (True, (), 0)
    whole = filled.compare(plan).comparison
    assert (whole.interrupted, whole.images, whole.computed) == (False, 24, 2)


def test_the_same_seed_gives_the_same_in_another_library(
    filled: Library, photos: Path, tmp_path: Path
) -> None:
    plan = _plan(algorithms=["kmeans", "gmm"], reduce=["smooth"], k="3")
    first = filled.compare(plan, labels="folders").comparison
    with Library.open_or_create(tmp_path / "other", filled.settings) as other:
        other.ingest(sorted(photos.iterdir(), reverse=True), embedder="channel-mean")
        second = other.compare(plan, labels="folders").comparison
    assert second.cells == first.cells


def _ledger(library: Library) -> Path:
    (file,) = (library.store.path / "comparisons").iterdir()
    return file


def test_a_torn_line_is_done_again_and_nothing_else(filled: Library) -> None:
    plan = _plan(embedders=["hog"], algorithms=["kmeans"])
    whole = filled.compare(plan).comparison
    assert whole.computed == 6
    file = _ledger(filled)
    file.write_bytes(file.read_bytes()[:-30])
    torn = filled.compare(plan).comparison
    assert (torn.computed, torn.kept, torn.cells) == (1, 5, whole.cells)
    assert filled.compare(plan).comparison.computed == 0
    lines = file.read_text().splitlines()
    lines[2] = json.dumps({"k": 2, "seed": 1, "scores": {}, "labels": "AAAA"})
    lines[3] = "7"
    file.write_text("\n".join(lines) + "\n")
    assert filled.compare(plan).comparison.computed == 2


def test_other_labels_score_what_is_there(filled: Library, tmp_path: Path) -> None:
    plan = _plan(embedders=["channel-mean"], algorithms=["kmeans"], k="3")
    folders = filled.compare(plan, labels="folders").comparison
    rows = [f"photos/red/{i:03}.jpg,{'even' if i % 2 == 0 else 'odd'}" for i in range(8)]
    file = tmp_path / "labels.csv"
    file.write_text("path,label\n" + "\n".join([*rows, "photos/red/999.jpg,odd"]) + "\n")
    some = filled.compare(plan, labels=str(file), below=tmp_path).comparison
    assert (some.computed, some.labelled, some.classes) == (0, 8, 2)
    assert some.cells[0].mean("nmi") != folders.cells[0].mean("nmi")
    assert some.cells[0].mean("silhouette") == folders.cells[0].mean("silhouette")
    assert any("8 of 24 images" in line for line in some.remarks)
    assert any("1 label is of a file" in line for line in some.remarks)
    without = filled.compare(plan).comparison
    assert (without.computed, without.cells[0].mean("nmi")) == (0, None)


def test_another_photo_is_another_comparison(filled: Library, photos: Path) -> None:
    plan = _plan(embedders=["channel-mean"], algorithms=["kmeans"], k="3")
    assert filled.compare(plan).comparison.computed == 2
    make_photo(photos / "red" / "new.jpg", 99_999, colour=(200, 40, 40))
    filled.ingest([photos])
    found = filled.compare(plan).comparison
    assert (found.computed, found.images) == (2, 25)


def test_images_that_an_embedder_has_not_seen_are_left_out(filled: Library, photos: Path) -> None:
    for file in (photos / "red").iterdir():
        file.unlink()
    plan = _plan(embedders=["channel-mean", "hog"], algorithms=["kmeans"], k="2", repeats=1)
    found = filled.compare(plan, labels="folders").comparison
    assert (found.images, found.classes) == (16, 2)
    assert any("8 images left out" in line for line in found.remarks)
    alone = filled.compare(_plan(embedders=["channel-mean"], algorithms=["kmeans"], k="2"))
    assert alone.comparison.images == 24


# Weights that are missing ----------------------------------------------------------------------


def test_missing_weights_are_an_error_or_another_network_stands_for_them(filled: Library) -> None:
    words = {"embedders": ["resnet18", "resnet34", "hog"], "algorithms": ["kmeans"], "k": "3"}
    with pytest.raises(WeightsMissingError) as caught:
        filled.compare(_plan(**words))
    assert "--substitute" in caught.value.hint
    found = filled.compare(_plan(**words, substitutes=["channel-mean", "hog"])).comparison
    named = [(cell.embedder, cell.in_place_of) for cell in found.cells]
    assert named == [("channel-mean", ("resnet18",)), ("hog", ("resnet34",))]
    assert found.cells[0].source == "channel-mean (for resnet18)"
    assert any("hog stands for resnet34" in line for line in found.remarks)


# The best --------------------------------------------------------------------------------------


def _made(embedder: str, k: int, **scores: list[float]) -> ComparisonCell:
    runs = [
        ScoredRun(seed, k, 0, {name: values[seed] for name, values in scores.items()}, seconds=1)
        for seed in range(len(next(iter(scores.values()))))
    ]
    return ComparisonCell(embedder, (), "none", "unit", "kmeans", k, True, 10, tuple(runs))


def _no_labels(cell: ComparisonCell) -> Labels:
    raise AssertionError(cell)


def test_with_labels_the_best_has_the_largest_mean_nmi() -> None:
    best = _made("b", 3, nmi=[0.7, 0.8], silhouette=[0.1, 0.1])
    near = _made("a", 2, nmi=[0.69, 0.71], silhouette=[0.9, 0.9])
    far = _made("a", 3, nmi=[0.5, 0.5], silhouette=[0.9, 0.9])
    verdict = find_verdict([far, near, best], _no_labels)
    assert verdict.best == best
    assert "NMI 0.750 ± 0.071" in verdict.lines[0]
    assert near.name in verdict.lines[1]
    assert far.name not in verdict.lines[1]


def test_without_labels_embedders_are_not_ranked_by_their_silhouettes() -> None:
    cells = [
        _made("a", 2, silhouette=[0.1, 0.2]),
        _made("a", 3, silhouette=[0.3, 0.4]),
        _made("b", 2, silhouette=[0.8, 0.9]),
    ]
    verdict = find_verdict(cells, lambda _: np.array([0, 0, 1, 1, 2], dtype=np.int64))
    assert verdict.best is None
    assert any("best of a" in line and "k = 3" in line for line in verdict.lines)
    assert any("agrees" in line and "1.000" in line for line in verdict.lines)
    alone = find_verdict(cells[:2], _no_labels)
    assert alone.best == cells[1]


def test_without_labels_noise_does_not_win() -> None:
    whole = _made("a", 2, silhouette=[0.4])
    few = replace(
        whole, algorithm="dbscan", runs=(ScoredRun(0, 2, 8, {"silhouette": 0.9}, seconds=1),)
    )
    assert find_verdict([few, whole], _no_labels).best == whole


def test_a_comparison_without_any_score_says_so() -> None:
    cell = replace(_made("a", 2, silhouette=[0.4]), runs=(ScoredRun(0, 0, 10, {}, seconds=1),))
    verdict = find_verdict([cell], _no_labels)
    assert (verdict.best, verdict.lines) == (None, ("no clustering has a score",))


# Recipes ---------------------------------------------------------------------------------------


def test_the_published_difference_rates_follow_from_the_published_indices() -> None:
    recipe = find_recipe("feature-weak-relevant")
    checked = 0
    for rate in recipe.rates:
        values = [
            figure.value
            for figure in recipe.published
            if (figure.score, figure.k, figure.algorithm) == (rate.score, rate.k, rate.algorithm)
        ]
        found = difference_rate(values)
        assert found is not None
        # Both are rounded to two digits; of 20 classes the source has several draws.
        near = 0.17 if rate.k == 20 else 0.025
        assert found == pytest.approx(rate.value, abs=near), (rate, values)
        checked += 1
    assert checked == 30


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_can_be_run(recipe: Recipe) -> None:
    recipe.plan.check()
    assert recipe.about
    assert recipe.differs
    assert find_recipe(recipe.name) is recipe


_NOISY = """
import numpy as np

class Noisy:
    def fit_predict(self, vectors):
        labels = np.full(len(vectors), -1)
        labels[: len(vectors) // 2] = np.arange(len(vectors) // 2) % 2
        return labels
"""

_LIMITED = """
from organizer.cluster.limits import with_limits

@with_limits(max_images=10, reason="it is narrow", instead="kmeans")
def narrow(*, n_clusters=8):
    raise AssertionError("there are too many images")
"""
