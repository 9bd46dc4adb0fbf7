"""The way from a folder of photos to a packed network, on little pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from organizer.embed.mini import DIM, network, restored
from training.batches import GRID, Batch, Recipe, _cut, _recoloured, _shaken, batches
from training.export import folded
from training.learn import Stage
from training.photos import Pack, boxes, pack, split
from training.student import Student, cosine_loss, neighbour_loss
from training.watch import shared_neighbours

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working folder with 40 photos and what a teacher might answer to one crop of each."""
    _photos(tmp_path / "photos", 40)
    folder = tmp_path / "work"
    assert pack(tmp_path / "photos", folder, side=32) == 40
    draw = np.random.default_rng(0)
    np.save(folder / "boxes0.npy", boxes(np.load(folder / "shapes.npy"), 0))
    np.save(folder / "maps0.npy", draw.normal(size=(40, GRID**2, DIM)).astype(np.float16))
    np.save(folder / "pooled0.npy", draw.random((40, 1280)).astype(np.float16))
    (folder / "maps0.done").touch()
    (folder / "pooled0.done").touch()
    return folder


def _photos(folder: Path, n: int) -> None:
    draw = np.random.default_rng(5)
    folder.mkdir()
    for i in range(n):
        small = Image.fromarray(draw.integers(0, 256, (4, 6, 3), dtype=np.uint8))
        small.resize((60 + i % 7, 40)).save(folder / f"{i:03}.png")


def test_packed_photos_are_the_photos(work: Path, tmp_path: Path) -> None:
    photos = Pack(work)
    for row in (0, 7, 39):
        height, width = photos.shapes[row]
        assert height == 32
        with Image.open(tmp_path / "photos" / f"{row:03}.png") as photo:
            whole = photo.resize((width, height), Image.Resampling.BILINEAR)
        box = np.array([3, 0, 35, 32], np.float32)
        np.testing.assert_array_equal(photos.crop(row, box, 32), np.asarray(whole)[:, 3:35])


@pytest.mark.parametrize("turn", [0, 1, 5])
def test_crops_lie_inside_and_are_the_same_again(turn: int) -> None:
    shapes = np.array([[112, 168], [150, 112], [112, 112]] * 50)
    found = boxes(shapes, turn)
    np.testing.assert_array_equal(found, boxes(shapes, turn))
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2] <= shapes[:, 1] + 1e-3).all()
    assert (found[:, 3] <= shapes[:, 0] + 1e-3).all()
    sides = found[:, 2:] - found[:, :2]
    assert sides.min() > 0.45 * 112
    assert (boxes(shapes, turn + 1) != found).any()


def test_what_is_held_out_is_never_learnt_from() -> None:
    learnt, held_out = split(1000, held_out=100)
    assert len(held_out) == 100
    assert sorted([*learnt, *held_out]) == list(range(1000))


def test_batches_of_a_seed_are_the_same(work: Path) -> None:
    recipe = Recipe(side=28, size=8, cut=0.5, seed=4)
    drawn = []
    for _ in range(2):
        with batches(work, np.arange(40), recipe) as source:
            drawn.append([next(source) for _ in range(7)])
    for one, other in zip(*drawn, strict=True):
        assert one.pixels.shape == (8, 28, 28, 3)
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.maps, other.maps)
        np.testing.assert_array_equal(one.pooled, other.pooled)


def test_an_error_on_the_thread_is_told(work: Path) -> None:
    (work / "pixels.npy").unlink()
    with batches(work, np.arange(40), Recipe(side=28, size=8)) as source, pytest.raises(OSError):  # noqa: PT011
        next(source)


def test_crops_and_maps_are_cut_alike() -> None:
    n, side = 6, 70
    which = np.arange(n)
    pixels = np.broadcast_to(which[:, None, None, None], (n, side, side, 3)).astype(np.uint8)
    maps = np.broadcast_to(which[:, None, None, None], (n, GRID, GRID, DIM)).astype(np.float32)
    pooled = np.eye(n, 1280, dtype=np.float32)
    cut = _cut(Batch(pixels, maps, pooled), np.random.default_rng(1))
    np.testing.assert_array_equal(cut.pixels[:, 5::10, 5::10, 0], cut.maps[..., 0])
    shares = np.stack([(cut.maps[..., 0] == i).mean((1, 2)) for i in range(n)], 1)
    np.testing.assert_allclose(cut.pooled[:, :n], shares, atol=1e-6)
    assert len(np.unique(cut.maps[..., 0].reshape(n, -1)[1:], axis=1)[0]) > 1
    assert cut.maps.dtype == cut.pooled.dtype == np.float32


def test_a_shaken_crop_is_nearly_where_it_was_and_inside_the_photo() -> None:
    draw = np.random.default_rng(0)
    shapes = draw.integers(112, 300, (2000, 2))
    former = boxes(shapes, 1)
    shaken = _shaken(former, shapes, draw)
    assert (shaken[:, :2] >= 0).all()
    assert (shaken[:, 2:] <= shapes[:, ::-1]).all()
    sides = shaken[:, 2:] - shaken[:, :2]
    assert (sides > 0.6 * (former[:, 2:] - former[:, :2])).all()
    far = np.abs(shaken - former) / np.tile(former[:, 2:] - former[:, :2], 2)
    assert 0.01 < far.mean() < 0.04
    assert (shaken != former).mean() > 0.9


def test_other_light_leaves_what_is_in_a_picture() -> None:
    pixels = np.random.default_rng(0).integers(60, 190, (64, 16, 16, 3), dtype=np.uint8)
    other = _recoloured(pixels, np.random.default_rng(1))
    assert other.dtype == np.uint8
    means = pixels.mean((1, 2)), other.mean((1, 2))
    assert 0.02 < np.abs(np.log(means[1] / means[0])).mean() < 0.3
    for one, two in zip(pixels, other, strict=True):
        for channel in range(3):
            pairs = one[..., channel].ravel(), two[..., channel].ravel()
            assert np.corrcoef(pairs)[0, 1] > 0.98


def test_losses_are_nothing_where_both_agree() -> None:
    torch.manual_seed(0)
    theirs = torch.randn(9, 20)
    assert float(cosine_loss(3 * theirs, theirs)) == pytest.approx(0, abs=1e-6)
    assert float(neighbour_loss(3 * theirs, theirs, temperature=0.1)) == pytest.approx(0, abs=1e-5)
    others = torch.randn(9, 20)
    assert float(neighbour_loss(others, theirs, temperature=0.1)) > 0.1
    assert float(cosine_loss(-theirs, theirs)) == pytest.approx(2)


def test_shared_neighbours_against_chance() -> None:
    draw = np.random.default_rng(0)
    vectors, others = draw.normal(size=(2, 300, 8)).astype(np.float32)
    assert shared_neighbours(vectors, 2 * vectors) == 1
    assert shared_neighbours(vectors, others) == pytest.approx(10 / 299, abs=0.02)


def test_the_folded_network_computes_what_the_learner_does() -> None:
    torch.manual_seed(0)
    student = Student().train()
    for _ in range(3):  # statistics and scales that are not those of the beginning
        student(torch.randn(8, 3, 64, 64) * 2 + 1)
    for value in student.parameters():
        value.data += 0.02 * torch.randn_like(value)
    student.eval()
    root = torch.rand(DIM) + 0.5
    made: Any = network()
    made.load_state_dict(folded(student, root), assign=True)
    pictures = torch.randn(4, 3, 112, 112)
    with torch.no_grad():
        expected = torch.nn.functional.normalize(student.vectors(pictures) * root)
        torch.testing.assert_close(made(pictures), expected, atol=1e-4, rtol=1e-3)


def test_a_stage_ends_with_its_crops_or_its_minutes() -> None:
    crops = Stage(64, until=300)
    assert crops.left(seen=100, begun_with=100, seconds=0) == 1
    assert crops.left(seen=250, begun_with=100, seconds=1e6) == pytest.approx(1 / 4)
    assert crops.left(seen=300, begun_with=100, seconds=0) == 0
    assert crops.left(seen=300, begun_with=300, seconds=0) == 0
    minutes = Stage(64, until=300, minutes=2)
    assert minutes.left(seen=100, begun_with=100, seconds=30) == pytest.approx(3 / 4)
    assert minutes.left(seen=101, begun_with=100, seconds=120) <= 0


@pytest.mark.slow
def test_the_whole_way_as_typed_and_gone_on_with(tmp_path: Path) -> None:
    import torchvision

    _photos(tmp_path / "photos", 800)
    torch.manual_seed(0)
    weights = tmp_path / "mobilenet_v2.pth"
    torch.save(torchvision.models.mobilenet_v2(weights=None).state_dict(), weights)
    work, target = tmp_path / "work", tmp_path / "mini.safetensors"
    _typed("pack", tmp_path / "photos", "--work", work)
    _typed("teach", "--work", work, "--weights", weights, "--turns", 1)
    learn = ("learn", "--work", work, "--weights", weights, "--batch", 32, "--side", 32)
    assert "held-out neighbours" in _typed(*learn, "--until", 1, "--minutes", 0.02)
    assert "1k crops of 32" in _typed(*learn, "--until", 1)
    assert not _typed(*learn, "--until", 1), "what was done is not done again"
    assert "crops of 32" in _typed(
        *learn, "--until", 2, "--decay", "--from", "mini", "--name", "end", "--cut", 1, "--shake"
    )
    _typed("export", "--work", work, "--name", "end", "--to", target)
    made: Any = network()
    made.load_state_dict(restored(load_file(target)), assign=True)
    assert torch.isfinite(made(torch.zeros(1, 3, 112, 112))).all()


def _typed(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "training.mini", *map(str, words)],
        cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
