"""``organizer models``: the embedders, and the weights that they need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from organizer.cli.session import DebugOption, JsonOption, WeightsOption, command, say, settings_of

models_app = typer.Typer(
    help="The embedders: dimension, where their weights are, licence; get and import weights.",
    epilog="Example: organizer models; organizer models pull resnet50",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="An embedder, for example timm:resnet50.a1_in1k.")
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
        typer.Argument(metavar="FAMILY", help="torchvision, timm or openclip: all its names."),
    ] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The embedders of short names with the state of their weights, or all names of a family."""
    with command(debug=debug):
        if family is None:
            _show_all(weights, json=json)
            return
        from organizer.cli.output import print_json, print_line
        from organizer.library import embedders

        names = embedders.family_names(family.removesuffix(":"))
        if json:
            print_json({"models": [{"name": name} for name in names]})
            return
        for name in names:
            print_line(name)


@models_app.command(epilog="Example: organizer models pull resnet50")
def pull(
    name: NameArgument,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Get the weights of an embedder now, so that a later ingest needs no network."""
    with command(debug=debug):
        from organizer.cli.output import print_json, print_path
        from organizer.library import embedders

        path = embedders.pull_weights(name, settings_of(None, weights=weights))
        if json:
            print_json({"name": name, "path": path})
        else:
            print_path(path)


@models_app.command("import", epilog="Example: organizer models import ./resnet50.pth")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pth or .safetensors file.")],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Whose weights; otherwise the file's name."),
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Copy a weights file to where it is found from now on, if it fits the embedder."""
    with command(debug=debug):
        from organizer.cli.output import print_json, print_path
        from organizer.library import embedders

        # torchvision's own files carry a piece of their hash behind the name.
        name = name or re.sub(r"-[0-9a-f]{8,}$", "", file.stem)
        path = embedders.import_weights(name, file)
        if json:
            print_json({"name": name, "path": path})
        else:
            print_path(path)


@models_app.command(epilog="Example: organizer models where resnet50")
def where(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="An embedder.")] = None,
    weights: WeightsOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The folders in which weights are looked for, first to last; or where those of one are."""
    with command(debug=debug):
        from organizer.cli.output import print_json, print_line, print_path
        from organizer.library import embedders

        settings = settings_of(None, weights=weights)
        if name is not None:
            found = embedders.embedder_info(name, settings)
            if json:
                print_json({"name": name, "weights": found.weights, "location": found.location})
            else:
                print_line(
                    f"{found.weights}: {found.location}" if found.location else found.weights
                )
            return
        places = embedders.weights_folders(settings)
        if json:
            print_json({"places": places})
            return
        for place in places:
            print_path(place)


def _show_all(weights: Path | None, *, json: bool) -> None:
    from organizer.cli.output import print_json, print_table
    from organizer.library import describe_embedders
    from organizer.settings import DEFAULT_EMBEDDER

    found = describe_embedders(settings_of(None, weights=weights))
    if json:
        listed = [
            {
                "name": m.name,
                "dim": m.dim,
                "weights": m.weights,
                "location": m.location,
                "licence": m.licence,
                "text": m.text,
                "default": m.name == DEFAULT_EMBEDDER,
            }
            for m in found
        ]
        print_json({"models": listed})
        return
    rows = [
        [
            m.name + (" (default)" if m.name == DEFAULT_EMBEDDER else ""),
            str(m.dim or "-"),
            m.weights,
            m.location or "-",
            m.licence or "-",
        ]
        for m in found
    ]
    print_table(["embedder", ">dim", "weights", "where", "licence"], rows)
    say("and by name: torchvision:NAME, timm:NAME, openclip:NAME (organizer models list timm)")
    say("a layer: vgg16@fc1; several as one: hog+hsv")
