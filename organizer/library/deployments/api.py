"""What a person tells of the field, each a method of `Library`: deployments and their clocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from organizer.deployments import DeploymentTemplate, format_shift
from organizer.errors import SettingsError
from organizer.library.deployments import csv_file
from organizer.library.deployments.summary import (
    DeploymentsSummary,
    DeploymentSummary,
    current_summary,
    require_deployment,
    require_fit,
    summarise,
)
from organizer.library.images.placement import (
    TEMPLATE_CHOICE,
    placement_by_template,
    read_placement,
)
from organizer.library.opening import OpenLibrary
from organizer.types import Deployment

_LONGEST_SHIFT = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class DeploymentTableReport:
    """What a table of deployments changed.

    Attributes:
        new: The ids that nobody told of before.
        changed: Those of which it says something new.
        same: How many were as they are.
        without_images: Those of the table of which there is no photo.
        not_in_table: The deployments of photos that the table does not have.
        unused: The columns that were left alone.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    without_images: tuple[str, ...]
    not_in_table: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A clock that was put right.

    Attributes:
        before: The deployment and its photos as they were.
        after: As they are now.
    """

    before: DeploymentSummary
    after: DeploymentSummary


class Deployments:
    """Where cameras stood, and for how long. Kept whatever is ingested, moved or clustered."""

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def summary(self) -> DeploymentsSummary:
        """The deployments with their photos, and what is of none."""
        return current_summary(self._store)

    def set_template(self, text: str | None) -> DeploymentsSummary:
        """Say how folders tell a deployment; see `organizer.deployments`. None forgets it.

        Raises:
            SettingsError: It is no template, or no photo of the library lies so.
        """
        template = DeploymentTemplate.parse(text) if text is not None else None
        with self._opened.writing():
            if template is not None:
                require_fit(self._store, template)
            summary = summarise(self._store, placement_by_template(self._store, template), template)
            self._store.choices.set(TEMPLATE_CHOICE, template.text if template else None)
            self._opened.tidy()
        return summary

    def read_csv(self, file: Path) -> DeploymentTableReport:
        """Take in a table of deployments; see `organizer.library.deployments.csv_file`.

        What was told before of a deployment that the table does not have, is kept.

        Raises:
            SettingsError: The table cannot be read or has mistakes; nothing is taken from it.
        """
        with self._opened.writing():
            told = {known.deployment_id: known for known in self._store.deployments.all()}
            table = csv_file.read_deployments(file, told)
            now = told | {line.deployment_id: line for line in table.deployments}
            self._store.deployments.write(now.values())
            where = read_placement(self._store)
            self._opened.tidy()
        named = [line.deployment_id for line in table.deployments]
        here = set(where.deployment_of.values())
        return DeploymentTableReport(
            new=tuple(name for name in named if name not in told),
            changed=tuple(n for n in named if n in told and now[n] != told[n]),
            same=sum(n in told and now[n] == told[n] for n in named),
            without_images=tuple(name for name in named if name not in here),
            not_in_table=tuple(sorted(here - set(named))),
            unused=table.unused,
        )

    def write_csv(self, to: Path, *, force: bool = False) -> int:
        """Write a table of the deployments to be filled in; the number of its lines.

        Where a camera stood is never guessed: what nobody told is empty.

        Raises:
            SettingsError: There is no deployment, or the file cannot be written or replaced.
        """
        found = self.summary().deployments
        if not found:
            raise SettingsError(
                "no folder tells a deployment yet",
                "organizer deployments template '{site}/{camera}/...'",
            )
        rows = ((s.deployment, s.images, s.first, s.last) for s in found)
        csv_file.write_deployments(self._store, to, rows, force=force)
        return len(found)

    def shift(self, deployment_id: str, seconds: int, *, reset: bool = False) -> ShiftReport:
        """Put the clock of a deployment right, by so many seconds more than it is shifted already.

        The files and what they tell stay as they are; bursts, events and every time that is shown
        for the deployment's photos follow.

        Args:
            deployment_id: The deployment.
            seconds: What is added to every time that its camera wrote.
            reset: Begin from what the camera wrote.

        Raises:
            SettingsError: There is no such deployment, or it is more than a hundred years.
        """
        with self._opened.writing():
            before = require_deployment(current_summary(self._store), deployment_id)
            total = seconds + (0 if reset else before.deployment.shift)
            if abs(total) > _LONGEST_SHIFT:
                raise SettingsError(
                    f"{deployment_id} would be shifted by {format_shift(total)}: more than a "
                    "hundred years",
                    "--reset begins from what the camera wrote",
                )
            told = {known.deployment_id: known for known in self._store.deployments.all()}
            known = told.get(deployment_id, Deployment(deployment_id))
            told[deployment_id] = replace(known, shift=total)
            self._store.deployments.write(told.values())
            after = require_deployment(current_summary(self._store), deployment_id)
            self._opened.tidy()
        return ShiftReport(before, after)
