"""DEC and DCN on 10,000 digits of MNIST, with their defaults: an hour of two cores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.labelled import Labelled, accuracy
from organizer.embed.handcrafted import raw
from organizer_deep_clustering.dcn import Dcn
from organizer_deep_clustering.dec import Dec


@pytest.fixture(scope="module")
def digits(real_photos: Path) -> Labelled:
    """Pixels, and the digit of each picture."""
    folder = real_photos / "mnist10k"
    if not folder.is_dir():
        pytest.skip(f"NOT TESTED: there is no mnist10k in {real_photos}")
    files = sorted(folder.glob("*/*"))
    embedder = raw()
    vectors = [
        embedder.prepare(np.asarray(Image.open(file).convert("RGB"), dtype=np.uint8))
        for file in files
    ]
    labels = np.array([int(file.parent.name) for file in files], dtype=np.int64)
    return np.stack(vectors).astype(np.float32), labels


@pytest.mark.timeout(5_400)
@pytest.mark.parametrize("made", [Dec, Dcn])
def test_digits_are_told_apart_better_than_by_their_pixels(
    made: type[Dec | Dcn], digits: Labelled
) -> None:
    points, truth = digits
    labels = made(n_clusters=10).fit_predict(points)
    assert accuracy(truth, labels) > _LEAST[made.__name__]


_LEAST = {"Dec": 0.8, "Dcn": 0.78}
"""K-means of the pixels has 0.54."""
