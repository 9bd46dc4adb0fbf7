"""``organizer undo``: back to the previous clustering."""

from __future__ import annotations

from organizer.cli.session import DebugOption, JsonOption, LibraryOption, command, opened


def undo(
    library: LibraryOption = None, json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Go back to the clustering before the last recluster, merge, split, move or the like.

    The decision that made the current clustering is undone too. Images that
    came since are assigned to the clusters of the previous one.
    """
    with command(debug=debug), opened(library) as found:
        from organizer.cli.output import print_json, print_line

        previous = found.undo()
        k = len(found.clusters.summaries())
        if json:
            print_json({"clustering_id": previous.clustering_id, "k": k})
        else:
            print_line(f"back to clustering {previous.clustering_id} with {k} clusters")
