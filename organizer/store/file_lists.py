"""The files of all images, read once: for passes over a whole library."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from organizer.paths import native_path
from organizer.store.ids import IdArray, pack_ids
from organizer.types import FileState


class FileLists:
    """The files of every image, as they were when this was made; some 80 bytes a file.

    Where only some images are wanted, `PhotoTables.files_of` is quicker.
    """

    COLUMNS = ("image_id", "root_id", "path", "state")

    def __init__(self, rows: pa.Table, folders: Mapping[int, Path]) -> None:
        packed = pack_ids(rows["image_id"].to_pylist())
        there = pc.equal(rows["state"], FileState.PRESENT.value).to_numpy()
        self._order = np.lexsort((~there, packed))
        self._ids, self._there = packed[self._order], there[self._order]
        self._paths: Any = rows["path"].combine_chunks()
        self._roots: NDArray[np.int32] = rows["root_id"].to_numpy()
        self._folders = {root_id: str(folder) for root_id, folder in folders.items()}

    def has(self, ids: IdArray, *, only_present: bool) -> NDArray[np.bool_]:
        """For each image whether there is a file of it, or one that was there."""
        first, end = self._spans(ids)
        found = first < end
        if only_present:
            found[found] = self._there[first[found]]
        return found

    def of(self, ids: IdArray) -> list[list[tuple[str, bool]]]:
        """For each image its files: absolute path, and whether it was there when last looked for.

        Those that were there come first, then by path; empty for an image that is not real.
        """
        first, last = self._spans(ids)
        counts = last - first
        ends = np.cumsum(counts)
        starts = ends - counts
        within = np.arange(counts.sum()) - np.repeat(starts, counts)
        places = np.repeat(first, counts) + within
        rows = self._order[places]
        paths = self._paths.take(pa.array(rows)).to_pylist()
        full = self._full(self._roots[rows].tolist(), paths)
        files = list(zip(full, self._there[places].tolist(), strict=True))
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        return [_in_order(files[start:end]) for start, end in spans]

    def first(self, ids: IdArray) -> tuple[list[str], NDArray[np.bool_]]:
        """For each image the first of its files in the order of `of`, and whether it was there.

        Of one that has none the path is empty.
        """
        begins, ends = self._spans(ids)
        found, there = np.full(len(ids), "", dtype=object), np.zeros(len(ids), dtype=np.bool_)
        single = np.flatnonzero(ends - begins == 1)
        rows = self._order[begins[single]]
        paths = self._paths.take(pa.array(rows)).to_pylist()
        found[single] = self._full(self._roots[rows].tolist(), paths)
        there[single] = self._there[begins[single]]
        several = np.flatnonzero(ends - begins > 1)
        for row, files in zip(several.tolist(), self.of(ids[several]), strict=True):
            found[row], there[row] = files[0]
        return list(found), there

    def _spans(self, ids: IdArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return np.searchsorted(self._ids, ids), np.searchsorted(self._ids, ids, side="right")

    def _full(self, roots: Sequence[int], paths: Sequence[str]) -> list[str]:
        paths = list(map(native_path, paths))
        # No Path objects, of which a million take seconds; a root folder ends in its separator.
        folders = {root: os.path.join(folder, "") for root, folder in self._folders.items()}  # noqa: PTH118
        return [folders[root] + path for root, path in zip(roots, paths, strict=True)]


def _in_order(files: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    return files if len(files) < 2 else sorted(files, key=lambda file: (not file[1], file[0]))
