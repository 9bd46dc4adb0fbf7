"""Arrangements of a library: plan, apply, undo, and the file rows that follow."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer.arrange import ArrangeMode, StepResult
from organizer.arrange.disk import Disk
from organizer.errors import ClusteringError, OrganizerError, SettingsError
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.settings import Settings
from organizer.store import MovedFiles
from organizer.types import FileState
from tests.arranged import (
    EACH,
    clusters_at,
    counts,
    files_in,
    home,
    home_of,
    library,
    made,
    named,
    names_in,
)
from tests.conftest import make_photo
from tests.raw_files import RAW_FILES, jpeg

__all__ = ["home", "library", "made"]

ALL = 3 * EACH


def arrange(
    library: Library, mode: ArrangeMode = ArrangeMode.LINK, to: str = "sorted", **rest: object
) -> Path:
    """Arrange, a move by its plan; the folder."""
    folder = home_of(library) / to
    choice = ArrangeOptions(folder, mode, among_photos=True, **rest)  # type: ignore[arg-type]
    if mode is ArrangeMode.MOVE:
        plan = home_of(library) / "plan.csv"
        plan.unlink(missing_ok=True)
        library.folders.arrange(choice, plan=plan)
        library.folders.apply(plan)
    else:
        library.folders.arrange(choice)
    return folder


# What goes where ----------------------------------------------------------------------------


def test_every_file_gets_a_link_in_the_folder_of_its_cluster(library: Library) -> None:
    named(library, red="fox")
    home = home_of(library)
    told = library.folders.arrange(ArrangeOptions(home / "sorted"))
    assert (told.files, told.done, told.is_whole) == (ALL, ALL, True)
    for number in range(EACH):
        link = home / "sorted" / "fox" / f"{number:03}.jpg"
        assert link.samefile(home / "photos" / "red" / f"{number:03}.jpg")
    assert len(names_in(home / "sorted")) == ALL
    again = library.folders.arrange(ArrangeOptions(home / "sorted"))
    assert (again.done, again.there, again.is_whole) == (0, ALL, True)
    undone = library.folders.undo()
    assert (undone.undone, undone.is_whole) == (ALL, True)
    assert not (home / "sorted").exists()
    with pytest.raises(SettingsError, match="there is no arrangement to take back"):
        library.folders.undo()


def test_clusters_without_a_name_share_a_folder_by_name(library: Library) -> None:
    named(library, red="fox")
    folder = arrange(library, by="name")
    names = names_in(folder)
    assert sorted({name.split("/")[0] for name in names}) == ["fox", "unnamed"]
    assert sum(name.startswith("fox/") for name in names) == EACH
    with_suffix = [name for name in names if "_" in name]
    assert len(with_suffix) == 2 * EACH, "both cards have an 000.jpg"


def test_unassigned_photos_have_a_folder(library: Library) -> None:
    red = home_of(library) / "photos" / "red" / "000.jpg"
    library.corrections.exclude([red], clusters_at(library)["photos/red/000.jpg"])
    folder = arrange(library)
    assert "unsure/000.jpg" in names_in(folder) or clusters_at(library)["photos/red/000.jpg"] > 0


def test_every_file_of_an_image_is_arranged(library: Library) -> None:
    home = home_of(library)
    shutil.copy2(home / "photos" / "red" / "000.jpg", home / "photos" / "red" / "twin.jpg")
    library.ingest([home / "photos"])
    told = library.folders.arrange(ArrangeOptions(home / "sorted"))
    assert (told.files, told.done) == (ALL + 1, ALL + 1)
    assert (
        sum(name.endswith(("twin.jpg", "/000.jpg")) for name in names_in(home / "sorted")) == 3 + 1
    )


def test_a_photo_that_is_not_there_is_accounted_for(library: Library) -> None:
    home = home_of(library)
    (home / "photos" / "red" / "000.jpg").unlink()
    told = library.folders.arrange(ArrangeOptions(home / "sorted"))
    assert (told.files, told.done, dict(told.left)) == (ALL, ALL - 1, {"it is not there": 1})
    assert not told.is_whole
    library.ingest([home / "photos"])
    assert library.status().missing == 1
    told = library.folders.arrange(ArrangeOptions(home / "sorted"))
    assert (told.files, told.there, dict(told.left)) == (ALL, ALL - 1, {"it is not there": 1})


@pytest.fixture
def field(tmp_path: Path) -> Library:
    """Two cards with the same file names, of two cameras, with times."""
    for camera in ("North", "South"):
        for number, minute in enumerate((0, 1, 50)):
            file = tmp_path / "cards" / camera / "100EK113" / f"IMG_{number:04}.JPG"
            _photo_at(file, camera, datetime(2024, 5, 1, 12, minute))  # noqa: DTZ001
    library = Library.open_or_create(tmp_path, Settings())
    library.ingest([tmp_path / "cards"], embedder="channel-mean")
    return library


def _photo_at(file: Path, camera: str, at: datetime) -> None:
    file.parent.mkdir(parents=True) if not file.parent.exists() else None
    exif = Image.Exif()
    exif[272] = camera
    exif.get_ifd(0x8769)[36867] = f"{at:%Y:%m:%d %H:%M:%S}"
    draw = np.random.default_rng([at.minute, len(camera), ord(camera[0])])
    pixels = draw.integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, exif=exif)


def test_events_and_cameras_make_folders_without_any_clustering(field: Library) -> None:
    folder = arrange(field, by="event")
    cards = [f"{c}/2024-05-01 12.{m}" for c in ("North", "South") for m in ("00", "50")]
    found = {name.rpartition("/")[0] for name in names_in(folder)}
    assert found == {*cards}
    assert len(names_in(folder / "North" / "2024-05-01 12.00")) == 2
    by_camera = arrange(field, to="cameras", by="camera", keep_tree=True)
    assert names_in(by_camera)[0] == "North/North/100EK113/IMG_0000.JPG"
    with pytest.raises(ClusteringError, match="no clusters yet"):
        arrange(field, to="clusters")
    with pytest.raises(ClusteringError, match="no clusters yet"):
        arrange(field, to="clusters", template="{camera}/{cluster:03}_{stem}")


def test_a_template_of_ones_own_can_name_all_that_is_known(field: Library) -> None:
    field.recluster(k=2)
    template = "{camera}/{taken_at:%Y/%m}/{burst:%H%M}_{cluster}_{stem}"
    folder = arrange(field, template=template)
    names = names_in(folder)
    assert len(names) == 6
    assert all(name.startswith(("North/2024/05/", "South/2024/05/")) for name in names)
    assert sum("/1200_" in name for name in names) == 4, "two of a burst at each camera"


def test_deployments_make_folders_and_a_moved_photo_stays_of_its_deployment(
    field: Library,
) -> None:
    cameras = {
        d.deployment.deployment_id
        for d in field.deployments.set_template("{camera}/...").deployments
    }
    assert cameras == {"North", "South"}
    folder = arrange(field, ArrangeMode.MOVE, template="{deployment}/{stem}")
    assert {name.split("/")[0] for name in names_in(folder)} == {"North", "South"}
    assert field.deployments.summary().without_deployment == 0
    field.folders.undo()
    arrange(field, ArrangeMode.MOVE, "flat", template="some/{stem}", keep_tree=True)
    assert {d.deployment.deployment_id for d in field.deployments.summary().deployments} == cameras
    assert field.deployments.summary().without_deployment == 0, "where they lay first tells it"


# Moves --------------------------------------------------------------------------------------


def test_after_a_move_the_library_knows_its_files_and_undo_brings_all_back(
    library: Library,
) -> None:
    named(library, red="fox")
    home = home_of(library)
    (home / "photos" / "red" / "000.xmp").write_text("<x/>")
    before, known = files_in(home / "photos"), clusters_at(library)
    folder = arrange(library, ArrangeMode.MOVE)
    assert names_in(home / "photos") == []
    assert "fox/000.xmp" in names_in(folder)
    moved = clusters_at(library)
    assert all(path.startswith("sorted/") for path in moved)
    assert sorted(moved.values()) == sorted(known.values())
    assert counts(library.ingest([home / "photos", folder])) == {"unchanged": ALL}
    assert counts(library.ingest([folder])) == {"unchanged": ALL}
    assert library.folders.undo().is_whole
    assert files_in(home / "photos") == before
    assert clusters_at(library) == known
    assert not folder.exists()
    assert library.roots() == [home / "photos"]
    assert counts(library.ingest([home / "photos"])) == {"unchanged": ALL}


def test_a_second_undo_takes_back_the_arrangement_before(library: Library) -> None:
    named(library, red="fox")
    home = home_of(library)
    before, known = files_in(home / "photos"), clusters_at(library)
    arrange(library, ArrangeMode.MOVE)
    first = clusters_at(library)
    library.corrections.rename(clusters_at(library)["sorted/fox/000.jpg"], "hare")
    arrange(library, ArrangeMode.MOVE)
    assert "sorted/hare/000.jpg" in clusters_at(library)
    library.folders.undo()
    assert clusters_at(library) == first
    library.folders.undo()
    assert (files_in(home / "photos"), clusters_at(library)) == (before, known)


def test_files_keep_the_name_and_the_folders_that_the_camera_gave(library: Library) -> None:
    named(library, red="fox")
    template = "{cluster_name}/new_{stem}"
    folder = arrange(library, ArrangeMode.MOVE, template=template, keep_tree=True)
    assert "fox/red/new_000.jpg" in names_in(folder)
    library.corrections.rename(clusters_at(library)["sorted/fox/red/new_000.jpg"], "hare")
    folder = arrange(library, ArrangeMode.MOVE, template=template, keep_tree=True)
    assert "hare/red/new_000.jpg" in names_in(folder)
    library.corrections.rename(clusters_at(library)["sorted/hare/red/new_000.jpg"], "lynx")
    folder = arrange(library, ArrangeMode.MOVE, template=template, keep_tree=True)
    assert "lynx/red/new_000.jpg" in names_in(folder)
    for _ in range(3):
        assert library.folders.undo().is_whole
    assert len(names_in(home_of(library) / "photos")) == ALL


def test_what_was_moved_to_a_disk_that_is_not_here_is_not_taken_for_taken_back(
    library: Library,
) -> None:
    folder = arrange(library, ArrangeMode.MOVE)
    folder.rename(folder.with_name("unplugged"))
    with pytest.raises(SettingsError, match="no folder"):
        library.folders.undo()
    folder.with_name("unplugged").rename(folder)
    assert library.folders.undo().is_whole


def test_links_to_files_that_were_moved_later_are_still_no_photos(library: Library) -> None:
    home = home_of(library)
    arrange(library, ArrangeMode.LINK, "photos/links")
    arrange(library, ArrangeMode.MOVE)
    assert counts(library.ingest([home / "photos", home / "sorted"])) == {"unchanged": ALL}


def test_an_interruption_between_files_and_rows_is_repaired_by_the_next_writer(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_of(library)
    known = sorted(clusters_at(library).values())

    def cut(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(MovedFiles, "relocate", cut)
    with pytest.raises(KeyboardInterrupt):
        arrange(library, ArrangeMode.MOVE)
    monkeypatch.undo()
    assert names_in(home / "photos") == []
    with Library.open(home, Settings()) as next_one:
        report = next_one.ingest([home / "photos", home / "sorted"])
        assert counts(report) == {"unchanged": ALL}
        assert sorted(clusters_at(next_one).values()) == known
    monkeypatch.setattr(MovedFiles, "relocate", cut)
    with pytest.raises(KeyboardInterrupt):
        library.folders.undo()
    monkeypatch.undo()
    with Library.open(home, Settings()) as next_one:
        next_one.corrections.pin(known[0])
        assert all(path.startswith("photos/") for path in clusters_at(next_one))
        assert counts(next_one.ingest([home / "photos"])) == {"unchanged": ALL}


@pytest.mark.parametrize(
    "way_out", ["apply", "undo", "ingest", pytest.param("resume", marks=pytest.mark.slow)]
)
def test_an_interruption_amid_the_moves_has_two_ways_out_and_loses_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch, way_out: str
) -> None:
    home = home_of(library)
    before, plan = files_in(home / "photos"), home / "plan.csv"
    rename, moved = Disk.rename, [0]

    def cut(self: Disk, source: str, target: str) -> None:
        rename(self, source, target)
        moved[0] += 1
        if moved[0] == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(Disk, "rename", cut)
    library.folders.arrange(ArrangeOptions(home / "sorted", ArrangeMode.MOVE), plan=plan)
    with pytest.raises(KeyboardInterrupt):
        library.folders.apply(plan)
    monkeypatch.undo()
    with Library.open(home, Settings()) as next_one:
        unfinished = next_one.folders.unfinished()
        assert unfinished is not None
        with pytest.raises(SettingsError, match="interrupted") as caught:
            next_one.folders.arrange(ArrangeOptions(home / "other"))
        assert "--resume" in caught.value.hint
        if way_out == "ingest":
            assert counts(next_one.ingest([home])) == {"unchanged": ALL}
        if way_out in {"resume", "apply"}:
            told = next_one.folders.apply(None if way_out == "resume" else plan)
            assert (told.done, told.is_whole) == (ALL, True)
            assert names_in(home / "photos") == []
        assert next_one.folders.undo().is_finished
        assert files_in(home / "photos") == before
        assert next_one.folders.unfinished() is None
        assert counts(next_one.ingest([home / "photos"])) == {"unchanged": ALL}


def test_a_stop_leaves_the_rest_for_later(library: Library) -> None:
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > 5

    told = library.folders.arrange(ArrangeOptions(home_of(library) / "sorted"), stop=stop)
    assert not told.is_finished
    assert told.done + told.results[StepResult.PENDING] == ALL
    assert library.folders.apply(None).is_whole


# A plan that a person edits -----------------------------------------------------------------


def _edited(plan: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    with plan.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with plan.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(change(rows))


def test_lines_that_were_deleted_are_accounted_for_and_edited_targets_used(
    library: Library,
) -> None:
    home = home_of(library)
    plan = home / "plan.csv"
    told = library.folders.arrange(ArrangeOptions(home / "sorted", ArrangeMode.MOVE), plan=plan)
    assert (told.plan, told.done) == (plan, ALL)
    assert not (home / "sorted").exists(), "nothing was touched"
    with pytest.raises(SettingsError, match="is there"):
        library.folders.arrange(ArrangeOptions(home / "sorted", ArrangeMode.MOVE), plan=plan)

    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[0]["target"] = str(home / "sorted" / "best.jpg")
        return rows[:-2]

    _edited(plan, change)
    told = library.folders.apply(plan)
    assert (told.files, told.done, told.absent) == (ALL, ALL - 2, 2)
    assert "sorted/best.jpg" in clusters_at(library)


def test_a_plan_of_another_library_or_into_this_one_is_refused(
    library: Library, tmp_path: Path
) -> None:
    home = home_of(library)
    plan = home / "plan.csv"
    library.folders.arrange(ArrangeOptions(home / "sorted", ArrangeMode.MOVE), plan=plan)
    make_photo(tmp_path / "else" / "photos" / "a.jpg")
    with Library.open_or_create(tmp_path / "else", Settings()) as other:
        other.ingest([tmp_path / "else" / "photos"], embedder="channel-mean")
        with pytest.raises(SettingsError, match="another library"):
            other.folders.apply(plan)

    def inside(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        for row in rows:
            name = Path(row["target"]).name
            row["target"] = f"{home}/organizer/{row['cluster']}/{name}"
            row["to"] = str(home)
            row["cluster_folder"] = ""
        return rows

    _edited(plan, inside)
    store = home / ".organizer"
    text = plan.read_text().replace(f"{home}/organizer/", f"{store}/")
    plan.write_text(text)
    with pytest.raises(SettingsError):
        library.folders.apply(plan)
    assert len(names_in(home / "photos")) == ALL


# What cannot be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "mode", "message"),
    [
        ("photos/red/000.jpg", ArrangeMode.LINK, "is a photo of the library"),
        ("notes.txt", ArrangeMode.LINK, "is a file"),
        (".organizer", ArrangeMode.COPY, "inside the library"),
        (".organizer/sorted", ArrangeMode.LINK, "inside the library"),
        ("photos", ArrangeMode.MOVE, "was ingested"),
    ],
)
def test_places_that_make_no_sense_are_refused(
    library: Library, to: str, mode: ArrangeMode, message: str
) -> None:
    home = home_of(library)
    (home / "notes.txt").write_text("mine")
    plan = home / "plan.csv" if mode is ArrangeMode.MOVE else None
    with pytest.raises(SettingsError, match=message):
        library.folders.arrange(ArrangeOptions(home / to, mode), plan=plan)
    assert library.folders.unfinished() is None


def test_unknown_templates_and_modes_are_refused(library: Library) -> None:
    folder = home_of(library) / "sorted"
    bad = [
        ArrangeOptions(folder, by="species"),
        ArrangeOptions(folder, template="{clustername}/{stem}"),
        ArrangeOptions(folder, template="../{stem}"),
    ]
    for choice in bad:
        with pytest.raises(SettingsError):
            library.folders.arrange(choice)
    with pytest.raises(SettingsError, match="a plan that you have seen"):
        library.folders.arrange(ArrangeOptions(folder, ArrangeMode.MOVE))
    with pytest.raises(SettingsError, match="nothing is arranged"):
        library.folders.apply(None)
    assert not folder.exists()


def test_files_are_not_moved_from_under_symbolic_links(library: Library) -> None:
    arrange(library, ArrangeMode.SYMLINK, "links")
    with pytest.raises(OrganizerError, match="would lead nowhere"):
        arrange(library, ArrangeMode.MOVE)
    library.folders.undo()
    arrange(library, ArrangeMode.MOVE)


# The next ingest ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode",
    [ArrangeMode.LINK, ArrangeMode.SYMLINK, pytest.param(ArrangeMode.COPY, marks=pytest.mark.slow)],
)
def test_what_an_arrangement_made_is_not_taken_for_photos(
    library: Library, mode: ArrangeMode
) -> None:
    home = home_of(library)
    folder = arrange(library, mode, "photos/sorted")
    assert len(names_in(folder)) == ALL
    assert counts(library.ingest([home / "photos"])) == {"unchanged": ALL}
    assert counts(library.ingest([folder])) == {}
    make_photo(folder / "new.jpg", 77)
    assert counts(library.ingest([home / "photos"])) == {"unchanged": ALL, "added": 1}
    library.folders.undo()
    assert names_in(folder) == ["new.jpg"]
    assert counts(library.ingest([home / "photos"])) == {"unchanged": ALL + 1}


def test_the_link_of_a_photo_that_is_gone_is_the_photo(library: Library) -> None:
    home = home_of(library)
    arrange(library, ArrangeMode.LINK, "photos/sorted")
    (home / "photos" / "red" / "000.jpg").unlink()
    report = library.ingest([home / "photos"])
    assert counts(report) == {"unchanged": ALL - 1, "moved": 1}
    assert library.folders.undo().results == {StepResult.KEPT: 1}
    assert library.store.photos.count_files(FileState.MISSING) == 0
    assert os.path.exists(str(library.store.photos.held_files()[-1].ref.file))  # noqa: PTH110


def test_what_belongs_to_a_photo_is_moved_with_it_and_comes_back(library: Library) -> None:
    home = home_of(library)
    red = home / "photos" / "red"
    photo = min(red.glob("*.jpg"))
    tails = (".CR2", ".CR2.xmp", ".MOV", ".jpg.supplem.json")
    beside = [photo.stem + tail for tail in tails]
    for name in beside:
        (red / name).write_text(name)
    before = files_in(home / "photos")
    folder = arrange(library, ArrangeMode.MOVE)
    table = (home / "plan.csv").read_text("utf-8-sig")
    assert all(str(red / name) in table for name in beside)
    (moved,) = folder.rglob(beside[0])
    assert all((moved.parent / name).read_text() == name for name in beside[1:])
    assert (moved.parent / photo.name).is_file()
    assert not list(red.iterdir())
    report = library.ingest([folder])
    assert (report.companions, counts(report)) == (len(beside), {"unchanged": ALL})
    library.folders.undo()
    assert files_in(home / "photos") == before


def test_a_raw_file_in_an_arranged_folder_is_no_new_photo_when_its_photo_goes(
    library: Library,
) -> None:
    home = home_of(library)
    photo = min((home / "photos" / "red").glob("*.jpg"))
    photo.with_suffix(".NEF").write_bytes(RAW_FILES[".nef"](jpeg(), 1))
    folder = arrange(library)
    (raw,) = folder.rglob("*.NEF")
    raw.with_suffix(".jpg").unlink()
    report = library.ingest([home])
    assert counts(report) == {"unchanged": ALL}
    assert not library.folders.read_back(folder).unknown_files
