"""What a person's names and answers teach: accuracy by the number of answers.

    python -m benchmarks.learning PHOTOS/wildcats PHOTOS/mnist10k:200 --tails 2

Each argument is a folder whose folders of photos are classes; of FOLDER:200 only the first 200 of
each. A simulated person ingests it, clusters it (k chosen by itself), and names each cluster after
the class that most of its nine most typical images have; clusters of one class are merged. Then the
person answers the questions of `organizer suggest --ask`, ten at a time, and reclusters. For each
set, and for long-tailed cuts of it (1:50):

- the share of all images in a cluster with the name of their class, after 0, 10, 20, 50 and 100
  answers, beside plain logistic regression on as many random labels, with and without the typical
  images of the named clusters;
- suggestions: how many of those at a confidence of .9 are right, where there are twice as many
  clusters as classes, and a hesitant person names one of each class, if eight of its nine most
  typical images are of it;
- a class that was held back: how many of its images stay unassigned when they come, before and
  after 50 answers about the others, and how many of the others' new images come into their cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.library import Library
from organizer.library.corrections.requests import DecisionRequest, MakeCluster, MoveImages
from organizer.settings import DEFAULT_EMBEDDER, load_settings
from organizer.types import PartSpec, Vectors

ANSWERS = (0, 10, 20, 50, 100)
_AT_ONCE = 10
_TYPICAL = 9
_RATIO = 50
_SMALLEST = 4
_SUFFIXES = {".jpg", ".jpeg", ".png"}

Truth = Mapping[str, str]
"""The class of each image."""


@dataclass(frozen=True)
class LabelledFiles:
    """Photos by class."""

    name: str
    files: Mapping[str, Sequence[Path]]

    def cut(self, *, seed: int) -> LabelledFiles:
        """The same with class sizes in a geometric row, the largest fifty times the smallest."""
        draw = np.random.default_rng(500 + seed)
        order = draw.permutation(sorted(self.files))
        largest = max(map(len, self.files.values()))
        found = {}
        for place, kind in enumerate(order.tolist()):
            size = max(_SMALLEST, round(largest * _RATIO ** (-place / (len(order) - 1))))
            known = self.files[kind]
            chosen = draw.choice(len(known), min(size, len(known)), replace=False)
            found[kind] = [known[i] for i in sorted(chosen)]
        return LabelledFiles(f"{self.name}, tail {seed}", found)

    def split(self, *, held_back: str, seed: int) -> tuple[LabelledFiles, LabelledFiles]:
        """Three quarters of all classes but one; the rest, and all of that one."""
        draw = np.random.default_rng(900 + seed)
        first, second = {}, {held_back: self.files[held_back]}
        for kind, files in self.files.items():
            if kind != held_back:
                order = [files[i] for i in draw.permutation(len(files))]
                first[kind], second[kind] = order[len(order) // 4 :], order[: len(order) // 4]
        return LabelledFiles(self.name, first), LabelledFiles(self.name, second)


class Remembering:
    """An embedder that embeds each picture once, in however many libraries it comes to lie."""

    name = "remembering"

    def __init__(self, name: str) -> None:
        options = {"weights": load_settings().weights}
        self._part = registry.create_part("organizer.embedders", PartSpec(name), options=options)[1]
        self.dim, self.min_side = self._part.dim, self._part.min_side
        self._known: dict[bytes, Vectors] = {}

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the embedder makes of the picture."""
        prepared: NDArray[np.uint8] = self._part.prepare(image)
        return prepared

    def embed(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Those that are not known are embedded."""
        digests = [hashlib.sha256(picture.tobytes()).digest() for picture in batch]
        new = [row for row, digest in enumerate(digests) if digest not in self._known]
        for row, vector in zip(new, self._part.embed([batch[r] for r in new]), strict=True):
            self._known[digests[row]] = vector
        return np.array([self._known[digest] for digest in digests], dtype=np.float32)


class Person:
    """Knows the class of every photo, and answers what is asked."""

    def __init__(self, library: Library, truth: Truth) -> None:
        self.library, self._truth = library, truth

    def name_clusters(self, *, sure_of: int = 0) -> None:
        """Name each cluster after most of its typical images, and merge those of one class.

        Args:
            sure_of: Leave a cluster alone unless so many of the nine are of one class, or where its
                class has a cluster already; 0 names every one.
        """
        named: dict[str, int] = {}
        for cluster in self.library.clusters:
            seen = [self._truth[member.image_id] for member in cluster.members()[:_TYPICAL]]
            kind, count = Counter(seen).most_common(1)[0]
            if sure_of and (count < min(sure_of, len(seen)) or kind in named):
                continue
            if kind in named:
                self.library.corrections.merge([named[kind], cluster.id])
            else:
                self.library.corrections.rename(cluster.id, kind)
                named[kind] = cluster.id

    def answer(self, count: int) -> None:
        """Answer so many questions, in one batch."""
        names = self.library.corrections.constraints().names
        here = {c.id for c in self.library.clusters}
        cluster_of = {name: i for i, name in names.items() if i in here}
        by_class: dict[str, list[str]] = {}
        for question in self.library.suggestions.ask(count):
            by_class.setdefault(self._truth[question.image_id], []).append(question.image_id)
        requests: list[DecisionRequest] = [
            MoveImages(ids, cluster_of[kind]) if kind in cluster_of else MakeCluster(ids, kind)
            for kind, ids in by_class.items()
        ]
        self.library.corrections.apply(requests)

    def accuracy(self) -> float:
        """Share of all images that are in a cluster with the name of their class."""
        rows = self.library.assignments().select(["image_id", "cluster_name"]).to_pylist()
        right = [row["cluster_name"] == self._truth[row["image_id"]] for row in rows]
        return float(np.mean(right))


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(f"{'set':<26} {'k':>3} " + " ".join(f"{n:>5}" for n in ANSWERS) + "  answers")
    embedder = Remembering(arguments.embedder)
    for argument in arguments.folders:
        files = _labelled(argument)
        for labelled in [files, *(files.cut(seed=seed) for seed in range(arguments.tails))]:
            measure(labelled, embedder, arguments.seed)


def measure(labelled: LabelledFiles, embedder: Remembering, seed: int) -> None:
    """One set: the curve, the suggestions, and the class that was held back."""
    with _library(labelled, embedder, seed) as (library, truth):
        person = Person(library, truth)
        k = library.recluster(k="auto").k
        person.name_clusters()
        baselines = _baselines(library, truth, seed)
        curve = [person.accuracy()]
        for before, after in pairwise(ANSWERS):
            for _ in range(0, after - before, _AT_ONCE):
                person.answer(_AT_ONCE)
            library.recluster(k=len(library.clusters))
            curve.append(person.accuracy())
        _print_row(labelled.name, k, curve)
        for name, row in baselines.items():
            _print_row(f"  {name}", None, row)
    with _library(labelled, embedder, seed) as (library, truth):
        _suggestions(library, truth)
    _held_back(labelled, embedder, seed)


def _print_row(name: str, k: int | None, values: Sequence[float]) -> None:
    print(f"{name:<26} {k or '':>3} " + " ".join(f"{v:5.3f}" for v in values), flush=True)


def _baselines(library: Library, truth: Truth, seed: int) -> dict[str, list[float]]:
    """Logistic regression on random labels, and on these and the typical images of clusters."""
    from sklearn.linear_model import LogisticRegression

    ids, vectors = library.embeddings()
    vectors = vectors - vectors.mean(axis=0)
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.array([truth[i] for i in ids])
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    fixed, names = (
        library.corrections.constraints().fixed,
        library.corrections.constraints().names,
    )
    typical = {row_of[i]: names[c] for i, c in fixed.items()}
    order = np.random.default_rng(seed).permutation(len(ids))
    found: dict[str, list[float]] = {"logistic regression": [], "  with typical images": []}
    for answers in ANSWERS:
        drawn = order[:answers].tolist()
        for name, known in (
            ("logistic regression", {r: labels[r] for r in drawn}),
            ("  with typical images", typical | {r: labels[r] for r in drawn}),
        ):
            rows, wanted = list(known), list(known.values())
            if len(set(wanted)) < 2:
                found[name].append(float("nan"))
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = LogisticRegression(C=10, max_iter=500).fit(vectors[rows], wanted)
            predicted = model.predict(vectors)
            predicted[drawn] = labels[drawn]
            found[name].append(float((predicted == labels).mean()))
    return found


def _suggestions(library: Library, truth: Truth) -> None:
    """The suggestions for clusters that a hesitant person left alone."""
    library.recluster(k=2 * len(set(truth.values())))
    person = Person(library, truth)
    person.name_clusters(sure_of=8)
    cells = []
    for before, after in zip((0, *ANSWERS), ANSWERS, strict=False):
        for _ in range(0, after - before, _AT_ONCE):
            person.answer(_AT_ONCE)
        if len(library.corrections.constraints().names) < 2:
            cells.append("-")
            continue
        found = library.suggestions.propose().suggestions
        right = [truth[one.image_id] == one.name for one in found]
        cells.append(f"{np.mean(right):.2f} of {len(right)}" if right else "-")
    print(f"{'  suggestions right':<26}     " + ", ".join(cells), flush=True)


def _held_back(labelled: LabelledFiles, embedder: Remembering, seed: int) -> None:
    """How many images of an unknown class stay unassigned, and where the others come."""
    cells = []
    for answers in (0, 50):
        rejected, known = [], []
        for held_back in sorted(labelled.files)[: 3 if len(labelled.files) > 3 else 1]:
            first, second = labelled.split(held_back=held_back, seed=seed)
            if len(first.files) < 2:
                continue
            with _library(first, embedder, seed) as (library, truth):
                library.recluster(k="auto")
                person = Person(library, truth)
                person.name_clusters()
                for _ in range(0, answers, _AT_ONCE):
                    person.answer(_AT_ONCE)
                if answers:
                    library.recluster(k=len(library.clusters))
                new = _new_rows(library, second, embedder)
            rejected += [name is None for kind, name in new if kind == held_back]
            known += [name == kind for kind, name in new if kind != held_back]
        if rejected:
            cells.append(
                f"after {answers}: {np.mean(rejected):.2f} unassigned, {np.mean(known):.2f} of the "
                "others right"
            )
    if cells:
        print(f"{'  class held back':<26}     " + "; ".join(cells), flush=True)


def _new_rows(
    library: Library, second: LabelledFiles, embedder: Remembering
) -> list[tuple[str, str | None]]:
    """Class and name of the cluster, of images that come later; novel clusters have no name."""
    known = set(library.assignments()["image_id"].to_pylist())
    with _folder(second) as folder:
        library.ingest([folder], embedder=embedder)
        rows = library.assignments().to_pylist()
    return [
        (Path(row["path"]).parent.name, row["cluster_name"])
        for row in rows
        if row["image_id"] not in known
    ]


@contextmanager
def _library(
    labelled: LabelledFiles, embedder: Remembering, seed: int
) -> Iterator[tuple[Library, Truth]]:
    """A library of the photos, and their classes."""
    with (
        _folder(labelled) as folder,
        tempfile.TemporaryDirectory() as place,
        Library.open_or_create(place, load_settings(seed=seed)) as library,
    ):
        library.ingest([folder], embedder=embedder)
        files = library.store.photos.files_of()
        truth = {i: rows[0].file.parent.name for i, rows in files.items()}
        yield library, truth


@contextmanager
def _folder(labelled: LabelledFiles) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, files in labelled.files.items():
            (folder / kind).mkdir()
            for file in files:
                shutil.copy(file, folder / kind / file.name)
        yield folder


def _labelled(argument: str) -> LabelledFiles:
    name, _, each = argument.rpartition(":")
    folder = Path(name) if each.isdigit() else Path(argument)
    most = int(each) if each.isdigit() else None
    found = {
        place.name: sorted(f for f in place.iterdir() if f.suffix.lower() in _SUFFIXES)[:most]
        for place in sorted(folder.iterdir())
        if place.is_dir()
    }
    return LabelledFiles(folder.name, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", metavar="FOLDER[:EACH]")
    parser.add_argument("--embedder", default=DEFAULT_EMBEDDER)
    parser.add_argument("--tails", type=int, default=1, help="long-tailed cuts of each set")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
