"""Checks before a plan is applied: a writable folder, one disk for links, enough space."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from organizer.arrange.disk import Disk
from organizer.arrange.types import ArrangeMode, ArrangePlan, ArrangeStep, StepAction
from organizer.errors import SettingsError


def require_possible(plan: ArrangePlan, steps: Sequence[ArrangeStep], disk: Disk) -> None:
    """Refuse a plan that cannot be applied, before anything is done.

    Args:
        plan: The plan.
        steps: Those of its steps that are not done.
        disk: Asked for the free space.

    Raises:
        SettingsError: The folder cannot be written, a link in it leads out of it, hard links would
            lead to another disk, or there is not enough space.
    """
    folder = existing_folder(plan.to)
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder", "choose another --to")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"nothing can be written in {folder}", "choose another --to")
    _require_no_way_out(plan.to, steps)
    steps = [step for step in steps if step.action is StepAction.PLACE]
    elsewhere = on_other_disks(steps, folder)
    if plan.mode is ArrangeMode.LINK and elsewhere:
        raise SettingsError(
            f"{plan.to} is on another disk than {elsewhere[0].source.parent}: hard links cannot "
            "lead to another disk",
            "--mode copy or --mode symlink",
        )
    if plan.mode in {ArrangeMode.COPY, ArrangeMode.MOVE}:
        needed = sum(step.size for step in (steps if plan.mode is ArrangeMode.COPY else elsewhere))
        free = disk.free(str(folder))
        if needed > free:
            raise SettingsError(
                f"{plan.to} has {free:,} bytes of free space, and {needed:,} are needed",
                "free some space, or choose another --to" + " or --mode link" * (not elsewhere),
            )


def _require_no_way_out(to: Path, steps: Sequence[ArrangeStep]) -> None:
    """Refuse folders of targets that are links to somewhere else."""
    parents = {step.target.parent for step in steps}
    below = {f for p in parents for f in (p, *p.parents) if f != to and f.is_relative_to(to)}
    inside = Path(os.path.realpath(to))
    for folder in sorted(below):
        real = Path(os.path.realpath(folder))
        if folder.is_symlink() and not real.is_relative_to(inside):
            raise SettingsError(
                f"{folder} is a link to {real}: what is arranged stays inside {to}",
                "remove the link, or choose another --to",
            )


def existing_folder(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def on_other_disks(steps: Sequence[ArrangeStep], folder: Path) -> list[ArrangeStep]:
    """The steps whose source is on another disk, without those whose folder is gone."""
    device = folder.stat().st_dev
    devices: dict[str, int | None] = {}
    found = []
    for step in steps:
        parent = os.path.dirname(step.source)  # noqa: PTH120 - a hundred thousand times
        if parent not in devices:
            devices[parent] = _device(parent)
        if devices[parent] not in {None, device}:
            found.append(step)
    return found


def _device(folder: str) -> int | None:
    try:
        return os.stat(folder).st_dev  # noqa: PTH116
    except OSError:
        return None
