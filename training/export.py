"""Exports a trained network: normalisations folded in, weights quantised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from organizer.embed.digest import file_digest
from organizer.embed.mini import mini_network, pack_weights, unpack_weights
from training.student import NormalisedConv, Student
from training.teacher import Components

_SAME = 1e-3


def export(checkpoint: Path, work: Path, target: Path) -> str:
    """Write the averaged network of a checkpoint in organizer's format.

    Returns:
        The SHA-256 of the file.

    Raises:
        ValueError: The written network's vectors differ from the trained one's.
    """
    student = Student().eval()
    student.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["ema"])
    root = torch.from_numpy(np.sqrt(Components.load(work).std)).float()
    packed = pack_weights(folded(student, root))
    made = mini_network()
    made.load_state_dict(unpack_weights(packed), assign=True)
    far = _difference(student, root, made)
    if far > _SAME * 20:
        raise ValueError(f"the packed network's vectors differ by {far:.2%}")
    print(f"the packed network's vectors differ from the learner's by {far:.2%}")
    save_file(packed, target)
    return file_digest(target)


def folded(student: Student, root: Any) -> dict[str, Any]:
    """The state dict of `organizer.embed.mini.mini_network`, before quantisation.

    A normalisation is folded into the weights and the bias of its convolution.
    """
    state = {}
    for name, module in student.trunk.named_modules():
        if isinstance(module, NormalisedConv):
            norm: Any = module.norm
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            state[f"stages.{name}.weight"] = module.conv.weight * scale.view(-1, 1, 1, 1)
            state[f"stages.{name}.bias"] = norm.bias - norm.running_mean * scale
    state["embed.weight"] = student.embed.weight * root.view(-1, 1)
    state["embed.bias"] = student.embed.bias * root
    return {key: value.detach().contiguous() for key, value in state.items()}


@torch.no_grad()
def _difference(student: Student, root: Any, made: Any) -> float:
    """The mean length of the difference between both networks' unit vectors, on random input."""
    torch.manual_seed(0)
    pictures = torch.nn.functional.interpolate(torch.randn(16, 3, 14, 14), size=112)
    ours = torch.nn.functional.normalize(student.vectors(pictures) * root)
    return float((ours - made(pictures)).norm(dim=1).mean())
