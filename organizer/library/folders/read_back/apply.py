"""The inferred decisions in an order in which each can be applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from organizer.library.corrections.editor import Editor
from organizer.library.corrections.state import EditorState
from organizer.library.folders.read_back.inferred import InferredDecisions
from organizer.library.folders.read_back.names import name_of_folder
from organizer.spelling import name_key
from organizer.types import Decision


@dataclass(frozen=True, slots=True)
class PendingDecision:
    """A decision that is to be applied.

    Attributes:
        apply: Applies it with an editor.
        makes: The folder that it makes a cluster of; "" where it makes none.
        added: Images of it that may be no members of the clustering yet.
    """

    apply: Callable[[Editor], Decision]
    makes: str = ""
    added: Sequence[str] = ()


def ordered_decisions(state: EditorState, found: InferredDecisions) -> Iterator[PendingDecision]:
    """The decisions to apply: those that free a name come before those that give it."""
    for source, into, _ in found.merged:
        yield PendingDecision(partial(Editor.merge, cluster_ids=(into, source)))
    for cluster_id in _emptied(state, found):
        yield PendingDecision(partial(Editor.retire, cluster_id=cluster_id))
    for cluster_id, name in _in_order(found.renamed, state.constraints.names):
        yield PendingDecision(partial(Editor.rename, cluster_id=cluster_id, name=name))
    last = _last_to_leave(found)
    for is_last in (False, True):
        moved: dict[int, list[str]] = defaultdict(list)
        for (_, to), image_ids in found.moved.items():
            moved[to] += [i for i in image_ids if (i in last) is is_last]
        for to, ids in moved.items():
            if ids:
                yield PendingDecision(
                    partial(Editor.move, image_ids=ids, cluster_id=to, restore=True),
                    added=_uncropped(found, ids),
                )
    for folder, image_ids in found.new_clusters.items():
        name = name_of_folder(folder)
        yield PendingDecision(
            partial(Editor.new_cluster, image_ids=image_ids, name=name),
            makes=folder,
            added=_uncropped(found, image_ids),
        )
    for cluster_id, image_ids in found.left.items():
        yield PendingDecision(partial(Editor.exclude, image_ids=image_ids, cluster_id=cluster_id))


def _uncropped(found: InferredDecisions, members: Sequence[str]) -> list[str]:
    return [member for member in members if member in found.uncropped]


def _last_to_leave(found: InferredDecisions) -> set[str]:
    """An image of each cluster that loses all its images and gets others: it is never empty."""
    leaving = {i for ids in found.moved.values() for i in ids}
    reached = {to for _, to in found.moved}
    return {
        min(found.members[i]) for i in reached if found.members[i] and found.members[i] <= leaving
    }


def _emptied(state: EditorState, found: InferredDecisions) -> list[int]:
    """Named or pinned clusters that are empty afterwards: they are retired.

    Otherwise their names would be taken for good by clusters that nobody sees.
    """
    merged = {source for source, _, _ in found.merged}
    leaving = {i for ids in (*found.moved.values(), *found.new_clusters.values()) for i in ids}
    reached = {to for _, to in found.moved} | {into for _, into, _ in found.merged}
    candidates = set(state.constraints.required) & set(state.models.ids)
    candidates -= merged | reached | found.renamed.keys() | found.left.keys()
    emptied = [c for c in sorted(candidates) if found.members[c] and found.members[c] <= leaving]
    return emptied if len(emptied) < len(state.models.ids) else emptied[1:]


def _in_order(renamed: Mapping[int, str], names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """New names, each once it is free; one of several that wait for each other gives way first."""
    left, called = dict(renamed), dict(names)
    while left:
        keys = {i: name_key(name) for i, name in called.items() if i in left}
        taken = set(keys.values())
        free = [i for i, name in left.items() if name_key(name) not in taken - {keys.get(i)}]
        if not free:
            waiting = min(left)
            called[waiting] = f"{left[waiting]} (cluster {waiting})"
            yield waiting, called[waiting]
            continue
        for cluster_id in free:
            called[cluster_id] = left.pop(cluster_id)
            yield cluster_id, called[cluster_id]
