"""A sample as a table for a spreadsheet, and what a person wrote into it.

The column `asked` tells the state of the library in which the table was written: its clustering and
its last answer. By it an answer is about the clusters that were shown, and a table that is older
than another answer does not silently take that one back.

Texts that a spreadsheet would run as formulas are guarded as in an export.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import OrganizerError, SettingsError
from organizer.export.spreadsheet import guarded, guarded_path
from organizer.export.target import replace_export
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
"""What stands for yes and no in the column belongs, however it is capitalised."""


@dataclass(frozen=True, slots=True)
class FilledTable:
    """What a person wrote into a table.

    Attributes:
        answers: To be taken, in the order of the lines.
        blank: Lines without an answer.
        differing: Answers that were left out, since something else was said after the table was
            written.
    """

    answers: list[Answer]
    blank: int
    differing: int = 0


def write_review(file: Path, looks: Sequence[ReviewItem], *, store: Store, force: bool) -> None:
    """Write images to look at as CSV (UTF-8 with a mark, commas).

    It is written beside its target and moved there when it is whole.

    Args:
        file: The target.
        looks: The images.
        store: The library.
        force: Whether a file that is there may be replaced; one with answers that were not read in
            never is.

    Raises:
        SettingsError: There is something that may not be replaced, or the place cannot be written.
    """
    place = resolve_output(store, file, option="--out")
    _require_free(place, file, store, force=force)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(REVIEW_COLUMNS)
    last = store.answers.last()
    rows.writerows(_row(look, last) for look in looks)
    try:
        with replace_export(place, force=force) as partial:
            # The mark at the beginning makes spreadsheets read UTF-8.
            partial.write_bytes(text.getvalue().encode("utf-8-sig"))
    except OrganizerError as error:
        raise SettingsError(error.message, "name another file with --out") from error


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
            f"read them: organizer review --in {file}; or remove the file, or name another",
        )


def _not_read_in(file: Path, store: Store) -> int:
    """Answers in a file that would be lost with it; of one that is no such table none."""
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
    """Read the answers that a person wrote into a table.

    Args:
        file: The table.
        store: The library.
        force: Take also the answers that differ from what was said after the table was written.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: The file cannot be read, a line cannot be understood, or two lines contradict
            each other; nothing is taken from such a file.
    """
    require_clustering(store)
    table = csv_tables.read_csv(
        file, hint="organizer review --sample 200 --out FILE makes one to fill in"
    )
    lines = _answers(table, store)
    given = [(answer, asked) for _, answer, asked in lines if answer is not None]
    taken = given if force else _not_overtaken(given, store)
    return FilledTable(
        [answer for answer, _ in taken], len(lines) - len(given), len(given) - len(taken)
    )


def _not_overtaken(given: Sequence[tuple[Answer, int]], store: Store) -> list[tuple[Answer, int]]:
    """Without the answers against which something was said after they were asked for."""
    known, today = answer_summary(store), AnswerTranslator(store)
    found = []
    for answer, asked in given:
        now = today(answer)
        said_later = now.pair is not None and known.number.get(now.pair, 0) > asked
        if now.pair is None or not said_later or known.belongs[now.pair] is now.belongs:
            found.append((answer, asked))
    return found


def _answers(table: CsvTable, store: Store) -> list[tuple[TableRow, Answer | None, int]]:
    """Line by line what is answered, and the last answer when it was asked for."""
    _require_columns(table)
    found = [(line, *_answer(table, line)) for line in table.lines]
    given = [(line, answer) for line, answer, _ in found if answer is not None]
    _require_known(table.file, given, store)
    _require_consistent(table.file, given)
    return found


def _row(look: ReviewItem, last: int) -> list[str | None]:
    return [
        look.image_id,
        guarded_path(str(look.path)),
        str(look.cluster_id),
        guarded(look.cluster_name),
        guarded_path(" | ".join(map(str, look.typical))),
        look.drawn.value,
        "" if look.other_id is None else str(look.other_id),
        f"c{look.clustering_id}-a{last}",
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
    """Every answer is about an image of the library and a cluster that is or was."""
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
    """No two lines say the opposite of each other."""
    first: dict[tuple[str, int], tuple[TableRow, Answer]] = {}
    for line, answer in given:
        pair = (answer.image_id, answer.cluster_id)
        earlier, said_there = first.setdefault(pair, (line, answer))
        if said_there.belongs is not answer.belongs:
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
