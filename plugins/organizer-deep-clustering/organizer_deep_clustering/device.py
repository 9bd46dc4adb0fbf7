"""Where torch computes."""

from __future__ import annotations

from organizer.errors import SettingsError


def torch_device(name: str) -> str:
    """Torch's name of a device: "auto" is a GPU where there is one.

    Raises:
        SettingsError: There is no such device here.
    """
    import torch

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (name.startswith("cuda") and not cuda) or (name == "mps" and not mps):
        raise SettingsError(f"there is no device {name} here", "--device cpu")
    return name


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch tells that a device has too little memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError)
