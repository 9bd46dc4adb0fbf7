"""Suggestions and questions as a CSV file for a spreadsheet, and the names in it.

Every line that has a name, or else a cluster's id, is a decision; a line with neither is left out.
So of suggestions a person deletes or changes what is wrong, and of questions fills in what is
known. A suggestion whose name a person emptied is left out too: its id is organizer's, not theirs.
A name that no cluster has makes a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.cluster.decisions import compile_constraints
from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded, guarded_path, unguarded
from organizer.library import csv_tables
from organizer.library.corrections.names import typed_name
from organizer.library.corrections.requests import DecisionRequest, MakeCluster, MoveImages
from organizer.library.csv_tables import CsvTable, TableRow
from organizer.library.current import require_clustering, unknown_cluster
from organizer.library.output_paths import resolve_output
from organizer.library.suggestions.ask import Question
from organizer.library.suggestions.names import bearers
from organizer.library.suggestions.propose import Suggestion
from organizer.store import Store

SUGGESTION_COLUMNS = (
    "path",
    "image_id",
    "name",
    "cluster_id",
    "confidence",
    "current_cluster",
    "guess",
)
_NEEDED = ("image_id", "name", "cluster_id")
_ID = re.compile(r"[0-9a-f]{32}")
_CLUSTER_ID = re.compile(r"[0-9]{1,18}")
_HINT = "organizer suggest --out FILE makes one"


@dataclass(frozen=True, slots=True)
class FilledSuggestions:
    """The decisions in a table.

    Attributes:
        requests: One for each cluster.
        images: The number of images that they are about.
        blank: Lines with neither a name nor a cluster.
    """

    requests: list[DecisionRequest]
    images: int
    blank: int


def write_suggestions(
    file: Path, items: Sequence[Suggestion | Question], *, store: Store, force: bool
) -> None:
    """Write suggestions or questions as CSV (UTF-8 with a byte order mark, commas).

    Args:
        file: The target.
        items: The suggestions, with their names filled in, or the questions, without.
        store: The library.
        force: Whether a file that is there may be replaced.

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    place = resolve_output(store, file, option="--out")
    if place.is_file() and not force:
        raise SettingsError(
            f"{file} is there already, maybe with names in it",
            f"read them: organizer suggest --accept {file}; or --force to write over it",
        )
    csv_tables.write_table(
        place,
        SUGGESTION_COLUMNS,
        map(_row, items),
        force=force,
        hint="name another file with --out",
    )


def read_suggestions(file: Path, store: Store) -> FilledSuggestions:
    """Read the names in a table, as decisions.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: The file cannot be read, a line cannot be understood, or two lines contradict
            each other; nothing is taken from such a file.
    """
    current = require_clustering(store)
    table = csv_tables.read_csv(file, hint=_HINT)
    _require_columns(table)
    ids = store.clusterings.cluster_ids(current.clustering_id)
    given, blank = _read_lines(table, _Targets.read(store, ids))
    _require_known(table.file, given, store)
    images: dict[int | str, list[str]] = {}
    for image_id, (_, target) in given.items():
        images.setdefault(target, []).append(image_id)
    requests: list[DecisionRequest] = [
        MakeCluster(found, target) if isinstance(target, str) else MoveImages(found, target)
        for target, found in images.items()
    ]
    return FilledSuggestions(requests, len(given), blank)


def _read_lines(table: CsvTable, targets: _Targets) -> tuple[dict[str, tuple[int, int | str]], int]:
    """The line and target of each image, and the number of lines that name none."""
    given: dict[str, tuple[int, int | str]] = {}
    new_names: dict[str, str] = {}
    blank = 0
    for line in table.lines:
        target = targets.of(table, line)
        if target is None:
            blank += 1
            continue
        if isinstance(target, str):  # one new cluster, in whichever case its name is typed
            target = new_names.setdefault(target.casefold(), target)
        earlier, other = given.setdefault(_image_id(table, line), (line.number, target))
        if other != target:
            raise SettingsError(
                f"{table.file} lines {earlier} and {line.number} contradict each other: one image, "
                "two names",
                "leave one of the two lines",
            )
    return given, blank


@dataclass(frozen=True, slots=True)
class _Targets:
    """The clusters that a line may name.

    Attributes:
        store: The library.
        ids: The current clusters.
        names: Their names.
        former: Names that clusters have or had, with the cluster, in one case.
        retired: Clusters that are no more.
    """

    store: Store
    ids: Sequence[int]
    names: Mapping[int, str]
    former: frozenset[tuple[int, str]]
    retired: frozenset[int]

    @classmethod
    def read(cls, store: Store, ids: Sequence[int]) -> _Targets:
        decisions = store.decisions.current()
        constraints = compile_constraints(decisions)
        here = set(ids)
        names = {i: name for i, name in constraints.names.items() if i in here}
        former = frozenset((d.cluster_id, d.name.casefold()) for d in decisions if d.name)
        return cls(store, ids, names, former, constraints.retired)

    def of(self, table: CsvTable, line: TableRow) -> int | str | None:
        """The cluster of a line, the name of a new one, or None where it names neither."""
        name = typed_name(unguarded(line.cell(table.columns["name"])))
        typed = line.cell(table.columns["cluster_id"]).strip().removesuffix(".0")
        cluster_id = int(typed) if _CLUSTER_ID.fullmatch(typed) else None
        if name:
            return self._named(name, cluster_id)
        if not typed:
            return None
        if cluster_id is None:
            raise SettingsError(
                f"{table.file} line {line.number}: {typed[:40]!r} is no id of a cluster",
                "organizer clusters lists the clusters by id",
            )
        return None if self._is_emptied(table, line, cluster_id) else self._known(cluster_id)

    def _named(self, name: str, cluster_id: int | None) -> int | str:
        found = bearers(name, self.names)
        if len(found) == 1:
            return found[0]
        if cluster_id is None or (cluster_id, name.casefold()) not in self.former:
            return name
        # It was renamed, merged or retired since; or two names differ in case alone.
        return self._known(cluster_id)

    def _known(self, cluster_id: int) -> int:
        if cluster_id not in self.ids:
            raise unknown_cluster(self.store, self.ids, self.retired, cluster_id)
        return cluster_id

    def _is_emptied(self, table: CsvTable, line: TableRow, cluster_id: int) -> bool:
        """Whether a line is a suggestion whose name was emptied."""
        if "guess" not in table.columns:
            return False
        guess = typed_name(unguarded(line.cell(table.columns["guess"])))
        was_called = (cluster_id, guess.casefold()) in self.former
        return was_called or cluster_id in bearers(guess, self.names)


def _row(item: Suggestion | Question) -> list[str | None]:
    if isinstance(item, Question):
        name, cluster_id, guess = "", "", item.guess_name or ""
    else:
        name, cluster_id, guess = item.name, str(item.cluster_id), item.name
    return [
        guarded_path(str(item.path)),
        item.image_id,
        guarded(name),
        cluster_id,
        "" if item.confidence is None else f"{item.confidence:.3f}",
        "" if item.current is None else str(item.current),
        guarded(guess),
    ]


def _require_columns(table: CsvTable) -> None:
    lacking = [name for name in _NEEDED if name not in table.columns]
    if lacking:
        raise SettingsError(f"{table.file} has no column {', '.join(lacking)}", _HINT)
    table.require_single_lines(table.columns[name] for name in _NEEDED)


def _image_id(table: CsvTable, line: TableRow) -> str:
    found = line.cell(table.columns["image_id"]).strip().lower()
    if not _ID.fullmatch(found):
        raise SettingsError(
            f"{table.file} line {line.number}: {found[:40]!r} is no image's id",
            "leave the column image_id as organizer suggest --out wrote it",
        )
    return found


def _require_known(file: Path, given: Mapping[str, tuple[int, int | str]], store: Store) -> None:
    known = store.photos.facts_of(given)
    for image_id, (number, _) in given.items():
        if image_id not in known:
            raise SettingsError(
                f"{file} line {number}: there is no image {image_id!r} in the library",
                "is it another library's table? --library names the right one",
            )
