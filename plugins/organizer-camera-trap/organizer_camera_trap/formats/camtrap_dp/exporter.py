"""The exporter, which writes a folder with the four files of a package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar

from organizer.errors import SettingsError
from organizer.types import ExportBatch, ExportInfo, PartOption, VectorUse
from organizer_camera_trap.formats.camtrap_dp.deployments import (
    HOW_TO_DESCRIBE,
    deployment_rows,
    wrong_deployments,
)
from organizer_camera_trap.formats.camtrap_dp.metadata import package_descriptor
from organizer_camera_trap.formats.camtrap_dp.project import (
    merged_properties,
    read_project,
    write_project,
)
from organizer_camera_trap.formats.camtrap_dp.standard import CAPTURE_METHODS, SAMPLING_DESIGNS
from organizer_camera_trap.formats.camtrap_dp.tables import Tables
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa, read_taxa, write_taxa
from organizer_camera_trap.formats.camtrap_dp.zones import time_zone

_LEVELS = {"event": ("event",), "media": ("media",), "both": ("media", "event")}
_NAMES = ("vernacular", "scientific")
_SHOWN = 5
_PROJECT, _TAXA = "project.toml", "taxa.csv"


class CamtrapDP:
    """Writes a Camtrap DP; see the package.

    Args:
        timezone: The zone of the cameras' clocks: an IANA name, or an offset for clocks without
            summer time. That of the project's file where None.
        project: A file with the project's metadata; see `project`. ``project.toml`` beside the
            export where None. Where it does not exist and is needed, a template is written.
        taxa: A table of names; see `taxa`. ``taxa.csv`` beside the export where None; likewise.
        level: Observations of events ("event"), of images ("media"), or "both".
        names: Whether cluster names are "scientific" or "vernacular".
        title: The project's title, instead of the file's.
        sampling_design: Likewise.
        capture_method: Likewise.
        individuals: Whether individual animals are identified, likewise.
        contributor: The name of the contributor, likewise.
        classified_by: The name of the person who decided about images; where empty, the name that
            is kept with each decision.
        public: Whether the files are publicly accessible.
        url: Where the files are accessible: a prefix of their paths.

    Raises:
        SettingsError: Something is invalid.
    """

    suffix = ""
    file_name = "organizer-camtrap-dp"
    holds = frozenset({"datapackage.json", "deployments.csv", "media.csv", "observations.csv"})
    vectors = VectorUse.NEVER
    needs = frozenset({"taken_at", "deployments"})
    options: ClassVar[Mapping[str, PartOption]] = {
        "timezone": PartOption(
            "the zone of the cameras' clocks: Europe/Berlin, or an offset without summer time",
            "+01:00",
        ),
        "project": PartOption(
            "a TOML file with the time zone, what follows, and more; project.toml if not given, "
            "written to fill in if missing"
        ),
        "title": PartOption("the title of the project", "Foxes of the old wood"),
        "sampling-design": PartOption(", ".join(SAMPLING_DESIGNS), "opportunistic"),
        "capture-method": PartOption(
            f"{' or '.join(CAPTURE_METHODS)}, or both with a comma", "activityDetection"
        ),
        "individuals": PartOption("whether individual animals are identified: yes or no", "no"),
        "contributor": PartOption("the name of the contributor", "Jane Doe"),
        "level": PartOption("observations of: event (default), media, both", "event"),
        "taxa": PartOption(
            "a CSV file of name, scientificName; taxa.csv if not given, written if missing"
        ),
        "names": PartOption("the kind of cluster names: vernacular, scientific", "vernacular"),
        "classified-by": PartOption(
            "the name of the person who decided; otherwise the one kept with each decision",
            "Jane Doe",
        ),
        "public": PartOption("whether the files are publicly accessible: yes or no", "no"),
        "url": PartOption("where the files are accessible, a prefix of their paths"),
    }

    def __init__(
        self,
        *,
        timezone: str | None = None,
        project: Path | None = None,
        taxa: Path | None = None,
        level: str = "event",
        names: str = "vernacular",
        title: str | None = None,
        sampling_design: str | None = None,
        capture_method: str | None = None,
        individuals: bool | None = None,
        contributor: str | None = None,
        classified_by: str = "",
        public: bool = False,
        url: str = "",
    ) -> None:
        _require("level", level, tuple(_LEVELS))
        _require("names", names, _NAMES)
        self._zone = None if timezone is None else time_zone(timezone)
        self._level = level
        self._scientific = names == "scientific"
        self._project, self._taxa = project, taxa
        self._person = classified_by
        self._public, self._url = public, url
        self._unknown: list[str] = []
        self._given = {
            "title": title,
            "sampling_design": sampling_design,
            "capture_method": None if capture_method is None else capture_method.split(","),
            "individuals": individuals,
            "contributor": contributor,
        }

    def require_complete(self, about: ExportInfo, beside: Path, *, lacking: Sequence[str]) -> None:
        """Make sure that nothing is missing; files to fill in are written where something is.

        Raises:
            SettingsError: Something is missing; the message names all of it.
        """
        self._complete(about, beside, lacking)

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write into an existing, empty folder.

        Raises:
            SettingsError: Something is missing, or a path is not allowed.
        """
        properties, zone, taxa = self._complete(about, to.parent, ())
        self._unknown = taxa.unknown(about.clusters.values())
        deployments = deployment_rows(about, zone)
        methods = properties["project"]["captureMethod"]
        tables = Tables(
            to,
            about,
            where=zone,
            taxa=taxa,
            person=self._person,
            levels=_LEVELS[self._level],
            capture_method=methods[0] if len(methods) == 1 else "",
            public=self._public,
            url=self._url,
        )
        written = tables.write(batches)
        doubtful = tables.doubtful_clocks(datetime.now(UTC))
        for row in deployments:
            if row["deploymentID"] in doubtful:
                row["timestampIssues"] = "true"
        tables.write_deployments(deployments)
        metadata = package_descriptor(
            properties, about, deployments, tables.observed_taxa, levels=_LEVELS[self._level]
        )
        text = json.dumps(metadata, ensure_ascii=False, indent=2, allow_nan=False)
        (to / "datapackage.json").write_text(text + "\n", encoding="utf-8")
        return written

    def opened_with(self, to: Path, *, about: ExportInfo) -> str:
        """The next steps, in one line."""
        base = about.relative_to or about.common
        lines = [] if self._url else [f"paths in media.csv are below {base}"]
        if self._unknown:
            lines.append(f"no scientific name for {_some(self._unknown)}: --set taxa=FILE.csv")
        lines.append(f"frictionless validate {to / 'datapackage.json'}")
        return "; ".join(lines)

    def _complete(
        self, about: ExportInfo, beside: Path, lacking: Sequence[str]
    ) -> tuple[dict[str, Any], tzinfo, Taxa]:
        """The project's properties, the zone of the clocks, and the meaning of names.

        Raises:
            SettingsError: Something is missing.
        """
        project, taxa_file = self._project or beside / _PROJECT, self._taxa or beside / _TAXA
        properties, wrong = merged_properties({}, self._given)
        if project.exists() and (self._project or wrong or self._zone is None):
            properties, wrong = merged_properties(read_project(project), self._given)
        zone = self._zone or _zone_of(properties.pop("timezone", ""), project)
        if zone is None:
            wrong = ["timezone, the zone of the cameras' clocks", *wrong]
        known = read_taxa(taxa_file) if taxa_file.exists() else {}
        taxa = Taxa(known, all_scientific=self._scientific)
        of_deployments = wrong_deployments(about)
        needed = [*wrong, *lacking, *filter(None, [of_deployments])]
        is_asked = [file for file in (self._project, self._taxa) if file and not file.exists()]
        if not needed and not is_asked and zone is not None:
            return properties, zone, taxa
        written = []
        if (wrong or project in is_asked) and not project.exists():
            write_project(project)
            written.append(project)
        names = taxa.unknown(about.clusters.values())
        if (names or taxa_file in is_asked) and not taxa_file.exists():
            write_taxa(taxa_file, about.clusters.values())
            written.append(taxa_file)
        if names or taxa_file in is_asked:
            needed.append(
                f"the scientific names of {_some(names) or 'the clusters'}, in {_shown(taxa_file)}"
            )
        raise SettingsError(
            "Camtrap DP needs",
            "; ".join(_ways(written, project if wrong else None, of_deployments, lacking)),
            items=needed or [f"the metadata in {_shown(project)}"],
        )


def _ways(
    written: Sequence[Path], project: Path | None, of_deployments: str, lacking: Sequence[str]
) -> Iterator[str]:
    """What a person can do about what is missing."""
    if written:
        were = "was" if len(written) == 1 else "were"
        files = " and ".join(map(_shown, written))
        yield f"fill in {files}: a template {were} written there".replace(
            "a template were", "templates were"
        )
    elif project is not None:
        yield f"fill in {_shown(project)}"
    if of_deployments:
        yield HOW_TO_DESCRIBE
    if lacking:
        yield "organizer deployments shows which folders are of which deployment"
        yield "--leave-out-incomplete goes on without images that lack something"
    yield "then the same command again"


def _zone_of(text: object, file: Path) -> tzinfo | None:
    """The zone in a project's file; None where it is not filled in.

    Raises:
        SettingsError: There is no such zone.
    """
    if not isinstance(text, str):
        raise SettingsError(f"{file} has a timezone that is no text", 'timezone = "Europe/Berlin"')
    return time_zone(text) if text.strip() else None


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _some(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{name} cannot be {value!r}", f"it is {', '.join(known)}")
