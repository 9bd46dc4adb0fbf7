"""Folders that a person changed in a file manager become decisions that hold for good."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from organizer.arrange import ArrangeMode
from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.library.folders.read_back.names import name_from_folder
from organizer.library.folders.read_back.report import LabelledCluster
from organizer.settings import Settings
from organizer.types import NOISE, DecisionKind
from tests.arranged import (
    EACH,
    cluster_at,
    clusters_at,
    counts,
    cut_before_new_clusters,
    files_in,
    home,
    home_of,
    library,
    made,
    named,
    names_in,
)
from tests.conftest import examples, make_photo
from tests.test_arranging import arrange

__all__ = ["home", "library", "made"]

RED, GREEN, BLUE = ("photos/red/000.jpg", "photos/green/000.jpg", "photos/blue/000.jpg")
MODES = [
    ArrangeMode.LINK,
    ArrangeMode.MOVE,
    pytest.param(ArrangeMode.SYMLINK, marks=pytest.mark.slow),
    pytest.param(ArrangeMode.COPY, marks=pytest.mark.slow),
]


def called(library: Library) -> dict[str, list[str]]:
    """The photos of each cluster by its name, a photo by the folder and file it was ingested as."""
    found: dict[str, list[str]] = {}
    for path, cluster_id in clusters_at(library).items():
        name = library.clusters.name_of(cluster_id) or str(cluster_id)
        found.setdefault(name, []).append(path)
    return found


@pytest.fixture
def animals(library: Library) -> Library:
    """Fox, badger and lynx."""
    named(library, red="fox", green="badger", blue="lynx")
    return library


# Whole cycles -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_what_a_person_did_in_a_file_manager_becomes_decisions(
    animals: Library, mode: ArrangeMode
) -> None:
    home = home_of(animals)
    before, known = files_in(home / "photos"), clusters_at(animals)
    fox, badger, lynx = (cluster_at(animals, path) for path in (RED, GREEN, BLUE))
    folder = arrange(animals, mode)
    (folder / "fox" / "000.jpg").rename(folder / "badger" / "mine.jpg")
    (folder / "cub").mkdir()
    for name in ("001.jpg", "002.jpg"):
        (folder / "fox" / name).rename(folder / "cub" / name)
    (folder / "lynx").rename(folder / "bobcat")
    preview = animals.folders.read_back(folder, dry_run=True)
    assert preview.renamed == [(LabelledCluster(lynx, "lynx"), "bobcat")]
    assert preview.moved == [(LabelledCluster(fox, "fox"), LabelledCluster(badger, "badger"), 1)]
    assert preview.new_clusters == [("cub", 2)]
    assert clusters_at(animals) == known or mode is ArrangeMode.MOVE
    assert animals.folders.read_back(folder).applied
    again = animals.folders.read_back(folder)
    assert not again.has_decisions
    assert again.relocated == 0
    found = {name: len(paths) for name, paths in called(animals).items()}
    assert found == {"fox": EACH - 3, "badger": EACH + 1, "cub": 2, "bobcat": EACH}
    settled = clusters_at(animals)
    animals.recluster(k=4)
    assert clusters_at(animals) == settled
    where = [home / "photos"] if mode is not ArrangeMode.MOVE else [home / "photos", folder]
    assert counts(animals.ingest(where)) == {"unchanged": 3 * EACH}
    undone = animals.folders.undo()
    assert files_in(home / "photos") == before
    if mode is not ArrangeMode.MOVE:
        assert undone.results.total() == 0
    assert not names_in(folder) if folder.exists() else True
    assert counts(animals.ingest([home / "photos"])) == {"unchanged": 3 * EACH}


def test_a_second_arrangement_goes_on_from_what_was_read_back(animals: Library) -> None:
    folder = arrange(animals, ArrangeMode.MOVE)
    (folder / "fox").rename(folder / "hare")
    animals.folders.read_back(folder)
    plan = home_of(animals) / "next.csv"
    told = animals.folders.arrange(ArrangeOptions(folder, ArrangeMode.MOVE), plan=plan)
    assert (told.done, told.there) == (0, 3 * EACH), "every file is where it would be put"
    make_photo(home_of(animals) / "photos" / "red" / "900.jpg", 905, colour=(200, 40, 40))
    animals.ingest([home_of(animals) / "photos", folder])
    arrange(animals, ArrangeMode.MOVE)
    assert "hare/900.jpg" in names_in(folder)
    (folder / "hare" / "900.jpg").rename(folder / "lynx" / "900.jpg")
    said = animals.folders.read_back(folder)
    assert said.moved[0][1:] == (
        LabelledCluster(cluster_at(animals, "sorted/lynx/000.jpg"), "lynx"),
        1,
    )
    animals.folders.undo()
    animals.folders.undo()
    assert names_in(home_of(animals) / "photos")[-1] == "red/900.jpg"


# One by one ---------------------------------------------------------------------------------


def test_a_whole_folder_put_into_another_makes_one_cluster_of_two(animals: Library) -> None:
    folder = arrange(animals)
    (folder / "badger").rename(folder / "fox" / "badger")
    told = animals.folders.read_back(folder)
    fox = cluster_at(animals, RED)
    assert [(source.name, into.name, n) for source, into, n in told.merged] == [
        ("badger", "fox", EACH)
    ]
    assert cluster_at(animals, GREEN) == fox
    assert animals.store.decisions.all()[-1].kind is DecisionKind.MERGE
    assert not animals.folders.read_back(folder).has_decisions
    animals.recluster(k=3)
    assert cluster_at(animals, GREEN) == fox
    assert animals.clusters.name_of(fox) == "fox"


def test_clusters_that_passed_all_their_photos_on_have_what_their_folders_have(
    animals: Library,
) -> None:
    fox, badger, lynx = (cluster_at(animals, path) for path in (RED, GREEN, BLUE))
    folder = arrange(animals)
    for number in range(EACH):
        name = f"{number:03}.jpg"
        (folder / "badger" / name).rename(folder / "lynx" / f"b{name}")
        (folder / "fox" / name).rename(folder / "badger" / f"f{name}")
    told = animals.folders.read_back(folder)
    assert not told.merged
    assert (cluster_at(animals, RED), cluster_at(animals, GREEN)) == (badger, lynx)
    assert cluster_at(animals, BLUE) == lynx
    assert fox not in clusters_at(animals).values()
    assert (animals.clusters.name_of(badger), animals.clusters.name_of(lynx)) == ("badger", "lynx")
    assert not animals.folders.read_back(folder).has_decisions


def test_a_cluster_of_which_more_is_known_than_the_folder_had_is_not_merged(
    animals: Library,
) -> None:
    folder = arrange(animals)
    photos = home_of(animals) / "photos"
    for number in range(4):
        make_photo(photos / "green" / f"9{number}.jpg", 500 + number, colour=(40, 200, 40))
    animals.ingest([photos])
    later = cluster_at(animals, "photos/green/90.jpg")
    (folder / "badger").rename(folder / "fox" / "badger")
    told = animals.folders.read_back(folder)
    assert not told.merged
    assert told.moved[0][2] == EACH
    assert cluster_at(animals, "photos/green/90.jpg") == later


def test_an_image_that_was_excluded_from_a_cluster_and_is_dragged_there_is_in_it(
    animals: Library,
) -> None:
    fox = cluster_at(animals, RED)
    green = home_of(animals) / GREEN
    animals.corrections.exclude([green], fox)
    folder = arrange(animals)
    at = next(name for name in names_in(folder) if (folder / name).samefile(green))
    (folder / at).rename(folder / "fox" / "g.jpg")
    animals.folders.read_back(folder)
    assert cluster_at(animals, GREEN) == fox
    animals.recluster(k=3)
    assert cluster_at(animals, GREEN) == fox


def test_folders_that_swap_their_names_swap_those_of_the_clusters(animals: Library) -> None:
    fox, badger = cluster_at(animals, RED), cluster_at(animals, GREEN)
    folder = arrange(animals)
    (folder / "fox").rename(folder / "x")
    (folder / "badger").rename(folder / "fox")
    (folder / "x").rename(folder / "badger")
    told = animals.folders.read_back(folder)
    assert [(cluster.cluster_id, name) for cluster, name in told.renamed] == sorted(
        [(fox, "badger"), (badger, "fox")]
    )
    assert (animals.clusters.name_of(fox), animals.clusters.name_of(badger)) == ("badger", "fox")
    assert (cluster_at(animals, RED), cluster_at(animals, GREEN)) == (fox, badger)
    assert not animals.folders.read_back(folder).has_decisions


def test_photos_put_to_the_unsure_leave_their_cluster_for_good(animals: Library) -> None:
    fox = cluster_at(animals, RED)
    folder = arrange(animals)
    (folder / "unsure").mkdir()
    (folder / "fox" / "000.jpg").rename(folder / "unsure" / "000.jpg")
    told = animals.folders.read_back(folder)
    assert told.left == [(LabelledCluster(fox, "fox"), 1)]
    assert cluster_at(animals, RED) != fox
    animals.recluster(k=3)
    assert cluster_at(animals, RED) != fox
    assert not animals.folders.read_back(folder).has_decisions


def test_a_folder_named_out_of_the_unsure_is_a_new_cluster(animals: Library) -> None:
    fox = cluster_at(animals, RED)
    animals.corrections.exclude([home_of(animals) / "photos/red/000.jpg"], fox)
    assert cluster_at(animals, RED) == NOISE
    folder = arrange(animals)
    (folder / "unsure").rename(folder / "hare")
    assert animals.folders.read_back(folder).new_clusters == [("hare", 1)]
    assert animals.clusters.name_of(cluster_at(animals, RED)) == "hare"


def test_what_is_gone_copied_or_loose_means_nothing_and_unknown_files_are_listed(
    animals: Library,
) -> None:
    known = clusters_at(animals)
    folder = arrange(animals)
    (folder / "fox" / "000.jpg").unlink()
    shutil.copy(folder / "fox" / "001.jpg", folder / "badger" / "copy.jpg")
    (folder / "fox" / "002.jpg").rename(folder / "002.jpg")
    make_photo(folder / "fox" / "unknown.jpg", 99)
    told = animals.folders.read_back(folder)
    assert not told.has_decisions
    assert (told.gone, told.loose) == (1, 1)
    assert told.contradictory == [(folder / "fox" / "001.jpg", ["badger", "fox"])]
    assert told.unknown_files == [folder / "fox" / "unknown.jpg"]
    assert clusters_at(animals) == known
    assert (animals.folders.read_back(folder).gone, animals.folders.read_back(folder).loose) == (
        0,
        0,
    )


def test_a_named_cluster_that_was_emptied_is_gone_and_its_name_is_free(
    animals: Library,
) -> None:
    folder = arrange(animals)
    (folder / "old").mkdir()
    (folder / "young").mkdir()
    files = sorted((folder / "fox").iterdir())
    for file in files[:3]:
        file.rename(folder / "badger" / f"f{file.name}")
    for file in files[3:5]:
        file.rename(folder / "young" / file.name)
    files[5].rename(folder / "old" / files[5].name)
    animals.folders.read_back(folder)
    found = called(animals)
    assert {name: len(paths) for name, paths in found.items()} == {
        "badger": EACH + 3,
        "lynx": EACH,
        "young": 2,
        "old": 1,
    }
    animals.recluster(k=4)
    assert called(animals) == found
    animals.corrections.rename(cluster_at(animals, BLUE), "fox")


def test_a_cluster_that_was_merged_since_is_followed(animals: Library) -> None:
    folder = arrange(animals)
    fox, badger, lynx = (cluster_at(animals, path) for path in (RED, GREEN, BLUE))
    animals.corrections.merge([lynx, badger])
    (folder / "fox" / "000.jpg").rename(folder / "badger" / "f.jpg")
    told = animals.folders.read_back(folder)
    assert told.moved == [(LabelledCluster(fox, "fox"), LabelledCluster(lynx, "lynx"), 1)]
    assert cluster_at(animals, RED) == lynx


def test_a_cluster_that_is_gone_is_reported(animals: Library) -> None:
    folder = arrange(animals)
    animals.corrections.retire(cluster_at(animals, GREEN))
    (folder / "fox" / "000.jpg").rename(folder / "badger" / "f.jpg")
    told = animals.folders.read_back(folder)
    assert not told.has_decisions
    assert "is gone" in told.not_applied[0]


def test_what_is_interrupted_between_two_decisions_is_done_by_the_next_read_back(
    animals: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = arrange(animals)
    (folder / "lynx").rename(folder / "bobcat")
    (folder / "fox" / "000.jpg").rename(folder / "badger" / "f.jpg")
    (folder / "cub").mkdir()
    (folder / "fox" / "001.jpg").rename(folder / "cub" / "001.jpg")
    cut_before_new_clusters(animals, folder, monkeypatch)
    with Library.open(home_of(animals), Settings()) as next_one:
        told = next_one.folders.read_back(folder)
        assert [name for _, name in told.renamed] == ["bobcat"]
        assert (len(told.moved), told.new_clusters) == (1, [("cub", 1)])
        assert {name: len(paths) for name, paths in called(next_one).items()} == {
            "fox": EACH - 2,
            "badger": EACH + 1,
            "bobcat": EACH,
            "cub": 1,
        }


def test_a_read_back_that_is_interrupted_is_done_once_and_is_one_step(
    animals: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = arrange(animals)
    (folder / "badger").rename(folder / "fox" / "badger")
    (folder / "cub").mkdir()
    (folder / "lynx" / "001.jpg").rename(folder / "cub" / "001.jpg")
    cut_before_new_clusters(animals, folder, monkeypatch)
    with Library.open(home_of(animals), Settings()) as next_one:
        told = next_one.folders.read_back(folder)
        assert (len(told.merged), told.moved, told.new_clusters) == (1, [], [("cub", 1)])
        assert len(next_one.corrections.history()[-1].what) > 0
        assert len(next_one.undo().what) == 2, "one step"
        next_one.redo()
        assert not next_one.folders.read_back(folder).has_decisions


def test_a_photo_that_is_not_clustered_yet_is_decided_about_once_it_is(animals: Library) -> None:
    photos = home_of(animals) / "photos"
    make_photo(photos / "late.jpg", 77, colour=(200, 40, 40))
    animals.ingest([photos], embedder="hsv")
    folder = arrange(animals)
    (folder / "unsure" / "late.jpg").rename(folder / "badger" / "late.jpg")
    for _ in range(2):
        told = animals.folders.read_back(folder)
        assert told.not_applied == ("1 image is in no clustering yet",)
        assert not told.has_decisions
    animals.ingest([photos], embedder="channel-mean")
    assert cluster_at(animals, "photos/late.jpg") == cluster_at(animals, RED)
    assert animals.folders.read_back(folder).moved[0][1].name == "badger"
    assert cluster_at(animals, "photos/late.jpg") == cluster_at(animals, GREEN)


# What cannot be read ------------------------------------------------------------------------


def test_folders_that_are_not_those_of_clusters_are_refused(
    animals: Library, tmp_path: Path
) -> None:
    folder = arrange(animals, by="camera", to="cameras")
    with pytest.raises(SettingsError, match="are not those of clusters"):
        animals.folders.read_back(folder)
    with pytest.raises(SettingsError, match="nothing is arranged in") as caught:
        animals.folders.read_back(tmp_path)
    assert str(folder) in caught.value.hint
    shutil.rmtree(folder)
    folder = arrange(animals, to="sorted")
    for file in folder.rglob("*.jpg"):
        file.unlink()
    with pytest.raises(SettingsError, match="none of the") as caught:
        animals.folders.read_back(folder)
    shutil.rmtree(folder)
    with pytest.raises(SettingsError, match="no folder"):
        animals.folders.read_back(folder)


def test_an_interrupted_arrangement_is_not_read_back(animals: Library) -> None:
    folder = home_of(animals) / "sorted"
    asked = iter([False, False, True])
    animals.folders.arrange(ArrangeOptions(folder), stop=lambda: next(asked, True))
    with pytest.raises(SettingsError, match="interrupted"):
        animals.folders.read_back(folder)


@pytest.mark.parametrize(
    ("template", "change", "name"),
    [
        ("{cluster}/{stem}", lambda i: (f"{i}", "hare"), "hare"),
        ("{cluster:03} {cluster_name}/{stem}", lambda i: (f"{i:03} fox", f"{i:03} hare"), "hare"),
        ("{cluster_name}_{cluster}/{stem}", lambda i: (f"fox_{i}", f"hare_{i}"), "hare"),
        ("{camera}/{cluster_name}/{stem}", lambda _: ("no camera/fox", "no camera/hare"), "hare"),
    ],
)
def test_names_are_read_from_folders_of_many_templates(
    animals: Library, template: str, change: Callable[[int], tuple[str, str]], name: str
) -> None:
    fox = cluster_at(animals, RED)
    folder = arrange(animals, template=template)
    before, after = change(fox)
    (folder / before).rename(folder / after)
    told = animals.folders.read_back(folder)
    assert told.renamed == [(LabelledCluster(fox, "fox"), name)]
    assert not told.moved


@pytest.mark.parametrize(
    ("folder", "former", "name"),
    [
        ("hare", {"fox"}, "hare"),
        ("07 hare", {"07 fox"}, "hare"),
        ("hare (7)", {"fox (7)"}, "hare"),
        ("hare (7)", {"fox"}, "hare (7)"),
        ("7", {"7"}, "7"),
        ("cluster 7", {"fox"}, "cluster 7"),
    ],
)
def test_the_id_of_a_cluster_is_no_part_of_its_name(
    folder: str, former: set[str], name: str
) -> None:
    assert name_from_folder(folder, 7, former) == name


# The law ------------------------------------------------------------------------------------

_FOLDERS = ["fox", "badger", "lynx", "hare", "cub", "otter"]

_IN_THE_FIRST = (
    "lynx otter hare fox cub cub badger cub lynx badger lynx cub hare badger otter hare lynx hare"
)
_IN_THE_SECOND = (
    "cub fox badger badger lynx lynx otter fox badger lynx otter fox lynx fox cub cub cub cub"
)


@pytest.mark.slow
@settings(
    max_examples=examples(6, soak=20),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# A cluster whose last image leaves before the first one of those that it gets has come.
@example(
    rounds=[
        _IN_THE_FIRST.split(),
        _IN_THE_SECOND.split(),
    ],
    whole=["fox", "cub", "fox"],
)
@given(
    rounds=st.lists(
        st.lists(st.sampled_from(_FOLDERS), min_size=3 * EACH, max_size=3 * EACH),
        min_size=1,
        max_size=2,
    ),
    whole=st.lists(st.sampled_from(_FOLDERS), min_size=3, max_size=3),
)
def test_after_any_dragging_clusters_are_as_the_folders_and_a_recluster_keeps_them(
    made: Path,
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[list[str]],
    whole: list[str],
) -> None:
    home = Path(shutil.copytree(made, tmp_path_factory.mktemp("law") / "home"))
    before = files_in(home / "photos")
    with Library.open(home, Settings()) as library:
        named(library, red="fox", green="badger", blue="lynx")
        folder = arrange(library, ArrangeMode.MOVE)
        # First whole folders, then files one by one.
        for where in [[name for name in whole for _ in range(EACH)], *rounds]:
            _drag(folder, where)
            library.folders.read_back(folder)
            _assert_as_the_folders(library, folder)
            assert not library.folders.read_back(folder).has_decisions
        settled = clusters_at(library)
        library.recluster(k=3)
        assert clusters_at(library) == settled
        assert counts(library.ingest([folder])) == {"unchanged": 3 * EACH}
        assert library.folders.undo().is_whole
    assert files_in(home / "photos") == before


def _drag(folder: Path, where: list[str]) -> None:
    files = sorted(folder.rglob("*.jpg"), key=lambda file: file.read_bytes())
    for number, (file, name) in enumerate(zip(files, where, strict=True)):
        target = folder / name / (file.name if file.parent.name == name else f"{number}.jpg")
        if target == file:
            continue
        target.parent.mkdir(exist_ok=True)
        while target.exists():
            target = target.with_stem(f"{target.stem}x")
        file.rename(target)


def _assert_as_the_folders(library: Library, folder: Path) -> None:
    for path, cluster_id in clusters_at(library).items():
        assert library.clusters.name_of(cluster_id) == path.split("/")[1], clusters_at(library)
    assert len(clusters_at(library)) == len(list(folder.rglob("*.jpg")))
