"""The arguments of decisions: what may be merged, and which images may be named."""

from __future__ import annotations

from pathlib import Path

from organizer.arguments import (
    require_cluster_id,
    require_cluster_ids,
    require_flag,
    require_integer,
    require_paths,
    require_text,
)
from organizer.errors import SettingsError
from organizer.library.corrections.requests import (
    DecisionRequest,
    ExcludeImages,
    MakeCluster,
    MergeClusters,
    MoveImages,
    PinCluster,
    RenameCluster,
    RetireCluster,
    SplitCluster,
)


def require_requests(requests: object) -> list[DecisionRequest]:
    """Requested decisions, their arguments checked.

    Raises:
        SettingsError: One is none, or an argument of one cannot be.
    """
    if not isinstance(requests, list | tuple):
        raise SettingsError(
            f"decisions cannot be {requests!r}", "a list of MoveImages, RenameCluster and the like"
        )
    return [_require_request(request) for request in requests]


def _require_request(request: object) -> DecisionRequest:
    match request:
        case RenameCluster(cluster_id, name):
            named = require_text("name", name, or_empty=True)
            checked: DecisionRequest = RenameCluster(require_cluster_id(cluster_id), named)
        case PinCluster(cluster_id):
            checked = PinCluster(require_cluster_id(cluster_id))
        case MergeClusters(cluster_ids):
            checked = MergeClusters(require_merged(cluster_ids))
        case SplitCluster(cluster_id, k):
            checked = SplitCluster(require_cluster_id(cluster_id), require_integer("k", k))
        case RetireCluster(cluster_id):
            checked = RetireCluster(require_cluster_id(cluster_id))
        case MoveImages(images, cluster_id, burst) | ExcludeImages(images, cluster_id, burst):
            checked = type(request)(
                require_named_images(images),
                require_cluster_id(cluster_id),
                require_flag("burst", burst),
            )
        case MakeCluster(images, new_name, burst):
            checked = MakeCluster(
                require_named_images(images),
                None if new_name is None else require_text("name", new_name, or_empty=True),
                require_flag("burst", burst),
            )
        case _:
            raise SettingsError(
                f"{request!r} is no decision", "MoveImages, RenameCluster and the like"
            )
    return checked


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
