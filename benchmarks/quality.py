"""The quality of each embedder on labelled photos, and its speed.

    python -m benchmarks.quality PHOTOS/wildcats PHOTOS/catsdogs --embedders mobilenet_v2 hog+hsv

Each argument is a folder with one folder per class. Printed are, for each set and embedder: the
share of images whose nearest neighbour is of their class, the normalised mutual information (NMI)
and the accuracy of K-means with the true number of classes, and images per second of the ingest.

    python -m benchmarks.quality PHOTOS/wildcats PHOTOS/catsdogs --embedders resnet50 --agreement

Prints instead the effect of bfloat16 on a network's vectors, for all folders together: the least
centred cosine to float32, the share of images with another nearest neighbour, the share whose new
one is more than half a percent farther away, and the 1-NN of both.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.neighbours import centred_cosines, changed_neighbours, right_neighbours
from organizer.library import Library
from organizer.settings import load_settings
from organizer.types import PartSpec, Vectors


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.agreement:
        for embedder in arguments.embedders:
            _agree(arguments.folders, embedder)
        return
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
    truth = library.reports.make(labels="folders").truth
    assert truth is not None
    vectors, labels = _labelled(library, report.embedder)
    right = right_neighbours(vectors, labels)
    print(
        f"{folder.name:<18} {embedder:<24} {len(labels):>6} {right:>6.3f} "
        f"{truth.nmi:>6.3f} {truth.acc:>6.3f} {report.embedded / report.seconds:>8.1f}",
        flush=True,
    )


def _agree(folders: list[Path], embedder: str) -> None:
    """Print how far the vectors in bfloat16 are from those in float32."""
    made = {}
    for precision in ("float32", "bfloat16"):
        with tempfile.TemporaryDirectory() as name:
            library = Library.open_or_create(Path(name), load_settings(precision=precision))
            report = library.ingest(folders, embedder=embedder)
            made[precision], labels = _labelled(library, report.embedder)
    exact, fast = made["float32"], made["bfloat16"]
    centred = centred_cosines(exact, fast)
    changed, farther = changed_neighbours(exact, fast)
    print(
        f"{embedder}: {len(exact)} images, least centred cosine {centred.min():.5f} (median "
        f"{np.median(centred):.6f}), another nearest neighbour {changed:.2%}, "
        f"one farther by 0.5% {farther:.2%}, 1-NN {right_neighbours(exact, labels):.4f} in "
        f"float32, {right_neighbours(fast, labels):.4f} in bfloat16"
    )


def _labelled(library: Library, spec: PartSpec) -> tuple[Vectors, np.ndarray]:
    """The vectors in the order of the images' ids, and the names of the images' folders."""
    ids, vectors = library.store.vectors.read(spec)
    files = library.store.photos.files_of()
    order = np.argsort(ids)
    labels = np.array([files[image_id][0].file.parent.name for image_id in ids])
    return vectors[order], labels[order]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--embedders", nargs="+", default=["mobilenet_v2", "hog+hsv"])
    parser.add_argument("--agreement", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
