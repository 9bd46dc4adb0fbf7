"""A sample as a CSV file to be filled in with a spreadsheet, and the answers in it.

The column `asked` holds the state of the library in which the file was written: its clustering and
its last answer. By it an answer is about the clusters that were shown, and a file that is older
than another answer does not silently take that one back.

Texts that a spreadsheet would run as formulas are guarded as in an export.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.export.spreadsheet import guarded, guarded_path
from organizer.library import csv_tables
from organizer.library.csv_tables import CsvTable, LeftOutLine, OddLineError, TableRow
from organizer.library.current import require_clustering
from organizer.library.output_paths import resolve_output
from organizer.library.photo_paths.lines import read_images
from organizer.library.review.answers import AnswerTranslator, answer_summary, answers_never_given
from organizer.library.review.sample import ReviewItem
from organizer.store import Answer, SampleKind, Store
from organizer.typed import as_typed

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
        left_out: The lines that cannot be read, or contradict each other.
    """

    answers: list[Answer]
    blank: int
    differing: int = 0
    left_out: tuple[LeftOutLine, ...] = ()


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
            f"read them: organizer review --in {as_typed(file)}; or --force to write over it",
        )
    left = _not_read_in(place, store)
    if left:
        answers = "an answer that was" if left == 1 else f"{left:,} answers that were"
        raise SettingsError(
            f"{file} holds {answers} not read in, and is not written over",
            f"read them: organizer review --in {as_typed(file)}; or name another file",
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
        read = _read_lines(table, store)
    except SettingsError:
        return sum(bool(line.cell(table.columns["belongs"]).strip()) for line in table.lines)
    return len(answers_never_given(store, [answer for answer, _ in read.given])) + len(
        read.left_out
    )


def read_review(file: Path, store: Store, *, force: bool = False) -> FilledTable:
    """Read the answers in a table.

    Args:
        file: The table.
        store: The library.
        force: Take also the answers that differ from later ones.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: The file cannot be read, is no such table, or none of its answers can be
            read.
    """
    require_clustering(store)
    table = csv_tables.read_csv(
        file, hint="organizer review --sample 200 --out FILE makes one to fill in"
    )
    read = _read_lines(table, store)
    csv_tables.require_lines(table.file, read.left_out, len(read.given))
    taken = read.given if force else _without_overruled(read.given, store)
    return FilledTable(
        [answer for answer, _ in taken],
        read.blank,
        len(read.given) - len(taken),
        tuple(read.left_out),
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


@dataclass(slots=True)
class _ReadLines:
    """The lines of a table.

    Attributes:
        given: The answers, each with the number of the last one when it was written.
        blank: Number of lines without an answer.
        left_out: Those that cannot be read, or contradict each other.
    """

    given: list[tuple[Answer, int]]
    blank: int
    left_out: list[LeftOutLine]


def _read_lines(table: CsvTable, store: Store) -> _ReadLines:
    _require_columns(table)
    answered = [n for n in table.lines if n.cell(table.columns["belongs"]).strip()]
    images = read_images(table, answered, store)
    left_out = images.left_out
    known = _Known.read(store)
    found: list[tuple[int, Answer, int]] = []
    for line in answered:
        if line.number in images.of:
            try:
                found.append((line.number, *_answer(table, line, images.of[line.number], known)))
            except OddLineError as error:
                left_out.append(error.of(line.number))
    given = _consistent(found, left_out)
    return _ReadLines(given, len(table.lines) - len(answered), left_out)


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


@dataclass(frozen=True, slots=True)
class _Known:
    """The clusters that are or were, and the clusterings."""

    clusters: Container[int]
    clusterings: Container[int]

    @classmethod
    def read(cls, store: Store) -> _Known:
        ids = (clustering.clustering_id for clustering in store.clusterings.all())
        return cls(store.clusterings.origins(), {0, *ids})


def _answer(table: CsvTable, line: TableRow, image_id: str, known: _Known) -> tuple[Answer, int]:
    """The answer of a line, and the number of the last answer when it was written.

    Raises:
        OddLineError: It cannot be read.
    """
    at = table.columns
    values = {name: line.cell(at[name]).strip().lower() for name in _NEEDED}
    answered = values["belongs"].removesuffix(".0")
    if answered not in YES + NO:
        raise OddLineError(
            f"{values['belongs']!r} in the column belongs is no answer",
            f"{', '.join(YES)}; {', '.join(NO)}; or nothing where you did not look",
        )
    cluster_id = values["cluster_id"].removesuffix(".0")
    is_id = re.fullmatch(r"[0-9]{1,18}", cluster_id) is not None
    if not is_id or int(cluster_id) not in known.clusters:
        raise _changed("cluster_id", values["cluster_id"])
    if values["drawn"] not in list(SampleKind):
        raise _changed("drawn", values["drawn"])
    asked = line.cell(at["asked"]).strip().lower() if "asked" in at else ""
    state = _ASKED.fullmatch(asked or "c0-a0")
    if state is None or int(state[1]) not in known.clusterings:
        raise _changed("asked", asked)
    answer = Answer(
        image_id=image_id,
        cluster_id=int(cluster_id),
        belongs=answered in YES,
        drawn=SampleKind(values["drawn"]),
        clustering_id=int(state[1]),
    )
    return answer, int(state[2])


def _consistent(
    found: Sequence[tuple[int, Answer, int]], left_out: list[LeftOutLine]
) -> list[tuple[Answer, int]]:
    """The answers without those that contradict each other: which is meant is not known."""
    said: dict[tuple[str, int], dict[bool, int]] = {}
    for number, answer, _ in found:
        pair = (answer.image_id, answer.cluster_id)
        said.setdefault(pair, {}).setdefault(answer.belongs, number)
    given = []
    for number, answer, asked in found:
        lines = said[answer.image_id, answer.cluster_id]
        if len(lines) == 1:
            given.append((answer, asked))
            continue
        first, second = sorted(lines.values())
        why = f"lines {first} and {second} contradict each other: one image, yes and no"
        left_out.append(LeftOutLine(number, why, "leave one of the two answers"))
    return given


def _changed(column: str, value: str) -> OddLineError:
    return OddLineError(
        f"the column {column} holds {value!r}", "leave it as organizer review --out wrote it"
    )
