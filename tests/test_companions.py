"""Which files of a folder belong to which photo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.companions import find_companions, split_name, title_in
from tests.conftest import Run, make_photo


def owners(*names: str, **titles: str) -> dict[str, str]:
    """The photo with which each companion moves."""
    told = {f"{name}.json": title for name, title in titles.items()}
    found = find_companions(names, title_of=told.get)
    return {name: companion.photos[0] for name, companion in found.items()}


@pytest.mark.parametrize(
    "name",
    [
        "IMG_1.CR2", "IMG_1.nef", "img_1.MOV", "IMG_1.mp4", "IMG_1.AVI", "IMG_1.xmp",
        "IMG_1.JPG.xmp", "img_1.jpg.XMP", "IMG_1.AAE", "IMG_1.THM", "IMG_1.WAV", "IMG_1.JPG.pp3",
        "IMG_1.JPG.json", "IMG_1.json", "IMG_1.JPG.supplemental-metadata.json",
        "IMG_1.JPG.supplem.json", "IMG_1.JPG.s.json", "IMG_1.JPG..json",
    ],
)  # fmt: skip
def test_a_file_with_the_name_of_a_photo_belongs_to_it(name: str) -> None:
    assert owners("IMG_1.JPG", "IMG_10.JPG", name) == {name: "IMG_1.JPG"}


@pytest.mark.parametrize(
    "name", ["IMG_10.CR2", "IMG_1.txt", "IMG_1_.json", "IMG_1.JPG.txt", "IMG_.xmp", "IMG_1.png"]
)
def test_a_file_with_another_name_or_of_another_kind_does_not(name: str) -> None:
    assert owners("IMG_1.JPG", name) == {}


def test_the_sidecar_of_a_raw_file_or_a_video_belongs_to_their_photo() -> None:
    names = ["IMG_1.CR2.xmp", "IMG_1.MOV.supplemental-metadata.json"]
    found = find_companions(["IMG_1.CR2", "IMG_1.HEIC", "IMG_1.MOV", *names])
    assert {found[name].photos for name in names} == {("IMG_1.HEIC",)}
    assert found[names[0]].tail("IMG_1.HEIC") == ".CR2.xmp"


def test_without_a_photo_nothing_belongs_to_a_video_that_is_not_read() -> None:
    assert owners("MVI_1.FLV", "MVI_1.THM", "MVI_1.FLV.xmp") == {}


def test_of_two_photos_the_full_name_decides_and_then_the_alphabet() -> None:
    names = ("IMG_1.JPG", "IMG_1.HEIC", "IMG_1.JPG.xmp", "IMG_1.xmp", "IMG_1.MOV")
    assert owners(*names) == {
        "IMG_1.JPG.xmp": "IMG_1.JPG",
        "IMG_1.xmp": "IMG_1.HEIC",
        "IMG_1.MOV": "IMG_1.HEIC",
    }
    assert find_companions(names)["IMG_1.xmp"].photos == ("IMG_1.HEIC", "IMG_1.JPG")


def test_capitals_decide_where_both_spellings_are_photos() -> None:
    assert owners("a.jpg", "A.jpg", "a.xmp", "A.xmp") == {"a.xmp": "a.jpg", "A.xmp": "A.jpg"}
    assert owners("a.jpg", "A.xmp") == {"A.xmp": "a.jpg"}


def test_letters_may_be_composed_in_two_ways() -> None:
    assert owners("caf\u00e9.jpg", "cafe\u0301.xmp") == {"cafe\u0301.xmp": "caf\u00e9.jpg"}


def test_a_raw_file_that_is_in_the_library_is_a_photo() -> None:
    found = find_companions(["IMG_1.CR2", "IMG_1.JPG", "IMG_1.CR2.xmp"], photos={"IMG_1.CR2"})
    assert {name: companion.photos for name, companion in found.items()} == {
        "IMG_1.CR2.xmp": ("IMG_1.CR2",)
    }


def test_the_video_of_a_photo_in_motion() -> None:
    found = find_companions(["PXL_1.MP.jpg", "PXL_1.MP"])
    assert found["PXL_1.MP"].photos == ("PXL_1.MP.jpg",)
    assert found["PXL_1.MP"].tail("PXL_1.MP.jpg") == ".MP"


# Google Takeout ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", range(1, len("supplemental-metadata") + 1))
def test_takeout_cuts_its_suffix_at_any_letter(length: int) -> None:
    name = f"IMG_1.JPG.{'supplemental-metadata'[:length]}.json"
    assert owners("IMG_1.JPG", name) == {name: "IMG_1.JPG"}


@pytest.mark.parametrize(
    "name",
    ["IMG_1.JPG(1).json", "IMG_1.JPG.supplemental-metadata(1).json", "IMG_1.JPG.suppl(1).json"],
)
def test_the_number_of_a_photo_stands_at_the_end(name: str) -> None:
    assert owners("IMG_1.JPG", "IMG_1(1).JPG", name) == {name: "IMG_1(1).JPG"}
    assert owners("IMG_1.JPG", name) == {}
    companion = find_companions(["IMG_1(1).JPG", name])[name]
    assert companion.tail("IMG_1(1).JPG").startswith(".JPG.")
    assert "(1)" not in companion.tail("IMG_1(1).JPG")


_LONG = "Screenshot_20240501-101500_An app with a very long name indeed"


def test_the_title_decides_where_the_stem_was_cut() -> None:
    cut = _LONG[:46]
    photos = [f"{_LONG[:47]}.jpg", f"{cut}_other.jpg", f"{_LONG[:47]}(1).jpg"]
    names = (*photos, f"{cut}.json", f"{cut}(1).json")
    titles = {cut: f"{_LONG}.jpg", f"{cut}(1)": f"{_LONG}.jpg"}
    assert owners(*names, **titles) == {f"{cut}.json": photos[0], f"{cut}(1).json": photos[2]}
    assert owners(*names) == {}
    assert owners(*names, **{cut: "another.jpg"}) == {}


def test_characters_that_takeout_replaces_do_not_matter_in_a_title() -> None:
    title = 'Screenshot_20240501-101500_An app: "long" & what it showed.jpg'
    name = title.translate(dict.fromkeys(map(ord, ':"&'), "_"))
    photo, cut = f"{name[:47]}.jpg", name[:46]
    assert owners(photo, f"{cut}.json", **{cut: title}) == {f"{cut}.json": photo}


def test_the_title_decides_between_two_photos_of_one_stem() -> None:
    names = ("IMG_1.HEIC", "IMG_1.JPG", "IMG_1.json")
    assert owners(*names, IMG_1="IMG_1.JPG") == {"IMG_1.json": "IMG_1.JPG"}
    assert owners(*names, IMG_1="another") == {"IMG_1.json": "IMG_1.HEIC"}


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b'{"title": "a.jpg"}', "a.jpg"), (b'{"title": 1}', None), (b"[1]", None), (b"\xff", None),
        (b"{", None), (b"[" * 100_000, None), (b" " * 2**20 + b"{}", None),
    ],
)  # fmt: skip
def test_a_title_is_read_where_there_is_one(
    content: bytes, title: str | None, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert title_in(str(tmp_path / "a.json")) == title
    assert title_in(str(tmp_path / "gone.json")) is None


# Laws ----------------------------------------------------------------------------------------

_names = st.lists(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["IMG_1", "img_1", "IMG_1(1)", "é", "e\u0301", "a.b", "x" * 46]),
            st.sampled_from(["", ".JPG", ".jpg", ".HEIC", ".png", ".CR2", ".MOV", ".MP"]),
            st.sampled_from(["", ".jpg", ".xmp", ".json", ".suppl.json", "(1).json", ".AAE"]),
        ),
    ),
    max_size=12,
)


@given(_names)
def test_a_companion_has_photos_and_none_of_them_is_a_companion(names: list[str]) -> None:
    found = find_companions(names, title_of=lambda name: name)
    assert list(found) == sorted(found)
    for name, companion in found.items():
        assert companion.photos
        assert not set(companion.photos) & found.keys()
        assert {name, *companion.photos} <= set(names)
    assert find_companions(reversed(names), title_of=lambda name: name) == found


@given(_names)
def test_companions_that_take_the_name_of_their_photo_belong_to_it(names: list[str]) -> None:
    found = find_companions(names, title_of=lambda name: name).values()
    for photo in {photo for companion in found for photo in companion.photos}:
        beside = [companion for companion in found if photo in companion.photos]
        tails = [companion.tail(photo) for companion in beside]
        renamed = find_companions([f"fox{tail}" for tail in (split_name(photo)[1], *tails)])
        for companion, tail in zip(beside, tails, strict=True):
            assert tail.startswith(".")
            assert renamed[f"fox{tail}"].photos == (f"fox{split_name(photo)[1]}",)
            assert split_name(f"fox{tail}")[1] == split_name(companion.name)[1]


# Ingest --------------------------------------------------------------------------------------


def test_an_ingest_counts_what_belongs_to_photos(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    long = "x" * 60
    for number, name in enumerate(("IMG_1.JPG", "IMG_2.JPG", f"{long[:47]}.jpg")):
        make_photo(folder / name, seed=number)
    companions = ("IMG_1.CR2", "IMG_1.CR2.xmp", "IMG_1.xmp", "IMG_2.MOV", "IMG_2.AAE", "IMG_2.WAV")
    for name in (*companions, "IMG_9.xmp", "IMG_3.FLV"):
        (folder / name).write_text("x")
    (folder / f"{long[:46]}.json").write_text(json.dumps({"title": f"{long}.jpg"}))
    ran = run("ingest", "photos", "--embedder", "channel-mean")
    assert f"{len(companions) + 1} files belong to photos" in ran.err
    assert [line for line in ran.err.splitlines() if line.startswith("not read: ")] == [
        "not read: 1 file .flv (video)",
        "not read: 1 file .xmp",
    ]
    ran = run("ingest", "photos", "--json")
    assert (ran.json["companions"], ran.json["unchanged"]) == (len(companions) + 1, 3)
