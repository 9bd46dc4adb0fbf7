"""Finds the photos of each sidecar in a plan, so that they stay together."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from organizer.arrange.names import name_key
from organizer.arrange.sidecars import split_stem
from organizer.arrange.types import ArrangePlan, StepResult


def sidecar_owners(plan: ArrangePlan) -> dict[int, list[int]]:
    """The steps of the photos to which each sidecar belongs, by the number of its step.

    Of several photos that share a sidecar, those with the same target folder count. A sidecar whose
    photos are not in the plan, because a person deleted their lines, has none.
    """
    sidecars = {number for number, step in enumerate(plan.steps) if not step.is_photo}
    folders = {plan.steps[number].source.parent for number in sidecars}
    photos: dict[tuple[Path, str], list[int]] = {}
    for number, step in enumerate(plan.steps) if sidecars else ():
        if step.is_photo and step.source.parent in folders:
            name = name_key(step.source.name)
            for base in {name, split_stem(name)[0]}:
                photos.setdefault((step.source.parent, base), []).append(number)
    found: dict[int, list[int]] = {}
    for number in sidecars:
        step = plan.steps[number]
        folder = step.source.parent
        beside = [n for base in _bases(step.source.name) for n in photos.get((folder, base), ())]
        near = [n for n in beside if plan.steps[n].target.parent == step.target.parent]
        if beside:
            found[number] = near or beside
    return found


def left_behind(
    photos: Sequence[int], result_of: Callable[[int], StepResult], good: Container[StepResult]
) -> int | None:
    """The first of a sidecar's photos, where none of them has one of the `good` results."""
    if not photos or any(result_of(photo) in good for photo in photos):
        return None
    return photos[0]


def _bases(name: str) -> Iterator[str]:
    """The possible names of a sidecar's photo, with or without its suffix."""
    base, suffix = split_stem(name_key(name))
    yield base
    inner, more = split_stem(base)
    if suffix == ".json" and more:
        yield inner
