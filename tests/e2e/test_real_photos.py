"""The product's proof: real photos through real weights, as a person would use it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, Run
from tests.typed import in_this_process

pytestmark = [pytest.mark.weights, pytest.mark.slow]

CATS_EACH = 60


def _copy(source: Path, target: Path, limit: int) -> None:
    target.mkdir(parents=True)
    for file in sorted(source.iterdir())[:limit]:
        shutil.copy(file, target / file.name)


def _different(folder: Path) -> int:
    return len({file.read_bytes() for file in folder.rglob("*.*")})


class Person:
    """Somebody at a terminal in the folder with the photos."""

    def __init__(
        self, run: Run, here: Path, weights: Path, *, in_processes: tuple[str, ...]
    ) -> None:
        self._run, self._here, self._env = run, here, {"ORGANIZER_WEIGHTS": str(weights)}
        self._in_processes = in_processes

    def types(self, *words: object) -> Ran:
        if words[0] in self._in_processes:
            ran = self._run(*words, env=self._env)
        else:
            ran = in_this_process(self._here, *words, env=self._env)
        assert ran.code == 0, ran.err
        return ran

    def asks(self, *words: object) -> Any:
        return self.types(*words, "--json").json

    def assignments(self) -> dict[str, int]:
        """The cluster of each photo by its path."""
        ids = [row["cluster_id"] for row in self.asks("clusters")["clusters"]]
        shown = [self.asks("clusters", "show", cluster_id)["images"] for cluster_id in ids]
        return {image["path"]: image["cluster_id"] for images in shown for image in images}

    def name_clusters(self) -> dict[int, str]:
        """Call each cluster by what most of its photos show."""
        names = {}
        for row in self.asks("report", "--labels", "folders")["per_cluster"]:
            name = f"{row['majority']} {row['cluster_id']}"
            self.types("clusters", "rename", row["cluster_id"], name)
            names[row["cluster_id"]] = name
        return names


def test_a_library_grows_and_keeps_what_a_person_made_of_it(
    run: Run, real_weights: Path, real_photos: Path, tmp_path: Path
) -> None:
    """With few processes; tests/soak has more."""
    person = Person(run, tmp_path, real_weights, in_processes=("undo",))
    grow(person, real_photos, tmp_path, each=CATS_EACH)


def grow(person: Person, real_photos: Path, tmp_path: Path, *, each: int) -> None:
    """Cats, clusters, names, and pets that are none of the cats."""
    for kind in sorted((real_photos / "wildcats").iterdir()):
        _copy(kind, tmp_path / "wildcats" / kind.name, each)
    ingested = person.asks("ingest", "wildcats")
    different = _different(tmp_path / "wildcats")  # some photos lie there twice
    assert (ingested["added"], ingested["embedder"]) == (different, "efficientnet_lite2")
    assert ingested["added"] + ingested["duplicate"] == 5 * each

    # Five species, and among the jaguars cars of that name: six kinds to the eye.
    assert 4 <= person.asks("recluster", "--k", "auto")["k"] <= 7
    report = person.asks("report", "--labels", "folders")
    assert report["nmi"] >= 0.6
    assert report["n_labelled"] == different
    _tigers_find_tigers(person, tmp_path)

    names = person.name_clusters()
    before = person.assignments()
    _pets_are_assigned_and_nothing_moves(person, real_photos, tmp_path, before, each)
    joined = person.assignments()
    known = {row["cluster_id"] for row in person.asks("clusters")["clusters"]}

    lineage = person.asks("recluster", "--k", "auto")["lineage"]
    _images_keep_their_names(person, before, names)
    assert set(names) <= set(lineage["kept"]), "what a person named is always there"
    assert set(lineage["kept"]) | set(lineage["retired"]) == known

    person.types("undo")
    assert person.assignments() == joined
    rows = person.asks("clusters")["clusters"]
    assert {row["cluster_id"]: row["name"] for row in rows if row["name"]} == names


def _tigers_find_tigers(person: Person, folder: Path) -> None:
    query = min((folder / "wildcats" / "tiger").iterdir())
    paths = person.types("search", query, "-n", 10, "--filepath-only").out.splitlines()
    assert len(paths) == 10
    assert Counter(Path(path).parent.name for path in paths)["tiger"] >= 7


def _pets_are_assigned_and_nothing_moves(
    person: Person, photos: Path, folder: Path, before: dict[str, int], each: int
) -> None:
    for kind in ("cats", "dogs"):
        _copy(photos / "catsdogs" / kind, folder / "pets" / kind, each)
    ingested = person.asks("ingest", "pets")
    different = _different(folder / "pets")
    assert (ingested["added"], ingested["joined"]) == (different, different)
    after = person.assignments()
    assert {path: after[path] for path in before} == before
    unassigned = len(person.asks("clusters", "show", "unsure")["images"])
    assert unassigned == ingested["pile"]
    assert len(after) + unassigned == len(before) + different
    assert ingested["unsure"] > 0.8 * different, "cats and dogs are none of the five"


def _images_keep_their_names(person: Person, before: dict[str, int], names: dict[int, str]) -> None:
    now = person.assignments()
    named = {row["cluster_id"]: row["name"] for row in person.asks("clusters")["clusters"]}
    kept = sum(named.get(now[path]) == names[cluster_id] for path, cluster_id in before.items())
    assert kept >= 0.97 * len(before)
