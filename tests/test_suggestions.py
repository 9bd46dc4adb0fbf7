"""Suggestions and questions: what is suggested, what accepting does, what is asked next."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from organizer.cluster.incremental import unit_rows
from organizer.errors import ClusteringError, SettingsError
from organizer.library import Library
from organizer.library.suggestions import ask
from organizer.settings import Settings
from organizer.types import (
    NOISE,
    AssignmentState,
    Detected,
    Detection,
    FileState,
    ImageDetections,
)
from tests.cards import (
    blobs,
    cluster_of,
    decide,
    fill,
    ids_of,
    ingest,
    library_at,
    members,
    truth_of,
    where,
)
from tests.scenes import Scenes, season
from tests.test_detecting import COLOUR, CROPS, seen

IDS = ids_of(range(160))
KIND = truth_of([80, 80])
FOX, OWL = "Rotfuchs", "Owl"
NAMES = (FOX, OWL)
NAME_OF = {image_id: NAMES[kind] for image_id, kind in zip(IDS, KIND, strict=True)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds, each of which fell into two clusters: the larger one named, and ten answers.

    The answers are about images of the smaller clusters, five of each.
    """
    home = tmp_path_factory.mktemp("made")
    with library_at(home) as library:
        fill(library, IDS, blobs([80, 80], scale=0.15))
        library.recluster(k=4, reduce="none")
        for kind, name in enumerate(NAMES):
            large, small = clusters_of_kind(library, kind)
            library.corrections.rename(large, name)
            some = [i for i in IDS if where(library)[i] == small][:5]
            decide(library, lambda editor, i=large, s=some: editor.move(s, i))  # type: ignore[misc]
    return home


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with library_at(tmp_path) as found:
        yield found


def clusters_of_kind(library: Library, kind: int) -> list[int]:
    """The clusters of a kind, the largest first."""
    at = where(library)
    held = [at[i] for i, k in zip(IDS, KIND, strict=True) if k == kind]
    return sorted(set(held), key=held.count, reverse=True)


def unnamed(library: Library) -> set[int]:
    return {cluster.id for cluster in library.clusters if cluster.name is None}


def hide(library: Library, image_ids: list[str]) -> None:
    """A detector saw a person in some photos."""
    box = Detection("person", 0.9, 0.1, 0.1, 0.5, 0.5)
    found = [ImageDetections(i, Detected.FOUND, (box,)) for i in image_ids]
    with library.store.writing(), library.store.transaction():
        library.store.detections.write(found)


def lose(library: Library, image_ids: list[str]) -> None:
    """The files of some images are gone."""
    with library.store.writing(), library.store.transaction():
        held = library.store.photos.files_in_state(image_ids, FileState.PRESENT)
        library.store.photos.mark(held, FileState.MISSING)


# What is suggested ---------------------------------------------------------------------------


def test_images_of_clusters_without_a_name_are_suggested_for_the_names_of_their_kind(
    library: Library,
) -> None:
    report = library.suggestions.propose()
    assert len(report.suggestions) > 25
    assert all(NAME_OF[one.image_id] == one.name for one in report.suggestions)
    at, names = where(library), library.corrections.constraints().names
    for one in report.suggestions:
        assert one.current == at[one.image_id]
        assert one.current in unnamed(library)
        assert names[one.cluster_id] == one.name
        assert one.path.name == f"{one.image_id}.png"
        assert 0.9 <= one.confidence <= 1
    assert (report.held_out, report.right) == (10, 10)
    assert (report.alike, report.lone) == ([], [])


def test_suggestions_come_by_name_and_the_most_probable_first(library: Library) -> None:
    found = library.suggestions.propose(min_confidence=0.5).suggestions
    assert found == sorted(found, key=lambda one: (one.name, -one.confidence))
    assert {one.name for one in found} == {FOX, OWL}


def test_a_lower_confidence_suggests_more(library: Library) -> None:
    sizes, known = [], set[str]()
    for least in (1.0, 0.97, 0.9, 0.5, 0.0):
        found = {o.image_id for o in library.suggestions.propose(min_confidence=least).suggestions}
        assert known <= found
        sizes.append(len(found))
        known = found
    assert sizes[0] < sizes[-1]


def test_nothing_is_written_by_asking(library: Library) -> None:
    steps, before = library.store.steps.count(), where(library)
    library.suggestions.propose()
    library.suggestions.ask(5)
    assert (library.store.steps.count(), where(library)) == (steps, before)


@pytest.mark.parametrize("typed", [FOX, "rotfuchs", " ROTFUCHS ", "rotFuchs"])
def test_a_name_is_taken_in_any_case(library: Library, typed: str) -> None:
    found = library.suggestions.propose(typed).suggestions
    assert found == [o for o in library.suggestions.propose().suggestions if o.name == FOX]
    assert found


def test_of_names_that_differ_in_case_alone_each_is_itself(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = min(unnamed(library))
    # As a version of organizer named clusters that did not look at the case.
    monkeypatch.setattr(
        "organizer.library.corrections.editor.require_free_name", lambda *given: given[3]
    )
    library.corrections.rename(other, FOX.upper())
    wanted = {o.cluster_id for o in library.suggestions.propose(FOX, min_confidence=0).suggestions}
    assert other not in wanted
    assert library.clusters[FOX.upper()].id == other
    with pytest.raises(SettingsError, match="2 clusters are called 'rotfuchs'"):
        library.suggestions.propose(FOX.lower())
    with pytest.raises(SettingsError, match="2 clusters are called 'rotfuchs'"):
        library.clusters.id_of(FOX.lower())


def test_a_name_that_no_cluster_has_is_refused(library: Library) -> None:
    with pytest.raises(SettingsError, match="no cluster is called 'Lynx'") as refusal:
        library.suggestions.propose("Lynx")
    assert refusal.value.hint == f"there are: {OWL}, {FOX}"


def test_a_renamed_cluster_is_suggested_by_its_new_name(library: Library) -> None:
    fox = library.clusters[FOX].id
    before = library.suggestions.propose(FOX).suggestions
    library.corrections.rename(fox, "Vixen")
    after = library.suggestions.propose("vixen").suggestions
    assert after == [replace(one, name="Vixen") for one in before]


def test_what_a_decision_holds_is_not_suggested(library: Library) -> None:
    fixed = library.corrections.constraints().fixed
    found = library.suggestions.propose(min_confidence=0).suggestions
    assert not {one.image_id for one in found} & set(fixed)
    pinned = min(unnamed(library))
    assert any(one.current == pinned for one in found)
    library.corrections.pin(pinned)
    found = library.suggestions.propose(min_confidence=0).suggestions
    assert not any(one.current == pinned for one in found)
    assert {one.cluster_id for one in found} <= {library.clusters[name].id for name in NAMES}


def test_an_image_is_not_suggested_for_a_cluster_that_it_was_excluded_from(
    library: Library,
) -> None:
    excluded = [one.image_id for one in library.suggestions.propose(FOX).suggestions[:5]]
    decide(library, lambda editor: editor.exclude(excluded, library.clusters[FOX].id))
    found = library.suggestions.propose(FOX, min_confidence=0).suggestions
    assert found
    assert not {one.image_id for one in found} & set(excluded)


def test_photos_of_people_and_missing_files_are_left_out(library: Library) -> None:
    found = [one.image_id for one in library.suggestions.propose().suggestions]
    hide(library, found[:4])
    lose(library, found[4:9])
    assert [one.image_id for one in library.suggestions.propose().suggestions] == found[9:]
    library.store.photos.with_people = True
    assert [o.image_id for o in library.suggestions.propose().suggestions] == found[:4] + found[9:]


def test_an_unassigned_image_is_suggested_where_it_fits_and_only_there(library: Library) -> None:
    kinds = np.concatenate([blobs([30, 30], scale=0.15, seed=5), blobs([20], first=9)])
    new, _ = ingest(library, ids_of(range(1_000, 1_080)), kinds)
    assert new.unassigned[60:].all()
    found = library.suggestions.propose(min_confidence=0).suggestions
    strange = set(ids_of(range(1_060, 1_080)))
    assert not strange & {one.image_id for one in found}
    unassigned = {i for i, c in where(library).items() if c == NOISE}
    for one in found:
        assert (one.current is None) == (one.image_id in unassigned)


def test_a_kind_that_nobody_named_is_not_taken_for_the_named_one_that_it_resembles(
    tmp_path: Path,
) -> None:
    library = library_at(tmp_path)
    ids, vectors = ids_of(range(180)), blobs([60, 60, 60], scale=0.1)
    vectors[60:120, 0] += 2.2  # a look-alike of the first kind
    fill(library, ids, unit_rows(vectors))
    library.recluster(k=3, reduce="none")
    fox, look_alike, owl = (cluster_of(library, ids[s : s + 60]) for s in (0, 60, 120))
    library.corrections.rename(fox, FOX)
    library.corrections.rename(owl, OWL)
    assert library.suggestions.propose().suggestions == []
    # Once a person has moved some of them, they are asked about as others are.
    some = ids[60:66]
    decide(library, lambda editor: editor.move(some, fox))
    found = library.suggestions.propose().suggestions
    assert len(found) > 5
    assert {(one.current, one.name) for one in found} == {(look_alike, FOX)}


@pytest.mark.parametrize("something_is_new", [False, True])
def test_clusters_without_a_name_are_parts_of_named_ones_until_something_new_is_in_them(
    tmp_path: Path, *, something_is_new: bool
) -> None:
    library = library_at(tmp_path)
    fill(library, IDS, blobs([80, 80], scale=0.15))
    library.recluster(k=4, reduce="none")
    pairs = [clusters_of_kind(library, kind) for kind in range(2)]
    for (large, _), name in zip(pairs, NAMES, strict=True):
        library.corrections.rename(large, name)
    fox, told = pairs[0]
    mine = [i for i, c in where(library).items() if c == told]
    if something_is_new:
        decide(library, lambda editor: editor.new_cluster(mine[:3], "Genet"))
    decide(library, lambda editor: editor.move(mine[3:8], fox))
    owls = library.suggestions.propose(OWL).suggestions
    assert bool(owls) != something_is_new, "though nobody decided about an image of these"


def test_two_names_that_cannot_be_told_apart_are_said_with_the_figure(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    ids = ids_of(range(120))
    fill(library, ids, blobs([60, 30, 30]))
    library.recluster(k=3)
    library.corrections.rename(cluster_of(library, ids[60:90]), "Lynx")
    mixed = np.random.default_rng(0).permutation(60)
    for name, part in (("Marten", mixed[:20]), ("Mink", mixed[20:40])):
        some = [ids[row] for row in part]
        decide(library, lambda editor, s=some, n=name: editor.new_cluster(s, n))  # type: ignore[misc]
    (pair,) = library.suggestions.propose().alike
    assert (pair.first, pair.second, pair.decided) == ("Marten", "Mink", 40)
    assert 10 <= pair.wrong <= 40


def test_a_name_that_one_image_stands_for_is_said(library: Library) -> None:
    one = library.suggestions.propose(FOX).suggestions[0].image_id
    decide(library, lambda editor: editor.new_cluster([one], "Genet"))
    report = library.suggestions.propose()
    assert report.lone == ["Genet"]
    assert report.suggestions


# Too little to learn from --------------------------------------------------------------------


def test_before_there_are_clusters_nothing_is_suggested_or_asked(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    for call in (library.suggestions.propose, library.suggestions.ask):
        with pytest.raises(ClusteringError, match="no clusters yet"):
            call()
    fill(library, ids_of(range(6)), blobs([6]))
    with pytest.raises(ClusteringError, match="no clusters yet"):
        library.suggestions.propose()


def test_before_there_are_names_nothing_is_suggested(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    fill(library, ids_of(range(40)), blobs([20, 20]))
    library.recluster(k=2)
    with pytest.raises(SettingsError, match="no cluster has a name yet"):
        library.suggestions.propose()
    library.corrections.rename(1, FOX)
    with pytest.raises(SettingsError, match=f"of one cluster, '{FOX}': there is nothing to tell"):
        library.suggestions.propose()
    assert len(library.suggestions.ask(5)) == 5


def test_all_decided_images_of_one_of_two_names_are_too_little(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    ids = ids_of(range(100))
    fill(library, ids, blobs([40, 60]))
    library.recluster(k=2)
    first, second = cluster_of(library, ids[:40]), cluster_of(library, ids[40:])
    library.corrections.rename(first, FOX)
    library.corrections.rename(second, OWL)
    stand = [i for i, c in library.corrections.constraints().fixed.items() if c == second]
    decide(library, lambda editor: editor.exclude(stand[1:], second))
    decide(library, lambda editor: editor.move(stand[:1], first))
    assert library.clusters.name_of(second) == OWL
    assert set(library.corrections.constraints().fixed.values()) == {first}
    with pytest.raises(SettingsError, match="all decided images are of one cluster: there is"):
        library.suggestions.propose()
    assert all(question.guess is None for question in library.suggestions.ask(5))


def test_a_library_with_one_cluster_has_nothing_to_tell_apart(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    fill(library, ids_of(range(20)), blobs([20]))
    library.recluster(k=2)
    library.corrections.merge([1, 2])
    assert len(library.suggestions.ask(30)) == 20
    library.corrections.rename(1, FOX)
    with pytest.raises(SettingsError, match="nothing to tell"):
        library.suggestions.propose()
    assert len(library.suggestions.ask(30)) == 20


# Accepting -----------------------------------------------------------------------------------


def test_accepting_moves_the_images_in_one_step_which_one_undo_takes_back(
    library: Library,
) -> None:
    before, steps = members(library), library.store.steps.count()
    found = library.suggestions.propose().suggestions
    reports = library.suggestions.accept(found)
    assert [len(report.decision.image_ids) for report in reports] == [
        sum(one.name == name for one in found) for name in sorted(NAMES)
    ]
    assert library.store.steps.count() == steps + 1
    at = where(library)
    assert all(at[one.image_id] == one.cluster_id for one in found)
    states = dict(zip(members(library).image_ids, members(library).states, strict=True))
    assert {states[one.image_id] for one in found} == {AssignmentState.DECIDED.value}
    accepted = {one.image_id for one in found}
    assert not accepted & {o.image_id for o in library.suggestions.propose().suggestions}
    assert len(library.undo().what) == 2
    assert members(library).cluster_ids.tolist() == before.cluster_ids.tolist()
    assert library.suggestions.propose().suggestions == found
    library.redo()
    assert where(library) == at


def test_some_can_be_accepted_and_none(library: Library) -> None:
    first, *rest = library.suggestions.propose().suggestions
    assert library.suggestions.accept([]) == []
    library.suggestions.accept([first])
    at = where(library)
    assert at[first.image_id] == first.cluster_id
    assert all(at[one.image_id] == one.current for one in rest)


def test_an_accepted_suggestion_holds_through_a_recluster(library: Library) -> None:
    found = library.suggestions.propose().suggestions
    library.suggestions.accept(found)
    library.recluster(k=2)
    at = where(library)
    assert all(at[one.image_id] == one.cluster_id for one in found)


def test_a_suggestion_for_a_name_that_is_gone_is_refused_and_nothing_is_moved(
    library: Library,
) -> None:
    found = library.suggestions.propose().suggestions
    library.corrections.rename(library.clusters[OWL].id, "Eagle owl")
    before = where(library)
    with pytest.raises(SettingsError, match=f"is not called '{OWL}' any more"):
        library.suggestions.accept(found)
    assert where(library) == before


def test_suggestions_that_contradict_each_other_are_refused(library: Library) -> None:
    one = library.suggestions.propose(FOX).suggestions[0]
    other = replace(one, cluster_id=library.clusters[OWL].id, name=OWL)
    with pytest.raises(SettingsError, match="contradict each other"):
        library.suggestions.accept([one, other])
    assert len(library.suggestions.accept([one, one])) == 1


# Asking --------------------------------------------------------------------------------------


@pytest.fixture
def untold(tmp_path: Path) -> Library:
    """Clusters of 40, 30 and 50 images, about which nobody decided anything."""
    found = library_at(tmp_path)
    fill(found, ids_of(range(120)), blobs([40, 30, 50]))
    found.recluster(k=3)
    return found


def test_before_any_name_the_most_typical_image_of_each_cluster_is_asked(untold: Library) -> None:
    models = untold.store.clusterings.models(1)
    medoid_of = dict(zip(models.cluster_ids.tolist(), models.medoids, strict=True))
    by_size = sorted(untold.clusters, key=lambda cluster: -cluster.size)
    questions = untold.suggestions.ask(3)
    assert [q.image_id for q in questions] == [medoid_of[cluster.id] for cluster in by_size]
    assert [q.current for q in questions] == [cluster.id for cluster in by_size]
    assert {(q.current_name, q.guess, q.guess_name, q.confidence) for q in questions} == {
        (None, None, None, None)
    }
    assert [q.image_id for q in untold.suggestions.ask(1)] == [questions[0].image_id]


def test_after_the_typical_images_those_between_clusters_are_asked(untold: Library) -> None:
    questions = untold.suggestions.ask(10)
    assert questions[:3] == untold.suggestions.ask(3)
    found = members(untold)
    margins = dict(zip(found.image_ids.tolist(), found.margins.tolist(), strict=True))
    asked = [margins[q.image_id] for q in questions[3:]]
    others = set(margins) - {q.image_id for q in questions}
    assert asked == sorted(asked)
    assert max(asked) <= min(margins[i] for i in others)
    assert len(untold.suggestions.ask(1_000)) == 120


def test_a_cluster_that_has_a_name_already_is_not_asked_about_first(untold: Library) -> None:
    first = untold.suggestions.ask(1)[0]
    assert first.current is not None
    untold.corrections.rename(first.current, FOX)
    assert [q.current for q in untold.suggestions.ask(2)] == [
        c.id for c in sorted(untold.clusters, key=lambda c: -c.size)[1:]
    ]


def test_where_the_most_typical_image_cannot_be_shown_the_next_one_is_asked(
    untold: Library,
) -> None:
    first, second, third = (q.image_id for q in untold.suggestions.ask(3))
    hide(untold, [first])
    lose(untold, [second])
    after = untold.suggestions.ask(3)
    assert [q.current for q in after] == [where(untold)[i] for i in (first, second, third)]
    assert not {first, second} & {q.image_id for q in untold.suggestions.ask(500)}
    untold.store.photos.with_people = True
    assert untold.suggestions.ask(3)[0].image_id == first


def test_of_very_many_images_each_cluster_is_still_asked_about(
    untold: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = untold.suggestions.ask(3)
    monkeypatch.setattr(ask, "_MOST", 5)
    assert untold.suggestions.ask(3) == expected
    assert 5 <= len(untold.suggestions.ask(100)) <= 8


def test_once_there_are_names_what_is_uncertain_is_asked_with_a_guess(library: Library) -> None:
    questions = library.suggestions.ask(8)
    assert len({q.image_id for q in questions}) == 8
    assert {q.guess_name for q in questions} <= {FOX, OWL}
    decided = {i for d in library.store.decisions.current() if not d.name for i in d.image_ids}
    assert not decided & {q.image_id for q in questions}
    at, names = where(library), library.corrections.constraints().names
    for question in questions:
        assert question.current == at[question.image_id]
        assert question.current_name == names.get(at[question.image_id])
        assert question.guess is not None
        assert names[question.guess] == question.guess_name
        assert 0 <= (question.confidence or 0) <= 1
    again = library.suggestions.ask(8)
    assert again == questions
    sure = [one.confidence for one in library.suggestions.propose().suggestions]
    assert np.mean([q.confidence or 0 for q in questions]) < np.mean(sure)


def test_answers_are_not_asked_for_again(library: Library) -> None:
    asked: set[str] = set()
    for _ in range(3):
        questions = library.suggestions.ask(6)
        assert not asked & {q.image_id for q in questions}
        asked |= {q.image_id for q in questions}
        for name in NAMES:
            some = [q.image_id for q in questions if NAME_OF[q.image_id] == name]
            if some:
                decide(library, lambda e, s=some, n=name: e.move(s, library.clusters[n].id))  # type: ignore[misc]


def test_where_all_was_decided_nothing_is_left_to_ask(untold: Library) -> None:
    at = where(untold)
    for cluster_id, name in ((1, FOX), (2, OWL), (3, "Lynx")):
        untold.corrections.rename(cluster_id, name)
        mine = [i for i, c in at.items() if c == cluster_id]
        decide(untold, lambda editor, m=mine, c=cluster_id: editor.move(m, c))  # type: ignore[misc]
    assert untold.suggestions.ask(5) == []
    report = untold.suggestions.propose(min_confidence=0)
    assert (report.suggestions, report.held_out, report.right) == ([], 120, 120)


# Crops ---------------------------------------------------------------------------------------


@pytest.fixture
def cropped(tmp_path: Path) -> Iterator[tuple[Library, Scenes]]:
    """A small season clustered by its crops, four clusters for three species; two have names."""
    scenes = season(tmp_path / "photos", each=4)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([scenes.folder], embedder=COLOUR)
        library.detections.add(seen(library, scenes))
        library.recluster(k=4, embedder=CROPS, reduce="none")
        large = sorted(library.clusters, key=lambda cluster: -cluster.size)
        for cluster, name in zip(large, NAMES, strict=False):
            cluster.rename(name)
        yield library, scenes


def test_crops_are_suggested_and_asked_with_their_boxes(cropped: tuple[Library, Scenes]) -> None:
    library, scenes = cropped
    at = where(library)
    questions = library.suggestions.ask(6)
    found = library.suggestions.propose(min_confidence=0).suggestions
    assert len(questions) == 6
    shown = [(q.image_id, q.path, q.box) for q in questions]
    for image_id, path, box in shown + [(s.image_id, s.path, s.box) for s in found]:
        assert box is not None
        assert image_id in at
        assert str(path.relative_to(scenes.folder)) in scenes.things
    target = library.clusters[FOX].id
    library.corrections.move([q.image_id for q in questions], target)
    assert {where(library)[q.image_id] for q in questions} == {target}


def test_crops_of_photos_that_are_gone_are_not_shown(cropped: tuple[Library, Scenes]) -> None:
    library, scenes = cropped
    questions = library.suggestions.ask(200)
    gone = questions[0].path
    gone.unlink()
    library.ingest([scenes.folder])
    after = {question.path for question in library.suggestions.ask(200)}
    assert gone not in after
    assert after == {question.path for question in questions} - {gone}
