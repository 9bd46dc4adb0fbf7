"""What an answer means after the clusters changed: merge, split, move, undo, recluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from organizer.errors import ClusteringError, OrganizerError
from organizer.library import Library
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.state import read_state
from organizer.library.review import api, audit, csv_file, sample
from organizer.library.review.answers import answer_summary
from organizer.library.suggestions.learn import learn_clusters
from organizer.store import Answer, SampleKind, answers
from organizer.types import Decision, FileState
from tests.cards import blobs, cluster_of, fill, ids_of, library_at, where

SIZES = [12, 8, 4]
GROUPS = [ids_of(range(12)), ids_of(range(12, 20)), ids_of(range(20, 24))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clusters of 12, 8 and 4 images."""
    home = tmp_path_factory.mktemp("made")
    with library_at(home) as found:
        fill(found, ids_of(range(24)), blobs(SIZES))
        found.recluster(k=3, reduce="none")
    return home


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with library_at(tmp_path) as found:
        yield found


def say(
    library: Library, image_id: str, *, belongs: bool, drawn: SampleKind = SampleKind.RANDOM
) -> None:
    library.review.answer([Answer(image_id, where(library)[image_id], belongs, drawn)])


def counted(library: Library) -> dict[int, tuple[int, int]]:
    """Answered and right by cluster."""
    audit = library.review.audit()
    found = audit.per_cluster if audit else {}
    return {i: (p.answered, p.right) for i, p in found.items() if p.answered}


def test_after_a_merge_a_yes_is_about_the_whole_and_a_no_about_nothing(library: Library) -> None:
    one, two = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    say(library, GROUPS[0][0], belongs=True)
    say(library, GROUPS[0][1], belongs=False)
    say(library, GROUPS[1][0], belongs=True)
    say(library, GROUPS[1][1], belongs=False)
    before = counted(library)
    library.corrections.merge([two, one])
    assert counted(library) == {two: (2, 2)}
    assert audit.rejected_images(library.store) == {}
    assert library.review.correct() == []
    # They are asked again, before anybody else.
    assert audit.count_reopened(library.store) == 2
    again = library.review.sample(2, cluster_ids=[two])
    assert {item.image_id for item in again} == {GROUPS[0][1], GROUPS[1][1]}
    library.review.answer([item.answer(belongs=False) for item in again])
    assert counted(library) == {two: (4, 2)}
    assert audit.count_reopened(library.store) == 0
    # The yeses given before are those of before; the noes about the whole say nothing of parts.
    library.undo()
    assert counted(library) == before == {one: (2, 1), two: (2, 1)}


def test_answers_about_a_whole_say_nothing_of_its_parts(library: Library) -> None:
    one, two = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    library.corrections.merge([one, two])
    say(library, GROUPS[0][0], belongs=True)
    say(library, GROUPS[1][0], belongs=False)
    assert counted(library) == {one: (2, 1)}
    library.corrections.split(one)
    assert counted(library) == {}
    assert audit.rejected_images(library.store) == {}
    part = where(library)[GROUPS[1][0]]
    say(library, GROUPS[1][0], belongs=True)
    assert counted(library) == {part: (1, 1)}
    # A split that is undone is a merge: the yes about the part is one about the whole.
    library.undo()
    assert counted(library) == {one: (2, 2)}
    # A merge that is undone is a split.
    library.undo()
    assert counted(library) == {}


def test_answers_for_a_retired_cluster_come_back_with_it(library: Library) -> None:
    three = cluster_of(library, GROUPS[2])
    say(library, GROUPS[2][0], belongs=True)
    say(library, GROUPS[2][1], belongs=False)
    library.corrections.retire(three)
    assert counted(library) == {}
    library.undo()
    assert counted(library) == {three: (2, 1)}


def test_an_id_that_a_recluster_gives_on_keeps_its_answers(library: Library) -> None:
    one = cluster_of(library, GROUPS[0])
    say(library, GROUPS[0][0], belongs=True)
    say(library, GROUPS[0][1], belongs=False)
    library.recluster(k=3, reduce="none")
    assert counted(library) == {one: (2, 1)}
    assert audit.rejected_images(library.store) == {one: [GROUPS[0][1]]}
    library.undo()
    assert counted(library) == {one: (2, 1)}


@pytest.mark.parametrize("corrected", [False, True])
def test_a_move_into_the_cluster_overrules_an_earlier_no(library: Library, corrected: bool) -> None:
    one = cluster_of(library, GROUPS[0])
    image_id = GROUPS[0][0]
    say(library, image_id, belongs=False)
    if corrected:
        library.review.correct()
    library.corrections.move([image_id], one)
    assert counted(library) == {one: (1, 1)}
    assert library.review.correct() == []
    assert where(library)[image_id] == one
    # And a later answer overrules the move.
    say(library, image_id, belongs=False)
    assert counted(library) == {one: (1, 0)}
    (report,) = library.review.correct()
    assert report.decision.image_ids == (image_id,)


def test_an_exclusion_overrules_an_earlier_yes(library: Library) -> None:
    one = cluster_of(library, GROUPS[0])
    say(library, GROUPS[0][0], belongs=True)
    library.corrections.exclude([GROUPS[0][0]], one)
    assert counted(library) == {one: (1, 0)}
    library.undo()
    assert counted(library) == {one: (1, 1)}


def test_the_order_of_answers_counts_and_not_the_clock(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = cluster_of(library, GROUPS[0])
    say(library, GROUPS[0][0], belongs=True)
    monkeypatch.setattr(answers, "now", lambda: "1999-01-01T00:00:00.000+00:00")
    say(library, GROUPS[0][0], belongs=False)
    assert counted(library) == {one: (1, 0)}
    assert [a.answer_id for a in library.store.answers.all()] == [1, 2]


def test_a_table_from_before_a_merge_is_about_the_former_clusters(
    library: Library, tmp_path: Path
) -> None:
    one, two = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    items = library.review.sample(8, cluster_ids=[two])
    file = tmp_path / "review.csv"
    csv_file.write_review(file, items, store=library.store, force=False)
    library.corrections.merge([one, two])
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    said_there = [line + ("n" if place < 3 else "y") for place, line in enumerate(lines[1:])]
    file.write_text("\n".join([lines[0], *said_there]) + "\n", encoding="utf-8")
    found = csv_file.read_review(file, library.store)
    assert audit.count_outdated(library.store, found.answers) == 3
    assert library.review.answer(found.answers) == 8
    assert counted(library) == {one: (5, 5)}
    assert audit.rejected_images(library.store) == {}
    # Read again it says nothing new, what does not count included.
    assert library.review.answer(csv_file.read_review(file, library.store).answers) == 0


def test_two_merges_carry_a_yes_along_and_reopen_a_no_in_the_last(library: Library) -> None:
    one, two, three = (cluster_of(library, group) for group in GROUPS)
    say(library, GROUPS[0][0], belongs=True)
    say(library, GROUPS[0][1], belongs=False)
    library.corrections.merge([two, one])
    library.corrections.merge([three, two])
    assert counted(library) == {three: (1, 1)}
    assert answer_summary(library.store).reopened == {(GROUPS[0][1], three)}


def test_a_correction_that_fails_half_way_changes_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = cluster_of(library, GROUPS[0]), cluster_of(library, GROUPS[1])
    say(library, GROUPS[0][0], belongs=False)
    say(library, GROUPS[1][0], belongs=False)
    deny, before = Editor.exclude, library.store.revision()

    def failing(editor: Editor, image_ids: list[str], cluster_id: int) -> Decision:
        if cluster_id == max(one, two):
            raise ClusteringError("no cluster would be left", "make others")
        return deny(editor, image_ids, cluster_id)

    with monkeypatch.context() as patch:
        patch.setattr(Editor, "exclude", failing)
        with pytest.raises(ClusteringError, match="no cluster would be left"):
            library.review.correct()
    assert library.store.revision() == before
    assert audit.rejected_images(library.store).keys() == {one, two}
    assert len(library.review.correct()) == 2
    assert library.undo().what[0].startswith("exclusion of 1 image from")
    assert audit.rejected_images(library.store).keys() == {one, two}, "both came back"


def test_a_correction_holds_the_library_from_reading_to_the_last_decision(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(library, GROUPS[0][0], belongs=False)
    wrong = audit.rejected_images

    def looked_up(*args: object) -> dict[int, list[str]]:
        with (
            Library.open(library.store.path) as other,
            pytest.raises(OrganizerError, match="being written by another"),
            other.store.writing(),
        ):
            pass
        return wrong(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(api, "rejected_images", looked_up)
    assert len(library.review.correct()) == 1


def test_images_without_files_are_not_drawn(library: Library) -> None:
    one = cluster_of(library, GROUPS[0])
    gone = set(GROUPS[0][:5])
    present = library.store.photos.files_in_state(gone, FileState.PRESENT)
    library.store.photos.mark(present, FileState.MISSING)
    items = library.review.sample(100, cluster_ids=[one])
    assert {item.image_id for item in items} == set(GROUPS[0]) - gone
    assert sample.count_missing(library.store, [one]) == 5
    assert sample.count_missing(library.store) == 5
    library.corrections.move(GROUPS[0][5:7], cluster_of(library, GROUPS[1]))
    library.corrections.move(GROUPS[0][:2], cluster_of(library, GROUPS[1]))
    assert {item.image_id for item in library.review.doubtful(50)} == set(GROUPS[0][5:7])


def test_doubtful_images_come_in_the_order_in_which_questions_are_asked(library: Library) -> None:
    library.corrections.pin(cluster_of(library, GROUPS[0]))
    library.corrections.move(GROUPS[0][:4], cluster_of(library, GROUPS[1]))
    items = library.review.doubtful(50)
    assert len(items) == 4
    learned = learn_clusters(read_state(library.store, settings=library.settings))
    assert learned is not None
    certain = learned.certainty([item.image_id for item in items]).tolist()
    assert certain == sorted(certain)
    assert len(set(certain)) > 1
