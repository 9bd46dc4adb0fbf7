"""The hits of a search on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from organizer.cli.next_step import say_next
from organizer.cli.output import (
    cluster_text,
    number_text,
    path_text,
    print_json,
    print_path,
    print_table,
)
from organizer.cli.pictures import Captioned
from organizer.types import FileState, Hit


def print_hits(hits: Sequence[Hit], *, json: bool) -> None:
    """Hits to stdout."""
    if json:
        print_json({"hits": [hit_fields(hit) for hit in hits]})
    else:
        print_table_of_hits(hits)
        if hits:
            say_next("to put one into a cluster", "organizer clusters move PHOTO --to CLUSTER")


def print_paths(hits: Sequence[Hit], *, end: str) -> None:
    """The paths of hits alone, for other programs."""
    for hit in hits:
        print_path(hit.path, end=end)


def print_table_of_hits(hits: Sequence[Hit]) -> None:
    """Hits as a numbered table."""
    rows = [
        [str(place), number_text(hit.distance), *_usual(hit), _cluster(hit), _path(hit)]
        for place, hit in enumerate(hits, start=1)
    ]
    columns = [">", ">distance", ">typical", ">border", "cluster", "path"]
    print_table(columns, rows, paths=("path",))


def captioned(hits: Sequence[Hit]) -> list[Captioned]:
    """The hits as pictures, with their place and distance."""
    return [
        Captioned(hit.image_id, f"{place} {number_text(hit.distance)}")
        for place, hit in enumerate(hits, start=1)
    ]


def hit_fields(hit: Hit) -> dict[str, object]:
    """A hit as JSON."""
    return {
        "path": hit.path,
        "image_id": hit.image_id,
        "distance": hit.distance,
        "cluster_id": hit.cluster_id,
        "cluster_name": hit.cluster_name,
        "state": hit.state,
        "box": hit.box,
        "usual": asdict(hit.usual) if hit.usual else None,
    }


def _usual(hit: Hit) -> list[str]:
    if hit.usual is None:
        return ["-", "-"]
    return [number_text(hit.usual.typical), number_text(hit.usual.border)]


def _cluster(hit: Hit) -> str:
    if hit.cluster_id is None:
        return "-"
    return cluster_text(hit.cluster_id, hit.cluster_name)


def _path(hit: Hit) -> str:
    return path_text(hit.path, missing=hit.state is FileState.MISSING)
