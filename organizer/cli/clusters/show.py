"""``organizer clusters show``: the images of a cluster, or those that are in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.pictures import (
    BlocksOption,
    Captioned,
    PicturesOption,
    find_drawing,
    show_pictures,
)
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    command,
    opened,
    parse_id,
)

if TYPE_CHECKING:
    from organizer.library.images.crops import PhotoGroup


def show(
    cluster: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A cluster's id, or unsure (the unassigned images), empty, people, vehicles or "
            "no-detector-result.",
        ),
    ],
    pictures: PicturesOption = False,
    blocks: BlocksOption = False,
    with_people: PeopleOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The images of a cluster, the most typical first; or the unassigned images."""
    with command(debug=debug):
        group = _parse_group(cluster)
        cluster_id = None if group or cluster == "unsure" else parse_id(cluster)
        with opened(library, with_people=with_people or None) as found:
            from organizer.cli.clusters import output

            if group:
                output.print_photos(found.clusters.photos_in(group), group, json=json)
                return
            if cluster_id is None:
                name, rows = None, found.clusters.unassigned()
            else:
                name, rows = found.clusters.name_of(cluster_id), found.clusters.members(cluster_id)
            usual = found.clusters.centroid_distances()
            output.print_members(rows, cluster_id, name, usual, json=json)
            drawing = find_drawing(blocks=blocks) if (pictures or blocks) and not json else None
            if drawing is not None:
                captioned = [Captioned(row.image_id, row.path.name) for row in rows]
                show_pictures(found, captioned, drawing)
            output.print_hidden(found.clusters.count_hidden(cluster_id))


def _parse_group(text: str) -> PhotoGroup | None:
    """The group of photos that has that name, if any."""
    from organizer.library.images.crops import PhotoGroup

    groups = {
        group.value.replace(" ", "-"): group
        for group in PhotoGroup
        if group is not PhotoGroup.ANIMALS
    }
    return groups.get(text.replace(" ", "-"))
