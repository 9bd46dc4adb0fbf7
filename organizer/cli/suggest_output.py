"""Suggestions and questions on the terminal and as JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from organizer.cli.next_step import say_next
from organizer.cli.output import count_text, path_text, print_json, print_line, print_table
from organizer.cli.session import say
from organizer.library import Library
from organizer.library.corrections.report import DecisionReport
from organizer.library.csv_tables import LeftOutLine, left_out_notes
from organizer.library.suggestions.ask import Question
from organizer.library.suggestions.propose import Suggestion, SuggestionReport
from organizer.typed import as_typed

_SHOWN = 20


def print_suggested(
    report: SuggestionReport, *, name: str | None, out: Path | None, json: bool
) -> None:
    """The suggestions by name; of one name the images."""
    suggestions = report.suggestions
    if json:
        print_json(
            {
                "suggestions": [_suggestion_fields(one) for one in suggestions],
                "held_out": report.held_out,
                "right": report.right,
                "alike": [asdict(pair) for pair in report.alike],
                "lone": report.lone,
                "file": out,
            }
        )
        return
    if not suggestions:
        say(
            "nothing to suggest: name more (organizer suggest --ask 20), recluster so that what "
            "you decided counts, or lower --min-confidence"
        )
    elif name is None:
        _print_names(suggestions)
    else:
        _print_images(suggestions)
    _print_trust(report)
    if suggestions or out is not None:
        _print_next(suggestions, name=name, out=out)


def _print_trust(report: SuggestionReport) -> None:
    if report.held_out:
        say(
            f"of {count_text(report.held_out, 'image')} that you moved, {report.right:,} would be "
            "given the same name by the others"
        )
    for pair in report.alike:
        say(
            f"{pair.first} and {pair.second} are hard to tell apart: {pair.wrong} of the "
            f"{count_text(pair.decided, 'image')} that stand for them would be given the other name"
        )
    for name in report.lone:
        say(f"one image alone stands for {name}: move another one there before you trust it")


def _print_names(suggestions: Sequence[Suggestion]) -> None:
    rows = []
    for name, found in groupby(suggestions, key=lambda one: one.name):
        mine = list(found)
        low, high = mine[-1].confidence, mine[0].confidence
        rows.append([name, f"{len(mine):,}", _from(mine), f"{low:.2f} to {high:.2f}"])
    print_table(["name", ">images", "now in", "confidence"], rows)


def _print_images(suggestions: Sequence[Suggestion]) -> None:
    shown = suggestions[:_SHOWN] if sys.stdout.isatty() else suggestions
    rows = [[f"{one.confidence:.2f}", _place(one.current), _path(one)] for one in shown]
    print_table([">confidence", ">now in", "path"], rows, paths=("path",))
    if len(suggestions) > len(shown):
        say(f"... and {len(suggestions) - len(shown):,} more")


def _print_next(suggestions: Sequence[Suggestion], *, name: str | None, out: Path | None) -> None:
    if out is not None:
        print_line(f"{count_text(len(suggestions), 'image')} in {out}")
        say_next(
            "delete or change what is wrong, then", f"organizer suggest --accept {as_typed(out)}"
        )
        return
    which = f" --name {as_typed(name)}" if name else ""
    say_next("to accept all", f"organizer suggest{which} --accept all")
    say_next("to choose", f"organizer suggest{which} --out suggestions.csv")


def print_questions(questions: Sequence[Question], *, out: Path | None, json: bool) -> None:
    """The images to name."""
    if json:
        print_json({"questions": [_question_fields(one) for one in questions], "file": out})
        return
    if not questions:
        say("no image is left to ask about")
        return
    if out is not None:
        print_line(f"{count_text(len(questions), 'image')} in {out}")
        say_next(
            "write names into the column name, then", f"organizer suggest --accept {as_typed(out)}"
        )
        return
    rows = [
        [
            _path(one),
            one.current_name or _place(one.current),
            "-" if one.guess_name is None else f"{one.guess_name} ({one.confidence:.2f})",
        ]
        for one in questions
    ]
    print_table(["path", "now in", "guess"], rows, paths=("path",))
    say("or with --out names.csv in a spreadsheet")
    say_next("to answer", "organizer clusters move PHOTO --to CLUSTER")


def print_accepted(
    library: Library,
    reports: Sequence[DecisionReport],
    *,
    blank: int,
    left_out: Sequence[LeftOutLine] = (),
    json: bool,
) -> None:
    """What was accepted, by cluster."""
    names = library.corrections.constraints().names
    decisions = [report.decision for report in reports]
    total = sum(len(decision.image_ids) for decision in decisions)
    if json:
        clusters = [
            {
                "cluster_id": decision.cluster_id,
                "name": names.get(decision.cluster_id),
                "images": len(decision.image_ids),
            }
            for decision in decisions
        ]
        notes = [note for report in reports for note in report.notes]
        print_json(
            {
                "accepted": total,
                "clusters": clusters,
                "blank": blank,
                "left_out": [asdict(line) for line in left_out],
                "notes": notes,
            }
        )
        return
    for decision in decisions:
        name = names.get(decision.cluster_id, "")
        count = count_text(len(decision.image_ids), "image")
        print_line(f"{count} to cluster {decision.cluster_id} {name}".rstrip())
    for note in dict.fromkeys(note for report in reports for note in report.notes):
        say(note)
    if blank:
        say(f"{count_text(blank, 'line')} without a name left out")
    for note in left_out_notes(left_out):
        say(note)
    if total:
        say_next("to take it back", "organizer undo")
    else:
        say("nothing to accept")


def _path(one: Suggestion | Question) -> str:
    return path_text(one.path, one.box, missing=one.missing)


def _from(suggestions: Sequence[Suggestion]) -> str:
    """Where some images are now, the most common place first."""
    counts = Counter(_place(one.current) for one in suggestions)
    shown = [f"{place} ({count:,})" for place, count in counts.most_common(3)]
    return ", ".join(shown) + (" ..." if len(counts) > len(shown) else "")


def _place(cluster_id: int | None) -> str:
    return "unassigned" if cluster_id is None else f"cluster {cluster_id}"


def _suggestion_fields(one: Suggestion) -> dict[str, object]:
    return {
        "path": one.path,
        "image_id": one.image_id,
        "name": one.name,
        "cluster_id": one.cluster_id,
        "confidence": one.confidence,
        "current_cluster": one.current,
        "box": one.box,
        "missing": one.missing,
    }


def _question_fields(one: Question) -> dict[str, object]:
    return {
        "path": one.path,
        "image_id": one.image_id,
        "current_cluster": one.current,
        "current_name": one.current_name,
        "guess_cluster": one.guess,
        "guess": one.guess_name,
        "confidence": one.confidence,
        "box": one.box,
        "missing": one.missing,
    }
