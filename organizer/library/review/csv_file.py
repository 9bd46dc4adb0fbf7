"""A sample as a CSV file to be filled in with a spreadsheet, and the answers in it.

The column `asked` holds the state of the library in which the file was written: its clustering and
its last answer. By it an answer is about the clusters that were shown, and a file that is older
than another answer does not silently take that one back.

Texts that a spreadsheet would run as formulas are guarded as in an export.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded, guarded_path
from organizer.library import csv_tables
from organizer.library.csv_tables import CsvTable, TableRow
from organizer.library.current import require_clustering
from organizer.library.output_paths import resolve_output
from organizer.library.review.answers import AnswerTranslator, answer_summary, answers_never_given
from organizer.library.review.sample import ReviewItem
from organizer.store import Answer, SampleKind, Store

REVIEW_COLUMNS = (
    "image_id",
    "path",
    "cluster_id",
    "cluster_name",
    "typical",
    "drawn",
    "other_cluster",
    "asked",
    "belongs",
)
_NEEDED = ("image_id", "cluster_id", "drawn", "belongs")
_ASKED = re.compile(r"c([0-9]{1,18})-a([0-9]{1,18})")
_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)

YES = ("y", "yes", "1", "true", "j", "ja", "wahr")
NO = ("n", "no", "0", "false", "nein", "falsch")
"""The values of yes and no in the column belongs, however they are capitalised."""


@dataclass(frozen=True, slots=True)
class FilledTable:
    """The answers in a table.

    Attributes:
        answers: Those to be stored, in the order of the lines.
        blank: Number of lines without an answer.
        differing: Number of answers that were left out, since another one was given after the
            table was written.
    """

    answers: list[Answer]
    blank: int
    differing: int = 0


def write_review(file: Path, items: Sequence[ReviewItem], *, store: Store, force: bool) -> None:
    """Write a sample as CSV (UTF-8 with a byte order mark, commas).

    It is written beside its target and moved there when it is complete.

    Args:
        file: The target.
        items: The sample.
        store: The library.
        force: Whether a file that is there may be replaced; one with answers that were not read in
            never is.

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    place = resolve_output(store, file, option="--out")
    _require_free(place, file, store, force=force)
    last = store.answers.last()
    csv_tables.write_table(
        place,
        REVIEW_COLUMNS,
        (_row(item, last) for item in items),
        force=force,
        hint="name another file with --out",
    )


def _require_free(place: Path, file: Path, store: Store, *, force: bool) -> None:
    if not place.is_file():
        return
    if not force:
        raise SettingsError(
            f"{file} is there already, maybe with answers in it",
            f"read them: organizer review --in {file}; or --force to write over it",
        )
    left = _not_read_in(place, store)
    if left:
        answers = "an answer that was" if left == 1 else f"{left:,} answers that were"
        raise SettingsError(
            f"{file} holds {answers} not read in, and is not written over",
            f"read them: organizer review --in {file}; or name another file",
        )


def _not_read_in(file: Path, store: Store) -> int:
    """The number of answers that would be lost with a file; 0 for one that is no such table."""
    try:
        table = csv_tables.read_csv(file, hint="")
    except SettingsError:
        return 0
    if any(name not in table.columns for name in _NEEDED):
        return 0
    try:
        answers = [answer for _, answer, _ in _answers(table, store) if answer is not None]
    except SettingsError:
        return sum(bool(line.cell(table.columns["belongs"]).strip()) for line in table.lines)
    return len(answers_never_given(store, answers))


def read_review(file: Path, store: Store, *, force: bool = False) -> FilledTable:
    """Read the answers in a table.

    Args:
        file: The table.
        store: The library.
        force: Take also the answers that differ from later ones.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: The file cannot be read, a line cannot be read, or two lines contradict each
            other; nothing is taken from such a file.
    """
    require_clustering(store)
    table = csv_tables.read_csv(
        file, hint="organizer review --sample 200 --out FILE makes one to fill in"
    )
    lines = _answers(table, store)
    given = [(answer, asked) for _, answer, asked in lines if answer is not None]
    taken = given if force else _without_overruled(given, store)
    return FilledTable(
        [answer for answer, _ in taken], len(lines) - len(given), len(given) - len(taken)
    )


def _without_overruled(
    given: Sequence[tuple[Answer, int]], store: Store
) -> list[tuple[Answer, int]]:
    """The answers without those that differ from one given after the table was written."""
    known, translate = answer_summary(store), AnswerTranslator.read(store)
    found = []
    for answer, asked in given:
        current = translate(answer)
        pair = current.pair
        is_later = pair is not None and known.number.get(pair, 0) > asked
        if pair is None or not is_later or known.belongs[pair] is current.belongs:
            found.append((answer, asked))
    return found


def _answers(table: CsvTable, store: Store) -> list[tuple[TableRow, Answer | None, int]]:
    """Each line with its answer, and the number of the last answer when it was written."""
    _require_columns(table)
    found = [(line, *_answer(table, line)) for line in table.lines]
    given = [(line, answer) for line, answer, _ in found if answer is not None]
    _require_known(table.file, given, store)
    _require_consistent(table.file, given)
    return found


def _row(item: ReviewItem, last: int) -> list[str | None]:
    return [
        item.image_id,
        guarded_path(str(item.path)),
        str(item.cluster_id),
        guarded(item.cluster_name),
        guarded_path(" | ".join(map(str, item.typical))),
        item.drawn.value,
        "" if item.other_id is None else str(item.other_id),
        f"c{item.clustering_id}-a{last}",
        "",
    ]


def _require_columns(table: CsvTable) -> None:
    lacking = [name for name in _NEEDED if name not in table.columns]
    if lacking:
        raise SettingsError(
            f"{table.file} has no column {', '.join(lacking)}",
            "fill in the column belongs and leave the others as organizer review --out wrote them",
        )
    needed = [place for name, place in table.columns.items() if name in {*_NEEDED, "asked"}]
    table.require_single_lines(needed)
    # A path or a name may hold a line break; an image's id is in it where a line was swallowed.
    for line in table.lines:
        for place in range(len(table.header)):
            if line.has_break(place) and _ID.search(line.cell(place)):
                raise table.broken(line, place)


def _answer(table: CsvTable, line: TableRow) -> tuple[Answer | None, int]:
    file, number, at = table.file, line.number, table.columns
    values = {name: line.cell(at[name]).strip().lower() for name in _NEEDED}
    answered = values["belongs"].removesuffix(".0")
    if not answered:
        return None, 0
    if answered not in YES + NO:
        raise SettingsError(
            f"{file} line {number}: {values['belongs']!r} in the column belongs is no answer",
            f"{', '.join(YES)}; {', '.join(NO)}; or nothing where you did not look",
        )
    cluster_id = values["cluster_id"].removesuffix(".0")
    if not re.fullmatch(r"[0-9]{1,18}", cluster_id):
        raise _changed(file, number, "cluster_id", values["cluster_id"])
    if values["drawn"] not in list(SampleKind):
        raise _changed(file, number, "drawn", values["drawn"])
    asked = line.cell(at["asked"]).strip().lower() if "asked" in at else ""
    state = _ASKED.fullmatch(asked or "c0-a0")
    if state is None:
        raise _changed(file, number, "asked", asked)
    answer = Answer(
        image_id=values["image_id"],
        cluster_id=int(cluster_id),
        belongs=answered in YES,
        drawn=SampleKind(values["drawn"]),
        clustering_id=int(state[1]),
    )
    return answer, int(state[2])


def _require_known(file: Path, given: Sequence[tuple[TableRow, Answer]], store: Store) -> None:
    """Make sure that every answer is about an image of the library and a cluster that is or was."""
    ids = [answer.image_id for _, answer in given]
    images = store.photos.facts_of(i for i in ids if i and not set(i) - set("0123456789abcdef"))
    clusters = store.clusterings.origins()
    clusterings = {0, *(c.clustering_id for c in store.clusterings.all())}
    for line, answer in given:
        if answer.image_id not in images:
            raise SettingsError(
                f"{file} line {line.number}: there is no image {answer.image_id[:40]!r} in the "
                "library",
                "is it another library's table? --library names the right one",
            )
        if answer.cluster_id not in clusters:
            raise _changed(file, line.number, "cluster_id", str(answer.cluster_id))
        if answer.clustering_id not in clusterings:
            raise _changed(file, line.number, "asked", f"c{answer.clustering_id}")


def _require_consistent(file: Path, given: Sequence[tuple[TableRow, Answer]]) -> None:
    """Make sure that no two lines contradict each other."""
    first: dict[tuple[str, int], tuple[TableRow, Answer]] = {}
    for line, answer in given:
        pair = (answer.image_id, answer.cluster_id)
        earlier, other = first.setdefault(pair, (line, answer))
        if other.belongs is not answer.belongs:
            raise SettingsError(
                f"{file} lines {earlier.number} and {line.number} contradict each other: one "
                "image, yes and no",
                "leave one of the two answers",
            )


def _changed(file: Path, line: int, column: str, value: str) -> SettingsError:
    return SettingsError(
        f"{file} line {line}: the column {column} holds {value!r}",
        "leave it as organizer review --out wrote it",
    )
