"""What each embedder is worth on labelled photos, and what it costs.

    python -m benchmarks.quality PHOTOS/wildcats PHOTOS/catsdogs --embedders mobilenet_v2 hog+hsv

Each argument is a folder with one folder a class. Printed are, for each set and embedder: the share
of images whose nearest neighbour is of their class, the mutual information (NMI) and the accuracy
of K-means with the true number of classes, and images a second of the ingest.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from organizer.library import Library
from organizer.settings import load_settings
from organizer.types import Vectors


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    print(f"{'set':<18} {'embedder':<24} {'images':>6} {'1-NN':>6} {'NMI':>6} {'ACC':>6} images/s")
    for folder in arguments.folders:
        with tempfile.TemporaryDirectory() as name:
            library = Library.open_or_create(Path(name), load_settings())
            for embedder in arguments.embedders:
                _score(library, folder, embedder)


def _score(library: Library, folder: Path, embedder: str) -> None:
    classes = sum(place.is_dir() for place in folder.iterdir())
    report = library.ingest([folder], embedder=embedder)
    library.recluster(k=classes, embedder=embedder)
    truth = library.report(labels="folders").truth
    assert truth is not None
    ids, vectors = library.store.vectors.read(report.embedder)
    files = library.store.photos.files_of()
    labels = np.array([files[image_id][0].file.parent.name for image_id in ids])
    print(
        f"{folder.name:<18} {embedder:<24} {len(ids):>6} {_neighbours(vectors, labels):>6.3f} "
        f"{truth.nmi:>6.3f} {truth.acc:>6.3f} {report.embedded / report.seconds:>8.1f}",
        flush=True,
    )


def _neighbours(vectors: Vectors, labels: np.ndarray) -> float:
    """Share of the rows whose nearest other row, by cosine, is of their class."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -9)
    return float((labels[alike.argmax(axis=1)] == labels).mean())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--embedders", nargs="+", default=["mobilenet_v2", "hog+hsv"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
