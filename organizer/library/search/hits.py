"""The hits of a search, as a list that a notebook shows with pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from organizer.library.notebook import Card, cards_html
from organizer.library.opening import OpenLibrary
from organizer.types import Hit


class Hits(list[Hit]):
    """The images nearest to a query, nearest first; a notebook shows a picture of each.

    Args:
        found: The hits.
        opened: The library.
    """

    def __init__(self, found: Iterable[Hit], opened: OpenLibrary) -> None:
        super().__init__(found)
        self._opened = opened

    def __getitem__(self, key: Any) -> Any:
        """A hit, or with a slice some of them that are shown likewise."""
        found = super().__getitem__(key)
        return Hits(found, self._opened) if isinstance(key, slice) else found

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the library, which no other process can share: a plain list."""
        return list, (list(self),)

    def _repr_html_(self) -> str:
        cards = [
            Card(hit.image_id, hit.path.name, f"distance {hit.distance:.3f}, {_cluster(hit)}")
            for hit in self
        ]
        return cards_html(self._opened, cards)


def _cluster(hit: Hit) -> str:
    if hit.cluster_id is None or hit.cluster_id < 0:
        return "unassigned"
    return hit.cluster_name or f"cluster {hit.cluster_id}"
