"""Observations of images -> observations of events: each kind once, with how many at a time.

The standard wants observations of events to exclude one another, so that their counts can be added
up. An event in which anything was seen is not blank, nor unclassified for the images of it that
are. How many there were is the largest number on one image, which is what can be known of animals
that come and go; it is told only where a detector counted them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from organizer_camera_trap.formats.camtrap_dp.seen import Seen

_Label = tuple[str, str, str]

_ONLY_ALONE = ("blank", "unclassified")
"""What an event is only where nothing else was seen; a cluster without a meaning is something."""


@dataclass(slots=True)
class Event:
    """What was seen in one event.

    Attributes:
        deployment: Of which.
        number: Its number in the library.
    """

    deployment: str
    number: int
    _seen: dict[_Label, Seen] = field(default_factory=dict)
    _most: dict[_Label, int] = field(default_factory=dict)

    def add(self, seen: Sequence[Seen]) -> None:
        """Take in the observations of one image."""
        counts: dict[_Label, int] = {}
        for one in seen:
            known = self._seen.get(one.label)
            if known is None or (one.by_person and not known.by_person):
                self._seen[one.label] = one
            if one.box is not None:
                counts[one.label] = counts.get(one.label, 0) + 1
        for label, count in counts.items():
            self._most[label] = max(count, self._most.get(label, 0))

    def observations(self) -> list[tuple[Seen, int | None]]:
        """Each kind once, with its count where one is known; boxes and confidences are no more."""
        labels = sorted(self._seen)
        for kind in _ONLY_ALONE:
            others = [label for label in labels if label[0] != kind or label[2]]
            labels = others or labels
        return [
            (replace(self._seen[label], box=None, probability=None), self._most.get(label))
            for label in labels
        ]
