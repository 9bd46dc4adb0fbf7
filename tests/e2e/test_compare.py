"""``organizer compare`` as typed: tables, CSV, JSON, plots, recipes, and what goes wrong."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer.library import Library
from organizer.library.compare import recipes
from organizer.library.compare.recipes import find_recipe
from organizer.settings import Settings
from tests.conftest import Run, Site, make_groups
from tests.typed import in_this_process

_GRID = ("--embedders", "channel-mean,hog", "--algorithms", "kmeans,agglomerative,dbscan")
_SLOW = '''
import os, time
import numpy as np

class Slow:
    """Draws, and takes its time."""

    def __init__(self, n_clusters=8, random_state=0):
        self._k, self._seed = n_clusters, random_state

    def fit_predict(self, vectors):
        with open(os.environ["CLUSTERED"], "a") as log:
            log.write(f"{self._k} {self._seed}\\n")
        time.sleep(0.03)
        return np.random.default_rng(self._seed).integers(0, self._k, len(vectors))
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_compared(tmp_path_factory.mktemp("compared"))


def make_compared(home: Path) -> Path:
    """A library of 24 photos in three folders."""
    make_groups(home / "photos")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


@pytest.fixture
def typed(made: Path, tmp_path: Path, typed: Run) -> Run:
    """The program as typed, in a copy of the library."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return typed


def test_a_table_a_csv_and_the_best(typed: Run, tmp_path: Path) -> None:
    words = ("compare", *_GRID, "--k", "2:4", "--repeats", "2", "--labels", "folders")
    ran = typed(*words, "--csv", "out.csv")
    assert ran.code == 0, ran.err
    assert "nan" not in (ran.out + ran.err).lower()
    assert "±" in ran.out
    assert "best: channel-mean, smooth, kmeans, k = 3, because its NMI 1.000" in ran.out
    assert "rule: the largest mean NMI" in ran.out
    assert "run once, because nothing is drawn in them: ward, dbscan" in ran.err
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (3 + 3 + 1)
    first = next(row for row in rows if row["k"] == "3" and row["embedder"] == "channel-mean")
    assert (first["algorithm"], first["runs"], first["space"]) == ("kmeans", "2", "smooth")
    assert (float(first["nmi"]), float(first["nmi_sd"])) == (1.0, 0.0)
    assert {row["k"] for row in rows if row["algorithm"] == "dbscan"} == {""}
    again = typed(*words, "--json")
    fields = again.json
    assert (fields["computed"], fields["kept"]) == (0, 2 * (3 * 2 + 3 + 1))
    assert fields["best"]["embedder"] == "channel-mean"
    means = {(c["embedder"], c["algorithm"], c["k"]): c["mean"] for c in fields["cells"]}
    for row in rows:
        mean = means[row["embedder"], row["algorithm"], int(row["k"]) if row["k"] else None]
        assert float(row["purity"]) == pytest.approx(mean["purity"])
    assert typed("status", "--json").json["embedder"] == "channel-mean"


def test_without_labels_no_embedder_is_called_the_best(typed: Run) -> None:
    ran = typed("compare", *_GRID, "--k", "3", "--repeats", "1")
    assert ran.code == 0, ran.err
    assert "silhouettes of different vectors cannot be compared" in ran.out
    assert "best of channel-mean:" in ran.out
    assert "NMI" not in ran.out
    assert typed("compare", *_GRID, "--k", "3", "--repeats", "1", "--json").json["best"] is None


def test_plots_show_what_was_compared(typed: Run, tmp_path: Path) -> None:
    words = ("compare", "--embedders", "channel-mean,hog", "--k", "2:4", "--repeats", "2")
    ran = typed(*words, "--labels", "folders", "--plots", "plots")
    assert ran.code == 0, ran.err
    files = {file.name for file in (tmp_path / "plots").iterdir()}
    assert {"nmi-by-k.png", "ari-by-k.png", "silhouette-by-k.png", "nmi-heat-map.png"} <= files
    for name in files:
        with Image.open(tmp_path / "plots" / name) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert min(pixels.shape[:2]) > 150
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20, name
    assert all(f"plots/{name}" in ran.err for name in files)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--csv", "photos/red/000.jpg"), "is a photo of the library"),
        (("--csv", ".organizer/out.csv"), "is inside the library itself"),
        (("--csv", "diary.csv"), "diary.csv is there and no table of organizer compare"),
        (("--csv", "photos"), "photos is a folder"),
        (("--csv", "no/out.csv"), "there is no folder no"),
        (("--csv", "/dev/null"), "is no file that could be replaced"),
        (("--csv", "x" * 256), "is too long for a file"),
        (("--plots", "photos/plots"), "photos/plots is among the photos of"),
        (("--plots", ".organizer/plots"), "is inside the library itself"),
        (("--plots", "diary.csv"), "diary.csv is a file"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_the_work(
    made: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the work was begun")

    monkeypatch.setattr(Library, "compare", never)
    (made / "diary.csv").write_text("mine")
    before = {file: file.read_bytes() for file in made.rglob("*.*") if file.is_file()}
    ran = in_this_process(made, "compare", "--embedders", "hog", *words)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert message in ran.err
    assert len(ran.err.strip().splitlines()) == 2
    assert {file: file.read_bytes() for file in made.rglob("*.*") if file.is_file()} == before


def test_an_earlier_table_and_earlier_plots_are_replaced_and_nothing_else(
    typed: Run, tmp_path: Path
) -> None:
    words = ("compare", "--embedders", "hog", "--k", "2:3", "--repeats", "1")
    files = ("--csv", "out.csv", "--plots", "plots")
    assert typed(*words, "--labels", "folders", *files).code == 0
    (tmp_path / "plots" / "notes.txt").write_text("mine")
    assert (tmp_path / "plots" / "nmi-by-k.png").exists()
    again = typed(*words, *files)
    assert again.code == 0, again.err
    assert not (tmp_path / "plots" / "nmi-by-k.png").exists(), "there are no labels now"
    assert (tmp_path / "plots" / "notes.txt").exists()
    Image.new("RGB", (5, 5)).save(tmp_path / "plots" / "silhouette-by-k.png")
    refused = typed(*words, *files)
    assert refused.code == 2
    assert "organizer did not make it" in refused.err
    with Image.open(tmp_path / "plots" / "silhouette-by-k.png") as image:
        assert image.size == (5, 5)


def test_recipes_are_described(typed: Run) -> None:
    shown = typed("compare", "--recipe", "list")
    names = ["vgg16-kmeans", "raw-vs-resnet50", "cnn-architectures", "resnet50-tsne",
             "feature-weak-relevant"]  # fmt: skip
    assert shown.code == 0
    assert all(f"{name}: " in shown.out for name in names)
    assert [
        r["name"] for r in typed("compare", "--recipe", "list", "--json").json["recipes"]
    ] == names


def test_a_recipe_puts_the_published_figures_beside_ours(typed: Run, tmp_path: Path) -> None:
    words = ("compare", "--recipe", "vgg16-kmeans", "--repeats", "1", "--substitute", "hog")
    ran = typed(*words, "--plots", "plots")
    assert ran.code == 0, ran.err
    rows = [line.split() for line in ran.out.splitlines() if line.strip().startswith("vgg16 ")]
    assert [row[3:5] for row in rows] == [["silhouette", "0.130"], ["purity", "0.960"]]
    assert "hog stands for vgg16, whose weights are not here" in ran.err
    assert "24 images, 24 labelled, 3 classes, in none, kept\n" in ran.out
    table = [line for line in ran.out.splitlines() if line.startswith(" hog (for vgg16)   kmeans ")]
    assert len(table) == 14
    assert "elbow of hog (for vgg16): k = " in ran.out
    fields = typed(*words, "--json").json
    shown = next(found for found in fields["clusters"] if found["k"] == 5)
    assert sum(made["count"] for made in shown["clusters"]) == 24
    for made in shown["clusters"]:
        assert made["share"] == max(made["parts"].values()) / made["count"]
        assert all(Path(sample).is_file() for sample in made["samples"])
    assert (tmp_path / "plots" / "inertia-by-k.png").is_file()
    drawn = {file.name for file in (tmp_path / "plots" / "hog-kmeans-5").iterdir()}
    sheets = {f"sheet_{made['number']}.png" for made in shown["clusters"]}
    assert drawn >= {"silhouette.png", "pies.png", "evidence.png"} | sheets


def test_the_recipe_of_a_map_draws_it(typed: Run, tmp_path: Path) -> None:
    words = ("compare", "--recipe", "resnet50-tsne", "--repeats", "1", "--substitute", "hog")
    ran = typed(*words, "--plots", "plots")
    assert ran.code == 0, ran.err
    for folder in ("hog-kmeans-3", "hsv-kmeans-3"):
        with Image.open(tmp_path / "plots" / folder / "map.png") as image:
            colours = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
        reddish = (colours[:, 0] > 150) & (colours[:, 1:] < 90).all(axis=1)
        assert reddish.sum() > 500, "the photos of the red folder are on the map"


def test_the_difference_rate_is_that_of_the_printed_indices(
    typed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the mixtures in 3,072 dimensions, which take long; tests/soak has them."""
    recipe = find_recipe("feature-weak-relevant")
    grids = tuple(replace(grid, algorithms=("kmeans",)) for grid in recipe.plan.grids)
    quick = replace(recipe, plan=replace(recipe.plan, grids=grids))
    monkeypatch.setattr(recipes, "RECIPES", (quick,))
    check_difference_rates(typed)


def check_difference_rates(typed: Run) -> None:
    """The rates of the recipe about features are those of the indices beside them."""
    ran = typed("compare", "--recipe", "feature-weak-relevant", "--repeats", "1", "--json")
    assert ran.code == 0, ran.err
    cells = ran.json["cells"]
    assert {(c["embedder"], c["space"]) for c in cells} == {
        ("raw", "none"), ("gabor", "none"), ("hog", "none"), ("raw", "pca:64")
    }  # fmt: skip
    assert {c["k"] for c in cells} == {3}
    rate = next(
        r for r in ran.json["difference_rates"]
        if (r["algorithm"], r["score"], len(r["features"])) == ("kmeans", "ari", 4)
    )  # fmt: skip
    values = [c["mean"]["ari"] for c in cells if c["algorithm"] == "kmeans"]
    assert rate["value"] == pytest.approx(np.std(values, ddof=1) / np.mean(values))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "there is nothing to compare"),
        (("--embedders", "hogg"), "no embedder 'hogg'"),
        (("--embedders", "hog", "--algorithms", "kmeen"), "no clusterer 'kmeen'"),
        (("--embedders", "hog", "--k", "x"), "--k cannot be 'x'"),
        (("--embedders", "hog", "--lengths", "long"), "--lengths cannot be 'long'"),
        (("--embedders", "hog", "--lengths", "kept"), "made for vectors of unit length"),
        (("--embedders", "hog", "--labels", "none.csv"), "cannot read the labels"),
        (("--recipe", "vgg"), "there is no recipe 'vgg'"),
        (("--recipe", "vgg16-kmeans", "--k", "3"), "a recipe has its own"),
        (("--embedders", "resnet18"), "the weights of resnet18 cannot be had"),
    ],
)
def test_wrong_use_is_two_lines(typed: Run, words: tuple[str, ...], message: str) -> None:
    ran = typed("compare", *words)
    assert (ran.code, ran.out) == (2, "")
    lines = [line for line in ran.err.splitlines() if line]
    assert message in lines[0]
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


@pytest.mark.slow
def test_an_interrupted_comparison_goes_on(typed: Run, tmp_path: Path, site: Site) -> None:
    site.install("slow", _SLOW, group="organizer.clusterers", slow="Slow")
    words = ["compare", "--embedders", "channel-mean", "--algorithms", "slow", "--k", "2:11"]
    log = tmp_path / "clustered"
    env = {**os.environ, "CLUSTERED": str(log)}
    with subprocess.Popen(
        [sys.executable, "-m", "organizer", *words],
        cwd=tmp_path, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        while not log.exists() or len(log.read_text().splitlines()) < 10:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command continues from here" in err
    before = log.read_text().splitlines()
    assert 10 <= len(before) < 50
    ran = typed(*words, "--json", env={"CLUSTERED": str(log)})
    assert ran.code == 0, ran.err
    assert (ran.json["kept"], ran.json["computed"]) == (len(before), 50 - len(before))
    after = log.read_text().splitlines()
    assert len(after) == len(set(after)) == 50


@pytest.mark.slow
@pytest.mark.weights
def test_a_recipe_on_real_photos(real_photos: Path, real_weights: Path, tmp_path: Path) -> None:
    for kind in ("tiger", "lion", "cheetah"):
        target = tmp_path / "cats" / kind
        target.mkdir(parents=True)
        for file in sorted((real_photos / "wildcats" / kind).iterdir())[:40]:
            shutil.copy(file, target)
    env = {"ORGANIZER_WEIGHTS": str(real_weights)}
    typed = partial(in_this_process, tmp_path, env=env)
    assert typed("ingest", "cats").code == 0
    words = ("compare", "--recipe", "vgg16-kmeans", "--substitute", "mobilenet_v2", "--json")
    ran = typed(*words)
    assert ran.code == 0, ran.err
    fields = ran.json
    assert {cell["embedder"] for cell in fields["cells"]} == {"mobilenet_v2"}
    assert fields["best"]["k"] in {3, 4}
    three = next(cell for cell in fields["cells"] if cell["k"] == 3)
    assert three["mean"]["nmi"] > 0.6
    assert three["mean"]["purity"] > 0.85
    assert 2 <= fields["elbows"][0]["k"] <= 5
