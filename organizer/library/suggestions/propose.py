"""Suggest names for images that are unassigned or in a cluster without a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from organizer.library.cluster_names import as_cluster_id, cluster_called
from organizer.library.corrections.state import EditorState
from organizer.library.suggestions.learn import AlikeNames, LearnedClusters
from organizer.store import FileRow
from organizer.types import NOISE, Box, FileState, Labels


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A named cluster that an image may belong to.

    Attributes:
        image_id: The image.
        path: A file of it.
        cluster_id: The named cluster.
        name: Its name.
        confidence: How probable it is, 0 to 1.
        current: The cluster that the image is in, which has no name; None for an unassigned image.
        box: The box in the photo, for a crop.
        missing: Whether no file of it was there when last looked for.
    """

    image_id: str
    path: Path
    cluster_id: int
    name: str
    confidence: float
    current: int | None
    box: Box | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class SuggestionReport:
    """Suggestions, and how far they can be trusted.

    Attributes:
        suggestions: By name, the most probable first.
        held_out: Images that a person decided by themselves.
        right: Those of them of which the others alone would have told the cluster.
        alike: Pairs of names that are hard to tell apart, the worst first.
        lone: Names for which one decided image alone stands.
    """

    suggestions: list[Suggestion]
    held_out: int
    right: int
    alike: list[AlikeNames]
    lone: list[str]


def report_suggestions(
    learned: LearnedClusters, *, name: str | None, least: float
) -> SuggestionReport:
    """See `Suggestions.propose`."""
    decided, found = learned.head.decided, learned.head.head.held_out
    right = found[decided.is_single] == decided.cluster_ids[decided.is_single]
    return SuggestionReport(
        _find(learned, name=name, least=least),
        len(right),
        int(np.count_nonzero(right)),
        learned.alike(),
        learned.lone(),
    )


def _find(learned: LearnedClusters, *, name: str | None, least: float) -> list[Suggestion]:
    state, names = learned.state, learned.names
    wanted = [cluster_id_of(name, names)] if name is not None else list(names)
    rows, predicted, probability = learned.predict(_open_rows(state), wanted, least=least)
    members, ids = state.members, state.members.image_ids[rows].tolist()
    files = state.store.photos.files_of(ids)
    found = []
    for place, image_id in enumerate(ids):
        target = int(predicted[place])
        if not _is_shown(files.get(image_id, ())) or _is_banned(state, image_id, target):
            continue
        current = int(members.cluster_ids[rows[place]])
        found.append(
            Suggestion(
                image_id,
                files[image_id][0].file,
                target,
                names[target],
                float(probability[place]),
                None if current == NOISE else current,
                files[image_id][0].box,
                files[image_id][0].is_missing,
            )
        )
    return sorted(found, key=lambda s: (s.name, -s.confidence, str(s.path), s.image_id))


def cluster_id_of(name: str, names: Mapping[int, str]) -> int:
    """A cluster with a name, by that in any case or by its id.

    Raises:
        SettingsError: No cluster has it, or several do.
    """
    cluster_id = as_cluster_id(name)
    if cluster_id is not None and cluster_id in names:
        return cluster_id
    return cluster_called(name, names)


def _open_rows(state: EditorState) -> Labels:
    """The members that are unassigned, or in a cluster that nobody decided about."""
    decided = sorted(state.builder.required)
    return np.flatnonzero(~np.isin(state.members.cluster_ids, decided)).astype(np.int64)


def _is_shown(files: Sequence[FileRow]) -> bool:
    """Whether a file is here: those that are come first, and photos of people have none."""
    return bool(files) and files[0].state is FileState.PRESENT


def _is_banned(state: EditorState, image_id: str, cluster_id: int) -> bool:
    return cluster_id in state.builder.banned.get(image_id, ())
