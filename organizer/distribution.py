"""The distribution that this package is installed from: its name is another one on the index."""

from __future__ import annotations

DISTRIBUTION = "organizer-photos"


def installed_version() -> str:
    """The version that is installed."""
    from importlib.metadata import version

    return version(DISTRIBUTION)
