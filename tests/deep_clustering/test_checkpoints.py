"""A folder that holds the last finished round, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer_deep_clustering.checkpoints import Checkpoint, Checkpoints

_TENSORS: dict[str, NDArray[Any]] = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array(7, dtype=np.int64),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "by it"
    Checkpoints(folder).save(Checkpoint(1, {"a": np.zeros(2)}))
    Checkpoints(folder).save(Checkpoint(4, _TENSORS, {"stage": 2, "names": ["x"]}))
    found = Checkpoints(folder).load()
    assert found is not None
    assert found.round == 4
    assert found.about == {"stage": 2, "names": ["x"]}
    assert set(found.tensors) == set(_TENSORS)
    for name, array in _TENSORS.items():
        np.testing.assert_array_equal(found.tensors[name], array)
        assert found.tensors[name].dtype == array.dtype
    assert len(list(folder.iterdir())) == 1


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    Checkpoints(None).save(Checkpoint(1, _TENSORS))
    assert Checkpoints(None).load() is None
    assert Checkpoints(tmp_path / "none").load() is None


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "text"])
def test_a_damaged_one_is_ignored_and_said(tmp_path: Path, damage: str) -> None:
    Checkpoints(tmp_path).save(Checkpoint(1, _TENSORS))
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 64])
    file.write_bytes(
        {"cut": content[:-9], "empty": b"", "flipped": flipped, "text": b"{}" * 99}[damage]
    )
    notes: list[str] = []
    checkpoints = Checkpoints(tmp_path, note=notes.append)
    assert checkpoints.load() is None
    (note,) = notes
    assert note.startswith("a damaged checkpoint is not used: ")
    checkpoints.save(Checkpoint(2, _TENSORS))
    found = checkpoints.load()
    assert found is not None
    assert found.round == 2


def test_a_kill_while_it_is_written_leaves_the_round_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Checkpoints(tmp_path).save(Checkpoint(1, _TENSORS))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.numpy.save", killed)
    with pytest.raises(KeyboardInterrupt):
        Checkpoints(tmp_path).save(Checkpoint(2, _TENSORS))
    found = Checkpoints(tmp_path).load()
    assert found is not None
    assert found.round == 1


def test_that_of_another_training_is_passed_over(tmp_path: Path) -> None:
    Checkpoints(tmp_path, training="one").save(Checkpoint(1, _TENSORS))
    notes: list[str] = []
    assert Checkpoints(tmp_path, training="two", note=notes.append).load() is None
    assert len(notes) == 1
    assert Checkpoints(tmp_path, training="one").load() is not None
