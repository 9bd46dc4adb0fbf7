"""The index by which the nearest of many vectors are found without comparing all of them.

It is Lance's IVF_RQ: every vector is rotated and rounded to a few bits a number, as Gao et al. 2024
(RaBitQ, arXiv 2409.09913) do. A search estimates all distances by these codes, and the best
candidates are compared by the vectors themselves. All partitions are searched: with some left out
a query unlike all images (a text, a picture of another kind, likes less unlikes) loses up to two
thirds of its nearest, and they cost little (`benchmarks/search.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from organizer.types import Vectors

INDEX_FROM = 2**24
"""Numbers (images times dimensions) of which an exact search takes some 50 ms."""

_DIMENSIONS = 8  # IVF_RQ takes multiples of this; other vectors are searched exactly
_BITS = 4
"""Of the codes, a quarter of the vectors' bytes. With one bit two thirds of the nearest of a random
query are lost, with four a fiftieth."""

_REFINE = 5
"""Candidates that are compared exactly, for each that is wanted."""

_CANDIDATE_BITS = 5_120
"""What estimates are good for depends on the number of bits: short vectors need more candidates."""

_SHARE_COMPARED = 0.125
"""Candidates, as a share of all vectors, from which comparing all is as quick."""

_PARTITION_ROWS = 8_192
_ALL_PARTITIONS = 2**16
_UNCOVERED = 2_048
"""Vectors that came since, from which a search feels them."""

_GROWN = 4
"""A segment of the index is written again once as much as a quarter of it has come since."""

_COLUMN = "vector"


def nearest_vectors(dataset: Any, query: Vectors, limit: int) -> list[tuple[str, float]]:
    """The ids of the nearest vectors of a table, each with its cosine distance, nearest first.

    What the index does not cover yet is compared exactly.

    Args:
        dataset: The table as pylance sees it.
        query: ``(dim,)``.
        limit: The number of ids, at most.
    """
    nearest = {"column": _COLUMN, "q": query.astype("float32"), "k": limit, "metric": "cosine"}
    refine = max(_REFINE, _CANDIDATE_BITS // (_BITS * len(query)))
    if dataset.has_index and refine * limit < _SHARE_COMPARED * dataset.count_rows():
        nearest |= {"nprobes": _ALL_PARTITIONS, "refine_factor": refine}
    else:
        nearest |= {"use_index": False}
    rows = dataset.to_table(columns=["image_id", "_distance"], nearest=nearest)
    pairs = zip(rows["image_id"].to_pylist(), rows["_distance"].to_pylist(), strict=True)
    found = [(image_id, max(0.0, distance)) for image_id, distance in pairs]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def keep(dataset: Any, *, index_from: int = INDEX_FROM) -> Callable[[], object] | None:
    """What is to be done for the index of a table; None where it is good as it is.

    It is made where there are enough vectors for one, and again where it is small for them. Where
    it does not cover what came since, it is extended.

    Args:
        dataset: The table as pylance sees it.
        index_from: Numbers, images times dimensions, from which there is an index.

    Returns:
        Makes another version of the table.
    """
    n, dim = dataset.count_rows(), int(dataset.schema.field(_COLUMN).type.list_size)
    if n * dim < index_from or dim % _DIMENSIONS:
        return None
    segments = _segment_rows(dataset)
    if segments and (n - segments[0]) * _GROWN < segments[0]:
        return extend(dataset)
    return partial(
        dataset.create_index,
        _COLUMN,
        "IVF_RQ",
        metric="cosine",
        replace=True,
        num_partitions=max(1, n // _PARTITION_ROWS),
        num_bits=_BITS,
    )


def extend(dataset: Any) -> Callable[[], object] | None:
    """As `keep`, for a run that is going on: no index is made, which may take minutes."""
    segments = _segment_rows(dataset)
    rows = int(dataset.count_rows()) - sum(segments)
    if not segments or rows < _UNCOVERED:
        return None
    merged = min(_merged(segments, rows), len(segments) - 1)
    return partial(dataset.optimize.optimize_indices, num_indices_to_merge=merged)


def _merged(segments: Sequence[int], rows: int) -> int:
    """How many of the latest segments are merged with rows that came since.

    Of those that stay each is much larger than all that came after it: so there are few, and a
    vector is written again a few times only, however large a library grows.
    """
    count = 0
    for size in reversed(segments):
        if size > _GROWN * rows:
            break
        rows += size
        count += 1
    return count


def _segment_rows(dataset: Any) -> list[int]:
    """The number of vectors of each segment of the index, the largest first."""
    rows = {one.fragment_id: one.physical_rows for one in dataset.get_fragments()}
    segments = (segment for index in dataset.describe_indices() for segment in index.segments)
    counts = (sum(rows.get(number, 0) for number in one.fragment_ids) for one in segments)
    return sorted(counts, reverse=True)
