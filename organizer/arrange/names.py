"""File names that are valid on Windows, macOS, Linux and FAT.

Replaced by ``_``: the characters that Windows and FAT forbid, control characters, and marks that
change the direction of writing (they make one name look like another). Letters of every script,
combining marks and emoji stay.
"""

from __future__ import annotations

import os
import re
import unicodedata

LONGEST = 255
"""The longest name in bytes of UTF-8 on the usual file systems; none allows fewer UTF-16 units."""

LONGEST_ON_WINDOWS = 259
"""The longest path on Windows, in UTF-16 units, unless its user allowed longer ones."""

_FORBIDDEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)
_SIMPLE = re.compile(r"[A-Za-z0-9_-]{5,60}")
_SIMPLE_TAIL = re.compile(r"(?:[A-Za-z0-9_.-]{0,60}[A-Za-z0-9_-])?")
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_ .-]*")
_RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{device}{digit}" for device in ("COM", "LPT") for digit in "0123456789¹²³"]
)  # https://learn.microsoft.com/windows/win32/fileio/naming-a-file

_JOINER = "\u200d"
_SKIN = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAGS = range(0x1F1E6, 0x1F200)


def safe_name(name: str, *, tail: str = "", longest: int = LONGEST) -> str:
    """Make the name of one file or folder valid on every system.

    Args:
        name: The name without its tail.
        tail: The end that is never cut off: a suffix with its dot.
        longest: The most bytes of UTF-8 that it may have.

    Returns:
        The name with its tail; never empty. A safe name is returned unchanged.
    """
    if longest >= 130 and _SIMPLE.fullmatch(name) and _SIMPLE_TAIL.fullmatch(tail):
        return name + tail  # the usual case; no reserved name is so long
    tail = _cleaned(tail).rstrip(" .")
    name = _cleaned(name)
    if not name.strip(" ."):
        name = "_"
    elif name.startswith("."):
        name = "_" + name[1:]  # a hidden file would be skipped by the next ingest
    if not tail:
        name = name.rstrip(" .")
    base, dot, rest = name.partition(".")
    if base.rstrip(" ").upper() in _RESERVED:
        name = f"{base.rstrip(' ')}_{dot}{rest}"
    if len(name) + len(tail) > longest // 4:  # a character has four bytes at most
        name = cut_name(name, longest - len(tail.encode()))
        if not tail:
            name = name.rstrip(" .") or "_"
    return name + tail


def is_safe_name(name: str) -> bool:
    """Whether a name is valid on every system as it is."""
    return safe_name(name) == name


def room_in(folder: str, *, is_windows: bool = os.name == "nt") -> int:
    """The most bytes of UTF-8 that a name in a folder may have: Windows counts the whole path."""
    if not is_windows:
        return LONGEST
    return min(LONGEST, LONGEST_ON_WINDOWS - _units(folder) - 1)


def is_too_long(path: str, *, is_windows: bool = os.name == "nt") -> bool:
    """Whether a path is longer than Windows allows."""
    return is_windows and _units(path) > LONGEST_ON_WINDOWS


def cut_name(text: str, longest: int) -> str:
    """Cut a text to at most `longest` bytes of UTF-8.

    Grapheme clusters are not split (Unicode Standard Annex 29, without the rules for scripts in
    which consonants join), unless nothing would be left.
    """
    if len(text.encode()) <= longest:
        return text
    end = len(text.encode()[: max(longest, 0)].decode(errors="ignore"))
    whole = end
    while whole > 0 and not _may_part(text, whole):
        whole -= 1
    return text[: whole or end]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cleaned(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return unicodedata.normalize("NFC", _FORBIDDEN.sub("_", text))


def _may_part(text: str, at: int) -> bool:
    """Whether a text may be cut before a character without splitting a grapheme cluster."""
    before, after = text[at - 1], text[at]
    code = ord(after)
    if unicodedata.category(after).startswith("M") or code in _SKIN or code in _TAGS:
        return False
    if after in "\u200c\u200d\uff9e\uff9f" or before == _JOINER:
        return False
    if code in _FLAGS:
        return _flags_before(text, at) % 2 == 0
    return not (_is_jamo(before) and _is_jamo(after))


def _flags_before(text: str, at: int) -> int:
    begin = at
    while begin > 0 and ord(text[begin - 1]) in _FLAGS:
        begin -= 1
    return at - begin


def _is_jamo(character: str) -> bool:
    """Whether it is a Korean letter or syllable that may join its neighbour."""
    return "\u1100" <= character <= "\u11ff" or "\ua960" <= character <= "\ud7fb"
