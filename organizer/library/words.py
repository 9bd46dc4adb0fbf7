"""What a person can say of clusters and images, each a method of `Library`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from organizer.library.deciding import DecisionReport, Desk
from organizer.library.naming import resolve
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

    def move(self, images: Sequence[str | Path], cluster_id: int) -> DecisionReport:
        """Put images into a cluster, for good.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        ids = resolve(self.store, images)
        return self._decide(lambda desk: desk.move(ids, cluster_id))

    def gather(self, images: Sequence[str | Path], name: str = "") -> DecisionReport:
        """Make a new cluster of images, for good, wherever they are now.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            name: The name of the cluster; none where empty.

        Raises:
            SettingsError: There is no such image, or another cluster has the name.
        """
        ids = resolve(self.store, images)
        return self._decide(lambda desk: desk.gather(ids, name))

    def deny(self, images: Sequence[str | Path], cluster_id: int) -> DecisionReport:
        """Say that images are not of a cluster: they leave it and never come back.

        Args:
            images: Paths, or image ids of which the beginning is enough.
            cluster_id: The cluster.

        Raises:
            SettingsError: There is no such cluster or image.
        """
        ids = resolve(self.store, images)
        return self._decide(lambda desk: desk.deny(ids, cluster_id))

    def retire(self, cluster_id: int) -> DecisionReport:
        """Dissolve a cluster: its images go where they fit, or to the pile; its id is no more.

        Raises:
            SettingsError: There is no such cluster.
            ClusteringError: It is the only one.
        """
        return self._decide(lambda desk: desk.retire(cluster_id))

    def _decide(self, say: Callable[[Desk], DecisionReport]) -> DecisionReport:
        with self._writing():
            report = say(Desk(self.store, seed=self.settings.seed))
            self._tidy()
        return report
