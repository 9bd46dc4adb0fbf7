"""Matches the paths in a detector's results to photos of the library.

The results hold paths relative to the folder that the detector was run on, or absolute paths, maybe
of another machine. That folder is inferred where exactly one fits. Where several fit, as with cards
that have the same file names, it is the one that holds the results, where tools put them; otherwise
the user has to name it: nothing is guessed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class MatchedPaths:
    """Paths and the images that they match.

    Attributes:
        image_ids: The image of each path that is in the library.
        unmatched: The other paths, in their order.
        base: The folder that the paths are relative to; None for absolute paths of this machine.
    """

    image_ids: Mapping[str, str]
    unmatched: tuple[str, ...]
    base: Path | None


def match_paths(
    paths: Sequence[str],
    files: Mapping[str, str],
    *,
    base: Path | None,
    results_folder: Path | None = None,
) -> MatchedPaths:
    """Match paths to photos of the library.

    Args:
        paths: As they are written.
        files: The image of each file of the library, by its absolute path.
        base: The folder that the paths are relative to; inferred where None.
        results_folder: The folder that holds the results, preferred where several fit.

    Raises:
        SettingsError: No path matches, or several folders fit.
    """
    here = {tuple(_parts(path)): (path, image_id) for path, image_id in files.items()}
    split = {path: tuple(_parts(path)) for path in paths}
    if base is not None:
        found = _below(split, here, tuple(_parts(str(base))))
        return _matched(paths, found, base, what=f"below {base}")
    whole = {path: here[parts] for path, parts in split.items() if parts in here}
    if whole:
        return _matched(paths, whole, None, what="in the library")
    starts = _starts(split, here)
    matched: dict[str, tuple[str, str]] = {}
    for start in starts:
        for path, file in _below(_without(start[1], split), here, start[0]).items():
            if matched.setdefault(path, file)[1] != file[1]:
                if (
                    results_folder is not None
                    and (tuple(_parts(str(results_folder))), ()) in starts
                ):
                    return match_paths(paths, files, base=results_folder)
                raise _several(starts)
    folder = Path(*next(iter(starts))[0]) if len(starts) == 1 else None
    return _matched(paths, matched, folder, what="in the library")


_Parts = tuple[str, ...]
_Here = Mapping[_Parts, tuple[str, str]]
_Start = tuple[_Parts, _Parts]
"""A folder of this machine, and the beginning of the paths that it replaces."""


def _parts(path: str) -> list[str]:
    """The parts of a path of any system, the drive or root first."""
    text = unicodedata.normalize("NFC", path.replace("\\", "/"))
    parts = [part for part in text.split("/") if part not in {"", "."}]
    return ["/", *parts] if text.startswith("/") else parts


def _is_absolute(path: str) -> bool:
    text = path.replace("\\", "/")
    return text.startswith("/") or text[1:3] == ":/"


def _below(split: Mapping[str, _Parts], here: _Here, base: _Parts) -> dict[str, tuple[str, str]]:
    """The files that paths match below a folder; an absolute path also matches itself."""
    found = {}
    for path, parts in split.items():
        file = here.get((*base, *parts)) or (here.get(parts) if _is_absolute(path) else None)
        if file is not None:
            found[path] = file
    return found


def _without(beginning: _Parts, split: Mapping[str, _Parts]) -> dict[str, _Parts]:
    """The paths with this beginning, without it."""
    count = len(beginning)
    return {path: parts[count:] for path, parts in split.items() if parts[:count] == beginning}


def _starts(split: Mapping[str, _Parts], here: _Here) -> dict[_Start, str]:
    """The folders that the paths may be relative to, each with the first path that matches there.

    As little as possible of the beginning of an absolute path is replaced; a relative path keeps
    all its parts.

    Raises:
        SettingsError: There are none.
    """
    relative = {path: parts for path, parts in split.items() if parts and not _is_absolute(path)}
    found: dict[_Start, str] = {}
    ending = _by_ending(here, {len(parts) for parts in relative.values()})
    for path, parts in relative.items():
        for file in ending.get(parts, ()):
            found.setdefault((file[: len(file) - len(parts)], ()), path)
    found = found or _of_another_machine(split, here)
    if not found:
        raise _nothing(split)
    return found


def _by_ending(here: _Here, lengths: Iterable[int]) -> dict[_Parts, list[_Parts]]:
    """The files by their last parts, for the given numbers of parts."""
    found: dict[_Parts, list[_Parts]] = {}
    for length in lengths:
        for file in here:
            found.setdefault(file[-length:], []).append(file)
    return found


def _of_another_machine(split: Mapping[str, _Parts], here: _Here) -> dict[_Start, str]:
    """The folders for absolute paths of another machine, replacing as little as possible."""
    whole = {path: parts for path, parts in split.items() if _is_absolute(path)}
    for strip in range(max(map(len, whole.values()), default=0)):
        rest = {path: parts[strip:] for path, parts in whole.items() if len(parts) > strip}
        ending = _by_ending(here, {len(parts) for parts in rest.values()})
        found: dict[_Start, str] = {}
        for path, parts in rest.items():
            for file in ending.get(parts, ()):
                start = file[: len(file) - len(parts)], whole[path][:strip]
                found.setdefault(start, path)
        if found:
            return found
    return {}


def _several(found: Mapping[_Start, str]) -> SettingsError:
    folders = sorted({str(Path(*start[0])) for start in found})
    shown = ", ".join(folders[:_SHOWN]) + (", ..." if len(folders) > _SHOWN else "")
    path = next(iter(found.values()))
    return SettingsError(
        f"{len(folders)} folders fit: {path} may be in {shown}",
        f"name the one that the detector was run on: --base {folders[0]}",
    )


def _nothing(paths: Iterable[str]) -> SettingsError:
    listed = list(paths)
    first = f": {listed[0]}" if listed else ""
    return SettingsError(
        f"none of the {len(listed):,} images in the results is in the library{first}",
        "organizer ingest FOLDER first, or --base DIR, the folder that the detector was run on",
    )


def _matched(
    paths: Sequence[str],
    found: Mapping[str, tuple[str, str]],
    base: Path | None,
    *,
    what: str,
) -> MatchedPaths:
    if paths and not found:
        raise SettingsError(
            f"none of the {len(paths):,} images in the results is {what}: {paths[0]}",
            "--base DIR is the folder that the detector was run on",
        )
    unmatched = tuple(path for path in paths if path not in found)
    return MatchedPaths({path: image_id for path, (_, image_id) in found.items()}, unmatched, base)
