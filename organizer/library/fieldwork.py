"""What a person tells of the field, each a method of `Library`: deployments and their clocks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.deployments import Template, format_shift
from organizer.errors import SettingsError
from organizer.field import Deployment
from organizer.library import deployment_csv
from organizer.library.contexts import corrected
from organizer.library.opened import Opened
from organizer.library.placing import TEMPLATE, Placed, placed, placed_by, template_of
from organizer.store import Store

_LONGEST_SHIFT = 100 * 366 * 86_400
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class DeploymentSummary:
    """A deployment and its photos.

    Attributes:
        deployment: What is known of it, from a person and from its folders.
        told: Whether a person told of it; otherwise only folders do.
        images: How many are of it.
        first: The time of its first photo, with the clock put right; None where none has a time.
        last: That of its last.
        without_time: Images without a time.
        outside: Images from before its start or after its end: maybe the clock was wrong.
    """

    deployment: Deployment
    told: bool
    images: int
    first: str | None
    last: str | None
    without_time: int
    outside: int


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """The deployments of a library, and what is of none.

    Attributes:
        template: How folders tell a deployment; None where nothing was chosen.
        deployments: All of them, by id.
        images: All images of the library.
        without_deployment: Images of no deployment.
        without_time: Images without a time, in all.
        several: Images with files in several deployments: they are of the first by path.
        unplaced: Some files of no deployment.
    """

    template: str | None
    deployments: tuple[DeploymentSummary, ...]
    images: int
    without_deployment: int
    without_time: int
    several: int
    unplaced: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class TableReport:
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


class Fieldwork(Opened):
    """A person's words about the field. They are kept whatever is ingested, moved or clustered."""

    def deployments(self) -> FieldSummary:
        """The deployments with their photos, and what is of none."""
        return _summary_of(self.store)

    def set_template(self, text: str | None) -> FieldSummary:
        """Say how folders tell a deployment; see `organizer.deployments`. None forgets it.

        Raises:
            SettingsError: It is no template, or no photo of the library lies so.
        """
        template = Template.parse(text) if text is not None else None
        with self._writing():
            if template is not None:
                _require_fit(self.store, template)
            summary = _summary(self.store, placed_by(self.store, template), template)
            self.store.choices.set(TEMPLATE, template.text if template else None)
            self._tidy()
        return summary

    def read_deployments(self, file: Path) -> TableReport:
        """Take in a table of deployments; see `organizer.library.deployment_csv`.

        What was told before of a deployment that the table does not have, is kept.

        Raises:
            SettingsError: The table cannot be read or has mistakes; nothing is taken from it.
        """
        with self._writing():
            told = {known.deployment_id: known for known in self.store.deployments.all()}
            table = deployment_csv.read(file, told)
            now = told | {line.deployment_id: line for line in table.deployments}
            self.store.deployments.write(now.values())
            where = placed(self.store)
            self._tidy()
        named = [line.deployment_id for line in table.deployments]
        here = set(where.deployment_of.values())
        return TableReport(
            new=tuple(name for name in named if name not in told),
            changed=tuple(n for n in named if n in told and now[n] != told[n]),
            same=sum(n in told and now[n] == told[n] for n in named),
            without_images=tuple(name for name in named if name not in here),
            not_in_table=tuple(sorted(here - set(named))),
            unused=table.unused,
        )

    def write_deployments(self, to: Path, *, force: bool = False) -> int:
        """Write a table of the deployments to be filled in; the number of its lines.

        Where a camera stood is never guessed: what nobody told is empty.

        Raises:
            SettingsError: There is no deployment, or the file cannot be written or replaced.
        """
        found = self.deployments().deployments
        if not found:
            raise SettingsError(
                "no folder tells a deployment yet",
                "organizer deployments template '{site}/{camera}/...'",
            )
        rows = ((s.deployment, s.images, s.first, s.last) for s in found)
        deployment_csv.write(self.store, to, rows, force=force)
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
        with self._writing():
            before = _found(_summary_of(self.store), deployment_id)
            total = seconds + (0 if reset else before.deployment.shift)
            if abs(total) > _LONGEST_SHIFT:
                raise SettingsError(
                    f"{deployment_id} would be shifted by {format_shift(total)}: more than a "
                    "hundred years",
                    "--reset begins from what the camera wrote",
                )
            told = {known.deployment_id: known for known in self.store.deployments.all()}
            known = told.get(deployment_id, Deployment(deployment_id))
            told[deployment_id] = replace(known, shift=total)
            self.store.deployments.write(told.values())
            after = _found(_summary_of(self.store), deployment_id)
            self._tidy()
        return ShiftReport(before, after)


def _found(summary: FieldSummary, deployment_id: str) -> DeploymentSummary:
    by_id = {found.deployment.deployment_id: found for found in summary.deployments}
    if deployment_id not in by_id:
        near = difflib.get_close_matches(deployment_id, by_id, n=3, cutoff=0.4)
        raise SettingsError(
            f"there is no deployment {deployment_id!r}",
            f"did you mean {' or '.join(near)}?" if near else "organizer deployments lists them",
        )
    return by_id[deployment_id]


def _require_fit(store: Store, template: Template) -> None:
    """Make sure that a template tells the deployment of some photo, without what a person told."""
    alone = placed_by(store, template, told=())
    ids = store.photos.columns("image_id")["image_id"].tolist()
    if ids and not alone.deployment_of:
        example = next(iter(_unplaced(store, alone, ids)), None)
        raise SettingsError(
            f"no photo lies in folders like {template.text}",
            "a template begins below the folder that was ingested, or with a slash for the whole "
            f"path; one photo: {example}",
        )


@dataclass(slots=True)
class _Count:
    images: int = 0
    without_time: int = 0
    outside: int = 0
    times: list[str] = field(default_factory=list)


def _summary_of(store: Store) -> FieldSummary:
    template = template_of(store)
    return _summary(store, placed_by(store, template), template)


def _summary(store: Store, where: Placed, template: Template | None) -> FieldSummary:
    found = store.photos.columns("image_id", "taken_at")
    ids = found["image_id"].tolist()
    names = [where.deployment_of.get(image_id) for image_id in ids]
    shifts = [where.deployments[name].shift if name else 0 for name in names]
    times = corrected(found["taken_at"].tolist(), shifts)
    counts = {name: _Count() for name in where.deployments}
    for name, time in zip(names, times, strict=True):
        if name is not None:
            _add(counts[name], time, where.deployments[name])
    return FieldSummary(
        template=template.text if template else None,
        deployments=tuple(_summaries(where, counts)),
        images=len(ids),
        without_deployment=sum(name is None for name in names),
        without_time=sum(time is None for time in times),
        several=len(where.several),
        unplaced=_unplaced(store, where, ids),
    )


def _add(count: _Count, time: str | None, deployment: Deployment) -> None:
    count.images += 1
    if time is None:
        count.without_time += 1
        return
    count.times.append(time)
    early = deployment.start is not None and time < deployment.start
    late = deployment.end is not None and time > deployment.end
    count.outside += early or late


def _summaries(where: Placed, counts: dict[str, _Count]) -> Iterator[DeploymentSummary]:
    for name, deployment in where.deployments.items():
        count = counts[name]
        yield DeploymentSummary(
            deployment=deployment,
            told=name in where.told,
            images=count.images,
            first=min(count.times, default=None),
            last=max(count.times, default=None),
            without_time=count.without_time,
            outside=count.outside,
        )


def _unplaced(store: Store, where: Placed, ids: list[str]) -> tuple[Path, ...]:
    some = [image_id for image_id in ids if image_id not in where.deployment_of][:_EXAMPLES]
    return tuple(rows[0].file for rows in store.photos.files_of(some).values())
