"""Summaries of the deployments of a library and their photos."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from organizer.deployments import DeploymentTemplate
from organizer.errors import SettingsError
from organizer.library.images.capture import correct_times
from organizer.library.images.placement import (
    Placement,
    deployment_template,
    placement_by_template,
)
from organizer.store import Store
from organizer.types import Deployment

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class DeploymentSummary:
    """A deployment and its photos.

    Attributes:
        deployment: What is known of it, from a person and from its folders.
        described: Whether a person described it; otherwise only folders name it.
        images: Number of its images.
        first: The time of its first photo, with the clock corrected; None where none has a time.
        last: That of its last.
        without_time: Number of images without a time.
        outside: Number of images from before its start or after its end: maybe the clock was wrong.
    """

    deployment: Deployment
    described: bool
    images: int
    first: str | None
    last: str | None
    without_time: int
    outside: int


@dataclass(frozen=True, slots=True)
class DeploymentsSummary:
    """The deployments of a library, and the images of none.

    Attributes:
        template: How folders name deployments; None where nothing was chosen.
        deployments: All of them, in the order of their ids.
        images: Number of all images of the library.
        without_deployment: Number of images of no deployment.
        without_time: Number of images without a time.
        several: Number of images with files in several deployments: they are of the first by path.
        unplaced: Examples of files of no deployment.
    """

    template: str | None
    deployments: tuple[DeploymentSummary, ...]
    images: int
    without_deployment: int
    without_time: int
    several: int
    unplaced: tuple[Path, ...]


def require_deployment(summary: DeploymentsSummary, deployment_id: str) -> DeploymentSummary:
    """A deployment of a summary.

    Raises:
        SettingsError: There is none of that id.
    """
    by_id = {found.deployment.deployment_id: found for found in summary.deployments}
    if deployment_id not in by_id:
        near = difflib.get_close_matches(deployment_id, by_id, n=3, cutoff=0.4)
        raise SettingsError(
            f"there is no deployment {deployment_id!r}",
            f"did you mean {' or '.join(near)}?" if near else "organizer deployments lists them",
        )
    return by_id[deployment_id]


def require_fit(store: Store, template: DeploymentTemplate) -> None:
    """Make sure that a template by itself names the deployment of some photo.

    Raises:
        SettingsError: It names none.
    """
    alone = placement_by_template(store, template, described=())
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


def current_summary(store: Store) -> DeploymentsSummary:
    """Summarise the deployments by the template and the descriptions that are stored."""
    template = deployment_template(store)
    return summarise(store, placement_by_template(store, template), template)


def summarise(
    store: Store, placement: Placement, template: DeploymentTemplate | None
) -> DeploymentsSummary:
    """Summarise the deployments of a placement, and the images of none."""
    found = store.photos.columns("image_id", "taken_at")
    ids = found["image_id"].tolist()
    names = [placement.deployment_of.get(image_id) for image_id in ids]
    shifts = [placement.deployments[name].shift if name else 0 for name in names]
    times = correct_times(found["taken_at"].tolist(), shifts)
    counts = {name: _Count() for name in placement.deployments}
    for name, time in zip(names, times, strict=True):
        if name is not None:
            _add(counts[name], time, placement.deployments[name])
    return DeploymentsSummary(
        template=template.text if template else None,
        deployments=tuple(_summaries(placement, counts)),
        images=len(ids),
        without_deployment=sum(name is None for name in names),
        without_time=sum(time is None for time in times),
        several=len(placement.several),
        unplaced=_unplaced(store, placement, ids),
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


def _summaries(placement: Placement, counts: dict[str, _Count]) -> Iterator[DeploymentSummary]:
    for name, deployment in placement.deployments.items():
        count = counts[name]
        yield DeploymentSummary(
            deployment=deployment,
            described=name in placement.described,
            images=count.images,
            first=min(count.times, default=None),
            last=max(count.times, default=None),
            without_time=count.without_time,
            outside=count.outside,
        )


def _unplaced(store: Store, placement: Placement, ids: list[str]) -> tuple[Path, ...]:
    some = [image_id for image_id in ids if image_id not in placement.deployment_of][:_EXAMPLES]
    return tuple(rows[0].file for rows in store.photos.files_of(some).values())
