"""``organizer clusters show``: the images of a cluster, or those that are in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from organizer.cli.completion import complete_members
from organizer.cli.pictures import (
    BlocksOption,
    Captioned,
    PicturesOption,
    show_if_asked,
)
from organizer.cli.session import (
    DebugOption,
    JsonOption,
    LibraryOption,
    PeopleOption,
    command,
    opened,
    say,
)

if TYPE_CHECKING:
    from organizer.library import Library
    from organizer.library.images.crops import PhotoGroup


def show(
    cluster: Annotated[
        str,
        typer.Argument(
            metavar="CLUSTER",
            help="A cluster's name or id, or unassigned, empty, people, vehicles or "
            "no-detector-result.",
            autocompletion=complete_members,
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
    with command(debug=debug), opened(library, with_people=with_people or None) as found:
        from organizer.cli.clusters import output

        if group := _group_called(found, cluster):
            output.print_photos(found.clusters.photos_in(group), group, json=json)
            return
        cluster_id = _cluster_called(found, cluster)
        clusters = found.clusters
        rows = clusters.unassigned() if cluster_id is None else clusters.members(cluster_id)
        usual = clusters.centroid_distances()
        output.print_members(rows, cluster_id, clusters.names(), usual, json=json)
        if not json:
            shown = (Captioned(row.image_id, row.path.name) for row in rows)
            show_if_asked(found, shown, pictures=pictures, blocks=blocks)
        output.print_hidden(found.clusters.count_hidden(cluster_id))


def _group_called(library: Library, text: str) -> PhotoGroup | None:
    """The group of photos that has that name, if any.

    A cluster may be called so too, which is natural where no detector was at work: of a group
    without a photo the cluster is shown, beside another one it is named.
    """
    from organizer.library.images.crops import PhotoGroup

    groups = {
        group.value.replace(" ", "-"): group
        for group in PhotoGroup
        if group is not PhotoGroup.ANIMALS
    }
    group = groups.get(text.strip().casefold().replace(" ", "-"))
    if group is None or text not in library.clusters:
        return group
    if group not in library.clusters.groups():
        return None
    say(f"a cluster is called so too: organizer clusters show {library.clusters.id_of(text)}")
    return group


def _cluster_called(library: Library, text: str) -> int | None:
    """The id of a cluster; None for the unassigned images."""
    from organizer.library.cluster_names import UNASSIGNED_WORDS

    return None if text.strip().casefold() in UNASSIGNED_WORDS else library.clusters.id_of(text)
