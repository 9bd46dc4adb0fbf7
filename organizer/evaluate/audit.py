"""How pure clusters are, estimated from the images that a person looked at.

A cluster is a stratum. Its images are drawn at random without replacement, so that what was seen is
known and only the rest is estimated. What is estimated is how many images are where they belong
*now*: an image that was drawn, found wrong and taken out by the person is still a draw. Leaving
it out would make every cluster look pure whose sample was put right; the images that nobody looked
at are as they were.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import Audit, Proportion

Z = 1.959963984540054
"""Of the normal distribution: 95% lie within."""

FEW = 3
"""Images of each cluster that are looked at before any cluster gets more."""

_BORROWED = 8.0
"""Answers of the whole that count in the variance of each cluster, beside its own. Three answers
of yes do not make a cluster pure. Of 2, 4 and 8, which were tried, 8 is the least that keeps the
interval's promise where a large cluster has few answers; see `estimate_purity`."""


@dataclass(frozen=True, slots=True)
class AuditStratum:
    """A person's answers about the images of a cluster that were drawn at random.

    Attributes:
        cluster_id: The cluster.
        size: Its images now.
        answered: Images that were drawn and answered; those that were taken out since included.
        right: Of these, how many belong to it.
        taken_out: Of these, how many do not and were therefore taken out.
    """

    cluster_id: int
    size: int
    answered: int
    right: int
    taken_out: int = 0

    def __post_init__(self) -> None:
        inside = self.answered - self.taken_out
        if not 0 <= self.right <= inside <= self.size or self.taken_out < 0:
            raise ValueError(f"an impossible stratum: {self}")

    @property
    def population(self) -> int:
        """The images that were drawn from."""
        return self.size + self.taken_out


def wilson(right: int, answered: int, *, population: int | None = None) -> Proportion:
    """A share of which a sample is known, with the 95% score interval of Wilson (1927).

    The finite population correction makes the sample count as ``n (N - 1) / (N - n)`` answers
    (the variance of a draw without replacement, Cochran 1977, chapter 3), and no end of the
    interval contradicts what was seen. Of a population that was seen whole, nothing is
    uncertain.

    Args:
        right: Answers of yes.
        answered: Answers, at least one.
        population: What was drawn from, without replacement; None where it has no end.

    Raises:
        ValueError: The numbers contradict each other.
    """
    whole = math.inf if population is None else float(population)
    if not 0 <= right <= answered <= whole or answered < 1:
        raise ValueError(f"{right} right of {answered} answered of {population}")
    share = right / answered
    low, high = _interval(share, _effective(answered, whole))
    low = max(low, right / whole)
    high = min(high, 1 - (answered - right) / whole)
    return Proportion(share, min(low, share), max(high, share), answered, right)


def estimate_purity(strata: Sequence[AuditStratum]) -> Audit | None:
    """The purity of each cluster and of all, with their 95% intervals.

    Of a cluster: `wilson` of what was drawn from (the images now, and those taken out), then
    applied to the images now, of which as many are right.

    Of all: each cluster counts by its size (the stratified estimator, Cochran 1977, chapter 5). Its
    interval is Wilson's on the effective sample size (Kish 1965; Korn and Graubard 1998 for
    proportions), ``P (1 - P) / V`` with ``V = sum W^2 p (1 - p) / n*``, W the cluster's weight and
    n* its answers with the finite population correction. In V, and only there, the p of a cluster
    is drawn to the whole as if 8 answers more had the share of the whole: a variance from three
    answers is none. The interval of Yan and Su (2010) was tried and holds far less than its 95%
    where many clusters have few answers each.

    Args:
        strata: All clusters, also those without answers.

    Returns:
        None where nothing was answered.
    """
    seen = [stratum for stratum in strata if stratum.answered and stratum.size]
    if not seen:
        return None
    return Audit(
        overall=_overall(seen),
        per_cluster={stratum.cluster_id: _remaining(stratum) for stratum in seen},
        unseen=sum(stratum.size for stratum in strata if not stratum.answered),
    )


def allocate_sample(
    sizes: Mapping[int, int], answered: Mapping[int, int], number: int
) -> dict[int, int]:
    """How many images of each cluster to look at.

    First every cluster gets one, then every cluster a second, then a third, the largest first; the
    others go where they make the estimate surest: to the cluster with the highest
    ``N / sqrt(n (n + 1))`` (Wright 2012: with equal deviations this is the optimal allocation in
    whole numbers; it is proportional to size). Images that were answered before count, so that
    one review after the other comes to the same as one large one.

    Args:
        sizes: Images of each cluster.
        answered: Of these, how many were drawn and answered before; none where it is left out.
        number: Images to draw.

    Returns:
        Images to draw of each cluster, only of those of which some are drawn.
    """
    have = {cluster_id: answered.get(cluster_id, 0) for cluster_id in sizes}
    queue = [(_turn(sizes[i], have[i]), i) for i in sizes if have[i] < sizes[i]]
    heapq.heapify(queue)
    drawn: dict[int, int] = {}
    while queue and number > 0:
        _, cluster_id = heapq.heappop(queue)
        drawn[cluster_id] = drawn.get(cluster_id, 0) + 1
        have[cluster_id] += 1
        number -= 1
        if have[cluster_id] < sizes[cluster_id]:
            heapq.heappush(queue, (_turn(sizes[cluster_id], have[cluster_id]), cluster_id))
    return drawn


def in_random_order(image_ids: Sequence[str], *, seed: int) -> list[str]:
    """Images in an order that depends on nothing but each image and the seed.

    Each image has a number of its own for ever (permanent random numbers, Ohlsson 1995), so that
    images that come later take their place among those that were drawn before, and the first n are
    a random sample of all.
    """
    return sorted(image_ids, key=lambda image_id: (_number_of(image_id, seed), image_id))


def _turn(size: int, have: int) -> tuple[int, float]:
    """The lowest is next: by round while there are too few, then by Wright's priority."""
    if have < FEW:
        return (have, -size)
    return (FEW, -size / math.sqrt(have * (have + 1)))


def _number_of(image_id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{image_id}".encode(), digest_size=8).digest()


def _remaining(stratum: AuditStratum) -> Proportion:
    """The share among all that was drawn from, applied to the images that are left."""
    found = wilson(stratum.right, stratum.answered, population=stratum.population)
    return _rescaled(found, stratum.population, stratum.size)


def _rescaled(found: Proportion, population: int, size: int) -> Proportion:
    """The same number of right images, among fewer."""
    factor = population / size
    share, low, high = (min(1.0, end * factor) for end in (found.share, found.low, found.high))
    return Proportion(share, low, high, found.answered, found.right)


def _overall(strata: Sequence[AuditStratum]) -> Proportion:
    right = np.array([s.right for s in strata], dtype=np.float64)
    answered = np.array([s.answered for s in strata], dtype=np.float64)
    population = np.array([s.population for s in strata], dtype=np.float64)
    whole, total = float(population.sum()), int(answered.sum())
    weights = population / whole
    share = min(1.0, float(weights @ (right / answered)))
    low, high = _interval(share, _effective_of_all(weights, right, answered, population))
    low = max(low, float(right.sum()) / whole)
    high = min(high, 1 - float((answered - right).sum()) / whole)
    found = Proportion(share, min(low, share), max(high, share), total, int(right.sum()))
    return _rescaled(found, int(whole), sum(s.size for s in strata))


def _effective_of_all(
    weights: NDArray[np.float64],
    right: NDArray[np.float64],
    answered: NDArray[np.float64],
    population: NDArray[np.float64],
) -> float:
    """Answers of a simple random sample that would be as precise."""
    pairs = zip(answered.tolist(), population.tolist(), strict=True)
    effective = np.array([_effective(n, whole) for n, whole in pairs])
    parts = weights**2 / effective
    if not parts.any():
        return math.inf
    unclustered = 1 / float(parts.sum())
    share = float(weights @ (right / answered))
    # Wilson's own centre: away from 0 and 1, where a variance would be nothing.
    centre = (share * unclustered + Z**2 / 2) / (unclustered + Z**2)
    smooth = (right + _BORROWED * centre) / (answered + _BORROWED)
    mean = float(weights @ smooth)
    return mean * (1 - mean) / float(parts @ (smooth * (1 - smooth)))


def _effective(answered: float, population: float) -> float:
    if answered >= population:
        return math.inf
    if math.isinf(population):
        return float(answered)
    return answered * (population - 1) / (population - answered)


def _interval(share: float, effective: float) -> tuple[float, float]:
    """Wilson's score interval."""
    if math.isinf(effective):
        return share, share
    square = Z**2 / effective
    centre = (share + square / 2) / (1 + square)
    spread = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, centre - spread), min(1.0, centre + spread)
