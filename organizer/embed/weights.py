"""Where the weights of a network lie, and how they are read.

They are looked for in this order: a file that the user named, a folder that the user named
(``NAME.pth`` or ``NAME.safetensors``), torch's own cache, and at last torchvision's download.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import struct
import urllib.error
import urllib.request
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.errors import WeightsError, WeightsMissingError

OFFLINE_AFTER_SECONDS = 4.0
_SUFFIXES = (".pth", ".pt", ".safetensors")

# What torch's unpickler was seen to raise for damaged files, and the rest of its kind.
_UNPICKLING_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    EOFError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file on this machine, and the first sixteen hexadecimal digits of its SHA-256."""

    path: Path
    digest: str


def locate(name: str, url: str, *, given: Path | None) -> Path | None:
    """The weights file on this machine, or None where there is none.

    Args:
        name: The embedder's name, the stem of the file in a folder of weights.
        url: torchvision's address of the weights; its last part names the file in torch's cache.
        given: A file or a folder that the user named.

    Raises:
        WeightsError: `given` does not exist, or the cached file is not what its name says.
    """
    if given is not None and not given.exists():
        raise WeightsError(
            f"there are no weights at {given}", "mend --weights or ORGANIZER_WEIGHTS"
        )
    if given is not None and given.is_file():
        return given
    if given is not None:
        for suffix in _SUFFIXES:
            if (given / f"{name}{suffix}").is_file():
                return given / f"{name}{suffix}"
    cached = torch_cache() / url.rsplit("/", 1)[-1]
    if cached.is_file():
        check_cached(cached)
        return cached
    return None


def fetch(name: str, url: str, *, given: Path | None) -> WeightsFile:
    """The weights file, downloaded into torch's cache if it is nowhere on this machine.

    Raises:
        WeightsMissingError: It is not here and cannot be downloaded; the message says what was
            tried.
    """
    path = locate(name, url, given=given)
    if path is None:
        check_reachable(name, url, given=given)
        path = _download(name, url)
    return WeightsFile(path, _sha256(path)[:16])


def check_reachable(name: str, url: str, *, given: Path | None = None) -> None:
    """Ask for the headers of a download, so that a machine without a network says so in seconds.

    Raises:
        WeightsMissingError: There is no answer; the message says where else was looked.
    """
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - torchvision's https address
    try:
        with urllib.request.urlopen(request, timeout=OFFLINE_AFTER_SECONDS):  # noqa: S310
            return
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        reason = getattr(error, "reason", error)
        tried = [f"{given}/{name}.pth and .safetensors"] if given else []
        tried += [str(torch_cache()), f"{url} ({reason})"]
        raise WeightsMissingError(
            f"the weights of {name} cannot be had; tried " + ", ".join(tried),
            f"put them at FOLDER/{name}.pth and set ORGANIZER_WEIGHTS=FOLDER, or name a file with "
            "--weights, or use an embedder that needs none: --embedder hog+hsv",
        ) from error


def read_state_dict(path: Path, *, name: str) -> Mapping[str, Any]:
    """Tensors by their names. Nothing in the file is executed.

    Raises:
        WeightsError: The file is damaged, or holds something else than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with warnings.catch_warnings():  # torch's advice on how the file should have been saved
            warnings.simplefilter("ignore")
            if path.suffix == ".safetensors":
                return load_file(path)
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, *_UNPICKLING_ERRORS) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            f"the weights of {name} at {path} cannot be read: {reason}",
            "the file may be truncated: fetch it again",
        ) from error
    tensors = isinstance(loaded, Mapping) and all(
        isinstance(key, str) and torch.is_tensor(value) for key, value in loaded.items()
    )
    if not tensors:
        raise WeightsError(
            f"{path} is not a state dict of {name}", "save model.state_dict() with torch.save"
        )
    state: Mapping[str, Any] = loaded
    return state


def torch_cache() -> Path:
    """Torch's folder of downloaded weights, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def check_cached(path: Path) -> None:
    """Check a file of torch's cache against the hash in its name, which torch does not do.

    Raises:
        WeightsError: The content is not what the name says.
    """
    match = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if match and not _sha256(path).startswith(match.group(1)):
        raise WeightsError(
            f"the cached weights {path} are damaged: their hash is not the one in their name",
            "delete the file, it is fetched again",
        )


def _download(name: str, url: str) -> Path:
    from torch.hub import download_url_to_file

    target = torch_cache() / url.rsplit("/", 1)[-1]
    target.parent.mkdir(parents=True, exist_ok=True)
    match = re.search(r"-([0-9a-f]{8,})\.", target.name)
    try:
        download_url_to_file(url, str(target), match.group(1) if match else None, progress=False)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise WeightsMissingError(
            f"the weights of {name} could not be downloaded from {url}: {error}", "try again"
        ) from error
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
