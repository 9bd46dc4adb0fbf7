"""The laws of the library where bursts are one and vectors are centred; see test_library_laws."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from organizer.errors import SettingsError
from organizer.library import Library
from organizer.settings import Settings
from tests import test_library_laws as laws
from tests.test_library_laws import Tree, contents, counts, fresh, ingest, law, members

_paths = st.sampled_from([f"{folder}{name}.png" for folder in ("", "a/", "b/") for name in "xyz"])
_trees = st.dictionaries(_paths, st.integers(0, 11), min_size=3, max_size=9)
_MODEL, _EXIF, _TIME = 0x0110, 0x8769, 0x9003


@functools.cache
def content(number: int) -> bytes:
    """Twelve pictures: of four colours, in four bursts of three, by two cameras."""
    colours = [(220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 30)]
    draw = np.random.default_rng(number)
    pixels = np.clip(colours[number // 3] + draw.normal(0, 9, (8, 8, 3)), 0, 255)
    exif = Image.Exif()
    exif[_MODEL] = "AB"[number % 2]
    exif.get_ifd(_EXIF)[_TIME] = f"2024:05:01 10:{10 * (number // 3):02}:{number % 3:02}"
    data = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(data, "PNG", exif=exif)
    return data.getvalue()


@pytest.fixture(autouse=True, scope="module")
def _photos_with_times() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laws, "content", content)
        yield


def recluster(library: Library, k: int) -> bool:
    try:
        library.recluster(k=k, bursts=True, center="camera", reduce="none")
    except SettingsError:
        return False
    return True


@settings(law, max_examples=3)
@given(first=_trees, later=st.lists(_trees, min_size=1, max_size=3))
def test_ingest_moves_no_image_and_twice_is_once(first: Tree, later: list[Tree]) -> None:
    with fresh() as (library, photos):
        ingest(library, photos, first)
        made = recluster(library, 2)
        for tree in later:
            before = members(library)
            ingest(library, photos, tree)
            now = members(library)
            assert {image_id: now[image_id] for image_id in before} == before
            assert not made or len(now) == library.status().images
            whole = contents(library, photos.folder)
            assert counts(ingest(library, photos, tree)) == {"unchanged": len(tree)}
            assert contents(library, photos.folder) == whole


@pytest.mark.slow
@law
@given(
    trees=st.lists(_trees, min_size=1, max_size=3),
    batch_size=st.integers(1, 5),
    commit_images=st.integers(1, 6),
)
def test_sizes_decide_nothing(trees: list[Tree], batch_size: int, commit_images: int) -> None:
    other = Settings(batch_size=batch_size, commit_images=commit_images, threads=3)
    outcomes = []
    for chosen in (Settings(), other):
        with fresh(chosen) as (library, photos):
            reports = []
            for i, tree in enumerate(trees):
                report = ingest(library, photos, tree)
                reports.append((counts(report), report.compared, report.unassigned))
                if i == 0:
                    recluster(library, 2)
            outcomes.append((reports, contents(library, photos.folder)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.slow
@law
@given(tree=_trees, later=_trees, k=st.integers(2, 4))
def test_undo_is_the_inverse_of_recluster(tree: Tree, later: Tree, k: int) -> None:
    with fresh() as (library, photos):
        ingest(library, photos, tree)
        recluster(library, 2)
        before = members(library)
        if not recluster(library, k) or not before:
            return
        ingest(library, photos, {**tree, **later})
        library.undo()
        now = members(library)
        assert {image_id: now[image_id] for image_id in before} == before
        assert len(now) == library.status().images
