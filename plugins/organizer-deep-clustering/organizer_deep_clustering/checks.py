"""Checks of what a training is given: its options, and how many images there are."""

from __future__ import annotations

from organizer.counts import count_text
from organizer.errors import ClusteringError, SettingsError


def require_positive(**values: float) -> None:
    """Refuse what is not above zero.

    Raises:
        SettingsError: One of them is not.
    """
    for name, value in values.items():
        require(value > 0, f"{name.replace('_', '-')} cannot be {value}", "it is above 0")


def require_not_negative(**values: float) -> None:
    """Refuse what is below zero.

    Raises:
        SettingsError: One of them is.
    """
    for name, value in values.items():
        require(value >= 0, f"{name.replace('_', '-')} cannot be {value}", "it is 0 or more")


def require(holds: bool, message: str, hint: str) -> None:
    """Refuse an option that cannot be.

    Raises:
        SettingsError: It does not hold.
    """
    if not holds:
        raise SettingsError(message, hint)


def require_enough_images(n: int, n_clusters: int) -> None:
    """Refuse fewer images than clusters.

    Raises:
        ClusteringError: There are fewer.
    """
    if n < n_clusters:
        raise ClusteringError(
            f"{count_text(n, 'image')} cannot make {n_clusters} clusters",
            f"ask for {n} clusters at most" if n > 1 else "add images",
        )
