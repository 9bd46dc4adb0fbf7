"""Recluster by a clusterer that trains, and keep what it trained as an embedder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from organizer.cluster.decisions import compile_constraints
from organizer.errors import SettingsError
from organizer.library.clustering.finished_training import request_of
from organizer.library.clustering.options import ReclusterOptions
from organizer.library.clustering.recluster import run_recluster, run_training
from organizer.library.clustering.report import ReclusterReport
from organizer.library.clustering.space import NO_REDUCER
from organizer.library.clustering.trained import ClusterTraining
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.types import PartSpec

_CONNECT = "connect their disk, or leave --save-embedder out"

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
    request = request_of(options, seed=settings.seed)
    training = ClusterTraining(opened, algorithm, settings.device, progress, save_as, request)
    with store.training():
        if options.dry_run:
            return run_recluster(
                store, options, settings=settings, progress=progress, training=training
            )
        if save_as is not None:
            _require_photos(opened)
        name = training.resume_saved()
        if name is None:
            run_training(store, options, settings=settings, progress=progress, training=training)
        if save_as is not None:
            name = name or _saved(training, progress)
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


def _saved(training: ClusterTraining, progress: Progress) -> str:
    name = training.save_embedder()
    progress.note(f"saved the embedder {name}")
    return name


def _require_photos(opened: OpenLibrary) -> None:
    """Make sure, before anything is trained, that photos can be embedded with it.

    Raises:
        SettingsError: None of their folders is there, or none of the photos of a cluster that a
            person named, pinned or made, which would be lost.
    """
    store = opened.store
    folders = [root.folder for root in store.roots.all()]
    away = [folder for folder in folders if not folder.exists()]
    if len(away) == len(folders):
        raise SettingsError(
            "none of the folders of the photos is here, and they are to be embedded with what is "
            "trained",
            _CONNECT,
        )
    current = store.clusterings.current()
    if not away or current is None:
        return
    constraints = compile_constraints(store.decisions.current())
    members = store.clusterings.assignments(current.clustering_id)
    for cluster_id in sorted(constraints.required):
        ids = members.image_ids[members.cluster_ids == cluster_id].tolist()
        rows = store.photos.files_of(ids, with_people=True).values()
        files = [row.file for found in rows for row in found]
        if files and all(any(file.is_relative_to(root) for root in away) for file in files):
            name = constraints.names.get(cluster_id) or f"cluster {cluster_id}"
            raise SettingsError(
                f"none of the photos of {name} is here ({files[0].parent}), and they are to be "
                "embedded with what is trained",
                _CONNECT,
            )
