"""Deployments: described by a table or by the folders' names, and their clocks corrected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arguments import (
    require_flag,
    require_integer,
    require_path,
    require_text,
    require_texts,
)
from organizer.deployments import DeploymentTemplate, format_shift
from organizer.errors import SettingsError
from organizer.library.csv_tables import LeftOutLine
from organizer.library.deployments import csv_file
from organizer.library.deployments.likely_template import likely_template
from organizer.library.deployments.parts import remove_deployments, split_deployment
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
from organizer.library.noted_acts import NotedAct, note_act
from organizer.library.opening import OpenLibrary
from organizer.typed import as_typed
from organizer.types import Deployment

_LONGEST_SHIFT = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class DeploymentTableReport:
    """What reading a table of deployments changed.

    Attributes:
        new: The ids of deployments that were not described before.
        changed: Those that the table describes otherwise than before.
        same: Number of those that it describes as before.
        without_images: Those of the table that have no photos.
        not_in_table: The deployments of photos that are not in the table.
        unused: The columns that were not read.
        left_out: The lines that were left out, with the reason.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    without_images: tuple[str, ...]
    not_in_table: tuple[str, ...]
    unused: tuple[str, ...]
    left_out: tuple[LeftOutLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A corrected clock.

    Attributes:
        before: The deployment and its photos before the correction.
        after: The same after it.
    """

    before: DeploymentSummary
    after: DeploymentSummary


@dataclass(frozen=True, slots=True)
class SplitReport:
    """A deployment that was split.

    Attributes:
        parts: Its parts with their photos, in order of the camera's own times.
    """

    parts: tuple[DeploymentSummary, ...]


class Deployments:
    """Where cameras stood, and for how long. Kept whatever is ingested, moved or clustered.

    Examples:
        >>> library.deployments.set_template("{site}/{camera}/...")  # doctest: +SKIP
        >>> library.deployments.shift("ridge/cam1", 3600)  # doctest: +SKIP
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def summary(self) -> DeploymentsSummary:
        """The deployments with their photos, and the photos of none."""
        return current_summary(self._store)

    def likely_template(self) -> str:
        """The template that fits the folders of most photos, for `set_template`."""
        return likely_template(self._store)

    def set_template(self, text: str | None) -> DeploymentsSummary:
        """Choose how folders name deployments; see `organizer.deployments`. None forgets it.

        Raises:
            SettingsError: It is no template, or no photo of the library is in such folders.
        """
        template = None
        if text is not None:
            template = DeploymentTemplate.parse(require_text("text", text, or_empty=True))
        with self._changing():
            if template is not None:
                require_fit(self._store, template)
            summary = summarise(self._store, placement_by_template(self._store, template), template)
            self._store.choices.set(TEMPLATE_CHOICE, template.text if template else None)
        return summary

    def read_csv(self, file: str | Path) -> DeploymentTableReport:
        """Read a table of deployments; see `organizer.library.deployments.csv_file`.

        Deployments that are not in the table stay as they are.

        Raises:
            SettingsError: The table cannot be read, or every line of it has a mistake.
        """
        file = require_path("file", file)
        with self._changing():
            previous = {known.deployment_id: known for known in self._store.deployments.all()}
            table = csv_file.read_deployments(file, previous)
            current = previous | {line.deployment_id: line for line in table.deployments}
            self._store.deployments.write(current.values())
            placement = read_placement(self._store)
        named = [line.deployment_id for line in table.deployments]
        with_images = set(placement.deployment_of.values())
        return DeploymentTableReport(
            new=tuple(name for name in named if name not in previous),
            changed=tuple(n for n in named if n in previous and current[n] != previous[n]),
            same=sum(n in previous and current[n] == previous[n] for n in named),
            without_images=tuple(name for name in named if name not in with_images),
            not_in_table=tuple(sorted(with_images - set(named))),
            unused=table.unused,
            left_out=table.left_out,
        )

    def write_csv(self, to: str | Path, *, force: bool = False) -> int:
        """Write a table of the deployments to be filled in.

        Where a camera stood is never guessed: what is not known is empty.

        Args:
            to: The CSV file.
            force: Whether a file that is there may be replaced.

        Returns:
            The number of its lines.

        Raises:
            SettingsError: There is no deployment, or the file cannot be written or replaced.
        """
        place = require_path("to", to)
        require_flag("force", force)
        found = self.summary().deployments
        if not found:
            raise SettingsError(
                "there are no deployments yet",
                f"organizer deployments template {as_typed(self.likely_template())}",
            )
        rows = ((s.deployment, s.images, s.first, s.last) for s in found)
        csv_file.write_deployments(self._store, place, rows, force=force)
        return len(found)

    def split(
        self, deployment_id: str, *, gap: int | None = None, at: str | None = None
    ) -> SplitReport:
        """Split a deployment in parts, each with a period and a clock of its own.

        For a camera that came back to the same place, a clock that was set in between, or one that
        began anew after its batteries were changed. The first part keeps the id, the others have a
        number behind it; each has what is known of the whole. Photos without a time stay with the
        first. `remove` takes a part back.

        Args:
            deployment_id: The deployment, or a part of one.
            gap: Split wherever there was no photo for so many seconds, at the least.
            at: Split at this time of the camera's own clock, ISO 8601: the first of the new part.

        Raises:
            SettingsError: There is no such deployment, no such gap, or no photo before or after
                the time; or not exactly one of `gap` and `at` is given.
        """
        require_text("deployment_id", deployment_id, or_empty=True)
        if (gap is None) == (at is None):
            raise SettingsError("give a gap or a time to split at", "--gap 5d, or --at 2024-05-01")
        if gap is not None:
            gap = require_integer("gap", gap, least=1, most=_LONGEST_SHIFT)
        if at is not None:
            at = csv_file.read_start(require_text("at", at))
        with self._changing():
            require_deployment(current_summary(self._store), deployment_id)
            ids = split_deployment(self._store, deployment_id, gap=gap, at=at)
            summary = current_summary(self._store)
        return SplitReport(tuple(require_deployment(summary, part) for part in ids))

    def remove(self, deployment_ids: Sequence[str]) -> DeploymentsSummary:
        """Forget what was described of deployments: place, period, shift.

        Their photos are of the deployment that their folders name, or of none; those of a part
        (`split`) are of the part before it. No photo is changed.

        Args:
            deployment_ids: The deployments.

        Raises:
            SettingsError: One was not described, or is split and its parts are not removed with
                it. Nothing is removed.
        """
        named = require_texts("deployment_ids", deployment_ids, least=1)
        with self._changing():
            remove_deployments(self._store, named)
            return current_summary(self._store)

    def shift(self, deployment_id: str, seconds: int, *, reset: bool = False) -> ShiftReport:
        """Correct the clock of a deployment, by so many seconds more than it is shifted already.

        The files and their EXIF data stay as they are; bursts, events and every time that is shown
        for the deployment's photos follow.

        Args:
            deployment_id: The deployment.
            seconds: What is added to every time that its camera wrote.
            reset: Begin from the times that the camera wrote.

        Raises:
            SettingsError: There is no such deployment, or it is more than a hundred years.
        """
        require_text("deployment_id", deployment_id, or_empty=True)
        seconds = require_integer("seconds", seconds, least=-_LONGEST_SHIFT, most=_LONGEST_SHIFT)
        require_flag("reset", reset)
        with self._changing():
            before = require_deployment(current_summary(self._store), deployment_id)
            total = seconds + (0 if reset else before.deployment.shift)
            if abs(total) > _LONGEST_SHIFT:
                raise SettingsError(
                    f"{deployment_id} would be shifted by {format_shift(total)}: more than a "
                    "hundred years",
                    "--reset begins from what the camera wrote",
                )
            described = {known.deployment_id: known for known in self._store.deployments.all()}
            known = described.get(deployment_id, Deployment(deployment_id))
            described[deployment_id] = replace(known, shift=total)
            self._store.deployments.write(described.values())
            after = require_deployment(current_summary(self._store), deployment_id)
        return ShiftReport(before, after)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the library while deployments change: at the end all of it is committed at once."""
        with self._opened.writing():
            with self._store.transaction():
                yield
                note_act(self._store, NotedAct.DEPLOYMENTS)
            self._opened.tidy()
