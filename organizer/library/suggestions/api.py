"""Suggestions: what decided images teach about others, and what to ask next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from organizer.arguments import (
    require_cluster_id,
    require_image_id,
    require_integer,
    require_number,
    require_objects,
    require_text,
)
from organizer.errors import SettingsError
from organizer.library.clustering.learned import CONFIDENT
from organizer.library.corrections.api import Corrections
from organizer.library.corrections.report import DecisionReport
from organizer.library.corrections.requests import DecisionRequest, MoveImages
from organizer.library.corrections.state import read_state
from organizer.library.opening import OpenLibrary
from organizer.library.suggestions.ask import Question, find_questions
from organizer.library.suggestions.learn import current_names, learn_clusters, require_learned
from organizer.library.suggestions.propose import (
    Suggestion,
    SuggestionReport,
    report_suggestions,
)


class Suggestions:
    """What a person's decisions teach about images that nobody decided about.

    Examples:
        >>> found = library.suggestions.propose("Lion")  # doctest: +SKIP
        >>> library.suggestions.accept(found.suggestions)  # doctest: +SKIP
        >>> [question.path for question in library.suggestions.ask(20)]  # doctest: +SKIP
    """

    def __init__(self, opened: OpenLibrary, corrections: Corrections) -> None:
        self._opened, self._store, self._settings = opened, opened.store, opened.settings
        self._corrections = corrections

    def propose(
        self, name: str | None = None, *, min_confidence: float = CONFIDENT
    ) -> SuggestionReport:
        """Suggest a name for unassigned images and those of clusters that nobody decided about.

        Learned from the typical images of named clusters and from every image that was moved; an
        image that lies farther from a cluster than its members do is never suggested for it.

        Args:
            name: Only for the cluster of that name, in any case; for all that have one where None.
            min_confidence: How probable the cluster has to be, 0 to 1, as estimated from decisions
                that were held out.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: No cluster has that name, none has any, or there is only one.
        """
        wanted = None if name is None else require_text("name", name)
        least = require_number("min_confidence", min_confidence, least=0, most=1)
        with self._store.snapshot():
            state = read_state(self._store, settings=self._settings)
        return report_suggestions(require_learned(state), name=wanted, least=least)

    def accept(self, suggestions: Sequence[Suggestion]) -> list[DecisionReport]:
        """Move images to the clusters that were suggested: one step, which one undo takes back.

        Returns:
            A report for each cluster.

        Raises:
            ClusteringError: There is no clustering yet.
            SettingsError: A cluster is gone, or has another name than the suggestion says; or two
                suggestions contradict each other.
            StoreError: The library cannot be written.
        """
        given = [_sound(one) for one in require_objects("suggestions", suggestions, Suggestion)]
        names = self._corrections.constraints().names
        target_of: dict[str, int] = {}
        images: dict[int, list[str]] = {}
        for one in given:
            if names.get(one.cluster_id) != one.name:
                raise SettingsError(
                    f"cluster {one.cluster_id} is not called {one.name!r} any more",
                    "ask for suggestions again",
                )
            if target_of.setdefault(one.image_id, one.cluster_id) != one.cluster_id:
                raise SettingsError(
                    f"two suggestions contradict each other: image {one.image_id}, two names",
                    "leave one of the two out",
                )
            images.setdefault(one.cluster_id, []).append(one.image_id)
        moves: list[DecisionRequest] = [MoveImages(ids, i) for i, ids in images.items()]
        return self._corrections.apply(moves)

    def ask(self, limit: int = 20) -> list[Question]:
        """The images whose answers would help most: uncertain, and unlike each other.

        Until two clusters have a name, the most typical image of each that nobody decided about,
        the largest first. Images that were decided by themselves are not asked about.

        Args:
            limit: The number of images, at most.

        Raises:
            ClusteringError: There is no clustering yet.
        """
        limit = require_integer("limit", limit, least=1)
        with self._store.snapshot():
            state = read_state(self._store, settings=self._settings)
        can_learn = len(current_names(state)) > 1
        learned = learn_clusters(state) if can_learn else None
        return find_questions(state, learned, limit)


def _sound(suggestion: Suggestion) -> Suggestion:
    """A suggestion whose fields can be what they are."""
    return replace(
        suggestion,
        image_id=require_image_id("image_id", suggestion.image_id),
        cluster_id=require_cluster_id(suggestion.cluster_id),
        name=require_text("name", suggestion.name),
    )
