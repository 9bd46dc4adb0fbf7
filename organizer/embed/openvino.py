"""Forward passes through OpenVINO.

The converted model is kept in the cache, so only the first run pays for the conversion.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from platformdirs import user_cache_path

from organizer.embed.network_source import IMAGES_PER_PASS, ConversionError, NetworkSource
from organizer.embed.precision import has_bfloat16, use_bfloat16
from organizer.embed.preprocess import Preprocessing
from organizer.settings import available_cores
from organizer.types import Vectors

_REVISION = "2"
"""Of the way a network is converted: a cached model of another one is not used."""

_SAME = 1e-3
"""A conversion whose vectors differ from torch's by more than this share is not used."""

_SAME_INT8 = 0.2
"""As `_SAME`, for integers: a number between two of them falls to one or the other by its last bit,
and from layer to layer more do."""


class OpenVinoEngine:
    """One forward pass for each core, side by side: none waits for another at a layer's end."""

    device = "cpu"

    def __init__(self, source: NetworkSource, *, precision: str) -> None:
        openvino = _openvino()
        core = openvino.Core()
        model, not_kept = _cached(core, source)
        depthwise = any(_is_depthwise(op) for op in model.get_ops())
        bfloat16 = use_bfloat16(precision, supported=has_bfloat16(), depthwise=depthwise)
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
        kind = "int8" if source.int8 else "bfloat16" if bfloat16 else "float32"
        self.name = f"OpenVINO {version}, {kind}{not_kept}"

    def __call__(self, batch: Sequence[NDArray[np.uint8]]) -> Vectors:
        """See `organizer.embed.engine.NetworkEngine`."""
        vectors = np.empty((len(batch), self.dim), dtype=np.float32)

        def keep(request: Any, start: int) -> None:
            part = vectors[start : start + IMAGES_PER_PASS]
            part[:] = request.get_output_tensor().data[: len(part)]

        self._requests.set_callback(keep)
        for start in range(0, len(batch), IMAGES_PER_PASS):
            part = batch[start : start + IMAGES_PER_PASS]
            pixels = np.zeros(self._shape, dtype=np.uint8)
            pixels[: len(part)] = part
            self._requests.start_async({0: pixels}, start)
        self._requests.wait_all()
        return vectors


def _openvino() -> Any:
    """OpenVINO, without the package that reports every import and conversion to its makers.

    It would also fork beside running threads, which hangs.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _cached(core: Any, source: NetworkSource) -> tuple[Any, str]:
    """The converted model, made anew where no sound copy is in the cache; why none was kept."""
    version = _openvino().__version__.split("-")[0]
    folder = user_cache_path("organizer") / "openvino"
    path = folder / f"{source.key}-{_REVISION}-{version}.xml"
    if _is_sound(path):
        return core.read_model(path), ""
    model = _converted(core, source)
    try:
        _save(model, path)
    except OSError as error:
        return model, f" (converted anew at every start: {folder}: {error.strerror})"
    return model, ""


def _converted(core: Any, source: NetworkSource) -> Any:
    import torch
    from openvino.preprocess import PrePostProcessor

    openvino = _openvino()
    network = source.build().float().eval()
    height, width = source.preprocessing.crop
    example = torch.zeros(IMAGES_PER_PASS, 3, height, width)
    try:
        with warnings.catch_warnings(), _plain_attention():
            warnings.simplefilter("ignore")  # torch's advice on tracing, for programmers
            model = openvino.convert_model(network, example_input=example, input=[example.shape])
    except Exception as error:
        # The converter raises a dozen classes of its own for what it does not know.
        raise ConversionError(" ".join(str(error).split())[:200]) from error
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    preprocess = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    preprocess.mean([255 * value for value in source.preprocessing.mean])
    preprocess.scale([255 * value for value in source.preprocessing.std])
    model = steps.build()
    most = _SAME_INT8 if source.int8 else _SAME
    _require_same(core, model, network, source.preprocessing, most)
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


def _require_same(
    core: Any, model: Any, network: Any, preprocessing: Preprocessing, most: float
) -> None:
    """A conversion that computes something else would go unnoticed for ever."""
    import torch

    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (IMAGES_PER_PASS, *preprocessing.crop, 3), dtype=np.uint8)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    got = compiled([pixels])[0]
    normalised = (pixels / 255 - preprocessing.mean) / np.asarray(preprocessing.std)
    with torch.inference_mode():
        expected = network(torch.from_numpy(normalised).float().permute(0, 3, 1, 2)).numpy()
    if got.shape != expected.shape:
        raise ConversionError(f"it gives vectors of {got.shape}, torch of {expected.shape}")
    if not np.isfinite(expected).all():  # OpenVINO's ReLU makes a number of what is none
        raise ConversionError("its vectors are not numbers")
    far = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-30)
    if far > most:
        raise ConversionError(f"its vectors differ from torch's by {far:.0%}")


def _save(model: Any, path: Path) -> None:
    """Numbers, program, and last the hash of both: a run that is killed leaves nothing half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        _openvino().save_model(model, made, compress_to_fp16=False)
        made.with_suffix(".blake3").write_text(_hash(made))
        for suffix in (".bin", ".xml", ".blake3"):
            made.with_suffix(suffix).replace(path.with_name(made.stem + suffix))


def _is_sound(path: Path) -> bool:
    """Whether the copy is as it was written: a power cut leaves files of the right length."""
    try:
        return path.with_suffix(".blake3").read_text() == _hash(path)
    except OSError:
        return False


def _hash(path: Path) -> str:
    both = blake3(max_threads=blake3.AUTO)
    for suffix in (".xml", ".bin"):
        both.update_mmap(path.with_suffix(suffix))
    return both.hexdigest()


def _is_depthwise(op: Any) -> bool:
    if op.get_type_name() != "GroupConvolution":
        return False
    groups, _, inputs, *_ = op.input(1).get_partial_shape()
    return bool(inputs == 1 and groups != 1)
