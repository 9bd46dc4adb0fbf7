"""The kinds of files, those that are not read in the order in which a person wants to know."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.file_kinds import IMAGE_SUFFIXES, FileKind, by_kind, file_kind
from tests.conftest import Run, make_photo


def test_what_may_hold_photos_comes_first() -> None:
    counts = {".txt": 900, ".xmp": 800, ".braw": 1, ".avi": 2, ".jxl": 1, ".new": 3, "": 5}
    assert list(by_kind(counts)) == [".avi", ".braw", ".jxl", ".new", ".txt", ".xmp", ""]


@given(
    st.dictionaries(st.sampled_from([".avi", ".mp4", ".psd", ".json", ".q", ""]), st.integers(1))
)
def test_no_kind_is_lost(counts: dict[str, int]) -> None:
    assert by_kind(counts) == counts


def test_no_kind_that_is_read_is_among_them() -> None:
    kinds = {file_kind(suffix) for suffix in IMAGE_SUFFIXES}
    assert kinds == {FileKind.UNKNOWN, FileKind.RAW}


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_has_a_suffix(kind: FileKind) -> None:
    suffixes = [".mp4", ".dng", ".jxl", ".psd", ".zip", ".other", ".log"]
    assert kind in map(file_kind, suffixes)


def test_an_ingest_tells_all_that_may_hold_photos_and_counts_the_rest(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    make_photo(folder / "a.jpg")
    suffixes = "flv rm r3d braw vob psd zip txt xmp json thm log csv ini"
    for suffix in suffixes.split():
        for number in range(1 if suffix in "flv braw" else 3):
            (folder / f"{number}.{suffix}").write_text("x")
    ran = run("ingest", "photos", "--embedder", "channel-mean")
    lines = [line for line in ran.err.splitlines() if line.startswith("not read: ")]
    assert lines[0] == "not read: 3 files .r3d (video)"
    assert "not read: 1 file .flv (video)" in lines[:5]
    assert "not read: 1 file .braw (video)" in lines[3:5]
    assert lines[5] == "not read: 3 files .psd (picture)"
    assert lines[-1] == "not read: 18 files of 6 other kinds"
    ran = run("ingest", "photos", "--json")
    assert list(ran.json["other_suffixes"])[:3] == [".r3d", ".rm", ".vob"]
    assert sum(ran.json["other_suffixes"].values()) == 38
