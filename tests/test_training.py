"""The way from a folder of photos to a packed network, on little pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from organizer.embed.mini import DIM, SHAPE, WEIGHTS, MiniShape, mini_network, unpack_weights
from training import mini
from training.batches import GRID, Batch, Recipe, _cut, _recoloured, _shaken, batches
from training.export import folded
from training.learn import Learner, Stage
from training.photos import MIXED, Mix, Pack, blended, boxes, pack, split
from training.student import Student, as_product, cosine_loss, neighbour_loss, normalised
from training.teacher import _turn
from training.unpack import unpacked
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


def _components_and_teacher(work: Path) -> Path:
    """As `teach` leaves the components; the teacher's weights, as far as learning needs them."""
    np.savez(
        work / "pca.npz",
        mean=np.zeros(1280, np.float32),
        basis=np.zeros((DIM, 1280), np.float32),
        std=np.random.default_rng(1).uniform(0.5, 2, DIM).astype(np.float32),
    )
    weights = work / "teacher.pth"
    torch.save(
        {"classifier.1.weight": torch.randn(1000, 1280), "classifier.1.bias": torch.zeros(1000)},
        weights,
    )
    return weights


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


def test_crops_are_mixed_with_those_of_other_photos_that_are_learnt_from() -> None:
    assert Mix.of(2000, 11) is None
    mix = Mix.of(2000, MIXED)
    assert mix is not None
    learnt, held_out = split(2000)
    assert (mix.shares[held_out] == 0).all()
    np.testing.assert_array_equal(mix.others[held_out], held_out)
    assert sorted(mix.others[learnt]) == list(learnt)
    assert (mix.others[learnt] != learnt).mean() > 0.99
    assert mix.shares[learnt].max() <= 0.5
    assert 0.2 < mix.shares[learnt].mean() < 0.3
    again, other = Mix.of(2000, MIXED), Mix.of(2000, MIXED + 1)
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(mix.others, again.others)
    assert (mix.others != other.others).any()


def test_a_blend_is_between_both() -> None:
    below, above = np.full((3, 4, 4, 3), 200, np.uint8), np.full((3, 4, 4, 3), 100, np.uint8)
    mixed = blended(below, above, np.array([0, 0.25, 0.5], np.float32))
    assert mixed.dtype == np.uint8
    assert mixed[:, 0, 0, 0].tolist() == [200, 175, 150]


def test_a_batch_holds_the_mixture_that_the_teacher_saw(work: Path) -> None:
    seen: list[np.ndarray[Any, np.dtype[np.uint8]]] = []

    def ask(pictures: list[np.ndarray[Any, np.dtype[np.uint8]]]) -> np.ndarray[Any, Any]:
        seen.extend(pictures)
        told = np.zeros((len(pictures), 1280 + GRID**2 * DIM), np.float32)
        told[:, 0] = len(seen) - len(pictures) + np.arange(1, len(pictures) + 1)
        return told

    _turn(Pack(work), work, MIXED, ask)
    for old in work.glob("maps0.done"):
        old.unlink()
    rows = np.arange(40)
    mixed = 0
    with batches(work, rows, Recipe(side=224, size=8)) as source:
        batch = next(source)
    for pixels, pooled in zip(batch.pixels, batch.pooled, strict=True):
        picture = seen[int(pooled[0]) - 1]
        assert any(np.array_equal(pixels, each) for each in (picture, picture[:, ::-1]))
        mixed += 1
    assert mixed == 8


@pytest.mark.parametrize("side", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_as_a_product_is_the_convolution(side: int, stride: int) -> None:
    torch.manual_seed(side)
    conv = torch.nn.Conv2d(8, 12, 3, stride, 1, bias=False)
    pictures = torch.randn(3, 8, side, side, requires_grad=True)
    results = conv(pictures), as_product(conv, pictures)
    torch.testing.assert_close(*results)
    pull = torch.randn(results[0].shape)
    wanted = [conv.weight, pictures]
    given = [torch.autograd.grad((each * pull).sum(), wanted) for each in results]
    torch.testing.assert_close(*given)


def test_packed_weights_learn_on_where_they_were(work: Path) -> None:
    draw, weights = np.random.default_rng(0), _components_and_teacher(work)
    with safe_open(WEIGHTS, "pt") as file:
        packed = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    last = f"stages.{len(SHAPE.widths) - 1}.same.{SHAPE.depths[-1] - 1}"
    fewer = {key: value for key, value in packed.items() if not key.startswith(last)}
    small = work / "fewer.safetensors"
    save_file(fewer, small)
    teacher: Any = mini_network(MiniShape(SHAPE.widths, (*SHAPE.depths[:-1], SHAPE.depths[-1] - 1)))
    teacher.load_state_dict(unpack_weights(fewer), assign=True)
    photos, where = Pack(work), np.load(work / "boxes0.npy")
    crops = photos.crops(np.arange(40), where, 80)
    with torch.no_grad():
        told = teacher(normalised(crops, "cpu"))
    maps = np.repeat(told.numpy()[:, None], GRID**2, axis=1)
    np.save(work / "maps0.npy", (100 * maps).astype(np.float16))
    student = unpacked(
        small,
        work,
        weights,
        size=0.1,
        rows=np.arange(40),
    )
    pictures = normalised(draw.integers(0, 256, (8, 96, 96, 3), dtype=np.uint8), "cpu")
    values, expected = pictures, pictures
    with torch.no_grad():
        for one, other in zip(student.eval().trunk, teacher.stages, strict=True):
            values, expected = one(values), other(expected)
        root = torch.from_numpy(np.sqrt(np.load(work / "pca.npz")["std"]))
        vectors = student.vectors(normalised(crops, "cpu")) * root
    assert torch.nn.functional.cosine_similarity(vectors, told).mean() > 0.95
    torch.testing.assert_close(values, expected, atol=1e-3, rtol=1e-3)
    stage: Any = student.trunk[-1]
    added = stage.same[-1]
    assert not added.norm.weight.any()
    assert added.conv.weight.any(), "it can begin to learn"


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
    made: Any = mini_network()
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


def test_a_decaying_stage_that_was_cut_short_goes_on_with_the_rate_that_it_had(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _components_and_teacher(work)
    rates: list[float] = []

    def learn(self: Learner, batch: Batch, share: float, log: object) -> None:
        del log
        rates.append(share)
        self.step += 1
        self.images += len(batch.pixels)
        if len(rates) == 6:
            self.save()
            raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "_learn", learn)
    monkeypatch.setattr("training.learn.split", lambda n: (np.arange(n), np.arange(4)))
    stage, recipe = Stage(28, until=80, decays=True), Recipe(28, size=8)
    make = partial(
        Learner, work, work / "teacher.pth", name="end", rate=1e-3, device="cpu", threads=1
    )
    with pytest.raises(KeyboardInterrupt):
        make().run(stage, recipe)
    make().run(stage, recipe)
    expected = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert rates == pytest.approx([*expected[:6], *expected[6:]])


def test_a_checkpoint_that_is_not_there_is_told(work: Path) -> None:
    _components_and_teacher(work)
    with pytest.raises(FileNotFoundError, match=r"mni\.pt"):
        Learner(
            work, work / "teacher.pth", name="end", start="mni", rate=1e-3, device="cpu", threads=1
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")
def test_the_whole_way_as_typed_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process but for the first step; tests/soak has it in processes of their own."""

    def typed(*words: object) -> str:
        if words[0] == "pack":
            return in_a_process(*words)
        monkeypatch.setattr(sys, "argv", ["mini", *map(str, words)])
        mini.main()
        return capsys.readouterr().out

    for module in ("learn", "photos"):
        monkeypatch.setattr(f"training.{module}.split", partial(split, held_out=100))
    threads = torch.get_num_threads()
    try:
        go_the_whole_way(typed, tmp_path, photos=300, batch=64, minutes=0.001)
    finally:
        torch.set_num_threads(threads)


def go_the_whole_way(
    typed: Callable[..., str], folder: Path, *, photos: int, batch: int, minutes: float
) -> None:
    """From photos to a packed network; `typed` gives what a command prints."""
    import torchvision

    _photos(folder / "photos", photos)
    torch.manual_seed(0)
    weights = folder / "mobilenet_v2.pth"
    torch.save(torchvision.models.mobilenet_v2(weights=None).state_dict(), weights)
    work, target = folder / "work", folder / "mini.safetensors"
    assert f"{photos} photos in {work}" in typed("pack", folder / "photos", "--work", work)
    typed("teach", "--work", work, "--weights", weights, "--turns", 1, "--mixed", 1)
    learn = ("learn", "--work", work, "--weights", weights, "--batch", batch, "--side", 32)
    assert "held-out neighbours" in typed(*learn, "--until", 1, "--minutes", minutes)
    assert "1k crops of 32" in typed(*learn, "--until", 1)
    assert not typed(*learn, "--until", 1), "what was done is not done again"
    assert "crops of 32" in typed(
        *learn, "--until", 2, "--decay", "--from", "mini", "--name", "end", "--cut", 1, "--shake"
    )
    assert "crops of 32" in typed(*learn, "--until", 1, "--from", "packed", "--name", "again")
    typed("export", "--work", work, "--name", "end", "--to", target)
    made: Any = mini_network()
    made.load_state_dict(unpack_weights(load_file(target)), assign=True)
    assert torch.isfinite(made(torch.zeros(1, 3, 112, 112))).all()


def in_a_process(*words: object) -> str:
    """What a command prints that runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "training.mini", *map(str, words)],
        cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
