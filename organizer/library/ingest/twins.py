"""Images of an older library that are one picture become one image.

Until format 6 an image was the content of a file, so a photo was another image once a keyword had
been written into it. Two of them are found to be one picture

- by the hash of their pictures, where files of both are there;
- where the file of one is gone, as the other was written in its place: by all that is left to
  compare. They have the path in common, the size, the time and camera as far as both are known, and
  the vector, which is that of the pixels and never equal for two photos.

What was decided of either is decided of the one: of two decisions the later holds, and the image
that has the cluster of that one stays. Of two that nothing was decided of the older stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from organizer.cluster.decisions import compile_constraints
from organizer.library.clustering.preprocessing import uses_capture_info
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.report import IngestReport
from organizer.store import Store
from organizer.types import Decision, Outcome, PartSpec, Vectors

_ROUNDED_OTHERWISE = 0.02
"""The share of numbers that may differ, by the last bit of half precision, in two vectors of the
same pixels: sums of another order, in batches of another size, are rounded otherwise now and then.
Vectors of two photos differ in most."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An image in whose place there is another one, which may be the same picture.

    Attributes:
        former: The image that was there.
        now: The one that is there.
        file: The file.
        was_there: Whether the former one was there before this ingest.
        was_added: Whether the one that is there came in this ingest.
    """

    former: str
    now: str
    file: Path
    was_there: bool
    was_added: bool


def merge_twins(
    store: Store,
    spec: PartSpec,
    twins: Iterable[tuple[str, str]],
    suspects: Sequence[Suspect],
    report: IngestReport,
    *,
    seed: int,
) -> set[str]:
    """Make one image of each two that are one picture; returns those that stay.

    Args:
        store: The library, held for writing.
        spec: The embedder whose vectors are compared.
        twins: Pairs that have one picture by its hash.
        suspects: Pairs that may have.
        report: Counts them.
        seed: Random seed.
    """
    alike = _alike(store, spec, suspects)
    groups = _joined([*twins, *((one.former, one.now) for one in alike)])
    if not groups:
        return set()
    kept_by: dict[str, str] = {}
    for group in groups:
        kept = _kept(store, group)
        kept_by |= {image_id: kept for image_id in group if image_id != kept}
    with store.transaction():
        _leave_sums(store, list(kept_by), seed=seed)
        store.merged_images.merge(kept_by)
    report.merged += len(kept_by)
    for one in alike:
        if one.was_there and one.was_added:  # it was edited, and is no new photo
            report.recount(one.file, Outcome.ADDED, Outcome.NEW_METADATA)
            report.replaced -= 1
    return set(kept_by.values())


def _alike(store: Store, spec: PartSpec, suspects: Sequence[Suspect]) -> list[Suspect]:
    """The suspects that are one picture as far as can be told."""
    ids = {image_id for one in suspects for image_id in (one.former, one.now)}
    if not ids or not store.vectors.count(spec):
        return []
    facts, vectors = store.photos.facts_of(ids), store.vectors.read_some(spec, sorted(ids))
    found: dict[str, Suspect] = {}
    for one in suspects:
        if not {one.former, one.now} <= facts.keys() & vectors.keys():
            continue
        before, after = facts[one.former], facts[one.now]
        if (before.width, before.height) != (after.width, after.height):
            continue
        said = ((before.taken_at, after.taken_at), (before.camera, after.camera))
        if any(None not in pair and pair[0] != pair[1] for pair in said):
            continue
        if _are_of_one_picture(vectors[one.former], vectors[one.now]):
            found.setdefault(one.former, one)
    return list(found.values())


def _are_of_one_picture(first: Vectors, second: Vectors) -> bool:
    bits = [vector.astype(np.float16).view(np.int16).astype(np.int32) for vector in (first, second)]
    apart = np.abs(bits[0] - bits[1])
    return bool(first.any() and apart.max() <= 1 and (apart > 0).mean() <= _ROUNDED_OTHERWISE)


def _joined(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Groups of images that are one, of pairs that are."""
    group_of: dict[str, list[str]] = {}
    for first, second in pairs:
        mine, other = group_of.get(first, [first]), group_of.get(second, [second])
        if mine is not other:
            joined = list(dict.fromkeys([*mine, *other]))
            group_of |= dict.fromkeys(joined, joined)
    return list({id(group): group for group in group_of.values() if len(group) > 1}.values())


def _kept(store: Store, group: Sequence[str]) -> str:
    """The image that stays: in the cluster of the decision that holds, or else the older one."""
    order = store.photos.in_order_of_arrival(group)
    one = order[0]
    joined = [_renamed(decision, set(group), one) for decision in store.decisions.current()]
    constraints = compile_constraints(joined)
    current = store.clusterings.current()
    if current is None:
        return one
    cluster_of = store.clusterings.clusters_of(current.clustering_id, order)
    wanted, banned = constraints.fixed.get(one), constraints.banned.get(one, frozenset())
    fitting = [
        image_id
        for image_id in order
        if (cluster_of.get(image_id) == wanted if wanted is not None else True)
        and cluster_of.get(image_id) not in banned
    ]
    return (fitting or order)[0]


def _renamed(decision: Decision, group: set[str], one: str) -> Decision:
    if group.isdisjoint(decision.image_ids):
        return decision
    ids = tuple(one if image_id in group else image_id for image_id in decision.image_ids)
    return replace(decision, image_ids=ids)


def _leave_sums(store: Store, image_ids: Sequence[str], *, seed: int) -> None:
    """Take images that go out of the sums of the current clusters."""
    current = store.clusterings.current()
    if current is not None and not uses_capture_info(current):
        Assigner.open(store, current, seed=seed).remove(image_ids)
