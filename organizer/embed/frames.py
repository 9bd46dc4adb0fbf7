"""Several pictures of one image, such as the frames of a video -> one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from organizer.embed.pictures import EmbeddedPictures, PictureFailure
from organizer.types import Vectors


@dataclass(frozen=True, slots=True)
class EmbeddedImages:
    """What an embedder made of some images, each of one picture or several.

    Attributes:
        rows: The images that have a vector, as numbers from 0, in order.
        vectors: ``(len(rows), dim)`` float32: the mean of the pictures of each.
        medoids: For each of them the picture that is nearest to the mean, as a number among its
            own.
        failures: The images of which no picture has a vector, with what went wrong with the first.
    """

    rows: tuple[int, ...]
    vectors: Vectors
    medoids: tuple[int, ...]
    failures: dict[int, PictureFailure]


def join_pictures(embedded: EmbeddedPictures, counts: Sequence[int]) -> EmbeddedImages:
    """One vector an image.

    Args:
        embedded: The pictures of all images, those of one image after each other.
        counts: How many pictures each image has.

    Example:
        Two images, of one picture and of three: ``join_pictures(embedded, [1, 3])``.
    """
    owners = np.repeat(np.arange(len(counts)), counts)[list(embedded.rows)]
    firsts = np.cumsum([0, *counts])
    rows, means, medoids = [], [], []
    for image in np.unique(owners).tolist():
        of_image = np.flatnonzero(owners == image)
        vectors = embedded.vectors[of_image]
        mean = vectors.mean(axis=0) if len(vectors) > 1 else vectors[0]
        nearest = of_image[np.linalg.norm(vectors - mean, axis=1).argmin()]
        rows.append(image)
        means.append(mean)
        medoids.append(int(embedded.rows[nearest] - firsts[image]))
    failures: dict[int, PictureFailure] = {}
    for picture, failure in embedded.failures.items():
        image = int(np.searchsorted(firsts, picture, side="right")) - 1
        if image not in rows:
            failures.setdefault(image, failure)
    stacked = np.stack(means) if means else embedded.vectors[:0]
    return EmbeddedImages(tuple(rows), stacked, tuple(medoids), failures)
