"""A sample as a table for a spreadsheet, and what a person wrote into it.

Spreadsheets change what they save: the separator, the ends of lines, the encoding, `true` into
`WAHR`, 3 into 3.0. All of that is read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.current import require_clustering
from organizer.library.reviewing import Look
from organizer.store import Answer, Drawn, Store

COLUMNS = (
    "image_id",
    "path",
    "cluster_id",
    "cluster_name",
    "typical",
    "drawn",
    "other_cluster",
    "belongs",
)
_NEEDED = ("image_id", "cluster_id", "drawn", "belongs")

YES = ("y", "yes", "1", "true", "j", "ja", "wahr")
NO = ("n", "no", "0", "false", "nein", "falsch")
"""What stands for yes and no in the column belongs, however it is capitalised."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a person wrote into a table.

    Attributes:
        answers: In the order of the lines.
        blank: Lines without an answer.
    """

    answers: list[Answer]
    blank: int


def write(file: Path, looks: Sequence[Look], *, force: bool) -> None:
    """Write images to look at as CSV (UTF-8 with a mark, commas).

    Raises:
        SettingsError: The file is there, or cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    rows.writerows(_row(look) for look in looks)
    # The mark at the beginning makes spreadsheets read UTF-8; "x" never takes what is there.
    data = text.getvalue().encode("utf-8-sig")
    try:
        with file.expanduser().open("wb" if force else "xb") as to:
            to.write(data)
    except FileExistsError as error:
        raise SettingsError(
            f"{file} is there already, maybe with answers in it",
            f"read them: organizer review --in {file}; or --force to write over it",
        ) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: ~nobody
        raise SettingsError(
            f"cannot write {file}: {getattr(error, 'strerror', None) or error}",
            "name another file with --out",
        ) from error


def read(file: Path, store: Store) -> Filled:
    """Read the answers that a person wrote into a table.

    Raises:
        ClusteringError: There is no clustering yet.
        SettingsError: The file cannot be read, or a line cannot be understood; nothing is taken
            from such a file.
    """
    require_clustering(store)
    text = _text(file)
    # Excel begins a file with this line where its separator is not the usual one.
    skipped = 1 if text.lower().startswith("sep=") else 0
    text = text.split("\n", skipped)[-1]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        at = _columns(next(rows, []), file)
        table = [(rows.line_num + skipped, row) for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        raise SettingsError(
            f"{file} line {rows.line_num + skipped} is not CSV: {error}",
            "look for an unclosed quote",
        ) from error
    filled = [_answer(file, line, row, at) for line, row in table]
    answers = [answer for answer in filled if answer is not None]
    _require_known(file, [(line, filled[i]) for i, (line, _) in enumerate(table)], store)
    return Filled(answers, len(table) - len(answers))


def _row(look: Look) -> list[str]:
    return [
        look.image_id,
        str(look.path),
        str(look.cluster_id),
        look.cluster_name or "",
        " | ".join(map(str, look.typical)),
        look.drawn.value,
        "" if look.other_id is None else str(look.other_id),
        "" if look.belongs is None else ("yes" if look.belongs else "no"),
    ]


def _text(file: Path) -> str:
    try:
        data = file.expanduser().read_bytes()
    except (OSError, RuntimeError) as error:  # RuntimeError: ~nobody
        raise SettingsError(
            f"cannot read {file}: {getattr(error, 'strerror', None) or error}",
            "organizer review --sample 200 --out FILE makes one to be filled in",
        ) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise SettingsError(f"{file} is no text", "save it as CSV")


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _columns(header: Sequence[str], file: Path) -> dict[str, int]:
    at = {name.strip().lower(): place for place, name in enumerate(header)}
    lacking = [name for name in _NEEDED if name not in at]
    if lacking:
        raise SettingsError(
            f"{file} has no column {', '.join(lacking)}",
            "fill in the column belongs and leave the others as organizer review --out wrote them",
        )
    return at


def _answer(file: Path, line: int, row: Sequence[str], at: dict[str, int]) -> Answer | None:
    values = {
        name: row[at[name]].strip().lower() if at[name] < len(row) else "" for name in _NEEDED
    }
    said = values["belongs"].removesuffix(".0")
    if not said:
        return None
    if said not in YES + NO:
        raise SettingsError(
            f"{file} line {line}: {values['belongs']!r} in the column belongs is no answer",
            f"{', '.join(YES)}; {', '.join(NO)}; or nothing where you did not look",
        )
    cluster_id = values["cluster_id"].removesuffix(".0")
    if not cluster_id.isdecimal():
        raise _changed(file, line, "cluster_id", values["cluster_id"])
    if values["drawn"] not in list(Drawn):
        raise _changed(file, line, "drawn", values["drawn"])
    return Answer(values["image_id"], int(cluster_id), said in YES, Drawn(values["drawn"]))


def _require_known(file: Path, answers: Sequence[tuple[int, Answer | None]], store: Store) -> None:
    """Every answer is about an image of the library and a cluster that is or was."""
    given = [(line, answer) for line, answer in answers if answer is not None]
    ids = [answer.image_id for _, answer in given]
    images = store.photos.facts_of(i for i in ids if i and not set(i) - set("0123456789abcdef"))
    clusters = store.clusterings.origins()
    for line, answer in given:
        if answer.image_id not in images:
            raise SettingsError(
                f"{file} line {line}: there is no image {answer.image_id[:40]!r} in the library",
                "is it another library's table? --library names the right one",
            )
        if answer.cluster_id not in clusters:
            raise _changed(file, line, "cluster_id", str(answer.cluster_id))


def _changed(file: Path, line: int, column: str, value: str) -> SettingsError:
    return SettingsError(
        f"{file} line {line}: the column {column} holds {value!r}",
        "leave it as organizer review --out wrote it",
    )
