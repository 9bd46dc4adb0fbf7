"""Where truth comes from: folders, tables, the photos themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.images.truth import read_truth, require_labelled
from tests.conftest import make_photo


def _labels_of(library: Library, labels: str, below: Path) -> dict[str, str]:
    """Label by file name."""
    truth = read_truth(library.store, labels, below=below)
    files = library.store.photos.files_of()
    return {files[i][0].file.name: label for i, label in truth.of.items()}


def test_another_column_is_named_behind_a_colon(filled: Library, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label,Genus\nphotos/red/000.jpg,fox,Vulpes\nphotos/red/001.jpg,wolf,\n")
    assert set(_labels_of(filled, "labels.csv", tmp_path).values()) == {"fox", "wolf"}
    assert list(_labels_of(filled, "labels.csv:genus", tmp_path).values()) == ["Vulpes"]
    assert list(_labels_of(filled, f"{table}:Genus", Path("/")).values()) == ["Vulpes"]
    with pytest.raises(SettingsError, match="needs the columns path and order; it has: path"):
        read_truth(filled.store, "labels.csv:order", below=tmp_path)


def test_a_file_with_a_colon_in_its_name_is_a_file(filled: Library, tmp_path: Path) -> None:
    (tmp_path / "a:b").write_text("path,label\nphotos/red/000.jpg,fox\n")
    assert list(_labels_of(filled, "a:b", tmp_path).values()) == ["fox"]


def test_the_light_that_was_measured_may_be_taken_for_truth(
    library: Library, tmp_path: Path
) -> None:
    from PIL import Image

    folder = tmp_path / "photos"
    make_photo(folder / "day.jpg", colour=(180, 90, 40))
    # A single colour is a tint; a picture by day has several.
    with Image.open(folder / "day.jpg") as photo:
        half = photo.copy()
        half.paste((20, 140, 60), (0, 0, 32, 48))
    half.save(folder / "day.jpg")
    grey = Image.effect_noise((64, 48), 60)
    grey.convert("RGB").save(folder / "night.jpg")
    library.ingest([folder], embedder="channel-mean")
    found = _labels_of(library, "light", tmp_path)
    assert found == {"day.jpg": "colour", "night.jpg": "infrared"}


def test_an_unknown_property_is_no_truth(filled: Library, tmp_path: Path) -> None:
    truth = read_truth(filled.store, "camera", below=tmp_path)
    assert truth.of == {}
    with pytest.raises(SettingsError, match="no photo of the library has a known camera"):
        require_labelled(truth, ["a"], "camera")


def test_labels_of_files_that_are_not_here_are_counted(filled: Library, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,label\nphotos/red/000.jpg,fox\nlost.jpg,fox\n")
    assert read_truth(filled.store, "labels.csv", below=tmp_path).unmatched == 1


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("path;label\nphotos/red/000.jpg;F\u00e4he\n", "utf-8"),
        ("path\tlabel\r\nphotos/red/000.jpg\tF\u00e4he\r\n", "utf-16"),
        ("sep=;\r\npath;label\r\nphotos/red/000.jpg;F\u00e4he\r\n", "utf-8-sig"),
        ("path;label\nphotos/red/000.jpg;F\u00e4he\n", "cp1252"),
    ],
    ids=["semicolon", "unicode-text", "sep", "ansi"],
)
def test_labels_are_read_as_other_programs_save_them(
    filled: Library, tmp_path: Path, text: str, encoding: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
    assert _labels_of(filled, "labels.csv", tmp_path) == {"000.jpg": "F\u00e4he"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('path,label\nphotos/red/000.jpg,"fox\nphotos/red/001.jpg,fox\n', "line 2 is not CSV"),
        ('path,label\nphotos/red/000.jpg,"fox\nphotos/red/001.jpg,"\n', "line 2: the column label"),
        ('path,label\n"photos/red/000.jpg\nphotos/red/001.jpg",fox\n', "line 2: the column path"),
        ("path,label\nphotos/red/000.jpg,f\0x\n", "is no text"),
    ],
)
def test_labels_that_would_be_lost_are_reported(
    filled: Library, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(SettingsError, match=told):
        read_truth(filled.store, "labels.csv", below=tmp_path)


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\u2028b.jpg", " a.jpg"])
def test_names_with_breaks_and_blanks_are_found(
    library: Library, tmp_path: Path, name: str
) -> None:
    make_photo(tmp_path / "photos" / name)
    library.ingest([tmp_path / "photos"], embedder="channel-mean")
    (tmp_path / "labels.csv").write_text(f'path,label\n"photos/{name}",fox\n', encoding="utf-8")
    assert _labels_of(library, "labels.csv", tmp_path) == {name: "fox"}


def test_links_and_detours_lead_to_the_same_photo(filled: Library, tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "photos" / "red" / "000.jpg")
    (tmp_path / "labels.csv").write_text(
        "path,label\nlink.jpg,fox\nphotos/../photos/red/001.jpg,wolf\n"
    )
    found = _labels_of(filled, "labels.csv", tmp_path)
    assert found == {"000.jpg": "fox", "001.jpg": "wolf"}


def test_of_contradicting_labels_the_first_in_the_table_counts(
    filled: Library, tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text(
        "path,label\nphotos/red/001.jpg,wolf\nphotos/red/001.jpg,fox\n"
        "photos/red/000.jpg,fox\nphotos/red/000.jpg, fox\n"
    )
    truth = read_truth(filled.store, "labels.csv", below=tmp_path)
    assert sorted(truth.of.values()) == ["fox", "wolf"]
    assert truth.conflicting == 1
    assert truth.conflict == "1 image has several different labels; the first in the table counts"
    assert read_truth(filled.store, "format", below=tmp_path).conflict is None


def test_copies_in_folders_of_different_names_are_noted(library: Library, tmp_path: Path) -> None:
    make_photo(tmp_path / "photos" / "b" / "1.jpg")
    make_photo(tmp_path / "photos" / "a" / "1.jpg")
    library.ingest([tmp_path / "photos"], embedder="channel-mean")
    truth = read_truth(library.store, "folders", below=tmp_path)
    assert list(truth.of.values()) == ["a"]
    assert (
        truth.conflict
        == "1 image has copies in folders of different names; the first by path counts"
    )
