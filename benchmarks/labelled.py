"""Labelled vectors for the benchmarks of clustering, and sets derived from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from organizer.types import Labels, Vectors

Labelled = tuple[Vectors, Labels]
_SMALLEST = 8


def load(file: Path, *, each: int | None = None) -> Labelled:
    """An .npz file with `vectors` and `labels`; at most `each` of each class, drawn with seed 0."""
    with np.load(file) as arrays:
        vectors, names = arrays["vectors"].astype(np.float32), arrays["labels"]
    labels = np.unique(names, return_inverse=True)[1].astype(np.int64)
    if each is None:
        return vectors, labels
    draw = np.random.default_rng(0)
    rows = []
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == label)
        rows.append(draw.choice(members, min(each, len(members)), replace=False))
    kept = np.sort(np.concatenate(rows))
    return vectors[kept], labels[kept]


def long_tailed(labelled: Labelled, *, seed: int) -> Labelled:
    """The classes cut to a Zipf law: the i-th of a random order to the largest size over i."""
    vectors, labels = labelled
    draw = np.random.default_rng(1000 + seed)
    largest = int(np.bincount(labels).max())
    rows = []
    for rank, label in enumerate(draw.permutation(int(labels.max()) + 1), start=1):
        members = np.flatnonzero(labels == label)
        size = min(len(members), max(_SMALLEST, round(largest / rank)))
        rows.append(draw.choice(members, size, replace=False))
    kept = np.sort(np.concatenate(rows))
    return vectors[kept], labels[kept]


def joined(first: Labelled, second: Labelled) -> Labelled:
    """Two sets as one, no class in common."""
    return (
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1] + first[1].max() + 1]),
    )


def some_classes(labelled: Labelled, n: int, *, seed: int) -> Labelled:
    """A set of n random classes."""
    vectors, labels = labelled
    kept = np.random.default_rng(seed).permutation(int(labels.max()) + 1)[:n]
    rows = np.flatnonzero(np.isin(labels, kept))
    return vectors[rows], np.unique(labels[rows], return_inverse=True)[1].astype(np.int64)


def accuracy(truth: Labels, labels: Labels) -> float:
    """Share of the images in the class that the best one-to-one matching gives their cluster."""
    counts = contingency(truth, labels)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(truth))


def contingency(first: Labels, second: Labels) -> NDArray[np.int64]:
    """How many images have each pair of labels."""
    counts = np.zeros((int(first.max()) + 1, int(second.max()) + 1), dtype=np.int64)
    np.add.at(counts, (first, second), 1)
    return counts
