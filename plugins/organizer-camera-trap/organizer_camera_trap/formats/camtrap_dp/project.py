"""What only a person can say of a project: who made it, and how its cameras were set up."""

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
_TOLD = (
    "name", "id", "title", "contributors", "description", "version", "keywords", "image",
    "homepage", "licenses", "bibliographicCitation", "project", "coordinatePrecision",
    "relatedIdentifiers", "references",
)  # fmt: skip
_PROJECT = (
    "id", "title", "acronym", "description", "path", "samplingDesign", "captureMethod",
    "individualAnimals",
)  # fmt: skip

TEMPLATE = f"""\
# What Camtrap DP asks of a project, for datapackage.json. Fill in every "".
# All other properties of its metadata can be added: https://camtrap-dp.tdwg.org/metadata

[project]
title = ""
samplingDesign = ""  # {", ".join(SAMPLING_DESIGNS)}
captureMethod = [""]  # {", ".join(CAPTURE_METHODS)}
individualAnimals = ""  # true or false, without quotes: are single animals told apart?

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
    """What a file tells: TOML, or JSON by its suffix, with the properties of datapackage.json.

    Raises:
        SettingsError: It is not there, and one to fill in was written in its place; or it cannot
            be read, or has a property that is none, or that is computed.
    """
    if not file.exists():
        _write_template(file)
        raise SettingsError(
            f"there was no {file}: one to fill in is there now", f"fill it in: {file}"
        )
    told = _parsed(file)
    for name in told:
        if name in _COMPUTED:
            raise SettingsError(f"{file} tells {name}, which is computed", "take it out")
        if name not in _TOLD:
            raise SettingsError(
                f"{file} tells {name}, which Camtrap DP does not have", f"it has {', '.join(_TOLD)}"
            )
    project = told.get("project", {})
    for name in project if isinstance(project, dict) else ():
        if name not in _PROJECT:
            raise SettingsError(
                f"{file} tells project.{name}, which there is not", f"it is {', '.join(_PROJECT)}"
            )
    return told


def complete(told: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a file tells, with what was given besides in its place.

    Args:
        told: The properties of datapackage.json.
        given: title, sampling_design, capture_method, individuals and contributor, where given.

    Raises:
        SettingsError: Something is missing or cannot be; all of it is named.
    """
    project = told.get("project", {})
    project = dict(project) if isinstance(project, Mapping) else {}
    for ours, theirs in _OPTIONS.items():
        if given.get(ours) is not None:
            project[theirs] = given[ours]
    contributors = told.get("contributors", [])
    if given.get("contributor"):
        contributors = [{"title": given["contributor"]}]
    wrong = [*_wrong_project(project), *_wrong_contributors(contributors), *_wrong_rest(told)]
    if wrong:
        raise SettingsError(
            f"Camtrap DP must be told: {'; '.join(wrong)}",
            "--set project=FILE.toml; where that is not there, one to fill in is written",
        )
    return {**told, "project": project, "contributors": contributors}


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
        yield "project.individualAnimals, true where single animals are told apart, else false"


def _wrong_contributors(contributors: object) -> Iterable[str]:
    if not (isinstance(contributors, list) and contributors):
        yield "contributors, who made it"
        return
    for one in contributors:
        if not isinstance(one, Mapping) or not _is_text(one.get("title")):
            yield "contributors.title, a name for each of them"
        elif one.get("role", "contributor") not in ROLES:
            yield f"contributors.role of {one['title']}, one of {', '.join(ROLES)}"


def _wrong_rest(told: Mapping[str, Any]) -> Iterable[str]:
    licenses = told.get("licenses")
    if licenses is None:
        return
    known = isinstance(licenses, list) and all(isinstance(one, Mapping) for one in licenses)
    scopes = {one.get("scope") for one in licenses} if known else set()
    named = known and all(one.get("name") or one.get("path") for one in licenses)
    if scopes != {"data", "media"} or not named:
        yield "licenses, one of scope data and one of scope media, each with a name or path"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are(values: object, words: tuple[str, ...]) -> bool:
    if not isinstance(values, list) or not values or not all(isinstance(v, str) for v in values):
        return False
    return set(values) <= set(words) and len(set(values)) == len(values)


def _parsed(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        told = json.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}", "it is TOML or JSON") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        kind = "JSON" if file.suffix.lower() == ".json" else "TOML"
        raise SettingsError(f"{file} is no {kind}: {error}", "mend it there") from error
    if not isinstance(told, dict):
        raise SettingsError(f"{file} tells no properties", "it is an object of them")
    return told


def _write_template(file: Path) -> None:
    if file.suffix.lower() != ".toml":
        raise SettingsError(f"there is no {file}", "one to fill in is written as FILE.toml")
    write_new(file, TEMPLATE)


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there, whole or not at all.

    Raises:
        SettingsError: It cannot be written.
    """
    try:
        with atomic.replace_atomically(file, over=False) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"there is no {file}, and it cannot be written: {error.strerror or error}",
            "name another place",
        ) from error
