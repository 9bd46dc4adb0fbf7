"""``organizer duplicates``: copies of pictures and bursts, and which file of each to keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    UserOption,
    command,
    opened,
    quiet_natives,
)
from organizer.errors import SettingsError

if TYPE_CHECKING:
    from organizer.library.duplicates.find import DuplicateOptions

KindOption = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="NAME",
        help="exact, near or burst; repeatable. Exact and near if not given.",
    ),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="NAME",
        help="Which file to keep: largest, sharpest, oldest or first (by path). The largest if not "
        "given, and of a burst the sharpest.",
    ),
]


def duplicates(
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PHOTO]...",
            help="With --wanted: two photos or more, or image ids.",
            show_default=False,
        ),
    ] = None,
    kind: KindOption = None,
    keep: KeepOption = None,
    wanted: Annotated[
        bool,
        typer.Option(
            "--wanted",
            help="Decide that these photos are all wanted: they are no duplicates again.",
        ),
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all groups as CSV.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Draw the first 60 groups as PNG."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --csv and --sheet: replace the file.")
    ] = False,
    with_people: PeopleOption = False,
    user: UserOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Files of one picture, copies that were resized, cut or edited, and bursts.

    Of each group one file is proposed to be kept. Nothing is deleted or
    moved: organizer arrange --duplicates sets the others aside, by a plan
    that can be undone.

    Photos that one camera took at different times are no copies, however
    alike they are. Of a burst the best one is proposed: with the whole animal
    in the picture, where a detector found it, and that sharpest.
    """
    with command(debug=debug):
        _require_one_action(photos, kind, keep, csv, sheet, wanted=wanted, force=force)
        options = options_of(kind, keep)
        with opened(library, user=user, with_people=with_people or None) as found:
            from organizer.cli import duplicates_output
            from organizer.cli.progress_bar import progress_bar

            if wanted:
                decision = found.duplicates.want(list(photos or []))
                duplicates_output.print_wanted(decision, json=json)
                return
            with quiet_natives(debug=debug), progress_bar() as progress:
                report = found.duplicates.find(options, progress=progress)
                if csv is not None:
                    found.duplicates.write_csv(report, csv, force=force)
                drawn = 0
                if sheet is not None:
                    drawn = found.duplicates.write_sheet(
                        report, sheet, force=force, progress=progress
                    )
            duplicates_output.print_duplicates(report, csv=csv, sheet=sheet, drawn=drawn, json=json)


def options_of(kind: list[str] | None, keep: str | None) -> DuplicateOptions:
    """What the options ``--kind`` and ``--keep`` mean.

    Raises:
        SettingsError: There is no such kind, or no such rule.
    """
    from organizer.duplicates.keep import KeepRule
    from organizer.library.duplicates.find import DuplicateOptions
    from organizer.library.duplicates.report import DuplicateKind

    for name in kind or ():
        if name not in {*DuplicateKind}:
            raise SettingsError(
                f"--kind cannot be {name!r}", f"it is one of {', '.join(DuplicateKind)}"
            )
    if keep is not None and keep not in {*KeepRule}:
        raise SettingsError(f"--keep cannot be {keep!r}", f"it is one of {', '.join(KeepRule)}")
    rule = None if keep is None else KeepRule(keep)
    if not kind:
        return DuplicateOptions(keep=rule)
    return DuplicateOptions(tuple(DuplicateKind(name) for name in dict.fromkeys(kind)), rule)


def _require_one_action(
    photos: list[str] | None,
    kind: list[str] | None,
    keep: str | None,
    csv: Path | None,
    sheet: Path | None,
    *,
    wanted: bool,
    force: bool,
) -> None:
    if photos and not wanted:
        raise SettingsError(
            "duplicates are looked for in the whole library",
            "organizer duplicates --wanted PHOTO PHOTO decides that both are wanted",
        )
    if wanted and not photos:
        raise SettingsError("no photo was named", "organizer duplicates --wanted PHOTO PHOTO")
    if wanted and (kind or keep or csv or sheet):
        raise SettingsError(
            "--wanted decides and looks for nothing", "run organizer duplicates after it"
        )
    if force and csv is None and sheet is None:
        raise SettingsError("--force belongs to --csv or --sheet", "leave it out")
