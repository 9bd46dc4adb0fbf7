"""The words that are typed: names of clusters and photos, words that are no command, next steps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups, make_photo
from tests.typed import in_this_process


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of nine photos in three clusters, two of which have names; only to be copied."""
    home = tmp_path_factory.mktemp("words")
    make_groups(home / "photos", each=3)
    make_photo(home / "photos" / "red" / "Ünique.jpg", 77, colour=(200, 40, 40))
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
        for colour, name in (("red", "Red fox"), ("green", "Löwe")):
            library.corrections.rename(_cluster_of(library, colour), name)
    return home


def _cluster_of(library: Library, colour: str) -> int:
    rows = library.assignments().to_pylist()
    return int(next(r["cluster_id"] for r in rows if Path(r["path"]).parent.name == colour))


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def typed(home: Path) -> Run:
    return partial(in_this_process, home)


# Clusters by name ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Red fox", "red FOX", "  red   fox "])
def test_a_cluster_is_shown_by_its_name_in_any_case(made: Path, name: str) -> None:
    shown = in_this_process(made, "clusters", "show", name, "--json").json
    assert shown["name"] == "Red fox"
    assert {Path(image["path"]).parent.name for image in shown["images"]} == {"red"}


def test_a_name_is_one_however_its_accents_are_composed(made: Path) -> None:
    assert in_this_process(made, "clusters", "show", "lo\u0308we", "--json").json["name"] == "Löwe"


def test_every_decision_takes_names(typed: Run) -> None:
    blue = typed("clusters", "show", "blue").err
    assert "no cluster is called 'blue'" in blue
    moved = typed("clusters", "move", "blue/000.jpg", "--to", "löwe", "--json").json
    assert moved["images"] == 1
    assert typed("clusters", "exclude", "blue/000.jpg", "--in", "LÖWE").code == 0
    assert typed("clusters", "pin", "red fox").code == 0
    assert typed("clusters", "split", "red fox", "--k", 2).code == 0
    assert typed("undo").code == 0
    assert typed("clusters", "rename", "red fox", "Vixen").code == 0
    assert "named 'Vixen'" in typed("clusters", "history", "vixen").out
    assert typed("review", "--cluster", "vixen", "--sample", 1, "--json").json["images"]
    assert (
        typed("export", "csv", "--cluster", "löwe", "--to", "l.csv", "--json").json["images"] == 3
    )
    merged = typed("clusters", "merge", "vixen", "Löwe", "--json").json
    assert merged["lineage"]["retired"] == merged["others"]
    assert typed("clusters", "retire", "VIXEN").code == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("RED  FOX", "is called 'Red fox' already"),
        ("12", "a number is the id of a cluster"),
        ("١٢", "a number is the id of a cluster"),
        ("Unsure", "commands take that word for something else"),
        ("unassigned", "commands take that word for something else"),
        ("all", "commands take that word for something else"),
    ],
)
def test_a_name_that_would_mean_something_else_is_refused(made: Path, name: str, why: str) -> None:
    blue = next(
        str(row["cluster_id"])
        for row in in_this_process(made, "clusters", "--json").json["clusters"]
        if row["name"] is None
    )
    for words in (("clusters", "rename", blue), ("clusters", "new", "blue/000.jpg", "--name")):
        ran = in_this_process(made, *words, name)
        assert (ran.code, ran.out) == (2, "")
        assert why in ran.err
        assert ran.err.count("hint: ") == 1


def test_a_cluster_may_change_the_case_of_its_own_name(typed: Run) -> None:
    assert typed("clusters", "rename", "red fox", "RED FOX").code == 0
    assert typed("clusters", "show", "Red fox", "--json").json["name"] == "RED FOX"


def test_names_of_older_libraries_go_on_working(
    typed: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(home, Settings()) as library, monkeypatch.context() as patch:
        # As a version of organizer named clusters that took any name.
        patch.setattr(
            "organizer.library.corrections.editor.require_free_name", lambda *given: given[3]
        )
        blue, red = _cluster_of(library, "blue"), _cluster_of(library, "red")
        library.corrections.rename(blue, "77")
        library.corrections.rename(_cluster_of(library, "green"), "red fox")
    shown = typed("clusters", "show", "77", "--json").json
    assert (shown["cluster_id"], shown["name"]) == (blue, "77")
    assert typed("clusters", "show", str(red), "--json").json["cluster_id"] == red
    assert typed("clusters", "show", "Red fox", "--json").json["cluster_id"] == red
    assert typed("clusters", "show", "red fox", "--json").json["name"] == "red fox"
    ran = typed("clusters", "show", "RED FOX")
    assert "2 clusters are called 'RED FOX', but for the case of letters" in ran.err
    assert "hint: type the id of one of them" in ran.err


def test_a_name_that_no_cluster_has_is_answered_with_near_ones(made: Path) -> None:
    assert "hint: did you mean Red fox?" in in_this_process(made, "clusters", "pin", "redfox").err
    far = in_this_process(made, "clusters", "pin", "zebra").err
    assert "error: no cluster is called 'zebra'\nhint: there are: Löwe, Red fox" in far


def test_a_cluster_that_is_called_like_a_group_of_photos_is_shown(typed: Run) -> None:
    assert typed("clusters", "rename", "löwe", "Empty").code == 0
    assert typed("clusters", "show", "empty", "--json").json["name"] == "Empty"


def test_folders_and_tables_follow_the_same_rules(typed: Run, home: Path) -> None:
    assert typed("arrange", "--to", "sorted", "--by", "name").code == 0
    (home / "sorted" / "Red fox").rename(home / "sorted" / "12")
    (home / "sorted" / "LÖWE").mkdir()
    photo = next((home / "sorted" / "12").iterdir())
    photo.rename(home / "sorted" / "LÖWE" / photo.name)
    read = typed("arrange", "--read-back", "sorted", "--yes", "--json").json
    assert (read["renamed"], read["born"]) == ([], [])
    why = " ".join(read["not_said"])
    assert "a cluster cannot be called '12': a number is the id of a cluster" in why
    assert "in the folder 'LÖWE': cluster" in why
    blue = typed("clusters", "show", "3", "--json").json["images"]
    names = ("12", "RED FOX", "All")
    lines = [f"{one['image_id']},{name}," for one, name in zip(blue[:3], names, strict=True)]
    table = home / "names.csv"
    table.write_text("\n".join(("image_id,name,cluster_id", *lines)), encoding="utf-8")
    accepted = typed("suggest", "--accept", table, "--json").json
    assert [(one["name"], one["images"]) for one in accepted["clusters"]] == [("Red fox", 1)]
    assert [line["line"] for line in accepted["left_out"]] == [2, 4]


# Photos by name ------------------------------------------------------------------------------


def test_a_photo_is_found_by_the_name_of_its_file_alone(made: Path) -> None:
    for name in ("Ünique.jpg", "ünique.JPG", "U\u0308nique.jpg"):
        hits = in_this_process(made, "search", name, "-n", 3, "--json").json["hits"]
        assert {Path(hit["path"]).parent.name for hit in hits} == {"red"}
        assert not [hit for hit in hits if "nique" in hit["path"]]


def test_a_name_that_several_photos_have_is_answered_with_all(made: Path) -> None:
    for words in (("search", "001.jpg"), ("clusters", "move", "001.jpg", "--to", "löwe")):
        ran = in_this_process(made, *words)
        assert ran.code == 2
        assert "error: 3 photos are called 001.jpg\n" in ran.err
        assert "one of: blue/001.jpg, green/001.jpg, red/001.jpg" in ran.err
    assert in_this_process(made, "search", "red/001.jpg", "-n", 1).code == 0


@pytest.mark.parametrize("words", ["search {}", "clusters move {} --to 1"])
@pytest.mark.parametrize("named", ["Uniqe.jpg", "ünique"])
def test_a_photo_whose_name_is_mistyped_is_answered_with_the_near_one(
    made: Path, words: str, named: str
) -> None:
    ran = in_this_process(made, *words.format(named).split())
    assert ran.code == 2
    assert "hint: did you mean Ünique.jpg?" in ran.err


def test_folders_with_spaces_are_named_as_they_are_typed(tmp_path: Path) -> None:
    for place, card in enumerate(("Oak Hill", "Mill Creek")):
        make_photo(tmp_path / "cards" / card / "IMG_0001.JPG", place)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([tmp_path / "cards"], embedder="channel-mean")
    ran = in_this_process(tmp_path, "search", "IMG_0001.JPG")
    assert '"Mill Creek/IMG_0001.JPG", "Oak Hill/IMG_0001.JPG"' in ran.err
    assert in_this_process(tmp_path, "search", "Oak Hill/IMG_0001.JPG").code == 0


def test_where_nothing_is_unassigned_no_empty_table_is_shown(made: Path) -> None:
    ran = in_this_process(made, "clusters", "show", "unassigned")
    assert ran.out == "unassigned: 0 images\n"


def test_a_search_for_a_cluster_finds_what_is_like_its_most_typical_image(made: Path) -> None:
    medoid = next(
        row["medoid"]
        for row in in_this_process(made, "clusters", "--json").json["clusters"]
        if row["name"] == "Red fox"
    )
    by_name = in_this_process(made, "search", "RED FOX", "--json").json["hits"]
    assert by_name == in_this_process(made, "search", medoid, "--json").json["hits"]
    begun = in_this_process(made, "browse", "red fox", "-n", 1, "--json").json
    assert begun["path"] == medoid
    ran = in_this_process(made, "search", "red fix")
    assert "there is no photo red fix, and no cluster is called 'red fix'" in ran.err


def test_paths_alone_go_into_a_pipe_with_a_zero_byte_each(made: Path) -> None:
    plain = in_this_process(made, "search", "red fox", "--paths").out
    assert plain == in_this_process(made, "search", "red fox", "-f").out
    assert all(Path(line).is_absolute() for line in plain.splitlines())
    nulls = in_this_process(made, "search", "red fox", "--paths", "-0").out
    assert nulls.split("\0") == [*plain.splitlines(), ""]
    assert in_this_process(made, "search", "red fox", "-0").code == 2
    assert in_this_process(made, "search", "red fox", "--paths", "--json").code == 2


# What a new card brought ---------------------------------------------------------------------


def test_an_ingest_says_which_clusters_grew_and_what_is_new(typed: Run, home: Path) -> None:
    for i in range(3):
        make_photo(home / "card" / f"r{i}.jpg", 500 + i, colour=(200, 40, 40))
    make_photo(home / "card" / "b.jpg", 510, colour=(40, 40, 200))
    for i in range(14):
        make_photo(home / "card" / f"w{i}.jpg", 600 + i, colour=(230, 230, 230))
    ran = typed("ingest", "card")
    assert "Red fox +3, cluster 3 +1; new: cluster 4 with 14" in ran.out.splitlines()
    assert ran.err.splitlines()[-1] == "to see what is new: organizer clusters --new"
    new = typed("clusters", "--new", "--json").json["clusters"]
    assert [(row["cluster_id"], row["count"]) for row in new] == [(4, 14)]
    assert {Path(path).name[0] for path in new[0]["examples"]} == {"w"}
    shown = typed("clusters", "--new")
    assert "w" in shown.out
    assert 'to name one: organizer clusters rename 4 "Red fox"\n' in shown.err
    make_photo(home / "card" / "g.jpg", 700, colour=(40, 200, 40))
    grown = typed("ingest", "card", "--json").json["grown"]
    assert [(one["name"], one["added"]) for one in grown] == [("Löwe", 1)]
    assert "the last ingest found no new cluster" in typed("clusters", "--new").err


# Other words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("import", "organizer ingest"),
        ("similar", "organizer search"),
        ("sort", "organizer arrange"),
        ("reprot", "organizer report"),
        ("web", "organizer open"),
        ("merge", "organizer clusters merge"),
        ("delete", "organizer clusters retire"),
        ("clusters rm", "organizer clusters exclude"),
        ("clusters renmae", "organizer clusters rename"),
        ("models dowload", "organizer models --help lists them"),
    ],
)
def test_a_word_that_is_no_command_is_answered_with_what_is_meant(
    tmp_path: Path, word: str, meant: str
) -> None:
    ran = in_this_process(tmp_path, *word.split())
    assert (ran.code, ran.out) == (2, "")
    error, hint = ran.err.splitlines()
    assert error == f"error: there is no command organizer {word}"
    assert meant in hint


def test_all_synonyms_name_commands_that_there_are() -> None:
    from docs.make_commands import commands
    from organizer.cli.synonyms import SYNONYMS

    known = {name.removeprefix("organizer ") for name, _ in commands()}
    assert SYNONYMS.keys() - {"duplicates"} <= known


def test_no_next_step_is_named_where_json_or_a_pipe_is_asked_for(made: Path) -> None:
    assert "organizer open" in in_this_process(made, "status").err
    assert in_this_process(made, "status", "--json").err == ""
    assert in_this_process(made, "search", "red fox", "--paths").err == ""


# Completion ----------------------------------------------------------------------------------


def _completed(home: Path, *words: str, library: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "organizer"],
        cwd=home,
        env={
            **os.environ,
            "_ORGANIZER_COMPLETE": "complete_bash",
            "ORGANIZER_LIBRARY": library,
            "COMP_WORDS": "\n".join(("organizer", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_a_shell_completes_clusters_in_any_case(made: Path, tmp_path: Path) -> None:
    assert _completed(made, "clusters", "show", "re") == [r"red\ fox"]
    every = _completed(made, "clusters", "move", "a.jpg", "--to", "")
    assert sorted(every) == ["3", "Löwe", r"Red\ fox"]
    assert _completed(made, "clusters", "show", '"Red f') == ["Red fox"]
    assert _completed(tmp_path, "clusters", "pin", "l", library=str(made)) == ["löwe"]
    assert _completed(tmp_path, "clusters", "pin", "l") == []
    (tmp_path / ".organizer").mkdir()
    (tmp_path / ".organizer" / "journal.sqlite").write_bytes(b"no database" * 100)
    assert _completed(tmp_path, "clusters", "pin", "l") == []


def test_a_shell_completes_parts(tmp_path: Path) -> None:
    assert "csv" in _completed(tmp_path, "export", "")
    assert _completed(tmp_path, "ingest", "--embedder", "channel") == ["channel-mean"]
    assert _completed(tmp_path, "recluster", "--algorithm", "hdb") == ["hdbscan"]


def test_completion_loads_nothing_heavy() -> None:
    code = "import organizer.cli.completion, sys; print([m for m in sys.modules if m in %r])"
    heavy = ("numpy", "pyarrow", "lancedb", "organizer.store", "organizer.library")
    done = subprocess.run(
        [sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
