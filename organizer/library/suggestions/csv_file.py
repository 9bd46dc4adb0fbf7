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
from organizer.library.cluster_names import bearers, require_possible_name, typed_name
from organizer.library.corrections.requests import DecisionRequest, MakeCluster, MoveImages
from organizer.library.csv_tables import CsvTable, LeftOutLine, OddLineError, TableRow
from organizer.library.current import require_clustering, unknown_cluster
from organizer.library.output_paths import resolve_output
from organizer.library.photo_paths.lines import read_images
from organizer.library.suggestions.ask import Question
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
_CLUSTER_ID = re.compile(r"[0-9]{1,18}")
_HINT = "organizer suggest --out FILE makes one"


@dataclass(frozen=True, slots=True)
class FilledSuggestions:
    """The decisions in a table.

    Attributes:
        requests: One for each cluster.
        images: The number of images that they are about.
        blank: Lines with neither a name nor a cluster.
        left_out: The lines that cannot be read, or contradict each other.
    """

    requests: list[DecisionRequest]
    images: int
    blank: int
    left_out: tuple[LeftOutLine, ...] = ()


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
        SettingsError: The file cannot be read, is no such table, or none of its lines that name
            something can be read.
    """
    current = require_clustering(store)
    table = csv_tables.read_csv(file, hint=_HINT)
    _require_columns(table)
    targets = _Targets.read(store, store.clusterings.cluster_ids(current.clustering_id))
    named, left_out = _read_targets(table, targets)
    blank = len(table.lines) - len(named) - len(left_out)
    lines = [line for line in table.lines if line.number in named]
    images = read_images(table, lines, store)
    left_out += images.left_out
    given = _consistent([(n, i, named[n]) for n, i in sorted(images.of.items())], left_out)
    csv_tables.require_lines(table.file, left_out, len(given))
    by_target: dict[int | str, list[str]] = {}
    for image_id, target in given.items():
        by_target.setdefault(target, []).append(image_id)
    requests: list[DecisionRequest] = [
        MakeCluster(found, target) if isinstance(target, str) else MoveImages(found, target)
        for target, found in by_target.items()
    ]
    return FilledSuggestions(requests, len(given), blank, tuple(left_out))


def _read_targets(
    table: CsvTable, targets: _Targets
) -> tuple[dict[int, int | str], list[LeftOutLine]]:
    """The target of each line that names one, by its number; and the lines that are left out."""
    named: dict[int, int | str] = {}
    new_names: dict[str, str] = {}
    left_out: list[LeftOutLine] = []
    for line in table.lines:
        try:
            target = targets.of(table, line)
        except OddLineError as error:
            left_out.append(error.of(line.number))
            continue
        if isinstance(target, str):  # one new cluster, in whichever case its name is typed
            target = new_names.setdefault(target.casefold(), target)
        if target is not None:
            named[line.number] = target
    return named, left_out


def _consistent(
    lines: Sequence[tuple[int, str, int | str]], left_out: list[LeftOutLine]
) -> dict[str, int | str]:
    """The target of each image; lines that contradict each other are all left out."""
    targets: dict[str, dict[int | str, int]] = {}
    for number, image_id, target in lines:
        targets.setdefault(image_id, {}).setdefault(target, number)
    for number, image_id, _ in lines:
        if len(targets[image_id]) > 1:
            first, second, *_ = targets[image_id].values()
            why = f"lines {first} and {second} contradict each other: one image, two names"
            left_out.append(LeftOutLine(number, why, "leave one of the two lines"))
    return {image_id: next(iter(found)) for image_id, found in targets.items() if len(found) == 1}


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
            raise OddLineError(
                f"{typed[:40]!r} is no id of a cluster",
                "organizer clusters lists the clusters by id",
            )
        return None if self._is_emptied(table, line, cluster_id) else self._known(cluster_id)

    def _named(self, name: str, cluster_id: int | None) -> int | str:
        found = bearers(name, self.names)
        if len(found) == 1:
            return found[0]
        if cluster_id is None or (cluster_id, name.casefold()) not in self.former:
            return _new_name(name)
        # It was renamed, merged or retired since; or two names differ in case alone.
        return self._known(cluster_id)

    def _known(self, cluster_id: int) -> int:
        if cluster_id not in self.ids:
            error = unknown_cluster(self.store, self.ids, self.retired, cluster_id)
            raise OddLineError(error.message, error.hint)
        return cluster_id

    def _is_emptied(self, table: CsvTable, line: TableRow, cluster_id: int) -> bool:
        """Whether a line is a suggestion whose name was emptied."""
        if "guess" not in table.columns:
            return False
        guess = typed_name(unguarded(line.cell(table.columns["guess"])))
        was_called = (cluster_id, guess.casefold()) in self.former
        return was_called or cluster_id in bearers(guess, self.names)


def _new_name(name: str) -> str:
    try:
        return require_possible_name(name)
    except SettingsError as error:
        raise OddLineError(error.message, error.hint) from error


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
