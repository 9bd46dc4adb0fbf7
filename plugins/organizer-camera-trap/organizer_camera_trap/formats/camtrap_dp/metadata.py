"""datapackage.json: the given and the computed metadata of a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from organizer.types import ExportInfo
from organizer_camera_trap.formats.camtrap_dp.deployments import Row
from organizer_camera_trap.formats.camtrap_dp.standard import SCHEMA_URL
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxon


def package_descriptor(
    properties: Mapping[str, Any],
    about: ExportInfo,
    deployments: Sequence[Row],
    taxa: Sequence[Taxon],
    *,
    levels: Sequence[str],
) -> dict[str, Any]:
    """The metadata of a package.

    Args:
        properties: The project's metadata, complete.
        about: The origin of the export.
        deployments: The rows of deployments.csv.
        taxa: The observed taxa, each once.
        levels: The levels of observations.
    """
    name, _, version = about.program.partition(" ")
    return {
        "resources": [_resource(table) for table in ("deployments", "media", "observations")],
        "profile": f"{SCHEMA_URL}/camtrap-dp-profile.json",
        "created": about.created_at,
        **properties,
        "sources": [{"title": name, "version": version}],
        "project": {**properties["project"], "observationLevel": list(levels)},
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
        "schema": f"{SCHEMA_URL}/{table}-table-schema.json",
    }


def _spatial(deployments: Sequence[Row]) -> dict[str, Any]:
    """The bounding box of all places as GeoJSON; a point for one, empty for none."""
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
    """The first and the last day; the day of the export without deployments."""
    starts = [str(row["deploymentStart"])[:10] for row in deployments]
    ends = [str(row["deploymentEnd"])[:10] for row in deployments]
    today = about.created_at[:10]
    return {"start": min(starts, default=today), "end": max(ends, default=today)}
