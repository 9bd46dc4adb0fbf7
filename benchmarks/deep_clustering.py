"""Deep clustering against K-means, on labelled photos.

    python -m benchmarks.deep_clustering mnist PHOTOS/mnist10k --seeds 0 1 2
    python -m benchmarks.deep_clustering mnist PHOTOS/mnist10k --dec start-space=none
    python -m benchmarks.deep_clustering photos PHOTOS/caltech-objects6 PHOTOS/caltech20

Each folder has one folder per class. `mnist` clusters the pixels themselves (the embedder `raw`):
K-means, K-means of a pretrained autoencoder's features, DEC and DCN, which begin with the same
autoencoder. `photos` clusters the vectors of an embedder, in the space that organizer clusters in
and in that of the vectors themselves: K-means as organizer does it, DEC and DCN. Printed are the
accuracy under the best matching of clusters with classes (ACC), the normalised mutual information
(NMI), the adjusted Rand index (ARI), rounds and seconds; those of DEC and DCN on MNIST are without
the pretraining. On a machine that is busy with other things, OMP_WAIT_POLICY=PASSIVE in the
environment keeps torch's threads from waiting for each other.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.labelled import accuracy
from organizer.cluster.kmeans import KMeans
from organizer.library import Library
from organizer.library.clustering.space import ClusterSpace, parse_reducer
from organizer.library.part_options import described_options, option_values
from organizer.settings import DEFAULT_EMBEDDER, load_settings
from organizer.training import TrainingImages
from organizer.types import Labels, Vectors
from organizer_deep_clustering.dcn import Dcn
from organizer_deep_clustering.dec import Dec

_TRAINED: dict[str, Callable[..., Dec | Dcn]] = {"dec": Dec, "dcn": Dcn}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(f"{'set':<18} {'points':<10} {'what':<22} seed    ACC    NMI    ARI rounds seconds")
    {"mnist": _mnist, "photos": _photos}[arguments.command](arguments)


def _mnist(arguments: argparse.Namespace) -> None:
    """What each stage of deep clustering makes of pixels."""
    vectors, truth = _labelled(arguments.folder, "raw")
    options = {"n_clusters": int(truth.max()) + 1, **_pretraining(arguments)}
    for lengths in arguments.lengths:
        points = vectors if lengths == "kept" else _unit(vectors)
        for seed in arguments.seeds:
            row = _Row(arguments.folder.name, f"raw, {lengths}", seed, truth)
            begun = time.monotonic()
            kmeans = KMeans(n_clusters=options["n_clusters"], random_state=seed, metric="euclidean")
            row.print("K-means", kmeans.fit_predict(points), begun)
            with tempfile.TemporaryDirectory() as name:
                _stages(arguments, points, row, folder=Path(name), seed=seed, options=options)


def _stages(
    arguments: argparse.Namespace,
    points: Vectors,
    row: _Row,
    *,
    folder: Path,
    seed: int,
    options: dict[str, Any],
) -> None:
    """The autoencoder by itself, and each algorithm with it."""
    begun = time.monotonic()
    given = _images(points, arguments.device, folder / "autoencoder")
    # No rounds: the clusters are those of K-means, with which they would begin.
    pretrained = Dec(random_state=seed, max_rounds=0, **options).train(given)
    row.print("autoencoder, K-means", pretrained.labels, begun)
    for name in arguments.algorithms:
        shutil.copytree(folder / "autoencoder", folder / name)
        begun = time.monotonic()
        made = _TRAINED[name](random_state=seed, **options, **_own(arguments, name))
        found = made.train(_images(points, arguments.device, folder / name))
        row.print(name.upper(), found.labels, begun, rounds=found.rounds)


def _photos(arguments: argparse.Namespace) -> None:
    """Deep clustering of an embedder's vectors."""
    for folder in arguments.folders:
        vectors, truth = _labelled(folder, arguments.embedder)
        k = int(truth.max()) + 1
        for reduce in arguments.reduce:
            for seed in arguments.seeds:
                row = _Row(folder.name, reduce, seed, truth)
                _, points = ClusterSpace.fit(parse_reducer(reduce), _unit(vectors), seed=seed)
                begun = time.monotonic()
                kmeans = KMeans(n_clusters=k, random_state=seed)
                row.print("K-means", kmeans.fit_predict(points), begun)
                for name in arguments.algorithms:
                    begun = time.monotonic()
                    options = {**_pretraining(arguments), **_own(arguments, name)}
                    made = _TRAINED[name](n_clusters=k, random_state=seed, **options)
                    found = made.train(_images(points, arguments.device, None))
                    row.print(name.upper(), found.labels, begun, rounds=found.rounds)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a line begins with, and what clusters are compared with."""

    folder: str
    points: str
    seed: int
    truth: Labels

    def print(self, what: str, labels: Labels, begun: float, *, rounds: int = 0) -> None:
        from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

        nmi = normalized_mutual_info_score(self.truth, labels)
        ari = adjusted_rand_score(self.truth, labels)
        print(
            f"{self.folder:<18} {self.points:<10} {what:<22} {self.seed:>4} "
            f"{accuracy(self.truth, labels):>6.3f} {nmi:>6.3f} {ari:>6.3f} {rounds:>6} "
            f"{time.monotonic() - begun:>7.0f}",
            flush=True,
        )


class _Shown:
    """Progress on the error stream."""

    def begin(self, task: str, total: int | None) -> None:
        """See `organizer.training.TrainingProgress`."""
        print(f"  {task}: {total}", file=sys.stderr, flush=True)

    def advance(self, steps: int = 1) -> None:
        """See `organizer.training.TrainingProgress`."""

    def note(self, text: str) -> None:
        """See `organizer.training.TrainingProgress`."""
        print(f"  {text}", file=sys.stderr, flush=True)


def _images(points: Vectors, device: str, checkpoints: Path | None) -> TrainingImages:
    return TrainingImages.undecided(
        points, progress=_Shown(), device=device, checkpoints=checkpoints
    )


def _labelled(folder: Path, embedder: str) -> tuple[Vectors, Labels]:
    """The vectors of all photos, and the number of each one's class."""
    with tempfile.TemporaryDirectory() as name:
        library = Library.open_or_create(Path(name), load_settings())
        report = library.ingest([folder], embedder=embedder)
        ids, vectors = library.store.vectors.read(report.embedder)
        files = library.store.photos.files_of()
    order = np.argsort(ids)
    classes = [files[image_id][0].file.parent.name for image_id in np.array(ids)[order]]
    truth = np.unique(classes, return_inverse=True)[1].astype(np.int64)
    return vectors[order].astype(np.float32), truth


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _pretraining(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("layer_epochs", "pretrain_epochs", "pretrain_learning_rate", "noise", "layers")
    given = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _own(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """The options of one algorithm, ``--dec NAME=VALUE``."""
    given = dict(text.split("=", 1) for text in getattr(arguments, name) or [])
    options = described_options("organizer.clusterers", name)
    return option_values("organizer.clusterers", name, given, options=options, listing="--help")


def _arguments() -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seeds", nargs="+", type=int, default=[0])
    shared.add_argument("--algorithms", nargs="+", default=list(_TRAINED), choices=list(_TRAINED))
    shared.add_argument("--device", default="auto")
    shared.add_argument("--layers")
    shared.add_argument("--layer-epochs", type=int)
    shared.add_argument("--pretrain-epochs", type=int)
    shared.add_argument("--pretrain-learning-rate", type=float)
    shared.add_argument("--noise", type=float)
    shared.add_argument("--dec", nargs="+", metavar="NAME=VALUE")
    shared.add_argument("--dcn", nargs="+", metavar="NAME=VALUE")
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    mnist = commands.add_parser("mnist", parents=[shared])
    mnist.add_argument("folder", type=Path)
    mnist.add_argument("--lengths", nargs="+", default=["kept"], choices=["kept", "unit"])
    photos = commands.add_parser("photos", parents=[shared])
    photos.add_argument("folders", nargs="+", type=Path)
    photos.add_argument("--embedder", default=DEFAULT_EMBEDDER)
    photos.add_argument("--reduce", nargs="+", default=["smooth", "none"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
