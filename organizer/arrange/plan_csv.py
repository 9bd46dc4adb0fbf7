"""Write a plan as a CSV table that a person can edit in a spreadsheet, and read it back.

One line per file. Every line holds all that the plan needs, so that lines may be sorted, filtered
and deleted. A deleted line is not done, nor is one whose `do` is ``leave``; an edited target is
accepted if it is as safe as a planned one. A line that cannot be applied is left out with its
reason, and so are the lines of the files that belong to its photo; the others are applied.

Spreadsheets round long numbers, so values that must stay exact have a prefix: ``ns:``, ``id:``.
Text that a spreadsheet would run as a formula (``= + - @``) is escaped.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath

from organizer import atomic
from organizer.arrange import names
from organizer.arrange.types import ArrangeMode, ArrangePlan, ArrangeStep, LeftFile
from organizer.companions import find_companions, split_name, title_in
from organizer.errors import SettingsError
from organizer.spelling import name_key

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

    A line with a target outside the folder, or that is not valid on every system, is left out; so
    are lines with one target, and others that contradict each other.

    Raises:
        SettingsError: It cannot be read, is not a plan, or not one of its lines can be applied; the
            message names the first.
    """
    lines = list(_lines(file, _text(file)))
    if not lines:
        raise SettingsError(f"{file} has no lines", _HINT)
    rows = [_Row(file, number, cells) for number, cells in lines]
    odd = _OddRows(rows)
    to = odd.most_common("to", lambda row: row["to"])
    if not Path(to).is_absolute():
        raise rows[0].refused(f"the folder {to!r} in the column to is not absolute", _HINT)
    for row in rows:
        if _do(row) not in {*ArrangeMode, _THERE, _LEAVE, ""}:
            valid = ", ".join([*ArrangeMode, _THERE, _LEAVE])
            odd.refuse(row, f"{_do(row)[:40]} cannot be in the column do", f"it can be {valid}")
    doing = [row for row in odd.rest() if _do(row) in {*ArrangeMode}]
    mode = odd.most_common("do", _do, doing) if doing else ArrangeMode.LINK
    return _plan(Path(to), ArrangeMode(mode), rows, odd)


def _do(row: _Row) -> str:
    return row["do"].strip().lower()


class _Row:
    """A line of a plan."""

    def __init__(self, file: Path, number: int, cells: Mapping[str, str]) -> None:
        self.file, self.number, self._cells = file, number, cells

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column, "")

    @property
    def folder_and_name(self) -> tuple[str, str]:
        return os.path.split(self["source"])

    def refused(self, why: str, hint: str) -> SettingsError:
        return SettingsError(f"{self.file} line {self.number}: {why}", hint)

    def whole_number(self, column: str, prefix: str = "") -> int:
        text = self[column].strip()
        digits = text.removeprefix(prefix)
        if not (text.startswith(prefix) and _NUMBER.fullmatch(digits)):
            raise _OddRowError(f"{text[:40]!r} cannot be in the column {column}", _HINT)
        return int(digits)


class _OddRowError(Exception):
    """Why a line cannot be applied, and what to do."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


class _OddRows:
    """The lines of a plan that cannot be applied, with their reasons."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows = rows
        self._why: dict[int, tuple[str, str]] = {}

    def refuse(self, row: _Row, why: str, hint: str) -> None:
        """Leave a line out; of several reasons the first is told."""
        self._why.setdefault(row.number, (why, hint))

    def rest(self) -> list[_Row]:
        """The lines that can be applied."""
        return [row for row in self._rows if row.number not in self._why]

    def most_common(
        self, column: str, value: Callable[[_Row], str], rows: Sequence[_Row] | None = None
    ) -> str:
        """The value that more than half of the lines have; the lines with others are left out.

        Raises:
            SettingsError: There is none.
        """
        rows = self._rows if rows is None else rows
        counts = Counter(map(value, rows))
        (found, count), *_ = counts.most_common(1)
        if 2 * count <= len(rows):
            several = ", ".join(sorted(counts)[:3])
            raise SettingsError(
                f"{rows[0].file}: the column {column} has more than one value: {several}", _HINT
            )
        for row in rows:
            if value(row) != found:
                why = f"the column {column} has more than one value: {value(row)[:40]}"
                self.refuse(row, why, f"write {found}, as in the other lines")
        return found

    def refuse_companions(self) -> None:
        """Leave out the files that belong to those that are left out, or to which these belong."""
        photos = _photos_by_file(self._rows)
        left_out: dict[tuple[str, str], int] = {}
        for row in self._rows:
            if row.number in self._why:
                left_out.setdefault(photos[row.folder_and_name], row.number)
        for row in self.rest():
            number = left_out.get(photos[row.folder_and_name])
            if number is not None and _do(row) in {*ArrangeMode}:
                why = f"it belongs to the file of line {number}, which is left out"
                self.refuse(row, why, "correct that line")

    def left(self) -> Iterator[LeftFile]:
        """The files of the lines that are left out."""
        for row in self._rows:
            if row.number in self._why:
                why, _ = self._why[row.number]
                image = row["image"].strip()
                image_id = image.removeprefix("id:") if _IMAGE.fullmatch(image) else ""
                yield LeftFile(Path(row["source"]), f"line {row.number}: {why}", image_id)

    def require_rest(self, count: int) -> None:
        """Make sure that some lines can be applied.

        Raises:
            SettingsError: None can.
        """
        if self._why and not count:
            row = next(row for row in self._rows if row.number in self._why)
            raise row.refused(*self._why[row.number])


def _photos_by_file(rows: Sequence[_Row]) -> dict[tuple[str, str], tuple[str, str]]:
    """The photo to which each file of a table belongs, as folder and name; of a photo itself."""
    folders: dict[str, dict[str, bool]] = {}
    for row in rows:
        folder, name = row.folder_and_name
        folders.setdefault(folder, {})[name] = bool(row["image"].strip())
    found = {}
    for folder, inside in folders.items():
        companions = find_companions(
            inside,
            photos=frozenset(name for name, is_photo in inside.items() if is_photo),
            title_of=partial(_title, folder),
        )
        for name in inside:
            photo = companions[name].photos[0] if name in companions else name
            found[folder, name] = folder, photo
    return found


def _title(folder: str, name: str) -> str | None:
    return title_in(os.path.join(folder, name))  # noqa: PTH118


def _plan(to: Path, mode: ArrangeMode, rows: Sequence[_Row], odd: _OddRows) -> ArrangePlan:
    left: list[LeftFile] = []
    steps: dict[int, ArrangeStep] = {}
    for row in odd.rest():
        try:
            if _do(row) in {_LEAVE, ""}:
                why = row["why"] if not row["target"] else "left out in the edited plan"
                left.append(LeftFile(Path(row["source"]), why, _image_id(row)))
            else:
                steps[row.number] = _step(row, to)
        except _OddRowError as error:
            odd.refuse(row, error.why, error.hint)
    by_number = {row.number: row for row in rows}
    _refuse_conflicts(to, mode, steps, by_number, odd)
    odd.refuse_companions()
    rest = [row for row in odd.rest() if row.number in steps]
    odd.require_rest(len(rest) + len(left))
    there = tuple(steps[row.number] for row in rest if _do(row) == _THERE)
    doing = tuple(steps[row.number] for row in rest if _do(row) != _THERE)
    return ArrangePlan(to, mode, doing, there, (*left, *odd.left()))


def _refuse_conflicts(
    to: Path,
    mode: ArrangeMode,
    steps: Mapping[int, ArrangeStep],
    rows: Mapping[int, _Row],
    odd: _OddRows,
) -> None:
    """Leave out the lines that cannot all be applied: which of them is meant is not known."""
    doing = {number: step for number, step in steps.items() if _do(rows[number]) != _THERE}
    for numbers in _alike(steps, lambda step: name_key(str(step.target))):
        for number in numbers:
            other = next(one for one in numbers if one != number)
            why = f"it has the target of line {other}, {steps[number].target}"
            odd.refuse(rows[number], why, "give each its own target (systems differ in capitals)")
    for number in _above_others(to, doing):
        why = f"{doing[number].target} would be both a file and a folder of other targets"
        odd.refuse(rows[number], why, "give it another name")
    for number in _at_sources(doing):
        why = f"{doing[number].target} is also a source of the plan"
        hint = "give it another name, or arrange that source first, with a plan of its own"
        odd.refuse(rows[number], why, hint)
    moved = _alike(doing, lambda step: str(step.source)) if mode is ArrangeMode.MOVE else []
    for numbers in moved:
        for number in numbers:
            other = next(one for one in numbers if one != number)
            why = f"{doing[number].source} is moved in line {other} too"
            hint = "delete one of the lines; a file can be in two folders as a link or a copy"
            odd.refuse(rows[number], why, hint)


def _alike(steps: Mapping[int, ArrangeStep], key: Callable[[ArrangeStep], str]) -> list[list[int]]:
    """The lines that share something."""
    found: dict[str, list[int]] = {}
    for number, step in steps.items():
        found.setdefault(key(step), []).append(number)
    return [numbers for numbers in found.values() if len(numbers) > 1]


def _above_others(to: Path, steps: Mapping[int, ArrangeStep]) -> list[int]:
    """The lines whose target is a folder of another."""
    parents = {step.target.parent for step in steps.values()}
    above = {folder for parent in parents for folder in (parent, *parent.parents)}
    folders = {name_key(str(folder)) for folder in above if folder.is_relative_to(to)}
    return [n for n, step in steps.items() if name_key(str(step.target)) in folders]


def _at_sources(steps: Mapping[int, ArrangeStep]) -> list[int]:
    """The lines whose target is the place of a source: the result would depend on the order."""
    sources = {name_key(str(step.source)) for step in steps.values()}
    found = []
    for number, step in steps.items():
        key = name_key(str(step.target))
        is_own = key == name_key(str(step.source)) and step.target != step.source
        if key in sources and not is_own:
            found.append(number)
    return found


def _step(row: _Row, to: Path) -> ArrangeStep:
    source = Path(row["source"])
    if not source.is_absolute():
        raise _OddRowError(f"the source {row['source']!r} is not absolute", _HINT)
    inside = _inside(row, source, to)
    target = to.joinpath(*inside)
    if names.is_too_long(str(target)):
        raise _OddRowError(f"{target} is too long a path for Windows", "write a shorter name")
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
        raise _OddRowError("it has no target", "write leave in the column do, or delete the line")
    inside = _below(text, to)
    if not inside or ".." in inside:
        raise _OddRowError(f"{text} is not inside {to}", "a target stays inside the folder")
    for name in inside:
        if not names.is_safe_name(name):
            raise _OddRowError(
                f"the name {name!r} is not valid on every system",
                f"write {names.safe_name(name)!r}",
            )
    suffix = split_name(source.name)[1]
    if split_name(inside[-1])[1].lower() != suffix.lower():
        raise _OddRowError(
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


def _image_id(row: _Row) -> str:
    return _hash(row, "image")


def _hash(row: _Row, column: str) -> str:
    text = row[column].strip()
    if text and not _IMAGE.fullmatch(text):
        raise _OddRowError(f"{text!r} cannot be in the column {column}", _HINT)
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
