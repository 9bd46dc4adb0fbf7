"""Which images a contact sheet shows, and how they are linked to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organizer.library.reports import sheets
from organizer.library.reports.album import link_to
from organizer.types import NOISE, Assignments, ClusterModels, Labels


def _members(cluster_ids: Labels, *, seed: int = 0) -> Assignments:
    n = len(cluster_ids)
    draw = np.random.default_rng(seed)
    return Assignments(
        image_ids=np.array([f"i{row}" for row in range(n)], dtype=object),
        cluster_ids=cluster_ids,
        candidates=np.where(cluster_ids == NOISE, 1, cluster_ids),
        distances=draw.uniform(size=n).astype(np.float32),
        margins=draw.uniform(size=n).astype(np.float32),
        states=np.where(cluster_ids == NOISE, "unsure", "auto").astype(object),
        since=np.zeros(n, dtype=np.int64),
    )


def _models(clusters: list[int], counts: list[int], medoids: list[str]) -> ClusterModels:
    m = len(clusters)
    return ClusterModels(
        cluster_ids=np.array(clusters),
        mode_ids=np.arange(m),
        means=np.zeros((m, 2)),
        counts=np.array(counts),
        distance_means=np.zeros(m),
        distance_m2s=np.zeros(m),
        fit_means=np.zeros(m),
        fit_deviations=np.zeros(m),
        medoids=tuple(medoids),
        origins=("recluster",) * m,
    )


def test_a_sheet_is_the_medoid_the_nearest_and_of_the_rest_those_at_the_border() -> None:
    members = _members(np.repeat([3, 8], 30))
    found = sheets.choose_sheet_images(members, _models([3, 8], [30, 30], ["i7", "i50"]))
    assert list(found) == [3, 8]
    for cluster_id, medoid in ((3, 7), (8, 50)):
        mine = np.flatnonzero(members.cluster_ids == cluster_id)
        by_distance = [row for row in mine[np.argsort(members.distances[mine])] if row != medoid]
        typical = [medoid, *by_distance[:9]]
        assert found[cluster_id].typical.tolist() == typical
        rest = [row for row in mine if row not in typical]
        by_margin = sorted(rest, key=lambda row: members.margins[row])
        assert found[cluster_id].border.tolist() == by_margin[:6]


def test_a_cluster_of_one_has_a_sheet_of_one() -> None:
    found = sheets.choose_sheet_images(_members(np.array([5])), _models([5], [1], ["i0"]))
    assert found[5].typical.tolist() == [0]
    assert found[5].border.tolist() == []


def test_of_several_modes_the_largest_gives_the_medoid() -> None:
    members = _members(np.repeat(2, 20))
    found = sheets.choose_sheet_images(members, _models([2, 2, 2], [4, 15, 1], ["i1", "i9", "i3"]))
    assert found[2].typical[0] == 9


def test_a_medoid_that_left_its_cluster_is_not_shown_in_it() -> None:
    members = _members(np.repeat([1, 2], 15))
    found = sheets.choose_sheet_images(members, _models([1, 2], [15, 15], ["i20", "i21"]))
    assert 20 not in found[1].typical
    assert len(found[1].typical) == 10


def test_the_largest_clusters_have_sheets() -> None:
    sizes = [1 + i % 7 for i in range(sheets.SHEETS + 40)]
    members = _members(np.repeat(np.arange(len(sizes)), sizes))
    found = sheets.choose_sheet_images(
        members, _models(list(range(len(sizes))), sizes, ["x"] * len(sizes))
    )
    assert len(found) == sheets.SHEETS
    shown = {sizes[i] for i in found}
    assert min(shown) >= max(sizes[i] for i in set(range(len(sizes))) - set(found))


def test_unassigned_images_are_shown_at_random() -> None:
    members = _members(np.concatenate([np.full(500, NOISE), np.full(50, 4)]))
    found = sheets.sample_unassigned(members, seed=1)
    assert len(set(found.tolist())) == sheets.UNASSIGNED_PICTURES
    assert (members.cluster_ids[found] == NOISE).all()
    assert found.max() > 250
    np.testing.assert_array_equal(found, sheets.sample_unassigned(members, seed=1))
    few = _members(np.array([NOISE, 1, NOISE]))
    assert sheets.sample_unassigned(few, seed=1).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("file", "folder", "link"),
    [
        ("/home/ada/photos/a.jpg", "/home/ada", "photos/a.jpg"),
        ("/home/ada/photos/a.jpg", "/home/ada/reports", "../photos/a.jpg"),
        ("/media/card/a.jpg", "/home/ada", "file:///media/card/a.jpg"),
        ("/home/ada/javascript:alert(1).jpg", "/home/ada", "javascript%3Aalert%281%29.jpg"),
        ("/home/ada/50% #1?.jpg", "/home/ada", "50%25%20%231%3F.jpg"),
        ("/home/ada/\udcff é.jpg", "/home/ada", "%FF%20%C3%A9.jpg"),
    ],
)
def test_a_link_is_relative_where_the_page_lies_near_the_photo(
    file: str, folder: str, link: str
) -> None:
    assert link_to(Path(file), Path(folder)) == link
