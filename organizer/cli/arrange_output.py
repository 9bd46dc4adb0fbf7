"""What an arrangement did, what was taken back, what folders say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from organizer.arrange import ArrangeMode, StepResult
from organizer.cli.output import print_json, print_line, short
from organizer.cli.session import say
from organizer.library.folders.read_back.report import LabelledCluster, ReadBackReport
from organizer.library.folders.report import ArrangeReport, ArrangeUndoReport

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
    StepResult.OCCUPIED: "left, something else has the place",
    StepResult.FAILED: "refused by the system",
}
_LEFT_BEHIND = {
    StepResult.DONE: "not tried yet",
    StepResult.CHANGED: "left, changed since",
    StepResult.OCCUPIED: "left, something else is at the former place",
    StepResult.FAILED: "refused by the system",
    StepResult.GONE: "not there any more",
    StepResult.KEPT: "kept, the last copy of a photo",
}
_LEFT = {"it is not there": "missing"}
_SHOWN = 5


def arranged(told: ArrangeReport, *, json: bool) -> None:
    """The account of all files to stdout, advice to stderr."""
    for note in told.notes:
        say(note)
    if json:
        print_json(_arranged_fields(told))
    else:
        _print_refusals(told.refusals)
        if told.suffixed:
            print_line(f"{_files(told.suffixed)} with a suffix: another would have the same name")
        if told.made_safe:
            names = "name" if told.made_safe == 1 else "names"
            print_line(f"{told.made_safe:,} {names} changed to be possible on every system")
        if told.sidecars:
            print_line(f"beside the photos: {_files(told.sidecars)} (.xmp, .json) with them")
        print_line(f"{_files(told.files)}: {', '.join(_accounts(told))}")
    if told.plan is not None:
        say(f"written: {short(told.plan)}; nothing was touched")
        say(f"carry it out with: organizer arrange --apply {short(told.plan)}")
    elif not told.is_finished:
        say("not finished; organizer arrange --resume goes on, organizer arrange --undo takes back")


def _accounts(told: ArrangeReport) -> list[str]:
    """Every file of the library, by what became of it."""
    done = _DONE[told.mode]
    accounts = [f"{told.done:,} {'to be ' if told.plan else ''}{done}"]
    if told.there:
        accounts.append(f"{told.there:,} already there")
    accounts += [f"{n:,} {_RESULTS.get(result, result)}" for result, n in told.results.items()]
    accounts += [f"{n:,} {_LEFT.get(why, f'left: {why}')}" for why, n in told.left.most_common()]
    if told.absent:
        accounts.append(f"{told.absent:,} not in the plan")
    return accounts


def _arranged_fields(told: ArrangeReport) -> dict[str, object]:
    return {
        "to": told.to,
        "mode": told.mode,
        "files": told.files,
        "done": told.done,
        "there": told.there,
        "results": {str(result): n for result, n in told.results.items()},
        "left": dict(told.left),
        "not_in_plan": told.absent,
        "sidecars": told.sidecars,
        "suffixed": told.suffixed,
        "made_safe": told.made_safe,
        "finished": told.is_finished,
        "plan": told.plan,
        "refusals": [{"path": path, "reason": why} for path, why in told.refusals],
    }


def print_undo(told: ArrangeUndoReport, *, json: bool) -> None:
    """What an undo did."""
    if json:
        fields = {
            "to": told.to,
            "mode": told.mode,
            "created_at": told.created_at,
            "undone": told.undone,
            "sidecars": told.sidecars,
            "results": {str(result): n for result, n in told.results.items()},
            "finished": told.is_finished,
            "refusals": [{"path": path, "reason": why} for path, why in told.refusals],
        }
        print_json(fields)
        return
    _print_refusals(told.refusals)
    accounts = [f"{told.undone:,} taken back"]
    accounts += [f"{n:,} {_LEFT_BEHIND.get(result, result)}" for result, n in told.results.items()]
    total = told.undone + sum(told.results.values())
    print_line(
        f"{_files(total)} {_DONE[told.mode]} in {short(told.to)} on "
        f"{told.created_at[:10]}: {', '.join(accounts)}"
    )
    if not told.is_finished:
        say("not finished; organizer arrange --undo goes on")


def read_back(told: ReadBackReport, *, json: bool) -> None:
    """What folders say."""
    if json:
        print_json(_read_back_fields(told))
        return
    for line in _said(told):
        print_line(line)
    for line in told.remarks:
        print_line(f"  {line}")
    for line in _unsaid(told):
        print_line(line)
    if not told.has_decisions:
        print_line("nothing changed" if not told.relocated else _refiled(told))


def _said(told: ReadBackReport) -> Iterable[str]:
    for cluster, name in told.renamed:
        yield f"{_named(cluster)} is called {name!r} now"
    for source, into, count in told.merged:
        yield f"{_named(source)} becomes part of {_named(into)}, with its {_images(count)}"
    for origin, to, count in told.moved:
        verb = "moves" if count == 1 else "move"
        yield f"{_images(count)} {verb} from {_named(origin)} to {_named(to)}"
    for name, count in told.new_clusters:
        yield f"new cluster {name!r} of {_images(count)}"
    for cluster, count in told.left:
        yield f"{_images(count)} {'is' if count == 1 else 'are'} not of {_named(cluster)}"


def _unsaid(told: ReadBackReport) -> Iterable[str]:
    if told.gone:
        are = "is" if told.gone == 1 else "are"
        yield f"{_images(told.gone)} {are} in no folder any more: nothing is said of them"
    if told.loose:
        are = "is" if told.loose == 1 else "are"
        yield f"{_images(told.loose)} {are} in no folder of a cluster: nothing is said of them"
    if told.contradictory:
        are = "is" if len(told.contradictory) == 1 else "are"
        images = _images(len(told.contradictory))
        yield f"{images} {are} in several folders at once: nothing is said of them"
        for file, folders in told.contradictory[:_SHOWN]:
            yield f"  {short(file)}: in {', '.join(folders)}"
    if told.unknown_files:
        yield (
            f"{_files(len(told.unknown_files))} none of the arrangement; bring them in with: "
            "organizer ingest"
        )
    for line in told.not_applied:
        yield f"not said: {line}"


def _refiled(told: ReadBackReport) -> str:
    return f"nothing is said of the clusters; {_files(told.relocated)} have another path"


def _read_back_fields(told: ReadBackReport) -> dict[str, object]:
    def named(cluster: LabelledCluster) -> dict[str, object]:
        return {"cluster_id": cluster.cluster_id, "name": cluster.name}

    return {
        "to": told.to,
        "photos": told.photos,
        "said": told.applied,
        "renamed": [{**named(cluster), "to": name} for cluster, name in told.renamed],
        "merged": [
            {"from": named(source), "into": named(into), "images": n}
            for source, into, n in told.merged
        ],
        "moved": [
            {"from": named(origin), "to": named(to), "images": n} for origin, to, n in told.moved
        ],
        "born": [{"name": name, "images": n} for name, n in told.new_clusters],
        "left": [{**named(cluster), "images": n} for cluster, n in told.left],
        "gone": told.gone,
        "loose": told.loose,
        "contradictory": [{"path": f, "folders": names} for f, names in told.contradictory],
        "strangers": list(told.unknown_files),
        "not_said": list(told.not_applied),
        "remarks": list(told.remarks),
        "refiled": told.relocated,
    }


def print_unfinished(record: ArrangeRecord) -> None:
    """That an arrangement was interrupted, with the ways out."""
    if record.undoing:
        say(f"the undo in {record.plan.to} was interrupted: organizer arrange --undo goes on")
    else:
        say(
            f"the arrangement in {record.plan.to} was interrupted: organizer arrange --resume goes "
            "on with it, organizer arrange --undo takes it back"
        )


def _print_refusals(refusals: Iterable[tuple[Path, str]]) -> None:
    for path, why in refusals:
        print_line(f"{short(path)}: {why}")


def _named(cluster: LabelledCluster) -> str:
    if cluster.cluster_id is None:
        return "no cluster"
    name = f" {cluster.name!r}" if cluster.name else ""
    return f"cluster {cluster.cluster_id}{name}"


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"


def _files(count: int) -> str:
    return f"{count:,} file{'s' if count != 1 else ''}"
