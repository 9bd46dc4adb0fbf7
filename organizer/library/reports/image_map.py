"""The map of all images of the clustering: drawn once, kept, and added to."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.atomic import write_atomically
from organizer.library.current import require_clustering
from organizer.library.progress import Progress
from organizer.library.reports.maps import MAPPED, sample_rows
from organizer.reduce.layout import MapLayout
from organizer.reduce.neighbours import normalised
from organizer.reduce.projection import Method, require_umap
from organizer.store import IdRows, ImageIds, Store, StoredClustering, pack_ids
from organizer.store.ids import IdArray, contains_ids, unpack_ids
from organizer.types import PartSpec, Vectors

_FOLDER = "maps"
_REVISION = 1
"""Of the code that draws; another one draws all maps again."""

_SOUGHT_BY_ID = 4_000  # of more, the vectors are sooner read in full
_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class ImageMap:
    """Images laid out in the plane by their vectors: what looks alike lies together.

    Attributes:
        method: How it was drawn: "tsne", "umap" or "pca".
        image_ids: ``(n,)`` ids as Python strings in an object array. An image keeps its place in
            this order as long as the map is kept.
        xy: ``(n, 2)`` float32 within -1 to 1: where they are.
        drawn_of: The number of images of which the map was drawn; the others were placed beside
            those that are most like them.
        placed_since: How many of `image_ids` came after the map was drawn.
        hidden: The number of images that are left out as people or vehicles are on them.
    """

    method: str
    image_ids: NDArray[np.object_]
    xy: Vectors
    drawn_of: int
    placed_since: int
    hidden: int

    def __len__(self) -> int:
        return len(self.image_ids)


def image_map(
    store: Store, method: Method, *, seed: int, redraw: bool = False, progress: Progress
) -> ImageMap:
    """The map of the images of the current clustering; see `Reports.map`."""
    current = require_clustering(store)
    if method == "umap":
        require_umap()
    file = _file(store, current.embedder, method, seed)
    kept = None if redraw else _KeptMap.read(file)
    if kept is not None:
        return _current(store, current, kept, method, file=file, progress=progress)
    table = store.vectors.rows(current.embedder)
    ids = np.sort(pack_ids(_members(store, current)))
    ids = ids[table.has(ids)]
    rows = sample_rows(len(ids), seed=seed)
    progress.begin(f"drawing the map of {len(rows):,} images", 100)
    done = _Hundredths(progress)
    vectors = normalised(table.of(ids[rows]))
    layout = MapLayout.draw(vectors, method=method, seed=seed, progress=done.reach)
    xy = np.empty((len(ids), 2), dtype=np.float32)
    xy[rows] = layout.xy
    others = np.setdiff1d(np.arange(len(ids)), rows, assume_unique=True)
    xy[others] = _placed(store, current.embedder, layout, ids[others], progress)
    kept = _KeptMap(layout, ids, xy, drawn=len(ids))
    kept.write(file)
    return _current(store, current, kept, method, file=file, progress=progress)


def kept_image_map(
    store: Store, method: Method, *, seed: int, progress: Progress
) -> ImageMap | None:
    """The map as far as it is drawn already; see `Reports.kept_map`."""
    current = require_clustering(store)
    file = _file(store, current.embedder, method, seed)
    kept = _KeptMap.read(file)
    if kept is None:
        return None
    return _current(store, current, kept, method, file=file, progress=progress)


@dataclass(frozen=True, slots=True)
class _KeptMap:
    """A map as it is kept in the library's folder.

    Attributes:
        layout: The landmarks.
        ids: ``(n,)`` packed ids: those that were there when it was drawn, then the later ones.
        xy: ``(n, 2)`` where they are.
        drawn: How many were there when it was drawn.
    """

    layout: MapLayout
    ids: IdArray
    xy: Vectors
    drawn: int

    @classmethod
    def read(cls, file: Path) -> _KeptMap | None:
        """The map of a file; None where there is none, or none that can be read."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
                arrays = dict(kept)
            ids = np.ascontiguousarray(arrays["ids"]).view("S16").ravel()
            layout = MapLayout.restored(arrays)
            return cls(layout, ids, arrays["xy"], int(arrays["drawn"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # it is drawn again

    def write(self, file: Path) -> None:
        """Keep the map, where there is room; where there is none, the next one is drawn alike."""
        held = io.BytesIO()
        ids = np.frombuffer(self.ids.tobytes(), dtype=np.uint8).reshape(-1, 16)
        arrays = {"ids": ids, "xy": self.xy, "drawn": np.array(self.drawn), **self.layout.state()}
        np.savez(held, **arrays)  # type: ignore[arg-type]
        with suppress(OSError):
            file.parent.mkdir(exist_ok=True)
            write_atomically(file, held.getvalue())

    def with_images(self, ids: IdArray, xy: Vectors) -> _KeptMap:
        """The map with further images; the others stay where they are."""
        return _KeptMap(
            self.layout,
            np.concatenate([self.ids, ids]),
            np.concatenate([self.xy, xy]),
            self.drawn,
        )


def _current(
    store: Store,
    current: StoredClustering,
    kept: _KeptMap,
    method: Method,
    *,
    file: Path,
    progress: Progress,
) -> ImageMap:
    """A kept map with the images that came since, without those that are gone or hidden."""
    members = np.sort(pack_ids(_members(store, current)))
    new = members[~contains_ids(np.sort(kept.ids), members)]
    new = new[store.vectors.rows(current.embedder).has(new)] if len(new) else new
    if len(new):
        kept = kept.with_images(new, _placed(store, current.embedder, kept.layout, new, progress))
        kept.write(file)
    hidden = store.photos.hidden(unpack_ids(members))
    shown = contains_ids(members, kept.ids)
    shown &= ~contains_ids(np.sort(pack_ids(list(hidden))), kept.ids)
    return ImageMap(
        method=method,
        image_ids=np.array(unpack_ids(kept.ids[shown]), dtype=object),
        xy=kept.xy[shown],
        drawn_of=len(kept.layout.xy),
        placed_since=int(np.count_nonzero(shown[kept.drawn :])),
        hidden=len(hidden),
    )


def _members(store: Store, current: StoredClustering) -> list[str]:
    ids: list[str] = store.clusterings.assignments(current.clustering_id).image_ids.tolist()
    return ids


def _placed(
    store: Store, embedder: PartSpec, layout: MapLayout, ids: IdArray, progress: Progress
) -> Vectors:
    """``(n, 2)`` the places of images beside the landmarks, some images at a time."""
    xy = np.zeros((len(ids), 2), dtype=np.float32)
    if not len(ids):
        return xy
    progress.begin("placing images on the map", len(ids))
    rows_of = IdRows(unpack_ids(ids))
    for some, vectors in _vectors(store, embedder, ids):
        rows = rows_of.of(some)
        wanted = rows >= 0
        if wanted.any():
            xy[rows[wanted]] = layout.place(normalised(vectors[wanted]))
            progress.advance(int(np.count_nonzero(wanted)))
    return xy


def _vectors(
    store: Store, embedder: PartSpec, ids: IdArray
) -> Iterator[tuple[ImageIds | Sequence[str], Vectors]]:
    """At least the vectors of some images."""
    if len(ids) > _SOUGHT_BY_ID:
        yield from store.vectors.stream(embedder, rows=_ROWS_AT_ONCE)
    else:
        yield unpack_ids(ids), store.vectors.rows(embedder).of(ids)


def _file(store: Store, embedder: PartSpec, method: Method, seed: int) -> Path:
    """The file of a map, named after what decides it but for the images that were there.

    Neither the clusters nor a person's decisions are in it: they colour points, and move none.
    """
    about = {
        "embedder": embedder.fingerprint,
        "method": method,
        "seed": seed,
        "mapped": MAPPED,
        "revision": _REVISION,
    }
    text = json.dumps(about, sort_keys=True, separators=(",", ":"))
    return store.path / _FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


class _Hundredths:
    """Turns shares that are done into steps of a progress of a hundred."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done = progress, 0

    def reach(self, share: float) -> None:
        """So much is done, 0 to 1."""
        steps = int(100 * share) - self._done
        if steps > 0:
            self._progress.advance(steps)
            self._done += steps
