"""Deployments in parts: photos of one folder from several periods, each with a clock of its own.

A part begins at a time that the camera's clock showed, and ends where the next one begins. The
first part keeps the id of the deployment, the others have a number behind it: ``ridge/cam1 (2)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from organizer.errors import SettingsError
from organizer.library.images.placement import PARTS_CHOICE, read_placement
from organizer.store import Store
from organizer.types import Deployment


def split_deployment(
    store: Store, deployment_id: str, *, gap: int | None, at: str | None
) -> tuple[str, ...]:
    """Split a deployment where its camera took no photo for long, or at a time.

    Every part has what is known of the whole; only the first has its start, and only the last its
    end.

    Args:
        store: The library, held for writing.
        deployment_id: The deployment, or a part of one.
        gap: Seconds without a photo, at the least, between two parts; None to split at a time.
        at: A time of the camera's own clock, ISO 8601; None to split at gaps.

    Returns:
        The ids of its parts, in order of time.

    Raises:
        SettingsError: There is no such gap, or no photo before or from that time on.
    """
    placement = read_placement(store)
    clocks = store.photos.columns("image_id", "taken_at")
    times = sorted(
        time
        for image_id, time in zip(clocks["image_id"], clocks["taken_at"], strict=True)
        if time is not None and placement.deployment_of.get(image_id) == deployment_id
    )
    firsts = _firsts_at(times, at) if at is not None else _firsts_after_gaps(times, gap or 0)
    if not firsts:
        span = f"{times[0]} to {times[-1]}" if times else "none"
        raise SettingsError(
            f"{deployment_id} has no such place to split it; times of its camera: {span}",
            "a shorter --gap, or --at a time of the camera's clock between two photos",
        )
    parts: dict[str, list[list[str]]] = store.choices.get(PARTS_CHOICE) or {}
    whole = next((w for w, held in parts.items() if deployment_id in dict(held)), deployment_id)
    held = parts.get(whole, [])
    known = {found.deployment_id: found for found in store.deployments.all()}
    one = known.get(deployment_id, placement.deployments[deployment_id])
    ids = [deployment_id]
    for first in firsts:
        ids.append(_free_id(whole, known | dict.fromkeys([*placement.deployments, *ids])))
        held = [*held, [ids[-1], first]]
    made = [replace(one, deployment_id=part, start=None, end=None) for part in ids]
    made[0], made[-1] = replace(made[0], start=one.start), replace(made[-1], end=one.end)
    known |= {part.deployment_id: part for part in made}
    with store.transaction():
        store.deployments.write(known.values())
        parts[whole] = sorted(held, key=lambda part: part[1])
        store.choices.set(PARTS_CHOICE, parts)
    return tuple(ids)


def remove_deployments(store: Store, deployment_ids: Sequence[str]) -> None:
    """Forget what was described of deployments; the photos of a part go back to the one before.

    Args:
        store: The library, held for writing.
        deployment_ids: The deployments.

    Raises:
        SettingsError: One was not described, or is split and its parts are not removed with it.
    """
    known = {found.deployment_id: found for found in store.deployments.all()}
    parts: dict[str, list[list[str]]] = store.choices.get(PARTS_CHOICE) or {}
    named = set(deployment_ids)
    for name in deployment_ids:
        _require_removable(name, named, known, parts)
    left = {whole: [part for part in held if part[0] not in named] for whole, held in parts.items()}
    with store.transaction():
        store.deployments.write(d for name, d in known.items() if name not in named)
        store.choices.set(PARTS_CHOICE, {whole: held for whole, held in left.items() if held})


def _require_removable(
    name: str,
    named: set[str],
    known: dict[str, Deployment],
    parts: dict[str, list[list[str]]],
) -> None:
    if name not in known:
        raise SettingsError(
            f"no deployment {name!r} was described",
            "organizer deployments lists them; those that folders name go with: organizer "
            "deployments template --forget",
        )
    others = [part for part, _ in parts.get(name, []) if part not in named]
    if others:
        raise SettingsError(
            f"{name} is split: {', '.join(others)}", "remove its parts first, or with it"
        )


def _firsts_at(times: Sequence[str], at: str) -> list[str]:
    return [at] if times and times[0] < at <= times[-1] else []


def _firsts_after_gaps(times: Sequence[str], gap: int) -> list[str]:
    """The first time after each gap."""
    moments = [datetime.fromisoformat(time) for time in times]
    pairs = zip(moments, moments[1:], times[1:], strict=False)
    return [text for before, after, text in pairs if after - before >= timedelta(seconds=gap)]


def _free_id(whole: str, taken: Iterable[str]) -> str:
    used = set(taken)
    number = 2
    while f"{whole} ({number})" in used:
        number += 1
    return f"{whole} ({number})"
