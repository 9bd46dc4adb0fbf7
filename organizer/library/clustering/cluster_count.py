"""How many clusters to make: as asked for, or chosen with evidence."""

from __future__ import annotations

from typing import Literal

from organizer.cluster.choose_k import (
    CLEAR_SILHOUETTE,
    SWEPT,
    WEAK,
    KChoice,
    KMethod,
    candidate_ks,
    choose_k,
)
from organizer.errors import SettingsError
from organizer.library.clustering.build import PreparedImages
from organizer.library.progress import Progress

K = int | Literal["auto"] | tuple[int, int]
"""Number of clusters, "auto", or the lowest and the highest to choose from."""


def require_valid_k(k: K) -> None:
    """Make sure that a number of clusters is one.

    Raises:
        SettingsError: It is less than 2, or no range.
    """
    least = k[0] if isinstance(k, tuple) else k
    if least != "auto" and least < 2:
        raise SettingsError(f"k = {least} makes no clusters", "k is 2 or more, or auto")
    if isinstance(k, tuple) and k[1] < k[0]:
        raise SettingsError(f"k from {k[0]} to {k[1]} is no range", "for example --k 2:40")


def require_enough(k: K, different: int, what: str) -> None:
    """Make sure that there are as many different vectors as clusters to make.

    Args:
        k: Number of clusters.
        different: Number of different vectors.
        what: What they are vectors of, for the message.

    Raises:
        SettingsError: There are fewer.
    """
    least = k[0] if isinstance(k, tuple) else k
    if least != "auto" and least > different:
        raise SettingsError(
            f"k = {least} is more than the {different} different {what} in the library",
            f"k is 2 to {different}, or auto" if different > 1 else "ingest more photos",
        )


def choose_count(
    images: PreparedImages,
    k: K,
    *,
    method: KMethod,
    reducer: str,
    different: int,
    required: int,
    seed: int,
    progress: Progress,
) -> tuple[KChoice | None, int]:
    """Choose the number of clusters for an algorithm that is given one.

    Args:
        images: The images.
        k: What was asked for.
        method: How to choose.
        reducer: Name of the reducer that made the points.
        different: Number of different vectors.
        required: Number of clusters that there have to be.
        seed: Of everything that is drawn.
        progress: Told of each candidate.

    Returns:
        The choice with its evidence, None where nothing was chosen, and the number.
    """
    if isinstance(k, int):
        return None, k
    if isinstance(k, tuple):
        ks = list(range(k[0], min(k[1], different) + 1))
    else:
        ks = candidate_ks(different)
    if ks and ks[-1] < required:
        return None, required
    n = len(images.image_ids)
    if n > SWEPT:
        progress.note(f"k is chosen on a sample of {SWEPT:,} of the {n:,} images")
    progress.begin("choosing k", len(ks))
    choice = choose_k(
        images.points,
        ks,
        method=method,
        seed=seed,
        least=max(required, 1),
        clear_from=CLEAR_SILHOUETTE if reducer == "smooth" else WEAK,
        progress=lambda _: progress.advance(),
    )
    return choice, choice.k
