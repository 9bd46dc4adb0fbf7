"""Write a plan as a CSV table that a person can edit in a spreadsheet, and read it back.

One line per file. Every line holds all that the plan needs, so that lines may be sorted, filtered
and deleted. A deleted line is not done, nor is one whose `do` is ``leave``; an edited target is
accepted if it is as safe as a planned one.

Spreadsheets round long numbers, so values that must stay exact have a prefix: ``ns:``, ``id:``.
Text that a spreadsheet would run as a formula (``= + - @``) is escaped.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from organizer import atomic
from organizer.arrange import names
from organizer.arrange.sidecars import split_stem
from organizer.arrange.types import ArrangeMode, ArrangePlan, ArrangeStep, LeftFile
from organizer.errors import SettingsError

PLAN_COLUMNS = (
    "source", "target", "why", "do", "cluster", "cluster_folder", "image", "size", "mtime", "to",
    "file_hash", "picture_hash",
)  # fmt: skip
"""The header. `do` is the mode, "there" or "leave"; `image` is the image, empty for a sidecar; the
hashes are those of the file and of its picture."""

_THERE, _LEAVE = "there", "leave"
_NEEDED = ("source", "target", "do", "image", "size", "mtime", "to")
_RUNS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"-?[0-9]{1,25}")
_IMAGE = re.compile(r"id:[0-9a-f]{32}")
_BREAK = re.compile(r"\r\n|\r|\n")
_HINT = "make a new one: organizer arrange --plan FILE"


def write_plan(plan: ArrangePlan, file: Path, *, over: bool = False) -> Path:
    """Write a plan atomically, as UTF-8 with the byte order mark that Excel needs.

    Args:
        plan: The plan.
        file: Where to.
        over: Whether an existing file is replaced.

    Raises:
        FileExistsError: The file exists and `over` is False.
        OSError: It cannot be written.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    rows.writerow(PLAN_COLUMNS)
    rows.writerows(_step_row(plan, step, plan.mode) for step in plan.steps)
    rows.writerows(_step_row(plan, step, _THERE) for step in plan.there)
    rows.writerows(_left_row(plan, item) for item in plan.left)
    data = text.getvalue().encode("utf-8", "backslashreplace")
    return atomic.write_atomically(file, b"\xef\xbb\xbf" + data, over=over)


def read_plan(file: Path) -> ArrangePlan:
    """Read a plan that a person may have edited.

    Raises:
        SettingsError: It cannot be read, is not a plan, or a line is invalid: a target outside the
            folder, the same target twice, a name that is not valid on every system. The message
            names the line.
    """
    lines = list(_lines(file, _text(file)))
    if not lines:
        raise SettingsError(f"{file} has no lines", _HINT)
    rows = [_Row(file, number, cells) for number, cells in lines]
    to = _one(file, {row["to"] for row in rows}, "to")
    if not Path(to).is_absolute():
        raise rows[0].refused(f"the folder {to!r} in the column to is not absolute", _HINT)
    modes = {row["do"].strip().lower() for row in rows} - {_THERE, _LEAVE, ""}
    mode = ArrangeMode(_one(file, modes, "do")) if modes <= {*ArrangeMode} and modes else None
    if modes and mode is None:
        valid = ", ".join([*ArrangeMode, _THERE, _LEAVE])
        raise SettingsError(
            f"{file}: {', '.join(sorted(modes - {*ArrangeMode}))} cannot be in the column do",
            f"it can be {valid}",
        )
    return _plan(Path(to), mode or ArrangeMode.LINK, rows)


class _Row:
    """A line of a plan."""

    def __init__(self, file: Path, number: int, cells: Mapping[str, str]) -> None:
        self.file, self.number, self._cells = file, number, cells

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column, "")

    def refused(self, why: str, hint: str) -> SettingsError:
        return SettingsError(f"{self.file} line {self.number}: {why}", hint)

    def whole_number(self, column: str, prefix: str = "") -> int:
        text = self[column].strip()
        digits = text.removeprefix(prefix)
        if not (text.startswith(prefix) and _NUMBER.fullmatch(digits)):
            raise self.refused(f"{text!r} cannot be in the column {column}", _HINT)
        return int(digits)


def _plan(to: Path, mode: ArrangeMode, rows: Sequence[_Row]) -> ArrangePlan:
    steps: list[ArrangeStep] = []
    there: list[ArrangeStep] = []
    left: list[LeftFile] = []
    lines: dict[str, int] = {}
    for row in rows:
        do = row["do"].strip().lower()
        if do in {_LEAVE, ""}:
            why = row["why"] if not row["target"] else "left out in the edited plan"
            left.append(LeftFile(Path(row["source"]), why, _image_id(row)))
            continue
        step = _step(row, to)
        key = names.name_key(str(step.target))
        if key in lines:
            why = f"it has the target of line {lines[key]}, {step.target}"
            raise row.refused(why, "give each its own target (systems differ in capitals)")
        lines[key] = row.number
        (there if do == _THERE else steps).append(step)
    _require_no_file_above(to, steps, rows)
    _require_no_source_at(steps, lines, rows)
    if mode is ArrangeMode.MOVE:
        _require_moved_once(steps, lines, rows)
    return ArrangePlan(to, mode, tuple(steps), tuple(there), tuple(left))


def _step(row: _Row, to: Path) -> ArrangeStep:
    source = Path(row["source"])
    if not source.is_absolute():
        raise row.refused(f"the source {row['source']!r} is not absolute", _HINT)
    inside = _inside(row, source, to)
    target = to.joinpath(*inside)
    if names.is_too_long(str(target)):
        raise row.refused(f"{target} is too long a path for Windows", "write a shorter name")
    folder = row["cluster_folder"].removeprefix("./")
    parts = folder.split("/") if folder else []
    return ArrangeStep(
        source,
        target,
        row["why"],
        _image_id(row),
        row.whole_number("cluster") if row["cluster"].strip() else None,
        row.whole_number("size"),
        row.whole_number("mtime", "ns:"),
        folder if list(inside[:-1][: len(parts)]) == parts else "",
        _hash(row, "file_hash"),
        _hash(row, "picture_hash"),
    )


def _inside(row: _Row, source: Path, to: Path) -> tuple[str, ...]:
    """The target as names below the folder, as safe as those of a planned one."""
    text = row["target"]
    if not text.strip():
        raise row.refused("it has no target", "write leave in the column do, or delete the line")
    inside = _below(text, to)
    if not inside or ".." in inside:
        raise row.refused(f"{text} is not inside {to}", "a target stays inside the folder")
    for name in inside:
        if not names.is_safe_name(name):
            raise row.refused(
                f"the name {name!r} is not valid on every system",
                f"write {names.safe_name(name)!r}",
            )
    suffix = split_stem(source.name)[1]
    if split_stem(inside[-1])[1].lower() != suffix.lower():
        raise row.refused(
            f"{inside[-1]} does not end in {suffix} as its source does",
            "keep the suffix: programs rely on it",
        )
    return inside


def _below(text: str, to: PurePath) -> tuple[str, ...]:
    """The names of a path below a folder; empty where it is not below."""
    top = f"{to}{os.sep}"
    if text.startswith(top) and os.altsep is None:  # the usual case, and faster than with paths
        inside = tuple(text.removeprefix(top).split("/"))
        if all(inside) and "." not in inside:
            return inside
    try:
        return (to / text).relative_to(to).parts
    except ValueError:
        return ()


def _require_no_file_above(to: Path, steps: Sequence[ArrangeStep], rows: Sequence[_Row]) -> None:
    """Refuse a target that is a folder of another."""
    parents = {step.target.parent for step in steps}
    above = {folder for parent in parents for folder in (parent, *parent.parents)}
    folders = {names.name_key(str(folder)) for folder in above if folder.is_relative_to(to)}
    for step in steps:
        if names.name_key(str(step.target)) in folders:
            raise SettingsError(
                f"{rows[0].file}: {step.target} would be both a file and a folder of other targets",
                "give it another name",
            )


def _require_no_source_at(
    steps: Sequence[ArrangeStep], lines: Mapping[str, int], rows: Sequence[_Row]
) -> None:
    """Refuse a target at the place of a source: the result would depend on the order."""
    sources = {names.name_key(str(step.source)) for step in steps}
    for step in steps:
        key = names.name_key(str(step.target))
        if key in sources and (
            key != names.name_key(str(step.source)) or step.target == step.source
        ):
            raise SettingsError(
                f"{rows[0].file} line {lines[key]}: {step.target} is also a source of the plan",
                "give it another name, or arrange that source first, with a plan of its own",
            )


def _require_moved_once(
    steps: Sequence[ArrangeStep], lines: Mapping[str, int], rows: Sequence[_Row]
) -> None:
    """Refuse a file that is moved to two places."""
    first: dict[Path, int] = {}
    for step in steps:
        line = lines[names.name_key(str(step.target))]
        if first.setdefault(step.source, line) != line:
            raise SettingsError(
                f"{rows[0].file} line {line}: {step.source} is moved in line "
                f"{first[step.source]} already",
                "delete one of the lines; a file can be in two folders as a link or a copy",
            )


def _image_id(row: _Row) -> str:
    return _hash(row, "image")


def _hash(row: _Row, column: str) -> str:
    text = row[column].strip()
    if text and not _IMAGE.fullmatch(text):
        raise row.refused(f"{text!r} cannot be in the column {column}", _HINT)
    return text.removeprefix("id:")


def _step_row(plan: ArrangePlan, step: ArrangeStep, do: str) -> tuple[object, ...]:
    return (
        step.source,
        step.target,
        _guarded(step.why),
        do,
        "" if step.cluster_id is None else step.cluster_id,
        f"./{step.cluster_folder}" if step.cluster_folder else "",
        f"id:{step.image_id}" if step.image_id else "",
        step.size,
        f"ns:{step.mtime_ns}",
        plan.to,
        f"id:{step.file_hash}" if step.file_hash else "",
        f"id:{step.picture_hash}" if step.picture_hash else "",
    )


def _left_row(plan: ArrangePlan, item: LeftFile) -> tuple[object, ...]:
    image = f"id:{item.image_id}" if item.image_id else ""
    return (item.source, "", _guarded(item.why), _LEAVE, "", "", image, "", "", plan.to, "", "")


def _guarded(text: str) -> str:
    return f"'{text}" if text.lstrip("'").startswith(_RUNS) else text


def _one(file: Path, values: set[str], column: str) -> str:
    """The value that all lines share."""
    if len(values) != 1:
        several = ", ".join(sorted(values)[:3])
        raise SettingsError(
            f"{file}: the column {column} has more than one value: {several}", _HINT
        )
    return next(iter(values))


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror or error}", _HINT) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):  # Excel's "CSV" is the last
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if "\0" not in text:
                return text
    raise SettingsError(f"{file} is not a text file", "save it as CSV in UTF-8")


def _lines(file: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines that are not empty, by the names of the columns, with their line numbers."""
    first, *rest = _BREAK.split(text, maxsplit=1)
    begins = 1
    if re.fullmatch(r'"?sep=."?', first.strip(), re.IGNORECASE) and rest:
        text, begins = rest[0], 2
        first = _BREAK.split(text, maxsplit=1)[0]
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    skipped = begins - 1
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if any(name not in header for name in _NEEDED):
            raise SettingsError(f"{file} is not a plan of an arrangement", _HINT)
        begins = rows.line_num + skipped + 1
        for row in rows:
            if any(map(str.strip, row)):
                yield begins, dict(zip(header, row, strict=False))
            begins = rows.line_num + skipped + 1
    except csv.Error as error:
        raise SettingsError(
            f"{file} line {begins} is not CSV: {error}", "look for an unclosed quote"
        ) from error
