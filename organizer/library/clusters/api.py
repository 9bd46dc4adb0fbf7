"""The clusters of a library as objects: listed, named and corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from organizer.arguments import (
    require_choice,
    require_cluster_id,
    require_flag,
    require_integer,
    require_text,
    require_texts,
)
from organizer.cluster.decisions import compile_constraints
from organizer.counts import count_text
from organizer.errors import SettingsError
from organizer.library.cluster_names import resolve_cluster
from organizer.library.clusters.news import IngestNews, read_news
from organizer.library.clusters.profiles import ClusterProfile, ProfileOrder, read_profiles
from organizer.library.clusters.summaries import (
    ClusterMember,
    ClusterSummary,
    GroupPhoto,
    centroid_distances,
    cluster_members,
    cluster_summaries,
    count_hidden,
    photos_in_group,
)
from organizer.library.corrections.api import Corrections
from organizer.library.corrections.history import HistoryEvent, read_history
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.requests import NamedImages
from organizer.library.current import require_cluster, require_clustering
from organizer.library.images.api import Images
from organizer.library.images.crops import QUARANTINED_GROUPS, PhotoGroup, frames_of, locate_photos
from organizer.library.images.visible import not_shown
from organizer.library.notebook import Card, cards_html
from organizer.library.opening import OpenLibrary
from organizer.library.search.text import NameSuggestion, suggest_cluster_names
from organizer.store.ids import pack_ids
from organizer.types import UsualDistance, is_crop_embedder

if TYPE_CHECKING:
    from organizer.store import ArrowTable


class Cluster:
    """A cluster as it was when it was looked up, and what can be decided about it.

    Args:
        summary: Its size, name and typical images.
        opened: The library.
        corrections: Decisions of the library.
    """

    def __init__(
        self, summary: ClusterSummary, opened: OpenLibrary, corrections: Corrections
    ) -> None:
        self.summary = summary
        self._opened, self._corrections = opened, corrections

    @property
    def id(self) -> int:
        """Its id. It is given once and never to another cluster."""
        return self.summary.cluster_id

    @property
    def name(self) -> str | None:
        """Its name; None where it has none."""
        return self.summary.name

    @property
    def size(self) -> int:
        """The number of its images."""
        return self.summary.count

    @property
    def share(self) -> float:
        """Its images as a share of all images of the clustering, 0 to 1."""
        return self.summary.share

    @property
    def cohesion_space(self) -> float:
        """Mean cosine similarity of its images to the centroid, in the clustering's space."""
        return self.summary.cohesion_space

    @property
    def cohesion(self) -> float:
        """Its `cohesion_space` under its former name; that of a report is on the vectors."""
        return self.summary.cohesion

    @property
    def usual(self) -> UsualDistance | None:
        """How far its images lie from those there that are most like them, on the vectors."""
        return self.summary.usual

    @property
    def medoid(self) -> Path | None:
        """A file of its most typical image that may be shown; None where there is none."""
        return self.summary.medoid

    def members(self) -> list[ClusterMember]:
        """Its images, the most typical first."""
        return cluster_members(self._opened.store, self.id)

    def history(self) -> list[HistoryEvent]:
        """What became of it, in order."""
        return read_history(self._opened.store, self.id)

    def rename(self, name: str) -> DecisionReport:
        """Name it; see `Corrections.rename`."""
        return self._corrections.rename(self.id, name)

    def pin(self) -> DecisionReport:
        """Keep it through every recluster; see `Corrections.pin`."""
        return self._corrections.pin(self.id)

    def merge(self, *others: int | Cluster) -> DecisionReport:
        """Merge other clusters into it; see `Corrections.merge`."""
        ids = [other.id if isinstance(other, Cluster) else other for other in others]
        return self._corrections.merge([self.id, *ids])

    def split(self, *, k: int = 2) -> DecisionReport:
        """Split it into `k` clusters; see `Corrections.split`."""
        return self._corrections.split(self.id, k=k)

    def add(self, images: NamedImages, *, burst: bool = False) -> DecisionReport:
        """Move images into it; see `Corrections.move`."""
        return self._corrections.move(images, self.id, burst=burst)

    def exclude(self, images: NamedImages, *, burst: bool = False) -> DecisionReport:
        """Exclude images from it; see `Corrections.exclude`."""
        return self._corrections.exclude(images, self.id, burst=burst)

    def retire(self) -> DecisionReport:
        """Dissolve it; see `Corrections.retire`."""
        return self._corrections.retire(self.id)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same cluster of the same library, whatever it held when looked up."""
        if not isinstance(other, Cluster):
            return NotImplemented
        return (self.id, self._opened.store.path) == (other.id, other._opened.store.path)

    def __hash__(self) -> int:
        return hash((self.id, self._opened.store.path))

    def __repr__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        return f"<Cluster {self.id}{name}, {count_text(self.size, 'image')}>"

    def _repr_html_(self) -> str:
        title = self.name or f"cluster {self.id}"
        cards = [
            Card(member.image_id, member.path.name, f"distance {member.distance:.3f}")
            for member in self.members()
        ]
        return f"<h4>{escape(title)}: {count_text(self.size, 'image')}</h4>" + cards_html(
            self._opened, cards
        )


class Clusters:
    """The clusters of the current clustering.

    Iterating gives the clusters, the largest first; ``clusters[3]`` is the one with the id 3, and
    ``clusters["red fox"]`` the one of that name, in any case.

    Examples:
        >>> for cluster in library.clusters:  # doctest: +SKIP
        ...     print(cluster.id, cluster.name, cluster.size)
    """

    def __init__(self, opened: OpenLibrary, corrections: Corrections, images: Images) -> None:
        self._opened, self._store = opened, opened.store
        self._corrections, self._images = corrections, images
        self._names: tuple[int, Mapping[int, str]] | None = None

    def __iter__(self) -> Iterator[Cluster]:
        """The clusters, the largest first; none before the first clustering."""
        if self._store.clusterings.current() is None:
            return iter(())
        return iter([self._cluster(summary) for summary in self.summaries()])

    def __len__(self) -> int:
        current = self._store.clusterings.current()
        if current is None:
            return 0
        return len(self._store.clusterings.models(current.clustering_id).ids)

    def __contains__(self, key: object) -> bool:
        """Whether there is one cluster of an id or a name."""
        if self._store.clusterings.current() is None:
            return False
        try:
            self.id_of(key)  # type: ignore[arg-type]
        except SettingsError:
            return False
        return True

    def __getitem__(self, key: int | str) -> Cluster:
        """A cluster by its id or its name; see `id_of`.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        cluster_id = self.id_of(key)
        return self._cluster(next(s for s in self.summaries() if s.cluster_id == cluster_id))

    def id_of(self, named: int | str) -> int:
        """The id of a cluster as a person names it: by its id, or by its name in any case.

        Digits are an id. Of names that differ in case alone (libraries of older versions may have
        such) the one that is spelled so is meant.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: No cluster is called so, or several are.

        Examples:
            >>> library.clusters.id_of("red fox")  # doctest: +SKIP
            3
        """
        current = require_clustering(self._store)
        if not isinstance(named, str):
            named = require_cluster_id(named, "a cluster")
        return resolve_cluster(self._store, current, named)

    def summaries(self) -> list[ClusterSummary]:
        """Size, name and typical images of each cluster, the largest first.

        Raises:
            ClusteringError: There is no clustering yet.
        """
        return cluster_summaries(self._store)

    def profiles(
        self,
        *,
        order: ProfileOrder = "size",
        samples: int = 8,
        with_people: bool | None = None,
    ) -> list[ClusterProfile]:
        """Each cluster in pictures and numbers: what a wall of clusters shows.

        Args:
            order: "size", "doubt", "novelty", "newest" or "name"; see
                `organizer.library.clusters.profiles.sort_profiles`.
            samples: Number of typical members, and of members at the border, at most.
            with_people: Whether photos with people or vehicles are among them; as the settings
                say where None.

        Returns:
            None of them before the first clustering.
        """
        samples = require_integer("samples", samples, least=1)
        if with_people is None:
            with_people = self._opened.settings.with_people
        return read_profiles(
            self._store,
            self._images.overview(),
            order=order,
            samples=samples,
            with_people=require_flag("with_people", with_people),
        )

    def near(self, cluster_id: int, *, limit: int = 10) -> list[tuple[int, float]]:
        """The clusters nearest to one, each with the cosine distance of the nearest centroids.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        cluster_id = require_cluster_id(cluster_id)
        limit = require_integer("limit", limit, least=1)
        current = require_clustering(self._store)
        require_cluster(self._store, current, cluster_id)
        models = self._store.clusterings.models(current.clustering_id)
        own = models.cluster_ids == cluster_id
        nearest = 1 - (models.centroids @ models.centroids[own].T).max(axis=1)
        found: dict[int, float] = {}
        for row in np.argsort(nearest, kind="stable"):
            if not own[row]:
                found.setdefault(int(models.cluster_ids[row]), max(0.0, float(nearest[row])))
        return list(found.items())[:limit]

    def news(self) -> IngestNews | None:
        """What the last ingest brought to the clusters; None before the first one."""
        return read_news(self._store, self._images.overview())

    def members(self, cluster_id: int) -> list[ClusterMember]:
        """The images of a cluster, the most typical first.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        return cluster_members(self._store, require_cluster_id(cluster_id))

    def centroid_distances(self) -> dict[int, UsualDistance]:
        """For each cluster, how far its images lie from its centroid: near and far of `members`.

        As the distances of `members`, they are cosine distances in the space of the clustering.

        Raises:
            ClusteringError: There is no clustering yet.
        """
        return centroid_distances(self._store)

    def unassigned(self) -> list[ClusterMember]:
        """The images that fit no cluster, the nearest to one first.

        Raises:
            ClusteringError: There is no clustering yet.
        """
        return cluster_members(self._store, None)

    def assignments(self, *, with_people: bool | None = None) -> ArrowTable:
        """See `organizer.library.Library.assignments`."""
        if with_people is None:
            with_people = self._opened.settings.with_people
        shown = require_flag("with_people", with_people)
        current = require_clustering(self._store)
        members = self._store.clusterings.assignments(current.clustering_id)
        ids = members.image_ids.tolist()
        hidden = set() if shown else self._store.detections.quarantined(ids)
        of_crops = is_crop_embedder(current.embedder)
        photos = frames_of(self._store, ids) if of_crops else ids
        listed = self._store.photos.file_lists().of(pack_ids(photos))
        paths = [files[0][0] if files else None for files in listed]
        order = sorted(
            (row for row, image_id in enumerate(ids) if image_id not in hidden),
            key=lambda row: paths[row] or "",
        )
        rows = np.array(order, dtype=np.int64)
        return self._store.clusterings.assignment_table(
            members.take(rows), [paths[row] for row in order], self.names()
        )

    def names(self) -> dict[int, str]:
        """The names by cluster id, also of clusters that a recluster may bring back."""
        step = self._store.steps.number()
        if self._names is None or self._names[0] != step:
            self._names = step, compile_constraints(self._store.decisions.current()).names
        return dict(self._names[1])

    def name_of(self, cluster_id: int) -> str | None:
        """The name of a cluster; None where it has none."""
        return self.names().get(require_cluster_id(cluster_id))

    def count_hidden(self, cluster_id: int | None) -> int:
        """The number of images that are not shown, because people are in the photo.

        Args:
            cluster_id: Of this cluster; of the unassigned images where None.
        """
        if cluster_id is not None:
            cluster_id = require_cluster_id(cluster_id)
        return count_hidden(self._store, cluster_id)

    def groups(self) -> dict[PhotoGroup, int]:
        """The number of photos in the groups beside the clusters.

        These are photos with people or vehicles; where crops are clustered, also empty ones and
        those without a detector's result. Groups of no photo are left out.
        """
        current = self._store.clusterings.current()
        of_crops = current is not None and is_crop_embedder(current.embedder)
        beside = set(PhotoGroup) - {PhotoGroup.ANIMALS} if of_crops else QUARANTINED_GROUPS
        if not self._store.detections.count():
            return {}
        counts = Counter(p.group for p in locate_photos(self._store, current).values())
        return {group: counts[group] for group in PhotoGroup if group in beside & counts.keys()}

    def photos_in(self, group: PhotoGroup) -> list[GroupPhoto]:
        """The photos of a group beside the clusters, by path."""
        name = require_choice("group", group, [known.value for known in PhotoGroup])
        return photos_in_group(self._store, PhotoGroup(name))

    def suggest_names(
        self, labels: Sequence[str], *, embedder: str | None = None
    ) -> list[NameSuggestion]:
        """Suggest a name for each cluster, the surest first. No cluster is named by it.

        Args:
            labels: The names to choose from.
            embedder: The embedder; the first of the library that reads texts where None.

        Raises:
            SettingsError: There are no labels, or no embedder of the library reads texts.
            ClusteringError: There is no clustering yet.
        """
        labels = require_texts("labels", labels, least=1)
        embedder = None if embedder is None else require_text("embedder", embedder)
        settings = self._opened.settings
        return suggest_cluster_names(self._store, labels, embedder=embedder, settings=settings)

    def __repr__(self) -> str:
        return f"<Clusters: {len(self)}>"

    def _repr_html_(self) -> str:
        current = self._store.clusterings.current()
        if current is None:
            return "<div>no clusters yet</div>"
        pictures = self._pictures(current.clustering_id)
        cards = [
            Card(
                pictures[c.id],
                c.name or f"cluster {c.id}",
                f"id {c.id}, {count_text(c.size, 'image')}",
            )
            for c in self
        ]
        return cards_html(self._opened, cards)

    def _pictures(self, clustering_id: int) -> dict[int, str | None]:
        """The most typical image of each cluster that is there and may be shown."""
        models = self._store.clusterings.models(clustering_id)
        medoids = dict(zip(models.cluster_ids.tolist()[::-1], models.medoids[::-1], strict=True))
        hidden = not_shown(self._store, set(medoids.values()))
        return {
            cluster_id: medoid
            if medoid not in hidden
            else next((m.image_id for m in self.members(cluster_id) if not m.missing), None)
            for cluster_id, medoid in medoids.items()
        }

    def _cluster(self, summary: ClusterSummary) -> Cluster:
        return Cluster(summary, self._opened, self._corrections)
