"""Every command as typed: what it prints where, and what its JSON holds."""

from __future__ import annotations

import csv
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer.distribution import installed_version
from organizer.library import Library
from organizer.settings import Settings
from tests.conftest import Run, make_groups, make_photo

_COMMANDS = [
    "ingest",
    "recluster",
    "undo",
    "search",
    "browse",
    "report",
    "review",
    "suggest",
    "compare",
    "export",
    "arrange",
    "status",
    "problems",
    "models",
    "models list",
    "models pull",
    "models import",
    "models where",
    "clusters",
    "clusters show",
    "clusters suggest-names",
    "clusters rename",
    "clusters merge",
    "clusters split",
    "clusters move",
    "clusters new",
    "clusters exclude",
    "clusters pin",
    "clusters retire",
    "clusters history",
]
_COLOURS = {"red", "green", "blue"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 photos in three folders and a library in which they are clustered.

    Only for commands that change nothing.
    """
    home = tmp_path_factory.mktemp("made")
    make_groups(home / "photos")
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([home / "photos"], embedder="channel-mean")
        library.recluster(k=3)
    return home


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of the library and its photos in `tmp_path`, to change."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "photos"


def _vector(file: Path) -> NDArray[np.float64]:
    """What the channel-mean embedder is documented to compute, in double precision."""
    with Image.open(file) as image:
        channels = np.asarray(image.convert("RGB"), dtype=np.float64).reshape(-1, 3) / 255
    vector = np.concatenate([channels.mean(axis=0), channels.std(axis=0)])
    return np.asarray(vector / np.linalg.norm(vector))


def _distance(a: Path, b: Path) -> float:
    return float(1 - _vector(a) @ _vector(b))


def _clusters(typed: Run, **where: Any) -> dict[int, int]:
    rows = typed("clusters", "--json", **where).json["clusters"]
    return {row["cluster_id"]: row["count"] for row in rows}


# Help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", _COMMANDS)
def test_the_help_of_every_command_has_an_example(typed: Run, words: str) -> None:
    ran = typed(*words.split(), "--help")
    assert ran.code == 0
    assert f"Example: organizer {words}" in " ".join(ran.out.split())
    assert ran.err == ""


def test_the_help_names_every_command_and_where_to_begin(typed: Run) -> None:
    ran = typed("--help")
    assert all(f" {words.split()[0]} " in ran.out for words in _COMMANDS)
    assert "Begin with: organizer ingest" in ran.out


@pytest.mark.parametrize("words", _COMMANDS)
def test_the_line_of_a_command_is_how_its_own_help_begins(typed: Run, words: str) -> None:
    *above, name = words.split()
    lines = " ".join(typed(*above, "--help").out.split())
    own = typed(*words.split(), "--help").out.split("\n\n")[1]
    sentence = " ".join(own.split()).split(". ")[0]
    assert f" {name} {sentence}" in lines


def test_an_unknown_command_is_refused_with_the_nearest_one(typed: Run) -> None:
    ran = typed("ingst")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: there is no command organizer ingst\nhint: did you mean: organizer ingest\n"
    )


def test_the_version_is_that_of_the_package(run: Run) -> None:

    assert run("--version").out == f"organizer {installed_version()}\n"


# Ingest --------------------------------------------------------------------------------------


def test_the_first_ingest_counts_and_names_the_library(
    run: Run, photos: Path, tmp_path: Path
) -> None:
    ran = run("ingest", photos, "--embedder", "channel-mean", "--json")
    assert ran.code == 0
    found = ran.json
    assert found["added"] == found["images"] == 24
    nothing = {"unchanged", "moved", "duplicate", "missing", "broken"}
    assert {found[name] for name in nothing} == {0}
    assert found["embedder"] == "channel-mean"
    assert 0 < found["seconds"] < 60
    assert f"new library: {tmp_path / '.organizer'}" in ran.err.splitlines()
    assert (tmp_path / ".organizer" / "library.json").is_file()


def test_a_second_ingest_finds_everything_unchanged(typed: Run, own: Path) -> None:
    ran = typed("ingest", own, "--json")
    assert (ran.code, ran.json["unchanged"], ran.json["added"]) == (0, 24, 0)
    assert "new library" not in ran.err


def test_ingest_counts_duplicates_moves_and_missing_files(typed: Run, photos: Path) -> None:
    typed("ingest", photos, "--embedder", "channel-mean")
    shutil.copy(photos / "red" / "000.jpg", photos / "red" / "copy.jpg")
    (photos / "blue" / "000.jpg").rename(photos / "blue" / "renamed.jpg")
    (photos / "green" / "000.jpg").unlink()
    make_photo(photos / "new.jpg", 777)
    found = typed("ingest", photos, "--json").json
    counts = {name: found[name] for name in ("added", "duplicate", "moved", "missing")}
    assert counts == {"added": 1, "duplicate": 1, "moved": 1, "missing": 1}
    assert found["unchanged"] == 22


def test_results_go_to_stdout_and_advice_to_stderr(typed: Run, photos: Path) -> None:
    (photos / "notes.txt").write_text("not a photo")
    ran = typed("ingest", photos, "--embedder", "channel-mean")
    assert [line.split() for line in ran.out.splitlines()[:2]] == [
        ["added", "24"],
        ["unchanged", "0"],
    ]
    assert "24 images in the library" in ran.out
    assert "organizer recluster" not in ran.out
    assert "not read: 1 file .txt" in ran.err
    assert "organizer recluster --k auto" in ran.err


def test_files_that_cannot_be_used_give_exit_code_three(typed: Run, photos: Path) -> None:
    broken = photos / "broken.jpg"
    broken.write_bytes(b"this is no picture")
    first = typed("ingest", photos, "--embedder", "channel-mean", "--json")
    assert (first.code, first.json["added"], first.json["broken"]) == (3, 24, 1)
    assert "organizer problems" in first.err
    again = typed("ingest", photos, "--json")
    assert (again.code, again.json["broken"]) == (3, 1)
    (problem,) = typed("problems", "--json").json["problems"]
    assert problem["path"] == str(broken)
    assert problem["reason"]
    assert "broken.jpg" in typed("problems").out
    broken.unlink()
    assert typed("ingest", photos).code == 0
    none = typed("problems")
    assert (none.code, none.out) == (0, "")
    assert typed("problems", "--json").json == {"problems": [], "damaged": []}


# Recluster, clusters, undo -------------------------------------------------------------------


@pytest.mark.usefixtures("own")
def test_recluster_finds_the_three_groups_and_gives_the_evidence(typed: Run) -> None:
    ran = typed("recluster", "--json")
    found = ran.json
    assert (ran.code, found["k"]) == (0, 3)
    assert sorted(row["count"] for row in found["clusters"]) == [8, 8, 8]
    assert {"cluster_id", "name", "count"} <= set(found["clusters"][0])
    assert {row["cluster_id"] for row in found["clusters"]} == set(found["lineage"]["kept"])
    assert {key: found["lineage"][key] for key in ("split", "merged", "born", "retired")} == {
        "split": [],
        "merged": [],
        "born": [],
        "retired": [],
    }
    assert found["lineage"]["images_moved"] == 0
    assert [row["k"] for row in found["evidence"]] == list(range(2, 11))
    assert all({"silhouette", "inertia"} <= set(row) for row in found["evidence"])
    best = max(found["evidence"], key=lambda row: row["silhouette"])
    assert best["k"] == 3
    assert "K-means" in found["algorithm"]


@pytest.mark.usefixtures("own")
def test_recluster_with_a_number_needs_no_evidence(typed: Run) -> None:
    found = typed("recluster", "--k", 5, "--json").json
    assert (found["k"], found["evidence"]) == (5, [])
    lineage = found["lineage"]
    assert len(lineage["kept"]) == 3
    assert len(lineage["born"]) == 2
    assert set(lineage["kept"]) | set(lineage["born"]) == set(_clusters(typed))


@pytest.mark.usefixtures("own")
def test_the_same_seed_gives_the_same_clusters(typed: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / ".organizer", other / ".organizer")
    first, second = (
        typed("recluster", "--k", 6, "--seed", 4, "--json", cwd=c) for c in (None, other)
    )
    assert first.json == second.json


@pytest.mark.usefixtures("own")
def test_recluster_prints_tables_to_stdout_only(typed: Run) -> None:
    ran = typed("recluster", "--k", "auto")
    best, scores, doubt = ran.out.splitlines()[:3]
    assert best.startswith("k = 3 (2 to 10 tried): the largest silhouette")
    assert scores.startswith("silhouette (space) 1.000, second best ")
    assert doubt.startswith("sure: the clusters are clear")
    assert "24 images in 3 clusters" in ran.out
    assert ran.err == "look at the clusters and name them: organizer open\n"
    dry = typed("recluster", "--k", "3", "--dry-run").err
    assert dry == "to make these clusters: the same command without --dry-run\n"


def test_clusters_are_listed_with_their_share_and_medoid(typed: Run, made: Path) -> None:
    ran = typed("clusters", "--json", cwd=made)
    rows = ran.json["clusters"]
    assert (ran.code, ran.err) == (0, "")
    assert [row["count"] for row in rows] == [8, 8, 8]
    assert [row["name"] for row in rows] == [None] * 3
    assert [row["share"] for row in rows] == pytest.approx([1 / 3] * 3)
    assert {Path(row["medoid"]).parent.name for row in rows} == _COLOURS
    assert all(Path(row["medoid"]).is_file() for row in rows)


def test_the_images_of_a_cluster_are_shown_most_typical_first(typed: Run, made: Path) -> None:
    for cluster_id in _clusters(typed, cwd=made):
        images = typed("clusters", "show", cluster_id, "--json", cwd=made).json["images"]
        assert len({image["image_id"] for image in images}) == 8
        assert len({Path(image["path"]).parent for image in images}) == 1
        assert {image["cluster_id"] for image in images} == {cluster_id}
        assert {image["state"] for image in images} == {"auto"}
        distances = [image["distance"] for image in images]
        assert distances == sorted(distances)


def test_the_table_of_a_cluster_names_its_files(typed: Run, made: Path) -> None:
    cluster_id = next(iter(_clusters(typed, cwd=made)))
    ran = typed("clusters", "show", cluster_id, cwd=made)
    assert f"cluster {cluster_id}: 8 images" in ran.out
    assert sum(line.strip().startswith("photos/") for line in ran.out.splitlines()) == 8


def test_a_name_is_kept_until_it_is_changed(typed: Run, own: Path) -> None:
    cluster_id = next(iter(_clusters(typed)))
    ran = typed("clusters", "rename", cluster_id, "  Red   fox ", "--json")
    assert (ran.code, ran.json["cluster_id"], ran.json["name"]) == (0, cluster_id, "Red fox")
    named = {row["cluster_id"]: row["name"] for row in typed("clusters", "--json").json["clusters"]}
    assert named[cluster_id] == "Red fox"
    assert sorted(named.values(), key=str) == [None, None, "Red fox"]
    typed("recluster", "--k", 3)
    assert f"cluster {cluster_id}, Red fox: 8 images" in typed("clusters", "show", cluster_id).out
    hits = typed("search", own / "red" / "000.jpg", "-n", 23, "--json").json["hits"]
    assert {hit["cluster_name"] for hit in hits if hit["cluster_id"] == cluster_id} == {"Red fox"}


@pytest.mark.usefixtures("own")
def test_undo_goes_back_to_the_previous_clusters(typed: Run) -> None:
    before = typed("clusters", "--json").json
    previous = typed("status", "--json").json["clustering_id"]
    typed("recluster", "--k", 6)
    assert len(_clusters(typed)) == 6
    ran = typed("undo", "--json")
    expected = {"clustering_id": previous, "k": 3, "undone": ["recluster 2"]}
    assert (ran.code, ran.json) == (0, expected)
    assert typed("clusters", "--json").json == before
    ran = typed("redo", "--json")
    assert (ran.code, ran.json["redone"], ran.json["k"]) == (0, ["recluster 2"], 6)
    assert typed("undo").code == 0


@pytest.mark.usefixtures("own")
def test_undo_names_the_clustering_it_goes_back_to(typed: Run) -> None:
    previous = typed("status", "--json").json["clustering_id"]
    typed("recluster", "--k", 2)
    ran = typed("undo")
    assert ran.out.startswith("undone: recluster 2\n")
    assert ran.out.endswith(f"clustering {previous} with 3 clusters is current\n")
    typed("clusters", "rename", 1, "Fox")
    assert typed("undo").out.startswith("undone: name Fox of cluster 1\n")
    assert typed("undo").code == 1  # there was only one
    assert typed("redo").out.startswith("done again: name Fox of cluster 1\n")
    assert typed("redo").code == 1


# New photos ----------------------------------------------------------------------------------


def test_new_photos_are_assigned_and_no_other_moves(typed: Run, own: Path, tmp_path: Path) -> None:
    before = _assignments(typed)
    for i in range(4):
        make_photo(tmp_path / "card" / f"{i}.jpg", 500 + i, colour=(200, 40, 40))
    found = typed("ingest", "card", "--json").json
    assert (found["added"], found["joined"], found["images"]) == (4, 4, 28)
    after = _assignments(typed)
    assert {path: after[path] for path in before} == before
    reds = {after[str(own / "red" / f"{i:03}.jpg")] for i in range(8)}
    assert {after[str(tmp_path / "card" / f"{i}.jpg")] for i in range(4)} == reds


@pytest.mark.usefixtures("own")
def test_ingest_prints_assigned_and_unassigned_images_and_novel_clusters(
    typed: Run, tmp_path: Path
) -> None:
    make_photo(tmp_path / "card" / "red.jpg", 500, colour=(200, 40, 40))
    for i in range(14):
        make_photo(tmp_path / "card" / f"white{i}.jpg", 600 + i, colour=(230, 230, 230))
    make_photo(tmp_path / "card" / "black.jpg", 700, colour=(20, 20, 20))
    assert typed("ingest", "card").out.splitlines()[-4:] == [
        "1 image assigned, 15 unassigned; 1 novel cluster found",
        "cluster 2 +1; new: cluster 4 with 14",
        "1 image still unassigned",
        "40 images in the library",
    ]
    status = typed("status").out.splitlines()
    assert "unassigned  1 of 40 images" in status
    assert "since then  16 images added" in status
    assert "1 image unassigned: organizer clusters show unassigned" in typed("clusters").err
    assert "unassigned: 1 image" in typed("clusters", "show", "unsure").out


@pytest.mark.usefixtures("own")
def test_recluster_prints_the_lineage(typed: Run) -> None:
    lines = typed("recluster", "--k", 4).out.splitlines()
    assert "24 images in 4 clusters" in "\n".join(lines)
    (changes,) = (line for line in lines if line.startswith("kept "))
    assert changes.startswith("kept 3, new 1, retired 0, split 1, merged 0; ")
    assert changes.endswith((" images moved", " 1 image moved"))
    assert "new: 4" in lines


@pytest.mark.parametrize(("name", "former"), [("new", "gather"), ("exclude", "not")])
def test_a_former_name_of_a_command_works_and_is_not_in_the_help(
    typed: Run, own: Path, name: str, former: str
) -> None:
    photo = own / "red" / "000.jpg"
    (red,) = {i for path, i in _assignments(typed).items() if path == str(photo)}
    options = {"new": ("--name", "Owl"), "exclude": ("--in", red)}[name]
    by_name = typed("clusters", name, photo, *options, "--json")
    assert (by_name.code, by_name.json["images"]) == (0, 1), by_name.err
    assert _assignments(typed).get(str(photo)) != red
    assert typed("undo").code == 0
    by_former_name = typed("clusters", former, photo, *options, "--json")
    assert by_former_name.code == 0, by_former_name.err
    assert by_former_name.json["kind"] == by_name.json["kind"]
    assert _assignments(typed).get(str(photo)) != red
    listed = [line.split()[0] for line in typed("clusters", "--help").out.splitlines() if line]
    assert name in listed
    assert former not in listed


def _assignments(typed: Run) -> dict[str, int]:
    shown = [typed("clusters", "show", i, "--json").json["images"] for i in _clusters(typed)]
    return {image["path"]: image["cluster_id"] for images in shown for image in images}


# Where the library is ------------------------------------------------------------------------


def test_the_library_is_found_upwards_from_a_folder_below(typed: Run, made: Path) -> None:
    found = typed("status", "--json", cwd=made / "photos" / "red").json
    assert (found["library"], found["images"]) == (str(made / ".organizer"), 24)


@pytest.mark.usefixtures("own")
def test_ingest_from_a_folder_below_takes_the_library_above(typed: Run, tmp_path: Path) -> None:
    make_photo(tmp_path / "deep" / "down" / "new.jpg", 5)
    ran = typed("ingest", ".", "--json", cwd=tmp_path / "deep" / "down")
    assert (ran.json["added"], ran.json["images"]) == (1, 25)
    assert not (tmp_path / "deep" / "down" / ".organizer").exists()


@pytest.mark.parametrize("last", ["", ".organizer"])
def test_a_library_is_named_by_itself_or_by_its_folder(
    typed: Run, made: Path, tmp_path: Path, last: str
) -> None:
    named = made / last
    by_option = typed("status", "--json", "--library", named)
    by_variable = typed("status", "--json", env={"ORGANIZER_LIBRARY": str(named)})
    assert by_option.json == by_variable.json
    assert by_option.json["library"] == str(made / ".organizer")
    assert not (tmp_path / ".organizer").exists()


def test_the_option_wins_over_the_variable(typed: Run, made: Path, tmp_path: Path) -> None:
    variable = {"ORGANIZER_LIBRARY": str(tmp_path / "elsewhere")}
    found = typed("status", "--json", "--library", made, env=variable)
    assert found.json["images"] == 24
    assert typed("status", cwd=made, env=variable).code == 1


def test_ingest_makes_the_library_at_the_given_path(
    typed: Run, photos: Path, tmp_path: Path
) -> None:
    words = ("ingest", photos, "--embedder", "channel-mean")
    ran = typed(*words, "--library", "put/it/here")
    assert f"new library: {tmp_path / 'put' / 'it' / 'here' / '.organizer'}" in ran.err
    assert typed("status", "--json", "--library", "put/it/here").json["images"] == 24
    assert not (tmp_path / ".organizer").exists()


# Who decides ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
def test_the_history_shows_who_decided(typed: Run) -> None:
    clusters = typed("clusters", "--json").json["clusters"]
    ids = [cluster["cluster_id"] for cluster in clusters]
    assert typed("clusters", "pin", ids[0], "--user", "Ann").code == 0
    assert typed("clusters", "pin", ids[1], env={"ORGANIZER_USER": "Jörg B."}).code == 0
    assert typed("undo", "--user", "").code == 0
    events = typed("clusters", "history", "--json").json["events"]
    assert [event["user"] for event in events[-3:]] == ["Ann", "Jörg B.", ""]
    ran = typed("clusters", "history")
    width = max(len(event["user"]) for event in events)
    assert ran.out.splitlines()[-1].endswith(f" UTC  {'Ann':<{width}}  cluster {ids[0]} pinned")
    assert ran.err == "left out, as it was undone: 2 lines (--all)\n"
    whole = typed("clusters", "history", "--all").out
    shown = [line.partition(" UTC  ")[2] for line in whole.splitlines()]
    assert shown[-3:] == [
        f"{'Ann':<{width}}  cluster {ids[0]} pinned",
        f"{'Jörg B.':<{width}}  cluster {ids[1]} pinned (undone)",
        f"{'':<{width}}  undone: cluster {ids[1]} pinned",
    ]
    refused = typed("clusters", "pin", ids[0], "--user", "Ann\nBen")
    assert (refused.code, refused.out) == (2, "")
    assert "'user'" in refused.err
    assert "on one line" in refused.err


# Status and models ---------------------------------------------------------------------------


def test_status_counts_what_there_is(typed: Run, made: Path) -> None:
    found = typed("status", "--json", cwd=made).json
    wanted = {"images": 24, "files": 24, "problems": 0, "k": 3, "unsure": 0}
    assert {key: found[key] for key in wanted} == wanted
    assert found["embedder"] == "channel-mean"
    assert isinstance(found["clustering_id"], int)
    assert found["roots"] == [str(made / "photos")]


def test_status_before_the_first_clustering(typed: Run, photos: Path) -> None:
    typed("ingest", photos, "--embedder", "channel-mean")
    found = typed("status", "--json")
    assert (found.json["k"], found.json["clustering_id"]) == (0, None)
    assert "organizer recluster" not in found.out + found.err
    assert "organizer recluster" in typed("status").err


def test_models_lists_every_embedder_with_one_default(typed: Run) -> None:
    listed = typed("models", "--json").json["models"]
    by_name = {model["name"]: model for model in listed}
    assert {"mobilenet_v2", "resnet50", "vgg16", "hog", "hsv", "channel-mean"} <= set(by_name)
    assert [name for name, model in by_name.items() if model["default"]] == ["efficientnet_lite2"]
    assert by_name["channel-mean"]["dim"] == 6
    assert by_name["channel-mean"]["weights"] == "none needed"
    assert by_name["mobilenet_v2"]["weights"] == "downloadable"
    table = typed("models").out
    assert all(name in table for name in by_name)


# Search --------------------------------------------------------------------------------------


def test_search_equals_brute_force(typed: Run, made: Path) -> None:
    query = made / "photos" / "green" / "003.jpg"
    ran = typed("search", query, "-n", 23, "--json", cwd=made)
    assert (ran.code, ran.err) == (0, "")
    hits = ran.json["hits"]
    others = [file for file in (made / "photos").rglob("*.jpg") if file != query]
    assert {hit["path"] for hit in hits} == {str(file) for file in others}
    # Vectors are kept in half precision.
    wanted = [_distance(query, Path(hit["path"])) for hit in hits]
    assert [hit["distance"] for hit in hits] == pytest.approx(wanted, abs=2e-3)
    assert all(Path(hit["path"]).parent.name == "green" for hit in hits[:7])
    assert {hit["cluster_id"] for hit in hits} == set(_clusters(typed, cwd=made))
    assert {hit["cluster_name"] for hit in hits} == {None}
    assert len({hit["image_id"] for hit in hits}) == 23


def test_a_photo_outside_the_library_is_searched_for(
    typed: Run, made: Path, tmp_path: Path
) -> None:
    query = make_photo(tmp_path / "query.jpg", 31, colour=(40, 40, 200))
    hits = typed("search", query, "--json", "-n", 8, "--library", made).json["hits"]
    assert {Path(hit["path"]).parent.name for hit in hits} == {"blue"}
    wanted = [_distance(query, Path(hit["path"])) for hit in hits]
    assert [hit["distance"] for hit in hits] == pytest.approx(wanted, abs=2e-3)


def test_a_copy_outside_the_library_finds_the_original_first(
    typed: Run, made: Path, tmp_path: Path
) -> None:
    original = made / "photos" / "red" / "002.jpg"
    copy = shutil.copy(original, tmp_path / "copy.jpg")
    hits = typed("search", copy, "--json", "-n", 3, "--library", made).json["hits"]
    assert hits[0]["path"] == str(original)
    assert hits[0]["distance"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("option", ["-n", "--limit", "-t", "--top"])
def test_only_as_many_hits_as_asked_for(typed: Run, made: Path, option: str) -> None:
    ran = typed("search", "photos/red/000.jpg", "--filepath-only", option, 3, cwd=made)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert len(set(lines)) == 3
    assert all(Path(line).is_absolute() and Path(line).is_file() for line in lines)


def test_a_search_finds_at_most_what_there_is(typed: Run, made: Path) -> None:
    ran = typed("search", "photos/red/000.jpg", "-f", "-n", 500, cwd=made)
    assert len(ran.out.splitlines()) == 23


def test_the_table_of_hits_is_numbered(typed: Run, made: Path) -> None:
    ran = typed("search", "photos/red/000.jpg", "-n", 2, cwd=made)
    rows = [line.split() for line in ran.out.splitlines() if "photos/red" in line]
    assert [row[0] for row in rows] == ["1", "2"]


def test_a_photo_with_a_zero_vector_is_clustered_and_found(
    typed: Run, own: Path, tmp_path: Path
) -> None:
    # The channel-mean of black is the zero vector.
    black = tmp_path / "black.png"
    Image.new("RGB", (32, 32)).save(black)
    outside = typed("search", black, "--json", "-n", 5)
    assert "Traceback" not in outside.err
    assert (outside.code == 0 and len(outside.json["hits"]) == 5) or "error:" in outside.err
    typed("ingest", black)
    assert typed("recluster", "--k", 3, "--json").code == 0
    inside = typed("search", own / "red" / "000.jpg", "--json", "-n", 23)
    assert len(inside.json["hits"]) == 23
    assert str(black) not in [hit["path"] for hit in inside.json["hits"][:7]]
    assert typed("report", "--json").json["silhouette"] > 0


# Report --------------------------------------------------------------------------------------


def test_report_without_labels_has_the_silhouette_of_scikit_learn(typed: Run, made: Path) -> None:
    from sklearn.metrics import silhouette_score

    ran = typed("report", "--json", cwd=made)
    files = sorted((made / "photos").rglob("*.jpg"))
    vectors = np.array([_vector(file) for file in files])
    wanted = silhouette_score(vectors, [file.parent.name for file in files])
    assert ran.json["silhouette"] == pytest.approx(wanted, abs=5e-3)
    assert len(ran.json["per_cluster"]) == 3
    assert not {"purity", "nmi", "ari", "acc"} & set(ran.json)


def test_folders_are_labels(typed: Run, made: Path) -> None:
    found = typed("report", "--labels", "folders", "--json", cwd=made).json
    scores = {key: found[key] for key in ("purity", "nmi", "ari", "acc")}
    assert scores == pytest.approx({"purity": 1, "nmi": 1, "ari": 1, "acc": 1})
    assert found["n_labelled"] == 24
    assert {row["majority"] for row in found["per_cluster"]} == _COLOURS
    assert [row["purity"] for row in found["per_cluster"]] == [1, 1, 1]


@pytest.mark.parametrize("base", ["the file's folder", "the ingested folder", "nothing"])
def test_a_csv_file_holds_labels(typed: Run, made: Path, tmp_path: Path, base: str) -> None:
    photos = made / "photos"
    folder = photos.parent if base == "the file's folder" else tmp_path
    from_here = {"the file's folder": folder, "the ingested folder": photos}.get(base)
    table = folder / f"labels {base[:3]}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        for photo in sorted(photos.rglob("*.jpg")):
            path = photo.relative_to(from_here) if from_here else photo
            # Two classes: red alone, and the rest.
            writer.writerow([path, "warm" if photo.parent.name == "red" else "cold"])
    words = ("report", "--labels", table, "--library", made)
    found = typed(*words, "--json", cwd=tmp_path).json
    assert (found["n_labelled"], found["purity"]) == (24, 1)
    assert found["acc"] == pytest.approx(16 / 24)
    assert {row["majority"] for row in found["per_cluster"]} == {"warm", "cold"}


def test_labels_of_a_folder_and_a_name_in_two_columns(
    typed: Run, made: Path, tmp_path: Path
) -> None:
    """Each colour has photos of the same names."""
    table = tmp_path / "labels.csv"
    photos = sorted((made / "photos").rglob("*.jpg"))
    lines = [f"{photo.parent.name},{photo.name},{photo.parent.name}" for photo in photos]
    table.write_bytes("\r\n".join(["RelativePath,File,Species", *lines, ""]).encode())
    words = ("report", "--labels", table, "--library", made)
    found = typed(*words, "--json", cwd=tmp_path).json
    assert (found["n_labelled"], found["n_classes"], found["unmatched_labels"]) == (24, 3, 0)
    assert {row["majority"] for row in found["per_cluster"]} == {"red", "green", "blue"}
    backslashes = [f"{photo.parent.name}\\{photo.name},{photo.parent.name}" for photo in photos]
    table.write_text("\n".join(["file,label", *backslashes]))
    assert typed(*words, "--json", cwd=tmp_path).json["n_labelled"] == 24
    names = [f"{photo.name},{photo.parent.name}" for photo in photos]
    table.write_text("\n".join(["file,label", *names]))
    ran = typed(*words, cwd=tmp_path)
    assert ran.code == 2
    assert "8 labels fit several photos and were left out; write their folders too" in ran.err


def test_labels_of_unknown_files_are_reported(typed: Run, made: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    photo = made / "photos" / "red" / "000.jpg"
    table.write_text(f"path,label\n{photo},fox\ngone.jpg,hare\nlost.jpg,hare\n")
    ran = typed("report", "--labels", table, "--json", "--library", made)
    assert ran.json["n_labelled"] == 1
    assert "2 labels are of files that are not in the library" in ran.err
    assert "1 of 24 images" in ran.err


def test_the_report_names_its_numbers(typed: Run, made: Path) -> None:
    ran = typed("report", "--labels", "folders", cwd=made)
    assert "purity 1.000, NMI 1.000, ARI 1.000, ACC 1.000 on 24 labelled images" in ran.out
    assert ran.err == "as a page with pictures: organizer report --html report.html\n"


# Browse --------------------------------------------------------------------------------------


def _viewer(folder: Path) -> tuple[str, Path]:
    """A viewer that notes what it was asked to open, and its notes."""
    script, notes = folder / "viewer.py", folder / "opened.txt"
    script.write_text(
        f"import sys\nwith open({str(notes)!r}, 'a') as file: print(*sys.argv[1:], file=file)\n"
    )
    return shlex.join([sys.executable, str(script)]), notes


def _shown(text: str) -> list[str]:
    """The photos whose neighbours were shown, in order."""
    return [line for line in text.splitlines() if line.startswith("photos/")]


def test_browse_walks_by_number_and_back(typed: Run, made: Path) -> None:
    first = "photos/red/000.jpg"
    near = typed("search", first, "-n", 9, "--json", cwd=made).json["hits"]
    second = str(Path(near[1]["path"]).relative_to(made))
    ran = typed("browse", first, cwd=made, stdin="2\nb\nq\n3\n")
    assert ran.code == 0
    assert _shown(ran.out) == [first, second, first]


def test_browse_ends_with_its_input(typed: Run, made: Path) -> None:
    ran = typed("browse", "photos/red/000.jpg", "-n", 2, cwd=made, stdin="")
    assert ran.code == 0
    assert _shown(ran.out) == ["photos/red/000.jpg"]
    assert ran.out.count(".jpg") == 3


def test_browse_opens_pictures_with_the_viewer(typed: Run, made: Path, tmp_path: Path) -> None:
    viewer, notes = _viewer(tmp_path)
    first = made / "photos" / "red" / "000.jpg"
    near = typed("search", first, "-n", 9, "--json", cwd=made).json["hits"]
    ran = typed(
        "browse", first, cwd=made, env={"ORGANIZER_VIEWER": viewer}, stdin="o 3\no\n1\no\nq\n"
    )
    assert ran.code == 0
    wanted = [near[2]["path"], str(first), near[0]["path"]]
    assert notes.read_text().splitlines() == wanted


def test_the_viewer_may_be_an_option(typed: Run, made: Path, tmp_path: Path) -> None:
    viewer, notes = _viewer(tmp_path)
    typed("browse", "photos/red/000.jpg", "--viewer", viewer, cwd=made, stdin="o 1\n")
    assert len(notes.read_text().splitlines()) == 1


def test_a_viewer_that_fails_is_reported_and_browse_goes_on(typed: Run, made: Path) -> None:
    ran = typed("browse", "photos/red/000.jpg", "--viewer", "false", cwd=made, stdin="o 1\n1\n")
    assert ran.code == 0
    assert "no viewer opened" in ran.err
    assert len(_shown(ran.out)) == 2


@pytest.mark.parametrize("viewer", ["no-such-program-here", "view 'half a quote"])
def test_a_viewer_that_cannot_run_is_an_error(typed: Run, made: Path, viewer: str) -> None:
    ran = typed("browse", "photos/red/000.jpg", "--viewer", viewer, cwd=made, stdin="o 1\n")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert ran.err.count("error:") == 1


@pytest.mark.parametrize("word", ["nonsense", "0", "99", "-1", "o 99", "o x", "²", "b", "1.5"])
def test_browse_ignores_input_that_is_no_command(typed: Run, made: Path, word: str) -> None:
    ran = typed("browse", "photos/red/000.jpg", cwd=made, stdin=f"{word}\n1\n")
    assert ran.code == 0
    assert "Traceback" not in ran.err
    assert "there is no neighbour" in ran.err
    assert len(_shown(ran.out)) == 2


def test_browse_prints_json_line_by_line(typed: Run, made: Path) -> None:
    import json

    ran = typed("browse", "photos/red/000.jpg", "--json", "-n", 4, cwd=made, stdin="1\nq\n")
    first, second = (json.loads(line) for line in ran.out.splitlines())
    assert first["path"] == str(made / "photos" / "red" / "000.jpg")
    assert second["path"] == first["hits"][0]["path"]
    assert len(first["hits"]) == 4


# Pipes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reader"),
    [
        ("search photos/red/000.jpg -n 23 --filepath-only", "head -1"),
        ("search photos/red/000.jpg -n 23 --json", "true"),
        ("search photos/red/000.jpg -n 23", "true"),
        ("--help", "true"),
    ],
)
def test_a_reader_that_closes_the_pipe_is_no_error(made: Path, words: str, reader: str) -> None:
    program = shlex.join([sys.executable, "-m", "organizer"])
    done = subprocess.run(
        ["bash", "-c", f"{program} {words} | {reader}; exit ${{PIPESTATUS[0]}}"],
        cwd=made,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == (1 if reader == "head -1" else 0)


def test_paths_can_be_piped_on(typed: Run, made: Path) -> None:
    found = typed("search", "photos/blue/000.jpg", "-f", "-n", 3, cwd=made).out
    done = subprocess.run(
        ["xargs", "-d", "\n", "ls"],
        input=found,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == sorted(found.splitlines())


# Near-duplicates ------------------------------------------------------------------------------


def test_frames_of_a_burst_are_clustered_like_any_photos(typed: Run, tmp_path: Path) -> None:
    for i in range(12):
        pixels = np.full((48, 64, 3), 120, np.uint8)
        pixels[i, 1] = 3 * i
        (tmp_path / "burst").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "burst" / f"{i:02}.png")
    assert typed("ingest", "burst", "--embedder", "channel-mean").code == 0
    for k in ("auto", "5", "9"):
        ran = typed("recluster", "--k", k, "--json")
        assert "Traceback" not in ran.err
        # Frames that are nearly equal may be refused, with a reason.
        if ran.code == 0:
            assert sum(row["count"] for row in ran.json["clusters"]) == 12
        else:
            assert ran.code in {1, 2}
            assert ran.err.count("error: ") == 1


def test_the_help_names_the_space_that_is_taken(typed: Run) -> None:
    from organizer.settings import DEFAULT_REDUCER

    assert f"{DEFAULT_REDUCER} if not" in " ".join(typed("recluster", "--help").out.split())
