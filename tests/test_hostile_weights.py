"""Weights are tensors: program code in a file is refused by every way of reading, and not run."""

from __future__ import annotations

import io
import os
import pickle
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from organizer import registry
from organizer.errors import WeightsError
from tests.conftest import Run, make_groups

_EMBEDDERS = [
    "mobilenet_v2",
    "torchvision:squeezenet1_1",
    "timm:mobilenetv3_small_050",
    "openclip:ViT-B-32/laion2b_s34b_b79k",
    "efficientnet_lite0",
]


class _Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"echo > {shlex.quote(str(self.ran))}",)


def _zip(what: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(what, stream)
    return stream.getvalue()


def _legacy(what: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(what, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "zip.pth": _zip,
    "legacy.pt": _legacy,
    "pickle.pth": partial(pickle.dumps, protocol=2),
    "newer_pickle.pth": pickle.dumps,
    "called.safetensors": _zip,
}


def _attack(file: Path, ran: Path) -> None:
    """A file that makes another one when it is unpickled carelessly: it is tried here."""
    write = _WRITERS[file.name]
    file.write_bytes(write({"features.0.weight": torch.zeros(1), "b": _Payload(ran)}))
    if write in {_zip, _legacy}:
        torch.load(io.BytesIO(file.read_bytes()), weights_only=False)
    else:
        pickle.loads(file.read_bytes())  # noqa: S301 - it is meant to run
    assert ran.exists()
    ran.unlink()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", _WRITERS)
@pytest.mark.parametrize("embedder", _EMBEDDERS)
def test_no_way_of_reading_weights_runs_what_is_in_them(
    tmp_path: Path, embedder: str, name: str
) -> None:
    ran = tmp_path / "ran"
    _attack(tmp_path / name, ran)
    made = registry.part_factory("organizer.embedders", embedder)
    with pytest.raises(WeightsError) as caught:
        made(weights=tmp_path / name, device="cpu")
    assert not ran.exists()
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.hint
    assert "weights_only" not in caught.value.message + caught.value.hint
    if name in {"zip.pth", "legacy.pt", "pickle.pth"}:
        assert "holds program code (" in caught.value.message
        assert "nothing of it was run" in caught.value.message


@pytest.mark.parametrize("how", ["module", "script"])
def test_a_whole_model_is_refused_with_how_to_save_its_weights(tmp_path: Path, how: str) -> None:
    model = torch.nn.Linear(2, 2)
    file = tmp_path / "whole.pth"
    if how == "module":
        torch.save(model, file)
    else:
        with pytest.warns((DeprecationWarning, FutureWarning), match="jit"):
            torch.jit.script(model).save(str(file))  # type: ignore[no-untyped-call]
    made = registry.part_factory("organizer.embedders", "mobilenet_v2")
    with pytest.raises(WeightsError, match="holds program code") as caught:
        made(weights=file, device="cpu")
    assert "model.state_dict()" in caught.value.hint


@pytest.mark.parametrize("where", ["file", "folder", "imported"])
def test_as_typed_it_is_an_error_and_a_hint(typed: Run, tmp_path: Path, where: str) -> None:
    ran = tmp_path / "ran"
    _attack(tmp_path / "zip.pth", ran)
    make_groups(tmp_path / "photos", each=1)
    file = tmp_path / "weights" / "mobilenet_v2.pth"
    file.parent.mkdir()
    (tmp_path / "zip.pth").rename(file)
    words = ["ingest", "photos", "--embedder", "mobilenet_v2"]
    if where == "imported":
        done = typed("models", "import", file)
        if done.code == 0:  # it may be looked into only when it is used
            done = typed(*words)
    else:
        done = typed(*words, "--weights", file if where == "file" else file.parent)
    assert done.code != 0
    assert not ran.exists()
    assert "holds program code" in done.err
    assert "Traceback" not in done.err
