"""What a part must do. Checked once, when the part is created; `typing.Protocol` keeps it cheap.

A plugin registers a factory under an entry-point group of `GROUPS`; calling the factory with a
spec's params must give an object that satisfies the group's protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from organizer.types import (
    ExportBatch,
    ExportInfo,
    Identity,
    ImageRef,
    KnownImage,
    Labels,
    PartSpec,
    ProcessedBatch,
    Vectors,
    VectorUse,
)


@runtime_checkable
class Embedder(Protocol):
    """Turns pictures into vectors.

    Attributes:
        dim: Length of a vector.
    """

    dim: int

    def prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """One upright RGB picture ``(h, w, 3)`` uint8 to what `embed` takes.

        Runs on several threads at once, so it must not change the embedder.
        """
        ...

    def embed(self, batch: Sequence[NDArray[Any]]) -> Vectors:
        """Prepared pictures to ``(n, dim)`` float32; row i is ``batch[i]``; n may be 0.

        Numbers are finite and at most 65,504 in size, or the picture becomes a problem. So it does
        where `prepare` or `embed` raises on it alone: a batch on which `embed` raises is given
        again in parts, down to one picture. Zeros alone say that nothing was found in it.
        """
        ...


@runtime_checkable
class TextEmbedder(Protocol):
    """An embedder that puts texts into the space of its pictures.

    Attributes:
        dim: Length of a vector.
        logit_scale: Factor of a cosine in the softmax over texts, as it was learned.
    """

    dim: int

    @property
    def logit_scale(self) -> float:
        """See the class."""
        ...

    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim)`` float32 of unit length; row i is ``texts[i]``; n may be 0."""
        ...


@runtime_checkable
class ReducedInput(Protocol):
    """An embedder that is content with a smaller picture.

    Attributes:
        min_side: Pixels of the shorter side below which `prepare` would lose something. Decoding
            may then use libjpeg's reduced sizes, down to this one.
    """

    min_side: int


def least_side(part: Embedder) -> int | None:
    """The shorter side, in pixels, that is enough for an embedder; None where it wants them all."""
    return part.min_side if isinstance(part, ReducedInput) else None


@runtime_checkable
class Versioned(Protocol):
    """A part whose output depends on more than its name and params.

    Attributes:
        version: For example the hash of the weights. Kept with everything that the part makes.
    """

    version: str


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """What `organizer models` tells about an embedder without loading it.

    Attributes:
        name: The name in the registry.
        dim: Length of a vector.
        weights: "none needed", "here", "downloadable" or "missing".
        location: Where the weights lie or would come from; empty where none are needed.
        licence: The licence of the weights, or of the method where there are none.
        text: Whether it puts texts into the space of its pictures.
    """

    name: str
    dim: int
    weights: str
    location: str
    licence: str
    text: bool = False


@runtime_checkable
class Describable(Protocol):
    """A factory that can describe its part without creating it."""

    def describe(self, *, weights: Any = None) -> EmbedderInfo:
        """What to show in `organizer models`; `weights` is the place to look first."""
        ...


@runtime_checkable
class Weighted(Protocol):
    """A factory whose part needs a file of weights."""

    def pull(self, *, weights: Any = None) -> Path:
        """Make sure that the file is on this machine, downloading it if it is not."""
        ...

    def import_weights(self, file: Path) -> Path:
        """Copy a file to where it is found later, if it holds this network's weights."""
        ...


@runtime_checkable
class Family(Protocol):
    """Makes factories by the name behind the colon: ``timm:NAME``."""

    def __call__(self, model: str) -> Callable[..., Any]:
        """The factory of that name."""
        ...

    def models(self) -> list[str]:
        """All names that it knows."""
        ...


@runtime_checkable
class Layered(Protocol):
    """A factory whose part can end at several layers: ``NAME@LAYER``."""

    def at(self, layer: str) -> Callable[..., Any]:
        """The factory of the part that ends at that layer."""
        ...


@runtime_checkable
class Clusterer(Protocol):
    """Groups vectors; a scikit-learn clusterer as it is."""

    def fit_predict(self, vectors: Vectors, /) -> Labels:
        """``(n, dim)`` float32 to ``(n,)`` labels; -1 is noise."""
        ...


@runtime_checkable
class Reducer(Protocol):
    """Maps vectors to fewer dimensions; a scikit-learn transformer as it is."""

    def fit_transform(self, vectors: Vectors, /) -> Vectors:
        """Fit to ``(n, dim)`` vectors and return them as ``(n, fewer)``."""
        ...

    def transform(self, vectors: Vectors, /) -> Vectors:
        """Place further vectors in the fitted space."""
        ...


@runtime_checkable
class Restorable(Protocol):
    """A reducer whose fitted state can be stored, so that new images can be placed later."""

    def state(self) -> Mapping[str, NDArray[Any]]:
        """What was fitted, by name: arrays of numbers."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]], /) -> None:
        """Restore a stored state, as if fitted."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedEmbedder:
    """An embedder that is ready to work, and the spec that makes it again elsewhere."""

    spec: PartSpec
    part: Embedder


@runtime_checkable
class Executor(Protocol):
    """Reads, decodes and embeds files, wherever the work runs."""

    def run(
        self,
        refs: Iterable[ImageRef],
        embedder: LoadedEmbedder,
        *,
        find: Callable[[Identity], KnownImage | None],
    ) -> Iterator[ProcessedBatch]:
        """Batches in the order of `refs`, each file in exactly one.

        `find` tells of a file's identity (`organizer.identity.identify`) which image of the library
        it is; None where it is none, and the image is the hash of the picture. An image that has a
        vector, or that came earlier in the run, is not embedded again, unless the file shows it
        otherwise: see `KnownImage`. A file that cannot be used, or of whose image the embedder
        makes no vector, becomes a `Problem`; `organizer.embed.pictures` sees to the latter.

        Raises:
            PluginError: The embedder fails on every picture.
        """
        ...


@runtime_checkable
class StartableExecutor(Protocol):
    """An executor that takes time to start, and can do so while a network is loaded."""

    def started(self, files: int) -> AbstractContextManager[None]:
        """Begin to start, for so many files, and wait for nothing; end all at the end."""
        ...


@dataclass(frozen=True, slots=True)
class FileContent:
    """What the ingest gives the readers of metadata about a file.

    Attributes:
        data: The whole content of the file.
        format: Pillow's name of the file format.
        tags: EXIF tags by their standard names, as `DecodedImage.metadata`.
        blocks: EXIF tags that are bytes of a maker's own, as `DecodedImage.blocks`.
    """

    data: bytes
    format: str
    tags: Mapping[str, str | int | float]
    blocks: Mapping[str, bytes]


@runtime_checkable
class MetadataReader(Protocol):
    """Finds what a maker of cameras writes into photos besides the standard tags."""

    def read(self, content: FileContent) -> Mapping[str, str | int | float]:
        """What it found, by name; nothing where there is nothing, or where it is damaged.

        Runs in each of the processes that decode, and for every image, so it must not take long,
        or open the file again. Numbers are finite, in the unit that the name tells or in that of
        the SI; texts are valid Unicode. Of a camera that tells no serial number in the standard
        tags, "serial_number" becomes part of its name. An exception is a bug of the reader: the
        photo is used without what the reader would have found, and the
        ingest names the reader and goes on.
        """
        ...


@runtime_checkable
class IngestCheck(Protocol):
    """Looks at what came in an ingest, and says what a person should look at."""

    def check(self, library: Any, image_ids: Sequence[str]) -> Iterable[str]:
        """A few remarks, the most important first: one line each, as a person reads it.

        Runs when the ingest is stored, and before it is reported: it must not write to the library,
        and what it takes should grow with the images that it is given. An exception is a bug of the
        check: the ingest is done all the same, and names it.

        Args:
            library: The open `organizer.Library`.
            image_ids: The images that came, or of which other things are known now; of very many
                the first 100,000.
        """
        ...


@runtime_checkable
class Exporter(Protocol):
    """Writes images, with their clusters and what is known of them, for another tool.

    A class that takes options of its own when it is made describes them in a class attribute
    ``options``, `PartOption` by name as it is typed: with ``-`` where the parameter has ``_``.

    Attributes:
        suffix: What the name of a file of this format ends in, with the dot; "" where an export is
            a folder.
        file_name: The name of a file or folder that nobody named.
        vectors: Whether the format holds vectors.
    """

    suffix: str
    file_name: str
    vectors: VectorUse

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write all images to a new file, or into an empty folder; the number of images.

        There may be millions of images: no more than some batches may be held at once.
        """
        ...


@runtime_checkable
class StreamExporter(Protocol):
    """An exporter that can write to a pipe too."""

    def write(self, batches: Iterable[ExportBatch], stream: BinaryIO, *, about: ExportInfo) -> int:
        """As `Exporter.export`; the stream stays open."""
        ...


@runtime_checkable
class FolderExporter(Protocol):
    """An exporter that writes a folder.

    Attributes:
        holds: The names of all that an export has in its folder: one with anything else in it is
            no export, and is never replaced.
    """

    holds: frozenset[str]


@runtime_checkable
class NeedyExporter(Protocol):
    """An exporter whose format cannot hold an image of which too little is known.

    Attributes:
        needs: The columns of `ExportBatch` in which no image may have None, of ``taken_at`` and
            ``deployments``. Whoever gives the batches sees to it.
    """

    needs: frozenset[str]


@runtime_checkable
class CompleteExporter(Protocol):
    """An exporter that tells all that its format lacks at once, before anything is written."""

    def require_complete(self, about: ExportInfo, beside: Path, *, lacking: Sequence[str]) -> None:
        """Make sure that the format has all that it needs.

        Args:
            about: What all batches have in common.
            beside: The folder in which the export will lie: files to fill in are written there.
            lacking: What images lack that the format `needs`: "3 images without a time".

        Raises:
            SettingsError: Something is missing; the message names all of it.
        """
        ...


@runtime_checkable
class StillsExporter(Protocol):
    """An exporter whose format cannot hold videos beside pictures.

    Attributes:
        takes_videos: False leaves videos out, and their number is told.
    """

    takes_videos: bool


@runtime_checkable
class PictureExporter(Protocol):
    """An exporter that takes a small picture of each image.

    Attributes:
        picture_side: Pixels of a picture's longer side, at most; 0 for no pictures.
    """

    picture_side: int


@runtime_checkable
class Openable(Protocol):
    """An exporter that knows how a person goes on with what it wrote."""

    def opened_with(self, to: Path, *, about: ExportInfo) -> str:
        """One line: the command that opens the export."""
        ...


GROUPS: dict[str, type] = {
    "organizer.embedders": Embedder,
    "organizer.clusterers": Clusterer,
    "organizer.reducers": Reducer,
    "organizer.executors": Executor,
    "organizer.exporters": Exporter,
    "organizer.metadata_readers": MetadataReader,
    "organizer.ingest_checks": IngestCheck,
}
"""Entry-point group to the protocol that its parts satisfy."""

EMBEDDER_FAMILIES = "organizer.embedder_families"
"""Group of what makes embedders whose names are too many to register: ``FAMILY:NAME``."""
