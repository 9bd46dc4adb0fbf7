"""Vectors of pictures that are not in the library, and the embedders that make them."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer import decode
from organizer.embed.pictures import embed_pictures, prepare_picture
from organizer.errors import ImageError, SettingsError
from organizer.file_times import modified_ns
from organizer.library import embedders
from organizer.library.search.text import reads_texts
from organizer.protocols import LoadedEmbedder, least_side
from organizer.settings import Settings
from organizer.types import ImageRef, PartSpec, Vectors
from organizer.workers.pool import Call, WorkerPool

MAX_BYTES = 128 * 1024**2
"""Of a picture that is given by its bytes: more than any camera writes."""

MAX_PIXELS = 160_000_000
"""Of such a picture: decoded it takes at most half a gigabyte."""


class QueryEmbedder:
    """Embeds what is searched for; networks stay loaded, as loading one takes seconds.

    Several threads may use it at once; one at a time embeds.

    Args:
        settings: Where weights are, and what networks run on.
        workers: Decode: what somebody sends may make a decoder crash.
    """

    def __init__(self, settings: Settings, workers: WorkerPool) -> None:
        self._settings, self._workers = settings, workers
        self._loaded: dict[str, LoadedEmbedder] = {}
        self._lock = threading.Lock()

    def of_file(self, file: Path, spec: PartSpec, loaded: LoadedEmbedder | None) -> Vectors:
        """``(dim,)`` float32: the vector of a file.

        Args:
            file: The file.
            spec: The embedder.
            loaded: The same, where it was given as an object.

        Raises:
            SettingsError: It is no image, or the embedder makes no vector of it.
        """
        status = file.stat()
        ref = ImageRef(file.parent, file.name, status.st_size, modified_ns(status))
        try:
            data = decode.read_file(ref, max_bytes=self._settings.max_file_bytes)
        except ImageError as error:
            raise _not_searched_for(str(file), error.message) from error
        return self._of_bytes(ref, data, str(file), spec, loaded)

    def of_picture(self, data: bytes, spec: PartSpec, loaded: LoadedEmbedder | None) -> Vectors:
        """As `of_file`, of bytes from anywhere.

        Raises:
            SettingsError: They are no image, too many, or too many pixels.
        """
        name = "the picture"
        if not data:
            raise _not_searched_for(name, "it is empty")
        if len(data) > MAX_BYTES:
            raise _not_searched_for(
                name, f"it has {len(data):,} bytes, over the limit of {MAX_BYTES:,}"
            )
        ref = ImageRef(Path(), name, len(data), 0)
        return self._of_bytes(ref, data, name, spec, loaded, max_pixels=MAX_PIXELS)

    def of_text(self, text: str, spec: PartSpec) -> Vectors:
        """``(dim,)`` float32: the vector of a text.

        Raises:
            SettingsError: The embedder does not read texts.
        """
        with self._lock:
            vector: Vectors = reads_texts(self._load(spec)).embed_text([text])[0]
        return vector

    def _of_bytes(
        self,
        ref: ImageRef,
        data: bytes,
        name: str,
        spec: PartSpec,
        loaded: LoadedEmbedder | None,
        *,
        max_pixels: int | None = None,
    ) -> Vectors:
        with self._lock:
            loaded = loaded or self._load(spec)
        try:
            pixels = self._decoded(ref, data, least_side(loaded.part), max_pixels)
        except ImageError as error:
            raise _not_searched_for(name, error.message) from error
        with self._lock:
            embedded = embed_pictures(loaded, [prepare_picture(loaded, pixels)])
        for failure in embedded.failures.values():
            raise _not_searched_for(name, failure.reason, "use another --embedder")
        vector: Vectors = embedded.vectors[0]
        return vector

    def _decoded(
        self, ref: ImageRef, data: bytes, min_side: int | None, max_pixels: int | None
    ) -> NDArray[np.uint8]:
        def decoded(call: Call) -> NDArray[np.uint8]:
            try:
                next(call("decode", ref, data, min_side, max_pixels))
            except StopIteration as end:
                pixels: NDArray[np.uint8] = end.value
                return pixels
            raise AssertionError

        return self._workers.attempt(decoded, size=len(data))

    def _load(self, spec: PartSpec) -> LoadedEmbedder:
        loaded = self._loaded.get(spec.fingerprint)
        if loaded is None:
            loaded = embedders.load_embedder(spec, self._settings)
            self._loaded[spec.fingerprint] = loaded
        return loaded


def _not_searched_for(
    name: str, reason: str, hint: str = "a photo or any other picture of a common format"
) -> SettingsError:
    return SettingsError(f"{name} cannot be searched for: {reason}", hint)
