"""What to ask a person next: images whose answers teach most, varied, the least certain first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.questions import certainty, choose_questions
from organizer.library.clustering.constraints import decided_singly
from organizer.library.corrections.state import EditorState
from organizer.library.images.visible import not_shown
from organizer.library.suggestions.learn import LearnedClusters
from organizer.types import NOISE, Box, Labels, Vectors

_MOST = 50_000
"""Images that are compared; of more, a seeded sample."""


@dataclass(frozen=True, slots=True)
class Question:
    """An image that a person is asked to name.

    Attributes:
        image_id: The image.
        path: A file of it.
        current: The cluster that it is in; None for an unassigned image.
        current_name: The name of that cluster; None where it has none.
        guess: The named cluster that is most probable; None where nothing was learned yet.
        guess_name: Its name.
        confidence: How probable that is, 0 to 1; None without a guess.
        box: The box in the photo, for a crop.
    """

    image_id: str
    path: Path
    current: int | None
    current_name: str | None
    guess: int | None = None
    guess_name: str | None = None
    confidence: float | None = None
    box: Box | None = None


def find_questions(
    state: EditorState, learned: LearnedClusters | None, count: int
) -> list[Question]:
    """See `Suggestions.ask`.

    Args:
        state: The current clusters.
        learned: What is learned from the decisions; None where nothing can be yet.
        count: The number of questions.
    """
    rows = _candidates(state)
    if learned is None:
        chosen = _first_questions(state, rows, count)
        return _made(state, chosen, {})
    points, probabilities = _compared(learned, rows)
    certain = certainty(probabilities)
    at = choose_questions(points, certain, count, seed=state.settings.seed)
    named = np.where(learned.head.is_rival, 0, probabilities[at])
    clusters = learned.head.head.cluster_ids[named.argmax(axis=1)]
    guesses = {
        int(rows[place]): (int(cluster), float(share))
        for place, cluster, share in zip(at, clusters, named.max(axis=1), strict=True)
    }
    return _made(state, rows[at].tolist(), guesses)


def _candidates(state: EditorState) -> Labels:
    """The members that can be shown and that nobody decided about by themselves."""
    members = state.members
    ids = members.image_ids.tolist()
    left_out = decided_singly(state.decisions) | not_shown(state.store, ids)
    rows = np.flatnonzero([image_id not in left_out for image_id in ids])
    if len(rows) > _MOST:
        draw = np.random.default_rng(state.settings.seed)
        rows = np.sort(draw.choice(rows, _MOST, replace=False))
    return rows.astype(np.int64)


def _compared(learned: LearnedClusters, rows: Labels) -> tuple[Vectors, NDArray[np.float64]]:
    """The points of some members, and the probability of each cluster for each of them."""
    points, probabilities = [], []
    for _, images in learned.blocks(rows):
        points.append(np.asarray(images.points, dtype=np.float32))
        probabilities.append(learned.head.probabilities(images.vectors, images.points))
    width = learned.state.models.centroids.shape[1]
    if not points:
        return np.empty((0, width), np.float32), np.empty((0, 1))
    return np.concatenate(points), np.concatenate(probabilities)


def _first_questions(state: EditorState, rows: Labels, count: int) -> list[int]:
    """Before anything is named: the most typical image of each cluster, the largest first.

    With more questions than clusters, the images between clusters come after them.
    """
    members, free = state.members, set(rows.tolist())
    sizes = state.cluster_sizes
    order = sorted(sizes, key=lambda i: (-sizes[i], i))
    medoid_of = dict(zip(state.models.cluster_ids.tolist(), state.models.medoids, strict=True))
    at = state.rows.of([medoid_of[i] for i in order])
    first = [row for row in at.tolist() if row != NOISE and row in free][:count]
    others = np.array([row for row in rows.tolist() if row not in set(first)], dtype=np.int64)
    by_margin = others[np.argsort(members.margins[others], kind="stable")]
    return [*first, *by_margin[: count - len(first)].tolist()]


def _made(
    state: EditorState, rows: Sequence[int], guesses: dict[int, tuple[int, float]]
) -> list[Question]:
    members, names = state.members, state.builder.names
    ids = members.image_ids[list(rows)].tolist()
    files = state.store.photos.files_of(ids)
    found = []
    for row, image_id in zip(rows, ids, strict=True):
        if image_id not in files:
            continue
        current = int(members.cluster_ids[row])
        guess, share = guesses.get(row, (None, None))
        found.append(
            Question(
                image_id,
                files[image_id][0].file,
                None if current == NOISE else current,
                names.get(current),
                guess,
                names.get(guess) if guess is not None else None,
                share,
                files[image_id][0].box,
            )
        )
    return found
