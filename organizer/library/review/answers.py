"""What a person said of images and clusters, as far as it holds for the clusters of now.

An answer is about an image and a cluster as it was in the clustering that it was shown in. What a
person did with the clusters since then, and has not undone, decides what the answer says today. A
later word counts over an earlier answer:

- *move* into the cluster: the image belongs, whatever was answered before.
- *not* in the cluster: it does not belong, whatever was answered before.

and where the cluster became another one, the answer is about what it was:

- *merge*: a yes about a part is a yes about the whole. A no about a part says nothing of the whole,
  since the image may be of another part: it does not count, and the image is drawn again, before
  others, since a sample that has lost its noes and kept its yeses would look too pure.
- *split*: neither a yes nor a no about the whole says anything of a part, the one that keeps the
  id included: "not one of these" may have been said of those that are a cluster of their own now.
- *retire*: what was said of the cluster is kept, and counts nowhere.
- *undo* of one of these: answers from before it count as they did. Those that were given in between
  are treated as by the opposite: undoing a merge is a split, undoing a split is a merge.
- *recluster*, also with another embedder or space: an id is given on to the cluster that continues
  it, so an answer counts for as long as the image is in the cluster of that id. That a recluster
  put two clusters together is no person's word: a yes about the one that went is not carried over.

The clusterings are a tree: each has the one it was made of as its parent, and an undo goes back to
the parent. The way through it from the clustering of the answer to the one in force passes exactly
what happened and was not undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from organizer.store import Answer, SampleKind, Store, StoredClustering
from organizer.types import Decision, DecisionKind

ImageInCluster = tuple[str, int]


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """What an answer says of the clusters of now.

    Attributes:
        pair: The image and the cluster; None where it says nothing of them any more.
        belongs: Whether the image is of that cluster.
        whole: Where it says nothing because of a merge, what the cluster became.
    """

    pair: ImageInCluster | None
    belongs: bool
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """What holds after all answers.

    Attributes:
        belongs: By image and cluster; the last word.
        number: The number of that answer.
        at_random: Which of these were drawn at random, then or another time.
        reopened: Images that were drawn at random and said not to be of a cluster that was merged
            since, with what that became, and not answered again.
    """

    belongs: dict[ImageInCluster, bool] = field(default_factory=dict)
    number: dict[ImageInCluster, int] = field(default_factory=dict)
    at_random: set[ImageInCluster] = field(default_factory=set)
    reopened: set[ImageInCluster] = field(default_factory=set)


def answer_summary(store: Store) -> AnswerSummary:
    """What all answers say of the clusters of now."""
    return _summed(store.answers.all(), AnswerTranslator(store))


def _summed(answers: Iterable[Answer], today: AnswerTranslator) -> AnswerSummary:
    found = AnswerSummary()
    for answer in answers:
        now = today(answer)
        is_random = answer.drawn is SampleKind.RANDOM
        if now.pair is not None:
            found.belongs[now.pair] = now.belongs
            found.number[now.pair] = answer.answer_id
            if is_random:
                found.at_random.add(now.pair)
                found.reopened.discard(now.pair)
        elif now.whole is not None and is_random:
            found.reopened.add((answer.image_id, now.whole))
    found.reopened.difference_update(found.at_random)
    return found


class AnswerTranslator:
    """What answers say of the clusters of now; call it with an answer."""

    def __init__(self, store: Store) -> None:
        current = store.clusterings.current()
        self._current = current.clustering_id if current is not None else 0
        self._clusterings = {c.clustering_id: c for c in store.clusterings.all()}
        self._decisions = {d.decision_id: d for d in store.decisions.all()}
        self._ways: dict[int, list[_Step]] = {}

    def __call__(self, answer: Answer) -> CurrentAnswer:
        """What an answer says now."""
        cluster_id, belongs = answer.cluster_id, answer.belongs
        whole: int | None = None
        for step in self._way(answer.clustering_id or self._current):
            if whole is not None:  # nothing any more, but what it is part of goes on
                whole, _ = step.taken(answer.image_id, whole, belongs=True)
                if whole is None:
                    break
                continue
            became, belongs = step.taken(answer.image_id, cluster_id, belongs=belongs)
            if became is None:
                whole = step.whole_of(cluster_id)
                if whole is None:
                    return CurrentAnswer(None, belongs)
            else:
                cluster_id = became
        else:
            if whole is None:
                return CurrentAnswer((answer.image_id, cluster_id), belongs)
        return CurrentAnswer(None, belongs, whole)

    def _way(self, start: int) -> list[_Step]:
        if start not in self._ways:
            self._ways[start] = self._steps(start)
        return self._ways[start]

    def _steps(self, start: int) -> list[_Step]:
        up, down = self._line(start), self._line(self._current)
        shared = set(up) & set(down)
        back = [i for i in up if i not in shared]
        forth = [i for i in reversed(down) if i not in shared]
        steps = [self._step(i, undone=True) for i in back]
        steps += [self._step(i, undone=False) for i in forth]
        return [step for step in steps if step is not None]

    def _line(self, clustering_id: int | None) -> list[int]:
        """A clustering and those that it was made of, the latest first."""
        line = []
        while clustering_id in self._clusterings:
            line.append(clustering_id)
            clustering_id = self._clusterings[clustering_id].parent_id
        return line

    def _step(self, clustering_id: int, *, undone: bool) -> _Step | None:
        made: StoredClustering = self._clusterings[clustering_id]
        decision = self._decisions.get(made.decision_id)
        return _Step(decision, undone) if decision is not None else None


@dataclass(frozen=True, slots=True)
class _Step:
    """A person's word that was carried out between an answer and now, or undone."""

    decision: Decision
    undone: bool

    def taken(self, image_id: str, cluster_id: int, *, belongs: bool) -> tuple[int | None, bool]:
        """The cluster that an answer is about after it, if any, and what it says."""
        kind = self.decision.kind
        if kind in {DecisionKind.MERGE, DecisionKind.SPLIT}:
            return self._remade(cluster_id, belongs=belongs), belongs
        if not self.undone and cluster_id == self.decision.cluster_id:
            if kind is DecisionKind.RETIRE:
                return None, belongs
            if image_id in self.decision.image_ids:
                belongs = {DecisionKind.MOVE: True, DecisionKind.NOT: False}.get(kind, belongs)
        return cluster_id, belongs

    def whole_of(self, cluster_id: int) -> int | None:
        """What a cluster went into, where several became one."""
        return self.decision.cluster_id if self._joins and cluster_id in self._parts else None

    @property
    def _joins(self) -> bool:
        joining = DecisionKind.SPLIT if self.undone else DecisionKind.MERGE
        return self.decision.kind is joining

    @property
    def _parts(self) -> set[int]:
        return {self.decision.cluster_id, *self.decision.others}

    def _remade(self, cluster_id: int, *, belongs: bool) -> int | None:
        if self._joins:
            whole = self.decision.cluster_id
            if cluster_id not in self._parts:
                return cluster_id
            return whole if belongs else None
        return None if cluster_id == self.decision.cluster_id else cluster_id


def new_answers(store: Store, answers: Iterable[Answer]) -> list[Answer]:
    """Answers that say what is not known yet."""
    earlier, today = store.answers.all(), AnswerTranslator(store)
    known = _summed(earlier, today)
    given = {_content(answer) for answer in earlier}
    unique = dict.fromkeys(answers)
    return [a for a in unique if not _is_known(a, today(a), known, given)]


def answers_never_given(store: Store, answers: Iterable[Answer]) -> list[Answer]:
    """Answers that were never written down, whatever was said later."""
    given = {_without_draw(answer) for answer in store.answers.all()}
    return [answer for answer in answers if _without_draw(answer) not in given]


def _is_known(answer: Answer, now: CurrentAnswer, known: AnswerSummary, given: set[Answer]) -> bool:
    if now.pair is None:
        return _content(answer) in given
    drawn_before = answer.drawn is not SampleKind.RANDOM or now.pair in known.at_random
    return drawn_before and known.belongs.get(now.pair) is now.belongs


def _content(answer: Answer) -> Answer:
    return replace(answer, answer_id=0)


def _without_draw(answer: Answer) -> tuple[str, int, bool]:
    return answer.image_id, answer.cluster_id, answer.belongs
