"""Embedders and their weights on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from organizer.cli.next_step import say_next
from organizer.cli.output import print_json, print_line, print_path, print_table
from organizer.cli.session import say
from organizer.protocols import EmbedderInfo
from organizer.settings import DEFAULT_EMBEDDER


def print_embedders(embedders: Sequence[EmbedderInfo], *, json: bool) -> None:
    """The embedders that have short names to stdout, the other forms of a name to stderr."""
    if json:
        print_json({"models": [_fields(info) for info in embedders]})
        return
    rows = [
        [
            info.name + (" (default)" if info.name == DEFAULT_EMBEDDER else ""),
            str(info.dim or "-"),
            info.weights,
            info.licence or "-",
        ]
        for info in embedders
    ]
    print_table(["embedder", ">dim", "weights", "licence"], rows)
    say("and by name: torchvision:NAME, timm:NAME, openclip:NAME (organizer models list timm)")
    say("where the weights of one lie: organizer models where NAME")
    say("a layer: vgg16@fc1; several as one: hog+hsv")


def _fields(info: EmbedderInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "dim": info.dim,
        "weights": info.weights,
        "location": info.location,
        "licence": info.licence,
        "text": info.text,
        "default": info.name == DEFAULT_EMBEDDER,
    }


def print_names(names: Sequence[str], *, json: bool) -> None:
    """The names of a family of embedders."""
    if json:
        print_json({"models": [{"name": name} for name in names]})
        return
    for name in names:
        print_line(name)


def print_weights_file(name: str, file: Path, *, json: bool) -> None:
    """Where the weights of an embedder are now."""
    if json:
        print_json({"name": name, "path": file})
    else:
        print_path(file)
        say_next("to use it", f"organizer ingest FOLDER --embedder {name}")


def print_location(name: str, info: EmbedderInfo, *, json: bool) -> None:
    """Whether the weights of an embedder are on this machine, and where."""
    if json:
        print_json({"name": name, "weights": info.weights, "location": info.location})
    else:
        print_line(f"{info.weights}: {info.location}" if info.location else info.weights)


def print_folders(folders: Sequence[Path], *, json: bool) -> None:
    """The folders in which weights are looked for."""
    if json:
        print_json({"places": folders})
        return
    for folder in folders:
        print_path(folder)
