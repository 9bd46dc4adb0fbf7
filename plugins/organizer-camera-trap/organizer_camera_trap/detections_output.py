"""Output of ``organizer detections``."""

from __future__ import annotations

from typing import Any

from organizer.cli.output import count_text, print_json, print_line, print_table, short
from organizer.cli.session import say
from organizer.library.detections.report import DetectionCounts, DetectionReport
from organizer.library.photo_paths.find import NotFound, printable
from organizer_camera_trap.from_bursts import BurstReport
from organizer_camera_trap.importing import ImportReport

_LISTED = 10
_REASONS = {
    NotFound.AMBIGUOUS: ": several photos fit",
    NotFound.OTHER_FOLDER: ": the library has its name in other folders only",
    NotFound.NOT_IN_LIBRARY: ": it is on the disk; organizer ingest FOLDER",
    NotFound.MISSING: "",
}


def show_counts(counts: DetectionCounts, *, json: bool) -> None:
    """Print the counts of detections and crops."""
    if json:
        print_json(_count_fields(counts))
        return
    rows = [[group, f"{count:,}"] for group, count in sorted(counts.groups.items())]
    print_table(["photos", ">count"], rows)
    parts = [f"{count_text(counts.crops, 'crop')} at or above {counts.threshold:g}"]
    parts += [f"{count:,} embedded with {spec.name}" for spec, count in counts.embedded]
    print_line(", ".join(parts))
    if counts.failed:
        say(
            f"{count_text(counts.failed, 'photo')} without a result: the detector could not look "
            "at them, or what it wrote of them cannot be read"
        )


def show_import(done: ImportReport, *, json: bool) -> None:
    """Print the result of an import."""
    report, found = done.report, done.found
    if json:
        print_json({**_found_fields(done), **_report_fields(report)})
        return
    below = f" below {short(found.base)}" if found.base is not None else ""
    print_line(f"{count_text(report.images, 'image')}{below}, {report.new:,} with new detections")
    _show_report(report)
    if found.not_found:
        images = count_text(
            len(found.not_found), "image of the results is", "images of the results are"
        )
        say(f"{images} not in the library:")
        for path, why in list(found.not_found.items())[:_LISTED]:
            say(f"  {printable(path)}{_REASONS[why]}")
        if len(found.not_found) > _LISTED:
            say(f"  and {len(found.not_found) - _LISTED:,} more (--json lists them)")
        if NotFound.AMBIGUOUS in found.not_found.values():
            say("where several photos fit, name the folder that the detector was run on: --base")
    for note in (*done.odd.lines(), *done.notes):
        say(note)


def _found_fields(done: ImportReport) -> dict[str, Any]:
    ambiguous = [p for p, why in done.found.not_found.items() if why is NotFound.AMBIGUOUS]
    return {
        "base": done.found.base,
        "unmatched": list(map(printable, done.found.not_found)),
        "ambiguous": list(map(printable, ambiguous)),
        "boxes_clipped": done.odd.clipped,
        "boxes_left_out": done.odd.boxes,
        "images_left_out": done.odd.images,
        "detector": done.detector,
    }


def show_burst_report(done: BurstReport, *, json: bool) -> None:
    """Print the result of detections from bursts."""
    if json:
        fields = {
            "bursts": done.bursts,
            "in_bursts": done.photos,
            "nothing_moved": done.still,
            "in_no_burst": done.alone,
            "unread": done.unreadable,
            "seen_by_a_detector": done.known,
        }
        print_json({**fields, **_report_fields(done.report)})
        return
    print_line(
        f"{count_text(done.bursts, 'burst')}: something moved in "
        f"{count_text(done.report.images, 'photo')}, "
        f"nothing moved in {done.still:,}"
    )
    _show_report(done.report)
    if done.alone:
        say(f"{count_text(done.alone, 'photo is', 'photos are')} in no burst of three or more")
    if done.known:
        say(f"{count_text(done.known, 'photo keeps', 'photos keep')} the results of a detector")
    if done.unreadable:
        say(f"{count_text(done.unreadable, 'photo')} of bursts cannot be read any more")


def _show_report(report: DetectionReport) -> None:
    """Counts to stdout, notes and the next step to stderr."""
    cropped = report.cropped
    named = f" with {report.embedder.name}" if report.embedder is not None else ""
    print_line(f"{count_text(cropped.embedded, 'crop')} embedded{named}")
    show_counts(report.counts, json=False)
    late = report.late
    if late.compared:
        inside = late.compared - late.unassigned
        print_line(f"assigned to clusters: {inside:,} of them; unassigned: {late.unassigned:,}")
    if late.novel:
        found = count_text(len(late.novel), "novel cluster was", "novel clusters were")
        print_line(f"{found} found, with {count_text(late.novel_images, 'crop')}")
    if cropped.unreadable:
        crops = count_text(cropped.unreadable, "crop")
        say(f"{crops} of photos that are gone or changed; import again later")
    if cropped.failed:
        say(
            f"{count_text(cropped.failed, 'crop has', 'crops have')} no vector; the next import "
            f"tries again. The first: {cropped.first_failure}"
        )
    if report.outdated:
        say(
            f"{count_text(report.outdated, 'crop')} in the clusters not in the detector's results "
            "any more: organizer recluster leaves them out"
        )
    if report.left:
        say(f"{count_text(report.left, 'image keeps', 'images keep')} the results of a detector")
    if report.embedder is not None and not late.compared:
        say(f"to cluster the crops: organizer recluster --embedder {report.embedder.name}")


def _report_fields(report: DetectionReport) -> dict[str, Any]:
    cropped = report.cropped
    return {
        "images": report.images,
        "new": report.new,
        "left": report.left,
        "embedder": report.embedder.name if report.embedder else None,
        "embedded": cropped.embedded,
        "unreadable": cropped.unreadable,
        "not_embedded": cropped.failed,
        "joined": report.late.compared,
        "unsure": report.late.unassigned,
        "born": [cluster.cluster_id for cluster in report.late.novel],
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
