"""The teacher's outputs for crops, computed once and kept.

The teacher is MobileNetV2 with ImageNet weights. Kept are its pooled features, and its last feature
map on the first principal components of these: the mean over the map's 49 cells is the pooled
vector on the same components.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.embed.digest import file_digest
from organizer.embed.engine import engine_for
from organizer.embed.mini import DIM
from organizer.embed.network_source import NetworkSource
from organizer.embed.preprocess import Preprocessing
from training.photos import MIXED, Mix, Pack, blended, boxes, slices

_SIDE = 224
_PLACES = 49
_FEATURES = 1280
_AT_ONCE = 256
_SAMPLE = 3000
_PREPROCESSING = Preprocessing(232, (_SIDE, _SIDE), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Components:
    """Principal components of the teacher's pooled features.

    Attributes:
        mean: ``(1280,)``.
        basis: ``(DIM, 1280)``, rows of length one.
        std: ``(DIM,)`` standard deviation along each.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    std: NDArray[np.float32]

    @classmethod
    def load(cls, work: Path) -> Components:
        """Those of a working folder."""
        kept = np.load(work / "pca.npz")
        return cls(kept["mean"], kept["basis"], kept["std"])


@dataclass(frozen=True)
class Answers:
    """The teacher's outputs for one crop of every photo.

    Attributes:
        boxes: ``(n, 4)`` the crops.
        maps: ``(n, 49, DIM)`` float16, rows of seven cells from the top.
        pooled: ``(n, 1280)`` float16; None for outputs of an earlier version.
        mix: The crops that were blended over these.
    """

    boxes: NDArray[np.float32]
    maps: NDArray[np.float16]
    pooled: NDArray[np.float16] | None
    mix: Mix | None = None


def answers(work: Path) -> dict[int, Answers]:
    """The outputs so far, by turn."""
    found = {}
    for done in sorted(work.glob("maps*.done")):
        turn = int(done.stem.removeprefix("maps"))
        pooled = work / f"pooled{turn}.npy"
        where = np.load(work / f"boxes{turn}.npy")
        found[turn] = Answers(
            where,
            np.load(work / f"maps{turn}.npy", mmap_mode="r"),
            np.load(pooled, mmap_mode="r") if pooled.with_suffix(".done").exists() else None,
            Mix.of(len(where), turn),
        )
    return found


def teach(work: Path, weights: Path, *, turns: int, mixed: int = 0, device: str) -> None:
    """Compute the teacher's outputs for several crops of every photo; resumes where it was stopped.

    Args:
        work: The working folder, with the photos.
        weights: The teacher's weights.
        turns: Crops of each photo.
        mixed: Crops of each photo with another's blended over.
        device: Where it runs.
    """
    photos = Pack(work)
    if not (work / "pca.npz").exists():
        _components(photos, work, weights, device=device)
    basis = Components.load(work)
    ask = _teacher(weights, basis, device=device)
    for turn in [*range(turns), *range(MIXED, MIXED + mixed)]:
        if not (work / f"pooled{turn}.done").exists():
            _turn(photos, work, turn, ask)


def classifier(weights: Path) -> tuple[Any, Any]:
    """The teacher's last layer, from pooled features to the logits of its classes."""
    from organizer.embed.weights import read_state_dict

    state = read_state_dict(weights, name="mobilenet_v2")
    return state["classifier.1.weight"].float(), state["classifier.1.bias"].float()


def _turn(photos: Pack, work: Path, turn: int, ask: Any) -> None:
    n = len(photos)
    where, mix = boxes(photos.shapes, turn), Mix.of(n, turn)
    np.save(work / f"boxes{turn}.npy", where)
    make = partial(np.lib.format.open_memmap, mode="w+", dtype=np.float16)
    pooled = make(work / f"pooled{turn}.npy", shape=(n, _FEATURES))
    maps = make(work / f"maps{turn}.npy", shape=(n, _PLACES, DIM))
    for rows in slices(np.arange(n), _AT_ONCE):
        outputs = ask(_mixed(photos, rows, where, mix))
        pooled[rows] = outputs[:, :_FEATURES]
        maps[rows] = outputs[:, _FEATURES:].reshape(-1, _PLACES, DIM)
        print(f"turn {turn}: {rows[-1] + 1} of {n}", flush=True)
    pooled.flush()
    maps.flush()
    (work / f"maps{turn}.done").touch()
    (work / f"pooled{turn}.done").touch()


def _components(photos: Pack, work: Path, weights: Path, *, device: str) -> None:
    rows = np.random.default_rng(3).permutation(len(photos))[:_SAMPLE]
    ask = _teacher(weights, None, device=device)
    where = boxes(photos.shapes, 1)
    outputs = np.concatenate([ask(_crops(photos, part, where)) for part in slices(rows, _AT_ONCE)])
    mean = outputs.mean(0)
    _, spread, basis = np.linalg.svd(outputs - mean, full_matrices=False)
    std = spread[:DIM] / np.sqrt(len(outputs))
    np.savez(work / "pca.npz", mean=mean, basis=basis[:DIM], std=std)


def _mixed(
    photos: Pack, rows: NDArray[np.int64], where: NDArray[np.float32], mix: Mix | None
) -> list[NDArray[np.uint8]]:
    below = _crops(photos, rows, where)
    if mix is None:
        return below
    above = _crops(photos, mix.others[rows], where)
    return list(blended(np.stack(below), np.stack(above), mix.shares[rows]))


def _crops(
    photos: Pack, rows: NDArray[np.int64], where: NDArray[np.float32]
) -> list[NDArray[np.uint8]]:
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda row: photos.crop(row, where[row], _SIDE), rows))


def _teacher(weights: Path, basis: Components | None, *, device: str) -> Any:
    """The teacher in organizer's engine: pooled features, and the map where there is a basis."""
    from organizer.embed.precision import has_bfloat16

    # The noise of bfloat16 is far below the error of a small network.
    precision = "bfloat16" if device == "cpu" and has_bfloat16() else "auto"
    key = f"teacher-{file_digest(weights)[:16]}-{'map' if basis else 'pooled'}"
    source = NetworkSource(key, lambda: _network(weights, basis), _PREPROCESSING)
    return engine_for(source, device=device, precision=precision)


def _network(weights: Path, basis: Components | None) -> Any:
    import torch
    import torchvision

    from organizer.embed.weights import read_state_dict

    class Teacher(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            whole = torchvision.models.mobilenet_v2(weights=None)
            whole.load_state_dict(read_state_dict(weights, name="mobilenet_v2"))
            self.features = whole.features
            if basis is not None:
                rows = torch.from_numpy(basis.basis)
                self.on_basis = torch.nn.Conv2d(rows.shape[1], rows.shape[0], 1)
                self.on_basis.weight.data = rows[:, :, None, None].clone()
                self.on_basis.bias.data = -rows @ torch.from_numpy(basis.mean)  # type: ignore[union-attr]

        def forward(self, pictures: Any) -> Any:
            values = self.features(pictures)
            pooled = values.mean((2, 3))
            if basis is None:
                return pooled
            places = self.on_basis(values).flatten(2).transpose(1, 2)
            return torch.cat([pooled, places.flatten(1)], 1)

    return Teacher().eval()
