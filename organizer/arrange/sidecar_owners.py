"""Finds the photos of each sidecar in a plan, so that they stay together."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from organizer.arrange.types import ArrangePlan, StepResult
from organizer.companions import find_companions, title_in


def sidecar_owners(plan: ArrangePlan) -> dict[int, list[int]]:
    """The steps of the photos to which each sidecar belongs, by the number of its step.

    Of several photos that share a sidecar, those with the same target folder count. A sidecar whose
    photos are not in the plan, because a person deleted their lines, has none.
    """
    folders: dict[Path, dict[str, list[int]]] = {
        step.source.parent: {} for step in plan.steps if not step.is_photo
    }
    for number, step in enumerate(plan.steps) if folders else ():
        if step.source.parent in folders:
            folders[step.source.parent].setdefault(step.source.name, []).append(number)
    found: dict[int, list[int]] = {}
    for inside in folders.values():
        found |= _owners_in(inside, plan)
    return found


def _owners_in(inside: Mapping[str, Sequence[int]], plan: ArrangePlan) -> dict[int, list[int]]:
    """The owners of the sidecars from one folder, whose steps are given by name."""
    photos = {name for name, numbers in inside.items() if plan.steps[numbers[0]].is_photo}
    companions = find_companions(
        inside, photos=photos, title_of=lambda name: _title(inside[name], plan)
    )
    found: dict[int, list[int]] = {}
    for name in inside.keys() - photos:
        owners = companions[name].photos if name in companions else ()
        beside = [number for owner in owners for number in inside[owner]]
        for number in inside[name]:
            target = plan.steps[number].target.parent
            near = [owner for owner in beside if plan.steps[owner].target.parent == target]
            if beside:
                found[number] = near or beside
    return found


def _title(numbers: Sequence[int], plan: ArrangePlan) -> str | None:
    """The title in a sidecar, wherever it is by now."""
    step = plan.steps[numbers[0]]
    return title_in(str(step.source)) or title_in(str(step.target))


def left_behind(
    photos: Sequence[int], result_of: Callable[[int], StepResult], good: Container[StepResult]
) -> int | None:
    """The first of a sidecar's photos, where none of them has one of the `good` results."""
    if not photos or any(result_of(photo) in good for photo in photos):
        return None
    return photos[0]
