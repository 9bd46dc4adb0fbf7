"""Names as people type them: in any case, with any spaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping


def typed_name(text: str) -> str:
    """A name with single spaces, an accent and its letter as one character."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def bearers(name: str, names: Mapping[int, str]) -> list[int]:
    """The clusters that a name may mean: the one that has it as it stands, or those in any case."""
    wanted = typed_name(name)
    exact = [i for i, known in names.items() if known == wanted]
    return exact or [i for i, known in names.items() if known.casefold() == wanted.casefold()]
