"""Words for what was understood, in an order in which each can be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from organizer.library.arrangement.understood import Understood, cluster_name
from organizer.library.deciding import DecisionReport, Desk


@dataclass(frozen=True, slots=True)
class Word:
    """A word to be said.

    Attributes:
        say: Says it at a desk.
        makes: The folder for which it makes a cluster, if it does.
        guests: What it speaks of that may be no member of the clustering yet.
    """

    say: Callable[[Desk], DecisionReport]
    makes: str = ""
    guests: Sequence[str] = ()


def words(desk: Desk, found: Understood) -> Iterator[Word]:
    """What is to be said: what frees a name comes before what takes it."""
    for source, into, _ in found.merged:
        yield Word(lambda desk, ids=(into, source): desk.merge(ids))  # type: ignore[misc]
    for cluster_id in _emptied(desk, found):
        yield Word(lambda desk, i=cluster_id: desk.retire(i))  # type: ignore[misc]
    for cluster_id, name in _in_order(found.renamed, desk.constraints.names):
        yield Word(lambda desk, i=cluster_id, n=name: desk.rename(i, n))  # type: ignore[misc]
    last = _last_to_leave(found)
    for is_last in (False, True):
        moved: dict[int, list[str]] = defaultdict(list)
        for (_, to), image_ids in found.moved.items():
            moved[to] += [i for i in image_ids if (i in last) is is_last]
        for to, ids in moved.items():
            if ids:
                yield Word(
                    lambda desk, i=to, images=ids: desk.move(images, i),  # type: ignore[misc]
                    guests=_guests(found, ids),
                )
    for folder, image_ids in found.born.items():
        name = cluster_name(folder)
        yield Word(
            lambda desk, images=image_ids, n=name: desk.gather(images, n),  # type: ignore[misc]
            makes=folder,
            guests=_guests(found, image_ids),
        )
    for cluster_id, image_ids in found.left.items():
        yield Word(lambda desk, i=cluster_id, images=image_ids: desk.deny(images, i))  # type: ignore[misc]


def _guests(found: Understood, members: Sequence[str]) -> list[str]:
    return [member for member in members if member in found.uncropped]


def _last_to_leave(found: Understood) -> set[str]:
    """An image of each cluster that loses all it had and gets others: it is never empty."""
    leaving = {i for ids in found.moved.values() for i in ids}
    reached = {to for _, to in found.moved}
    return {
        min(found.members[i]) for i in reached if found.members[i] and found.members[i] <= leaving
    }


def _emptied(desk: Desk, found: Understood) -> list[int]:
    """Clusters that a person named or pinned and that are empty afterwards: they are no more.

    Otherwise their names would be taken for ever by clusters that nobody sees.
    """
    merged = {source for source, _, _ in found.merged}
    leaving = {i for ids in (*found.moved.values(), *found.born.values()) for i in ids}
    reached = {to for _, to in found.moved} | {into for _, into, _ in found.merged}
    candidates = set(desk.constraints.required) & set(desk.models.ids)
    candidates -= merged | reached | found.renamed.keys() | found.left.keys()
    emptied = [c for c in sorted(candidates) if found.members[c] and found.members[c] <= leaving]
    return emptied if len(emptied) < len(desk.models.ids) else emptied[1:]


def _in_order(renamed: Mapping[int, str], names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """New names, each once it is free; of those that wait for each other one gives way first."""
    left, called = dict(renamed), dict(names)
    while left:
        taken = {name for i, name in called.items() if i in left}
        free = [i for i, name in left.items() if name not in taken - {called.get(i)}]
        if not free:
            waiting = min(left)
            called[waiting] = f"{left[waiting]} (cluster {waiting})"
            yield waiting, called[waiting]
            continue
        for cluster_id in free:
            called[cluster_id] = left.pop(cluster_id)
            yield cluster_id, called[cluster_id]
