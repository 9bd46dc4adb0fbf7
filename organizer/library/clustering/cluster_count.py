"""How many clusters to make: as asked for, or chosen with evidence."""

from __future__ import annotations

import operator
from typing import Literal

from organizer.arguments import refused
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


def parse_k(k: object) -> K:
    """Check a number of clusters, and make it one of Python's own.

    Args:
        k: A whole number of any kind, "auto", or two numbers.

    Raises:
        SettingsError: It is none of these, less than 2, or no range.
    """
    if isinstance(k, str) and k == "auto":
        return "auto"
    numbers = k if isinstance(k, tuple | list) else (k, k)
    possible = "a whole number, auto, or the lowest and the highest"
    if any(isinstance(number, bool) for number in numbers):
        raise refused("k", k, possible)
    try:
        lowest, highest = (operator.index(number) for number in numbers)
    except (TypeError, ValueError) as error:
        raise refused("k", k, possible) from error
    if lowest < 2:
        raise SettingsError(f"k = {lowest} makes no clusters", "k is 2 or more, or auto")
    if highest < lowest:
        raise SettingsError(f"k from {lowest} to {highest} is no range", "for example --k 2:40")
    return (lowest, highest) if isinstance(k, tuple | list) else lowest


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
        seed: Random seed.
        progress: Receives each candidate.

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
