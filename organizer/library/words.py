"""What a person can say of clusters and images, each a method of `Library`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from organizer.errors import SettingsError
from organizer.library.cropping import embed_whole
from organizer.library.current import require_cluster, require_clustering
from organizer.library.deciding import DecisionReport, Desk
from organizer.library.naming import Named, members_named
from organizer.library.opened import Opened


class Words(Opened):
    """A person's words. Each is written down once and obeyed by every later clustering."""

    def rename(self, cluster_id: int, name: str) -> DecisionReport:
        """Name a cluster. The name stays with its images through every recluster.

        Raises:
            SettingsError: There is no such cluster, or another one has the name.
        """
        return self._decide(lambda desk: desk.rename(cluster_id, name))

    def pin(self, cluster_id: int) -> DecisionReport:
        """Keep a cluster, with the images that are typical of it, through every recluster.

        Raises:
            SettingsError: There is no such cluster.
        """
        return self._decide(lambda desk: desk.pin(cluster_id))

    def merge(self, cluster_ids: Sequence[int]) -> DecisionReport:
        """Make one cluster of several; it has the id of the first. They are never parted again.

        Raises:
            SettingsError: There is no such cluster, or it contradicts what was said before.
        """
        return self._decide(lambda desk: desk.merge(cluster_ids))

    def split(self, cluster_id: int, *, k: int = 2) -> DecisionReport:
        """Make several clusters of one; the largest part keeps the id. They are never one again.

        Raises:
            SettingsError: There is no such cluster, or it has too few different images.
        """
        return self._decide(lambda desk: desk.split(cluster_id, k))

    def move(
        self, images: Sequence[str | Path], cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """Put images into a cluster, for good.

        Where crops are clustered, a photo stands for all its crops. One in which a detector saw
        nothing becomes a crop of the whole photo: a person's word comes before a detector's.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Say it of all images of their bursts, but for those of which you said by
                themselves where they belong.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        named = members_named(self.store, images)
        with self._writing():
            require_cluster(self.store, require_clustering(self.store), cluster_id)
            return self._seated(
                named, lambda desk: desk.move(named.image_ids, cluster_id, burst=burst)
            )

    def gather(
        self, images: Sequence[str | Path], name: str | None = None, *, burst: bool = False
    ) -> DecisionReport:
        """Make a new cluster of images, for good, wherever they are now.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            name: The name of the cluster; none where None.
            burst: Say it of all images of their bursts, but for those of which you said by
                themselves where they belong.

        Raises:
            SettingsError: There is no such image, or another cluster has the name.
        """
        named = members_named(self.store, images)
        with self._writing():
            require_clustering(self.store)
            return self._seated(named, lambda desk: desk.gather(named.image_ids, name, burst=burst))

    def deny(
        self, images: Sequence[str | Path], cluster_id: int, *, burst: bool = False
    ) -> DecisionReport:
        """Say that images are not of a cluster: they leave it and never come back.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.
            burst: Say it of all images of their bursts, but for those of which you said by
                themselves where they belong.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        named = members_named(self.store, images)
        lacking = {crop.crop_id for crop in named.whole}
        ids = [image_id for image_id in named.image_ids if image_id not in lacking]
        if not ids:
            raise SettingsError("these photos have no crops, and are in no cluster")
        report = self._decide(lambda desk: desk.deny(ids, cluster_id, burst=burst))
        return replace(report, notes=(*named.notes, *report.notes))

    def retire(self, cluster_id: int) -> DecisionReport:
        """Dissolve a cluster: its images go where they fit, or to the pile; its id is no more.

        Raises:
            SettingsError: There is no such cluster.
            ClusteringError: It is the only one.
        """
        return self._decide(lambda desk: desk.retire(cluster_id))

    def _seated(self, named: Named, say: Callable[[Desk], DecisionReport]) -> DecisionReport:
        """Carry out a word of photos; those that have no crops yet get one, and a seat."""
        embed_whole(self.store, named.whole, settings=self.settings)
        guests = [crop.crop_id for crop in named.whole]
        report = say(Desk(self.store, settings=self.settings, guests=guests))
        self._tidy()
        return replace(report, notes=(*named.notes, *report.notes))

    def _decide(self, say: Callable[[Desk], DecisionReport]) -> DecisionReport:
        with self._writing():
            report = say(Desk(self.store, settings=self.settings))
            self._tidy()
        return report
