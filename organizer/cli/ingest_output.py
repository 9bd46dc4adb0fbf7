"""The result of an ingest on the terminal and as JSON."""

from __future__ import annotations

from pathlib import Path

from organizer.capture_times import DEFAULT_SOURCE
from organizer.cli.next_step import say_next
from organizer.cli.output import count_text, listed_text, print_json, print_line, print_text, short
from organizer.cli.session import say
from organizer.fields.ingest import ingest_fields
from organizer.file_kinds import VIDEO_SUFFIXES, FileKind, by_kind, file_kind, reads_videos
from organizer.library.ingest.report import IngestReport
from organizer.types import Outcome, PartSpec

_SHOWN = 6
_KINDS_SHOWN = 8
"""Kinds of files that are listed, or all that may hold photos."""


def print_ingest(
    report: IngestReport, *, json: bool, has_clusters: bool, own: PartSpec | None
) -> None:
    """Counts to stdout, advice to stderr.

    Args:
        report: What was done.
        json: Whether to print it as JSON.
        has_clusters: Whether the library has clusters.
        own: The embedder of the library, for whole photos.
    """
    if json:
        print_json(ingest_fields(report))
    else:
        _lines(report)
    say_turned(report)
    say_failed_checks(report)
    for found in report.absent:
        say(found.text)
        say(f"hint: {found.hint}")
    print_not_read(report)
    print_noted(report)
    if report.unusable:
        files = count_text(report.unusable, "file")
        say(f"{files} could not be used; each with its reason: organizer problems")
    for failed in report.failed_readers.values():
        say(
            f"{count_text(failed.photos, 'photo')} went in without what the metadata reader "
            f"{failed.reader!r} would find; first {short(failed.file)}: {failed.reason}"
        )
    if report.without_time:
        say(
            "photos without a time are of no burst or event; where file names tell it: organizer "
            'ingest --time-from-name "IMG_%Y%m%d_%H%M%S*"'
        )
    _say_next(report, json=json, has_clusters=has_clusters, own=own)


def _say_next(
    report: IngestReport, *, json: bool, has_clusters: bool, own: PartSpec | None
) -> None:
    option = _option(report, own)
    if report.interrupted:
        say("interrupted: what was done is kept; run the same command again to continue")
    elif report.images and not has_clusters:
        say_next(
            "no clusters yet; to make them", f"organizer recluster --k auto{option}", json=json
        )
    elif option:
        say_next(
            "the clusters do not use these vectors yet; to make those that do",
            f"organizer recluster{option}",
            json=json,
        )
    elif report.total_unassigned and report.unassigned > report.compared / 4:
        images = count_text(report.total_unassigned, "image")
        say_next(
            f"{images} unassigned; to see them", "organizer clusters show unassigned", json=json
        )
        say_next("to look for clusters among them", "organizer recluster --k auto", json=json)
    if report.novel:
        say_next("to see what is new", "organizer clusters --new", json=json)
    elif has_clusters:
        say_next("to look at the clusters", "organizer open", json=json)


def say_turned(report: IngestReport) -> None:
    """What became of the boxes of photos that are shown otherwise than before."""
    turned = report.turned
    if turned.photos:
        photos = count_text(turned.photos, "photo")
        crops = count_text(turned.embedded, "crop")
        say(f"{photos} turned with the boxes of its detections; {crops} embedded anew")
    if turned.failed:
        crops = count_text(
            turned.failed, "crop of a turned photo has", "crops of turned photos have"
        )
        say(f"{crops} the vector of before: {turned.first_failure}")
    if turned.doubtful:
        photos = count_text(turned.doubtful, "photo was", "photos were")
        say(
            f"{photos} turned in a way that does not tell how; where the boxes of its detections "
            "are wrong now, run the detector again, and organizer detections import FILE"
        )


def say_failed_checks(report: IngestReport) -> None:
    """The checks of plugins that failed."""
    for failed in report.failed_checks:
        say(f"the check {failed.check!r} of a plugin failed, and says nothing: {failed.reason}")


def print_not_read(report: IngestReport) -> None:
    """The files that belong to photos, and the kinds that are not read.

    Of these the ones that may hold photos are listed, and some others.
    """
    if report.companions:
        files = count_text(report.companions, "file")
        verb = "belongs" if report.companions == 1 else "belong"
        say(f"{files} {verb} to photos: raw files, videos and sidecars of the same name")
    if report.videos_beside:
        videos = count_text(report.videos_beside, "video")
        verb = "is an image of its" if report.videos_beside == 1 else "are images of their"
        say(f"{videos} {verb} own, beside a photo of the same name: longer than a live photo's")
    kinds = list(by_kind(report.other_suffixes).items())
    shown = max(_KINDS_SHOWN, sum(file_kind(suffix) < FileKind.UNKNOWN for suffix, _ in kinds))
    for suffix, count in kinds[:shown]:
        title = file_kind(suffix).title
        said = f" ({title})" if title else ""
        say(f"not read: {count_text(count, 'file')} {suffix or 'without a suffix'}{said}")
    if any(suffix in VIDEO_SUFFIXES for suffix, _ in kinds) and not reads_videos():
        say("hint: to read videos: pip install 'organizer-photos[video]'")
    rest = kinds[shown:]
    if rest:
        files = count_text(sum(count for _, count in rest), "file")
        say(f"not read: {files} of {count_text(len(rest), 'other kind')}")


def print_noted(report: IngestReport) -> None:
    """The new photos that are damaged, or that are one of several in their file."""
    damaged, several = report.damaged, report.several
    if damaged.first is not None:
        say(
            f"{count_text(damaged.photos, 'damaged photo')} taken with what is left of the "
            f"picture; first {short(damaged.first)}: {damaged.text}; all: organizer problems"
        )
    if several.first is not None:
        say(
            f"{count_text(several.photos, 'file')} with several pictures, of which the main one "
            f"was taken; first {short(several.first)}"
        )


def _option(report: IngestReport, own: PartSpec | None) -> str:
    """The option with which `recluster` uses the vectors that were made."""
    made = report.embedder
    return f" --embedder {made.name}" if made.name and made != own else ""


def _example(report: IngestReport, outcome: Outcome) -> str:
    """A path, for outcomes that make a user ask which file it is."""
    paths = report.examples[outcome]
    if outcome in {Outcome.ADDED, Outcome.UNCHANGED} or not paths:
        return ""
    return f"  {short(Path(paths[0]))}" + (" ..." if report.counts[outcome] > 1 else "")


def _lines(report: IngestReport) -> None:
    for outcome in Outcome:
        count = report.counts[outcome]
        if outcome is Outcome.NEW_METADATA:
            continue
        if count or outcome in {Outcome.ADDED, Outcome.UNCHANGED}:
            print_line(
                f"{outcome.value.replace('_', ' '):>10} {count:>9,}{_example(report, outcome)}"
            )
    _known_files(report)
    if report.embedded:
        rate = report.embedded / report.seconds
        engine = f" ({report.engine})" if report.engine else ""
        print_text(
            f"embedded {count_text(report.embedded, 'image')} with {report.embedder.name}{engine} "
            f"in {report.seconds:.1f} s ({rate:.1f} images/s)"
        )
    _times(report)
    if report.compared or report.novel:
        print_text(_assigned(report))
    if report.grown or report.novel:
        print_text("; ".join(filter(None, (_grown(report), _novel(report)))))
    if report.novel:
        print_line(f"{count_text(report.total_unassigned, 'image')} still unassigned")
    print_line(f"{count_text(report.images, 'image')} in the library")
    for remark in report.remarks:
        print_text(f"look at: {remark.text}")


def _grown(report: IngestReport) -> str:
    """The clusters that new images came to, the most grown first."""
    shown = [f"{c.name or f'cluster {c.cluster_id}'} +{c.added:,}" for c in report.grown[:_SHOWN]]
    return listed_text(shown, len(report.grown))


def _novel(report: IngestReport) -> str:
    """The clusters that were found, the largest first."""
    novel = sorted(report.novel, key=lambda found: (-found.images, found.cluster_id))
    shown = [f"cluster {found.cluster_id} with {found.images:,}" for found in novel[:_SHOWN]]
    return f"new: {listed_text(shown, len(novel))}" if novel else ""


def _times(report: IngestReport) -> None:
    """Where times of new images come from, and what is wrong with them."""
    if report.without_time:
        print_line(f"no time: {report.without_time:,}")
    if report.future:
        print_line(f"time in the future: {report.future:,}")
    others = {name: n for name, n in report.time_sources.items() if name != DEFAULT_SOURCE}
    for source, count in others.items():
        print_line(f"time from {source}: {count:,}")


def _known_files(report: IngestReport) -> None:
    """What became of files that the library knew."""
    if count := report.counts[Outcome.NEW_METADATA]:
        files = count_text(count, "file has new metadata", "files have new metadata")
        print_line(f"{files}{_example(report, Outcome.NEW_METADATA)}")
    if count := report.replaced:
        files = count_text(count, "file holds another photo", "files hold other photos")
        more = " ..." if count > 1 else ""
        print_line(f"{files} now  {short(Path(report.first_replaced))}{more}")
    if count := report.merged:
        images = count_text(count, "image was", "images were")
        print_line(f"{images} the picture of another one: the two are one image now")


def _assigned(report: IngestReport) -> str:
    line = f"{count_text(report.compared - report.unassigned, 'image')} assigned"
    line += f", {report.unassigned:,} unassigned"
    if report.novel:
        line += f"; {count_text(len(report.novel), 'novel cluster')} found"
    return line
