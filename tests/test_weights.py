from __future__ import annotations

import functools
import gc
import hashlib
import http.server
import io
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from organizer.embed import weights
from organizer.embed.torchvision import mobilenet_v2
from organizer.errors import WeightsError, WeightsMissingError

_URL = "https://download.pytorch.org/models/tiny-0123abcd.pth"
_STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


def _tiny(url: str = _URL) -> weights.WeightsSource:
    return weights.WeightsSource("tiny", "tiny", url=url)


def _saved(what: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(what, buffer)
    return buffer.getvalue()


def _hashed(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def _proxies_are_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    # urllib keeps those that were set at its first use.
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways out lead to a port of this machine where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _leave_by(monkeypatch, port)


def _leave_by(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A real web server: its address and the folder that it serves."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


# --- where they are looked for ------------------------------------------------------------------


def test_a_file_that_was_named_comes_first(tmp_path: Path, cache: Path) -> None:
    named = tmp_path / "whatever.bin"
    named.write_bytes(b"named")
    (tmp_path / "tiny.pth").write_bytes(b"beside")
    (cache / "tiny-0123abcd.pth").write_bytes(b"cached")
    assert weights.find_weights(_tiny(), given=named) == named


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_folder_that_was_named_comes_before_the_cache(
    tmp_path: Path, cache: Path, suffix: str
) -> None:
    (tmp_path / f"tiny{suffix}").write_bytes(b"in the folder")
    (cache / "tiny-0123abcd.pth").write_bytes(b"cached")
    assert weights.find_weights(_tiny(), given=tmp_path) == tmp_path / f"tiny{suffix}"


def test_pth_comes_before_safetensors(tmp_path: Path) -> None:
    (tmp_path / "tiny.pth").touch()
    (tmp_path / "tiny.safetensors").touch()
    assert weights.find_weights(_tiny(), given=tmp_path) == tmp_path / "tiny.pth"


@pytest.mark.parametrize("named", [True, False])
def test_the_cache_is_looked_into_at_last(tmp_path: Path, cache: Path, *, named: bool) -> None:
    data = _saved(_STATE)
    cached = cache / f"tiny-{_hashed(data)[:8]}.pth"
    cached.write_bytes(data)
    (tmp_path / "other.pth").touch()
    url = f"https://download.pytorch.org/models/{cached.name}"
    assert weights.find_weights(_tiny(url), given=tmp_path if named else None) == cached


def test_what_is_nowhere_is_none(tmp_path: Path, cache: Path) -> None:
    (cache / "another-0123abcd.pth").touch()
    assert weights.find_weights(_tiny(), given=tmp_path) is None
    assert weights.find_weights(_tiny(), given=None) is None


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path, cache: Path) -> None:
    (cache / "tiny-0123abcd.pth").touch()
    with pytest.raises(WeightsError) as caught:
        weights.find_weights(_tiny(), given=tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in caught.value.message
    assert caught.value.exit_code == 2


def test_a_damaged_cached_file_is_an_error(cache: Path) -> None:
    data = _saved(_STATE)
    cached = cache / f"tiny-{_hashed(data)[:8]}.pth"
    cached.write_bytes(data[:-1])
    url = f"https://download.pytorch.org/models/{cached.name}"
    with pytest.raises(WeightsError) as caught:
        weights.fetch_weights(_tiny(url), given=None)
    assert str(cached) in caught.value.message
    assert "damaged" in caught.value.message


def test_a_damaged_cached_file_of_a_real_network_is_not_loaded(cache: Path) -> None:
    (cache / mobilenet_v2.url.rsplit("/", 1)[-1]).write_bytes(_saved(_STATE))
    with pytest.raises(WeightsError, match="damaged"):
        mobilenet_v2(device="cpu")
    assert mobilenet_v2.describe().weights == "missing"


@pytest.mark.parametrize(
    ("torch_home", "cache_home", "expected"),
    [
        ("/t", "/c", "/t/hub/checkpoints"),
        ("", "/c", "/c/torch/hub/checkpoints"),
        ("", "", "/h/.cache/torch/hub/checkpoints"),
        ("~/t", "", "/h/t/hub/checkpoints"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="paths as POSIX has them")
def test_the_cache_is_torch_s_own(
    monkeypatch: pytest.MonkeyPatch, torch_home: str, cache_home: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/h")
    for name, value in (("TORCH_HOME", torch_home), ("XDG_CACHE_HOME", cache_home)):
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    assert str(weights.torch_cache()) == expected
    assert str(weights.torch_cache()) == str(Path(torch.hub.get_dir()).expanduser() / "checkpoints")


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    data = _saved(_STATE)
    (tmp_path / "tiny.pth").write_bytes(data)
    found = weights.fetch_weights(_tiny(), given=tmp_path)
    assert found == weights.WeightsFile(tmp_path / "tiny.pth", _hashed(data)[:16])


# --- the network --------------------------------------------------------------------------------


@pytest.mark.usefixtures("offline")
def test_without_a_network_all_tried_places_are_listed(tmp_path: Path, cache: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        weights.fetch_weights(_tiny(), given=tmp_path)
    assert time.monotonic() - begun < 5
    for place in (str(tmp_path / "tiny.pth"), ".safetensors", str(cache), _URL):
        assert place in caught.value.message
    assert "\n" not in caught.value.message
    assert "ORGANIZER_WEIGHTS" in caught.value.hint
    assert "--embedder efficientnet_lite2" in caught.value.hint
    assert not list(cache.iterdir())


@pytest.mark.usefixtures("cache")
def test_a_network_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        _leave_by(monkeypatch, deaf.getsockname()[1])
        begun = time.monotonic()
        with pytest.raises(WeightsError) as caught:
            weights.fetch_weights(_tiny(), given=None)
        assert 2 < time.monotonic() - begun < 4.5
    assert _URL in caught.value.message


def test_weights_are_downloaded_into_the_cache(cache: Path, site: tuple[str, Path]) -> None:
    address, folder = site
    data = _saved(_STATE)
    name = f"tiny-{_hashed(data)[:8]}.pth"
    (folder / name).write_bytes(data)
    found = weights.fetch_weights(_tiny(f"{address}/{name}"), given=None)
    assert found == weights.WeightsFile(cache / name, _hashed(data)[:16])
    (folder / name).unlink()
    assert weights.fetch_weights(_tiny(f"{address}/{name}"), given=None) == found


def test_a_download_that_is_not_what_its_name_says_is_refused(
    cache: Path, site: tuple[str, Path]
) -> None:
    address, folder = site
    (folder / "tiny-0123abcd.pth").write_bytes(_saved(_STATE))
    with pytest.raises(WeightsError, match="0123abcd"):
        weights.fetch_weights(_tiny(f"{address}/tiny-0123abcd.pth"), given=None)
    assert not list(cache.iterdir())


class _Short(_Quiet):
    """Breaks off in the middle of the body."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # torch's, not ours
def test_a_download_that_breaks_off_is_an_error(
    cache: Path, site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = site
    (folder / "tiny-0123abcd.pth").touch()
    monkeypatch.setattr(_Quiet, "do_GET", _Short.do_GET)
    with pytest.raises(WeightsError):
        weights.fetch_weights(_tiny(f"{address}/tiny-0123abcd.pth"), given=None)
    assert not list(cache.iterdir())
    gc.collect()


def test_weights_that_the_server_does_not_have_are_an_error(
    cache: Path, site: tuple[str, Path]
) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.fetch_weights(_tiny(f"{site[0]}/tiny-0123abcd.pth"), given=None)
    assert f"{site[0]}/tiny-0123abcd.pth" in caught.value.message
    assert str(cache) in caught.value.message
    del caught
    gc.collect()  # an answer that was left open would warn


@pytest.mark.parametrize("data", [b"", b"hello", b"{}", bytes(1000)])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_unreadable_file_is_explained_in_one_sentence(
    tmp_path: Path, data: bytes, suffix: str
) -> None:
    file = tmp_path / f"tiny{suffix}"
    file.write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        weights.read_state_dict(file, name="tiny")
    reason = caught.value.message.partition("cannot be read: ")[2]
    assert " " in reason
    assert ". " not in reason
    assert len(reason) < 200


# --- the Hugging Face hub -----------------------------------------------------------------------

_REPO = "someone/tiny"
_HUB = weights.WeightsSource("tiny", "tiny", repo=_REPO, files=("a.safetensors", "b.bin"))


def _in_the_hub_cache(folder: Path, file: str, data: bytes) -> Path:
    """A file as the hub's client keeps it: a link to a blob that is named after its hash."""
    kept = folder / "models--someone--tiny"
    for part in ("refs", "blobs", "snapshots/0a1b"):
        (kept / part).mkdir(parents=True, exist_ok=True)
    (kept / "refs" / "main").write_text("0a1b")
    (kept / "blobs" / _hashed(data)).write_bytes(data)
    link = kept / "snapshots" / "0a1b" / file
    link.symlink_to(kept / "blobs" / _hashed(data))
    return link


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the hub's client, empty; it reads its variables when it is imported."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


def test_the_hub_s_cache_is_looked_into(hub: Path) -> None:
    second = _in_the_hub_cache(hub, "b.bin", b"second")
    assert weights.fetch_weights(_HUB, given=None) == weights.WeightsFile(
        second, _hashed(b"second")[:16]
    )
    first = _in_the_hub_cache(hub, "a.safetensors", b"first")
    assert weights.find_weights(_HUB, given=None) == first


def test_a_damaged_file_of_the_hub_s_cache_is_an_error(hub: Path) -> None:
    link = _in_the_hub_cache(hub, "a.safetensors", b"first")
    link.resolve().write_bytes(b"firsx")
    with pytest.raises(WeightsError, match="damaged") as caught:
        weights.fetch_weights(_HUB, given=None)
    assert str(link) in caught.value.message
    assert str(link.resolve()) in caught.value.hint


@pytest.mark.usefixtures("offline")
def test_without_a_network_the_hub_is_missed_at_once(hub: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(WeightsMissingError) as caught:
        weights.fetch_weights(_HUB, given=None)
    assert time.monotonic() - begun < 5
    assert f"https://huggingface.co/{_REPO}" in caught.value.message
    assert str(hub) in caught.value.message


@pytest.mark.usefixtures("hub")
def test_a_hub_that_is_switched_off_is_not_asked(
    site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", site[0])  # which would answer
    with pytest.raises(WeightsMissingError, match="HF_HUB_OFFLINE is set"):
        weights.fetch_weights(_HUB, given=None)


def test_the_hub_s_variables_are_honoured(tmp_path: Path) -> None:
    code = (
        "from organizer.embed import weights as w\n"
        "print(w.hub_cache(), w.hub_address(), w._hub_is_off(), sep='\\n')"
    )
    variables = {
        "HF_HOME": str(tmp_path / "h"),
        "HF_ENDPOINT": "http://mirror.example",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:3] == [
        str(tmp_path / "h" / "hub"),
        "http://mirror.example",
        "True",
    ]


# --- what the user brings -----------------------------------------------------------------------


def test_what_was_imported_is_found_from_then_on(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "some name.bin"
    file.write_bytes(b"mine")
    kept = weights.copy_weights(file, _tiny())
    file.unlink()
    (cache / "tiny-0123abcd.pth").write_bytes(b"cached")
    assert weights.find_weights(_tiny(), given=None) == kept
    assert kept == weights.imported_folder() / "tiny.pth"
    assert kept.read_bytes() == b"mine"


def test_importing_twice_is_once_and_another_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pth", tmp_path / "b.safetensors"
    first.write_bytes(b"first")
    second.write_bytes(b"second")
    kept = weights.copy_weights(first, _tiny())
    assert weights.copy_weights(first, _tiny()) == kept
    with pytest.raises(WeightsError, match="imported before") as caught:
        weights.copy_weights(second, _tiny())
    assert str(kept) in caught.value.message
    assert [file.name for file in weights.imported_folder().iterdir()] == ["tiny.pth"]
    assert kept.read_bytes() == b"first"


def test_a_folder_that_was_named_comes_before_what_was_imported(tmp_path: Path) -> None:
    for name in ("given/tiny.pth", "other.pth"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    kept = weights.copy_weights(tmp_path / "other.pth", _tiny())
    assert (
        weights.find_weights(_tiny(), given=tmp_path / "given") == tmp_path / "given" / "tiny.pth"
    )
    assert weights.find_weights(_tiny(), given=tmp_path) == kept


# --- what is in them ----------------------------------------------------------------------------


def _read(data: bytes, file: Path) -> Mapping[str, Any]:
    file.write_bytes(data)
    return weights.read_state_dict(file, name="tiny")


def test_both_kinds_of_file_hold_tensors(tmp_path: Path) -> None:
    save_file(_STATE, tmp_path / "tiny.safetensors")
    (tmp_path / "tiny.pth").write_bytes(_saved(_STATE))
    for suffix in (".pth", ".safetensors"):
        state = weights.read_state_dict(tmp_path / f"tiny{suffix}", name="tiny")
        assert set(state) == set(_STATE)
        assert all(torch.equal(state[name], value) for name, value in _STATE.items())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path: Path, suffix: str, share: float) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".pth":
        whole.write_bytes(_saved(_STATE))
    else:
        save_file(_STATE, whole)
    data = whole.read_bytes()
    file = tmp_path / f"tiny{suffix}"
    with pytest.raises(WeightsError) as caught:
        _read(data[: int(len(data) * share)], file)
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_of_a_training_program_is_unwrapped(
    tmp_path: Path, wrapper: str, prefix: str
) -> None:
    inner = {f"{prefix}{name}": value for name, value in _STATE.items()}
    state = _read(_saved({"epoch": 3, wrapper: inner}), tmp_path / "tiny.pth")
    assert set(state) == set(_STATE)


@pytest.mark.parametrize(
    "what",
    [
        ["a list"],
        {"a": 1},
        {"a": torch.zeros(1), "b": None},
        torch.zeros(3),
        {"state_dict": {"a": 1}},
        "text",
    ],
    ids=["a list", "numbers", "some numbers", "a tensor", "a checkpoint of numbers", "text"],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, what: Any) -> None:
    with pytest.raises(WeightsError) as caught:
        _read(_saved(what), tmp_path / "tiny.pth")
    assert str(tmp_path / "tiny.pth") in caught.value.message


@pytest.mark.parametrize("key", [1, None, ("a", "b")], ids=str)
def test_names_that_are_no_text_are_refused(tmp_path: Path, key: Any) -> None:
    (tmp_path / "mobilenet_v2.pth").write_bytes(_saved({key: torch.zeros(1)}))
    with pytest.raises(WeightsError):
        mobilenet_v2(weights=tmp_path, device="cpu")


class _Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("plain", [True, False], ids=["pickle", "torch.save"])
def test_a_command_in_a_pickle_is_not_run(tmp_path: Path, *, plain: bool) -> None:
    ran = tmp_path / "ran"
    what = {"a.weight": torch.zeros(1), "b": _Payload(f"echo > {ran}")}
    data = pickle.dumps(what, protocol=2) if plain else _saved(what)
    with pytest.raises(WeightsError):
        _read(data, tmp_path / "tiny.pth")
    assert not ran.exists()
    # The payload is a live one: unpickled carelessly it does run.
    torch.load(io.BytesIO(_saved(what)), weights_only=False)
    assert ran.exists()


# What torch says of pickles that it did not write itself.
_any_protocol = pytest.mark.filterwarnings("ignore:Detected pickle protocol")
_PICKLES = st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"\x80\x02" + rest)


@_any_protocol
@given(_PICKLES)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_refused_as_weights(tmp_path_factory: Any, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for suffix in (".pth", ".safetensors"):
        with pytest.raises(WeightsError):
            _read(data, folder / f"any{suffix}")


@_any_protocol
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_file_is_read_or_refused(tmp_path_factory: Any, data: st.DataObject) -> None:
    legacy = io.BytesIO()
    torch.save(_STATE, legacy, _use_new_zipfile_serialization=False)
    whole = data.draw(st.sampled_from([_saved(_STATE), legacy.getvalue()]), label="file")
    damaged = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        damaged[at] = data.draw(st.integers(0, 255))
    try:
        state = _read(bytes(damaged), tmp_path_factory.getbasetemp() / "damaged.pth")
    except WeightsError as error:
        assert "\n" not in error.message  # noqa: PT017 - both outcomes are right
        return
    assert all(torch.is_tensor(value) for value in state.values())
