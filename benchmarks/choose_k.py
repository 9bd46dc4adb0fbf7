"""What --k auto chooses on labelled photos.

    python -m benchmarks.choose_k PHOTOS/wildcats PHOTOS/catsdogs --embedder mobilenet_v2

Each argument is a folder with one folder a class. Each is ingested into a library of its own,
clustered with --k auto and with the true number of classes, and scored against its folders.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from organizer.library import Library
from organizer.library.recluster import ReclusterReport
from organizer.settings import load_settings


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(
        f"{'set':<20} {'images':>6} {'classes':>7} {'chosen':>6} {'elbow':>5} "
        f"{'NMI':>6} {'NMI at true k':>13} {'ACC at true k':>13}"
    )
    for folder in arguments.folders:
        with tempfile.TemporaryDirectory() as name, _library(Path(name)) as library:
            library.ingest([folder], embedder=arguments.embedder)
            auto = library.recluster(k="auto", space=arguments.space)
            at_auto = library.report(labels="folders").truth
            assert at_auto is not None
            library.recluster(k=at_auto.n_classes)
            at_true = library.report(labels="folders").truth
            assert at_true is not None
        print(
            f"{folder.name:<20} {auto.images:>6} {at_auto.n_classes:>7} {auto.k:>6} "
            f"{_elbow(auto):>5} {at_auto.nmi:>6.3f} {at_true.nmi:>13.3f} {at_true.acc:>13.3f}",
            flush=True,
        )


def _library(folder: Path) -> Library:
    return Library.open_or_create(folder, load_settings())


def _elbow(report: ReclusterReport) -> int:
    return next(candidate.k for candidate in report.evidence if candidate.elbow)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--embedder", default="mobilenet_v2")
    parser.add_argument("--space", choices=["pca", "umap"], default="pca")
    return parser.parse_args()


if __name__ == "__main__":
    main()
