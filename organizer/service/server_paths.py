"""Paths in requests: they are of the machine on which the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_LONGEST = 4_096


def _absolute(text: str) -> str:
    if "\0" in text or not Path(text).is_absolute():
        raise ValueError("it is not an absolute path of the service's machine, as /photos/card-1")
    return text


ServerPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=_LONGEST),
    AfterValidator(_absolute),
]
"""An absolute path on the machine of the service."""
