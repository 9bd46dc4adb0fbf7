"""The meaning of cluster names: scientific names, or observations without an animal.

"Red fox" and "Vulpes vulpes" have the same form, so a name is a scientific one only by a table, or
where the user says that all are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded, unguarded
from organizer_camera_trap.formats.camtrap_dp.project import write_new
from organizer_camera_trap.formats.camtrap_dp.standard import OBSERVATION_TYPES, RANKS

_SCIENTIFIC = re.compile(r"[A-Z][a-z-]+( [a-z-]{2,}){0,2}")
_HINT = "a CSV file with the columns name and scientificName"
_FURTHER = ("taxonID", "taxonRank", "kingdom", "phylum", "class", "order", "family", "genus")
_LANGUAGE = re.compile(r"[a-z]{3}")
_PLAIN = {
    "blank": "blank", "empty": "blank", "nothing": "blank",
    "human": "human", "humans": "human", "people": "human", "person": "human",
    "vehicle": "vehicle", "vehicles": "vehicle", "car": "vehicle",
}  # fmt: skip
"""Names of clusters with an obvious meaning."""


@dataclass(frozen=True, slots=True)
class Taxon:
    """The meaning of a cluster's name.

    Attributes:
        kind: One of `OBSERVATION_TYPES`; empty where unknown.
        scientific_name: Empty where there is none, or where unknown.
        further: Further metadata of the name: taxonID, taxonRank, vernacularNames.
    """

    kind: str = ""
    scientific_name: str = ""
    further: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)


class Taxa:
    """The meaning of names, ignoring case."""

    def __init__(self, known: Mapping[str, Taxon], *, all_scientific: bool = False) -> None:
        self._known = {name.strip().lower(): taxon for name, taxon in known.items()}
        self._all_scientific = all_scientific

    def of(self, name: str | None) -> Taxon:
        """The meaning of a name."""
        if name is None:
            return Taxon()
        key = name.strip().lower()
        if key in self._known:
            return self._known[key]
        if key in _PLAIN:
            return Taxon(_PLAIN[key])
        if self._all_scientific and _SCIENTIFIC.fullmatch(name.strip()):
            return Taxon("animal", name.strip())
        return Taxon()

    def by_scientific_name(self, name: str) -> Taxon:
        """The taxon of a scientific name."""
        known = (taxon for taxon in self._known.values() if taxon.scientific_name == name)
        return next(known, Taxon("animal", name))

    def unknown(self, names: Iterable[str | None]) -> list[str]:
        """The names without a known meaning."""
        return sorted({name for name in names if name and self.of(name) == Taxon()})


def read_taxa(file: Path) -> dict[str, Taxon]:
    """Read a table of names: name, scientificName, and further columns.

    A column ``observationType`` is for names of no animal; ``taxonID``, ``taxonRank`` and the
    higher taxa, and columns named by a language's three letters (``eng``), go into the metadata.

    Raises:
        SettingsError: It cannot be read, or a value is invalid.
    """
    from organizer.library import csv_tables

    table = csv_tables.read_csv(file, what="the names ", hint=_HINT)
    columns = table.columns
    if not {"name", "scientificname"} <= columns.keys():
        raise SettingsError(f"{file} has no column name and scientificName", _HINT)
    table.require_single_lines(columns.values())
    found: dict[str, Taxon] = {}
    for line in table.lines:
        cells = {name: line.cell(place).strip() for name, place in columns.items()}
        if not cells["name"]:
            raise SettingsError(f"{file} line {line.number} has no name", "fill it in")
        found[unguarded(cells["name"])] = _taxon(cells, f"{file} line {line.number}")
    return found


def write_taxa(file: Path, names: Iterable[str | None]) -> None:
    """Write a table of the current names to fill in.

    Raises:
        SettingsError: It cannot be written.
    """
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["name", "scientificName", "observationType", "taxonRank", "taxonID"])
    for name in sorted({name for name in names if name}):
        kind = _PLAIN.get(name.strip().lower(), "animal")
        lines.writerow([guarded(name), "", kind, "", ""])
    write_new(file, "\ufeff" + text.getvalue())


def _taxon(cells: Mapping[str, str], where: str) -> Taxon:
    name = cells["scientificname"]
    kind = cells.get("observationtype", "") or ("animal" if name else "")
    if kind and kind not in OBSERVATION_TYPES:
        raise SettingsError(
            f"{where}: {kind} is not an observationType", f"it is {', '.join(OBSERVATION_TYPES)}"
        )
    rank = cells.get("taxonrank", "")
    if rank and rank not in RANKS:
        raise SettingsError(f"{where}: {rank} is not a taxonRank", f"it is {', '.join(RANKS)}")
    further: dict[str, str | Mapping[str, str]] = {
        column: cells[column.lower()] for column in _FURTHER if cells.get(column.lower())
    }
    by_language = {name: cell for name, cell in cells.items() if _LANGUAGE.fullmatch(name) and cell}
    if by_language:
        further["vernacularNames"] = by_language
    return Taxon(kind, name, further)
