"""`organizer undo` and `redo` of every kind of step, as they are typed, and what they say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from organizer.arrange import journals, read_journal
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("undoing")
    make_groups(home / "photos", each=4)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


@pytest.fixture
def typed(made: Path, tmp_path: Path, typed: Run) -> Run:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return typed


def _state(typed: Run) -> object:
    rows = typed("clusters", "--json").json["clusters"]
    return {
        row["cluster_id"]: (
            row["name"],
            sorted(
                image["image_id"]
                for image in typed("clusters", "show", row["cluster_id"], "--json").json["images"]
            ),
        )
        for row in rows
    }


_STEPS = {
    "clusters rename 1 Lion": "name Lion of cluster 1",
    "clusters pin 2": "pin of cluster 2",
    "clusters merge 1 2": "merge of 2 into 1",
    "clusters split 1 --k 2": "split of cluster 1 into 1, 4",
    "clusters move photos/red/000.jpg photos/red/001.jpg --to 1": "move of 2 images to cluster 1",
    "clusters new photos/red/000.jpg --name Owl": "move of 1 image to cluster 4, named Owl",
    "clusters retire 3": "retirement of cluster 3",
    "recluster --k 2 --drop-names": "recluster 2",
}


@pytest.mark.parametrize("words", list(_STEPS))
def test_a_step_is_undone_and_done_again_and_named(typed: Run, words: str) -> None:
    title = _STEPS[words]
    before = _state(typed)
    done = typed(*words.split())
    assert done.code == 0, done.err
    after = _state(typed)
    assert after != before or "pin" in words
    undone = typed("undo")
    assert (undone.code, undone.out.splitlines()[0]) == (0, f"undone: {title}"), undone.err
    assert _state(typed) == before
    again = typed("redo")
    assert (again.code, again.out.splitlines()[0]) == (0, f"done again: {title}"), again.err
    assert _state(typed) == after
    assert typed("undo", "--json").json["undone"] == [title]
    assert _state(typed) == before


def test_an_exclusion_is_named_with_its_cluster(typed: Run) -> None:
    image = typed("clusters", "show", 1, "--json").json["images"][0]
    assert typed("clusters", "exclude", image["path"], "--in", 1).code == 0
    assert typed("undo").out == "undone: exclusion of 1 image from cluster 1\n"


def test_the_history_leaves_out_what_does_not_stand(typed: Run) -> None:
    typed("clusters", "rename", 1, "Lion")
    typed("undo")
    typed("clusters", "rename", 2, "Owl")
    typed("clusters", "merge", 2, 3)
    typed("undo")
    typed("redo")
    ran = typed("clusters", "history")
    shown = [line.split("  ")[-1] for line in ran.out.splitlines()]
    assert shown == [
        "recluster 1 with channel-mean: 3 clusters made",
        "cluster 2 named 'Owl'",
        "3 merged into 2",
    ]
    assert ran.err == "left out, as it was undone: 4 lines (--all)\n"
    whole = [
        line.split("  ")[-1] for line in typed("clusters", "history", "--all").out.splitlines()
    ]
    assert whole == [
        "recluster 1 with channel-mean: 3 clusters made",
        "cluster 1 named 'Lion' (undone)",
        "undone: cluster 1 named 'Lion'",
        "cluster 2 named 'Owl'",
        "3 merged into 2",
        "undone: 3 merged into 2",
        "redone: 3 merged into 2",
    ]
    stands = [event["stands"] for event in typed("clusters", "history", "--json").json["events"]]
    assert stands == [True, False, False, True, True, False, False]


def test_an_arrangement_that_came_last_is_named_and_nothing_is_undone(
    typed: Run, tmp_path: Path
) -> None:
    typed("clusters", "rename", 1, "Lion")
    assert typed("arrange", "--to", "sorted").code == 0
    before, files = _state(typed), sorted(os.walk(tmp_path / "sorted"))
    refused = typed("undo")
    assert (refused.code, refused.out) == (1, "")
    what = f"an arrangement of 12 files in {tmp_path / 'sorted'}"
    assert refused.err == (
        f"error: the last act was {what}, which undo does not take back\n"
        "hint: organizer arrange --undo; to undo what came before (name Lion of cluster 1): "
        "organizer undo --step\n"
    )
    assert (_state(typed), sorted(os.walk(tmp_path / "sorted"))) == (before, files)
    assert typed("undo", "--step").out == "undone: name Lion of cluster 1\n"
    assert sorted(os.walk(tmp_path / "sorted")) == files
    assert typed("redo").code == 0, "what came between is no step"
    assert typed("arrange", "--undo").code == 0
    assert typed("undo").out == "undone: name Lion of cluster 1\n", "the arrangement is gone"


def test_an_arrangement_that_came_before_does_not_matter(typed: Run, tmp_path: Path) -> None:
    assert typed("arrange", "--to", "sorted").code == 0
    (journal,) = journals(tmp_path / ".organizer" / "arrangements")
    begun = read_journal(journal).created_at
    text = journal.read_text(encoding="utf-8")
    assert begun in text
    journal.write_text(text.replace(begun, "2020-01-01T00:00:00+00:00"), encoding="utf-8")
    typed("clusters", "rename", 1, "Lion")
    assert typed("undo").out == "undone: name Lion of cluster 1\n"


def test_an_arrangement_that_is_old_is_not_even_read(typed: Run, tmp_path: Path) -> None:
    assert typed("arrange", "--to", "sorted").code == 0
    typed("clusters", "rename", 1, "Lion")
    (journal,) = journals(tmp_path / ".organizer" / "arrangements")
    journal.write_text("no journal", encoding="utf-8")
    os.utime(journal, (1_577_836_800, 1_577_836_800))
    assert typed("undo").out == "undone: name Lion of cluster 1\n"


def test_answers_of_a_review_that_came_last_are_named(typed: Run, tmp_path: Path) -> None:
    typed("clusters", "rename", 1, "Lion")
    with Library.open(tmp_path, Settings()) as library:
        items = library.review.sample(3)
        library.review.answer([item.answer(belongs=False) for item in items[:2]])
    refused = typed("undo")
    assert refused.code == 1
    assert refused.err.startswith("error: the last act was 2 answers of a review, which undo does")
    assert typed("review", "--correct").code == 0
    assert typed("undo").out.startswith("undone: exclusion of "), "a correction is a step"
    with Library.open(tmp_path, Settings()) as library:
        assert library.undo().what == ("name Lion of cluster 1",), "a program knows what it does"


def test_a_change_of_deployments_that_came_last_is_named(typed: Run, tmp_path: Path) -> None:
    typed("clusters", "rename", 1, "Lion")
    with Library.open(tmp_path, Settings()) as library:
        library.deployments.set_template("{site}")
    refused = typed("undo")
    assert (refused.code, refused.out) == (1, "")
    assert "the last act was a change of deployments, which undo does not take back" in refused.err
    assert typed("undo", "--step").out == "undone: name Lion of cluster 1\n"
    typed("clusters", "rename", 2, "Owl")
    assert typed("undo").out == "undone: name Owl of cluster 2\n", "the name came later"
