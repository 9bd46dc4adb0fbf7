"""Where photos and their sidecars go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    FolderTemplate,
    carry_out,
    make_plan,
    next_journal,
    placed_by_journals,
    read_plan,
    undo_journal,
    write_plan,
)
from organizer.errors import SettingsError
from tests.arrange_trees import item_of, make

BY_NAME = FolderTemplate.parse("{cluster_name}/{stem}")


def planned(
    items: list[ArrangeItem],
    to: Path,
    mode: ArrangeMode = ArrangeMode.LINK,
    template: FolderTemplate = BY_NAME,
) -> ArrangePlan:
    return make_plan(items, to=to, mode=mode, template=template)


def targets(made: ArrangePlan) -> dict[str, str]:
    """Target by source, each as it is read."""
    return {str(s.source): s.target.relative_to(made.to).as_posix() for s in made.steps}


def test_photos_of_one_name_get_suffixes_that_do_not_depend_on_order(tmp_path: Path) -> None:
    files = [make(tmp_path / f"in/card{n}/IMG_1.JPG", b"%d" % n) for n in range(3)]
    files.append(make(tmp_path / "in/card3/img_1.jpg", b"3"))
    items = [item_of(file, cluster_name="fox") for file in files]
    made = planned(items, tmp_path / "out")
    assert made == planned(items[::-1], tmp_path / "out")
    assert made.suffixed == 4
    for item, step in zip(items, made.steps, strict=True):
        assert step.target.name == (f"{item.source.stem}_{item.image_id[:8]}{item.source.suffix}")
    assert planned(items[:1], tmp_path / "out").steps[0].target.name == "IMG_1.JPG"


def test_copies_of_one_photo_are_told_apart_by_where_they_lie(tmp_path: Path) -> None:
    files = [make(tmp_path / f"in/card{n}/IMG_1.JPG", b"same") for n in range(3)]
    items = [item_of(f, below=f.parent.name, cluster_name="fox") for f in files]
    made = planned(items, tmp_path / "out")
    names = {step.target.name for step in made.steps}
    assert len(names) == 3
    assert all(name.startswith(f"IMG_1_{items[0].image_id[:8]}-") for name in names)
    moved = [
        item_of(tmp_path.joinpath("in", f.parent.name, "IMG_1.JPG"), below=f.parent.name,
                cluster_name="fox")
        for f in files[1:]
    ]  # fmt: skip
    assert {s.target.name for s in planned(moved, tmp_path / "out").steps} < names


def test_a_suffix_that_another_photo_has_as_its_name_is_not_used(tmp_path: Path) -> None:
    first = item_of(make(tmp_path / "in/1/a.jpg", b"1"), cluster_name="fox")
    second = item_of(make(tmp_path / "in/2/a.jpg", b"2"), cluster_name="fox")
    taken = make(tmp_path / f"in/3/a_{first.image_id[:8]}.jpg", b"3")
    made = planned([first, second, item_of(taken, cluster_name="fox")], tmp_path / "out")
    assert len({str(step.target).lower() for step in made.steps}) == 3
    assert targets(made)[str(first.source)].startswith(f"fox/a_{first.image_id[:8]}-")


def test_a_file_is_never_where_a_folder_has_to_be(tmp_path: Path) -> None:
    template = FolderTemplate.parse("{below}/{stem}")
    one = item_of(make(tmp_path / "in/A.jpg", b"1"))
    two = item_of(make(tmp_path / "in/a.jpg.d/b.jpg", b"2"), below="a.jpg")
    made = planned([one, two], tmp_path / "out", template=template)
    assert targets(made)[str(two.source)] == "a.jpg/b.jpg"
    assert targets(made)[str(one.source)] == f"A_{one.image_id[:8]}.jpg"


def test_what_is_at_a_target_already_is_not_planned_over(tmp_path: Path) -> None:
    item = item_of(make(tmp_path / "in/a.jpg", b"mine"), cluster_name="fox")
    make(tmp_path / "out/fox/A.JPG", b"another's")
    made = planned([item], tmp_path / "out", ArrangeMode.COPY)
    assert made.steps[0].target.name == f"a_{item.image_id[:8]}.jpg"
    make(tmp_path / "out2/fox", b"a file")
    left = planned([item], tmp_path / "out2").left
    assert [reason.image_id for reason in left] == [item.image_id]
    assert "cannot be a folder" in left[0].why
    with pytest.raises(SettingsError, match="is a file"):
        planned([item], tmp_path / "out2" / "fox")


@pytest.mark.parametrize("mode", [*ArrangeMode])
def test_what_an_earlier_arrangement_put_there_is_there_already(
    tmp_path: Path, mode: ArrangeMode
) -> None:
    files = [make(tmp_path / f"in/card{n}/IMG_1.JPG", b"%d" % n, age=n) for n in range(2)]
    make(tmp_path / "in/card0/IMG_1.xmp", b"edits")
    items = [item_of(file, cluster_name="fox") for file in files]
    first = planned(items, tmp_path / "out", mode)
    carry_out(first, journal=next_journal(tmp_path / "journals"))
    if mode is ArrangeMode.MOVE:
        items = [item_of(s.target, cluster_name="fox") for s in first.steps if s.is_photo]
        template = FolderTemplate.parse("{cluster_name}/IMG_1")
    else:
        template = BY_NAME
    later = item_of(make(tmp_path / "in/card2/IMG_1.JPG", b"2"), cluster_name="fox")
    again = make_plan(
        [*items, later],
        to=tmp_path / "out",
        mode=mode,
        template=template,
        placed=placed_by_journals(tmp_path / "journals"),
    )
    assert {s.target for s in again.there} == {s.target for s in first.steps}
    assert [s.source for s in again.steps] == [later.source]
    assert again.photos == 3


def test_a_copy_that_was_changed_since_is_not_there_already(tmp_path: Path) -> None:
    item = item_of(make(tmp_path / "in/a.jpg", b"mine"), cluster_name="fox")
    first = planned([item], tmp_path / "out", ArrangeMode.COPY)
    carry_out(first, journal=next_journal(tmp_path / "journals"))
    make(first.steps[0].target, b"edited", age=9)
    again = make_plan(
        [item],
        to=tmp_path / "out",
        mode=ArrangeMode.COPY,
        template=BY_NAME,
        placed=placed_by_journals(tmp_path / "journals"),
    )
    assert not again.there
    assert again.steps[0].target != first.steps[0].target


def test_a_copy_of_an_arranged_photo_is_not_taken_for_it(tmp_path: Path) -> None:
    first = item_of(make(tmp_path / "in/1/a.jpg", b"same", age=1), cluster_name="fox")
    carry_out(
        planned([first], tmp_path / "out", ArrangeMode.COPY), journal=next_journal(tmp_path / "j")
    )
    second = item_of(make(tmp_path / "in/2/a.jpg", b"same", age=1), cluster_name="fox")
    again = make_plan(
        [first, second],
        to=tmp_path / "out",
        mode=ArrangeMode.COPY,
        template=BY_NAME,
        placed=placed_by_journals(tmp_path / "j"),
    )
    assert [s.source for s in again.there] == [first.source]
    assert [s.source for s in again.steps] == [second.source]
    (tmp_path / "in").rename(tmp_path / "mounted elsewhere")
    moved = item_of(tmp_path / "mounted elsewhere/1/a.jpg", cluster_name="fox")
    elsewhere = make_plan(
        [moved],
        to=tmp_path / "out",
        mode=ArrangeMode.COPY,
        template=BY_NAME,
        placed=placed_by_journals(tmp_path / "j"),
    )
    assert len(elsewhere.there) == 1


# Sidecars ------------------------------------------------------------------------------------


def test_sidecars_take_the_name_of_their_photo(tmp_path: Path) -> None:
    photo = make(tmp_path / "in/IMG_1.JPG", b"1")
    for name in ("IMG_1.xmp", "img_1.jpg.XMP", "IMG_1.JPG.supplemental-metadata.json"):
        make(photo.with_name(name), name.encode())
    for other in ("IMG_10.xmp", "IMG_1.txt", "IMG_1_.json"):
        make(photo.with_name(other), b"another's")
    template = FolderTemplate.parse("{cluster_name}/fox_{stem}")
    made = planned([item_of(photo, cluster_name="fox")], tmp_path / "out", template=template)
    assert {Path(s).name: t for s, t in targets(made).items()} == {
        "IMG_1.JPG": "fox/fox_IMG_1.JPG",
        "IMG_1.xmp": "fox/fox_IMG_1.xmp",
        "img_1.jpg.XMP": "fox/fox_IMG_1.JPG.XMP",
        "IMG_1.JPG.supplemental-metadata.json": "fox/fox_IMG_1.JPG.supplemental-metadata.json",
    }
    assert [s.image_id == "" for s in made.steps] == [False, True, True, True]


def test_a_sidecar_of_two_photos_goes_with_each_and_moves_with_the_first(tmp_path: Path) -> None:
    photos = [make(tmp_path / f"in/a.{suffix}", suffix.encode()) for suffix in ("jpg", "png")]
    sidecar = make(tmp_path / "in/a.xmp", b"edits")
    items = [item_of(p, cluster_name=p.suffix[1:]) for p in photos]
    items = [
        ArrangeItem(i.image_id, i.source, i.size, i.mtime_ns, "", n, i.fields)
        for n, i in enumerate(items)
    ]
    goes = [s.target for s in planned(items, tmp_path / "out").steps if s.source == sidecar]
    assert goes == [tmp_path / "out/jpg/a.xmp", tmp_path / "out/png/a.xmp"]
    moves = planned(items, tmp_path / "out", ArrangeMode.MOVE).steps
    assert [s.target for s in moves if s.source == sidecar] == [tmp_path / "out/jpg/a.xmp"]
    second = planned(items[1:], tmp_path / "out", ArrangeMode.MOVE).steps
    assert [s.source for s in second] == [photos[1]]
    together = planned(items, tmp_path / "out", template=FolderTemplate.parse("all/{stem}"))
    assert sorted(t.target.name for t in together.steps) == ["a.jpg", "a.png", "a.xmp"]


def test_a_sidecar_whose_name_was_cut_is_found_by_its_title_and_comes_back(tmp_path: Path) -> None:
    long = "Screenshot_20240501-101500_An app with a very long name"
    photo = make(tmp_path / f"in/{long[:47]}.jpg", b"1")
    told = b'{"title": "' + long.encode() + b'.jpg"}'
    sidecar = make(tmp_path / f"in/{long[:46]}.json", told)
    other = make(tmp_path / f"in/{long[:46]}(1).json", told)
    made = planned([item_of(photo, cluster_name="app")], tmp_path / "out", ArrangeMode.MOVE)
    target = tmp_path / f"out/app/{photo.name}.supplemental-metadata.json"
    assert {step.source: step.target for step in made.steps}[sidecar] == target
    journal = next_journal(tmp_path / "j")
    carry_out(made, journal=journal)
    assert target.read_bytes() == told
    assert not sidecar.exists()
    assert other.exists()
    undo_journal(journal)
    assert sidecar.read_bytes() == told
    assert not target.exists()


def test_sidecars_that_clash_rename_their_photos_with_them(tmp_path: Path) -> None:
    one = make(tmp_path / "in/1/a.jpg", b"1")
    two = make(tmp_path / "in/2/a.png", b"2")
    for photo in (one, two):
        make(photo.with_suffix(".xmp"), photo.name.encode())
    made = planned([item_of(one), item_of(two)], tmp_path / "out")
    for step in made.steps:
        photo = one if step.source.parent == one.parent else two
        assert step.target.stem == f"a_{item_of(photo).image_id[:8]}"


def test_new_sidecars_of_photos_that_are_there_do_not_share_a_place(tmp_path: Path) -> None:
    photos = [make(tmp_path / f"in/{n}/a.{n}", n.encode()) for n in ("jpg", "png")]
    items = [item_of(photo, cluster_name="fox") for photo in photos]
    carry_out(planned(items, tmp_path / "out"), journal=next_journal(tmp_path / "j"))
    sidecars = [make(photo.with_suffix(".xmp"), photo.name.encode()) for photo in photos]
    again = planned(items, tmp_path / "out")
    assert len(again.there) == 2
    assert [s.source for s in again.steps] == sidecars[:1]
    assert [left.source for left in again.left] == sidecars[1:]
    assert again.photos == 2


def test_capitals_decide_whose_a_sidecar_is(tmp_path: Path) -> None:
    small, large = make(tmp_path / "in/a.jpg", b"1"), make(tmp_path / "in/A.jpg", b"2")
    if small.samefile(large):
        pytest.skip("this file system folds case")
    make(tmp_path / "in/a.xmp", b"of a")
    make(tmp_path / "in/A.xmp", b"of A")
    made = planned([item_of(small), item_of(large)], tmp_path / "out")
    stems = {s.source.name: s.target.stem for s in made.steps}
    assert stems["a.xmp"] == stems["a.jpg"]
    assert stems["A.xmp"] == stems["A.jpg"]
    alone = planned([item_of(small)], tmp_path / "out", ArrangeMode.MOVE)
    assert {step.source.name for step in alone.steps} == {"a.jpg", "a.xmp"}
    assert not alone.left
    large.unlink()
    alone = planned([item_of(small)], tmp_path / "out", ArrangeMode.MOVE)
    assert {step.source.name for step in alone.steps} == {"a.jpg", "a.xmp"}


# What is left --------------------------------------------------------------------------------


def test_every_photo_is_accounted_for(tmp_path: Path) -> None:
    good = item_of(make(tmp_path / "in/a.jpg", b"1"))
    gone = item_of(make(tmp_path / "in/b.jpg", b"2"))
    nowhere = item_of(make(tmp_path / "in2/c.jpg", b"3"))
    link = tmp_path / "in/link.jpg"
    link.symlink_to(good.source)
    linked = item_of(link)
    gone.source.unlink()
    nowhere.source.unlink()
    nowhere.source.parent.rmdir()
    bad = Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff.jpg"))
    misnamed = ArrangeItem("f" * 32, bad, 1, 1)
    items = [good, gone, nowhere, linked, misnamed, good]
    made = planned(items, tmp_path / "out", ArrangeMode.MOVE)
    assert made.photos == len(items)
    assert [s.source for s in made.steps] == [good.source]
    why = {(left.source.name, left.why.split(":")[0]) for left in made.left}
    assert why == {
        ("b.jpg", "it is not there"),
        ("c.jpg", "its folder cannot be read"),
        ("link.jpg", "it is a symbolic link, which a move could break"),
        (bad.name, "its name is not valid UTF-8"),
        ("a.jpg", "it was given twice"),
    }
    read = read_plan(write_plan(made, tmp_path / "plan.csv"))
    assert read.photos == len(items)
    assert {left.why for left in read.left} == {left.why for left in made.left}


def test_it_is_told_how_many_names_were_made_safe(tmp_path: Path) -> None:
    files = [make(tmp_path / f"in/{name}.jpg", name.encode()) for name in ("a", "b?", "c*")]
    items = [item_of(f, cluster_name="red:fox") for f in files]
    made = planned(items, tmp_path / "out")
    assert made.made_safe == 3
    assert set(targets(made).values()) == {"red_fox/a.jpg", "red_fox/b_.jpg", "red_fox/c_.jpg"}
    assert {step.cluster_folder for step in made.steps} == {"red_fox"}
