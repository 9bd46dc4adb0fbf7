"""``organizer show``: what the library knows of photos, and the clusters that they are in."""

from __future__ import annotations

from typing import Annotated

import typer

from organizer.cli.pictures import BlocksOption, Captioned, PicturesOption, show_if_asked
from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def show_photos(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO",
            help="Paths, folders, names of files, or the beginnings of image ids.",
        ),
    ],
    pictures: PicturesOption = False,
    blocks: BlocksOption = False,
    library: LibraryOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """What is known of a photo: its cluster, how near it is, its files, and what you decided.

    Where crops are clustered, each crop has a line. organizer clusters show CLUSTER lists the
    photos of a cluster.
    """
    with command(debug=debug), opened(library) as found:
        from organizer.cli import show_output

        ids = found.images.resolve(photos)
        details = [known for i in ids if (known := found.images.details(i)) is not None]
        usual = found.clusters.centroid_distances() if len(found.clusters) else {}
        show_output.print_details(details, found.clusters.names(), usual, json=json)
        if not json:
            shown = (Captioned(one.image_id, show_output.file_name(one)) for one in details)
            show_if_asked(found, shown, pictures=pictures, blocks=blocks)
