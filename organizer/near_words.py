"""The words that a person may have meant by one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

_MOST = 3
_LEAST_ALIKE = 0.6
_SHORTEST_PART = 3


def near_words(word: str, known: Iterable[str], *, most: int = _MOST) -> list[str]:
    """Known words that are spelled like one, in any case, the most alike first.

    A word that begins with what was typed is near too, however long it is.

    Args:
        word: What was typed.
        known: The words that it may be.
        most: How many are given at most.

    Examples:
        >>> near_words("tigr", ["Lion", "Tiger"])
        ['Tiger']
        >>> near_words("leo", ["Lion", "Leopard"])
        ['Leopard']
    """
    typed = word.casefold()
    by_folded: dict[str, str] = {}
    for one in known:
        by_folded.setdefault(one.casefold(), one)
    begins = len(typed) >= _SHORTEST_PART
    found = [folded for folded in by_folded if begins and folded.startswith(typed)][:most]
    found += difflib.get_close_matches(typed, by_folded, n=most, cutoff=_LEAST_ALIKE)
    return [by_folded[folded] for folded in dict.fromkeys(found)][:most]


def did_you_mean(near: Collection[str], otherwise: str) -> str:
    """The hint that names near words; another one where there are none."""
    return f"did you mean {' or '.join(near)}?" if near else otherwise
