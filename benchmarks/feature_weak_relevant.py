"""Feature-weak-relevant clustering: what each first feature gives, and the two shares that it has.

    python -m benchmarks.feature_weak_relevant PHOTOS/caltech-objects6 --seeds 0 1 2
    python -m benchmarks.feature_weak_relevant PHOTOS/caltech20 --features hog --shares .05 .1 .2 .4
    python -m benchmarks.feature_weak_relevant PHOTOS/caltech20 --features hog --factors 0 .1 .2 .4

The folder has one folder per class, and there are as many clusters as classes. For each feature and
seed: the first clusters (K-means, or ``+gmm``), and what the algorithm makes of them, by the
indices of Dong and Wang 2018: JC, FMI, NMI, ARI, ACC, and the Davies-Bouldin index over that of the
first clusters. At the end the means with their deviations, and the index difference rates across
the features (equation 19), which are to fall. `organizer compare --recipe feature-weak-relevant`
prints the same beside the published figures; this has the options of the algorithm besides.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np

from organizer.evaluate.external import against_truth
from organizer.library import Library
from organizer.library.clustering.space import parse_reducer
from organizer.library.compare.fit import FittedCell, fit_cell
from organizer.library.compare.grid import FeatureSpec
from organizer.library.compare.scores import score_trained
from organizer.library.compare.vectors import FeatureVectors
from organizer.library.compare.verdict import difference_rate
from organizer.library.embedders import require_spec
from organizer.library.images.picture_reader import StoredPictures
from organizer.library.progress import NoProgress
from organizer.settings import load_settings

_INDICES = ("jaccard", "fmi", "nmi", "ari", "acc")
_FEATURES = ("gabor", "hog", "raw/pca:64", "hog+gmm")
_HEAD = (
    "feature           seed  share factor what      JC    FMI    NMI    ARI    ACC    DBI rounds"
    "     s"
)


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    options = {
        name: getattr(arguments, name)
        for name in ("network", "side", "trained", "epochs")
        if getattr(arguments, name) is not None
    }
    print(f"{arguments.folder.name}, {options or 'default options'}\n{_HEAD}")
    with tempfile.TemporaryDirectory() as name:
        library = Library.open_or_create(Path(name), load_settings())
        _measure(library, arguments, options)


def _measure(library: Library, arguments: argparse.Namespace, options: dict[str, object]) -> None:
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for feature, seed in product(arguments.features, arguments.seeds):
        name, _, boot = feature.partition("+")
        embedder, _, reduce = name.partition("/")
        library.ingest([arguments.folder], embedder=embedder)
        ids, truth = _truth(library, embedder)
        spec = FeatureSpec(embedder, parse_reducer(reduce or "none"), "kept")
        vectors = FeatureVectors(
            library.store, require_spec(library.store, embedder), spec, ids, seed=seed
        )
        for share, factor in product(arguments.shares, arguments.factors):
            begun = time.monotonic()
            made = fit_cell(
                "fwr",
                vectors.points,
                len(set(truth)),
                seed,
                kept=True,
                params={**options, "share": share, "factor": factor, "boot": boot or "kmeans"},
                pictures=StoredPictures(library._opened, ids),  # noqa: SLF001
                settings=library.settings,
                progress=NoProgress(),
            )
            seconds = time.monotonic() - begun
            assert made.trained is not None
            assert made.trained.first_labels is not None
            ratio = score_trained(vectors.vectors, made.trained)["davies_bouldin_ratio"]
            line = f"{feature:<17} {seed:>4} {share:>6.2f} {factor:>6.2f}"
            first = FittedCell(made.trained.first_labels)
            for what, cell, dbi in (("first", first, 1.0), ("fwr", made, ratio)):
                scores = against_truth(cell.labels, truth)
                values = [float(getattr(scores, index)) for index in _INDICES]
                for index, value in zip((*_INDICES, "dbi"), (*values, dbi), strict=True):
                    found[f"{share:.2f} {factor:.2f} {what}", feature, index].append(value)
                figures = " ".join(f"{value:>6.3f}" for value in (*values, dbi))
                rounds = made.trained.rounds if what == "fwr" else 0
                print(f"{line} {what:<5} {figures} {rounds:>6} {seconds:>5.0f}", flush=True)
    _print_means(found, arguments.features)


def _print_means(found: dict[tuple[str, str, str], list[float]], features: list[str]) -> None:
    print("\nmeans over the seeds, and deviations")
    for setting in dict.fromkeys(key[0] for key in found):
        for feature in features:
            texts = []
            for index in (*_INDICES, "dbi"):
                values = found[setting, feature, index]
                spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
                texts.append(f"{np.mean(values):.3f} ± {spread:.3f}")
            print(f"{setting:<16} {feature:<17} {'  '.join(texts)}")
    plain = [feature for feature in features if "+" not in feature]
    if len(plain) < 2:
        return
    print(f"\nindex difference rates across {', '.join(plain)}")
    for setting in dict.fromkeys(key[0] for key in found):
        rates = []
        for index in _INDICES:
            means = [float(np.mean(found[setting, feature, index])) for feature in plain]
            rates.append(f"{index} {difference_rate(means) or 0.0:.3f}")
        print(f"{setting:<16} {'  '.join(rates)}")


def _truth(library: Library, embedder: str) -> tuple[list[str], list[str]]:
    """The images that have vectors, and their classes: the folders that they lie in."""
    spec = require_spec(library.store, embedder)
    ids = sorted(library.store.vectors.read(spec)[0])
    files = library.store.photos.files_of(ids)
    return ids, [files[image_id][0].file.parent.name for image_id in ids]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--features", nargs="+", default=list(_FEATURES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.2])
    parser.add_argument("--factors", nargs="+", type=float, default=[0.1])
    parser.add_argument("--network")
    parser.add_argument("--side", type=int)
    parser.add_argument("--trained", type=float)
    parser.add_argument("--epochs", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main()
