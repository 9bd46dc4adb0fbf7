"""The rows of deployments.csv: each deployment needs a place, a start and an end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from organizer.types import Deployment, ExportInfo
from organizer_camera_trap.formats.camtrap_dp.zones import with_offset

_SHOWN = 10
HOW_TO_DESCRIBE = (
    "organizer deployments write-csv deployments.csv, fill it in, "
    "organizer deployments read deployments.csv"
)
"""How a person describes deployments."""

Row = dict[str, str | float]


def wrong_deployments(about: ExportInfo) -> str:
    """Which deployments have no place or period, or an invalid one; "" where all have them."""
    lacking = [
        f"{deployment.deployment_id} ({', '.join(what)})"
        for deployment in about.deployments.values()
        if (what := list(_lacking(deployment)))
    ]
    more = f" and {len(lacking) - _SHOWN:,} more" if len(lacking) > _SHOWN else ""
    return f"more about deployments: {', '.join(lacking[:_SHOWN])}{more}" if lacking else ""


def deployment_rows(about: ExportInfo, where: tzinfo) -> list[Row]:
    """The rows of deployments.csv, of deployments that have all that it needs."""
    return [_row(deployment, where) for deployment in about.deployments.values()]


def _lacking(deployment: Deployment) -> Iterable[str]:
    for name in ("latitude", "longitude", "start", "end"):
        if getattr(deployment, name) is None:
            yield name
    if deployment.latitude is not None and not -90 <= deployment.latitude <= 90:
        yield "a latitude from -90 to 90"
    if deployment.longitude is not None and not -180 <= deployment.longitude <= 180:
        yield "a longitude from -180 to 180"
    if deployment.start and deployment.end and deployment.start > deployment.end:
        yield "an end after its start"


def _row(deployment: Deployment, where: tzinfo) -> Row:
    found: dict[str, str | float | None] = {
        "deploymentID": deployment.deployment_id,
        "locationName": deployment.location,
        "latitude": deployment.latitude,
        "longitude": deployment.longitude,
        "deploymentStart": with_offset(deployment.start or "", where),
        "deploymentEnd": with_offset(deployment.end or "", where),
        "cameraID": deployment.camera,
    }
    if deployment.shift:
        found["deploymentComments"] = (
            f"the camera's clock was wrong: {deployment.shift:+d} s were added to all times"
        )
    return {name: value for name, value in found.items() if value is not None}
