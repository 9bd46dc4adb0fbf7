"""datapackage.json: what a person told, and what can be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from organizer.types import ExportInfo
from organizer_camera_trap.formats.camtrap_dp.deployments import Row
from organizer_camera_trap.formats.camtrap_dp.standard import PLACE
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxon


def descriptor(
    told: Mapping[str, Any],
    about: ExportInfo,
    deployments: Sequence[Row],
    taxa: Sequence[Taxon],
    *,
    levels: Sequence[str],
) -> dict[str, Any]:
    """The metadata of a package.

    Args:
        told: What a person told, complete.
        about: What made it.
        deployments: The rows of deployments.csv.
        taxa: Those that were seen, each once.
        levels: What observations are of.
    """
    name, _, version = about.program.partition(" ")
    return {
        "resources": [_resource(table) for table in ("deployments", "media", "observations")],
        "profile": f"{PLACE}/camtrap-dp-profile.json",
        "created": about.created_at,
        **told,
        "sources": [{"title": name, "version": version}],
        "project": {**told["project"], "observationLevel": list(levels)},
        "spatial": _spatial(deployments),
        "temporal": _temporal(deployments, about),
        "taxonomic": [{"scientificName": one.scientific_name, **one.further} for one in taxa],
    }


def _resource(table: str) -> dict[str, str]:
    return {
        "name": table,
        "path": f"{table}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": f"{PLACE}/{table}-table-schema.json",
    }


def _spatial(deployments: Sequence[Row]) -> dict[str, Any]:
    """The bounding box of all places, as GeoJSON; one place is a point, none no geometry."""
    if not deployments:
        return {"type": "GeometryCollection", "geometries": []}
    across = [float(row["longitude"]) for row in deployments]
    up = [float(row["latitude"]) for row in deployments]
    west, east, south, north = min(across), max(across), min(up), max(up)
    if west == east and south == north:
        return {"type": "Point", "coordinates": [west, south]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "bbox": [west, south, east, north], "coordinates": [ring]}


def _temporal(deployments: Sequence[Row], about: ExportInfo) -> dict[str, str]:
    """The first and the last day; that of the export where there is no deployment."""
    starts = [str(row["deploymentStart"])[:10] for row in deployments]
    ends = [str(row["deploymentEnd"])[:10] for row in deployments]
    today = about.created_at[:10]
    return {"start": min(starts, default=today), "end": max(ends, default=today)}
