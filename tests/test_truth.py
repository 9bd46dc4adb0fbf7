"""Where truth comes from: folders, tables, the photos themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.library.truth import require_some, truth_of
from tests.conftest import make_photo


def _labels_of(library: Library, labels: str, below: Path) -> dict[str, str]:
    """Label by file name."""
    truth = truth_of(library.store, labels, below=below)
    files = library.store.photos.files_of()
    return {files[i][0].file.name: label for i, label in truth.of.items()}


def test_another_column_is_named_behind_a_colon(filled: Library, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("path,label,Genus\nphotos/red/000.jpg,fox,Vulpes\nphotos/red/001.jpg,wolf,\n")
    assert set(_labels_of(filled, "labels.csv", tmp_path).values()) == {"fox", "wolf"}
    assert list(_labels_of(filled, "labels.csv:genus", tmp_path).values()) == ["Vulpes"]
    assert list(_labels_of(filled, f"{table}:Genus", Path("/")).values()) == ["Vulpes"]
    with pytest.raises(SettingsError, match="needs the columns path and order; it has: path"):
        truth_of(filled.store, "labels.csv:order", below=tmp_path)


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


def test_what_no_photo_tells_is_no_truth(filled: Library, tmp_path: Path) -> None:
    truth = truth_of(filled.store, "camera", below=tmp_path)
    assert truth.of == {}
    with pytest.raises(SettingsError, match="no photo of the library tells its camera"):
        require_some(truth, ["a"], "camera")


def test_labels_of_files_that_are_not_here_are_counted(filled: Library, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,label\nphotos/red/000.jpg,fox\nlost.jpg,fox\n")
    assert truth_of(filled.store, "labels.csv", below=tmp_path).unmatched == 1
