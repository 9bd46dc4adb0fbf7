"""Names that a cluster may be given: possible ones, and of no other cluster, in any case."""

from __future__ import annotations

from organizer.cluster.decisions import ConstraintsBuilder
from organizer.errors import SettingsError
from organizer.library.cluster_names import bearers, is_same_name, require_possible_name
from organizer.library.corrections.state import EditorState
from organizer.library.corrections.working import WorkingClusters
from organizer.types import NOISE, is_crop_embedder


def require_free_name(
    clusters: WorkingClusters,
    builder: ConstraintsBuilder,
    state: EditorState,
    name: str,
    cluster_id: int,
) -> str:
    """Tidy a name, and make sure that no other cluster has it.

    Args:
        clusters: The clusters as they are now.
        builder: What follows from the decisions so far.
        state: The clusters before the first decision of the batch.
        name: The name as it was typed.
        cluster_id: The cluster that is to have it.

    Returns:
        The name with single spaces, an accent and its letter as one character.

    Raises:
        SettingsError: It cannot be a name, or another cluster has it, in whichever case.
    """
    name = require_possible_name(name)
    here = set(clusters.models.cluster_ids.tolist())
    others = [
        i
        for i, known in builder.names.items()
        if i != cluster_id
        and is_same_name(known, name)
        and (i in here or _may_return(builder, state, i))
    ]
    if others:
        bearer = next((i for i in bearers(name, builder.names) if i in others), others[0])
        raise _taken(here, builder.names[bearer], bearer, cluster_id)
    return name


def _may_return(builder: ConstraintsBuilder, state: EditorState, cluster_id: int) -> bool:
    """Whether a recluster of these members, or of whole photos or crops, brings a cluster back."""
    seeds = [i for group in builder.seeds(cluster_id) for i in group]
    if not seeds or (state.rows.of(seeds) != NOISE).any():
        return True
    crops, of_crops = (
        state.store.detections.crops(seeds),
        is_crop_embedder(state.clustering.embedder),
    )
    return any((image_id in crops) != of_crops for image_id in seeds)


def _taken(here: set[int], name: str, bearer: int, cluster_id: int) -> SettingsError:
    if bearer in here:
        is_new = cluster_id not in here
        other = "organizer clusters move IMAGE... --to" if is_new else "organizer clusters merge"
        ids = f"{bearer}" if is_new else f"{bearer} {cluster_id}"
        return SettingsError(
            f"cluster {bearer} is called {name!r} already",
            f"choose another name, or {other} {ids}",
        )
    return SettingsError(
        f"cluster {bearer} is called {name!r} already; it has no images now, and the next "
        "recluster may bring it back",
        "choose another name",
    )
