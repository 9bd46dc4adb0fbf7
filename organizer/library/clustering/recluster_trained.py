"""Recluster by a clusterer that trains, and keep what it trained as an embedder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from organizer.errors import SettingsError
from organizer.library.clustering.options import ReclusterOptions
from organizer.library.clustering.recluster import run_recluster, run_training
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clustering.space import NO_REDUCER
from organizer.library.clustering.trained import ClusterTraining
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.types import PartSpec

Embed = Callable[[str], object]
"""Embeds all images with the embedder of that name."""


def recluster_trained(
    opened: OpenLibrary,
    options: ReclusterOptions,
    *,
    settings: Settings,
    progress: Progress,
    embed: Embed,
) -> ReclusterReport:
    """See `organizer.library.Library.recluster`.

    With an embedder to save, the images are trained on, embedded with what was trained, and
    clustered as they were trained, in its space. A training that is interrupted goes on where it
    was, by the same call.

    Args:
        opened: The library. While images are trained on, nobody else is kept out of it.
        options: How to recluster.
        settings: The settings.
        progress: Receives the progress.
        embed: See `Embed`.
    """
    algorithm, store = PartSpec(options.algorithm, options.params), opened.store
    save_as = None if options.dry_run else options.save_embedder
    training = ClusterTraining(opened, algorithm, settings.device, progress, save_as)
    if options.dry_run:
        return run_recluster(
            store, options, settings=settings, progress=progress, training=training
        )
    if save_as is not None:
        _require_photos(opened)
    run_training(store, options, settings=settings, progress=progress, training=training)
    if save_as is not None:
        name = training.save_embedder()
        progress.note(f"saved the embedder {name}")
        embed(name)
        # Clusters of the trained features, in their own space.
        options = replace(options, embedder=name, reducer=PartSpec(NO_REDUCER))
    with opened.ingesting():
        report = run_recluster(
            store, options, settings=settings, progress=progress, training=training
        )
        opened.tidy_after_ingest()
    training.finish()
    return report


def _require_photos(opened: OpenLibrary) -> None:
    """Make sure, before anything is trained, that photos can be embedded with it.

    Raises:
        SettingsError: None of their folders is there.
    """
    if not any(root.folder.exists() for root in opened.store.roots.all()):
        raise SettingsError(
            "none of the folders of the photos is here, and they are to be embedded with what is "
            "trained",
            "connect their disk, or leave --save-embedder out",
        )
