"""What changed folders mean for the clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.arrange.read_back import FolderChanges, find_changes
from organizer.arrange.recognise import ExpectedPhoto, FoundFile, RecognisedPhotos, recognise_photos

CLUSTERS = {"fox": 1, "badger": 2, "lynx": 3}
NOWHERE = frozenset({"unsure"})


def place(*paths: str, depth: int = 1) -> list[ExpectedPhoto]:
    """Photos in the folders of their clusters, each of a content of its own."""
    found = []
    for number, path in enumerate(paths, 1):
        folder = "/".join(PurePosixPath(path).parts[:depth])
        cluster_id = CLUSTERS.get(PurePosixPath(folder).name)
        found.append(
            ExpectedPhoto(path, f"{number:032x}", cluster_id, folder, 100 + number, number)
        )
    return found


def now(placed: Sequence[ExpectedPhoto], *paths: str | Sequence[str] | None) -> RecognisedPhotos:
    """Where each is now: at a path, at several, nowhere."""
    listed = [[p] if isinstance(p, str) else list(p or []) for p in paths]
    return RecognisedPhotos(listed + [[p.path] for p in placed[len(listed) :]])


def read(
    placed: Sequence[ExpectedPhoto], seen: RecognisedPhotos, known: Mapping[str, int] = CLUSTERS
) -> FolderChanges:
    return find_changes(placed, seen, known=known, nowhere=NOWHERE)


FOX = ("fox/a.jpg", "fox/b.jpg", "fox/c.jpg")
BADGER = ("badger/d.jpg", "badger/e.jpg")


def ids(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


# What the folders say -----------------------------------------------------------------------


def test_nothing_changed_means_nothing() -> None:
    placed = place(*FOX, *BADGER, "unsure/f.jpg")
    found = read(placed, now(placed))
    assert not found.has_decisions
    assert (found.gone, found.loose, found.contradictory) == ([], [], {})


def test_a_photo_in_the_folder_of_another_cluster_was_moved_there() -> None:
    placed = place(*FOX, *BADGER, "unsure/f.jpg")
    seen = now(placed, "badger/a.jpg", *FOX[1:], *BADGER, "fox/f.jpg")
    found = read(placed, seen)
    assert found.moved == {(1, 2): ids(1), (None, 1): ids(6)}
    assert (found.renamed, found.new_folders, found.left) == ({}, {}, {})


def test_a_file_with_a_new_name_in_its_folder_or_in_a_folder_of_it_means_nothing() -> None:
    placed = place(*FOX)
    found = read(placed, now(placed, "fox/best.jpg", "fox/night/b.jpg"))
    assert not found.has_decisions
    assert found.paths == ["fox/best.jpg", "fox/night/b.jpg", "fox/c.jpg"]


def test_a_renamed_folder_renames_its_cluster_also_with_others_put_into_it() -> None:
    placed = place(*FOX, *BADGER)
    found = read(placed, now(placed, "hare/a.jpg", "hare/b.jpg", "hare/c.jpg", "hare/d.jpg"))
    assert found.renamed == {1: "hare"}
    assert found.moved == {(2, 1): ids(4)}
    assert found.folders == ["hare", "hare", "hare", "hare", "badger"]


def test_a_new_folder_is_a_new_cluster() -> None:
    placed = place(*FOX, *BADGER)
    found = read(placed, now(placed, "cub/a.jpg", "fox/b.jpg", "fox/c.jpg", "cub/d.jpg"))
    assert found.new_folders == {"cub": ids(1, 4)}
    assert (found.renamed, found.moved) == ({}, {})
    assert found.places == ["cub", 1, 1, "cub", 2]


def test_of_two_folders_put_into_one_the_larger_gives_the_cluster() -> None:
    placed = place(*FOX, *BADGER)
    found = read(placed, now(placed, *(f"all/{x}.jpg" for x in "abcde")))
    assert found.renamed == {1: "all"}
    assert found.moved == {(2, 1): ids(4, 5)}


def test_a_folder_dragged_into_another_is_part_of_it() -> None:
    placed = place(*FOX, *BADGER)
    found = read(placed, now(placed, *FOX, "fox/badger/d.jpg", "fox/badger/e.jpg"))
    assert found.moved == {(2, 1): ids(4, 5)}


def test_a_folder_that_was_parted_gives_its_cluster_to_the_larger_part() -> None:
    placed = place(*FOX)
    found = read(placed, now(placed, "old/a.jpg", "old/b.jpg", "young/c.jpg"))
    assert (found.renamed, found.new_folders) == ({1: "old"}, {"young": ids(3)})


def test_folders_that_swapped_their_names_swap_the_names_of_their_clusters() -> None:
    placed = place(*FOX, *BADGER)
    seen = now(placed, *(f"badger/{x}.jpg" for x in "abc"), "fox/d.jpg", "fox/e.jpg")
    found = read(placed, seen)
    assert found.renamed == {1: "badger", 2: "fox"}
    assert not found.moved


def test_names_passed_on_along_a_chain_are_all_passed_on() -> None:
    placed = place(*FOX, *BADGER)
    seen = now(placed, *(f"badger/{x}.jpg" for x in "abc"), "hare/d.jpg", "hare/e.jpg")
    assert read(placed, seen).renamed == {1: "badger", 2: "hare"}


def test_a_folder_with_the_name_of_a_cluster_that_has_none_here_moves_its_photos_to_that() -> None:
    placed = place(*FOX)
    found = read(placed, now(placed, *(f"lynx/{x}.jpg" for x in "abc")))
    assert found.moved == {(1, 3): ids(1, 2, 3)}
    assert not found.renamed


def test_photos_put_to_the_unsure_do_not_belong_and_those_named_out_of_it_are_a_cluster() -> None:
    placed = place(*FOX, "unsure/d.jpg", "unsure/e.jpg")
    seen = now(placed, "unsure/a.jpg", *FOX[1:], "hare/d.jpg", "hare/e.jpg")
    found = read(placed, seen)
    assert found.left == {1: ids(1)}
    assert found.new_folders == {"hare": ids(4, 5)}
    renamed_to_unsure = read(place(*FOX), now(place(*FOX), *(f"unsure/{x}.jpg" for x in "abc")))
    assert renamed_to_unsure.left == {1: ids(1, 2, 3)}


def test_a_folder_beside_the_clusters_is_of_none_unless_a_cluster_was_renamed_so() -> None:
    placed = place(*FOX, *BADGER)
    seen = now(placed, "Empty/a.jpg", *FOX[1:], "empty/d.jpg")
    apart = frozenset({"empty"})
    found = find_changes(placed, seen, known=CLUSTERS, nowhere=frozenset({"unsure"}), apart=apart)
    assert (found.left, found.new_folders) == ({1: ids(1), 2: ids(4)}, {})
    renamed = now(placed, *(f"empty/{x}.jpg" for x in "abc"))
    found = find_changes(
        placed, renamed, known=CLUSTERS, nowhere=frozenset({"unsure"}), apart=apart
    )
    assert (found.renamed, found.left) == ({1: "empty"}, {})
    with_some = place(*FOX, "empty/d.jpg")
    full = now(with_some, *(f"empty/{x}.jpg" for x in "abc"))
    found = find_changes(
        with_some, full, known=CLUSTERS, nowhere=frozenset({"unsure"}), apart=apart
    )
    assert (found.renamed, found.left) == ({}, {1: ids(1, 2, 3)})


def test_photos_that_are_gone_or_in_no_folder_mean_nothing_and_are_reported_once() -> None:
    placed = place(*FOX)
    found = read(placed, now(placed, None, "b.jpg"))
    assert not found.has_decisions
    assert (found.gone, found.loose) == (ids(1), ids(2))
    later = read(again(placed, found), now(placed, None, "b.jpg"))
    assert (later.gone, later.loose) == ([], [])


def test_a_photo_that_comes_back_from_the_bin_is_where_it_was() -> None:
    placed = place(*FOX)
    seen = now(placed, None)
    missing = again(placed, read(placed, seen))
    assert not read(missing, now(placed)).has_decisions
    assert read(missing, now(placed, "badger/a.jpg")).moved == {(1, 2): ids(1)}


def test_a_photo_in_two_folders_is_contradictory_and_means_nothing() -> None:
    placed = place(*FOX, *BADGER)
    found = read(placed, now(placed, ["fox/a.jpg", "badger/a.jpg"]))
    assert found.contradictory == {ids(1)[0]: ["badger", "fox"]}
    assert not found.has_decisions
    copied = RecognisedPhotos([[p.path] for p in placed], copies={ids(1)[0]: ["new/a.jpg"]})
    assert read(placed, copied).contradictory == {ids(1)[0]: ["fox", "new"]}


def test_two_files_of_one_image_go_together_or_contradict() -> None:
    twins = place("fox/a.jpg", "fox/copy.jpg", "badger/d.jpg")
    twins[1] = replace(twins[1], image_id=twins[0].image_id)
    assert read(twins, now(twins, "badger/a.jpg")).contradictory
    assert read(twins, now(twins, "badger/a.jpg", "badger/copy.jpg")).moved == {(1, 2): ids(1)}
    assert read(twins, now(twins, "badger/a.jpg", None)).moved == {(1, 2): ids(1)}
    assert not read(twins, now(twins, "fox/a.jpg", None)).has_decisions


def test_folders_of_clusters_may_lie_in_others() -> None:
    paths = ("north/fox/a.jpg", "south/fox/b.jpg", "north/badger/c.jpg")
    placed = place(*paths, depth=2)
    found = read(placed, now(placed, "north/badger/a.jpg", "south/badger/b.jpg"))
    assert found.moved == {(1, 2): ids(1, 2)}
    found = read(placed, now(placed, "north/hare/a.jpg"))
    assert found.new_folders == {"hare": ids(1)}, "the other camera still has the fox"
    found = read(placed, now(placed, "north/hare/a.jpg", "south/hare/b.jpg"))
    assert found.renamed == {1: "hare"}


def again(placed: Sequence[ExpectedPhoto], found: FolderChanges) -> list[ExpectedPhoto]:
    """The photos as they were seen; new clusters get ids of their own."""
    fresh = {name: 100 + number for number, name in enumerate(sorted(found.new_folders))}
    rows = zip(placed, found.paths, found.places, found.folders, strict=True)
    return [
        replace(
            photo,
            path=path,
            folder=folder,
            cluster_id=fresh[place] if isinstance(place, str) else place,
        )
        for photo, path, place, folder in rows
    ]


_FOLDERS = ["fox", "badger", "lynx", "unsure", "new", "other"]


@settings(max_examples=200, deadline=None)
@given(
    before=st.lists(st.sampled_from(_FOLDERS[:4]), min_size=1, max_size=12),
    where=st.lists(st.sampled_from(_FOLDERS), min_size=12, max_size=12),
)
def test_afterwards_photos_are_of_one_cluster_exactly_if_they_are_in_one_folder(
    before: list[str], where: list[str]
) -> None:
    placed = place(*(f"{folder}/{i}.jpg" for i, folder in enumerate(before)))
    where = where[: len(placed)]
    found = read(placed, now(placed, *(f"{folder}/{i}.jpg" for i, folder in enumerate(where))))
    settled = again(placed, found)
    clusters = [photo.cluster_id for photo in settled]
    for folder, cluster_id in zip(where, clusters, strict=True):
        assert (cluster_id is None) == (folder == "unsure")
    pairs = {(f, c) for f, c in zip(where, clusters, strict=True)}
    assert len(pairs) == len({f for f, _ in pairs}) == len({c for _, c in pairs})
    names = {**{c: n for n, c in CLUSTERS.items()}, **found.renamed}
    names |= {100 + number: name for number, name in enumerate(sorted(found.new_folders))}
    assert all(cluster_id is None or names[cluster_id] == folder for folder, cluster_id in pairs)
    assert len({*names.values()}) == len(names), "no two clusters have one name"
    known = {name: cluster_id for cluster_id, name in names.items()}
    assert not read(settled, now(settled), known).has_decisions


# Known again --------------------------------------------------------------------------------


def found_at(photo: ExpectedPhoto, path: str, **changed: object) -> FoundFile:
    file = FoundFile(path, photo.size, photo.mtime_ns, photo.inode or (1, hash(path)), photo.link)
    return replace(file, **changed)  # type: ignore[arg-type]


class Contents:
    """Tells contents and counts how often it was asked."""

    def __init__(self, **by_path: str) -> None:
        self.by_path = {path.replace("__", "/") + ".jpg": i for path, i in by_path.items()}
        self.asked: list[str] = []

    def __call__(self, path: str) -> str | None:
        self.asked.append(path)
        return self.by_path.get(path)


def test_a_hard_link_is_known_by_its_inode_whatever_its_name_and_date() -> None:
    placed = [replace(p, inode=(1, n)) for n, p in enumerate(place(*FOX))]
    found = [
        found_at(placed[0], "badger/x.jpg", mtime_ns=999),
        found_at(placed[1], "fox/a.jpg"),
        found_at(placed[2], "fox/c.jpg"),
    ]
    contents = Contents()
    seen = recognise_photos(placed, found, contents)
    assert seen.paths == [["badger/x.jpg"], ["fox/a.jpg"], ["fox/c.jpg"]]
    assert not contents.asked


def test_a_symbolic_link_is_known_by_its_text() -> None:
    placed = [replace(p, link=f"/photos/{n}.jpg") for n, p in enumerate(place(*FOX))]
    found = [found_at(placed[0], "badger/a.jpg"), found_at(placed[1], "fox/b.jpg")]
    seen = recognise_photos(placed, found, Contents())
    assert seen.paths == [["badger/a.jpg"], ["fox/b.jpg"], []]


def test_a_file_is_known_by_size_and_date_and_with_another_name_by_its_content() -> None:
    placed = place(*FOX)
    contents = Contents(badger__x=ids(2)[0], badger__y=ids(9)[0])
    found = [
        found_at(placed[0], "badger/a.jpg"),
        found_at(placed[1], "badger/x.jpg"),
        found_at(placed[2], "badger/y.jpg"),
    ]
    seen = recognise_photos(placed, found, contents)
    assert seen.paths == [["badger/a.jpg"], ["badger/x.jpg"], []]
    assert seen.unknown_files == ["badger/y.jpg"], "it has the size and the date, not the content"
    assert "badger/a.jpg" not in contents.asked


def test_photos_of_one_name_size_and_date_are_recognised_by_their_contents() -> None:
    placed = [
        replace(p, size=7, mtime_ns=7, path=path)
        for p, path in zip(place(*FOX[:2]), ("fox/1.jpg", "badger/1.jpg"), strict=True)
    ]
    found = [found_at(placed[0], "badger/1.jpg"), found_at(placed[1], "fox/1.jpg")]
    swapped = Contents(badger__1=ids(1)[0], fox__1=ids(2)[0])
    assert recognise_photos(placed, found, swapped).paths == [["badger/1.jpg"], ["fox/1.jpg"]]


def test_a_copy_is_told_from_an_unknown_file_and_a_changed_file_stays_what_it_was() -> None:
    placed = place(*FOX)
    found = [
        found_at(placed[0], "fox/a.jpg", size=5_000),  # written anew by an editor
        found_at(placed[1], "fox/b.jpg"),
        found_at(placed[1], "new/b.jpg", mtime_ns=1),
        FoundFile("new/z.jpg", 1, 1, (1, 77)),
    ]
    seen = recognise_photos(placed, found, Contents(new__b=ids(2)[0], new__z=ids(50)[0]))
    assert seen.paths == [["fox/a.jpg"], ["fox/b.jpg"], []]
    assert seen.copies == {ids(2)[0]: ["new/b.jpg"]}
    assert seen.unknown_files == ["new/z.jpg"]
