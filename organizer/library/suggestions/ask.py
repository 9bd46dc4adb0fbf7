"""What to ask a person next: images whose answers teach most, varied, the least certain first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.questions import certainty, choose_questions
from organizer.library.corrections.state import EditorState
from organizer.library.images.decided import decided_singly
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
        missing: Whether no file of it was there when last looked for.
    """

    image_id: str
    path: Path
    current: int | None
    current_name: str | None
    guess: int | None = None
    guess_name: str | None = None
    confidence: float | None = None
    box: Box | None = None
    missing: bool = False


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
    if learned is None or not len(rows):
        return _made(state, _first_questions(state, rows, count), {})
    points, probabilities = _compared(learned, rows)
    certain = certainty(probabilities)
    at = choose_questions(points, certain, count, seed=state.settings.seed)
    has_name = np.isin(learned.head.head.cluster_ids, list(learned.names))
    named = np.where(has_name, probabilities[at], 0)
    clusters = learned.head.head.cluster_ids[named.argmax(axis=1)]
    guesses = {
        int(rows[place]): (int(cluster), float(share))
        for place, cluster, share in zip(at, clusters, named.max(axis=1), strict=True)
    }
    return _made(state, rows[at].tolist(), guesses)


def _candidates(state: EditorState) -> Labels:
    """The members that can be shown and that nobody decided about by themselves."""
    members = state.members
    is_open = np.ones(len(members), dtype=np.bool_)
    decided = state.rows.of(decided_singly(state.decisions))
    is_open[decided[decided != NOISE]] = False
    rows = np.flatnonzero(is_open)
    if len(rows) > _MOST:
        draw = np.random.default_rng(state.settings.seed)
        drawn = draw.choice(rows, _MOST, replace=False)
        medoids = state.rows.of(state.models.medoids)
        rows = np.union1d(drawn, medoids[np.isin(medoids, rows)])
    ids = members.image_ids[rows].tolist()
    left_out = not_shown(state.store, ids)
    shown = np.array([image_id not in left_out for image_id in ids], dtype=np.bool_)
    return rows[shown].astype(np.int64)


def _compared(learned: LearnedClusters, rows: Labels) -> tuple[Vectors, NDArray[np.float64]]:
    """The points of some members, and the probability of each cluster for each of them."""
    points, probabilities = [], []
    for _, images in learned.blocks(rows):
        points.append(np.asarray(images.points, dtype=np.float32))
        probabilities.append(learned.head.probabilities(images.vectors, images.points))
    return np.concatenate(points), np.concatenate(probabilities)


def _first_questions(state: EditorState, rows: Labels, count: int) -> list[int]:
    """Before two are named: the most typical image of each other cluster, the largest first.

    With more questions than clusters, the images between clusters come after them.
    """
    members, sizes = state.members, state.cluster_sizes
    inside = rows[members.cluster_ids[rows] != NOISE]
    by_distance = inside[np.argsort(members.distances[inside], kind="stable")]
    held, firsts = np.unique(members.cluster_ids[by_distance], return_index=True)
    typical = dict(zip(held.tolist(), by_distance[firsts].tolist(), strict=True))
    new = typical.keys() - state.builder.required
    first = [typical[i] for i in sorted(new, key=lambda i: (-sizes[i], i))][:count]
    others = rows[~np.isin(rows, first)]
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
                files[image_id][0].is_missing,
            )
        )
    return found
