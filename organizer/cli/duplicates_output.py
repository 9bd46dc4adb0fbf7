"""Duplicates on the terminal and as JSON."""

from __future__ import annotations

from pathlib import Path

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    count_text,
    number_text,
    print_json,
    print_line,
    print_table,
    short,
)
from organizer.cli.session import say
from organizer.cluster.decisions import describe_decision
from organizer.library.duplicates.report import (
    DuplicateFile,
    DuplicateGroup,
    DuplicatesReport,
)
from organizer.types import Decision

_SHOWN_GROUPS, _SHOWN_FILES = 20, 6


def print_duplicates(
    report: DuplicatesReport, *, csv: Path | None, sheet: Path | None, drawn: int, json: bool
) -> None:
    """The groups to stdout, what to do with them to stderr."""
    if json:
        print_json(duplicates_fields(report) | {"csv": csv, "sheet": sheet})
        return
    if report.groups:
        _print_groups(report)
        print_line(_summary(report))
    else:
        print_line(f"no duplicates among {count_text(report.compared, 'image')}")
    if csv is not None:
        print_line(f"all groups: {csv}")
    if sheet is not None and drawn:
        print_line(f"{count_text(drawn, 'group')} drawn: {sheet}")
    _say_left_out(report)
    if report.groups:
        say_next(
            "to set the others aside, plan it first",
            'organizer arrange --duplicates --to "set aside" --plan plan.csv',
        )
        say_next("to keep all of a group", "organizer duplicates --wanted PHOTO PHOTO")


def _print_groups(report: DuplicatesReport) -> None:
    rows = [
        row
        for number, group in enumerate(report.groups[:_SHOWN_GROUPS], start=1)
        for row in _rows(number, group)
    ]
    print_table([">", "kind", "", "size", ">like", "path"], rows, paths=("path",))
    more = len(report.groups) - _SHOWN_GROUPS
    if more > 0:
        say(f"... and {count_text(more, 'group')} more: --csv FILE has all of them")


def _rows(number: int, group: DuplicateGroup) -> list[list[str]]:
    kept = group.kept
    first = [
        str(number),
        group.kind.value,
        "keep",
        _size(kept),
        "",
        f"{short(kept.path)}\n({group.why})",
    ]
    others = [
        ["", "", "", _size(one), _likeness(one), short(one.path)]
        for one in group.others[: _SHOWN_FILES - 1]
    ]
    more = len(group.others) - len(others)
    rest = [["", "", "", "", "", f"... and {more:,} more"]] if more else []
    return [first, *others, *rest]


def _size(one: DuplicateFile) -> str:
    return f"{one.width}x{one.height}"


def _likeness(one: DuplicateFile) -> str:
    return "" if one.likeness is None else number_text(one.likeness, 2)


def _summary(report: DuplicatesReport) -> str:
    groups, others = count_text(len(report.groups), "group"), count_text(report.others, "file")
    return f"{groups}; {others} beside those to keep, {report.bytes / 1e6:,.1f} MB"


def _say_left_out(report: DuplicatesReport) -> None:
    notes = (
        (report.missing, "image", "of which no file is there, left out"),
        (report.unread, "image", "that could not be read: only exact duplicates of them are found"),
        (report.videos, "video", "only exact duplicates of which are found"),
        (report.aside, "file", "set aside before, left out"),
        (report.hidden, "photo", "with people or vehicles, left out (--with-people)"),
    )
    for count, noun, what in notes:
        if count:
            say(f"{count_text(count, noun)} {what}")


def print_wanted(decision: Decision, *, json: bool) -> None:
    """A decision that photos are all wanted."""
    if json:
        print_json(
            {
                "kind": decision.kind,
                "image_ids": decision.image_ids,
                "decision_id": decision.decision_id,
                "at": decision.at,
            }
        )
        return
    print_line(describe_decision(decision))
    say_next("to take it back", "organizer undo")


def duplicates_fields(report: DuplicatesReport) -> dict[str, object]:
    """What was found as JSON."""
    return {
        "groups": [
            {
                "kind": group.kind,
                "why": group.why,
                "files": [_file_fields(one, is_kept=one is group.kept) for one in group.files],
            }
            for group in report.groups
        ],
        "compared": report.compared,
        "others": report.others,
        "bytes": report.bytes,
        "missing": report.missing,
        "unread": report.unread,
        "videos": report.videos,
        "hidden": report.hidden,
        "aside": report.aside,
    }


def _file_fields(one: DuplicateFile, *, is_kept: bool) -> dict[str, object]:
    return {
        "path": one.path,
        "image_id": one.image_id,
        "keep": is_kept,
        "width": one.width,
        "height": one.height,
        "bytes": one.bytes,
        "taken_at": one.taken_at,
        "likeness": one.likeness,
        "sharpness": one.sharpness,
    }
