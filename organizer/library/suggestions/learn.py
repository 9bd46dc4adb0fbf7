"""Learn the clusters of a library from the decisions about its images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.errors import SettingsError
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.constraints import decided_singly
from organizer.library.clustering.learned import ClusterHead, sampled_ids
from organizer.library.corrections.state import EditorState
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

    def predict(self, rows: Labels) -> tuple[Labels, NDArray[np.float64], NDArray[np.bool_]]:
        """The most probable cluster of each member, how probable, and whether it may take it."""
        parts = [self._predict(images) for _, images in self.blocks(rows)]
        if not parts:
            return np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
        predicted, probability, fits = zip(*parts, strict=True)
        return np.concatenate(predicted), np.concatenate(probability), np.concatenate(fits)

    def _predict(
        self, images: PreparedImages
    ) -> tuple[Labels, NDArray[np.float64], NDArray[np.bool_]]:
        likely = self.head.probabilities(images.vectors, images.points)
        best = likely.argmax(axis=1)
        predicted = self.head.head.cluster_ids[best]
        fits = self.head.fits(images.vectors, images.points, predicted)
        return predicted, likely.max(axis=1), fits & self.head.is_open[best]

    def alike(self) -> list[AlikeNames]:
        """The pairs of names that are confused often, the most often first."""
        wanted, found = self.head.decided.cluster_ids, self.head.head.held_out
        named = [i for i in self.head.head.cluster_ids.tolist() if i in self.names]
        pairs = []
        for place, first in enumerate(named):
            for second in named[place + 1 :]:
                confused = (wanted == first) & (found == second)
                confused |= (wanted == second) & (found == first)
                wrong = int(np.count_nonzero(confused))
                # Of the rarer of the two: a common one drowns what is wrong with it.
                fewest = min(np.count_nonzero(wanted == i) for i in (first, second))
                if wrong >= max(_FEWEST_WRONG, _OFTEN * fewest):
                    decided = int(np.isin(wanted, [first, second]).sum())
                    pairs.append(AlikeNames(self.names[first], self.names[second], wrong, decided))
        return sorted(pairs, key=lambda pair: -pair.wrong)


def current_names(state: EditorState) -> dict[int, str]:
    """The names of the clusters that have one and are here."""
    here = set(state.models.ids)
    return {i: name for i, name in state.builder.names.items() if i in here}


def learn_clusters(state: EditorState) -> LearnedClusters:
    """Learn from all decisions that hold.

    Raises:
        SettingsError: No cluster has a name yet, or all decided images are of one cluster.
    """
    names = current_names(state)
    if not names:
        raise SettingsError(
            "no cluster has a name yet, so there is nothing to suggest",
            "name one: organizer clusters rename ID NAME; or see what to begin with: "
            "organizer suggest --ask 20",
        )
    fixed, singly = state.builder.fixed, decided_singly(state.decisions)
    ids = sampled_ids(fixed.keys(), singly, seed=state.settings.seed)
    at = state.rows.of(ids)
    rows = at[at != NOISE]
    images = state.images(rows, kept=True)
    cluster_ids = np.array([fixed[i] for i in images.image_ids.tolist()], dtype=np.int64)
    head = ClusterHead.fit(
        images,
        cluster_ids,
        singly,
        state.models,
        state.exemplars,
        required=state.builder.required,
        points_of=state.space.points,
    )
    if head is None:
        (name,) = names.values()
        raise SettingsError(
            f"all decided images are of one cluster, {name!r}: there is nothing to tell it from",
            "name a second cluster, or make one: organizer clusters new IMAGE... --name NAME",
        )
    return LearnedClusters(state, head, names)
