"""The program: its commands in the order of the help, each with an example."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from organizer.cli.arrange import arrange
from organizer.cli.backup import backup, restore
from organizer.cli.browse import browse
from organizer.cli.clusters.app import clusters_app
from organizer.cli.compare import compare
from organizer.cli.doctor import doctor
from organizer.cli.duplicates import duplicates
from organizer.cli.export import export
from organizer.cli.failures import odd_ends_as_json
from organizer.cli.ingest import ingest
from organizer.cli.models import models_app
from organizer.cli.plugins import Commands
from organizer.cli.problems import problems
from organizer.cli.recluster import recluster
from organizer.cli.report import report
from organizer.cli.review import review
from organizer.cli.search import search
from organizer.cli.serve import open_gallery, serve
from organizer.cli.show import show_photos
from organizer.cli.sightings import counts, events
from organizer.cli.status import status
from organizer.cli.suggest import suggest
from organizer.cli.undo import redo, undo
from organizer.cli.unlock import unlock
from organizer.cli.watch import watch

commands = typer.Typer()
"""The built-in commands; each is made when it is called."""


class Program(Commands):
    """The built-in commands and those of plugins."""

    builtin = commands

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the options of the program itself."""
        with odd_ends_as_json():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with odd_ends_as_json():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Program,
    help="Groups a folder of photos by what is in them, and keeps the groups when new photos come.",
    epilog="Begin with: organizer ingest ./photos, then: organizer recluster --k auto",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def organizer(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            min=0.0,
            help="How long a command that writes waits for another one to end: organizer --wait "
            "600 recluster. Otherwise ORGANIZER_WAIT, or 5.",
        ),
    ] = None,
) -> None:
    """See the help of the app."""
    if wait is not None:
        os.environ["ORGANIZER_WAIT"] = str(wait)  # also of the processes that it begins
    if version:
        from organizer.distribution import installed_version

        typer.echo(f"organizer {installed_version()}")
        raise typer.Exit


for function, example in (
    (ingest, "ingest ./photos /media/card"),
    (watch, "watch ./incoming"),
    (recluster, "recluster --k auto; organizer recluster --k 2:40 --dry-run"),
    (undo, "undo"),
    (redo, "redo"),
    (search, 'search fox.jpg -n 20; organizer search Fox --paths; organizer search --text "a fox"'),
    (show_photos, "show photos/fox.jpg"),
    (browse, "browse ./photos/fox.jpg"),
    (status, "status --json"),
    (problems, "problems"),
    (report, "report --labels folders --html report.html"),
    (review, "review --sample 200; organizer review --doubtful 50"),
    (suggest, "suggest --name Lion --accept all; organizer suggest --ask 20 --out names.csv"),
    (compare, "compare --embedders mobilenet_v2,hog --k 2:10"),
    (duplicates, "duplicates; organizer duplicates --kind burst --sheet bursts.png"),
    (events, "events; organizer events --csv events.csv"),
    (counts, "counts --by species,site,month"),
    (export, "export csv --to clusters.csv; organizer export xlsx"),
    (arrange, "arrange --to sorted; organizer arrange --undo"),
    (backup, "backup /media/disk/backups --keep 10"),
    (restore, "restore /media/disk/backups --to ./photos"),
    (doctor, "doctor; organizer doctor --fix"),
    (unlock, "unlock"),
):
    name, *_ = example.replace(";", " ").split()
    commands.command(name, epilog=f"Example: organizer {example}")(function)
commands.command("open", epilog="Example: organizer open Fox")(open_gallery)
commands.command(epilog="Example: organizer serve --port 8765")(serve)
commands.add_typer(clusters_app, name="clusters")
commands.add_typer(models_app, name="models")
