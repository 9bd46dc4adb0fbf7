"""Apply requested decisions: resolve the images, embed what has to be, decide, and store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.report import DecisionReport
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
from organizer.library.corrections.resolve import MemberResolver, ResolvedImages
from organizer.library.corrections.state import EditorState
from organizer.library.current import require_clustering
from organizer.library.ingest.crops import embed_whole_photos
from organizer.settings import Settings
from organizer.store import Store

ReadState = Callable[[Sequence[str]], EditorState]
"""Reads the current clusters, with images that become members."""


def apply_requests(
    store: Store, read: ReadState, requests: Sequence[DecisionRequest], *, settings: Settings
) -> tuple[EditorState, list[DecisionReport], bool]:
    """See `Corrections.apply`. The caller holds the library for writing.

    Args:
        store: The library.
        read: Reads the current clusters.
        requests: The decisions.
        settings: How whole photos are embedded.

    Returns:
        The clusters after the decisions, what each did, and whether tables were written.
    """
    require_clustering(store)
    resolve = MemberResolver(store)
    resolve.look_up([image for r in requests for image in _images_of(r)])
    resolved = [_resolve(resolve, request) for request in requests]
    whole = {crop.crop_id: crop for found in resolved for crop in found.whole_photos}
    with store.transaction():  # a refused batch leaves no crop and no vector either
        embed_whole_photos(store, list(whole.values()), settings=settings)
        editor = Editor(read(list(whole)))
        if len(requests) > 1:
            editor.prepare([image_id for found in resolved for image_id in found.image_ids])
        for request, found in zip(requests, resolved, strict=True):
            _decide(editor, request, found.image_ids)
        state = editor.commit()
    reports = [
        replace(report, notes=(*found.notes, *report.notes))
        for report, found in zip(editor.reports, resolved, strict=True)
    ]
    return state, reports, bool(whole) or bool(editor.clusters.new_exemplars)


def _decide(editor: Editor, request: DecisionRequest, image_ids: Sequence[str]) -> None:
    match request:
        case RenameCluster(cluster_id, name):
            editor.rename(cluster_id, name)
        case PinCluster(cluster_id):
            editor.pin(cluster_id)
        case MergeClusters(cluster_ids):
            editor.merge(cluster_ids)
        case SplitCluster(cluster_id, k):
            editor.split(cluster_id, k)
        case RetireCluster(cluster_id):
            editor.retire(cluster_id)
        case MoveImages(_, cluster_id, burst):
            editor.move(image_ids, cluster_id, burst=burst)
        case ExcludeImages(_, cluster_id, burst):
            editor.exclude(image_ids, cluster_id, burst=burst)
        case MakeCluster(_, new_name, burst):
            editor.new_cluster(image_ids, new_name, burst=burst)


def _resolve(resolve: MemberResolver, request: DecisionRequest) -> ResolvedImages:
    """The images that a decision is about; none for one about clusters."""
    if not isinstance(request, MoveImages | ExcludeImages | MakeCluster):
        return ResolvedImages()
    found = resolve(_images_of(request))
    if isinstance(request, ExcludeImages):
        uncropped = {crop.crop_id for crop in found.whole_photos}
        found.image_ids = [i for i in found.image_ids if i not in uncropped]
        found.whole_photos = []
        if not found.image_ids:
            raise SettingsError("these photos have no crops, and are in no cluster")
    return found


def _images_of(request: DecisionRequest) -> Sequence[str | Path]:
    """The images that a request names, as they were named."""
    if not isinstance(request, MoveImages | ExcludeImages | MakeCluster):
        return []
    return [request.images] if isinstance(request.images, str | Path) else request.images
