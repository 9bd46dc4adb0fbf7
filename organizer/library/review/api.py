"""Review: samples of the clusters, a person's answers, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from organizer.arguments import (
    require_cluster_ids,
    require_flag,
    require_image_id,
    require_integer,
    require_object,
    require_objects,
)
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.report import DecisionReport
from organizer.library.opening import OpenLibrary
from organizer.library.review.answers import new_answers
from organizer.library.review.audit import audit_clusters, rejected_images
from organizer.library.review.sample import ReviewItem, draw_sample, find_doubtful
from organizer.store import Answer, SampleKind
from organizer.types import Audit


class Review:
    """Samples of the clusters, a person's answers, and the purity that they show.

    Examples:
        >>> items = library.review.sample(50)  # doctest: +SKIP
        >>> answers = [item.answer(belongs=True) for item in items]  # doctest: +SKIP
        >>> library.review.answer(answers)  # doctest: +SKIP
        >>> library.review.audit().overall  # doctest: +SKIP
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings

    def sample(self, limit: int = 200, *, cluster_ids: Sequence[int] = ()) -> list[ReviewItem]:
        """Images to look at, drawn at random from each cluster; reproducible by the seed.

        Of each cluster as many as its size calls for, and at least three where the limit allows;
        see `organizer.evaluate.audit.allocate_sample`. An image that was drawn and answered for the
        cluster that it is in is not drawn again. Images whose files are all missing are left out.

        Args:
            limit: The number of images; all that are left where there are fewer.
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            Cluster by cluster, the largest first. Empty where all were answered.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        limit = require_integer("limit", limit, least=1)
        cluster_ids = require_cluster_ids(cluster_ids)
        seed = self._settings.seed
        return draw_sample(self._store, limit, seed=seed, cluster_ids=cluster_ids)

    def doubtful(self, limit: int = 50, *, cluster_ids: Sequence[int] = ()) -> list[ReviewItem]:
        """Images of whose ten nearest neighbours six or more are in another cluster.

        Those that were answered, or whose files are all missing, are left out. The neighbours of
        up to 20,000 images are looked up; of more images, those of the 5,000 with the smallest
        margin.

        Args:
            limit: The number of images, at most.
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            Those first whose cluster is least certain by what you decided, as
            `Suggestions.ask` orders them; before any decision, those with the largest share of
            disagreeing neighbours.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: There is no such cluster.
        """
        limit = require_integer("limit", limit, least=1)
        cluster_ids = require_cluster_ids(cluster_ids)
        return find_doubtful(self._store, limit, settings=self._settings, cluster_ids=cluster_ids)

    def answer(self, answers: Sequence[Answer]) -> int:
        """Store a person's answers, in one commit.

        Args:
            answers: As `ReviewItem.answer` makes them.

        Returns:
            The number of answers that were not known already.

        Raises:
            StoreError: The library cannot be written.
        """
        merged = self._store.merged_images.now()
        answers = [_sound(answer, merged) for answer in require_objects("answers", answers, Answer)]
        with self._opened.writing(decides=True):
            current = self._store.clusterings.current()
            shown_in = current.clustering_id if current else 0
            new = new_answers(
                self._store,
                [replace(a, clustering_id=a.clustering_id or shown_in) for a in answers],
            )
            self._store.answers.append(new)
        return len(new)

    def correct(self, cluster_ids: Sequence[int] = ()) -> list[DecisionReport]:
        """Exclude every image that was answered with no; see `Corrections.exclude`.

        All of them leave in one step, which one undo takes back.

        Args:
            cluster_ids: Only of these clusters; of all where empty.

        Returns:
            A report for each cluster that images left.

        Raises:
            ClusteringError: There is no clustering yet, or no cluster would be left.
            SettingsError: There is no such cluster.
            StoreError: The library cannot be written.
        """
        cluster_ids = require_cluster_ids(cluster_ids)
        with self._opened.writing(decides=True):
            rejected = rejected_images(self._store, cluster_ids)
            if not rejected:
                return []
            editor = Editor.open(self._store, settings=self._settings)
            for cluster_id, image_ids in rejected.items():
                editor.exclude(image_ids, cluster_id)
            editor.commit()
        return editor.reports

    def audit(self) -> Audit | None:
        """Estimate the purity of the clusters from the answers for a random sample.

        The purity is the share of images that are in the right cluster now. An answer counts for as
        long as the image is in the cluster that it was shown with; a no also after the image was
        excluded because of it, since the images that nobody looked at are as they were. What a
        merge, a split or a later decision makes of an answer: see
        `organizer.library.review.answers`. Images that were assigned to a cluster after its sample
        was drawn are taken for as pure as the others, until the next sample, which begins with
        them.

        Returns:
            None where there is no such answer.
        """
        return audit_clusters(self._store)


def _sound(answer: Answer, merged: Mapping[str, str]) -> Answer:
    """An answer whose fields can be stored; `merged` are images that became others."""
    image_id = require_image_id("the image of an answer", answer.image_id)
    return Answer(
        image_id=merged.get(image_id, image_id),
        cluster_id=require_integer("the cluster of an answer", answer.cluster_id, least=0),
        belongs=require_flag("belongs", answer.belongs),
        drawn=require_object("drawn", answer.drawn, SampleKind),
        clustering_id=require_integer("the clustering of an answer", answer.clustering_id, least=0),
        answer_id=require_integer("the number of an answer", answer.answer_id, least=0),
    )
