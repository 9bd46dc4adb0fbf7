"""Read back an arranged folder: preview the decisions, or apply them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from organizer.arrange import ArrangeMode
from organizer.errors import StoreError
from organizer.library.arrangements.active import journal_folder
from organizer.library.arrangements.last_seen import PhotoKey, SeenPhoto, load_seen, save_seen
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.state import read_state
from organizer.library.folders.read_back.apply import ordered_decisions
from organizer.library.folders.read_back.compare import FolderComparison, compare_folder
from organizer.library.folders.read_back.infer import infer_decisions
from organizer.library.folders.read_back.report import ReadBackReport, report_read_back
from organizer.library.ingest.crops import embed_whole_photos
from organizer.library.progress import Progress
from organizer.paths import path_below
from organizer.settings import Settings
from organizer.store import Store


def preview_read_back(
    store: Store, to: Path, *, settings: Settings, progress: Progress
) -> ReadBackReport:
    """Infer decisions from an arranged folder. Nothing is changed.

    Raises:
        SettingsError: See `compare_folder`.
        ClusteringError: There is no clustering.
    """
    state = read_state(store, settings=settings)
    comparison = compare_folder(store, state, to, progress)
    return report_read_back(
        comparison, infer_decisions(state, comparison), names=state.constraints.names
    )


def apply_read_back(
    store: Store, to: Path, *, settings: Settings, progress: Progress
) -> ReadBackReport:
    """Apply the decisions of an arranged folder. The caller holds the library for writing.

    All decisions are one step of the history: all are applied, or none.

    Raises:
        SettingsError: See `compare_folder`; a decision contradicts an earlier one; or a photo that
            has to be embedded for it cannot be read.
        ClusteringError: There is no clustering, or no cluster would be left.
    """
    state = read_state(store, settings=settings)
    comparison = compare_folder(store, state, to, progress)
    found = infer_decisions(state, comparison)
    report = report_read_back(comparison, found, names=state.constraints.names)
    to_apply = list(ordered_decisions(state, found))
    progress.begin("applying decisions", len(to_apply))
    made: dict[str, int] = {}
    with store.transaction():
        _follow_files(store, comparison)
        embed_whole_photos(store, found.whole_photos, settings=settings)
        added = [image_id for pending in to_apply for image_id in pending.added]
        editor = Editor.open(store, settings=settings, added=added)
        for pending in to_apply:
            decision = pending.apply(editor)
            if pending.makes:
                made[pending.makes] = decision.cluster_id
            progress.advance()
        editor.commit()
    try:
        _save_seen(store, comparison, made, found.later)
    except (OSError, StoreError) as error:  # the decisions are made: that is no failure of them
        lacking = (
            f"the decisions are made; where the files were found could not be stored ({error}): "
            "the next read-back compares with the one before"
        )
        report = replace(report, remarks=(*report.remarks, lacking))
    return replace(report, applied=True)


def _follow_files(store: Store, comparison: FolderComparison) -> None:
    """Update the rows of files that an arrangement moved and a person put elsewhere."""
    moves = {}
    for photo, path in zip(comparison.photos, comparison.changes.paths, strict=True):
        if photo.record.plan.mode is ArrangeMode.MOVE and photo.path is not None and path:
            is_elsewhere = path != path_below(comparison.to, photo.path)
            if is_elsewhere and not os.path.lexists(photo.path):
                moves[photo.path] = (comparison.to / path, photo.step.image_id)
    if moves:
        store.moved_files.relocate(moves, new_root=comparison.to)


def _save_seen(
    store: Store, comparison: FolderComparison, made: Mapping[str, int], later: Collection[str]
) -> None:
    """Store where the photos were found: the next read-back compares with it.

    Args:
        store: The library.
        comparison: The folder as it was found.
        made: The clusters that were made for new folders, by the folder.
        later: Photos that the next read-back decides about: they stay in their former folder.
    """
    folder = journal_folder(store)
    seen: dict[PhotoKey, SeenPhoto] = {
        key: photo for key, photo in load_seen(folder).items() if key[0] in comparison.journals
    }
    changes = comparison.changes
    rows = zip(comparison.photos, changes.paths, changes.folders, changes.places, strict=True)
    for photo, path, folder_now, place in rows:
        if photo.step.image_id in later:
            seen[photo.key] = SeenPhoto(path, photo.folder, photo.cluster_id)
            continue
        cluster_id = made.get(place, photo.cluster_id) if isinstance(place, str) else place
        seen[photo.key] = SeenPhoto(path, folder_now, cluster_id)
    save_seen(folder, seen)
