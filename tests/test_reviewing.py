"""Reviews: what is drawn, what is stored, and the purity of the clusters that follows."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from organizer.errors import ClusteringError, SettingsError
from organizer.evaluate.audit import in_random_order, wilson
from organizer.library import Library
from organizer.library.review import disagreements
from organizer.library.review.sample import ReviewItem
from organizer.store import Answer, SampleKind
from tests.cards import blobs, cluster_of, fill, ids_of, ingest, library_at, members, where

SIZES = [40, 20, 10, 2]
GROUPS = [ids_of(range(40)), ids_of(range(40, 60)), ids_of(range(60, 70)), ids_of(range(70, 72))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clusters of 40, 20, 10 and 2 images."""
    home = tmp_path_factory.mktemp("made")
    with library_at(home) as found:
        fill(found, ids_of(range(72)), blobs(SIZES))
        found.recluster(k=4, reduce="none")
        for group in GROUPS:
            assert Counter(where(found).values())[cluster_of(found, group)] == len(group)
    return home


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with library_at(tmp_path) as found:
        yield found


def answer(library: Library, items: Iterable[ReviewItem], wrong: Iterable[str] = ()) -> int:
    """Answer about images: no for some, yes for the others."""
    rejected = set(wrong)
    return library.review.answer(
        [item.answer(belongs=item.image_id not in rejected) for item in items]
    )


def ids(items: Iterable[ReviewItem]) -> list[str]:
    return [item.image_id for item in items]


# The sample ----------------------------------------------------------------------------------


def test_a_sample_is_drawn_from_each_cluster_by_its_size(library: Library) -> None:
    items = library.review.sample(36)
    at = where(library)
    assert all(at[item.image_id] == item.cluster_id for item in items)
    assert len(set(ids(items))) == 36
    counts = Counter(item.cluster_id for item in items)
    drawn = [counts[cluster_of(library, group)] for group in GROUPS]
    assert drawn[3] == 2
    assert drawn[0] == pytest.approx(19, abs=1)
    assert drawn[1] == pytest.approx(10, abs=1)
    assert sum(drawn) == 36
    # Cluster by cluster, the largest first.
    order = list(dict.fromkeys(item.cluster_id for item in items))
    assert order == [cluster_of(library, group) for group in GROUPS]


def test_the_seed_decides_who_is_drawn(library: Library, tmp_path: Path) -> None:
    again = ids(library.review.sample(20))
    assert ids(library.review.sample(20)) == again
    other = library_at(tmp_path, seed=1)
    assert set(ids(other.review.sample(20))) != set(again)


def test_what_is_typical_is_shown_and_not_the_image_itself(library: Library) -> None:
    found = {summary.cluster_id: summary.medoid for summary in library.clusters.summaries()}
    for item in library.review.sample(72):
        assert item.path.stem == item.image_id
        assert item.path not in item.typical
        assert len(item.typical) == (1 if item.image_id in GROUPS[3] else 3)
        if found[item.cluster_id] != item.path:
            assert item.typical[0] == found[item.cluster_id]


def test_nobody_is_asked_twice(library: Library) -> None:
    first = library.review.sample(20)
    assert answer(library, first) == 20
    second = library.review.sample(1_000)
    assert len(second) == 52
    assert not set(ids(first)) & set(ids(second))
    answer(library, second)
    assert library.review.sample(5) == []


def test_a_skipped_image_comes_first_the_next_time(library: Library) -> None:
    first = library.review.sample(12)
    answer(library, first[1:])
    assert first[0].image_id in ids(library.review.sample(4))


def test_one_cluster_alone(library: Library) -> None:
    small = cluster_of(library, GROUPS[3])
    items = library.review.sample(50, cluster_ids=[small])
    assert set(ids(items)) == set(GROUPS[3])
    with pytest.raises(SettingsError, match="there is no cluster 99"):
        library.review.sample(5, cluster_ids=[99])


def test_images_that_come_later_are_drawn_as_if_they_had_been_there(library: Library) -> None:
    answer(library, library.review.sample(30))
    ingest(library, ids_of(range(100, 160)), blobs([60], seed=5))
    one = cluster_of(library, GROUPS[0])
    assert Counter(where(library).values())[one] > 90
    items = library.review.sample(40, cluster_ids=[one])
    said = {answer.image_id for answer in library.store.answers.all() if answer.cluster_id == one}
    drawn = said | set(ids(items))
    everyone = [i for i, c in where(library).items() if c == one]
    wanted = in_random_order(everyone, seed=0)[: len(drawn)]
    assert drawn == set(wanted)


# Purity --------------------------------------------------------------------------------------


def test_purity_is_that_of_the_random_draw(library: Library) -> None:
    assert library.review.audit() is None
    one = cluster_of(library, GROUPS[0])
    items = library.review.sample(10, cluster_ids=[one])
    answer(library, items, wrong=ids(items)[:2])
    audit = library.review.audit()
    assert audit is not None
    assert audit.per_cluster == {one: wilson(8, 10, population=40)}
    assert audit.unseen == 32
    assert audit.overall.share == pytest.approx(0.8)


def test_the_last_answer_counts(library: Library) -> None:
    item = library.review.sample(1)[0]
    for belongs in (True, False, True, False):
        assert library.review.answer([item.answer(belongs=belongs)]) == 1
        audit = library.review.audit()
        assert audit is not None
        assert (audit.overall.answered, audit.overall.right) == (1, int(belongs))
    assert library.review.answer([item.answer(belongs=False)]) == 0


def test_an_answer_counts_only_while_the_image_is_in_that_cluster(library: Library) -> None:
    one, other = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    items = library.review.sample(10, cluster_ids=[one])
    answer(library, items)
    library.corrections.move([items[0].image_id], other)
    audit = library.review.audit()
    assert audit is not None
    assert {i: p.answered for i, p in audit.per_cluster.items()} == {one: 9}
    # It was not answered for the cluster that it is in now.
    assert items[0].image_id in ids(library.review.sample(100, cluster_ids=[other]))
    library.undo()
    audit = library.review.audit()
    assert audit is not None
    assert audit.per_cluster[one].answered == 10


def test_after_a_merge_the_answers_about_what_is_no_more_do_not_count(library: Library) -> None:
    one, other = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    answer(library, library.review.sample(30))
    library.corrections.merge([one, other])
    audit = library.review.audit()
    assert audit is not None
    assert other not in audit.per_cluster


@pytest.mark.parametrize("way", ["correct", "not", "move"])
def test_a_corrected_cluster_is_not_taken_for_pure(library: Library, way: str) -> None:
    one, other = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    items = library.review.sample(10, cluster_ids=[one])
    wrong = ids(items)[:4]
    answer(library, items, wrong=wrong)
    if way == "correct":
        (report,) = library.review.correct()
        assert set(report.decision.image_ids) == set(wrong)
    elif way == "not":
        library.corrections.exclude(wrong, one)
    else:
        library.corrections.move(wrong, other)
    at = where(library)
    assert all(at[i] != one for i in wrong)
    audit = library.review.audit()
    assert audit is not None
    # 24 of 40 are right; they still are, among 36. The six that were seen and stay are all right.
    assert audit.per_cluster[one].share == pytest.approx(24 / 36)
    assert audit.per_cluster[one].high < 1
    assert (audit.per_cluster[one].answered, audit.per_cluster[one].right) == (10, 6)
    assert library.review.correct() == []


def test_undo_of_a_correction_brings_the_former_purity_back(library: Library) -> None:
    items = library.review.sample(30)
    answer(library, items, wrong=ids(items)[:3])
    before = library.review.audit()
    reports = library.review.correct()
    assert library.review.audit() != before
    for _ in reports:
        library.undo()
    assert library.review.audit() == before


def test_without_a_clustering_there_is_nothing_to_review(tmp_path: Path) -> None:
    empty = library_at(tmp_path)
    fill(empty, ids_of(range(10)), blobs([10]))
    assert empty.review.audit() is None
    for ask in (empty.review.sample, empty.review.doubtful, empty.review.correct):
        with pytest.raises(ClusteringError, match="no clusters yet"):
            ask()


def test_a_cluster_of_one_and_a_library_of_one_cluster(tmp_path: Path) -> None:
    small = library_at(tmp_path)
    fill(small, ids_of(range(3)), blobs([2, 1]))
    small.recluster(k=2, reduce="none")
    items = small.review.sample(10)
    assert sorted(len(item.typical) for item in items) == [0, 1, 1]
    assert small.review.doubtful() == []
    answer(small, items)
    audit = small.review.audit()
    assert audit is not None
    assert (audit.overall.share, audit.overall.low, audit.overall.high) == (1, 1, 1)


def test_many_answers_one_by_one_stay_few_files(library: Library) -> None:
    files = len(list(library.store.path.rglob("*")))
    items = library.review.sample(26)
    for item in items:
        library.review.answer([item.answer(belongs=item.cluster_id % 2 == 0)])
    answers = library.store.answers.all()
    assert [answer.image_id for answer in answers] == ids(items)
    assert len(list(library.store.path.rglob("*"))) <= files + 1, "but for SQLite's own journal"


# The doubtful --------------------------------------------------------------------------------


@pytest.fixture
def mixed(library: Library) -> tuple[Library, list[str]]:
    """Three images of the first group put into the second cluster by hand."""
    strays = GROUPS[0][3:6]
    library.corrections.move(strays, cluster_of(library, GROUPS[1]))
    return library, strays


def test_the_images_among_others_come_first(mixed: tuple[Library, list[str]]) -> None:
    library, strays = mixed
    one, other = cluster_of(library, GROUPS[0][6:]), cluster_of(library, GROUPS[1])
    items = library.review.doubtful(50)
    assert set(ids(items)) == set(strays)
    found = {item.image_id: item for item in items}
    for image_id in strays:
        assert (found[image_id].cluster_id, found[image_id].other_id) == (other, one)
        assert found[image_id].drawn is SampleKind.DOUBTFUL
    shares = [item.disagreeing or 0 for item in items]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.6
    assert ids(library.review.doubtful(2)) == ids(items)[:2]
    assert library.review.doubtful(50, cluster_ids=[one]) == []


def test_answers_about_doubtful_images_say_nothing_of_the_others(
    mixed: tuple[Library, list[str]],
) -> None:
    library, _ = mixed
    other = cluster_of(library, GROUPS[1])
    doubtful = library.review.doubtful(50, cluster_ids=[other])
    answer(library, doubtful, wrong=ids(doubtful))
    assert library.review.audit() is None
    items = library.review.sample(4, cluster_ids=[other])
    answer(library, [item for item in items if item.belongs is None])
    audit = library.review.audit()
    assert audit is not None
    assert audit.overall.share == 1
    assert not set(ids(doubtful)) & set(ids(library.review.doubtful(50)))


def test_a_doubtful_image_is_as_likely_to_be_drawn_as_any_other(
    mixed: tuple[Library, list[str]],
) -> None:
    library, strays = mixed
    other = cluster_of(library, GROUPS[1])
    untouched = ids(library.review.sample(23, cluster_ids=[other]))
    doubtful = library.review.doubtful(50, cluster_ids=[other])
    answer(library, doubtful, wrong=strays)
    items = library.review.sample(23, cluster_ids=[other])
    # Left out, they would make the cluster item purer than it is; what was said is known.
    assert ids(items) == untouched
    assert {item.image_id for item in items if item.belongs is False} == set(strays)
    answer(library, items, wrong=strays)
    audit = library.review.audit()
    assert audit is not None
    assert audit.overall.share == pytest.approx(20 / 23)


def test_of_very_many_the_least_sure_are_looked_up(
    mixed: tuple[Library, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, _ = mixed
    monkeypatch.setattr(disagreements, "ALL_UP_TO", 50)
    monkeypatch.setattr(disagreements, "_LEAST_SURE", 5)
    found = members(library)
    least = found.image_ids[np.argsort(found.margins, kind="stable")[:5]]
    assert set(ids(library.review.doubtful(50))) <= set(least)


def test_what_is_known_is_not_written_again(library: Library) -> None:
    item = library.review.sample(1)[0]
    by_doubt = Answer(item.image_id, item.cluster_id, True, SampleKind.DOUBTFUL)
    assert library.review.answer([by_doubt]) == 1
    assert library.review.audit() is None
    assert library.review.answer([item.answer(belongs=True)]) == 1
    assert library.review.answer([item.answer(belongs=True), by_doubt]) == 0
    assert library.store.answers.count() == 2
    assert library.review.audit() is not None
