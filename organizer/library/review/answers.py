"""What a person's answers mean for the current clusters.

An answer is about an image and a cluster as it was in the clustering in which it was shown. What
a person decided since then, and has not undone, determines what the answer means for the current
clusters. A later decision counts over an earlier answer:

- *move* into the cluster: the image belongs, whatever was answered before.
- *exclude* from the cluster: it does not belong, whatever was answered before.

and where the cluster became another one, the answer is about the former:

- *merge*: a yes for a part is a yes for the merged cluster. A no for a part means nothing for the
  merged cluster, since the image may belong to another part: it does not count, and the image is
  drawn again, before others, since a sample that has lost its noes and kept its yeses would look
  too pure.
- *split*: neither a yes nor a no for the cluster means anything for a part, the one that keeps the
  id included: the no may have been about images that are a cluster of their own now.
- *retire*: answers for the cluster are kept, and count nowhere.
- *undo* of one of these: answers from before it count as they did. Those that were given in between
  are treated as by the opposite: undoing a merge is a split, undoing a split is a merge.
- *recluster*, also with another embedder or space: an id is passed on to the cluster that continues
  it, so an answer counts for as long as the image is in the cluster of that id. That a recluster
  merged two clusters is no decision: a yes for the one that went is not carried over.

The clusterings are a tree: each has the one it was made of as its parent, and an undo goes back to
the parent. The path through it from the clustering of the answer to the current one passes exactly
the decisions that were made and not undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from organizer.store import Answer, SampleKind, Store, StoredClustering
from organizer.types import Decision, DecisionKind

ImageInCluster = tuple[str, int]


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """What an answer means for the current clusters.

    Attributes:
        pair: The image and the cluster; None where it means nothing for the current ones.
        belongs: Whether the image belongs to that cluster.
        merged_into: Where it means nothing because of a merge, the merged cluster.
    """

    pair: ImageInCluster | None
    belongs: bool
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """The answers that count for the current clusters.

    Attributes:
        belongs: Whether the image belongs, by image and cluster; the last answer counts.
        number: The number of that answer.
        at_random: Those that were drawn at random, then or another time.
        reopened: Images that were drawn at random and answered no for a cluster that was merged
            since, with the merged cluster, and not answered again.
    """

    belongs: dict[ImageInCluster, bool] = field(default_factory=dict)
    number: dict[ImageInCluster, int] = field(default_factory=dict)
    at_random: set[ImageInCluster] = field(default_factory=set)
    reopened: set[ImageInCluster] = field(default_factory=set)


def answer_summary(store: Store) -> AnswerSummary:
    """Sum up what all answers mean for the current clusters."""
    return _summed(store.answers.all(), AnswerTranslator.read(store))


def _summed(answers: Iterable[Answer], translate: AnswerTranslator) -> AnswerSummary:
    found = AnswerSummary()
    for answer in answers:
        current = translate(answer)
        is_random = answer.drawn is SampleKind.RANDOM
        if current.pair is not None:
            found.belongs[current.pair] = current.belongs
            found.number[current.pair] = answer.answer_id
            if is_random:
                found.at_random.add(current.pair)
                found.reopened.discard(current.pair)
        elif current.merged_into is not None and is_random:
            found.reopened.add((answer.image_id, current.merged_into))
    found.reopened.difference_update(found.at_random)
    return found


class AnswerTranslator:
    """Translates answers to the current clusters; call it with an answer.

    Args:
        current: The id of the current clustering; 0 where there is none.
        clusterings: All clusterings.
        decisions: All decisions, by the step that they are part of.
    """

    def __init__(
        self,
        current: int,
        clusterings: Iterable[StoredClustering],
        decisions: Mapping[int, Sequence[Decision]],
    ) -> None:
        self._current = current
        self._clusterings = {c.clustering_id: c for c in clusterings}
        self._decisions = decisions
        self._steps_from: dict[int, list[_Step]] = {}

    @classmethod
    def read(cls, store: Store) -> Self:
        """A translator to the current clustering of a library."""
        current = store.clusterings.current()
        current_id = current.clustering_id if current is not None else 0
        return cls(current_id, store.clusterings.all(), store.decisions.by_step())

    def __call__(self, answer: Answer) -> CurrentAnswer:
        """What an answer means for the current clusters."""
        cluster_id, belongs = answer.cluster_id, answer.belongs
        merged_into: int | None = None
        for step in self._steps(answer.clustering_id or self._current):
            if merged_into is not None:  # the answer is lost, but the merged cluster is followed
                merged_into, _ = step.follow(answer.image_id, merged_into, belongs=True)
                if merged_into is None:
                    break
                continue
            became, belongs = step.follow(answer.image_id, cluster_id, belongs=belongs)
            if became is None:
                merged_into = step.merged_into(cluster_id)
                if merged_into is None:
                    return CurrentAnswer(None, belongs)
            else:
                cluster_id = became
        else:
            if merged_into is None:
                return CurrentAnswer((answer.image_id, cluster_id), belongs)
        return CurrentAnswer(None, belongs, merged_into)

    def _steps(self, start: int) -> list[_Step]:
        if start not in self._steps_from:
            self._steps_from[start] = self._find_steps(start)
        return self._steps_from[start]

    def _find_steps(self, start: int) -> list[_Step]:
        """The decisions on the path from a clustering to the current one."""
        up, down = self._ancestors(start), self._ancestors(self._current)
        shared = set(up) & set(down)
        back = [i for i in up if i not in shared]
        forth = [i for i in reversed(down) if i not in shared]
        undone = [_Step(d, undone=True) for i in back for d in reversed(self._made_by(i))]
        return undone + [_Step(d, undone=False) for i in forth for d in self._made_by(i)]

    def _ancestors(self, clustering_id: int | None) -> list[int]:
        """A clustering and those that it was made of, the latest first."""
        line = []
        while clustering_id in self._clusterings:
            line.append(clustering_id)
            clustering_id = self._clusterings[clustering_id].parent_id
        return line

    def _made_by(self, clustering_id: int) -> Sequence[Decision]:
        """The decisions that made a clustering, in order; none for a recluster."""
        return self._decisions.get(self._clusterings[clustering_id].step_id, [])


@dataclass(frozen=True, slots=True)
class _Step:
    """A decision that was made since an answer, or undone."""

    decision: Decision
    undone: bool

    def follow(self, image_id: str, cluster_id: int, *, belongs: bool) -> tuple[int | None, bool]:
        """The cluster that an answer is about after the decision, if any, and the answer then."""
        kind = self.decision.kind
        if kind in {DecisionKind.MERGE, DecisionKind.SPLIT}:
            return self._follow_parts(cluster_id, belongs=belongs), belongs
        if not self.undone and cluster_id == self.decision.cluster_id:
            if kind is DecisionKind.RETIRE:
                return None, belongs
            if image_id in self.decision.image_ids:
                belongs = {DecisionKind.MOVE: True, DecisionKind.NOT: False}.get(kind, belongs)
        return cluster_id, belongs

    def merged_into(self, cluster_id: int) -> int | None:
        """The cluster that a cluster was merged into, if it was."""
        return self.decision.cluster_id if self._merges and cluster_id in self._parts else None

    @property
    def _merges(self) -> bool:
        merging = DecisionKind.SPLIT if self.undone else DecisionKind.MERGE
        return self.decision.kind is merging

    @property
    def _parts(self) -> set[int]:
        return {self.decision.cluster_id, *self.decision.others}

    def _follow_parts(self, cluster_id: int, *, belongs: bool) -> int | None:
        if self._merges:
            if cluster_id not in self._parts:
                return cluster_id
            return self.decision.cluster_id if belongs else None
        return None if cluster_id == self.decision.cluster_id else cluster_id


def new_answers(store: Store, answers: Iterable[Answer]) -> list[Answer]:
    """The answers that are not known yet."""
    earlier, translate = store.answers.all(), AnswerTranslator.read(store)
    known = _summed(earlier, translate)
    given = {_content(answer) for answer in earlier}
    unique = dict.fromkeys(answers)
    return [a for a in unique if not _is_known(a, translate(a), known, given)]


def answers_never_given(store: Store, answers: Iterable[Answer]) -> list[Answer]:
    """The answers that were never stored, whatever was answered later."""
    given = {_without_draw(answer) for answer in store.answers.all()}
    return [answer for answer in answers if _without_draw(answer) not in given]


def _is_known(
    answer: Answer, current: CurrentAnswer, known: AnswerSummary, given: set[Answer]
) -> bool:
    if current.pair is None:
        return _content(answer) in given
    drawn_before = answer.drawn is not SampleKind.RANDOM or current.pair in known.at_random
    return drawn_before and known.belongs.get(current.pair) is current.belongs


def _content(answer: Answer) -> Answer:
    return replace(answer, answer_id=0, user="")


def _without_draw(answer: Answer) -> tuple[str, int, bool]:
    return answer.image_id, answer.cluster_id, answer.belongs
