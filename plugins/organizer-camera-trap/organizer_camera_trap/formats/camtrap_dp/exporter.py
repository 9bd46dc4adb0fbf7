"""The exporter, which writes a folder with the four files of a package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from organizer.errors import SettingsError
from organizer.types import ExportBatch, ExportInfo, ExportOption, VectorUse
from organizer_camera_trap.formats.camtrap_dp.deployments import deployment_rows
from organizer_camera_trap.formats.camtrap_dp.metadata import package_descriptor
from organizer_camera_trap.formats.camtrap_dp.project import complete_properties, read_project
from organizer_camera_trap.formats.camtrap_dp.standard import CAPTURE_METHODS, SAMPLING_DESIGNS
from organizer_camera_trap.formats.camtrap_dp.tables import Tables
from organizer_camera_trap.formats.camtrap_dp.taxa import Taxa, read_taxa, write_taxa
from organizer_camera_trap.formats.camtrap_dp.zones import time_zone

_LEVELS = {"event": ("event",), "media": ("media",), "both": ("media", "event")}
_NAMES = ("vernacular", "scientific")
_SHOWN = 5


class CamtrapDP:
    """Writes a Camtrap DP; see the package.

    Args:
        timezone: The zone of the cameras' clocks: an IANA name, or an offset for clocks without
            summer time.
        project: A file with the project's metadata; see `project`. Where it does not exist, a
            template is written.
        taxa: A table of names; see `taxa`. Where it does not exist, a template is written.
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
        SettingsError: Something is missing or invalid.
    """

    suffix = ""
    file_name = "organizer-camtrap-dp"
    holds = frozenset({"datapackage.json", "deployments.csv", "media.csv", "observations.csv"})
    vectors = VectorUse.NEVER
    needs = frozenset({"taken_at", "deployments"})
    options: ClassVar[Mapping[str, ExportOption]] = {
        "timezone": ExportOption(
            "the zone of the cameras' clocks: Europe/Berlin, or an offset without summer time",
            "+01:00",
            needed=True,
        ),
        "project": ExportOption("a TOML file with what follows and more; written if missing"),
        "title": ExportOption("the title of the project", "Foxes of the old wood"),
        "sampling-design": ExportOption(", ".join(SAMPLING_DESIGNS), "opportunistic"),
        "capture-method": ExportOption(
            f"{' or '.join(CAPTURE_METHODS)}, or both with a comma", "activityDetection"
        ),
        "individuals": ExportOption("whether individual animals are identified: yes or no", "no"),
        "contributor": ExportOption("the name of the contributor", "Jane Doe"),
        "level": ExportOption("observations of: event (default), media, both", "event"),
        "taxa": ExportOption("a CSV file of name, scientificName; written if missing"),
        "names": ExportOption("the kind of cluster names: vernacular, scientific", "vernacular"),
        "classified-by": ExportOption(
            "the name of the person who decided; otherwise the one kept with each decision",
            "Jane Doe",
        ),
        "public": ExportOption("whether the files are publicly accessible: yes or no", "no"),
        "url": ExportOption("where the files are accessible, a prefix of their paths"),
    }

    def __init__(
        self,
        *,
        timezone: str,
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
        self._zone = time_zone(timezone)
        self._level = level
        self._scientific = names == "scientific"
        self._taxa = taxa
        self._person = classified_by
        self._public, self._url = public, url
        self._unknown: list[str] = []
        given = {
            "title": title,
            "sampling_design": sampling_design,
            "capture_method": None if capture_method is None else capture_method.split(","),
            "individuals": individuals,
            "contributor": contributor,
        }
        self._properties = complete_properties(read_project(project) if project else {}, given)

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write into an existing, empty folder.

        Raises:
            SettingsError: A deployment is incomplete, or a path is not allowed.
        """
        taxa = self._read_taxa(about)
        self._unknown = taxa.unknown(about.clusters.values())
        deployments = deployment_rows(about, self._zone)
        methods = self._properties["project"]["captureMethod"]
        tables = Tables(
            to,
            about,
            where=self._zone,
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
            self._properties, about, deployments, tables.observed_taxa, levels=_LEVELS[self._level]
        )
        text = json.dumps(metadata, ensure_ascii=False, indent=2, allow_nan=False)
        (to / "datapackage.json").write_text(text + "\n", encoding="utf-8")
        return written

    def opened_with(self, to: Path, *, about: ExportInfo) -> str:
        """The next steps, in one line."""
        base = about.relative_to or about.common
        lines = [] if self._url else [f"paths in media.csv are below {base}"]
        if self._unknown:
            more = ", ..." if len(self._unknown) > _SHOWN else ""
            names = ", ".join(self._unknown[:_SHOWN]) + more
            lines.append(f"no scientific name for {names}: --set taxa=FILE.csv")
        lines.append(f"frictionless validate {to / 'datapackage.json'}")
        return "; ".join(lines)

    def _read_taxa(self, about: ExportInfo) -> Taxa:
        """Read the meaning of cluster names, or write a template and refuse."""
        if self._taxa is None:
            return Taxa({}, all_scientific=self._scientific)
        if not self._taxa.exists():
            write_taxa(self._taxa, about.clusters.values())
            raise SettingsError(
                f"there was no {self._taxa}: a template was written there",
                f"fill in scientificName: {self._taxa}",
            )
        return Taxa(read_taxa(self._taxa), all_scientific=self._scientific)


def _require(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{name} cannot be {value!r}", f"it is {', '.join(known)}")
