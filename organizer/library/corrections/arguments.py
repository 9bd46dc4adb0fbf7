"""The arguments of decisions: what may be merged, and which images may be named."""

from __future__ import annotations

from pathlib import Path

from organizer.arguments import require_cluster_ids, require_paths
from organizer.errors import SettingsError


def require_merged(cluster_ids: object) -> list[int]:
    """The ids of clusters to merge: two or more different ones.

    Raises:
        SettingsError: They are not, or one is no id.
    """
    given = list(cluster_ids) if isinstance(cluster_ids, list | tuple) else cluster_ids
    ids = require_cluster_ids(given)
    if isinstance(given, list) and len(ids) < len(given):
        twice = next(cluster_id for cluster_id in ids if given.count(cluster_id) > 1)
        raise SettingsError(
            f"cluster {twice} cannot be merged with itself", "name each cluster once"
        )
    if len(ids) < 2:
        what = "one cluster cannot be merged" if ids else "no cluster was named"
        raise SettingsError(what, "name two: organizer clusters merge 3 7")
    return ids


def require_named_images(images: object) -> list[Path]:
    """The images that a person named, one or several: paths, folders or image ids.

    Raises:
        SettingsError: None is named, or something that is no text and no path.
    """
    return require_paths("images", images)
