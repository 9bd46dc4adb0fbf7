"""What a clustering goes with, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.evaluate.explain import CaptureFactors, explain_clusters
from organizer.types import NOISE, Explanation, Factor, Labels


def _taken(
    n: int,
    *,
    cameras: Sequence[int] | Labels | None = None,
    infrared: Sequence[int] | Labels | None = None,
    bursts: Sequence[int] | Labels | None = None,
    brightness: Sequence[float] | NDArray[np.float64] | None = None,
) -> CaptureFactors:
    unknown = np.full(n, NOISE)
    return CaptureFactors(
        cameras=np.array(unknown if cameras is None else cameras, dtype=np.int64),
        camera_names=["North", "South", "East"],
        infrared=np.array(unknown if infrared is None else infrared, dtype=np.int64),
        bursts=np.array(unknown if bursts is None else bursts, dtype=np.int64),
        brightness=np.array(
            np.full(n, np.nan) if brightness is None else brightness, dtype=np.float64
        ),
    )


def _factor(found: Explanation, name: str) -> Factor:
    return next(factor for factor in found.factors if factor.name == name)


def _text(found: Explanation, cluster_id: int) -> str:
    return next((r.text for r in found.reasons if r.cluster_id == cluster_id), "")


def _doubtful(found: Explanation) -> set[int]:
    return {reason.cluster_id for reason in found.reasons if reason.is_doubtful}


# Factors -------------------------------------------------------------------------------------


def test_clusters_that_are_the_cameras_are_wholly_explained_by_them() -> None:
    labels = np.repeat([4, 9, 11], 30)
    found = explain_clusters(labels, _taken(90, cameras=np.repeat([0, 1, 2], 30)))
    camera = _factor(found, "camera")
    assert camera.nmi == pytest.approx(1)
    assert camera.by_chance < 0.1
    assert (camera.groups, camera.known) == (3, 90)


def test_a_factor_is_the_nmi_of_scikit_learn_on_the_images_of_which_it_is_known() -> None:
    from sklearn.metrics import normalized_mutual_info_score

    draw = np.random.default_rng(0)
    labels, cameras = draw.integers(0, 4, 200), draw.integers(-1, 3, 200)
    labels[:20] = NOISE
    known = (cameras != NOISE) & (labels != NOISE)
    camera = _factor(explain_clusters(labels, _taken(200, cameras=cameras)), "camera")
    wanted = normalized_mutual_info_score(cameras[known], labels[known])
    assert camera.nmi == pytest.approx(wanted)
    assert camera.known == known.sum()


def test_many_small_bursts_reach_by_chance_what_they_reach() -> None:
    labels = np.random.default_rng(0).integers(0, 5, 400)
    burst = _factor(explain_clusters(labels, _taken(400, bursts=np.arange(400) // 2)), "burst")
    assert burst.nmi > 0.3
    assert burst.nmi == pytest.approx(burst.by_chance, abs=0.03)


def test_a_burst_of_one_photo_tells_nothing() -> None:
    bursts = np.array([0, 0, 1, 2, 3, 3, 4])
    burst = _factor(
        explain_clusters(np.array([1, 1, 1, 2, 2, 2, 2]), _taken(7, bursts=bursts)), "burst"
    )
    assert (burst.groups, burst.known) == (2, 4)


def test_brightness_that_the_clusters_follow_is_found() -> None:
    brightness = np.linspace(0, 1, 100)
    found = explain_clusters(np.repeat([0, 1], 50), _taken(100, brightness=brightness))
    assert _factor(found, "brightness").nmi > 5 * _factor(found, "brightness").by_chance


def test_one_camera_for_all_explains_nothing() -> None:
    found = explain_clusters(np.repeat([0, 1], 20), _taken(40, cameras=[0] * 40))
    assert _factor(found, "camera") == Factor("camera", 0.0, 0.0, 1, 40)
    assert found.reasons == ()


def test_what_is_not_known_is_listed_and_left_out() -> None:
    found = explain_clusters(np.repeat([0, 1], 20), _taken(40))
    assert found.factors == ()
    assert len(found.unknown) == 4
    assert "no photo tells its camera" in found.unknown


def test_unassigned_images_do_not_count() -> None:
    labels = np.repeat([0, 1, NOISE], 20)
    found = explain_clusters(labels, _taken(60, cameras=np.repeat([0, 1, 2], 20)))
    assert _factor(found, "camera").groups == 2


def test_without_images_nothing_is_explained() -> None:
    empty = np.empty(0, dtype=np.int64)
    assert explain_clusters(empty, _taken(0)) == Explanation((), (), ())
    assert explain_clusters(np.full(3, NOISE), _taken(3, cameras=[0, 1, 2])).factors == ()


# Sentences -----------------------------------------------------------------------------------


def test_clusters_that_share_out_a_camera_may_be_the_place() -> None:
    # North is split into two clusters of its own; South and East share the third.
    labels = np.repeat([1, 2, 3], [20, 20, 60])
    cameras = np.concatenate([np.zeros(40), np.repeat([1, 2], 30)]).astype(np.int64)
    taken = _taken(100, cameras=cameras, infrared=np.repeat([1, 0], [20, 80]))
    found = explain_clusters(labels, taken)
    assert _text(found, 1) == "100% of one camera (North) in infrared: may be the place: look"
    assert "in colour: may be the place" in _text(found, 2)
    assert _text(found, 3) == ""
    assert _doubtful(found) == set()
    named = explain_clusters(labels, taken, known={1})
    assert _text(named, 1).endswith(": the other cameras do not see it")
    assert "may be the place" in _text(named, 2)


def test_cards_with_one_species_a_camera_are_not_doubted() -> None:
    labels = np.repeat([1, 2, 3], 20)
    found = explain_clusters(labels, _taken(60, cameras=np.repeat([0, 1, 2], 20)))
    assert _doubtful(found) == set()
    assert {"place" in reason.text for reason in found.reasons} == {True}
    known = explain_clusters(labels, _taken(60, cameras=np.repeat([0, 1, 2], 20)), known={1, 2, 3})
    assert {"place" in reason.text for reason in known.reasons} == {False}


def test_an_animal_that_one_camera_sees_is_no_place() -> None:
    # North has 40 photos; 12 of them are the only ones of their kind.
    labels = np.concatenate([np.repeat(1, 12), np.repeat(2, 28), np.repeat(2, 60)])
    cameras = np.repeat([0, 1], [40, 60])
    found = explain_clusters(labels, _taken(100, cameras=cameras))
    assert _doubtful(found) == set()
    assert _text(found, 1) == "100% of one camera (North): the other cameras do not see it"


def test_what_is_so_everywhere_does_not_describe_a_cluster() -> None:
    labels = np.repeat([1, 2], 50)
    infrared = np.ones(100, dtype=np.int64)
    cameras = np.repeat([0, 1], [90, 10])
    found = explain_clusters(labels, _taken(100, cameras=cameras, infrared=infrared))
    assert _text(found, 1) == ""


def test_infrared_alone_does_not_make_a_cluster_doubtful() -> None:
    labels = np.repeat([1, 2, 3], 20)
    infrared = np.repeat([1, 0], [20, 40])
    found = explain_clusters(labels, _taken(60, infrared=infrared))
    assert _text(found, 1) == "100% infrared"
    assert _doubtful(found) == set()


def test_a_cluster_of_one_burst_is_a_visit() -> None:
    labels = np.repeat([1, 2], 20)
    found = explain_clusters(labels, _taken(40, bursts=[7] * 20 + list(range(8, 28))))
    assert _text(found, 1).startswith("100% of one burst: a visit")
    assert _doubtful(found) == {1}
    half = explain_clusters(labels, _taken(40, bursts=[7] * 12 + list(range(8, 36))))
    assert _text(half, 1).startswith("60% of one burst")
    assert _doubtful(half) == set()


def test_a_cluster_of_the_darkest_images_is_an_exposure() -> None:
    brightness = np.concatenate([np.linspace(0, 0.05, 10), np.linspace(0.3, 0.6, 90)])
    found = explain_clusters(np.repeat([5, 6], [10, 90]), _taken(100, brightness=brightness))
    assert "darkest tenth" in _text(found, 5)
    assert _doubtful(found) == {5}


def test_a_cluster_of_four_images_is_not_described() -> None:
    labels = np.repeat([1, 2], [4, 40])
    found = explain_clusters(labels, _taken(44, cameras=np.repeat([0, 1], [4, 40])))
    assert _text(found, 1) == ""
