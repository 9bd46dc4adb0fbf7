"""Reads the metadata of a project that only a person knows."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from organizer import atomic
from organizer.errors import SettingsError
from organizer_camera_trap.formats.camtrap_dp.standard import (
    CAPTURE_METHODS,
    ROLES,
    SAMPLING_DESIGNS,
)

_COMPUTED = (
    "resources", "profile", "created", "spatial", "temporal", "taxonomic", "sources",
)  # fmt: skip
_GIVEN = (
    "name", "id", "title", "contributors", "description", "version", "keywords", "image",
    "homepage", "licenses", "bibliographicCitation", "project", "coordinatePrecision",
    "relatedIdentifiers", "references", "timezone",
)  # fmt: skip
_PROJECT = (
    "id", "title", "acronym", "description", "path", "samplingDesign", "captureMethod",
    "individualAnimals",
)  # fmt: skip

TEMPLATE = f"""\
# The metadata of a project for Camtrap DP's datapackage.json. Fill in every "".
# All other properties of its metadata can be added: https://camtrap-dp.tdwg.org/metadata

timezone = ""  # of the cameras' clocks: Europe/Berlin, or +01:00 for clocks without summer time

[project]
title = ""
samplingDesign = ""  # {", ".join(SAMPLING_DESIGNS)}
captureMethod = [""]  # {", ".join(CAPTURE_METHODS)}
individualAnimals = ""  # true or false, without quotes: are individual animals identified?

[[contributors]]
title = ""  # a name
role = "contact"  # {", ".join(ROLES)}
# email = ""
# organization = ""

# [[licenses]]
# name = "CC0-1.0"
# scope = "data"
# [[licenses]]
# name = "CC-BY-4.0"
# scope = "media"
"""


def read_project(file: Path) -> dict[str, Any]:
    """Read a file with properties of datapackage.json: TOML, or JSON by its suffix.

    It may have the time zone of the cameras' clocks too.

    Raises:
        SettingsError: It cannot be read, or has a property that is unknown or computed.
    """
    properties = _parsed(file)
    for name in properties:
        if name in _COMPUTED:
            raise SettingsError(f"{file} has {name}, which is computed", "remove it")
        if name not in _GIVEN:
            raise SettingsError(
                f"{file} has {name}, which is no property of Camtrap DP",
                f"the properties: {', '.join(_GIVEN)}",
            )
    project = properties.get("project", {})
    for name in project if isinstance(project, dict) else ():
        if name not in _PROJECT:
            raise SettingsError(
                f"{file} has project.{name}, which is no property of Camtrap DP",
                f"the properties: {', '.join(_PROJECT)}",
            )
    return properties


def merged_properties(
    properties: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Merge options into the properties of a file, and tell what is missing or invalid.

    Args:
        properties: The properties of datapackage.json.
        given: title, sampling_design, capture_method, individuals and contributor, where given.

    Returns:
        The properties, and what is wrong with them, a text each.
    """
    project = properties.get("project", {})
    project = dict(project) if isinstance(project, Mapping) else {}
    for ours, theirs in _OPTIONS.items():
        if given.get(ours) is not None:
            project[theirs] = given[ours]
    contributors = properties.get("contributors", [])
    if given.get("contributor"):
        contributors = [{"title": given["contributor"]}]
    wrong = [*_wrong_project(project), *_wrong_contributors(contributors), *_wrong_rest(properties)]
    return {**properties, "project": project, "contributors": contributors}, wrong


_OPTIONS = {
    "title": "title",
    "sampling_design": "samplingDesign",
    "capture_method": "captureMethod",
    "individuals": "individualAnimals",
}


def _wrong_project(project: Mapping[str, Any]) -> Iterable[str]:
    if not _is_text(project.get("title")):
        yield "project.title, the name of the project"
    if project.get("samplingDesign") not in SAMPLING_DESIGNS:
        yield f"project.samplingDesign, one of {', '.join(SAMPLING_DESIGNS)}"
    methods = project.get("captureMethod")
    if not _are(methods, CAPTURE_METHODS):
        yield f"project.captureMethod, a list of {' and '.join(CAPTURE_METHODS)}"
    if not isinstance(project.get("individualAnimals"), bool):
        yield "project.individualAnimals, true where individual animals are identified, else false"


def _wrong_contributors(contributors: object) -> Iterable[str]:
    if not (isinstance(contributors, list) and contributors):
        yield "contributors, the people who made it"
        return
    for one in contributors:
        if not isinstance(one, Mapping) or not _is_text(one.get("title")):
            yield "contributors.title, a name for each of them"
        elif one.get("role", "contributor") not in ROLES:
            yield f"contributors.role of {one['title']}, one of {', '.join(ROLES)}"


def _wrong_rest(properties: Mapping[str, Any]) -> Iterable[str]:
    licenses = properties.get("licenses")
    if licenses is None:
        return
    known = isinstance(licenses, list) and all(isinstance(one, Mapping) for one in licenses)
    scopes = {one.get("scope") for one in licenses} if known else set()
    named = known and all(one.get("name") or one.get("path") for one in licenses)
    if scopes != {"data", "media"} or not named:
        yield "licenses, one of scope data and one of scope media, each with a name or path"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are(values: object, terms: tuple[str, ...]) -> bool:
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        return False
    return set(values) <= set(terms) and len(set(values)) == len(values)


def _parsed(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        properties = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}", "it is TOML or JSON") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        kind = "JSON" if file.suffix.lower() == ".json" else "TOML"
        raise SettingsError(f"{file} is not valid {kind}: {error}", "correct it") from error
    if not isinstance(properties, dict):
        raise SettingsError(f"{file} holds no properties", "it should be an object")
    return properties


def write_project(file: Path) -> None:
    """Write a file to fill in.

    Raises:
        SettingsError: It cannot be written, or its name does not end in .toml.
    """
    if file.suffix.lower() != ".toml":
        raise SettingsError(f"there is no {file}", "a template is written for FILE.toml")
    write_new(file, TEMPLATE)


def write_new(file: Path, text: str) -> None:
    """Write a new file, atomically.

    Raises:
        SettingsError: It cannot be written.
    """
    try:
        with atomic.replace_atomically(file, over=False) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"there is no {file}, and it cannot be written: {error.strerror or error}",
            "name another file",
        ) from error
