"""Three lines about a number of clusters: which and why, against which, how sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from organizer.cli.recluster_output import evidence_lines
from organizer.cluster.choose_k import CLEAR_SILHOUETTE, WEAK, KChoice
from organizer.types import Candidate


def _choice(
    best: float,
    second: float | None,
    *,
    stability: float | None = 1.0,
    clear_from: float = CLEAR_SILHOUETTE,
) -> KChoice:
    found = [Candidate(4, best, 1.0, chosen=True, stability=stability)]
    if second is not None:
        found.append(Candidate(5, second, 0.8, second=True, stability=0.9))
    clear = best >= clear_from and (stability is None or stability >= 0.8)
    k2 = 5 if second is not None else None
    return KChoice(tuple(found), 4, k2, clear, "the largest silhouette", clear_from)


def test_what_was_chosen_stands_beside_the_second_best() -> None:
    first, scores, doubt = evidence_lines(_choice(0.91, 0.7))
    assert first == "k = 4 (4 to 5 tried): the largest silhouette"
    assert scores == (
        "silhouette (space) 0.910, second best 0.700 (k = 5); stability 1.000 and 0.900"
    )
    assert doubt.startswith("sure: ")


@pytest.mark.parametrize(
    ("choice", "doubt"),
    [
        (_choice(0.6, 0.3), "doubtful: a silhouette (space) below 0.65"),
        (_choice(0.6, 0.3, clear_from=WEAK), "sure: "),
        (_choice(0.9, 0.3, stability=0.5), "doubtful: a stability below 0.8"),
        (_choice(0.9, 0.895), "the clusters are clear; 5 are almost as good: --k 5 makes them"),
        (_choice(0.9, 0.3, stability=None), "the clusters are clear; too few images"),
    ],
)
def test_what_is_doubtful_is_said_as_the_program_judges_it(choice: KChoice, doubt: str) -> None:
    found = evidence_lines(choice)[2]
    assert found.startswith(doubt)
    assert found.startswith("doubtful") == (not choice.clear)


def test_one_number_alone_has_nothing_beside_it() -> None:
    first, scores, _ = evidence_lines(replace(_choice(0.9, None), rule="the elbow"))
    assert first == "k = 4 (no other tried): the elbow"
    assert scores == "silhouette (space) 0.900; stability 1.000"
