"""Arrangements, their undo and read-back, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from organizer.arrange import ArrangeMode, StepResult
from organizer.cli.next_step import say_next
from organizer.cli.output import count_text, print_json, print_line, short
from organizer.cli.session import say
from organizer.fields.arrange import arrange_fields, arrange_undo_fields
from organizer.library.folders.read_back.report import LabelledCluster, ReadBackReport
from organizer.library.folders.report import ArrangeReport, ArrangeUndoReport
from organizer.typed import as_typed

if TYPE_CHECKING:
    from pathlib import Path

    from organizer.arrange import ArrangeRecord

_DONE = {
    ArrangeMode.LINK: "linked",
    ArrangeMode.SYMLINK: "linked by name",
    ArrangeMode.COPY: "copied",
    ArrangeMode.MOVE: "moved",
}
_RESULTS = {
    StepResult.PENDING: "not tried yet",
    StepResult.MISSING: "missing",
    StepResult.CHANGED: "changed since the plan",
    StepResult.OCCUPIED: "left, another file is at the target",
    StepResult.FAILED: "failed (system error)",
}
_LEFT_BEHIND = {
    StepResult.DONE: "not tried yet",
    StepResult.CHANGED: "left, changed since",
    StepResult.OCCUPIED: "left, another file is at the original path",
    StepResult.FAILED: "failed (system error)",
    StepResult.GONE: "gone",
    StepResult.KEPT: "kept, the last copy of a photo",
}
_LEFT = {"it is not there": "missing"}
_SHOWN = 5
_FOLDERS = 20


def print_update(report: ArrangeReport, *, json: bool, is_planned: bool) -> None:
    """What an update did, or would do, and which files it leaves as they are."""
    for note in report.notes:
        say(note)
    if json:
        print_json(arrange_fields(report))
        return
    _print_refusals(report.refusals)
    for line in _changes(report):
        print_line(line)
    if report.unknown_files:
        of_a_person = count_text(report.unknown_files, "other file")
        print_line(f"{of_a_person} in the folder, left as {_is_or_are(report.unknown_files)}")
    accounts = _update_accounts(report, is_planned=is_planned)
    print_line(f"{count_text(report.files, 'file')}: {', '.join(accounts)}")
    if not report.is_finished:
        say("not finished; organizer arrange --resume continues, organizer arrange --undo reverts")
    elif is_planned:
        say("nothing was changed" if report.has_changes else "all is up to date")
    elif report.has_changes:
        say_next("to take it back", "organizer arrange --undo")


def _is_or_are(count: int) -> str:
    return "it is" if count == 1 else "they are"


def _changes(report: ArrangeReport) -> Iterable[str]:
    for former, folder, count in report.between[:_FOLDERS]:
        yield f"{former} -> {folder}: {count_text(count, 'file')}"
    more = report.between[_FOLDERS:]
    if more:
        files = count_text(sum(count for *_, count in more), "file")
        yield f"{len(more):,} more pairs of folders: {files}"


def _update_accounts(report: ArrangeReport, *, is_planned: bool) -> list[str]:
    to_be = "to be " if is_planned else ""
    counts = [
        (report.done, f"{to_be}{_DONE[report.mode]}"),
        (report.relocated, f"{to_be}put into another folder"),
        (report.removed, f"{to_be}removed from it"),
        (report.there, "already there"),
    ]
    accounts = [f"{count:,} {what}" for count, what in counts if count]
    accounts += [f"{n:,} {_RESULTS.get(result, result)}" for result, n in report.results.items()]
    accounts += [
        f"{n:,} not removed, {_LEFT_BEHIND.get(result, result)}"
        for result, n in report.not_removed.items()
    ]
    accounts += [f"{n:,} {_LEFT.get(why, f'left: {why}')}" for why, n in report.left.most_common()]
    return accounts or ["none is arranged"]


def print_arranged(report: ArrangeReport, *, json: bool) -> None:
    """What happened to each file to stdout, advice to stderr."""
    if report.updates:
        print_update(report, json=json, is_planned=False)
        return
    for note in report.notes:
        say(note)
    if json:
        print_json(arrange_fields(report))
    else:
        _print_refusals(report.refusals)
        if report.suffixed:
            files = count_text(report.suffixed, "file")
            print_line(f"{files} with a suffix, because names would be equal")
        if report.made_safe:
            names = count_text(report.made_safe, "name")
            print_line(f"{names} changed to be valid on every system")
        if report.sidecars:
            files = count_text(report.sidecars, "file")
            print_line(f"{files} with the photos that they belong to (raw, video, sidecars)")
        print_line(f"{count_text(report.files, 'file')}: {', '.join(_accounts(report))}")
    if report.plan is not None:
        say(f"written: {short(report.plan)}; no file was changed")
        say_next(
            "to apply it", f"organizer arrange --apply {as_typed(short(report.plan))}", json=json
        )
    elif not report.is_finished:
        say("not finished; organizer arrange --resume continues, organizer arrange --undo reverts")
    elif report.done:
        say_next("to take it back", "organizer arrange --undo", json=json)


def _accounts(report: ArrangeReport) -> list[str]:
    """How many files of the library were linked, left, missing and so on."""
    done = _DONE[report.mode]
    accounts = [f"{report.done:,} {'to be ' if report.plan else ''}{done}"]
    if report.there:
        accounts.append(f"{report.there:,} already there")
    accounts += [f"{n:,} {_RESULTS.get(result, result)}" for result, n in report.results.items()]
    accounts += [f"{n:,} {_LEFT.get(why, f'left: {why}')}" for why, n in report.left.most_common()]
    if report.absent:
        accounts.append(f"{report.absent:,} not in the plan")
    return accounts


def print_undo(report: ArrangeUndoReport, *, json: bool) -> None:
    """The result of an undo."""
    if json:
        print_json(arrange_undo_fields(report))
        return
    _print_refusals(report.refusals)
    accounts = [f"{report.undone:,} undone"]
    accounts += [
        f"{n:,} {_LEFT_BEHIND.get(result, result)}" for result, n in report.results.items()
    ]
    total = report.undone + sum(report.results.values())
    done = "of the update" if report.of_update else _DONE[report.mode]
    print_line(
        f"{count_text(total, 'file')} {done} in {short(report.to)} on "
        f"{report.created_at[:10]}: {', '.join(accounts)}"
    )
    if not report.is_finished:
        say("not finished; organizer arrange --undo continues")
    elif report.results[StepResult.FAILED]:
        say_next("to try again what failed", "organizer arrange --undo")


def print_read_back(report: ReadBackReport, *, json: bool) -> None:
    """The decisions that follow from changed folders, and what they leave open."""
    if json:
        print_json(_read_back_fields(report))
        return
    for line in _decisions(report):
        print_line(line)
    for remark in report.remarks:
        print_line(f"  {remark}")
    for line in _undecided(report):
        print_line(line)
    if report.has_decisions:
        return
    if report.relocated:
        print_line(f"no cluster changed; {count_text(report.relocated, 'file')} moved or renamed")
    else:
        print_line("nothing changed")


def _decisions(report: ReadBackReport) -> Iterable[str]:
    for cluster, name in report.renamed:
        yield f"rename {_named(cluster)} to {name!r}"
    for source, into, count in report.merged:
        yield f"merge {_named(source)} into {_named(into)} ({count_text(count, 'image')})"
    for origin, to, count in report.moved:
        yield f"move {count_text(count, 'image')} from {_named(origin)} to {_named(to)}"
    for name, count in report.new_clusters:
        yield f"new cluster {name!r} of {count_text(count, 'image')}"
    for cluster, count in report.left:
        yield f"exclude {count_text(count, 'image')} from {_named(cluster)}"


def _undecided(report: ReadBackReport) -> Iterable[str]:
    if report.gone:
        yield f"{count_text(report.gone, 'image')} in no folder any more: nothing is decided"
    if report.loose:
        yield f"{count_text(report.loose, 'image')} in no folder of a cluster: nothing is decided"
    if report.contradictory:
        images = count_text(len(report.contradictory), "image")
        yield f"{images} in several folders at once: nothing is decided"
        for file, folders in report.contradictory[:_SHOWN]:
            yield f"  {short(file)}: in {', '.join(folders)}"
    if report.unknown_files:
        files = count_text(len(report.unknown_files), "unknown file")
        yield f"{files}, not of this arrangement; add them with: organizer ingest"
    for line in report.not_applied:
        yield f"not applied: {line}"


def _read_back_fields(report: ReadBackReport) -> dict[str, object]:
    def named(cluster: LabelledCluster) -> dict[str, object]:
        return {"cluster_id": cluster.cluster_id, "name": cluster.name}

    return {
        "to": report.to,
        "photos": report.photos,
        "said": report.applied,
        "renamed": [{**named(cluster), "to": name} for cluster, name in report.renamed],
        "merged": [
            {"from": named(source), "into": named(into), "images": n}
            for source, into, n in report.merged
        ],
        "moved": [
            {"from": named(origin), "to": named(to), "images": n} for origin, to, n in report.moved
        ],
        "born": [{"name": name, "images": n} for name, n in report.new_clusters],
        "left": [{**named(cluster), "images": n} for cluster, n in report.left],
        "gone": report.gone,
        "loose": report.loose,
        "contradictory": [{"path": f, "folders": names} for f, names in report.contradictory],
        "strangers": list(report.unknown_files),
        "not_said": list(report.not_applied),
        "remarks": list(report.remarks),
        "refiled": report.relocated,
    }


def print_unfinished(record: ArrangeRecord) -> None:
    """That an arrangement was interrupted, and how to continue or undo it."""
    if record.undoing:
        say(
            f"the undo of the arrangement in {record.plan.to} was interrupted: organizer arrange "
            "--undo continues"
        )
    else:
        say(
            f"the arrangement in {record.plan.to} was interrupted: organizer arrange --resume "
            "continues it, organizer arrange --undo reverts it"
        )


def _print_refusals(refusals: Iterable[tuple[Path, str]]) -> None:
    for path, why in refusals:
        print_line(f"{short(path)}: {why}")


def _named(cluster: LabelledCluster) -> str:
    if cluster.cluster_id is None:
        return "no cluster"
    name = f" {cluster.name!r}" if cluster.name else ""
    return f"cluster {cluster.cluster_id}{name}"
