"""Bursts as one observation: in a recluster, in an ingest, and in a person's decisions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.errors import SettingsError
from organizer.identity import picture_hash
from organizer.library import Library
from organizer.library.ingest.assign import Assigner
from organizer.settings import Settings
from organizer.store import now
from organizer.types import NOISE, Decision, DecisionKind, StepKind
from tests.conftest import Run
from tests.traps import (
    BOAR,
    COLOUR,
    FOX,
    OWL,
    burst,
    bursts_of_two_kinds,
    frame,
    near,
    vectors_of,
    where,
)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Eight bursts of three frames: four of foxes, four of owls."""
    return bursts_of_two_kinds(tmp_path / "card")


@contextmanager
def opened(home: Path) -> Iterator[Library]:
    with Library.open_or_create(home, Settings()) as library:
        yield library


@pytest.fixture
def made(tmp_path: Path, card: Path) -> Iterator[Library]:
    """The card, clustered by bursts."""
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, bursts=True, reduce="none")
        yield library


def mean_of(library: Library, *names: str) -> NDArray[np.float64]:
    vectors = vectors_of(library)
    total = np.sum([vectors[name] for name in names], axis=0)
    return np.asarray(total / np.linalg.norm(total))


def three(name: str) -> list[str]:
    return [f"{name}-{i}" for i in range(3)]


# Recluster ------------------------------------------------------------------------------------


def test_bursts_are_what_is_clustered(typed: Run, card: Path) -> None:
    typed("ingest", card, "--embedder", COLOUR)
    told = typed("recluster", "--k", 2, "--bursts", "--reduce", "none", "--json").json
    assert (told["images"], told["observations"], told["bursts"]) == (24, 8, True)
    assert sorted(c["count"] for c in told["clusters"]) == [12, 12]
    plain = typed("recluster", "--k", 2, "--json").json
    assert (plain["observations"], plain["bursts"], plain["center"]) == (24, False, None)


def test_status_and_history_show_it_and_an_ingest_keeps_it(
    typed: Run, card: Path, tmp_path: Path
) -> None:
    typed("ingest", card, "--embedder", COLOUR)
    typed("recluster", "--k", 2, "--bursts", "--center", "camera")
    frame(card / "late.jpg", FOX, at="2024:05:02 10:00:00")
    assert typed("ingest", card, "--json").json["joined"] == 1
    status = typed("status", "--json").json
    assert (status["bursts"], status["center"]) == (True, "camera")
    assert "bursts as one, centred by camera" in typed("status").out
    assert "bursts as one, centred by camera" in typed("clusters", "history").out
    with opened(tmp_path) as library:
        assert len(where(library)) == 25


def test_centroids_and_distances_are_those_of_the_pooled_vectors(made: Library) -> None:
    """By hand: a mean for each burst, the mean of four of those, and the distance of the two."""
    pooled = {f"fox{i}": mean_of(made, *three(f"fox{i}")) for i in range(4)}
    mean = np.mean(list(pooled.values()), axis=0)
    at = where(made)
    current = made.store.clusterings.current()
    assert current is not None
    models = made.store.clusterings.models(current.clustering_id)
    row = models.cluster_ids.tolist().index(at["fox0-0"])
    assert models.counts[row] == 4
    assert models.means[row] == pytest.approx(mean, abs=2e-4)  # half precision is stored
    members = made.store.clusterings.assignments(current.clustering_id)
    files = made.store.photos.files_of()
    for image_id, distance in zip(members.image_ids, members.distances, strict=True):
        name = files[image_id][0].file.stem.partition("-")[0]
        if name in pooled:
            expected = 1 - pooled[name] @ mean / np.linalg.norm(mean)
            assert distance == pytest.approx(expected, abs=2e-4)


def halfway(share: float) -> tuple[int, int, int]:
    a, b = np.array(FOX), np.array(OWL)
    red, green, blue = (a + share * (b - a)).astype(int).tolist()
    return red, green, blue


def turning(folder: Path) -> Path:
    """Animals that turn: the frames of a burst differ, and one burst ends beyond the border."""
    for i in range(3):
        burst(folder, f"fox{i}", [halfway(s) for s in (0.0, 0.14, 0.28)], minute=20 * i)
        burst(folder, f"owl{i}", [halfway(s) for s in (1.0, 0.86, 0.72)], minute=20 * i + 10)
    return folder


def test_a_frame_beyond_the_border_goes_with_its_burst(tmp_path: Path) -> None:
    """By itself it is among the owls; the two others of its burst are foxes."""
    card = turning(tmp_path / "card")
    burst(card, "turning", [halfway(s) for s in (0.30, 0.44, 0.58)], minute=600)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, reduce="none")
        alone = where(library)
        assert alone["turning-2"] == alone["owl0-0"] != alone["turning-0"]
        library.recluster(k=2, reduce="none", bursts=True)
        at = where(library)
        assert {at[name] for name in three("turning")} == {at["fox0-0"]}


def test_another_animal_is_an_observation_of_its_own(tmp_path: Path, card: Path) -> None:
    burst(card, "two", [FOX, FOX, OWL, FOX], minute=600)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        report = library.recluster(k=2, reduce="none", bursts=True)
        assert report.observations == 8 + 2
        at = where(library)
        assert at["two-2"] == at["owl0-0"]
        assert {at["two-0"], at["two-1"], at["two-3"]} == {at["fox0-0"]}


def test_an_option_that_changes_nothing_is_noted(typed: Run, tmp_path: Path) -> None:
    for i in range(3):
        frame(tmp_path / "card" / f"undated{i}.jpg", near(FOX, 9 * i), at=None)
    typed("ingest", "card", "--embedder", COLOUR)
    told = typed("recluster", "--k", 2, "--bursts", "--center", "camera").err
    assert "--bursts changes nothing: no two photos are known to be of one burst" in told
    assert "--center camera changes nothing: no two photos differ in camera" in told


def test_more_clusters_than_bursts_are_refused(made: Library) -> None:
    with pytest.raises(SettingsError, match="more than the 8 different bursts"):
        made.recluster(k=9, bursts=True)


def test_photos_without_a_time_are_each_by_itself(tmp_path: Path, card: Path) -> None:
    for i in range(3):
        frame(card / f"undated{i}.jpg", near(FOX, i), at=None)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        assert library.recluster(k=2, bursts=True).observations == 8 + 3


@pytest.mark.parametrize("algorithm", ["ward", "hdbscan"])
def test_other_clusterers_are_given_bursts_too(tmp_path: Path, card: Path, algorithm: str) -> None:
    bursts_of_two_kinds(card, 10)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, bursts=True, algorithm=algorithm)
        at = where(library)
        for i in range(10):
            for name in ("fox", "owl"):
                assert len({at[frame_] for frame_ in three(f"{name}{i}")}) == 1


def test_k_is_chosen_for_observations(tmp_path: Path, card: Path) -> None:
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        report = library.recluster(k="auto", bursts=True)
        assert max(candidate.k for candidate in report.evidence) < 8
        assert report.k == 2


def test_the_gap_is_kept_with_the_clustering(tmp_path: Path, card: Path) -> None:
    """Frames are ten seconds apart: at five each is by itself, for later frames too."""
    with Library.open_or_create(tmp_path, Settings(burst_gap=5)) as library:
        library.ingest([card], embedder=COLOUR)
        assert library.recluster(k=2, bursts=True, reduce="none").observations == 24
    with opened(tmp_path) as library:
        counted = library.store.clusterings.models(1).counts.sum()
        frame(card / "fox0-3.jpg", FOX, at="2024:05:01 00:00:45")
        library.ingest([card])
        assert library.store.clusterings.models(1).counts.sum() == counted + 1


# New photos -----------------------------------------------------------------------------------


def test_a_late_frame_goes_to_the_cluster_of_its_burst(tmp_path: Path) -> None:
    """By itself it would be unsure: it lies between the two clusters."""
    card = turning(tmp_path / "card")
    burst(card, "turning", [halfway(0.30), halfway(0.44)], minute=600)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, reduce="none", bursts=True)
        before = where(library)
        assert before["turning-0"] == before["turning-1"] == before["fox0-0"]
        frame(card / "turning-2.jpg", halfway(0.53), at="2024:05:01 10:00:50")
        frame(card / "single.jpg", halfway(0.53), at="2024:05:03 10:00:00")
        report = library.ingest([card])
        at = where(library)
        assert (report.compared, report.unassigned) == (2, 1)
        assert (at.pop("turning-2"), at.pop("single")) == (at["fox0-0"], NOISE)
        assert at == before


def test_a_late_frame_of_another_animal_does_not(made: Library, card: Path) -> None:
    frame(card / "other.jpg", OWL, at="2024:05:01 00:00:40")  # within fox0
    made.ingest([card])
    at = where(made)
    assert at["other"] == at["owl0-0"]


def test_where_no_burst_was_measured_a_late_frame_of_another_animal_does_not_either(
    tmp_path: Path,
) -> None:
    card = tmp_path / "card"
    for i in range(6):
        burst(card, f"fox{i}", [near(FOX, i)], minute=20 * i)
        burst(card, f"owl{i}", [near(OWL, i)], minute=20 * i + 10)
    with opened(tmp_path) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, bursts=True, reduce="none")
        frame(card / "other.jpg", near(OWL, 2), at="2024:05:01 00:00:40")  # 40 s after fox0
        library.ingest([card])
        at = where(library)
        assert at["other"] == at["owl0-0"] != at["fox0-0"]


def test_a_new_burst_is_assigned_by_its_pooled_vector(made: Library, card: Path) -> None:
    frames = [near(FOX, 2), near(FOX, 8), near(FOX, 5)]
    burst(card, "new", frames, minute=600)
    made.ingest([card])
    current = made.store.clusterings.current()
    assert current is not None
    models = made.store.clusterings.models(current.clustering_id)
    as_made = made.store.clusterings.models(current.clustering_id, as_made=True)
    at = where(made)
    assert {at[name] for name in three("new")} == {at["fox0-0"]}
    row = models.cluster_ids.tolist().index(at["fox0-0"])
    assert models.counts[row] == as_made.counts[row] + 1, "a burst counts once"
    expected = (as_made.means[row] * 4 + mean_of(made, *three("new"))) / 5
    assert models.means[row] == pytest.approx(expected, abs=2e-4)


def test_a_burst_whose_first_frames_are_here_counts_no_more_when_it_ends(
    made: Library, card: Path
) -> None:
    current = made.store.clusterings.current()
    assert current is not None
    before = made.store.clusterings.models(current.clustering_id)
    frame(card / "fox0-3.jpg", FOX, at="2024:05:01 00:00:45")
    made.ingest([card])
    after = made.store.clusterings.models(current.clustering_id)
    assert after.counts.tolist() == before.counts.tolist()
    assert (after.means == before.means).all()


def test_a_decision_about_one_frame_does_not_keep_its_burst_from_counting(
    made: Library, card: Path
) -> None:
    """The first frame is excluded from the foxes before it comes, as after an undo."""
    fox = where(made)["fox0-0"]
    frames = burst(card, "new", [near(FOX, j) for j in range(3)], minute=600)
    image_id = picture_hash(frames[0].read_bytes())
    with made.store.transaction():
        step = made.store.steps.add(StepKind.DECISIONS, at=now())
        made.store.decisions.append(
            [
                Decision(
                    1,
                    now(),
                    DecisionKind.NOT,
                    cluster_id=fox,
                    image_ids=(image_id,),
                    groups=(0,),
                    step_id=step.step_id,
                )
            ]
        )
    made.ingest([card])
    at = where(made)
    assert (at["new-0"], at["new-1"], at["new-2"]) == (NOISE, fox, fox)
    models = made.store.clusterings.models(1)
    assert models.counts[models.cluster_ids == fox].tolist() == [4 + 1]


def test_a_new_species_is_a_novel_cluster_of_enough_bursts(made: Library, card: Path) -> None:
    """Eight bursts, not eight frames; all their frames are in the new cluster."""
    for i in range(3):
        burst(card, f"boar{i}", [near(BOAR, i + j) for j in range(3)], minute=600 + 10 * i)
    report = made.ingest([card])
    assert (report.unassigned, report.novel) == (9, ()), "nine frames are three observations"
    for i in range(3, 9):
        burst(card, f"boar{i}", [near(BOAR, i + j) for j in range(3)], minute=600 + 10 * i)
    report = made.ingest([card])
    (cluster_found,) = report.novel
    at = where(made)
    assert cluster_found.images == report.novel_images == 27
    assert {at[f"boar{i}-{j}"] for i in range(9) for j in range(3)} == {cluster_found.cluster_id}


def test_an_ingest_that_is_interrupted_counts_each_burst_once(
    made: Library, card: Path, tmp_path: Path
) -> None:
    burst(card, "new", [near(FOX, j) for j in range(3)], minute=600)
    frame(card / "fox0-3.jpg", FOX, at="2024:05:01 00:00:45")
    twin = tmp_path / "twin"
    shutil.copytree(made.store.path, twin / ".organizer")
    made.ingest([card])
    whole = made.store.clusterings.models(1)
    with opened(twin) as other:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Assigner, "finish", _killed)
            with pytest.raises(KeyboardInterrupt):
                other.ingest([card])
            assert "new-0" not in where(other), "the images and their clusters come at once"
        other.ingest([card])
        assert where(other) == where(made)
        models = other.store.clusterings.models(1)
    assert models.counts.tolist() == whole.counts.tolist()
    assert models.means == pytest.approx(whole.means, abs=1e-6)


def _killed(_: Assigner) -> None:
    raise KeyboardInterrupt


# Decisions ------------------------------------------------------------------------------------


def test_a_move_takes_the_burst_along_if_asked(typed: Run, card: Path, tmp_path: Path) -> None:
    typed("ingest", card, "--embedder", COLOUR)
    typed("recluster", "--k", 2, "--bursts")
    with opened(tmp_path) as library:
        owls = where(library)["owl0-0"]
        library.corrections.rename(owls, "Owl")
    moved = typed("clusters", "move", card / "fox1-0.jpg", "--to", owls, "--burst", "--json").json
    assert (moved["images"], moved["notes"]) == (3, [])
    with opened(tmp_path) as library:
        assert {where(library)[name] for name in three("fox1")} == {owls}
        library.recluster(k=2, bursts=True)
        at = where(library)
        assert {at[name] for name in three("fox1")} == {at["owl0-0"]}
        assert {at[f"fox{i}-{j}"] for i in (0, 2, 3) for j in range(3)} == {at["fox0-0"]}


def test_a_move_of_one_frame_notes_that_the_others_stay(
    typed: Run, card: Path, tmp_path: Path
) -> None:
    typed("ingest", card, "--embedder", COLOUR)
    typed("recluster", "--k", 2, "--bursts")
    with opened(tmp_path) as library:
        owls = where(library)["owl0-0"]
        library.corrections.rename(owls, "Owl")
    moved = typed("clusters", "move", card / "fox1-0.jpg", "--to", owls)
    assert "2 other images of its burst stay; --burst takes the whole burst along" in moved.err
    with opened(tmp_path) as library:
        for _ in range(2):
            at = where(library)
            assert at["fox1-0"] == at["owl0-0"]
            assert {at["fox1-1"], at["fox1-2"]} == {at["fox0-0"]}
            library.recluster(k=2, bursts=True)


def test_without_bursts_a_move_has_no_note_on_them(filled: Library) -> None:
    filled.recluster(k=3)
    (image_id, *_) = filled.store.photos.files_of()
    assert filled.corrections.move([image_id], 1).notes == ()


def test_a_decision_about_a_frame_by_itself_is_not_overruled_by_one_about_its_burst(
    made: Library, card: Path
) -> None:
    at = where(made)
    fox, owl = at["fox0-0"], at["owl0-0"]
    made.corrections.rename(owl, "Owl")
    made.corrections.move([card / "fox1-2.jpg"], fox)
    report = made.corrections.move([card / "fox1-0.jpg"], owl, burst=True)
    assert len(report.decision.image_ids) == 2
    for _ in range(2):
        at = where(made)
        assert (at["fox1-0"], at["fox1-1"], at["fox1-2"]) == (owl, owl, fox)
        made.recluster(k=2, bursts=True, reduce="none")


@pytest.mark.parametrize(("gap", "moved"), [(0.5, 1), (60, 3)])
def test_a_burst_is_defined_by_the_settings_of_the_library(
    tmp_path: Path, card: Path, gap: float, moved: int
) -> None:
    with Library.open_or_create(tmp_path, Settings(burst_gap=gap)) as library:
        library.ingest([card], embedder=COLOUR)
        library.recluster(k=2, reduce="none")
        owl = where(library)["owl0-0"]
        report = library.corrections.move([card / "fox1-0.jpg"], owl, burst=True)
        assert len(report.decision.image_ids) == moved


def test_a_burst_can_be_excluded_from_a_cluster(made: Library, card: Path) -> None:
    fox = where(made)["fox0-0"]
    made.corrections.exclude([card / "fox1-0.jpg"], fox, burst=True)
    for _ in range(2):
        at = where(made)
        assert fox not in {at[name] for name in three("fox1")}
        made.recluster(k=2, bursts=True, reduce="none")


def test_what_stands_for_a_name_is_one_frame_of_each_burst(made: Library) -> None:
    """Else the frames of one burst alone would stand for it."""
    report = made.corrections.rename(where(made)["fox0-0"], "Red fox")
    files = made.store.photos.files_of()
    stems = [files[i][0].file.stem.partition("-")[0] for i in report.decision.image_ids]
    assert sorted(stems) == [f"fox{i}" for i in range(4)]


def test_a_name_takes_the_bursts_of_what_stands_for_it_along(made: Library, card: Path) -> None:
    fox = where(made)["fox0-0"]
    made.corrections.rename(fox, "Red fox")
    for i in range(8):
        burst(card, f"boar{i}", [near(BOAR, 2 * i + j) for j in range(3)], minute=600 + 10 * i)
    made.ingest([card])
    made.recluster(k=3, bursts=True)
    at = where(made)
    assert {at[f"fox{i}-{j}"] for i in range(4) for j in range(3)} == {fox}
    assert made.clusters.name_of(fox) == "Red fox"


def test_split_merge_and_retire_leave_bursts_whole(made: Library) -> None:
    def whole() -> None:
        at = where(made)
        for i in range(4):
            for name in ("fox", "owl"):
                assert len({at[frame_] for frame_ in three(f"{name}{i}")}) == 1
        current = made.store.clusterings.current()
        assert current is not None
        models = made.store.clusterings.models(current.clustering_id)
        inside = {n for n, cluster_id in at.items() if cluster_id != NOISE}
        assert models.counts.sum() == len({n.partition("-")[0] for n in inside})

    fox, owl = where(made)["fox0-0"], where(made)["owl0-0"]
    made.corrections.split(fox, k=2)
    whole()
    made.corrections.merge([owl, fox])
    whole()
    made.undo()
    whole()
    made.corrections.retire(fox)
    whole()
