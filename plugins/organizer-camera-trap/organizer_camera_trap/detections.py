"""``organizer detections``: what a detector saw on the photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from organizer.cli.session import (
    DebugOption,
    EmbedderOption,
    JsonOption,
    LibraryOption,
    WeightsOption,
    command,
    opened,
    quiet_natives,
    say,
    stop_on_interrupt,
)
from organizer.errors import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from organizer.library.detections.report import DetectionCounts, DetectionReport
    from organizer_camera_trap.from_bursts import FromBursts
    from organizer_camera_trap.importing import Imported

app = typer.Typer(
    help="What a detector saw: take MegaDetector's results in, and cluster crops.",
    epilog="Example: organizer detections import md.json; organizer detections",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LISTED = 10

ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="SHARE",
        help="The confidence from which a box counts, from now on. Otherwise as chosen before, or "
        "the detector's own, or 0.2.",
    ),
]


@app.callback(invoke_without_command=True)
def detections(
    ctx: typer.Context,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What the detectors' results in the library come to."""
    if ctx.invoked_subcommand is not None:
        return
    with command(debug=debug), opened(library) as found:
        _show_counts(found.detections.counts(), json=json)


@app.command("import", epilog="Example: organizer detections import md.json --base /cards/2026-05")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="MegaDetector's results, format 1.0 to 1.6.")
    ],
    base: Annotated[
        Path | None,
        typer.Option(
            "--base",
            metavar="DIR",
            help="The folder that the detector was run on. Otherwise the one that fits; of several "
            "the one that the results lie in.",
        ),
    ] = None,
    threshold: ThresholdOption = None,
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take MegaDetector's results in, and embed what lies in the boxes.

    The same file again embeds only what is missing. To cluster the crops:
    organizer recluster --embedder crops:NAME, NAME that of the embedder.
    """
    with command(debug=debug), opened(library, weights=weights) as found:
        from organizer.cli.progress_bar import progress_bar
        from organizer_camera_trap.importing import import_results

        with (
            progress_bar() as progress,
            quiet_natives(debug=debug),
            stop_on_interrupt(progress.note) as stop,
        ):
            done = import_results(
                found,
                file,
                base=base,
                threshold=threshold,
                embedder=embedder,
                progress=progress,
                stop=stop.is_set,
            )
        _show_import(done, json=json)
    if done.report.cropped.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _show_import(done: Imported, *, json: bool) -> None:
    from organizer.cli.output import print_json, print_line, short

    report = done.report
    if json:
        fields = {"base": done.base, "unmatched": done.unmatched, "detector": done.detector}
        print_json({**fields, **report_fields(report)})
        return
    below = f" below {short(done.base)}" if done.base is not None else ""
    print_line(f"{report.images:,} images{below}, {report.new:,} with something new")
    show_report(report)
    if done.unmatched:
        say(f"{len(done.unmatched):,} images of the results are not in the library:")
        for path in done.unmatched[:_LISTED]:
            say(f"  {path}")
        if len(done.unmatched) > _LISTED:
            say(f"  and {len(done.unmatched) - _LISTED:,} more (--json lists them)")
    for note in done.notes:
        say(note)


def show_report(report: DetectionReport) -> None:
    """What taking detections in did: counts to stdout, what to do next to stderr."""
    from organizer.cli.output import print_line

    cropped = report.cropped
    named = f" with {report.embedder.name}" if report.embedder is not None else ""
    print_line(f"{cropped.embedded:,} crops embedded{named}")
    _show_counts(report.counts, json=False)
    late = report.late
    if late.compared:
        inside = late.compared - late.unsure
        print_line(f"{inside:,} of them joined the clusters, {late.unsure:,} are unsure")
    if late.novel:
        print_line(f"{len(late.novel):,} clusters were born, with {late.novel_images:,} crops")
    if cropped.unreadable:
        say(f"{cropped.unreadable:,} crops: their photos are gone or changed; import again later")
    if report.outdated:
        say(
            f"{report.outdated:,} crops in the clusters are no box of the detector any more: "
            "organizer recluster leaves them out"
        )
    if report.left:
        say(f"{report.left:,} images were left as they were seen before")
    if report.embedder is not None and not late.compared:
        say(f"to cluster the crops: organizer recluster --embedder {report.embedder.name}")


def report_fields(report: DetectionReport) -> dict[str, Any]:
    """A report as JSON."""
    cropped = report.cropped
    return {
        "images": report.images,
        "new": report.new,
        "left": report.left,
        "embedder": report.embedder.name if report.embedder else None,
        "embedded": cropped.embedded,
        "unreadable": cropped.unreadable,
        "joined": report.late.compared,
        "unsure": report.late.unsure,
        "born": [cluster_found.cluster_id for cluster_found in report.late.novel],
        "outdated": report.outdated,
        "interrupted": cropped.interrupted,
        "seconds": report.seconds,
        **_count_fields(report.counts),
    }


def _count_fields(counts: DetectionCounts) -> dict[str, Any]:
    return {
        "library_images": counts.images,
        "groups": dict(counts.groups),
        "failed": counts.failed,
        "crops": counts.crops,
        "crops_embedded": {spec.name: count for spec, count in counts.embedded},
        "detectors": dict(counts.detectors),
        "threshold": counts.threshold,
    }


def _show_counts(counts: DetectionCounts, *, json: bool) -> None:
    from organizer.cli.output import print_json, print_line, print_table

    if json:
        print_json(_count_fields(counts))
        return
    rows = [[group, f"{count:,}"] for group, count in sorted(counts.groups.items())]
    print_table(["photos", ">count"], rows)
    told = [f"{counts.crops:,} crops at or above {counts.threshold:g}"]
    told += [f"{count:,} embedded with {spec.name}" for spec, count in counts.embedded]
    print_line(", ".join(told))
    if counts.failed:
        say(f"{counts.failed:,} photos could not be looked at by the detector")


@app.command("from-bursts", epilog="Example: organizer detections from-bursts")
def from_bursts_(
    embedder: EmbedderOption = None,
    weights: WeightsOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Without a detector: a box round what moved in a burst of three photos and more.

    The median of a burst is the place without what moved. Photos in which
    nothing moved get no box, and are not called empty. What a real detector
    said stands, and its results imported later take the place of these.
    """
    with command(debug=debug), opened(library, weights=weights) as found:
        from organizer.cli.progress_bar import progress_bar
        from organizer_camera_trap.from_bursts import from_bursts

        with (
            progress_bar() as progress,
            quiet_natives(debug=debug),
            stop_on_interrupt(progress.note) as stop,
        ):
            done = from_bursts(found, embedder=embedder, progress=progress, stop=stop.is_set)
        _show_bursts(done, json=json)
    if done.report.cropped.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _show_bursts(done: FromBursts, *, json: bool) -> None:
    from organizer.cli.output import print_json, print_line

    if json:
        fields = {
            "bursts": done.bursts,
            "in_bursts": done.photos,
            "nothing_moved": done.still,
            "in_no_burst": done.alone,
            "unread": done.unreadable,
            "seen_by_a_detector": done.known,
        }
        print_json({**fields, **report_fields(done.report)})
        return
    print_line(
        f"{done.bursts:,} bursts looked at: something moved in {done.report.images:,} photos, "
        f"nothing moved in {done.still:,}"
    )
    show_report(done.report)
    if done.alone:
        say(f"{done.alone:,} photos are in no burst of three, with nothing to compare them with")
    if done.known:
        say(f"{done.known:,} photos were left as a detector sees them")
    if done.unreadable:
        say(f"{done.unreadable:,} photos of bursts cannot be read any more")
