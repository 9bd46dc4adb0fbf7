"""Sums the observations of images to observations of events: each kind once, with its count.

The standard requires observations of an event to be mutually exclusive, so that their counts can be
added up. An event with any other observation is neither blank nor unclassified. The count is the
largest number on one image, the most that can be known of animals that come and go; it is given
only where a detector counted them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from organizer_camera_trap.formats.camtrap_dp.observations import Observation

_Label = tuple[str, str, str]

_ONLY_ALONE = ("blank", "unclassified")
"""Kinds that an event has only without other observations; any cluster is another observation."""


@dataclass(slots=True)
class Event:
    """The observations of one event.

    Attributes:
        deployment: The id of its deployment.
        number: Its number in the library.
    """

    deployment: str
    number: int
    _observed: dict[_Label, Observation] = field(default_factory=dict)
    _most: dict[_Label, int] = field(default_factory=dict)

    def add(self, observations: Sequence[Observation]) -> None:
        """Add the observations of one image."""
        counts: dict[_Label, int] = {}
        for one in observations:
            known = self._observed.get(one.label)
            if known is None or (one.by_person and not known.by_person):
                self._observed[one.label] = one
            if one.box is not None:
                counts[one.label] = counts.get(one.label, 0) + 1
        for label, count in counts.items():
            self._most[label] = max(count, self._most.get(label, 0))

    def observations(self) -> list[tuple[Observation, int | None]]:
        """Each kind once, with its count where known, without boxes and probabilities."""
        labels = sorted(self._observed)
        for kind in _ONLY_ALONE:
            others = [label for label in labels if label[0] != kind or label[2]]
            labels = others or labels
        return [
            (replace(self._observed[label], box=None, probability=None), self._most.get(label))
            for label in labels
        ]
