"""Folders -> deployments: a template of the path, and deployments that folders are named after.

    {site}/{camera}/...     ridge/cam1/DCIM/100RECNX/IMG_0001.JPG is of the deployment ridge/cam1
    {deployment}/...        R42_2019/IMG_0001.JPG is of R42_2019
    */{site}_{camera}       2024/ridge_cam1/IMG_0001.JPG is of ridge/cam1

A template describes the first folders below the one that was ingested; deeper ones do not matter,
so that the dots may be left out. A field is a folder or a part of it. Of the
fields ``deployment``, ``site`` (or ``location``) and ``camera`` the deployment is made, other names
and ``*`` match anything. A template that begins with the root of the file system is compared
with the whole path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from organizer.errors import SettingsError
from organizer.spelling import PathKey, folded, parts_of
from organizer.types import Deployment

_FIELD = re.compile(r"\{([^{}]*)\}")
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")
_NAMES = ("deployment", "site", "location", "camera")
_EXAMPLE = "for example {site}/{camera}/... or {deployment}/..."
_OF_CARD = re.compile(r"DCIM|[1-9]\d\d[A-Z0-9_]{5}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """What the folders of a file tell about where it was taken.

    Attributes:
        deployment_id: The value of ``{deployment}``, or else site and camera with a slash between
            them.
        location: The value of ``{site}`` or ``{location}``.
        camera: The value of ``{camera}``.
    """

    deployment_id: str
    location: str | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentTemplate:
    """How deployments are read from folders; see the module.

    Attributes:
        text: As the person wrote it, without what does not matter.
        folders: A pattern a folder.
        absolute: Whether it is compared with the whole path.
    """

    text: str
    folders: tuple[re.Pattern[str], ...]
    absolute: bool

    @classmethod
    def parse(cls, text: str) -> DeploymentTemplate:
        """A template from its text.

        Raises:
            SettingsError: It has no field of a deployment, or is no template.
        """
        plain = tidy_name(text).replace("\\", "/")
        absolute = _ABSOLUTE.match(plain) is not None
        parts = [part for part in plain.split("/") if part not in {"", "."}]
        if parts and parts[-1] in {"...", "…", "**"}:
            parts.pop()
        for part in parts:
            _require_sound(text, part)
        fields = [name for part in parts for name in _FIELD.findall(part)]
        named = [name for name in fields if name in _NAMES]
        if not named:
            raise _unfit(text, "it has none of {deployment}, {site}, {location} and {camera}")
        if len(set(named)) < len(named) or {"site", "location"} <= set(named):
            raise _unfit(text, "it tells one thing twice")
        shown = ("/" if plain.startswith("/") else "") + "/".join(parts)
        return cls(shown, tuple(_pattern(part) for part in parts), absolute)

    def place_of(self, folders: Sequence[str]) -> CameraPlace | None:
        """What the folders of a file tell; None where they do not fit the template."""
        if len(folders) < len(self.folders):
            return None
        found: dict[str, str] = {}
        for pattern, folder in zip(self.folders, folders, strict=False):
            match = pattern.fullmatch(folder)
            if match is None:
                return None
            found |= match.groupdict()
        location = found.get("site") or found.get("location")
        camera = found.get("camera")
        own = "/".join(part for part in (location, camera) if part)
        return CameraPlace(found.get("deployment") or own, location, camera)


class CameraPlaces:
    """Which deployments files are of, by their folders.

    In order: what the template gives, where that deployment is described; a described deployment
    that a folder, or several below each other, are named after, the deepest first; whatever else
    the template gives.
    """

    def __init__(
        self, template: DeploymentTemplate | None, described: Iterable[Deployment]
    ) -> None:
        self._template = template
        self._described = {deployment.deployment_id for deployment in described}
        self._by_spelling: dict[PathKey, set[str]] = {}
        for name in self._described:
            self._by_spelling.setdefault(_spelling(name), set()).add(name)
        self._longest = max(map(len, self._by_spelling), default=0)

    def __bool__(self) -> bool:
        return self._template is not None or bool(self._described)

    def of(self, root: Sequence[str], inside: Sequence[str]) -> CameraPlace | None:
        """Where a file was taken.

        Args:
            root: The folder that was ingested, folder by folder from the root of the file system.
            inside: The folders below it that lead to the file.
        """
        root, inside = [tidy_name(f) for f in root], [tidy_name(f) for f in inside]
        place = None
        if self._template is not None:
            folders = [*root, *inside] if self._template.absolute else inside
            place = self._template.place_of([folder for folder in folders if folder])
        known = self._as_described(place.deployment_id) if place is not None else None
        if place is not None and known is not None:
            return replace(place, deployment_id=known)
        found = map(self._as_described, self._named([*root[-1:], *inside]))
        named = next((name for name in found if name is not None), None)
        if named is None:
            return place
        return replace(place, deployment_id=named) if place else CameraPlace(named)

    def _as_described(self, name: str) -> str | None:
        """The described deployment that folders are named after, however it is spelled."""
        if name in self._described:
            return name
        alike = self._by_spelling.get(_spelling(name), ())
        return next(iter(alike)) if len(alike) == 1 else None

    def _named(self, folders: Sequence[str]) -> Iterator[str]:
        for end in range(len(folders), 0, -1):
            for begin in range(max(0, end - self._longest), end):
                yield "/".join(folders[begin:end])


def complete_deployment(deployment: Deployment, place: CameraPlace | None) -> Deployment:
    """A deployment, completed by what its folders tell."""
    if place is None:
        return deployment
    return replace(
        deployment,
        location=deployment.location or place.location,
        camera=deployment.camera or place.camera,
    )


def _spelling(name: str) -> PathKey:
    return folded(parts_of(name.replace("\\", "/")))


def is_card_folder(name: str) -> bool:
    """Whether cameras make folders of this name: DCIM, 100RECNX, 101_PANA, 100EK113, 100MEDIA."""
    return _OF_CARD.fullmatch(name) is not None


def tidy_name(name: str) -> str:
    """A name in the one spelling that Unicode calls composed: macOS writes folders in another."""
    return unicodedata.normalize("NFC", name).strip()


def _require_sound(text: str, part: str) -> None:
    if part in {"..", "...", "**"}:
        raise _unfit(text, f"{part} may only stand at its end" if part != ".." else "it leaves it")
    if set(_FIELD.sub("", part)) & set("{}"):
        raise _unfit(text, "a brace has no other one")
    if re.search(r"\}[*]?\{|\*\{|\}\*", part):
        raise _unfit(text, "two fields of one folder need something between them")


def _pattern(part: str) -> re.Pattern[str]:
    """A folder's pattern: a field is as short as possible, a star and another name anything."""
    pieces = []
    for piece in re.split(r"(\{[^{}]*\}|\*)", part):
        field = _FIELD.fullmatch(piece)
        if field is not None and field[1] in _NAMES:
            pieces.append(f"(?P<{field[1]}>.+?)")
        elif field is not None or piece == "*":
            pieces.append(".+?" if field else ".*")
        else:
            pieces.append(re.escape(piece))
    return re.compile("".join(pieces), re.DOTALL)


def _unfit(text: str, why: str) -> SettingsError:
    return SettingsError(f"{text!r} is no template of folders: {why}", _EXAMPLE)


# Shifts of a clock -------------------------------------------------------------------------------

_CLOCK = re.compile(r"([+-]?)(\d{1,6}):([0-5]?\d)(?::([0-5]?\d))?")
_UNITS = re.compile(r"([+-]?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.IGNORECASE)
_SECONDS = re.compile(r"[+-]?\d+")
_LONGEST = 100 * 366 * 86_400
"""Seconds: a clock that was never set shows 1970 or 2000."""


def parse_shift(text: str) -> int:
    """Seconds from ``+1h``, ``-30m``, ``+1d2h``, ``+00:30:00`` or a plain number of seconds.

    Raises:
        SettingsError: It is none of these, or more than a hundred years.
    """
    shift = text.strip().replace(" ", "").replace("\N{MINUS SIGN}", "-")[:40]
    shift += "s" if _SECONDS.fullmatch(shift) else ""
    match = _CLOCK.fullmatch(shift)
    if match is not None:
        sign, hours, minutes, seconds = match.groups()
        total = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    else:
        match = _UNITS.fullmatch(shift)
        if match is None or not any(match.groups()[1:]):
            raise SettingsError(
                f"{text!r} is no shift of a clock",
                "write +1h, -30m, +1d2h, +00:30:00, or a number of seconds",
            )
        sign = match[1]
        parts = [int(part or 0) for part in match.groups()[1:]]
        total = ((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60 + parts[3]
    if total > _LONGEST:
        raise SettingsError(f"{text!r} is more than a hundred years", "look at the unit")
    return -total if sign == "-" else total


def format_shift(seconds: int) -> str:
    """A shift as a person writes it: ``+1d2h``, ``-30m``, ``0``."""
    if not seconds:
        return "0"
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"d": days, "h": hours, "m": minutes, "s": rest}
    return ("-" if seconds < 0 else "+") + "".join(f"{n}{unit}" for unit, n in parts.items() if n)
