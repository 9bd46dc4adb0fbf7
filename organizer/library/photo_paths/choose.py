"""Which of the files that paths fit are meant: never guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from organizer.library.photo_paths.known_files import KnownFile, PathHit, PathIndex, WrittenPath
from organizer.spelling import PathKey, path_key


@dataclass(frozen=True, slots=True)
class PathPlaces:
    """Folders that paths may be relative to, each also as links lead to it; see `find_photos`."""

    home: tuple[PathKey, ...] = ()
    near: tuple[PathKey, ...] = ()
    roots: frozenset[PathKey] = frozenset()

    @classmethod
    def of(cls, home: Path | None, places: Sequence[Path], roots: Sequence[Path]) -> PathPlaces:
        """The keys of the folders."""
        own = _keys([home]) if home is not None else ()
        return cls(tuple(own), tuple(_keys(places)), frozenset(_keys(roots)))


@dataclass(slots=True)
class ChosenFiles:
    """The files that were chosen for paths.

    Attributes:
        files: The file of each path that has one.
        ambiguous: The paths that fit several photos.
        bases: The folders that paths turned out to be relative to, each with a file below it.
        folders: The folders that ambiguous paths may be relative to, likewise.
    """

    files: dict[str, KnownFile] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    bases: dict[PathKey, PathHit] = field(default_factory=dict)
    folders: dict[PathKey, PathHit] = field(default_factory=dict)

    def take(self, path: str, hits: Sequence[PathHit]) -> None:
        """Take the file of a path, or of one folder where names differ in spelling alone."""
        if len({hit.file.image_id for hit in hits}) == 1:
            self.files[path] = hits[0].file
            for hit in hits:
                self.bases.setdefault(hit.base, hit)
        else:
            self.refuse(path, hits)

    def refuse(self, path: str, hits: Iterable[PathHit]) -> None:
        """Refuse a path that fits several photos."""
        self.files.pop(path, None)
        self.ambiguous.add(path)
        for hit in hits:
            self.folders.setdefault(hit.base, hit)


def choose_below(written: Mapping[str, WrittenPath], base: PathKey) -> ChosenFiles:
    """The files below a folder that was named; an absolute path also is itself."""
    chosen = ChosenFiles()
    for path, one in written.items():
        if one.whole is not None:
            chosen.files[path] = one.whole
        elif base in one.hits:
            chosen.take(path, one.hits[base])
    return chosen


def infer_files(
    written: Mapping[str, WrittenPath],
    index: PathIndex,
    places: PathPlaces,
    *,
    of_one_folder: bool,
) -> ChosenFiles:
    """The files of paths whose folder was not named; see `find_photos`."""
    chosen = ChosenFiles(
        {path: one.whole for path, one in written.items() if one.whole is not None}
    )
    relative = {path: one for path, one in written.items() if one.hits}
    groups = _of_another_machine(written, index)
    targets = Counter(base for group in groups for base in _bases(group))
    for group in groups:
        if all(targets[base] == 1 for base in _bases(group)):
            _choose(group, PathPlaces(), chosen, of_one_folder=True)
        else:  # two folders there cannot both be this one here
            for path, one in group.items():
                chosen.refuse(path, one.every_hit)
    _choose(relative, places, chosen, of_one_folder=of_one_folder)
    return chosen


def _of_another_machine(
    written: Mapping[str, WrittenPath], index: PathIndex
) -> list[dict[str, WrittenPath]]:
    """Absolute paths of another machine by the beginning that is replaced, as little as possible.

    The paths are shortened to what follows that beginning. On a drive, or below a root, of which a
    path is a file here, the others are of this machine too.
    """
    here = {one.key[0] for one in written.values() if one.whole is not None}
    whole = {
        path: one for path, one in written.items() if one.is_absolute and one.key[0] not in here
    }
    for count in range(1, max((len(one.parts) for one in whole.values()), default=0)):
        groups: dict[PathKey, dict[str, WrittenPath]] = {}
        for path, one in whole.items():
            rest = one.parts[count:]
            if rest:
                short = WrittenPath(rest, one.key[count:], index.hits(rest))
                groups.setdefault(one.key[:count], {})[path] = short
        fitting = [g for g in groups.values() if any(one.hits for one in g.values())]
        if fitting:
            return [{path: one for path, one in g.items() if one.hits} for g in fitting]
    return []


def _choose(
    group: Mapping[str, WrittenPath],
    places: PathPlaces,
    chosen: ChosenFiles,
    *,
    of_one_folder: bool,
) -> None:
    """Choose the files of relative paths of one table."""
    rule = _Rule.of(group, places)
    doubtful: set[PathKey] = set()
    plain: dict[str, WrittenPath] = {}
    for path, one in group.items():
        base = rule.base_of(one)
        if base is not None:
            chosen.take(path, one.hits[base])
        elif rule.is_elsewhere(one):
            continue
        elif len(one.images) == 1:
            plain[path] = one
            chosen.take(path, one.every_hit)
        else:
            doubtful |= one.hits.keys() if len(one.hits) > 1 else set()
            chosen.refuse(path, one.every_hit)
    taken = [path for path in group if path in chosen.files]
    is_doubtful = all(one.hits.keys() <= doubtful for one in plain.values())
    if of_one_folder and is_doubtful and plain and len(plain) == len(taken):
        for path, one in plain.items():
            chosen.refuse(path, one.every_hit)
        chosen.bases.clear()


@dataclass(frozen=True, slots=True)
class _Rule:
    """The folders that the paths of one table are relative to.

    Attributes:
        places: The folders that they may be relative to.
        home: The folder that decides, if there is one.
        near: Those that decide for paths with a folder.
        pinned: The folders that paths with a folder leave no doubt of.
    """

    places: PathPlaces
    home: PathKey | None
    near: tuple[PathKey, ...]
    pinned: Set[PathKey]

    @classmethod
    def of(cls, group: Mapping[str, WrittenPath], places: PathPlaces) -> _Rule:
        """Which folders decide.

        The folder that holds the results, where one of their paths fits there; of paths with and
        without a folder one with a folder, since names alone fit by chance. Of other places those
        in which no fewer paths fit than anywhere.
        """
        telling = [one for one in group.values() if len(one.key) > 1] or list(group.values())
        held = {base for one in telling for base in one.hits}
        fits = Counter(base for one in group.values() for base in one.hits)
        most = max(fits.values(), default=0)
        home = next((place for place in places.home if place in held), None)
        near = tuple(place for place in places.near if fits[place] == most)
        pinned = {
            next(iter(one.hits))
            for one in group.values()
            if len(one.key) > 1 and len(one.hits) == 1
        }
        return cls(places, home, near, pinned)

    def base_of(self, one: WrittenPath) -> PathKey | None:
        """The folder that decides for a path."""
        if self.home is not None and self.home in one.hits:
            return self.home
        if len(one.images) == 1:
            return None
        near = [place for place in self.near if place in one.hits] if len(one.key) > 1 else []
        return near[0] if near else self._above(one)

    def _above(self, one: WrittenPath) -> PathKey | None:
        """The folder above all others that a path fits, where other paths leave no doubt of it.

        A name in one of the folders below would have been written with that folder.
        """
        known = self.pinned | self.places.roots if len(one.key) > 1 else self.pinned
        for base in known & one.hits.keys():
            if all(other[: len(base)] == base for other in one.hits):
                return base
        return None

    def is_elsewhere(self, one: WrittenPath) -> bool:
        """Whether a path fits only in folders that the table is not relative to."""
        known = self.places.roots | set(self.places.near)
        if self.home is not None:
            return not one.hits.keys() & known
        bare = len(one.key) == 1
        return bare and bool(self.pinned) and not one.hits.keys() & (self.pinned | known)


def _bases(group: Mapping[str, WrittenPath]) -> set[PathKey]:
    return {base for one in group.values() for base in one.hits}


def _keys(places: Iterable[Path]) -> dict[PathKey, None]:
    every = (path for place in places for path in (place, place.resolve()))
    return dict.fromkeys(path_key(str(path)) for path in every)
