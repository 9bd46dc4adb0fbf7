"""``organizer suggest``: names for images that nobody decided about, and what to answer next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.completion import complete_clusters
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    SeedOption,
    UserOption,
    command,
    opened,
)
from organizer.errors import SettingsError

_ALL = "all"


def suggest(
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="CLUSTER",
            help="Only for that cluster, by its name or id.",
            autocompletion=complete_clusters,
        ),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            min=0,
            max=1,
            help="How probable a name has to be, 0 to 1; 0.9 if not given.",
        ),
    ] = None,
    accept: Annotated[
        str | None,
        typer.Option(
            "--accept",
            metavar="all or FILE",
            help="Move the images: all that are suggested, or those in a CSV file.",
        ),
    ] = None,
    ask: Annotated[
        int | None,
        typer.Option(
            "--ask", metavar="N", min=1, help="Instead: the N images whose names would teach most."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a CSV file to edit.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace the file.")] = False,
    with_people: PeopleOption = False,
    seed: SeedOption = None,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Which named clusters the unassigned images, and those of unnamed clusters, belong to.

    It is learned from the clusters that you named and the images that you
    moved. Accepting is a decision about each image, and one organizer undo
    takes all of it back. Of --out FILE delete or change the lines that are
    wrong, and read it with --accept FILE.

    With --ask you see the images whose names would teach most: write the
    names into the column name of --out FILE, and read it with --accept FILE.
    A name that no cluster has makes a new one.
    """
    with command(debug=debug):
        _require_one_action(name, min_confidence, accept, ask, out, force=force)
        with opened(library, user=user, seed=seed, with_people=with_people or None) as found:
            from organizer.cli import suggest_output
            from organizer.library.suggestions import csv_file

            if accept is not None and accept != _ALL:
                filled = csv_file.read_suggestions(Path(accept), found.store)
                reports = found.corrections.apply(filled.requests)
                suggest_output.print_accepted(
                    found, reports, blank=filled.blank, left_out=filled.left_out, json=json
                )
            elif ask is not None:
                questions = found.suggestions.ask(ask)
                if out is not None:
                    csv_file.write_suggestions(out, questions, store=found.store, force=force)
                suggest_output.print_questions(questions, out=out, json=json)
            else:
                least = {} if min_confidence is None else {"min_confidence": min_confidence}
                proposed = found.suggestions.propose(name, **least)
                if accept == _ALL:
                    reports = found.suggestions.accept(proposed.suggestions)
                    suggest_output.print_accepted(found, reports, blank=0, json=json)
                    return
                if out is not None:
                    csv_file.write_suggestions(
                        out, proposed.suggestions, store=found.store, force=force
                    )
                suggest_output.print_suggested(proposed, name=name, out=out, json=json)


def _require_one_action(
    name: str | None,
    min_confidence: float | None,
    accept: str | None,
    ask: int | None,
    out: Path | None,
    *,
    force: bool,
) -> None:
    filters = name is not None or min_confidence is not None
    if ask is not None and (filters or accept is not None):
        raise SettingsError(
            "--ask asks about images of any name; it goes with --out only",
            "organizer suggest --ask 20 --out names.csv",
        )
    if accept is not None and out is not None:
        raise SettingsError("--accept and --out are two steps", "--out first, then --accept FILE")
    if accept not in {None, _ALL} and filters:
        raise SettingsError(
            f"--accept {accept} takes every line of the file that has a name",
            "delete the other lines, or --accept all with --name and --min-confidence",
        )
    if force and out is None:
        raise SettingsError("--force belongs to --out", "organizer suggest --out FILE --force")
