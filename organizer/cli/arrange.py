"""``organizer arrange``: clusters written out as folders, undone, and read back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.duplicates import KeepOption, KindOption, options_of
from organizer.cli.next_step import say_next
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    UserOption,
    command,
    opened,
    print_error,
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
    from organizer.library.duplicates.find import DuplicateOptions
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
            help="A built-in template: cluster (if not given), name (clusters without one share a "
            "folder), event or camera.",
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="TEXT",
            help="A template of your own: {cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode",
            metavar="NAME",
            help="link (a second name of the same file, if not given), symlink, copy or move; of "
            "duplicates move if not given.",
        ),
    ] = None,
    duplicates: Annotated[
        bool,
        typer.Option(
            "--duplicates",
            help="Only files that are not needed beside others, as organizer duplicates lists "
            "them; they are moved, and keep their folders.",
        ),
    ] = False,
    kind: KindOption = None,
    keep: KeepOption = None,
    with_people: PeopleOption = False,
    keep_tree: Annotated[
        bool,
        typer.Option("--keep-tree", help="Repeat the files' folders below the new ones."),
    ] = False,
    update: Annotated[
        Path | None,
        typer.Option(
            "--update",
            metavar="DIR",
            help="Bring that folder up to date with the clusters of now; what you put or changed "
            "there stays.",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Write a plan as CSV; change nothing."),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Apply a plan, or continue it."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an arrangement that was interrupted.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo the last arrangement, then the one before.")
    ] = False,
    read_back: Annotated[
        Path | None,
        typer.Option(
            "--read-back",
            metavar="DIR",
            help="Apply to the clusters what you changed in that folder: files moved, folders "
            "renamed or made.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="With --read-back and --update: only show what would be done."
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="With --read-back and --update: do not ask. With --to: also into a folder with "
            "ingested photos.",
        ),
    ] = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Sort the files into folders: a link, a copy or a move for each. Nothing is ever overwritten.

    Photos that detectors found empty have a folder of their own; photos with
    people or vehicles stay where they are, unless you add --with-people.

    Moves need a plan that you can check: --plan plan.csv, then --apply
    plan.csv. --undo undoes the last arrangement. Move files between the
    folders, rename folders or make new ones, and --read-back DIR turns that
    into decisions: moves, names and new clusters. After other decisions or
    an ingest, --update DIR puts the files of that folder where they belong now.

    Exit code 3: done, but some files could not be arranged.
    """
    with command(debug=debug):
        if (kind or keep) and not duplicates:
            raise SettingsError("--kind and --keep go with --duplicates", "add --duplicates")
        request = _Request(
            to,
            by,
            template,
            mode,
            plan,
            keep_tree=keep_tree,
            with_people=with_people,
            yes=yes,
            duplicates=options_of(kind, keep) if duplicates else None,
        )
        action = _one_action(request, apply, read_back, update, resume=resume, undo=undo)
        _require_belonging(action, dry_run=dry_run, yes=yes)
        with opened(library, user=user, with_people=with_people or None) as found:
            if read_back is not None:
                _read_back(found, read_back, dry_run=dry_run, yes=yes, json=json)
            elif update is not None:
                _update(found, update, request, dry_run=dry_run, yes=yes, json=json)
            elif action == "undo":
                _undo(found, json=json)
            else:
                _arrange(found, request, apply, json=json)


@dataclass(frozen=True, slots=True)
class _Request:
    """The options of a new arrangement."""

    to: Path | None
    by: str | None
    template: str | None
    mode: str | None
    plan: Path | None
    keep_tree: bool
    with_people: bool
    duplicates: DuplicateOptions | None
    yes: bool

    def given_options(self) -> list[str]:
        """The options that were given, without ``--to``."""
        given = {
            "--by": self.by,
            "--template": self.template,
            "--mode": self.mode,
            "--keep-tree": self.keep_tree or None,
            "--plan": self.plan,
            "--duplicates": self.duplicates,
            "--with-people": self.with_people or None,
        }
        return [option for option, value in given.items() if value is not None]


def _one_action(
    request: _Request,
    apply: Path | None,
    read_back: Path | None,
    update: Path | None,
    *,
    resume: bool,
    undo: bool,
) -> str:
    """What to do.

    Raises:
        SettingsError: No action is given, several are, or an option does not belong to it.
    """
    actions = {
        "to": request.to is not None,
        "apply": apply is not None,
        "resume": resume,
        "undo": undo,
        "read-back": read_back is not None,
        "update": update is not None,
    }
    given = [name for name, is_given in actions.items() if is_given]
    if not given:
        raise SettingsError(
            "no folder is given: --to DIR",
            "or --apply FILE, --resume, --undo, --read-back DIR, --update DIR; see its --help",
        )
    if len(given) > 1:
        raise SettingsError(
            f"--{given[0]} and --{given[1]} are two actions", "run one after the other"
        )
    taken = {"--by", "--template", "--keep-tree", "--with-people"} if given[0] == "update" else ()
    odd = [option for option in request.given_options() if option not in taken]
    if given[0] != "to" and odd:
        raise SettingsError(f"{odd[0]} does not go with --{given[0]}", "it belongs to --to DIR")
    if request.by is not None and request.duplicates is not None:
        raise SettingsError("duplicates keep their folders", "--template gives them others")
    if request.by is not None and request.template is not None:
        raise SettingsError("--by and --template both give a template", "give one of them")
    return given[0]


def _require_belonging(action: str, *, dry_run: bool, yes: bool) -> None:
    """Make sure that flags belong to the action.

    Raises:
        SettingsError: One does not.
    """
    asks = {"read-back", "update"}
    if dry_run and action not in asks:
        raise SettingsError(
            "--dry-run goes with --read-back and --update", "--plan FILE shows what would be done"
        )
    if yes and action not in {*asks, "to"}:
        raise SettingsError(f"--yes does not go with --{action}", "leave it out: nobody is asked")


def _arrange(found: Library, request: _Request, apply: Path | None, *, json: bool) -> None:
    from organizer.cli import arrange_output

    with _working() as (progress, stopped):
        if request.to is None:
            report = found.folders.apply(apply, progress=progress, stop=stopped)
        else:
            report = found.folders.arrange(
                _options(request, request.to),
                plan=request.plan,
                progress=progress,
                stop=stopped,
            )
        interrupted = stopped()
    arrange_output.print_arranged(report, json=json)
    raise typer.Exit(_exit_code(report, interrupted=interrupted))


def _options(request: _Request, to: Path) -> ArrangeOptions:
    from organizer.arrange import ArrangeMode
    from organizer.library.folders.options import ArrangeOptions

    usual = ArrangeMode.LINK if request.duplicates is None else ArrangeMode.MOVE
    mode = request.mode or usual
    if mode not in {*ArrangeMode}:
        raise SettingsError(f"--mode cannot be {mode!r}", f"it is one of {', '.join(ArrangeMode)}")
    return ArrangeOptions(
        to,
        ArrangeMode(mode),
        request.by or "cluster",
        request.template,
        keep_tree=request.keep_tree,
        duplicates=request.duplicates,
        among_photos=request.yes,
    )


def _update(
    found: Library, to: Path, request: _Request, *, dry_run: bool, yes: bool, json: bool
) -> None:
    from organizer.cli import arrange_output

    is_named = request.by is not None or request.template is not None or request.keep_tree
    options = _options(request, to) if is_named else None
    if not yes:
        with _working() as (progress, _):
            report = found.folders.update(to, options, dry_run=True, progress=progress)
        arrange_output.print_update(report, json=json, is_planned=True)
        if dry_run or not report.has_changes:
            raise typer.Exit(0 if report.is_whole else EXIT_SOME_UNUSABLE)
        if not _agreed("apply this?", json=json):
            return
    with _working() as (progress, stopped):
        report = found.folders.update(to, options, dry_run=dry_run, progress=progress, stop=stopped)
        interrupted = stopped()
    arrange_output.print_update(report, json=json, is_planned=dry_run)
    raise typer.Exit(_exit_code(report, interrupted=interrupted))


def _undo(found: Library, *, json: bool) -> None:
    from organizer.cli import arrange_output

    with _working() as (progress, stopped):
        report = found.folders.undo(progress=progress, stop=stopped)
        interrupted = stopped()
    arrange_output.print_undo(report, json=json)
    raise typer.Exit(_exit_code(report, interrupted=interrupted))


def _read_back(found: Library, to: Path, *, dry_run: bool, yes: bool, json: bool) -> None:
    from organizer.cli import arrange_output
    from organizer.cli.progress_bar import progress_bar

    with progress_bar() as progress:
        report = found.folders.read_back(to, dry_run=True, progress=progress)
    needs_answer = report.has_decisions and not (dry_run or yes)
    if needs_answer:
        arrange_output.print_read_back(report, json=json)
        if not _agreed("apply these decisions?", json=json):
            return
    if not dry_run:
        with progress_bar() as progress:
            report = found.folders.read_back(to, progress=progress)
    if needs_answer:
        say_next("applied; to take it back", "organizer undo")
    else:
        arrange_output.print_read_back(report, json=json)


def _agreed(question: str, *, json: bool) -> bool:
    """Ask whether what was printed is to be done; end the command where nobody can be asked."""
    if not sys.stdin.isatty() or json:
        refused = SettingsError("nothing was changed: nobody can be asked here", "add --yes")
        print_error(refused)  # not as JSON too: what --json gives is printed already
        raise typer.Exit(refused.exit_code)
    typer.echo(f"{question} [y/n] ", nl=False, err=True)
    is_agreed = sys.stdin.readline().strip().lower() in _YES
    if not is_agreed:
        say("nothing was changed")
    return is_agreed


@contextmanager
def _working() -> Iterator[tuple[Bar, Callable[[], bool]]]:
    """A progress bar, and a function that tells whether the user asked to stop."""
    from organizer.cli.progress_bar import progress_bar

    with progress_bar() as progress, stop_on_interrupt(progress.note) as event:
        yield progress, event.is_set


def _exit_code(report: ArrangeReport | ArrangeUndoReport, *, interrupted: bool) -> int:
    if not report.is_finished:
        return EXIT_INTERRUPTED if interrupted else EXIT_FAILED
    return 0 if report.is_whole else EXIT_SOME_UNUSABLE
