"""The group ``organizer clusters``: its subcommands in the order of the help."""

from __future__ import annotations

import typer

from organizer.cli.clusters.decisions import (
    exclude,
    merge,
    move,
    new,
    pin,
    rename,
    retire,
    split,
)
from organizer.cli.clusters.history import history
from organizer.cli.clusters.list import list_clusters
from organizer.cli.clusters.show import show
from organizer.cli.clusters.suggest_names import suggest_names

clusters_app = typer.Typer(
    help="The clusters: id, name, images, share, typical distance, example paths.",
    epilog='Example: organizer clusters; organizer clusters rename 3 "Red fox"',
    context_settings={"help_option_names": ["-h", "--help"]},
)

clusters_app.callback(invoke_without_command=True)(list_clusters)
for function, example in (
    (show, "show 'Red fox'; organizer clusters show unassigned"),
    (suggest_names, "suggest-names -l names.txt"),
    (rename, 'rename 3 "Red fox"; organizer clusters rename "red fox" Fox'),
    (merge, "merge Fox 7"),
    (split, "split Fox --k 2"),
    (move, "move photos/a.jpg photos/b.jpg --to Fox"),
    (new, "new photos/a.jpg photos/b.jpg --name Owl"),
    (exclude, "exclude photos/a.jpg --in Fox"),
    (pin, "pin 3"),
    (retire, "retire 3"),
    (history, "history Fox"),
):
    clusters_app.command(epilog=f"Example: organizer clusters {example}")(function)

# The names of organizer 0.2, for scripts: they work and are not in the help.
clusters_app.command("gather", hidden=True)(new)
clusters_app.command("not", hidden=True)(exclude)
