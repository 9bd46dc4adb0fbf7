from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer import registry
from organizer.errors import SettingsError, WeightsError
from organizer.protocols import Embedder, least_side
from organizer.types import PartSpec

_GROUP = "organizer.embedders"


def _made(name: str) -> Embedder:
    part: Embedder = registry.create_part(_GROUP, PartSpec(name))[1]
    return part


def _pictures(count: int) -> list[NDArray[np.uint8]]:
    draw = np.random.default_rng(1)
    return [draw.integers(0, 256, (60, 90, 3), dtype=np.uint8) for _ in range(count)]


def _vectors(part: Embedder, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return part.embed([part.prepare(picture) for picture in pictures])


@pytest.mark.parametrize("name", ["hog+hsv", "raw+gabor+channel-mean", "hsv+hog"])
def test_parts_stand_side_by_side_at_unit_length(name: str) -> None:
    pictures = _pictures(5)
    got = _vectors(_made(name), pictures)
    columns = [_vectors(_made(part), pictures) for part in name.split("+")]
    expected = [c / np.linalg.norm(c, axis=1, keepdims=True) for c in columns]
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, np.concatenate(expected, axis=1), atol=1e-6)


def test_a_cosine_is_the_mean_of_the_parts_cosines() -> None:
    pictures = _pictures(2)

    def cosine(name: str) -> float:
        a, b = _vectors(_made(name), pictures)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine("hog+hsv") == pytest.approx((cosine("hog") + cosine("hsv")) / 2, abs=1e-6)


def test_a_part_that_sees_nothing_leaves_the_others_their_say() -> None:
    grey = np.full((60, 90, 3), 128, np.uint8)  # no contours
    (vector,) = _vectors(_made("hog+hsv"), [grey])
    hog = _made("hog").dim
    assert not vector[:hog].any()
    assert np.linalg.norm(vector[hog:]) == pytest.approx(1)


def test_no_pictures_give_no_rows() -> None:
    part = _made("hog+hsv")
    assert part.embed([]).shape == (0, part.dim)


def test_it_needs_images_as_large_as_the_largest_of_its_parts() -> None:
    sides = [least_side(_made(name)) or 0 for name in ("raw", "hog")]
    assert sides[0] < sides[1] == least_side(_made("raw+hog"))
    assert (least_side(_made("raw+channel-mean")) or 0) > 1_000_000  # one wants the whole picture


@pytest.mark.parametrize("name", ["hog+", "+hog", "+", "hog++hsv", "hog+hvs"])
def test_a_part_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match="there is no embedder"):
        _made(name)


@pytest.mark.parametrize("name", ["hog+hog", "hog+hsv+hog", "vgg16+vgg16@fc2"])
def test_a_part_is_named_once(name: str) -> None:
    with pytest.raises(SettingsError, match="twice"):
        _made(name)


def test_a_combination_has_one_name() -> None:
    assert registry.canonical_name(_GROUP, "torchvision:vgg16@fc2+hsv") == "vgg16+hsv"
    assert registry.canonical_name(_GROUP, "hog+hsv") == "hog+hsv"


def test_it_is_described_as_its_least_ready_part(tmp_path: Path) -> None:
    told = registry.part_factory(_GROUP, "resnet18+hsv").describe(weights=tmp_path)  # type: ignore[attr-defined]
    assert (told.name, told.dim, told.weights) == (
        "resnet18+hsv",
        512 + _made("hsv").dim,
        "downloadable",
    )
    plain = registry.part_factory(_GROUP, "hog+hsv").describe(weights=tmp_path)  # type: ignore[attr-defined]
    assert (plain.weights, plain.dim) == ("none needed", _made("hog+hsv").dim)


def test_its_version_changes_with_any_part() -> None:
    spec, _ = registry.create_part(_GROUP, PartSpec("hog+hsv"))
    hog, hsv = (registry.create_part(_GROUP, PartSpec(name))[0].version for name in ("hog", "hsv"))
    assert hog in spec.version
    assert hsv in spec.version


def test_weights_of_a_part_stay_a_weights_error(tmp_path: Path) -> None:
    options = {"weights": tmp_path / "nowhere"}
    with pytest.raises(WeightsError, match="nowhere"):
        registry.create_part(_GROUP, PartSpec("hsv+resnet18"), options=options)


def test_pictures_of_files_are_prepared_by_all(tmp_path: Path) -> None:
    Image.fromarray(_pictures(1)[0]).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        prepared = _made("hog+raw").prepare(np.asarray(picture.convert("RGB")))
    assert [part.shape for part in prepared] == [(_made("hog").dim,), (_made("raw").dim,)]
