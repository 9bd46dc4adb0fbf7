"""A photo into which metadata were written is the photo that it was."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from organizer import decode
from organizer.arrange import ArrangeMode
from organizer.identity import identify
from organizer.library import Library
from organizer.library.folders.options import ArrangeOptions
from organizer.library.ingest.report import IngestReport
from organizer.settings import Settings
from organizer.types import AssignmentState, ImageRef, Outcome
from tests.conftest import Run, Site, make_photo

_ORIENTATION, _DATE, _MODEL = 0x0112, 0x9003, 0x0110


def write_tags(file: Path, **tags: object) -> None:
    """Write EXIF tags into a JPEG as metadata programs do: before its first segment, in place."""
    exif = Image.Exif()
    names = {"orientation": _ORIENTATION, "camera": _MODEL}
    for name, value in tags.items():
        if name == "date":
            exif.get_ifd(0x8769)[_DATE] = value
        else:
            exif[names[name]] = value
    block = exif.tobytes()
    data = file.read_bytes()
    if data[2:4] == b"\xff\xe1":  # replace what was written before
        data = data[:2] + data[4 + struct.unpack_from(">H", data, 4)[0] :]
    file.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:])


def write_keyword(file: Path, keyword: str = "lynx") -> None:
    """Write a comment into a JPEG."""
    data, text = file.read_bytes(), keyword.encode()
    file.write_bytes(data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:])


@pytest.fixture
def clustered(filled: Library) -> Library:
    filled.recluster(k=3)
    return filled


def _ids(library: Library) -> set[str]:
    return set(library.store.photos.columns("image_id")["image_id"].tolist())


def _members(library: Library) -> dict[str, tuple[int, str]]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    pairs = zip(members.cluster_ids.tolist(), members.states.tolist(), strict=True)
    return dict(zip(members.image_ids.tolist(), pairs, strict=True))


def _counts(report: IngestReport) -> dict[str, int]:
    return {outcome.value: n for outcome, n in report.counts.items() if n}


def test_as_typed_photos_with_a_keyword_are_the_photos_that_they_were(
    typed: Run, photos: Path
) -> None:
    assert typed("ingest", photos, "--embedder", "channel-mean").code == 0
    assert typed("recluster", "--k", 3).code == 0
    one, other = photos / "red" / "000.jpg", photos / "blue" / "001.jpg"
    assert typed("clusters", "gather", one, other, "--name", "Lynx").code == 0
    for file in photos.rglob("*.jpg"):
        write_keyword(file)
    told = typed("ingest", photos)
    assert told.code == 0
    assert "24 files have new metadata" in told.out
    assert "24 images in the library" in told.out
    again = typed("ingest", photos, "--json").json
    assert (again["unchanged"], again["new_metadata"], again["added"]) == (24, 0, 0)
    shown = typed("clusters", "show", 4, "--json").json
    assert {row["state"] for row in shown["images"]} == {"decided"}
    assert len(shown["images"]) == 2


def test_vectors_clusters_and_decisions_stay_and_the_new_metadata_are_stored(
    clustered: Library, photos: Path
) -> None:
    first = photos / "red" / "000.jpg"
    image_id = clustered.store.photos.image_at(first)
    assert image_id is not None
    clustered.corrections.move(image_id, 2)
    before, ids = _members(clustered), _ids(clustered)
    write_tags(first, camera="BUSHNELL", date="2024:05:01 10:00:00")
    report = clustered.ingest([photos])
    assert _counts(report) == {"unchanged": 23, "new_metadata": 1}
    assert report.embedded == 0
    assert (_ids(clustered), _members(clustered)) == (ids, before)
    facts = clustered.store.photos.facts_of([image_id])[image_id]
    assert (facts.camera, facts.taken_at) == ("BUSHNELL", "2024-05-01T10:00:00")
    assert facts.brightness is not None
    assert facts.bytes == first.stat().st_size
    assert facts.file_hash == identify(first.read_bytes()).file


def test_a_rotation_tag_gives_the_image_another_vector_and_no_other_id(
    clustered: Library, photos: Path
) -> None:
    spec = clustered.store.vectors.specs()[0]
    file = photos / "red" / "003.jpg"
    half = np.zeros((48, 64, 3), np.uint8)
    half[:24] = (220, 30, 30)
    Image.fromarray(half).save(file, quality=95)
    clustered.ingest([photos])
    image_id = clustered.store.photos.image_at(file)
    assert image_id is not None
    count = clustered.store.vectors.count(spec)
    write_tags(file, orientation=6)
    report = clustered.ingest([photos])
    assert _counts(report) == {"unchanged": 23, "new_metadata": 1}
    assert report.embedded == 1
    assert clustered.store.photos.image_at(file) == image_id
    assert clustered.store.vectors.count(spec) == count
    facts = clustered.store.photos.facts_of([image_id])[image_id]
    assert (facts.width, facts.height, facts.view) == (48, 64, "6")
    assert set(_members(clustered)) == _ids(clustered)
    assert clustered.ingest([photos]).counts[Outcome.UNCHANGED] == 24


def test_a_rotated_image_is_assigned_anew_unless_that_was_decided(
    tmp_path: Path, top_row: str
) -> None:
    folder = tmp_path / "photos"
    for number in range(12):
        _two_halves(folder / f"{number:02}.jpg", number, flat=number % 2 == 0)
    with Library.open_or_create(tmp_path, Settings()) as library:
        library.ingest([folder], embedder=top_row)
        library.recluster(k=2)
        auto, fixed = folder / "00.jpg", folder / "02.jpg"
        auto_id = library.store.photos.image_at(auto)
        fixed_id = library.store.photos.image_at(fixed)
        assert auto_id is not None
        assert fixed_id is not None
        before = _members(library)
        other = ({c for c, _ in before.values()} - {before[fixed_id][0]}).pop()
        library.corrections.move(fixed_id, before[fixed_id][0])
        for file in (auto, fixed):
            write_tags(file, orientation=6)
        report = library.ingest([folder])
        assert report.embedded == 2
        after = _members(library)
        assert after[auto_id] == (other, AssignmentState.AUTO.value)
        assert after[fixed_id] == (before[fixed_id][0], AssignmentState.DECIDED.value)
        rest = before.keys() - {auto_id, fixed_id}
        assert {i: after[i] for i in rest} == {i: before[i] for i in rest}
        current = library.store.clusterings.current()
        assert current is not None
        models = library.store.clusterings.models(current.clustering_id)
        sizes = [sum(c == i for c, _ in after.values()) for i in models.cluster_ids.tolist()]
        assert models.counts.tolist() == sizes
        assert auto_id not in dict(zip(models.cluster_ids, models.medoids, strict=True)).values()


def _two_halves(file: Path, seed: int, *, flat: bool) -> None:
    """The upper half red and the lower blue; or the left one, so that the top row tells them."""
    pixels = np.zeros((64, 64, 3), np.float64)
    first, second = (220, 30, 30), (30, 30, 220)
    if flat:
        pixels[:32], pixels[32:] = first, second
    else:
        pixels[:, :32], pixels[:, 32:] = second, first
    noise = np.random.default_rng(seed).normal(0, 4, pixels.shape)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file, quality=95)


_TOP_ROW = """
import numpy as np

class TopRow:
    dim = 96

    def prepare(self, image):
        rows = image[: max(len(image) // 4, 1)].astype(np.float32) / 255
        places = np.linspace(0, rows.shape[1] - 1, 32).astype(int)
        return rows.mean(axis=0)[places].ravel()

    def embed(self, batch):
        return np.stack(batch).astype(np.float32) if len(batch) else np.empty((0, 96), np.float32)

def make(**_):
    return TopRow()
"""


@pytest.fixture
def top_row(site: Site) -> str:
    """An embedder that looks at the upper quarter of a picture: it sees a rotation."""
    site.install("top-row", _TOP_ROW, **{"top-row": "make"})
    return "top-row"


# --- Copies --------------------------------------------------------------------------------------


def test_a_copy_with_a_keyword_is_a_duplicate_and_the_first_path_tells_the_metadata(
    filled: Library, photos: Path
) -> None:
    file = photos / "green" / "002.jpg"
    image_id = filled.store.photos.image_at(file)
    assert image_id is not None

    def camera() -> str | None:
        return filled.store.photos.facts_of([image_id])[image_id].camera

    later, earlier = photos / "red" / "copy.jpg", photos / "blue" / "copy.jpg"
    shutil.copy(file, later)
    write_tags(later, camera="later")
    report = filled.ingest([photos])
    assert _counts(report) == {"unchanged": 24, "duplicate": 1}
    assert filled.store.photos.image_at(later) == image_id
    assert camera() is None
    shutil.copy(file, earlier)
    write_tags(earlier, camera="earlier")
    assert _counts(filled.ingest([photos])) == {"unchanged": 25, "duplicate": 1}
    assert camera() == "earlier"
    write_tags(file, camera="own")
    assert _counts(filled.ingest([photos])) == {"unchanged": 25, "new_metadata": 1}
    assert camera() == "earlier"
    earlier.unlink()
    assert _counts(filled.ingest([photos])) == {"unchanged": 25, "missing": 1}
    assert camera() == "own"
    file.unlink()
    filled.ingest([photos])
    assert camera() == "later"


@pytest.mark.parametrize("names", [("a.jpg", "b.jpg"), ("b.jpg", "a.jpg")])
def test_the_order_in_which_copies_come_decides_nothing(
    library: Library, tmp_path: Path, names: tuple[str, str]
) -> None:
    folder = tmp_path / "photos"
    made = make_photo(tmp_path / "one.jpg", 5)
    for name in names:
        folder.mkdir(exist_ok=True)
        shutil.copy(made, folder / name)
        write_tags(folder / name, camera=name, orientation=6 if name == "a.jpg" else 1)
        library.ingest([folder], embedder="channel-mean")
    (facts,) = library.store.photos.facts_of(_ids(library)).values()
    assert (facts.camera, facts.view, facts.width) == ("a.jpg", "6", 48)


def test_copies_that_come_at_once_have_the_metadata_of_the_first(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    made = make_photo(folder / "deep" / "er" / "a.jpg", 5)
    shutil.copy(made, folder / "z.jpg")
    for file in (made, folder / "z.jpg"):
        write_tags(file, camera=file.name, orientation=6 if file.name == "z.jpg" else 1)
    library.ingest([folder], embedder="channel-mean")
    (facts,) = library.store.photos.facts_of(_ids(library)).values()
    assert (facts.camera, facts.view) == ("a.jpg", "1")


def test_a_moved_photo_with_a_keyword_is_the_photo_that_moved(
    clustered: Library, photos: Path
) -> None:
    file, ids = photos / "red" / "000.jpg", _ids(clustered)
    write_tags(file, camera="new")
    file.rename(photos / "blue" / "moved.jpg")
    report = clustered.ingest([photos])
    assert _counts(report) == {"unchanged": 23, "moved": 1}
    assert _ids(clustered) == ids


# --- Other photos at known places ----------------------------------------------------------------


def test_a_card_with_other_photos_under_the_same_names_is_told(typed: Run, tmp_path: Path) -> None:
    slot = tmp_path / "slot"
    for number in range(4):
        make_photo(slot / f"IMG_{number}.JPG", number)
    typed("ingest", slot, "--embedder", "channel-mean")
    for number in range(4):
        make_photo(slot / f"IMG_{number}.JPG", 100 + number)
    told = typed("ingest", slot)
    assert "4 files hold other photos now" in told.out
    assert typed("ingest", slot, "--json").json["replaced"] == 0


def test_verify_finds_a_photo_that_was_replaced_under_its_size_and_time(
    filled: Library, photos: Path
) -> None:
    file = photos / "red" / "000.jpg"
    status, data = file.stat(), bytearray(file.read_bytes())
    data[-40] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _counts(filled.ingest([photos])) == {"unchanged": 24}
    report = filled.ingest([photos], verify=True)
    assert _counts(report) == {"unchanged": 23, "added": 1}
    assert report.replaced == 1


def test_metadata_are_read_anew_where_a_reader_came_later(
    filled: Library, photos: Path, site: Site
) -> None:
    code = (
        "class Reader:\n    def read(self, content):\n        return {'size': len(content.data)}\n"
    )
    site.install("sizes", code, group="organizer.metadata_readers", sizes="Reader")
    assert filled.ingest([photos]).counts[Outcome.UNCHANGED] == 24
    assert "size" not in filled.store.photos.extra_names()
    report = filled.ingest([photos], reread_metadata=True)
    assert _counts(report) == {"new_metadata": 24}
    assert report.embedded == 0
    assert "size" in filled.store.photos.extra_names()
    again = filled.ingest([photos], reread_metadata=True)
    assert _counts(again) == {"unchanged": 24}


# --- Arrangements --------------------------------------------------------------------------------


def _arrange(library: Library, to: Path, mode: ArrangeMode) -> None:
    options = ArrangeOptions(to, mode=mode)
    if mode is ArrangeMode.MOVE:
        plan = to.with_suffix(".csv")
        library.folders.arrange(options, plan=plan)
        library.folders.apply(plan)
    else:
        library.folders.arrange(options)


@pytest.mark.parametrize("mode", [ArrangeMode.MOVE, ArrangeMode.COPY, ArrangeMode.LINK])
def test_a_photo_that_was_edited_in_an_arranged_folder_is_no_stranger(
    clustered: Library, tmp_path: Path, mode: ArrangeMode
) -> None:
    to = tmp_path / "arranged"
    _arrange(clustered, to, mode)
    folders = sorted(folder for folder in to.iterdir() if folder.is_dir())
    file = next(folders[0].iterdir())
    fresh = folders[1] / f"renamed-{file.name}"
    data = file.read_bytes()
    file.unlink()
    fresh.write_bytes(data)
    write_keyword(fresh)
    report = clustered.folders.read_back(to, dry_run=True)
    assert [count for _, _, count in report.moved] == [1]
    assert not report.unknown_files
    assert report.gone == 0


def test_undo_moves_an_edited_photo_back_with_what_was_written_into_it(
    clustered: Library, tmp_path: Path, photos: Path
) -> None:
    to = tmp_path / "arranged"
    before = {file.relative_to(photos) for file in photos.rglob("*.jpg")}
    _arrange(clustered, to, ArrangeMode.MOVE)
    edited = sorted(to.rglob("*.jpg"))[3]
    write_keyword(edited, "kept")
    data = edited.read_bytes()
    clustered.folders.undo()
    assert {file.relative_to(photos) for file in photos.rglob("*.jpg")} == before
    assert data in [file.read_bytes() for file in photos.rglob("*.jpg")]
    assert not list(to.rglob("*.jpg"))
    report = clustered.ingest([photos])
    assert _counts(report) == {"unchanged": 23, "new_metadata": 1}


# --- Tags without the picture --------------------------------------------------------------------


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_tags_are_read_alike_with_and_without_the_picture(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    decode.register_codecs()
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MODEL] = orientation, "BUSHNELL"
    file = tmp_path / "photo"
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, kind, exif=exif)
    ref = ImageRef(tmp_path, "photo", file.stat().st_size, 0)
    whole = decode.decode_image(ref, file.read_bytes())
    tags = decode.decode_image(ref, file.read_bytes(), only_tags=True)
    assert tags.pixels.shape == (0, 0, 3)
    for name in ("width", "height", "format", "metadata", "blocks", "view"):
        assert getattr(tags, name) == getattr(whole, name), name
    assert whole.view.split(" ")[0] == str(orientation)
    assert whole.pixels.shape[:2] == (whole.height, whole.width)
    assert (whole.width, whole.height) == ((48, 64) if orientation in {6, 8} else (64, 48))
