"""Checks of arguments, for the public methods: what is wrong is named before anything is read.

Each takes the name of the argument and what was given, returns it as one of Python's own types, and
raises a `SettingsError` that says what is possible. Behind the public methods nothing is checked
again.
"""

from __future__ import annotations

import errno
import math
import operator
import os
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from organizer.errors import SettingsError

_SHOWN = 60
"""Characters of a wrong value that a message shows."""

_LONGEST_USER = 100
"""Characters of the name of a person who decides."""

LARGEST = 2**63 - 1
"""The largest whole number that a library stores."""

_HEXADECIMAL = frozenset("0123456789abcdef")

_T = TypeVar("_T")


def refused(name: str, value: object, possible: str) -> SettingsError:
    """The error for an argument that cannot be what was given."""
    return SettingsError(f"{name} cannot be {_shown(value)}", possible)


def require_integer(
    name: str, value: object, *, least: int | None = None, most: int = LARGEST
) -> int:
    """A whole number, also one of numpy's; neither True nor 3.0.

    Raises:
        SettingsError: It is none, less than `least` or more than `most`.
    """
    number = _whole(value)
    if number is None:
        raise refused(name, value, f"a whole number{_bounds(', ', least, most)}")
    if number > most or number < (-LARGEST if least is None else least):
        raise refused(name, number, _bounds("", least, most) or "a number of at most 18 digits")
    return number


def _whole(value: object) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def _bounds(before: str, least: int | None, most: int) -> str:
    if least is None:
        return ""
    return f"{before}{least} or more" if most == LARGEST else f"{before}{least} to {most}"


def require_number(
    name: str, value: object, *, least: float = -math.inf, most: float = math.inf
) -> float:
    """A finite number, also one of numpy's; no truth value.

    Raises:
        SettingsError: It is none, less than `least` or more than `most`.
    """
    possible = f"{least:g} to {most:g}" if most < math.inf else f"{least:g} or more"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise refused(name, value, f"a number, {possible}")
    try:
        number = float(value)
    except OverflowError as error:
        raise refused(name, value, possible) from error
    if not math.isfinite(number) or not least <= number <= most:
        raise refused(name, value, possible)
    return number


def require_flag(name: str, value: object) -> bool:
    """True or False, also numpy's.

    Raises:
        SettingsError: It is neither.
    """
    if not isinstance(value, bool) and str(getattr(value, "dtype", "")) != "bool":
        raise refused(name, value, "True or False")
    return bool(value)


def require_text(name: str, value: object, *, or_empty: bool = False) -> str:
    """A text that is not empty, unless `or_empty`: where an empty one is refused later anyway.

    Raises:
        SettingsError: It is none, or there is nothing in it.
    """
    if not isinstance(value, str):
        raise refused(name, value, "a text")
    if not value.strip() and not or_empty:
        raise refused(name, value, "a text that is not empty")
    return value


def require_texts(name: str, values: object, *, least: int = 0) -> list[str]:
    """A list of texts, none of them empty.

    Raises:
        SettingsError: It is none, or has fewer than `least`.
    """
    return [require_text(name, value) for value in _listed(name, values, "texts", least)]


def require_user(name: str, value: object) -> str:
    """The name of a person who decides, on one line; empty where nobody is to be named.

    Raises:
        SettingsError: It is no text, longer than 100 characters, or has others than printable ones.
    """
    text = unicodedata.normalize("NFC", require_text(name, value, or_empty=True).strip(" "))
    if len(text) > _LONGEST_USER or not text.isprintable():
        raise refused(name, value, f"a name on one line, of at most {_LONGEST_USER} characters")
    return text


def require_path(name: str, value: object) -> Path:
    """A path that the system can look up; whether something is there does not matter.

    Raises:
        SettingsError: It is none: no text and no path, empty, with a NUL, or too long.
    """
    if not isinstance(value, str | os.PathLike):
        raise refused(name, value, "a path: a text or a pathlib.Path")
    text = os.fspath(value)
    if not isinstance(text, str) or not text:
        raise refused(name, value, "a path, for example photos/fox.jpg")
    try:
        os.lstat(text)
    except ValueError as error:
        raise refused(name, text, "a path that the system can have") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            longest = max(Path(text).parts, key=len)
            raise SettingsError(
                f"{name}: {longest[:40]}... is too long for a file", "choose a shorter name"
            ) from error
    return Path(text)


def require_paths(name: str, values: object) -> list[Path]:
    """One path or several.

    Raises:
        SettingsError: One is none (`require_path`), or there are none.
    """
    if isinstance(values, str | os.PathLike):
        return [require_path(name, values)]
    return [require_path(name, value) for value in _listed(name, values, "paths", 1)]


def require_photos(name: str, values: object, *, least: int = 0) -> list[str | Path]:
    """Photos by their paths or image ids, one or several; texts stay texts.

    Raises:
        SettingsError: One is neither, or there are fewer than `least`.
    """
    single = isinstance(values, str | os.PathLike)
    listed = [values] if single else _listed(name, values, "paths or image ids", least)
    paths = [require_path(name, one) for one in listed]
    return [one if isinstance(one, str) else path for one, path in zip(listed, paths, strict=True)]


def require_choice(name: str, value: object, choices: Collection[str]) -> str:
    """One of some words.

    Raises:
        SettingsError: It is none of them.
    """
    if not isinstance(value, str) or value not in choices:
        raise refused(name, value, f"one of {', '.join(choices)}")
    return value


def require_cluster_id(value: object, name: str = "cluster_id") -> int:
    """An id of a cluster, whether there is one of that id or not.

    Raises:
        SettingsError: It is no whole number.
    """
    return require_integer(name, value)


def require_cluster_ids(values: object, name: str = "cluster_ids") -> list[int]:
    """Ids of clusters, each once.

    Raises:
        SettingsError: It is no list, or one is no whole number.
    """
    ids = [require_cluster_id(value, name) for value in _listed(name, values, "ids", 0)]
    return list(dict.fromkeys(ids))


def require_image_id(name: str, value: object) -> str:
    """A whole image id, whether there is such an image or not.

    Raises:
        SettingsError: It is none: no text of the digits 0 to 9 and the letters a to f.
    """
    if not isinstance(value, str) or not value or set(value) - _HEXADECIMAL:
        raise refused(name, value, "an image id: digits, and letters from a to f")
    return value


def require_object(name: str, value: object, kind: type[_T]) -> _T:
    """An object of a class.

    Raises:
        SettingsError: It is of another one.
    """
    if not isinstance(value, kind):
        raise refused(name, value, f"an object of the class {kind.__name__}")
    return value


def require_objects(name: str, values: object, kind: type[_T]) -> list[_T]:
    """A list of objects of a class.

    Raises:
        SettingsError: It is no list, or one of them is of another class.
    """
    what = f"objects of the class {kind.__name__}"
    return [require_object(name, value, kind) for value in _listed(name, values, what, 0)]


def require_mapping(name: str, value: object) -> Mapping[str, Any]:
    """Values by names.

    Raises:
        SettingsError: It is no mapping, or a key is no text.
    """
    if not isinstance(value, Mapping):
        raise refused(name, value, "values by their names, as in a dict")
    for key in value:
        require_text(f"a name in {name}", key)
    return value


def require_function(name: str, value: Callable[..., _T]) -> Callable[..., _T]:
    """Something that can be called.

    Raises:
        SettingsError: It cannot.
    """
    if not callable(value):
        raise refused(name, value, "a function")
    return value


def require_iterator(name: str, values: object, what: str) -> Iterator[Any]:
    """The elements of a list or the like, one by one; a text is none, though it has letters.

    Raises:
        SettingsError: It has no elements.
    """
    if isinstance(values, str | bytes | bytearray | Mapping):
        raise refused(name, values, f"a list of {what}")
    try:
        return iter(values)  # type: ignore[call-overload, no-any-return]
    except TypeError as error:
        raise refused(name, values, f"a list of {what}") from error


def _listed(name: str, values: object, what: str, least: int) -> list[Any]:
    listed = list(require_iterator(name, values, what))
    if len(listed) < least:
        number = {1: "one", 2: "two"}.get(least, str(least))
        raise refused(name, listed, f"a list of {what}, at least {number}")
    return listed


def _shown(value: object) -> str:
    """A value on one line, its beginning where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
