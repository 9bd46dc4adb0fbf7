"""Which photos the paths of a table or of results mean; never guessed where it is not plain."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.library.photo_paths.find import NotFound, find_photos, not_found_lines

_CARDS = {
    "/photos/card1/DCIM/IMG_0001.JPG": "a",
    "/photos/card1/DCIM/IMG_0002.JPG": "b",
    "/photos/card2/DCIM/IMG_0001.JPG": "c",
}
_NESTED = {
    "/trap/card/IMG_1.JPG": "a",
    "/trap/card/sub1/IMG_1.JPG": "b",
    "/trap/card/sub2/IMG_1.JPG": "c",
    "/trap/card/sub2/IMG_2.JPG": "d",
}


@pytest.mark.parametrize(
    ("paths", "base", "ids"),
    [
        (["card1/DCIM/IMG_0001.JPG", "card2/DCIM/IMG_0001.JPG"], "/photos", "ac"),
        (["card1\\DCIM\\IMG_0001.JPG", "card2\\DCIM\\IMG_0001.JPG"], "/photos", "ac"),
        (["./card1//DCIM/IMG_0002.JPG"], "/photos", "b"),
        (["IMG_0002.JPG"], "/photos/card1/DCIM", "b"),
        (["photos/card2/DCIM/IMG_0001.JPG"], "/", "c"),
        (["D:\\field\\card1\\DCIM\\IMG_0001.JPG", "D:\\field\\card2\\DCIM\\IMG_0001.JPG"],
         "/photos", "ac"),
        (["/mnt/disk/photos/card1/DCIM/IMG_0001.JPG"], "/", "a"),
        (["\\\\nas\\field\\card2\\DCIM\\IMG_0001.JPG"], "/photos", "c"),
        (["file:///D:/field/card1/DCIM/IMG%5F0002.JPG"], "/photos", "b"),
        (["gs://bucket/project/card2/DCIM/IMG_0001.JPG"], "/photos", "c"),
        (["/data/local-files/?d=card1%2FDCIM%2FIMG_0002.JPG"], "/photos", "b"),
        (["CARD1/dcim/img_0002.jpg"], "/photos", "b"),
        ([' "card1/DCIM/IMG_0002.JPG" '], "/photos", "b"),
        (['="card1/DCIM/IMG_0002.JPG"'], "/photos", "b"),
        (["\\\\?\\D:\\field\\card2\\DCIM\\IMG_0001.JPG"], "/photos", "c"),
    ],
)  # fmt: skip
def test_the_folder_is_found_out(paths: list[str], base: str, ids: str) -> None:
    found = find_photos(paths, _CARDS)
    assert [found.image_ids.get(path) for path in paths] == list(ids)
    assert found.base == Path(base)
    assert not found.not_found


def test_whole_paths_of_here_need_no_folder() -> None:
    found = find_photos(list(_CARDS), _CARDS)
    assert found.image_ids == _CARDS
    assert found.base is None


@pytest.mark.parametrize(
    "paths",
    [
        ["IMG_0001.JPG"],
        ["IMG_0001.JPG", "IMG_0002.JPG"],  # only one card has both: the other may be half away
        ["DCIM/IMG_0001.JPG"],
        ["D:/DCIM/IMG_0001.JPG"],
    ],
)
def test_the_same_names_on_several_cards_are_refused(paths: list[str]) -> None:
    found = find_photos(paths, _CARDS, of_one_folder=True)
    assert found.image_ids == {}
    assert found.not_found == dict.fromkeys(paths, NotFound.AMBIGUOUS)
    assert len(found.folders) == 2


def test_a_name_that_several_files_have_leaves_the_others_alone() -> None:
    files = {f"/p/{folder}/{folder}.JPG": folder for folder in "abcd"}
    files |= {"/p/a/1.JPG": "a1", "/p/b/1.JPG": "b1"}
    for one in (False, True):
        found = find_photos(["1.JPG", "c.JPG", "d.JPG"], files, of_one_folder=one)
        assert found.image_ids == {"c.JPG": "c", "d.JPG": "d"}
        assert found.not_found == {"1.JPG": NotFound.AMBIGUOUS}
    # A person's table may name photos of several folders.
    assert find_photos(["IMG_0001.JPG", "IMG_0002.JPG"], _CARDS).image_ids == {"IMG_0002.JPG": "b"}


def test_two_folders_of_another_machine_are_not_one_of_this() -> None:
    files = {"/photos/c1/DCIM/1.JPG": "a"}
    found = find_photos(["D:/x/c7/DCIM/1.JPG", "D:/x/c8/DCIM/1.JPG"], files)
    assert found.image_ids == {}
    assert set(found.not_found.values()) == {NotFound.AMBIGUOUS}


def test_paths_of_this_machine_and_of_another_may_be_in_one_table() -> None:
    paths = [
        "/photos/card1/DCIM/IMG_0001.JPG",
        "D:\\field\\card1\\DCIM\\IMG_0002.JPG",
        "card2/DCIM/IMG_0001.JPG",
        "/photos/card9/DCIM/IMG_0002.JPG",
    ]
    found = find_photos(paths, _CARDS)
    assert list(found.image_ids.values()) == ["a", "b", "c"]
    assert found.not_found == {paths[3]: NotFound.OTHER_FOLDER}, "a folder of this machine"


def test_a_folder_that_is_named_decides() -> None:
    found = find_photos(["IMG_0001.JPG", "IMG_0009.JPG"], _CARDS, base=Path("/photos/card2/DCIM"))
    assert found.image_ids == {"IMG_0001.JPG": "c"}
    assert found.not_found == {"IMG_0009.JPG": NotFound.MISSING}
    found = find_photos(["IMG_0001.JPG"], _CARDS, base=Path("/photos/card3"))
    assert found.not_found == {"IMG_0001.JPG": NotFound.OTHER_FOLDER}


def test_of_several_folders_it_is_that_in_which_the_results_lie() -> None:
    home = Path("/photos/card2/DCIM")
    found = find_photos(["IMG_0001.JPG"], _CARDS, home=home)
    assert (found.image_ids, found.base) == ({"IMG_0001.JPG": "c"}, home)
    found = find_photos(["IMG_0001.JPG"], _CARDS, home=Path("/photos"))
    assert found.not_found == {"IMG_0001.JPG": NotFound.AMBIGUOUS}
    found = find_photos(["IMG_0001.JPG", "IMG_0002.JPG"], _CARDS, home=Path("/photos/card1/DCIM"))
    assert found.image_ids == {"IMG_0001.JPG": "a", "IMG_0002.JPG": "b"}


def test_a_name_that_fits_by_chance_where_the_results_lie_proves_nothing() -> None:
    files = {"/p/1.JPG": "a", "/p/august/1.JPG": "b", "/p/august/brook/2.JPG": "c"}
    found = find_photos(["1.JPG", "brook/2.JPG"], files, home=Path("/p"))
    assert found.image_ids == {"brook/2.JPG": "c"}
    assert found.not_found == {"1.JPG": NotFound.AMBIGUOUS}


def test_of_two_months_it_is_that_in_which_the_results_lie_though_fewer_fit_there() -> None:
    files = {f"/p/{month}/brook/{n}.JPG": f"{month}{n}" for month in ("may", "june") for n in "123"}
    del files["/p/june/brook/3.JPG"]
    found = find_photos(
        [f"brook/{n}.JPG" for n in "123"], files, of_one_folder=True, home=Path("/p/june")
    )
    assert list(found.image_ids.values()) == ["june1", "june2"]
    assert found.not_found == {"brook/3.JPG": NotFound.OTHER_FOLDER}


@pytest.mark.parametrize("home", [None, Path("/trap/card"), Path("/elsewhere")])
def test_paths_with_folders_tell_what_names_alone_are_relative_to(home: Path | None) -> None:
    paths = ["IMG_1.JPG", "sub1/IMG_1.JPG", "sub2\\IMG_1.JPG", "IMG_2.JPG", "sub1/IMG_3.JPG"]
    found = find_photos(paths, _NESTED, home=home)
    assert list(found.image_ids.values()) == ["a", "b", "c"]
    assert found.not_found == {
        "IMG_2.JPG": NotFound.OTHER_FOLDER,  # of sub2; the table means one above
        "sub1/IMG_3.JPG": NotFound.MISSING,
    }


def test_places_decide_for_paths_with_a_folder_and_never_for_a_name() -> None:
    files = {"/one/DCIM/1.JPG": "a", "/two/DCIM/1.JPG": "b", "/two/1.JPG": "c"}
    two = [Path("/two")]
    assert find_photos(["DCIM/1.JPG"], files, places=two).image_ids == {"DCIM/1.JPG": "b"}
    assert find_photos(["1.JPG"], files, places=two).not_found == {"1.JPG": NotFound.AMBIGUOUS}
    both = [Path("/one"), Path("/two")]
    found = find_photos(["DCIM/1.JPG"], files, roots=both)
    assert found.not_found == {"DCIM/1.JPG": NotFound.AMBIGUOUS}


def test_copies_of_one_photo_are_no_doubt() -> None:
    files = {"/photos/a/1.JPG": "x", "/backup/a/1.JPG": "x", "/photos/a/2.JPG": "y"}
    found = find_photos(["a/1.JPG", "a/2.JPG"], files)
    assert found.image_ids == {"a/1.JPG": "x", "a/2.JPG": "y"}
    assert found.base is None


def test_why_a_path_finds_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "new.JPG").touch()
    paths = ["IMG_0001.JPG", "card9/IMG_0002.JPG", "new.JPG", "gone.JPG", "gone2.JPG"]
    found = find_photos(paths, _CARDS, places=[tmp_path])
    assert found.not_found == dict(zip(paths, [*NotFound, NotFound.MISSING], strict=True))
    lines = not_found_lines(found, "label,labels")
    assert lines == [
        "1 label fits several photos and was left out; write its folder too: IMG_0001.JPG",
        "1 label is of a name that the library has in other folders only: card9/IMG_0002.JPG",
        (
            "1 label is of a file on the disk that is not in the library "
            "(organizer ingest FOLDER): new.JPG"
        ),
        "2 labels are of files that are not in the library: gone.JPG, gone2.JPG",
    ]
    assert find_photos([], _CARDS).image_ids == {}
    assert find_photos(["", ".", "a\0b"], _CARDS, places=[tmp_path]).image_ids == {}


def test_of_names_that_differ_in_spelling_alone_the_exact_one_counts() -> None:
    files = {"/p/a.jpg": "small", "/p/A.JPG": "large", "/p/b%20.jpg": "raw", "/p/b .jpg": "blank"}
    found = find_photos(["a.jpg", "A.JPG", "A.jpg", "b%20.jpg"], files)
    assert found.image_ids == {"a.jpg": "small", "A.JPG": "large", "b%20.jpg": "raw"}
    assert found.not_found == {"A.jpg": NotFound.AMBIGUOUS}


def test_bytes_that_are_no_utf_8_are_read_as_windows_writes_them() -> None:
    name = b"f\xe4hre.jpg".decode("utf-8", "surrogateescape")
    assert find_photos([name], {"/p/f\u00e4hre.jpg": "a"}).image_ids == {name: "a"}
    assert find_photos([name], {f"/p/{name}": "b"}).image_ids == {name: "b"}


_NAMES = st.sampled_from(["a", "b", "F\u00e4hre", "IMG_1.JPG", "IMG_2.JPG", "x y.JPG"])
_TREES = st.sets(st.lists(_NAMES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=10)
_SPELLINGS: dict[str, Callable[[str], str]] = {
    "exact": lambda path: path,
    "windows": lambda path: path.replace("/", "\\"),
    "capitals": str.upper,
    "small": str.lower,
    "decomposed": lambda path: unicodedata.normalize("NFD", path),
    "quoted": lambda path: f'"{path}"',
    "dotted": lambda path: f"./{path}",
    "encoded": quote,
    "blank": lambda path: f" {path}\t",
}


@given(_TREES, st.lists(_NAMES, max_size=2).map(tuple), st.sampled_from(sorted(_SPELLINGS)),
       st.sampled_from(["", "/", "D:\\field\\", "file:///D:/field/", "/mnt/disk/"]))  # fmt: skip
def test_however_a_path_is_spelled_it_finds_its_photo_or_is_refused(
    tree: set[tuple[str, ...]], base: tuple[str, ...], spelling: str, beginning: str
) -> None:
    """The paths are those of some folder of a library that holds other files too."""
    files = {"/" + "/".join(("root", *parts)): str(number) for number, parts in enumerate(tree)}
    below = ["/".join(p[len(base) :]) for p in tree if p[: len(base)] == base and p != base]
    meant: dict[str, str] = {}
    for path in below:
        written = _SPELLINGS[spelling](path)
        if spelling in {"exact", "windows", "capitals", "small", "decomposed"}:
            written = (
                f"/root/{'/'.join(base)}/{written}" if beginning == "/" else beginning + written
            )
        meant[written] = files["/" + "/".join(("root", *base, path))]
    found = find_photos(meant, files, of_one_folder=bool(len(tree) % 2))
    for path, image_id in found.image_ids.items():
        assert image_id == meant[path]
    assert found.image_ids.keys() | found.not_found.keys() == meant.keys()
    named = find_photos(meant, files, base=Path("/", "root", *base))
    if beginning in {"", "/"}:
        assert named.image_ids == meant


@given(_TREES, _TREES, st.lists(_NAMES, max_size=2).map(tuple))
def test_below_a_named_folder_no_photo_of_another_is_found(
    tree: set[tuple[str, ...]], table: set[tuple[str, ...]], base: tuple[str, ...]
) -> None:
    files = {"/" + "/".join(("root", *parts)): str(number) for number, parts in enumerate(tree)}
    folder = Path("/", "root", *base)
    found = find_photos(["/".join(parts) for parts in table], files, base=folder)
    for path in ("/".join(parts) for parts in table):
        assert found.image_ids.get(path) == files.get(str(folder / path))


def test_paths_of_another_machine_cost_about_what_those_below_a_folder_do() -> None:
    names = [f"card{i:02}/DCIM/IMG_{j:04}.JPG" for i in range(80) for j in range(80)]
    files = {f"/photos/{name}": name for name in names}
    below = _seconds(names, files)
    elsewhere = _seconds([f"D:/{name}" for name in names], files)
    assert elsewhere < 8 * below, "every card has the same names"


def _seconds(paths: list[str], files: dict[str, str]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        assert list(find_photos(paths, files).image_ids.values()) == list(files.values())
        best = min(best, time.perf_counter() - start)
    return best
