"""Decisions about clusters and images: rename, pin, merge, split, move, exclude and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from organizer.arguments import require_cluster_id, require_flag, require_integer, require_text
from organizer.cluster.decisions import Constraints, compile_constraints
from organizer.errors import SettingsError
from organizer.library.corrections.arguments import require_merged, require_named_images
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.history import HistoryEvent, read_history
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.resolve import ResolvedImages, resolve_members
from organizer.library.current import require_cluster, require_clustering
from organizer.library.detections.embed import embed_whole_photos
from organizer.library.opening import OpenLibrary

NamedImages = str | Path | Sequence[str | Path]
"""One image or several: paths, folders, or image ids of which the beginning is enough."""


class Corrections:
    """Decisions about clusters and images: each is kept for good, and holds in every clustering.

    Each is a transaction of its own: it is stored and applied at once.

    Examples:
        >>> library.corrections.rename(3, "Red fox")  # doctest: +SKIP
        >>> library.corrections.move("photos/fox.jpg", 3)  # doctest: +SKIP
        >>> library.undo()  # doctest: +SKIP
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """Name a cluster. The name stays with its images through every recluster.

        Raises:
            SettingsError: There is no such cluster, or another one has the name.
        """
        cluster_id, name = require_cluster_id(cluster_id), require_text("name", name, or_empty=True)
        return self._decide(lambda editor: editor.rename(cluster_id, name))

    def pin(self, cluster_id: int) -> DecisionReport:
        """Keep a cluster, with the images that are typical of it, through every recluster.

        Raises:
            SettingsError: There is no such cluster.
        """
        cluster_id = require_cluster_id(cluster_id)
        return self._decide(lambda editor: editor.pin(cluster_id))

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """Make one cluster of several; it has the id of the first. They are never parted again.

        Raises:
            SettingsError: There is no such cluster, or it contradicts an earlier decision.
        """
        cluster_ids = require_merged(cluster_ids)
        return self._decide(lambda editor: editor.merge(cluster_ids))

    def split(self, cluster_id: int, *, k: int = 2) -> DecisionReport:
        """Make several clusters of one; the largest part keeps the id. They are never merged again.

        Raises:
            SettingsError: There is no such cluster, or it has too few different images.
        """
        cluster_id, k = require_cluster_id(cluster_id), require_integer("k", k)
        return self._decide(lambda editor: editor.split(cluster_id, k))

    def move(self, images: NamedImages, cluster_id: int, *, burst: bool = False) -> DecisionReport:
        """Put images into a cluster, for good.

        Where crops are clustered, a photo stands for all its crops. One in which a detector saw
        nothing becomes a crop of the whole photo: a person's decision overrules a detector.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        images, cluster_id = require_named_images(images), require_cluster_id(cluster_id)
        require_flag("burst", burst)
        resolved = resolve_members(self._store, images)
        with self._opened.writing():
            require_cluster(self._store, require_clustering(self._store), cluster_id)
            return self._with_crops(
                resolved, lambda editor: editor.move(resolved.image_ids, cluster_id, burst=burst)
            )

    def new_cluster(
        self, images: NamedImages, name: str | None = None, *, burst: bool = False
    ) -> DecisionReport:
        """Make a new cluster of images, for good, whichever clusters they are in.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            name: The name of the cluster; none where None.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such image, or another cluster has the name.
        """
        images = require_named_images(images)
        if name is not None:
            require_text("name", name, or_empty=True)
        require_flag("burst", burst)
        resolved = resolve_members(self._store, images)
        with self._opened.writing():
            require_clustering(self._store)
            return self._with_crops(
                resolved, lambda editor: editor.new_cluster(resolved.image_ids, name, burst=burst)
            )

    def exclude(
        self, images: NamedImages, cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """Exclude images from a cluster: they leave it and never come back.

        Args:
            images: Paths, folders, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Decide it for all images of their bursts, but for those that were decided by
                themselves.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        images, cluster_id = require_named_images(images), require_cluster_id(cluster_id)
        require_flag("burst", burst)
        resolved = resolve_members(self._store, images)
        uncropped = {crop.crop_id for crop in resolved.whole_photos}
        ids = [image_id for image_id in resolved.image_ids if image_id not in uncropped]
        if not ids:
            raise SettingsError("these photos have no crops, and are in no cluster")
        report = self._decide(lambda editor: editor.exclude(ids, cluster_id, burst=burst))
        return replace(report, notes=(*resolved.notes, *report.notes))

    def history(self, cluster_id: int | None = None) -> list[HistoryEvent]:
        """What became of the clusters, or of one of them, in order of time.

        Raises:
            SettingsError: No cluster ever had that id.
        """
        if cluster_id is not None:
            cluster_id = require_cluster_id(cluster_id)
        return read_history(self._store, cluster_id)

    def constraints(self) -> Constraints:
        """The constraints that follow from all decisions."""
        return compile_constraints(self._store.decisions.all())

    def retire(self, cluster_id: int) -> DecisionReport:
        """Dissolve a cluster: its images go where they fit, or are unassigned; its id is retired.

        Raises:
            SettingsError: There is no such cluster.
            ClusteringError: It is the only one.
        """
        cluster_id = require_cluster_id(cluster_id)
        return self._decide(lambda editor: editor.retire(cluster_id))

    def _with_crops(
        self, resolved: ResolvedImages, decide: Callable[[Editor], DecisionReport]
    ) -> DecisionReport:
        """Decide about photos; those without a crop get one of the whole photo first."""
        embed_whole_photos(self._store, resolved.whole_photos, settings=self._settings)
        added = [crop.crop_id for crop in resolved.whole_photos]
        report = decide(Editor.open(self._store, settings=self._settings, added=added))
        self._opened.tidy()
        return replace(report, notes=(*resolved.notes, *report.notes))

    def _decide(self, decide: Callable[[Editor], DecisionReport]) -> DecisionReport:
        with self._opened.writing():
            report = decide(Editor.open(self._store, settings=self._settings))
            self._opened.tidy()
        return report
