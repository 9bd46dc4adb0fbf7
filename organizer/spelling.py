"""The spellings of one path: slashes, capitals, Unicode forms, quotes, addresses."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qs, unquote, urlsplit

PathKey = tuple[str, ...]
"""The parts of a path in one spelling, the root or drive first."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_BYTES = re.compile("[\udc80-\udcff]")
"""Bytes of a text that are no UTF-8, as Python reads them with ``surrogateescape``."""

_FORMULA = re.compile(r'="(.*)"')
"""A text that is written so that a spreadsheet takes it for no number."""

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


def is_unicode(name: str) -> bool:
    """Whether a name is text: what is not comes from the system as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def parts_of(text: str) -> tuple[str, ...]:
    """The parts of a path as they are spelled, the root or drive first."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return ("/", *parts) if text.startswith("/") else tuple(parts)


def folded(parts: Iterable[str]) -> PathKey:
    """Parts without what systems and programs change: capitals, and how letters are composed."""
    return tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts)


def name_key(path: str) -> str:
    """A key that is equal for names that are one on a file system that folds case or normalises."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def path_key(path: str) -> PathKey:
    """The key of a path of this machine."""
    return folded(parts_of(slashed(path)))


def slashed(path: str) -> str:
    """A path of this machine with slashes."""
    return path.replace("\\", "/") if os.sep == "\\" else path


def is_absolute(parts: Sequence[str]) -> bool:
    """Whether parts begin with a root or a drive."""
    return bool(parts) and (parts[0] == "/" or re.fullmatch(r"[A-Za-z]:", parts[0]) is not None)


def spellings(path: str) -> Iterator[str]:
    """A path as it is, and in the forms that programs make of it; the exact one first."""
    yield path
    yield path.replace("\\", "/")
    bare = path.strip()
    yield bare.replace("\\", "/")
    yield plain_spelling(path)
    if "%" in bare:
        yield unquote(bare).replace("\\", "/")
    if _BYTES.search(bare):
        yield _BYTES.sub(_of_cp1252, bare).replace("\\", "/")


def _of_cp1252(byte: re.Match[str]) -> str:
    return bytes([ord(byte[0]) - 0xDC00]).decode("cp1252", "replace")


def plain_spelling(path: str) -> str:
    """A path without blanks and quotes around it, with slashes; of an address its path."""
    text = path.strip()
    formula = _FORMULA.fullmatch(text)
    bare = (formula[1] if formula else text).strip(_QUOTES).strip()
    return _of_address(bare) or bare.replace("\\", "/")


def _of_address(text: str) -> str | None:
    """The path in an address: ``file:///D:/a%20b.jpg``, ``gs://bucket/a.jpg``, ``?d=a.jpg``."""
    local = "?d=" in text  # Label Studio's local files
    if not local and not _ADDRESS.match(text):
        return None
    try:
        split = urlsplit(text)
    except ValueError:
        return None
    if local:
        return parse_qs(split.query).get("d", [""])[0].replace("\\", "/") or None
    path = unquote(split.path).replace("\\", "/")
    return path[1:] if re.match(r"/[A-Za-z]:/", path) else path
