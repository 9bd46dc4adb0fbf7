"""Pictures to vectors by any embedder, whatever it does: one bad picture harms one picture.

An embedder is somebody's code and can raise anything. Only its own calls run under the guards of
this module: what it raises is told of the picture, what organizer itself raises is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from organizer.errors import ImageError, OrganizerError, PluginError, one_line
from organizer.protocols import LoadedEmbedder, least_side
from organizer.types import Vectors

_Made = TypeVar("_Made")

_TEST_SIDE = 256


@dataclass(frozen=True, slots=True)
class PictureFailure:
    """Why an embedder made no vector of a picture.

    Attributes:
        reason: One line for a person.
    """

    reason: str


Prepared = NDArray[Any] | PictureFailure
"""A picture as its embedder prepared it, or why that failed."""


@dataclass(frozen=True, slots=True)
class EmbeddedPictures:
    """What an embedder made of some pictures.

    Attributes:
        rows: The pictures that have a vector, as numbers from 0, in order.
        vectors: ``(len(rows), dim)`` float32, all of them finite and within half precision.
        failures: The other pictures, each with what went wrong.
        batch_failure: Why the pictures could not be embedded at once though each of them could;
            empty where they could, or where some picture was the cause.
    """

    rows: tuple[int, ...]
    vectors: Vectors
    failures: Mapping[int, PictureFailure]
    batch_failure: str = ""


def prepare_picture(embedder: LoadedEmbedder, image: NDArray[np.uint8]) -> Prepared:
    """What `embed_pictures` takes: a picture as its embedder prepares it, or why that failed."""
    return _tried(embedder, lambda: embedder.part.prepare(image))


def embed_pictures(embedder: LoadedEmbedder, pictures: Sequence[Prepared]) -> EmbeddedPictures:
    """Embed pictures at once; where that fails, in smaller and smaller batches, down to one.

    A picture fails where the embedder raises on it alone, or gives it a vector that the library
    cannot hold: with NaN, infinity or a number beyond 65,504. Where all pictures fail, a test
    picture decides whose fault it is.

    Raises:
        PluginError: All pictures fail, and so does the test picture: the embedder is broken.
    """
    attempts = _Attempts(embedder, pictures)
    attempts.embed([row for row, one in enumerate(pictures) if not isinstance(one, PictureFailure)])
    if attempts.failures and not attempts.embedded.any():
        _require_working(embedder, attempts.failures[min(attempts.failures)])
    return attempts.result()


@dataclass(slots=True)
class _Attempts:
    """A batch, with what is known of each of its pictures so far."""

    embedder: LoadedEmbedder
    pictures: Sequence[Prepared]
    vectors: Vectors = field(init=False)
    embedded: NDArray[np.bool_] = field(init=False)
    failures: dict[int, PictureFailure] = field(init=False)
    batch_failure: str = ""

    def __post_init__(self) -> None:
        n = len(self.pictures)
        self.vectors = np.empty((n, self.embedder.part.dim), dtype=np.float32)
        self.embedded = np.zeros(n, dtype=np.bool_)
        self.failures = {
            row: one for row, one in enumerate(self.pictures) if isinstance(one, PictureFailure)
        }

    def embed(self, rows: Sequence[int]) -> None:
        """Embed some pictures; a batch that fails is halved.

        So one bad picture costs few attempts, and a batch that is too large for a graphics card is
        soon small enough.
        """
        if not rows:
            return
        given = _given(self.embedder, [self.pictures[row] for row in rows])
        if not isinstance(given, PictureFailure):
            self._keep(rows, given)
        elif len(rows) == 1:
            self.failures[rows[0]] = given
        else:
            self.batch_failure = self.batch_failure or given.reason
            middle = len(rows) // 2
            self.embed(rows[:middle])
            self.embed(rows[middle:])

    def _keep(self, rows: Sequence[int], given: Vectors) -> None:
        """Keep what can be stored; a bad vector among others may be another picture's doing."""
        fits = _fits(given)
        for row, vector, is_good in zip(rows, given, fits, strict=True):
            if is_good:
                self.vectors[row], self.embedded[row] = vector, True
            elif len(rows) == 1:
                self.failures[row] = _bad_vector(self.embedder, vector)
            else:
                self.embed([row])

    def result(self) -> EmbeddedPictures:
        """What was found out."""
        rows = np.flatnonzero(self.embedded).tolist()
        blamed = "" if self.failures else self.batch_failure
        return EmbeddedPictures(tuple(rows), self.vectors[self.embedded], self.failures, blamed)


def _tried(embedder: LoadedEmbedder, call: Callable[[], _Made]) -> _Made | PictureFailure:
    """What a call of the embedder gives, or in one line what it raised.

    The exception itself is not kept: it holds on to everything that the embedder was working
    with, and the memory of a graphics card would still be full at the next attempt.
    """
    try:
        return call()
    except ImageError as error:
        return PictureFailure(error.message)
    except OrganizerError:
        raise  # of the embedder as a whole, with a hint what to do
    except Exception as error:  # noqa: BLE001 - a plugin can raise anything
        return PictureFailure(f"the embedder {embedder.spec.name!r} failed: {one_line(error)}")


def _given(embedder: LoadedEmbedder, pictures: Sequence[Any]) -> Vectors | PictureFailure:
    """``(n, dim)`` float32: what the embedder gives, whatever numbers they are."""
    given = _tried(embedder, lambda: _as_float32(embedder.part.embed(pictures)))
    shape = (len(pictures), embedder.part.dim)
    if isinstance(given, PictureFailure) or given.shape == shape:
        return given
    return PictureFailure(
        f"the embedder {embedder.spec.name!r} gave vectors of {given.shape}, not {shape}"
    )


def _as_float32(given: Any) -> Vectors:
    with np.errstate(over="ignore"):
        return np.asarray(given, dtype=np.float32)


def _fits(vectors: Vectors) -> NDArray[np.bool_]:
    """``(n,)``: which vectors half precision holds, in which the library keeps them."""
    with np.errstate(over="ignore"):
        return np.asarray(np.isfinite(vectors.astype(np.float16)).all(axis=1))


def _bad_vector(embedder: LoadedEmbedder, vector: Vectors) -> PictureFailure:
    what = "numbers beyond 65,504, more than the library holds"
    if not np.isfinite(vector).all():
        what = "numbers that are not finite"
    return PictureFailure(f"the embedder {embedder.spec.name!r} gave {what}")


def _require_working(embedder: LoadedEmbedder, first: PictureFailure) -> None:
    """Make sure that the embedder can embed some picture at all.

    Whoever has but one new photo, a bad one, is told of the photo; where the graphics card is
    gone, or weights are damaged, no photo is at fault, and none is noted as one.

    Raises:
        PluginError: It fails on the test picture too.
    """
    error = PluginError(
        f"the embedder {embedder.spec.name!r} fails on every picture, first with: {first.reason}",
        "no file was noted as unusable, and what was stored before is kept; mend the embedder "
        "(damaged weights are one cause), or use another one: organizer models",
    )
    try:
        prepared = embedder.part.prepare(_test_picture(least_side(embedder.part)))
        given = _as_float32(embedder.part.embed([prepared]))
    except OrganizerError:
        raise
    except Exception as cause:
        # A plugin can raise anything.
        raise error from cause
    if given.shape != (1, embedder.part.dim) or not _fits(given).all():
        raise error


def _test_picture(least: int | None) -> NDArray[np.uint8]:
    """Coarse noise in colour, of a photo's shape: nothing in it is a reason to fail."""
    height = max(_TEST_SIDE, least or 0)
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    rows = np.arange(height) * 12 // height
    columns = np.arange(height * 4 // 3) * 16 // (height * 4 // 3)
    return np.ascontiguousarray(coarse[rows][:, columns])
