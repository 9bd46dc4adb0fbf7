"""The state of an optimizer as arrays, to go on with it later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

_PREFIX = "optimizer."


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    """What it has gathered about each parameter, by names ``optimizer.NUMBER.WHAT``."""
    import torch

    state = optimizer.state_dict()["state"]
    return {
        f"{_PREFIX}{number}.{what}": np.array(torch.as_tensor(value).cpu().numpy())
        for number, held in state.items()
        for what, value in held.items()
        if value is not None
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, NDArray[Any]]
) -> None:
    """The inverse of `optimizer_tensors`; other names are passed over."""
    import torch

    state: dict[int, dict[str, Any]] = {}
    for name, array in tensors.items():
        if name.startswith(_PREFIX):
            number, what = name.removeprefix(_PREFIX).split(".", 1)
            state.setdefault(int(number), {})[what] = torch.from_numpy(np.array(array))
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
