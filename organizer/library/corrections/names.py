"""Names that a cluster may be given: printable, and of no other cluster."""

from __future__ import annotations

import numpy as np

from organizer.errors import SettingsError
from organizer.library.corrections.state import EditorState


def require_free_name(state: EditorState, name: str, cluster_id: int) -> str:
    """Tidy a name, and make sure that no other cluster has it.

    Args:
        state: The clustering.
        name: The name as it was typed.
        cluster_id: The cluster that is to have it.

    Returns:
        The name with single spaces.

    Raises:
        SettingsError: It cannot be a name, or another cluster has it.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise SettingsError(
            f"a cluster cannot be called {name!r}", 'a name has letters, for example "Red fox"'
        )
    names = state.constraints.names
    bearers = [i for i, known in names.items() if known == name and _may_return(state, i)]
    if bearers and bearers != [cluster_id]:
        raise _taken(state, name, bearers[0], cluster_id)
    return name


def _may_return(state: EditorState, cluster_id: int) -> bool:
    """Whether a cluster is here, or a recluster of these members would bring it back."""
    if cluster_id in state.models.ids:
        return True
    seeds = [i for group in state.constraints.seeds.get(cluster_id, ()) for i in group]
    return not seeds or bool(np.isin(state.members.image_ids, seeds).any())


def _taken(state: EditorState, name: str, bearer: int, cluster_id: int) -> SettingsError:
    if bearer in state.models.ids:
        is_new = cluster_id not in state.models.ids
        other = "organizer clusters move IMAGE... --to" if is_new else "organizer clusters merge"
        ids = f"{bearer}" if is_new else f"{bearer} {cluster_id}"
        return SettingsError(
            f"cluster {bearer} is called {name!r} already",
            f"choose another name, or {other} {ids}",
        )
    return SettingsError(
        f"cluster {bearer} is called {name!r} already; it is not here since an undo, and the "
        "next recluster brings it back",
        "choose another name",
    )
