"""What a person did to arranged folders, turned into words about clusters, with a preview."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from organizer.arrange import Mode
from organizer.library.arrangement.hearing import understood
from organizer.library.arrangement.looking import Comparison, compared
from organizer.library.arrangement.memory import Key, Remembered, remember, remembered
from organizer.library.arrangement.saying import words
from organizer.library.arrangement.standing import journal_folder, path_in
from organizer.library.arrangement.telling import ReadBack, told
from organizer.library.cropping import embed_whole
from organizer.library.deciding import Desk
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import Store


def previewed(store: Store, to: Path, *, settings: Settings, progress: Progress) -> ReadBack:
    """What an arranged folder says. Nothing is changed.

    Raises:
        SettingsError: See `looking.compared`.
        ClusteringError: There is no clustering.
    """
    desk = Desk(store, settings=settings)
    comparison = compared(store, desk, to, progress)
    return told(comparison, understood(desk, comparison), names=desk.constraints.names)


def said(store: Store, to: Path, *, settings: Settings, progress: Progress) -> ReadBack:
    """Write down what an arranged folder says. The caller holds the library for writing.

    Read back again after a kill, it says what was not said yet.

    Raises:
        SettingsError: See `looking.compared`; a word contradicts what was said before; or a photo
            that has to be looked at for it cannot be read.
        ClusteringError: There is no clustering, or no cluster would be left.
    """
    desk = Desk(store, settings=settings)
    comparison = compared(store, desk, to, progress)
    found = understood(desk, comparison)
    report = told(comparison, found, names=desk.constraints.names)
    to_say = list(words(desk, found))
    _follow_files(store, comparison)
    embed_whole(store, found.whole, settings=settings)
    made: dict[str, int] = {}
    progress.begin("writing down", len(to_say))
    for word in to_say:
        done = word.say(Desk(store, settings=settings, guests=word.guests))
        if word.makes:
            made[word.makes] = done.decision.cluster_id
        progress.advance()
    _remember(store, comparison, made, found.later)
    return replace(report, was_said=True)


def _follow_files(store: Store, comparison: Comparison) -> None:
    """Let the rows of files that an arrangement moved say where they are now."""
    moves = {}
    for photo, path in zip(comparison.photos, comparison.changes.paths, strict=True):
        if photo.record.plan.mode is Mode.MOVE and photo.path is not None and path:
            is_elsewhere = path != path_in(comparison.to, photo.path)
            if is_elsewhere and not os.path.lexists(photo.path):
                moves[photo.path] = (comparison.to / path, photo.step.image_id)
    if moves:
        store.photos.relocate(moves, home=comparison.to)


def _remember(
    store: Store, comparison: Comparison, made: Mapping[str, int], later: Collection[str]
) -> None:
    """Write down what was seen: the next read-back is compared with it.

    Args:
        store: The library.
        comparison: What was seen.
        made: The clusters that were made for new folders, by the folder.
        later: Photos that are heard again the next time: they stay in the folder where they were.
    """
    folder = journal_folder(store)
    seen: dict[Key, Remembered] = {
        key: photo for key, photo in remembered(folder).items() if key[0] in comparison.journals
    }
    changes = comparison.changes
    rows = zip(comparison.photos, changes.paths, changes.folders, changes.places, strict=True)
    for photo, path, stands, place in rows:
        if photo.step.image_id in later:
            seen[photo.key] = Remembered(path, photo.folder, photo.cluster_id)
            continue
        cluster_id = made.get(place, photo.cluster_id) if isinstance(place, str) else place
        seen[photo.key] = Remembered(path, stands, cluster_id)
    remember(folder, seen)
