"""What ``organizer deployments`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from organizer.cli.output import print_json, print_line, print_table, short
from organizer.cli.session import say
from organizer.deployments import format_shift
from organizer.library.deployments.api import DeploymentTableReport, ShiftReport
from organizer.library.deployments.summary import DeploymentsSummary, DeploymentSummary

_NAMED = 5


def show(summary: DeploymentsSummary, *, json: bool) -> None:
    """The deployments as a table or JSON, and what a person should know besides."""
    if json:
        print_json(_fields(summary))
    elif summary.deployments:
        columns = ["deployment", ">images", "first photo", "last photo", "shift", "place", "told"]
        print_table(columns, [_row(found) for found in summary.deployments])
    else:
        say("no deployments yet: organizer deployments template '{site}/{camera}/...'")
    for line in _remarks(summary):
        say(line)


def show_table(report: DeploymentTableReport, summary: DeploymentsSummary) -> None:
    """What a table changed, as JSON."""
    print_json({"read": asdict(report), **_fields(summary)})


def show_shift(report: ShiftReport, *, json: bool) -> None:
    """A clock that was put right: old and new, of the first photo and the last."""
    before, after = report.before, report.after
    if json:
        print_json({"before": _summary(before), "after": _summary(after)})
        return
    old, new = before.deployment.shift, after.deployment.shift
    name = after.deployment.deployment_id
    told = f"shifted by {format_shift(new)}" if new else "not shifted"
    print_line(f"{name}: the clock is {told} (before: {format_shift(old)})")
    if after.first and after.last:
        print_line(f"  first photo  {_moment(before.first)} -> {_moment(after.first)}")
        print_line(f"  last photo   {_moment(before.last)} -> {_moment(after.last)}")
    else:
        print_line("  none of its photos has a time")
    if after.outside:
        say(_outside(after))


def named(names: Sequence[str]) -> str:
    """Some names, and how many there are more."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _row(found: DeploymentSummary) -> list[str]:
    told = found.deployment
    place = "-" if told.latitude is None else f"{told.latitude:.5f}, {told.longitude:.5f}"
    if told.location and told.location not in told.deployment_id.split("/"):
        place = told.location if place == "-" else f"{told.location}: {place}"
    return [
        told.deployment_id,
        f"{found.images:,}",
        _moment(found.first),
        _moment(found.last),
        format_shift(told.shift) if told.shift else "-",
        place,
        "yes" if found.described else "by folders",
    ]


def _moment(at: str | None) -> str:
    return at.replace("T", " ") if at else "-"


def _outside(found: DeploymentSummary) -> str:
    told = found.deployment
    period = f"{_moment(told.start)} to {_moment(told.end)}"
    return (
        f"{told.deployment_id}: {found.outside:,} of {counted(found.images, 'photo')} not of its "
        f"period ({period}): was its clock wrong? organizer deployments shift"
    )


def _remarks(summary: DeploymentsSummary) -> list[str]:
    said = [f"template: {summary.template}"] if summary.template else []
    said += [_outside(found) for found in summary.deployments if found.outside]
    empty = [f.deployment.deployment_id for f in summary.deployments if not f.images]
    if empty:
        said.append(f"without a photo: {named(empty)}")
    if summary.without_deployment and summary.deployments:
        example = f", for example {short(summary.unplaced[0])}" if summary.unplaced else ""
        said.append(
            f"of no deployment: {summary.without_deployment:,} of "
            f"{counted(summary.images, 'image')}{example}"
        )
    if summary.several:
        said.append(
            f"with files in several deployments: {counted(summary.several, 'image')}; the first "
            "file by path counts"
        )
    if summary.without_time:
        said.append(
            f"without a time: {counted(summary.without_time, 'image')}; the date of a file is not "
            "taken for one"
        )
    return said


def _fields(summary: DeploymentsSummary) -> dict[str, Any]:
    fields = asdict(summary)
    return {**fields, "deployments": [_summary(found) for found in summary.deployments]}


def _summary(found: DeploymentSummary) -> dict[str, Any]:
    fields = asdict(found)
    return {**fields.pop("deployment"), **fields}
