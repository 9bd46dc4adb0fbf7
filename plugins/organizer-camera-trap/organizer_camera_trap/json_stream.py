"""Reads a large JSON file member by member, with one element of its list in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from organizer.errors import SettingsError

_CHUNK = 1 << 20
_OF_NUMBERS, _LONGEST = "+-.eE0123456789", 32


class JsonElements(Iterator[Any]):
    """The elements of a list in a file, one by one; exhaust it before reading on."""

    def __init__(self, text: _Text) -> None:
        self._text, self._first, self._ended = text, True, False

    def __next__(self) -> Any:
        """The next element."""
        text = self._text
        if not self._ended and text.peek() == "]":
            text.take("]")
            self._ended = True
        if self._ended:
            raise StopIteration
        if not self._first:
            text.take(",")
        self._first = False
        return text.value()


class RepeatedNames(dict[str, Any]):
    """An object in which a name has two values: which of them is meant is unknown."""


def json_members(file: Path, *, listed: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The members of the object in a file; a list named in `listed` as `JsonElements`.

    UTF-8 and UTF-16. Bytes that are neither are kept as `surrogateescape` keeps them. NaN and
    Infinity, which are not in JSON but are written by Python, are read as such, and a number that
    is too long as infinite. An object with a name twice is one of `RepeatedNames`.

    Raises:
        SettingsError: The file cannot be read, or is not one JSON object; the message names the
            place.
    """
    try:
        with file.open("rb") as begun:
            encoding = _encoding(begun.read(4))
        with file.open(encoding=encoding, errors="surrogateescape", newline="") as opened:
            yield from _members(_Text(opened, file), listed)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror or error}", "check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is no text, so it is not JSON: {error.reason}",
            "give the file that the detector wrote, or write it again as UTF-8",
        ) from error


def _encoding(start: bytes) -> str:
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if start[1::2] == b"\0\0":
        return "utf-16-le"
    return "utf-8-sig"


def _members(text: _Text, listed: Collection[str]) -> Iterator[tuple[str, Any]]:
    text.take("{")
    first = True
    while text.peek() != "}":
        if not first:
            text.take(",")
        first = False
        if text.peek() != '"':
            raise text.broken("a name in quotes is missing")
        name = text.value()
        text.take(":")
        if name in listed and text.peek() == "[":
            text.take("[")
            elements = JsonElements(text)
            yield name, elements
            for _ in elements:
                pass
        else:
            yield name, text.value()
    text.take("}")
    if text.peek():
        raise text.broken("there is something after its end")


class _Text:
    """The text of a file, read in chunks."""

    def __init__(self, opened: IO[str], file: Path) -> None:
        self._opened, self._file = opened, file
        self._held, self._at = "", 0
        self._lines, self._last_line = 1, 0
        self._ended = False
        self._decode = json.JSONDecoder(
            parse_int=_whole_number, object_pairs_hook=_object
        ).raw_decode

    def peek(self) -> str:
        """The next character that is not a space; "" at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        """Consume a character that must come next."""
        if self.peek() != character:
            raise self.broken(f"{character!r} is missing")
        self._at += 1

    def value(self) -> Any:
        """Parse the next value; an incomplete one is parsed again with more text."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                raise self.broken(error.msg, at=error.pos) from error
            except RecursionError as error:
                raise self.broken("it is nested too deeply") from error
            if not self._held[end : end + _LONGEST].strip(_OF_NUMBERS) and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def broken(self, what: str, *, at: int | None = None) -> SettingsError:
        """The error for a place in the file."""
        at = self._at if at is None else at
        line = self._lines + self._held.count("\n", 0, at)
        start = self._held.rfind("\n", 0, at)
        column = at - start if start >= 0 else at + 1 + self._last_line
        if not self._held and self._ended:
            return SettingsError(f"{self._file} is empty", "it should hold a detector's results")
        return SettingsError(
            f"{self._file}, line {line}, column {column}: not JSON: {what}",
            "it may be incomplete: write it again",
        )

    def _more(self) -> bool:
        """Read another chunk, and drop the text that was consumed."""
        read = "" if self._ended else self._opened.read(max(_CHUNK, len(self._held) - self._at))
        if not read:
            self._ended = True
            return False
        gone = self._held[: self._at]
        self._lines += gone.count("\n")
        if "\n" in gone:
            self._last_line = len(gone) - gone.rfind("\n") - 1
        else:
            self._last_line += len(gone)
        self._held, self._at = self._held[self._at :] + read, 0
        return True


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST else float(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[name] != value for name, value in pairs):
        return RepeatedNames(found)
    return found
