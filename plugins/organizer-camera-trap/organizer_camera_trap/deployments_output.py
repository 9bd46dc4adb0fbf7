"""Output of ``organizer deployments``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from organizer.cli.next_step import say_next
from organizer.cli.output import print_json, print_line, print_table, short
from organizer.cli.session import say
from organizer.deployments import format_shift, is_card_folder
from organizer.library.csv_tables import left_out_notes
from organizer.library.deployments.api import (
    Deployments,
    DeploymentTableReport,
    ShiftReport,
    SplitReport,
)
from organizer.library.deployments.summary import DeploymentsSummary, DeploymentSummary
from organizer.typed import as_typed

_NAMED = 5
_COLUMNS = ("deployment", ">images", "first photo", "last photo", "shift", "place", "in table")


def show_deployments(deployments: Deployments, summary: DeploymentsSummary, *, json: bool) -> None:
    """Print the deployments as a table or JSON, with notes."""
    if json:
        print_json(_fields(summary))
    elif summary.deployments:
        print_table(_COLUMNS, [_row(found) for found in summary.deployments])
    else:
        _say_template("no deployments yet; to tell them by folders", deployments)
    for line in _notes(summary):
        say(line)
    if summary.template is None and summary.deployments and summary.without_deployment:
        _say_template("to tell the others by folders", deployments, json=json)
    of_cards = [name for name in map(_id, summary.deployments) if _is_of_card(name)]
    if of_cards:
        say(f"{_named(of_cards)}: folders that cameras make, the same on every card")
        _say_template("to tell deployments by the folders above", deployments, json=json)


def _say_template(what: str, deployments: Deployments, *, json: bool = False) -> None:
    template = as_typed(deployments.likely_template())
    say_next(what, f"organizer deployments template {template}", json=json)


def _id(found: DeploymentSummary) -> str:
    return found.deployment.deployment_id


def _is_of_card(name: str) -> bool:
    return all(map(is_card_folder, name.split("/")))


def show_deployment_table(
    report: DeploymentTableReport, deployments: Deployments, *, json: bool
) -> None:
    """Print the deployments, and what a table changed."""
    # First, as this is done whether or not the library can be listed next.
    counts = {"new": len(report.new), "changed": len(report.changed), "unchanged": report.same}
    say("read: " + ", ".join(f"{count:,} {what}" for what, count in counts.items() if count))
    summary = deployments.summary()
    if json:
        print_json({"read": asdict(report), **_fields(summary)})
        return
    show_deployments(deployments, summary, json=False)
    if report.without_images:
        say(f"in the table, without photos: {_named(report.without_images)}")
    if report.not_in_table:
        say(f"with photos, not in the table: {_named(report.not_in_table)}")
    for note in left_out_notes(report.left_out):
        say(note)
    if report.unused:
        say(f"columns ignored: {_named(report.unused)}")


def show_shift(report: ShiftReport, *, json: bool) -> None:
    """Print the old and the new times of a deployment whose clock was shifted."""
    before, after = report.before, report.after
    if json:
        print_json({"before": _summary(before), "after": _summary(after)})
        return
    old, new = before.deployment.shift, after.deployment.shift
    name = after.deployment.deployment_id
    shifted = f"shifted by {format_shift(new)}" if new else "not shifted"
    print_line(f"{name}: the clock is {shifted} (before: {format_shift(old)})")
    if after.first and after.last:
        print_line(f"  first photo  {_moment(before.first)} -> {_moment(after.first)}")
        print_line(f"  last photo   {_moment(before.last)} -> {_moment(after.last)}")
    else:
        print_line("  none of its photos has a time")
    if after.outside:
        say(_outside(after))
    if new != old:
        back = format_shift(old - new)
        say_next("to take it back", f"organizer deployments shift {as_typed(name)} {back}")


def show_parts(report: SplitReport, *, json: bool) -> None:
    """Print the parts of a deployment that was split, and what can be done with them."""
    if json:
        print_json({"parts": [_summary(part) for part in report.parts]})
        return
    print_table(_COLUMNS, [_row(part) for part in report.parts])
    last = as_typed(report.parts[-1].deployment.deployment_id)
    say_next("to correct its clock", f"organizer deployments shift {last} +1h")
    say_next("to join the parts again", f"organizer deployments remove {last}")


def show_written_table(file: Path, count: int, *, typed: Path, json: bool) -> None:
    """Print where a table of deployments was written, and the next step."""
    if json:
        print_json({"to": file, "deployments": count})
        return
    print_line(f"{_counted(count, 'deployment')}: {short(file)}")
    say_next("fill it in, then", f"organizer deployments read {as_typed(typed)}")


def _named(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _row(found: DeploymentSummary) -> list[str]:
    one = found.deployment
    place = "-" if one.latitude is None else f"{one.latitude:.5f}, {one.longitude:.5f}"
    if one.location and one.location not in one.deployment_id.split("/"):
        place = one.location if place == "-" else f"{one.location}: {place}"
    return [
        one.deployment_id,
        f"{found.images:,}",
        _moment(found.first),
        _moment(found.last),
        format_shift(one.shift) if one.shift else "-",
        place,
        "yes" if found.described else "no, by folders",
    ]


def _moment(at: str | None) -> str:
    return at.replace("T", " ") if at else "-"


def _outside(found: DeploymentSummary) -> str:
    one = found.deployment
    period = f"{_moment(one.start)} to {_moment(one.end)}"
    return (
        f"{one.deployment_id}: {found.outside:,} of {_counted(found.images, 'photo')} outside its "
        f"period ({period}): was its clock wrong? organizer deployments shift"
    )


def _notes(summary: DeploymentsSummary) -> list[str]:
    notes = [f"template: {summary.template}"] if summary.template else []
    notes += [_outside(found) for found in summary.deployments if found.outside]
    empty = [f.deployment.deployment_id for f in summary.deployments if not f.images]
    if empty:
        notes.append(f"without photos: {_named(empty)}")
    if summary.without_deployment and summary.deployments:
        example = f", for example {short(summary.unplaced[0])}" if summary.unplaced else ""
        notes.append(
            f"in no deployment: {summary.without_deployment:,} of "
            f"{_counted(summary.images, 'image')}{example}"
        )
    if summary.several:
        notes.append(
            f"with files in several deployments: {_counted(summary.several, 'image')}; the first "
            "file by path counts"
        )
    if summary.without_time:
        notes.append(
            f"without a time: {_counted(summary.without_time, 'image')}; the date of a file is not "
            "used as one"
        )
    return notes


def _fields(summary: DeploymentsSummary) -> dict[str, Any]:
    fields = asdict(summary)
    return {**fields, "deployments": [_summary(found) for found in summary.deployments]}


def _summary(found: DeploymentSummary) -> dict[str, Any]:
    fields = asdict(found)
    fields["told"] = fields.pop("described")
    return {**fields.pop("deployment"), **fields}
