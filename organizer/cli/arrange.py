"""``organizer arrange``: the files sorted into folders, taken back, and read back as words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    command,
    opened,
    say,
    stop_on_interrupt,
)
from organizer.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_SOME_UNUSABLE,
    SettingsError,
)

if TYPE_CHECKING:
    from organizer.cli.progress_bar import Bar
    from organizer.library import Library
    from organizer.library.folders.options import ArrangeOptions
    from organizer.library.folders.report import ArrangeReport, ArrangeUndoReport

_YES = {"y", "yes", "j", "ja"}


def arrange(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="The folder to sort into.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="NAME",
            help="A ready template: cluster (if not given), name (clusters without one share a "
            "folder), event or camera.",
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="TEXT",
            help="Your own, such as {cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            metavar="NAME",
            help="link (a second name of the same file, if not given), symlink, copy or move.",
        ),
    ] = None,
    with_people: PeopleOption = False,
    keep_tree: Annotated[
        bool, typer.Option("--keep-tree", help="Keep the folders the files are in below the new.")
    ] = False,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Write a plan as CSV; touch nothing."),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Carry a plan out, or go on with it."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an arrangement that was cut short.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last arrangement back, then the one before.")
    ] = False,
    read_back: Annotated[
        Path | None,
        typer.Option(
            "--read-back",
            metavar="DIR",
            help="Let the clusters be as you have put the files of that folder since.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --read-back: show what it says, and end.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --read-back: do not ask.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Sort the files into folders: a link, a copy or a move for each. Nothing is ever overwritten.

    What detectors found empty has a folder of its own, and photos with people
    or vehicles are left where they are, unless you add --with-people.

    Moves need a plan that you have seen: --plan plan.csv, then --apply
    plan.csv. --undo takes the last arrangement back. Drag files between the
    folders, rename folders or make new ones, and --read-back DIR turns that
    into moves, names and new clusters.

    Exit code 3: done, but some files could not be arranged.
    """
    with command(debug=debug):
        chosen = _Typed(
            to, by, template, mode, keep_tree=keep_tree, plan=plan, with_people=with_people
        )
        wish = _one_wish(chosen, apply, read_back, resume=resume, undo=undo)
        if (dry_run or yes) and read_back is None:
            raise SettingsError(
                "--dry-run and --yes go with --read-back", "--plan FILE shows what would be done"
            )
        with opened(library, with_people=with_people or None) as found:
            if read_back is not None:
                _read_back(found, read_back, dry_run=dry_run, yes=yes, json=json)
            elif wish == "undo":
                _undo(found, json=json)
            else:
                _arrange(found, chosen, apply, json=json)


class _Typed:
    """What was typed of a new arrangement."""

    def __init__(
        self,
        to: Path | None,
        by: str | None,
        template: str | None,
        mode: str | None,
        *,
        keep_tree: bool,
        plan: Path | None,
        with_people: bool,
    ) -> None:
        self.to, self.by, self.template, self.mode = to, by, template, mode
        self.keep_tree, self.plan, self.with_people = keep_tree, plan, with_people

    def options(self) -> list[str]:
        """The options that were given, the folder left out."""
        given = {
            "--by": self.by,
            "--template": self.template,
            "--mode": self.mode,
            "--keep-tree": self.keep_tree or None,
            "--plan": self.plan,
            "--with-people": self.with_people or None,
        }
        return [option for option, value in given.items() if value is not None]


def _one_wish(
    chosen: _Typed, apply: Path | None, read_back: Path | None, *, resume: bool, undo: bool
) -> str:
    """What is wanted, if it is one thing."""
    wishes = {
        "to": chosen.to is not None,
        "apply": apply is not None,
        "resume": resume,
        "undo": undo,
        "read-back": read_back is not None,
    }
    given = [name for name, is_given in wishes.items() if is_given]
    if not given:
        raise SettingsError(
            "say where to: --to DIR",
            "or --apply FILE, --resume, --undo, --read-back DIR; see organizer arrange --help",
        )
    if len(given) > 1:
        raise SettingsError(f"--{given[0]} and --{given[1]} are two things", "one after the other")
    if given[0] != "to" and chosen.options():
        raise SettingsError(
            f"{chosen.options()[0]} does not go with --{given[0]}", "it belongs to --to DIR"
        )
    if chosen.by is not None and chosen.template is not None:
        raise SettingsError("--by names a template, and --template is one", "give one of them")
    return given[0]


def _arrange(found: Library, chosen: _Typed, apply: Path | None, *, json: bool) -> None:
    from organizer.cli import arrange_output

    with _at_work() as (progress, stopped):
        if chosen.to is None:
            told = found.folders.apply(apply, progress=progress, stop=stopped)
        else:
            told = found.folders.arrange(
                _choice(chosen, chosen.to), plan=chosen.plan, progress=progress, stop=stopped
            )
        interrupted = stopped()
    arrange_output.arranged(told, json=json)
    raise typer.Exit(_exit_code(told, interrupted=interrupted))


def _choice(chosen: _Typed, to: Path) -> ArrangeOptions:
    from organizer.arrange import ArrangeMode
    from organizer.library.folders.options import ArrangeOptions

    mode = chosen.mode or ArrangeMode.LINK
    if mode not in {*ArrangeMode}:
        raise SettingsError(f"--mode cannot be {mode!r}", f"it is one of {', '.join(ArrangeMode)}")
    return ArrangeOptions(
        to, ArrangeMode(mode), chosen.by or "cluster", chosen.template, keep_tree=chosen.keep_tree
    )


def _undo(found: Library, *, json: bool) -> None:
    from organizer.cli import arrange_output

    with _at_work() as (progress, stopped):
        told = found.folders.undo(progress=progress, stop=stopped)
        interrupted = stopped()
    arrange_output.print_undo(told, json=json)
    raise typer.Exit(_exit_code(told, interrupted=interrupted))


def _read_back(found: Library, to: Path, *, dry_run: bool, yes: bool, json: bool) -> None:
    from organizer.cli import arrange_output
    from organizer.cli.progress_bar import progress_bar

    with progress_bar() as progress:
        told = found.folders.read_back(to, dry_run=True, progress=progress)
    is_asked = told.has_decisions and not (dry_run or yes)
    if is_asked and (json or not sys.stdin.isatty()):
        arrange_output.read_back(told, json=json)
        raise SettingsError("nobody is asked here, and nothing was changed", "add --yes")
    if is_asked:
        arrange_output.read_back(told, json=False)
        typer.echo("write this down? [y/n] ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in _YES:
            say("nothing was changed")
            return
    if not dry_run:
        with progress_bar() as progress:
            told = found.folders.read_back(to, progress=progress)
    if is_asked:
        say("written down; organizer undo takes it back, word by word")
    else:
        arrange_output.read_back(told, json=json)


@contextmanager
def _at_work() -> Iterator[tuple[Bar, Callable[[], bool]]]:
    """A bar, and whether the person asked to stop."""
    from organizer.cli.progress_bar import progress_bar

    with progress_bar() as progress, stop_on_interrupt(progress.note) as event:
        yield progress, event.is_set


def _exit_code(told: ArrangeReport | ArrangeUndoReport, *, interrupted: bool) -> int:
    if not told.is_finished:
        return EXIT_INTERRUPTED if interrupted else EXIT_FAILED
    return 0 if told.is_whole else EXIT_SOME_UNUSABLE
