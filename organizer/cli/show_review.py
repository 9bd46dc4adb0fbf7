"""Images to look at, and how pure the clusters are by what was said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from organizer.cli.session import say
from organizer.cli.show import print_json, print_line, print_table, short
from organizer.library import Library
from organizer.library.deciding import DecisionReport
from organizer.library.reviewing import Look, wrong
from organizer.scores import Audit, Proportion
from organizer.store import Drawn

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Read:
    """What a filled table held.

    Attributes:
        new: Answers that were not known.
        known: Answers that were.
        blank: Lines without one.
        elsewhere: Answers about images that are not in that cluster now.
    """

    new: int
    known: int
    blank: int
    elsewhere: int


def cluster(look: Look) -> None:
    """The cluster that images are shown with from here on."""
    say("")
    say(_title(look.cluster_id, look.cluster_name))
    for path in look.typical:
        say(f"  typical: {short(path)}")


def look(look: Look, *, place: int, of: int) -> None:
    """An image to be asked about."""
    say(f"{place}/{of}  {short(look.path)}{_why(look)}")
    say(f"  does it belong to {_title(look.cluster_id, look.cluster_name)}?")


def looks(rows: Sequence[Look], *, json: bool) -> None:
    """Images to look at, where nobody is asked."""
    if json:
        print_json({"images": [asdict(row) for row in rows]})
        return
    if not rows:
        say("no image to look at is left")
        return
    is_doubtful = rows[0].drawn is Drawn.DOUBTFUL
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


def written(file: Path, rows: Sequence[Look], *, json: bool) -> None:
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
    audit = library.audit()
    is_clustered = library.store.clusterings.current() is not None
    left = sum(map(len, wrong(library.store).values())) if is_clustered else 0
    moved = sum(len(report.decision.image_ids) for report in corrected)
    if json:
        print_json(
            {
                "audit": fields(audit),
                "wrong": left,
                "corrected": moved,
                "read": asdict(read) if read else None,
            }
        )
        return
    if read is not None:
        _read(read)
    if audit is not None:
        _tables(audit, library.constraints().names)
    else:
        say("how pure the clusters are is not known: no image that was drawn at random is answered")
        say("hint: organizer review --sample 200")
    _closing(moved, left)


def fields(audit: Audit | None) -> dict[str, object] | None:
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
        f"purity {whole.share:.3f}, 95% interval {_ends(whole)}: "
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
    more = f", {read.known:,} were known already" if read.known else ""
    print_line(f"{read.new:,} answers read{more}; {read.blank:,} lines are blank")
    if read.elsewhere:
        say(
            f"{read.elsewhere:,} are about images that are not in that cluster now: "
            "kept, but not counted"
        )


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


def _why(look: Look) -> str:
    if look.disagreeing is None or look.other_id is None:
        return ""
    other = _title(look.other_id, look.other_name)
    return f"  ({look.disagreeing:.0%} of its neighbours are elsewhere, mostly in {other})"


def _title(cluster_id: int, name: str | None) -> str:
    return f"cluster {cluster_id}" + (f", {name}" if name else "")


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
