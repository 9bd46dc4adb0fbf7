"""Where a network's forward pass runs, and in which precision.

On a processor OpenVINO is two to three times as fast as eager torch for the same float32 numbers,
and uses bfloat16 units where the processor has them. Its converted model is kept in the cache, so
only the first run pays for the conversion. Without OpenVINO, and on a GPU, torch itself runs.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from organizer.embed.preprocess import Preprocessing
from organizer.errors import PluginError, SettingsError
from organizer.settings import available_cores
from organizer.types import Vectors

_AT_ONCE = 4
"""Pictures in one forward pass on a processor. The activations of more do not stay in its caches,
and torch's allocator has the system clear new pages for every layer."""

_REVISION = "1"
"""Of the way a network is converted: a cached model of another one is not used."""

_SAME = 1e-3
"""A conversion whose vectors differ from torch's by more than this share is not used."""


class Engine(Protocol):
    """Runs a network.

    Attributes:
        device: Where: "cpu", "cuda" or "mps".
        name: What runs it and in which precision, for a person.
        dim: Length of a vector.
    """

    device: str
    name: str
    dim: int

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Pictures ``(h, w, 3)`` uint8 to ``(n, dim)`` float32; n is at least 1."""
        ...


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """A network that can be built, and what makes it this one.

    Attributes:
        key: Names network, layer and weights; two networks of one key are the same.
        build: Makes the torch module, from ``(n, 3, h, w)`` float32 to ``(n, dim)``.
        preprocessing: What its pictures have been through, and how they are normalised.
    """

    key: str
    build: Callable[[], Any]
    preprocessing: Preprocessing


def engine_for(source: NetworkSource, *, device: str, precision: str) -> Engine:
    """The fastest engine that is here.

    Args:
        source: The network.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto" takes half precision where the hardware has it and the vectors stay
            those of float32: not for networks of depthwise convolutions (in MobileNetV2 bfloat16
            changes the nearest neighbour of one photo in nine). "float32", "bfloat16": orders.

    Raises:
        PluginError: There is no such device.
        SettingsError: The hardware does not have the precision that is ordered.
    """
    where = _device(device)
    if where != "cpu":
        return TorchEngine(source, device=where, precision=precision)
    if find_spec("openvino") is not None:
        try:
            return OpenVinoEngine(source, precision=precision)
        except ConversionError as error:
            # An exotic network: torch runs it, only slower.
            engine = TorchEngine(source, device=where, precision=precision)
            engine.name += f" (OpenVINO cannot run it: {error})"
            return engine
    return TorchEngine(source, device=where, precision=precision)


class OpenVinoEngine:
    """One forward pass for each core, side by side: none waits for another at a layer's end."""

    device = "cpu"

    def __init__(self, source: NetworkSource, *, precision: str) -> None:
        openvino = _openvino()
        core = openvino.Core()
        model = _cached(core, source)
        has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        depthwise = any(_is_depthwise(op) for op in model.get_ops())
        bfloat16 = _use_bfloat16(precision, here=has_bfloat16, depthwise=depthwise)
        cores = available_cores()
        compiled = core.compile_model(
            model,
            "CPU",
            {
                "NUM_STREAMS": cores,
                "INFERENCE_NUM_THREADS": cores,
                "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
                # The decoding threads run on the same cores: the system places all of them.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._requests = openvino.AsyncInferQueue(compiled, cores)
        self._shape = tuple(compiled.input(0).shape)
        self.dim = int(compiled.output(0).shape[1])
        version = openvino.__version__.split("-")[0]
        self.name = f"OpenVINO {version}, {'bfloat16' if bfloat16 else 'float32'}"

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """See `Engine`."""
        vectors = np.empty((len(batch), self.dim), dtype=np.float32)

        def keep(request: Any, start: int) -> None:
            part = vectors[start : start + _AT_ONCE]
            part[:] = request.get_output_tensor().data[: len(part)]

        self._requests.set_callback(keep)
        for start in range(0, len(batch), _AT_ONCE):
            part = batch[start : start + _AT_ONCE]
            pixels = np.zeros(self._shape, dtype=np.uint8)
            pixels[: len(part)] = part
            self._requests.start_async({0: pixels}, start)
        self._requests.wait_all()
        return vectors


class TorchEngine:
    """Eager torch: on a GPU in half precision, on a processor a pass of its own for each core."""

    def __init__(self, source: NetworkSource, *, device: str, precision: str) -> None:
        import torch

        network = source.build().float().eval().to(memory_format=torch.channels_last)
        self.device = device
        self._dtype = _torch_precision(network, device=device, precision=precision)
        self._network = network.to(device=device, dtype=self._dtype)
        shape = (3, 1, 1)
        self._mean = torch.tensor(source.preprocessing.mean, device=device).view(shape)
        self._std = torch.tensor(source.preprocessing.std, device=device).view(shape)
        self._pool = _one_core_each() if device == "cpu" else None
        self.name = f"torch {torch.__version__.split('+')[0]}, {str(self._dtype).split('.')[-1]}"
        height, width = source.preprocessing.crop
        self.dim = self._forward([np.zeros((height, width, 3), dtype=np.uint8)]).shape[1]

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """See `Engine`."""
        if self._pool is None:
            return self._forward(batch)
        parts = [batch[i : i + _AT_ONCE] for i in range(0, len(batch), _AT_ONCE)]
        return np.concatenate(list(self._pool.map(self._forward, parts)))

    def _forward(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        import torch

        with torch.inference_mode():
            pictures = torch.from_numpy(np.stack(batch))
            if self.device == "cuda":  # from pinned memory the copy runs beside other work
                pictures = pictures.pin_memory()
            # Channels stay last in memory: that is how the pictures come, and convolutions are
            # faster for it.
            pixels = pictures.to(self.device, non_blocking=True).permute(0, 3, 1, 2)
            normalised = ((pixels.float() / 255 - self._mean) / self._std).to(self._dtype)
            vectors: Vectors = self._network(normalised).float().cpu().numpy()
        return vectors


class ConversionError(Exception):
    """OpenVINO cannot run the network as torch does."""


def _openvino() -> Any:
    """OpenVINO, without the package that reports every import and conversion to its makers.

    It would also fork beside running threads, which hangs.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _cached(core: Any, source: NetworkSource) -> Any:
    """The converted model; made anew where it is not in the cache or cannot be read."""
    openvino = _openvino()
    folder = user_cache_path("organizer") / "openvino"
    version = openvino.__version__.split("-")[0]
    path = folder / f"{source.key}-{_REVISION}-{version}.xml"
    if path.exists():
        try:
            return core.read_model(path)
        except RuntimeError:  # cut short or damaged: it is only a copy
            path.unlink()
    model = _converted(core, source)
    _save(model, path)
    return model


def _converted(core: Any, source: NetworkSource) -> Any:
    import torch
    from openvino.preprocess import PrePostProcessor

    openvino = _openvino()
    network = source.build().float().eval()
    height, width = source.preprocessing.crop
    example = torch.zeros(_AT_ONCE, 3, height, width)
    try:
        with warnings.catch_warnings(), _plain_attention():
            warnings.simplefilter("ignore")  # torch's advice on tracing, for programmers
            model = openvino.convert_model(network, example_input=example, input=[example.shape])
    except Exception as error:
        # The converter says what it does not know with a dozen classes of its own.
        raise ConversionError(" ".join(str(error).split())[:200]) from error
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    preprocess = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    preprocess.mean([255 * value for value in source.preprocessing.mean])
    preprocess.scale([255 * value for value in source.preprocessing.std])
    model = steps.build()
    _require_same(core, model, network, source.preprocessing)
    return model


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without torch's shortcut for attention, of which no other program can be made."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(value=before)


def _require_same(core: Any, model: Any, network: Any, preprocessing: Preprocessing) -> None:
    """A conversion that computes something else would go unnoticed for ever."""
    import torch

    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (_AT_ONCE, *preprocessing.crop, 3), dtype=np.uint8)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    got = compiled([pixels])[0]
    normalised = (pixels / 255 - preprocessing.mean) / np.asarray(preprocessing.std)
    with torch.inference_mode():
        expected = network(torch.from_numpy(normalised).float().permute(0, 3, 1, 2)).numpy()
    if got.shape != expected.shape:
        raise ConversionError(f"it gives vectors of {got.shape}, torch of {expected.shape}")
    # Weights that give no numbers are told of where vectors are checked, whatever runs them.
    known = np.isfinite(expected)
    far = np.abs(got - expected)[known].max(initial=0) / np.abs(expected[known]).max(initial=1e-30)
    if far > _SAME:
        raise ConversionError(f"its vectors differ from torch's by {far:.0%}")


def _save(model: Any, path: Path) -> None:
    """Both files, the one that is looked for last: a run that is killed leaves nothing half."""
    openvino = _openvino()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        openvino.save_model(model, made, compress_to_fp16=False)
        for suffix in (".bin", ".xml"):
            made.with_suffix(suffix).replace(path.with_name(made.stem + suffix))


def _use_bfloat16(precision: str, *, here: bool, depthwise: bool) -> bool:
    if precision == "bfloat16" and not here:
        raise SettingsError(
            "this processor has no bfloat16 units", "use --precision auto or float32"
        )
    return here and (precision == "bfloat16" or (precision == "auto" and not depthwise))


def _is_depthwise(op: Any) -> bool:
    if op.get_type_name() != "GroupConvolution":
        return False
    groups, _, inputs, *_ = op.input(1).get_partial_shape()
    return bool(inputs == 1 and groups != 1)


def _torch_precision(network: Any, *, device: str, precision: str) -> Any:
    import torch

    depthwise = any(
        isinstance(module, torch.nn.Conv2d) and module.groups == module.in_channels > 1
        for module in network.modules()
    )
    if device == "cuda":
        half = torch.bfloat16 if precision == "bfloat16" else torch.float16
        plain = precision == "float32" or (precision == "auto" and depthwise)
        return torch.float32 if plain else half
    # Processors without these units compute bfloat16 too, many times slower than float32.
    here = device == "cpu" and (
        torch.cpu._is_amx_tile_supported()  # noqa: SLF001 - there is no public way to ask
        or torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
    )
    fast = _use_bfloat16(precision, here=here, depthwise=depthwise)
    return torch.bfloat16 if fast else torch.float32


def _one_core_each() -> ThreadPoolExecutor:
    """Threads that each run whole forward passes on one core.

    One pass spread over all cores waits for its slowest part at every layer, and decoding runs on
    the same cores: passes side by side never wait.
    """
    import torch

    one_core = partial(torch.set_num_threads, 1)
    return ThreadPoolExecutor(available_cores(), "embed", initializer=one_core)


def _device(wanted: str) -> str:
    import torch

    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if here[name])
    if not here[wanted]:
        raise PluginError(
            f"there is no device {wanted!r} on this machine", "use --device auto or --device cpu"
        )
    return wanted
