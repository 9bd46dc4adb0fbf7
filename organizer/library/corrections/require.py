"""What decisions are about has to be there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from organizer.cluster.decisions import ConstraintsBuilder
from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.library.corrections.state import EditorState
from organizer.library.corrections.working import WorkingClusters
from organizer.library.current import unknown_cluster
from organizer.types import NOISE, Labels


def require_decidable(
    state: EditorState, clusters: WorkingClusters, builder: ConstraintsBuilder, cluster_id: int
) -> None:
    """Make sure that a cluster is here.

    Raises:
        SettingsError: It is not.
    """
    if not (clusters.models.cluster_ids == cluster_id).any():
        raise unknown_cluster(state.store, clusters.models.ids, builder.retired, cluster_id)


def require_members(state: EditorState, image_ids: Sequence[str]) -> Labels:
    """``(n,)`` the rows of images in the clustering, each once.

    Raises:
        SettingsError: One is not in it.
    """
    rows = state.rows.of(image_ids)
    lacking = int(np.count_nonzero(rows == NOISE))
    if lacking:
        raise SettingsError(
            f"{count_text(lacking, 'of the images is', 'of the images are')} in no clustering yet",
            f"organizer ingest --embedder {state.clustering.embedder.name} brings them in",
        )
    return np.unique(rows)
