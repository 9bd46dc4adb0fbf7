"""``organizer models``: the embedders and their weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.completion import complete_embedders
from organizer.cli.session import DebugOption, JsonOption, WeightsOption, command, settings_of

models_app = typer.Typer(
    help="The embedders: dimension, whether weights are here, licence; get and import weights.",
    epilog="Example: organizer models; organizer models pull resnet50",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="An embedder, for example timm:resnet50.a1_in1k.",
        autocompletion=complete_embedders,
    ),
]


@models_app.callback(invoke_without_command=True)
def models(
    ctx: typer.Context,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Every embedder with its dimension, where its weights are, and their licence."""
    if ctx.invoked_subcommand is None:
        with command(debug=debug):
            _show_all(weights, json=json)


@models_app.command("list", epilog="Example: organizer models list timm")
def list_names(
    family: Annotated[
        str | None,
        typer.Argument(metavar="FAMILY", help="torchvision, timm or openclip: list all its names."),
    ] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The embedders with short names and their weights, or all names of a family."""
    with command(debug=debug):
        if family is None:
            _show_all(weights, json=json)
            return
        from organizer.cli import models_output
        from organizer.library import embedders

        models_output.print_names(embedders.family_names(family.removesuffix(":")), json=json)


@models_app.command(epilog="Example: organizer models pull resnet50")
def pull(
    name: NameArgument,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Download the weights of an embedder, so that a later ingest needs no network."""
    with command(debug=debug):
        from organizer.cli import models_output
        from organizer.library import embedders

        path = embedders.pull_weights(name, settings_of(None, weights=weights))
        models_output.print_weights_file(name, path, json=json)


@models_app.command("import", epilog="Example: organizer models import ./resnet50.pth")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pth or .safetensors file.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The embedder; otherwise the file's name."),
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Copy a weights file into the folder of weights, if it fits the embedder."""
    with command(debug=debug):
        from organizer.cli import models_output
        from organizer.library import embedders

        # torchvision's own files carry a piece of their hash behind the name.
        name = name or re.sub(r"-[0-9a-f]{8,}$", "", file.stem)
        path = embedders.import_weights(name, file)
        models_output.print_weights_file(name, path, json=json)


@models_app.command(epilog="Example: organizer models where resnet50")
def where(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="An embedder.")] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The folders in which weights are looked for, in order; or where those of one embedder are."""
    with command(debug=debug):
        from organizer.cli import models_output
        from organizer.library import embedders

        settings = settings_of(None, weights=weights)
        if name is None:
            models_output.print_folders(embedders.weights_folders(settings), json=json)
        else:
            found = embedders.embedder_info(name, settings)
            models_output.print_location(name, found, json=json)


def _show_all(weights: Path | None, *, json: bool) -> None:
    from organizer.cli import models_output
    from organizer.library import describe_embedders

    models_output.print_embedders(describe_embedders(settings_of(None, weights=weights)), json=json)
