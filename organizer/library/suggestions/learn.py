"""Learn the clusters of a library from the decisions about its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.questions import certainty
from organizer.errors import SettingsError
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.learned import ClusterHead, sampled_ids
from organizer.library.corrections.state import EditorState
from organizer.library.images.decided import decided_singly
from organizer.types import NOISE, Labels

_ROWS_AT_ONCE = 8_192
_OFTEN, _FEWEST_WRONG = 0.25, 3


@dataclass(frozen=True, slots=True)
class AlikeNames:
    """Two names that the vectors hardly tell apart.

    Attributes:
        first: A name.
        second: Another one.
        wrong: Decided images of either that would be given the other name, if they were not known.
        decided: Decided images of both.
    """

    first: str
    second: str
    wrong: int
    decided: int


@dataclass(frozen=True, slots=True)
class LearnedClusters:
    """A head that was learned from the decisions, and the clusters that it is about.

    Attributes:
        state: The current clusters.
        head: The head.
        names: The names of the current clusters that have one.
    """

    state: EditorState
    head: ClusterHead
    names: Mapping[int, str]

    def blocks(self, rows: Labels) -> Iterator[tuple[Labels, PreparedImages]]:
        """Some members with their vectors, some at a time."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            yield part, self.state.images(part, kept=True)

    def predict(
        self, rows: Labels, wanted: Sequence[int], *, least: float
    ) -> tuple[Labels, Labels, NDArray[np.float64]]:
        """The members that may belong to some clusters.

        Args:
            rows: The members to look at.
            wanted: The clusters.
            least: How probable a cluster has to be.

        Returns:
            Some of the rows, the most probable cluster of each, and how probable it is.
        """
        parts = [self._predict(part, images, wanted, least) for part, images in self.blocks(rows)]
        if not parts:
            return rows, np.empty(0, np.int64), np.empty(0)
        found, predicted, probability = zip(*parts, strict=True)
        return np.concatenate(found), np.concatenate(predicted), np.concatenate(probability)

    def _predict(
        self, rows: Labels, images: PreparedImages, wanted: Sequence[int], least: float
    ) -> tuple[Labels, Labels, NDArray[np.float64]]:
        likely = self.head.probabilities(images.vectors, images.points)
        best, share = likely.argmax(axis=1), likely.max(axis=1)
        predicted = self.head.head.cluster_ids[best]
        at = np.flatnonzero((share >= least) & self.head.is_open[best] & np.isin(predicted, wanted))
        at = at[self.head.fits(images.vectors[at], images.points[at], predicted[at])]
        return rows[at], predicted[at], share[at]

    def certainty(self, image_ids: Sequence[str]) -> NDArray[np.float64]:
        """``(n,)`` how certain the clusters of some members are, 0 to 1."""
        rows = self.state.rows.of(image_ids)
        parts = [
            certainty(self.head.probabilities(images.vectors, images.points))
            for _, images in self.blocks(rows)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def alike(self) -> list[AlikeNames]:
        """The pairs of names that are confused often, the most often first."""
        wanted, found = self.head.decided.cluster_ids, self.head.head.held_out
        wrong = wanted != found
        confused: Counter[tuple[int, int]] = Counter(
            (min(pair), max(pair))
            for pair in zip(wanted[wrong].tolist(), found[wrong].tolist(), strict=True)
        )
        decided = Counter(wanted.tolist())
        pairs = [
            AlikeNames(self.names[one], self.names[other], count, decided[one] + decided[other])
            for (one, other), count in sorted(confused.items())
            # Of the rarer of the two: a common one drowns what is wrong with it.
            if count >= max(_FEWEST_WRONG, _OFTEN * min(decided[one], decided[other]))
            and one in self.names
            and other in self.names
        ]
        return sorted(pairs, key=lambda pair: -pair.wrong)

    def lone(self) -> list[str]:
        """The names for which one decided image alone stands, in order."""
        decided = Counter(self.head.decided.cluster_ids.tolist())
        return sorted(name for i, name in self.names.items() if decided[i] == 1)


def current_names(state: EditorState) -> dict[int, str]:
    """The names of the clusters that have one and are here."""
    here = set(state.models.ids)
    return {i: name for i, name in state.builder.names.items() if i in here}


def learn_clusters(state: EditorState) -> LearnedClusters | None:
    """Learn from all decisions that hold.

    Returns:
        None where fewer than two clusters have decided images: there is nothing to tell apart.
    """
    fixed, singly = state.builder.fixed, decided_singly(state.decisions)
    ids = sampled_ids(fixed.keys(), singly, seed=state.settings.seed)
    at = state.rows.of(ids)
    rows = at[at != NOISE]
    if not len(rows):
        return None
    head = ClusterHead.fit(
        state.images(rows, kept=True),
        fixed,
        singly,
        state.models,
        state.exemplars,
        required=state.builder.required,
        points_of=state.space.points,
    )
    return None if head is None else LearnedClusters(state, head, current_names(state))


def require_learned(state: EditorState) -> LearnedClusters:
    """As `learn_clusters`, for who cannot go on without.

    Raises:
        SettingsError: No cluster has a name yet, or decided images are of one cluster at most.
    """
    names = current_names(state)
    if not names:
        raise SettingsError(
            "no cluster has a name yet, so there is nothing to suggest",
            "name one: organizer clusters rename ID NAME; or see what to begin with: "
            "organizer suggest --ask 20",
        )
    learned = learn_clusters(state)
    if learned is None:
        called = f", {next(iter(names.values()))!r}" if len(names) == 1 else ""
        raise SettingsError(
            f"all decided images are of one cluster{called}: there is nothing to tell it from",
            "name a second cluster, or make one: organizer clusters new IMAGE... --name NAME",
        )
    return learned
