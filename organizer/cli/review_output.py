"""Images to look at, and the purity by the answers, on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    count_text,
    path_text,
    print_json,
    print_line,
    print_table,
    print_text,
    short,
)
from organizer.cli.session import say
from organizer.fields.audit import audit_fields
from organizer.library import Library
from organizer.library.corrections.report import DecisionReport
from organizer.library.csv_tables import LeftOutLine, left_out_notes
from organizer.library.review.audit import count_reopened, rejected_images
from organizer.library.review.sample import ReviewItem
from organizer.store import SampleKind
from organizer.typed import as_typed
from organizer.types import Audit, Proportion


@dataclass(frozen=True, slots=True)
class ReadAnswers:
    """Counts of the answers in a table that was filled in.

    Attributes:
        new: Answers that were not known.
        known: Answers that were known.
        blank: Lines without an answer.
        elsewhere: Answers that do not count for the current clusters: the image left its cluster,
            or the cluster changed.
        differing: Answers that were not read, because a later answer differs.
        left_out: The lines that were left out, with the reason.
    """

    new: int
    known: int
    blank: int
    elsewhere: int
    differing: int
    left_out: tuple[LeftOutLine, ...]


def print_cluster(item: ReviewItem) -> None:
    """The cluster of the images that follow, with typical images of it."""
    say("")
    say(_title(item.cluster_id, item.cluster_name))
    for path in item.typical:
        say(f"  typical: {short(path)}")


def print_question(item: ReviewItem, *, place: int, of: int, answer: bool | None) -> None:
    """An image that is asked about, with the answer so far."""
    say(f"{place}/{of}  {_path(item)}{_doubt(item)}")
    kept = "" if answer is None else f" you answered {'y' if answer else 'n'}; Enter keeps it"
    say(f"  does it belong to {_title(item.cluster_id, item.cluster_name)}?{kept}")


def print_missing(count: int) -> None:
    """How many images are left out because their files are missing."""
    if count:
        say(f"{count_text(count, 'image')} left out: the files are missing")


def print_items(items: Sequence[ReviewItem], *, json: bool) -> None:
    """The images of a review, where nobody can be asked."""
    if json:
        print_json({"images": [asdict(item) for item in items]})
        return
    if not items:
        say("no image is left to look at")
        return
    is_doubtful = items[0].drawn is SampleKind.DOUBTFUL
    columns = ["path", ">cluster", "name"]
    columns += [">disagreeing", ">their cluster", "name"] if is_doubtful else ["typical"]
    rows = []
    for item in items:
        row = [_path(item), str(item.cluster_id), item.cluster_name or "-"]
        if is_doubtful:
            row += [f"{item.disagreeing:.0%}", str(item.other_id), item.other_name or "-"]
        else:
            row.append(short(item.typical[0]) if item.typical else "-")
        rows.append(row)
    print_table(columns, rows, paths=("path", "typical"))
    say("to answer: the same command on a terminal, or with --out review.csv for a spreadsheet")


def print_written(file: Path, items: Sequence[ReviewItem], *, json: bool) -> None:
    """The table that was written, and how to fill it in."""
    if json:
        print_json({"file": file, "images": len(items)})
        return
    if not items:
        say("no image is left to look at: the file has only a header")
    print_line(f"{count_text(len(items), 'image')} in {file}")
    say_next(
        "write y or n into the column belongs, then", f"organizer review --in {as_typed(file)}"
    )


def print_nothing_left(*, doubtful: bool) -> None:
    """Why no image is asked about."""
    if doubtful:
        say("no image is left whose neighbours are mostly in another cluster")
    else:
        say("no image is left to look at: you answered about all of them")


def print_result(
    library: Library,
    corrected: Sequence[DecisionReport],
    *,
    answers: ReadAnswers | None = None,
    json: bool,
) -> None:
    """The purity of the clusters by all answers, and what was corrected."""
    audit = library.review.audit()
    is_clustered = library.store.clusterings.current() is not None
    wrong = sum(map(len, rejected_images(library.store).values())) if is_clustered else 0
    reopened = count_reopened(library.store)
    moved = sum(len(report.decision.image_ids) for report in corrected)
    if json:
        print_json(
            {
                "audit": audit_fields(audit),
                "wrong": wrong,
                "reopened": reopened,
                "corrected": moved,
                "read": asdict(answers) if answers else None,
            }
        )
        return
    if answers is not None:
        _print_answers(answers)
    if audit is not None:
        _print_purity(audit, library.corrections.constraints().names)
    else:
        say("the purity is not known: no answer is about an image that was drawn at random")
        say("hint: organizer review --sample 200")
    if reopened:
        say(
            f"your answers exclude {count_text(reopened, 'image')} from a cluster that was merged "
            "since: until you look again, the purity is too high; organizer review --sample begins "
            "there"
        )
    _print_corrections(moved, wrong)


def audit_line(audit: Audit) -> str:
    """The purity over all clusters, in one line."""
    whole = audit.overall
    return (
        f"purity by your answers {whole.share:.3f}, 95% interval {_interval(whole)}: "
        f"{whole.right:,} of {count_text(whole.answered, 'image')} that you looked at belong"
    )


def _print_purity(audit: Audit, names: Mapping[int, str]) -> None:
    """The purity of each cluster, the least pure first, then that of all."""
    found = sorted(audit.per_cluster.items(), key=lambda pair: (pair[1].share, pair[0]))
    rows = [
        [
            str(cluster_id),
            names.get(cluster_id) or "-",
            f"{p.answered:,}",
            f"{p.right:,}",
            f"{p.share:.3f}",
            _interval(p),
        ]
        for cluster_id, p in found
    ]
    print_table([">id", "name", ">looked at", ">belong", ">purity", "95% interval"], rows)
    print_text(audit_line(audit))
    if audit.unseen:
        say(f"{count_text(audit.unseen, 'image')} in clusters without an answer; not counted")


def _print_answers(answers: ReadAnswers) -> None:
    known = f", {answers.known:,} known already" if answers.known else ""
    blank = f"{count_text(answers.blank, 'line')} blank"
    print_line(f"{count_text(answers.new, 'answer')} read{known}; {blank}")
    if answers.differing:
        say(
            f"{count_text(answers.differing, 'answer')} not read: you answered otherwise after the "
            "table was written; --in FILE --force reads those of the table"
        )
    for note in left_out_notes(answers.left_out):
        say(note)
    if answers.elsewhere:
        say(
            f"{count_text(answers.elsewhere, 'answer')} kept but not counted: the image left that "
            "cluster, or the cluster changed"
        )


def _print_corrections(moved: int, wrong: int) -> None:
    if moved:
        say(f"{count_text(moved, 'image')} excluded; the purity is that of what is left")
        say_next("to take it back", "organizer undo")
    if wrong:
        one, many = "image does not belong to its cluster", "images do not belong to their clusters"
        say(f"{count_text(wrong, one, many)}, by your answers")
        say_next("to exclude them from their clusters", "organizer review --correct")


def _interval(found: Proportion) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"


def _doubt(item: ReviewItem) -> str:
    if item.disagreeing is None or item.other_id is None:
        return ""
    other = _title(item.other_id, item.other_name)
    return f"  ({item.disagreeing:.0%} of its neighbours are elsewhere, mostly in {other})"


def _path(item: ReviewItem) -> str:
    return path_text(item.path, item.box, missing=item.missing)


def _title(cluster_id: int, name: str | None) -> str:
    return f"cluster {cluster_id}" + (f", {name}" if name else "")
