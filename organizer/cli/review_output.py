"""Images to look at, and how pure the clusters are by what was said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from organizer.cli.output import box_text, print_json, print_line, print_table, short
from organizer.cli.session import say
from organizer.library import Library
from organizer.library.corrections.report import DecisionReport
from organizer.library.review.audit import count_reopened, rejected_images
from organizer.library.review.sample import ReviewItem
from organizer.store import SampleKind
from organizer.types import Audit, Proportion

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Read:
    """What a filled table held.

    Attributes:
        new: Answers that were not known.
        known: Answers that were.
        blank: Lines without one.
        elsewhere: Answers that say nothing of the clusters of now: the image is not in that one
            any more, or the cluster became another.
        differing: Answers that were not taken, since something else was said later.
    """

    new: int
    known: int
    blank: int
    elsewhere: int
    differing: int


def cluster(look: ReviewItem) -> None:
    """The cluster that images are shown with from here on."""
    say("")
    say(_title(look.cluster_id, look.cluster_name))
    for path in look.typical:
        say(f"  typical: {short(path)}")


def look(look: ReviewItem, *, place: int, of: int, said: bool | None) -> None:
    """An image to be asked about, with what was said of it."""
    say(f"{place}/{of}  {short(look.path)}{box_text(look.box)}{_why(look)}")
    kept = "" if said is None else f" you said {'y' if said else 'n'}; Enter keeps it"
    say(f"  does it belong to {_title(look.cluster_id, look.cluster_name)}?{kept}")


def lost(count: int) -> None:
    """Images that cannot be looked at."""
    if count:
        is_or_are = "is" if count == 1 else "are"
        say(f"{_images(count)} {is_or_are} left out: no file of them is there any more")


def looks(rows: Sequence[ReviewItem], *, json: bool) -> None:
    """Images to look at, where nobody is asked."""
    if json:
        print_json({"images": [asdict(row) for row in rows]})
        return
    if not rows:
        say("no image to look at is left")
        return
    is_doubtful = rows[0].drawn is SampleKind.DOUBTFUL
    columns = ["path", ">cluster", "name"]
    columns += [">disagreeing", ">their cluster", "name"] if is_doubtful else ["typical"]
    table = []
    for row in rows:
        cells = [short(row.path), str(row.cluster_id), row.cluster_name or "-"]
        if is_doubtful:
            cells += [f"{row.disagreeing:.0%}", str(row.other_id), row.other_name or "-"]
        else:
            cells.append(short(row.typical[0]) if row.typical else "-")
        table.append(cells)
    print_table(columns, table)
    say("to answer: the same on a terminal, or with --out review.csv for a spreadsheet")


def written(file: Path, rows: Sequence[ReviewItem], *, json: bool) -> None:
    """A table was written."""
    if json:
        print_json({"file": file, "images": len(rows)})
        return
    if not rows:
        say("no image to look at is left: the file has a header only")
    print_line(f"{len(rows):,} images in {file}")
    say(f"write y or n into the column belongs, then: organizer review --in {file}")


def nothing_to_ask(*, doubtful: bool) -> None:
    """Why nobody is asked."""
    if doubtful:
        say("no image is left whose neighbours are mostly in another cluster")
    else:
        say("no image is left to look at: you answered about all of them")


def done(
    library: Library,
    corrected: Sequence[DecisionReport],
    *,
    read: Read | None = None,
    json: bool,
) -> None:
    """What is known of the clusters now, and what was corrected."""
    audit = library.review.audit()
    is_clustered = library.store.clusterings.current() is not None
    left = sum(map(len, rejected_images(library.store).values())) if is_clustered else 0
    again = count_reopened(library.store)
    moved = sum(len(report.decision.image_ids) for report in corrected)
    if json:
        print_json(
            {
                "audit": review_fields(audit),
                "wrong": left,
                "reopened": again,
                "corrected": moved,
                "read": asdict(read) if read else None,
            }
        )
        return
    if read is not None:
        _read(read)
    if audit is not None:
        _tables(audit, library.corrections.constraints().names)
    else:
        say("how pure the clusters are is not known: no image that was drawn at random is answered")
        say("hint: organizer review --sample 200")
    if again:
        say(
            f"{_images(again)} that you said not to belong to a cluster that was merged since: "
            "until you look again, the purity is too high; organizer review --sample begins there"
        )
    _closing(moved, left)


def review_fields(audit: Audit | None) -> dict[str, object] | None:
    """An audit for JSON."""
    if audit is None:
        return None
    return {
        "purity": asdict(audit.overall),
        "per_cluster": [
            {"cluster_id": cluster_id, **asdict(found)}
            for cluster_id, found in audit.per_cluster.items()
        ],
        "confidence": _CONFIDENCE,
        "unseen": audit.unseen,
    }


def overall(audit: Audit) -> str:
    """The purity of the whole, one line."""
    whole = audit.overall
    return (
        f"purity by your answers {whole.share:.3f}, 95% interval {_ends(whole)}: "
        f"{whole.right:,} of {whole.answered:,} images that you looked at belong"
    )


def _tables(audit: Audit, names: Mapping[int, str]) -> None:
    """The least pure clusters first."""
    rows = sorted(audit.per_cluster.items(), key=lambda pair: (pair[1].share, pair[0]))
    table = [
        [str(i), names.get(i) or "-", f"{p.answered:,}", f"{p.right:,}", f"{p.share:.3f}", _ends(p)]
        for i, p in rows
    ]
    columns = [">id", "name", ">looked at", ">belong", ">purity", "95% interval"]
    print_table(columns, table)
    print_line(overall(audit))
    if audit.unseen:
        say(f"{audit.unseen:,} images are in clusters of which you saw none; they are not counted")


def _read(read: Read) -> None:
    more = f", {read.known:,} {_were(read.known)} known already" if read.known else ""
    answers = "1 answer" if read.new == 1 else f"{read.new:,} answers"
    lines = "1 line is" if read.blank == 1 else f"{read.blank:,} lines are"
    print_line(f"{answers} read{more}; {lines} blank")
    if read.differing:
        say(
            f"{read.differing:,} {_were(read.differing)} not taken: after the table was written "
            "you said otherwise; --in FILE --force takes what the table says"
        )
    if read.elsewhere:
        about = (
            "1 is about an image" if read.elsewhere == 1 else f"{read.elsewhere:,} are about images"
        )
        say(
            f"{about} not in that cluster now, or a cluster that became another: "
            "kept, but not counted"
        )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _closing(moved: int, left: int) -> None:
    if moved:
        say(
            f"{_images(moved)} left for good; the purity is that of what is there now. "
            "organizer undo brings them back, one cluster at a time"
        )
    if left:
        is_or_are = "is" if left == 1 else "are"
        say(f"{_images(left)} that you said not to belong {is_or_are} still there")
        say("to let them leave their clusters for good: organizer review --correct")


def _ends(found: Proportion) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"


def _why(look: ReviewItem) -> str:
    if look.disagreeing is None or look.other_id is None:
        return ""
    other = _title(look.other_id, look.other_name)
    return f"  ({look.disagreeing:.0%} of its neighbours are elsewhere, mostly in {other})"


def _title(cluster_id: int, name: str | None) -> str:
    return f"cluster {cluster_id}" + (f", {name}" if name else "")


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
