"""How many images a clusterer takes, and what to use beyond that."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from organizer.errors import ClusteringError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a factory declares of the clusterers that it makes.

    Attributes:
        max_images: The most that they take; None where there is no such number.
        reason: Why not more, for a person: "its memory grows with the square of the images".
        instead: What to use for more: "kmeans or birch".
    """

    max_images: int | None
    reason: str
    instead: str


class Limited:
    """A factory with limits that can be read before anything is made or imported.

    Attributes:
        limits: See `Limits`.
    """

    def __init__(self, make: Callable[..., Any], limits: Limits) -> None:
        # Makes inspect.signature and help() show the factory's own parameters.
        functools.update_wrapper(self, make)
        self._make = make
        self.limits = limits

    def __call__(self, **params: Any) -> Any:
        """The clusterer, made by the factory."""
        return self._make(**params)


def with_limits(
    *, max_images: int, reason: str, instead: str
) -> Callable[[Callable[..., Any]], Limited]:
    """Decorator that gives a factory its limits."""
    limits = Limits(max_images, reason, instead)
    return lambda make: Limited(make, limits)


def limits_of(factory: Callable[..., Any]) -> Limits | None:
    """The limits of a factory; None where it names none, as a plugin's may not."""
    found = getattr(factory, "limits", None)
    return found if isinstance(found, Limits) else None


def require_within(factory: Callable[..., Any], name: str, n: int) -> None:
    """Make sure that a clusterer takes n images, before any work is done.

    Args:
        factory: What makes the clusterer.
        name: Its name in the registry.
        n: How many images there are.

    Raises:
        ClusteringError: There are too many.
    """
    limits = limits_of(factory)
    if limits is None or limits.max_images is None or n <= limits.max_images:
        return
    raise ClusteringError(
        f"{name} takes at most {limits.max_images:,} images and there are {n:,}: {limits.reason}",
        f"use {limits.instead}",
    )
