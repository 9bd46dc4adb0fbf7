"""The last finished round of a training, from which an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.atomic import replace_atomically
from organizer.errors import one_line

_FILE = "checkpoint.safetensors"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training needs to go on as if it had never stopped.

    Attributes:
        round: Number of finished rounds.
        tensors: Arrays of numbers by their names.
        about: What else it needs, as JSON.
    """

    round: int
    tensors: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any] = field(default_factory=dict)


class Checkpoints:
    """The folder of one training; it holds the last finished round, whole or not at all.

    Args:
        folder: Made by the first save; None keeps nothing.
        training: What tells this training from others (see `training_fingerprint`): what another
            one left in the folder is passed over.
        note: Is told, in one line, why what lies in the folder is not used.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        training: str = "",
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._file = None if folder is None else folder / _FILE
        self._training = training
        self._note = note or (lambda _: None)

    def load(self) -> Checkpoint | None:
        """The last finished round; None where there is none that can be used."""
        if self._file is None or not self._file.exists():
            return None
        try:
            header, found = _read(self._file)
        except Exception as error:  # noqa: BLE001 - a damaged file makes safetensors raise anything
            self._note(f"a damaged checkpoint is not used: {one_line(error)}")
            return None
        if header.get("training") != self._training:
            self._note("the checkpoint of another training is not used")
            return None
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a round in the place of the one before.

        Raises:
            OSError: It cannot be written.
        """
        from safetensors.numpy import save

        if self._file is None:
            return
        arrays = {
            name: np.ascontiguousarray(array).reshape(np.shape(array))
            for name, array in checkpoint.tensors.items()
        }
        header = {
            "format": _FORMAT,
            "training": self._training,
            "round": checkpoint.round,
            "about": dict(checkpoint.about),
            "digest": _digest(arrays),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with replace_atomically(self._file) as partial:
            # The library's own writing hides that a disk is full behind an error of its own.
            partial.write_bytes(save(arrays, metadata={"checkpoint": json.dumps(header)}))


def training_fingerprint(options: Mapping[str, Any], *arrays: NDArray[Any]) -> str:
    """What two trainings share only if they have the same options and the same images."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps(dict(options), sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _read(file: Path) -> tuple[dict[str, Any], Checkpoint]:
    """The header, and the checkpoint.

    Raises:
        ValueError: The numbers are not those that were written.
    """
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        header = json.loads((opened.metadata() or {})["checkpoint"])
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    if header["format"] != _FORMAT:
        raise ValueError(f"it has format {header['format']}")
    if header["digest"] != _digest(arrays):
        raise ValueError("its numbers have changed")
    return header, Checkpoint(int(header["round"]), arrays, header["about"])


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes() if not array.shape else np.ascontiguousarray(array).data)
    return digest.hexdigest()
