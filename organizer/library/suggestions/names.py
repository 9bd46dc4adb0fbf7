"""Names as people type them: in any case, with any spaces."""

from __future__ import annotations

from collections.abc import Mapping

from organizer.library.corrections.names import typed_name


def bearers(name: str, names: Mapping[int, str]) -> list[int]:
    """The clusters that a name may mean: the one that has it as it stands, or those in any case."""
    wanted = typed_name(name)
    exact = [i for i, known in names.items() if known == wanted]
    return exact or [i for i, known in names.items() if known.casefold() == wanted.casefold()]
