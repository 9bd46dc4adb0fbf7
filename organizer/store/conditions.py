"""Conditions of bounded length on the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_IDS_PER_STATEMENT = 2_000
_PAIRS_PER_STATEMENT = 100


def one_of(key: str, ids: Iterable[str]) -> Iterator[str]:
    """Conditions of bounded length; ids are hexadecimal, so nothing needs quoting."""
    unique = sorted(set(ids))
    for start in range(0, len(unique), _IDS_PER_STATEMENT):
        chunk = unique[start : start + _IDS_PER_STATEMENT]
        quoted = ", ".join(f"'{_hexadecimal(image_id)}'" for image_id in chunk)
        yield f"{key} IN ({quoted})"


def one_of_pairs(keys: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """As `one_of`, for two columns; fewer at once, since each pair is a condition of its own."""
    first, second = keys
    unique = sorted(set(pairs))
    for start in range(0, len(unique), _PAIRS_PER_STATEMENT):
        chunk = unique[start : start + _PAIRS_PER_STATEMENT]
        yield " OR ".join(
            f"({first} = '{_hexadecimal(one)}' AND {second} = '{_hexadecimal(other)}')"
            for one, other in chunk
        )


def _hexadecimal(text: str) -> str:
    if not text or set(text) - set("0123456789abcdef"):
        raise AssertionError(f"{text!r} is no id")
    return text
