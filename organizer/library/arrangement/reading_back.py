"""What a person did to arranged folders, turned into words about clusters, with a preview."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import Mode
from organizer.arrange.names import safe
from organizer.arrange.read_back import Place
from organizer.field import Crop
from organizer.library.arrangement.items import name_or_number
from organizer.library.arrangement.looking import Comparison, compared
from organizer.library.arrangement.memory import Key, Remembered, remember, remembered
from organizer.library.arrangement.remarks import remarks
from organizer.library.arrangement.standing import folder_name, journal_folder, path_in
from organizer.library.cropping import embed_whole
from organizer.library.crops import Group
from organizer.library.deciding import DecisionReport, Desk
from organizer.library.progress import Progress
from organizer.settings import Settings
from organizer.store import Store
from organizer.types import NOISE, DecisionKind

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Named:
    """A cluster and what a person calls it; the id is None for no cluster."""

    cluster_id: int | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the folders say, and what they say nothing of.

    Images are photos, also where the words are about their crops.

    Attributes:
        to: The arranged folder.
        photos: How many photos were put there.
        renamed: Clusters as they were called, with the new name.
        merged: Clusters that become part of another: the cluster, the other, images.
        moved: Images that change their cluster: from where, to where, how many.
        born: New clusters: the name, how many images.
        left: Images that are said not to be of a cluster: the cluster, how many.
        gone: Images that are nowhere any more.
        loose: Images that are in no folder of a cluster.
        contradictory: Images that are in several folders: a file of each, and the folders.
        strangers: Image files that are none of the arrangement.
        unheard: What cannot be said, a line each.
        remarks: What the person should know of the words, a line each.
        refiled: Files that have another path, whatever that says.
        was_said: Whether it was written down; False for a preview.
    """

    to: Path
    photos: int
    renamed: Sequence[tuple[Named, str]] = ()
    merged: Sequence[tuple[Named, Named, int]] = ()
    moved: Sequence[tuple[Named, Named, int]] = ()
    born: Sequence[tuple[str, int]] = ()
    left: Sequence[tuple[Named, int]] = ()
    gone: int = 0
    loose: int = 0
    contradictory: Sequence[tuple[Path, Sequence[str]]] = ()
    strangers: Sequence[Path] = ()
    unheard: Sequence[str] = ()
    remarks: Sequence[str] = ()
    refiled: int = 0
    was_said: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there is a word to be written down."""
        return bool(self.renamed or self.merged or self.moved or self.born or self.left)


def previewed(store: Store, to: Path, *, settings: Settings, progress: Progress) -> ReadBack:
    """What an arranged folder says. Nothing is changed.

    Raises:
        SettingsError: See `looking.compared`.
        ClusteringError: There is no clustering.
    """
    desk = Desk(store, seed=settings.seed)
    return heard(desk, compared(store, desk, to, progress)).told


def said(store: Store, to: Path, *, settings: Settings, progress: Progress) -> ReadBack:
    """Write down what an arranged folder says. The caller holds the library for writing.

    Read back again after a kill, it says what was not said yet.

    Raises:
        SettingsError: See `looking.compared`; a word contradicts what was said before; or a photo
            that has to be looked at for it cannot be read.
        ClusteringError: There is no clustering, or no cluster would be left.
    """
    desk = Desk(store, seed=settings.seed)
    comparison = compared(store, desk, to, progress)
    found = heard(desk, comparison)
    _follow_files(store, comparison)
    embed_whole(store, found.whole, settings=settings)
    made: dict[str, int] = {}
    progress.begin("writing down", len(found.words))
    for word in found.words:
        report = word.say(Desk(store, seed=settings.seed, guests=word.guests))
        if word.makes:
            made[word.makes] = report.decision.cluster_id
        progress.advance()
    _remember(store, comparison, made, found.later)
    return replace(found.told, was_said=True)


@dataclass(frozen=True, slots=True)
class Word:
    """A word to be said.

    Attributes:
        say: Says it at a desk.
        makes: The folder for which it makes a cluster, if it does.
        guests: What it speaks of that may be no member of the clustering yet.
    """

    say: Callable[[Desk], DecisionReport]
    makes: str = ""
    guests: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from a comparison.

    Attributes:
        words: In the order in which they are to be said.
        told: The same for a person.
        whole: Photos without a crop that are spoken of: they need a vector.
        later: Photos of which nothing can be said before they are clustered.
    """

    words: Sequence[Word]
    told: ReadBack
    whole: Sequence[Crop]
    later: Collection[str]


def heard(desk: Desk, comparison: Comparison) -> Heard:
    """Turn what a person did into words."""
    hearing = _Hearing(desk, comparison)
    words = list(hearing.words())
    return Heard(words, hearing.told(), hearing.whole, hearing.later)


@dataclass
class _Hearing:
    """Words, ordered so that each can be said: what frees a name comes before what takes it."""

    desk: Desk
    comparison: Comparison
    _merged: list[tuple[int, int, Sequence[str]]] = field(default_factory=list)
    _renamed: dict[int, str] = field(default_factory=dict)
    _moved: dict[tuple[int | None, int], Sequence[str]] = field(default_factory=dict)
    _born: dict[str, Sequence[str]] = field(default_factory=dict)
    _left: dict[int, Sequence[str]] = field(default_factory=dict)
    _unheard: list[str] = field(default_factory=list)
    _photo_of: dict[str, str] = field(default_factory=dict)
    _whole: dict[str, Crop] = field(default_factory=dict)
    _emptied_photos: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        members, self._filing = self.desk.members, self.comparison.filing
        both = zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True)
        self._cluster_of: dict[str, int] = dict(both)
        self._members: dict[int, set[str]] = defaultdict(set)
        for member, cluster_id in self._cluster_of.items():
            if self._filing.is_live(member):
                self._members[cluster_id].add(member)
        self._names = self.desk.constraints.names
        self._origins = self._came_from()
        self._put_apart = self._went_apart()
        self.became = self._followed()
        self._sort_out_moves()
        self._sort_out_names()
        self._sort_out_the_rest()

    # Sorting out ---------------------------------------------------------------------------

    def _followed(self) -> dict[Place, int | None]:
        """The clusters of now for those that were merged since; None for one that is no more."""
        taken_back = {d.about for d in self.desk.decisions if d.kind is DecisionKind.TAKE_BACK}
        into = {
            other: d.cluster_id
            for d in self.desk.decisions
            if d.kind is DecisionKind.MERGE and d.decision_id not in taken_back
            for other in d.others
        }
        found: dict[Place, int | None] = {}
        changes = self.comparison.changes
        asked = {p.cluster_id for p in self.comparison.photos} | set(changes.places)
        for place in asked:
            if isinstance(place, int):
                now, passed = place, {place}
                while now not in self.desk.models.ids and into.get(now, now) not in passed:
                    now = into[now]
                    passed.add(now)
                found[place] = now if now in self.desk.models.ids else None
        return found

    def _came_from(self) -> dict[str, int | None]:
        """The cluster of the folder in which each photo was."""
        found: dict[str, int | None] = {}
        for photo in self.comparison.photos:
            both = {found.get(photo.step.image_id), photo.cluster_id} - {None}
            found[photo.step.image_id] = min(both, default=None)  # type: ignore[type-var]
        return found

    def _went_apart(self) -> dict[str, tuple[Group, str]]:
        """The photos that were put into a folder beside the clusters, and its name."""
        changes = self.comparison.changes
        found: dict[str, tuple[Group, str]] = {}
        rows = zip(self.comparison.photos, changes.folders, changes.places, strict=True)
        for photo, folder, place in rows:
            name = folder_name(folder)
            group = self._filing.group_in(name) if place is None else None
            if group is not None and name != folder_name(photo.folder):
                found[photo.step.image_id] = group, name
        return found

    def _sort_out_moves(self) -> None:
        for (origin, to), image_ids in self.comparison.changes.moved.items():
            now = self.became[to]
            if now is None:
                self._unheard.append(
                    f"{_counted(image_ids)} in the folder of cluster {to}, which is no more"
                )
                continue
            source = self._now(origin)
            if source == now:  # merged since, maybe by a reading that was cut short
                continue
            new = [m for m in self._clustered(image_ids, source, now) if self._is_news(m, now)]
            photos = {self._photo_of[member] for member in new}
            if source is not None and self._is_merge(origin, source, now, photos):
                self._merged.append((source, now, new))
            elif new:
                self._moved[source, now] = new
        self._merge_only_ends()

    def _merge_only_ends(self) -> None:
        """Say moves, image by image, of a cluster that lost all its images and got others."""
        while True:
            sources = {source for source, _, _ in self._merged}
            reached = {into for _, into, _ in self._merged} | {to for _, to in self._moved}
            chained = [m for m in self._merged if m[0] in reached or m[1] in sources]
            if not chained:
                return
            self._merged = [m for m in self._merged if m not in chained]
            self._moved |= {(source, into): ids for source, into, ids in chained}

    def _is_news(self, member: str, cluster_id: int) -> bool:
        """Whether nobody has said yet that a member is in a cluster.

        That it stands for a cluster with a name is no word about a photo that was in the folder of
        those in no cluster.
        """
        if self.desk.constraints.fixed.get(member) != cluster_id:
            return True
        at_home = self._filing.place(self._photo_of[member]) == cluster_id
        return not at_home and not self._filing.is_decided(member)

    def _is_merge(
        self, origin: int | None, source: int, to: int, image_ids: Collection[str]
    ) -> bool:
        """Whether a whole cluster went into another one, and nothing that was said forbids it.

        What is in the cluster and was not to be seen in its folder goes along: people, and the
        other animals of photos that lie in other folders.
        """
        if source == to or not self._members[source]:
            return False
        placed = {p.step.image_id for p in self.comparison.photos if p.cluster_id == origin}
        filed = self._filing.filed.get(source, set())
        if not placed | filed <= set(image_ids):
            return False
        banned = self.desk.constraints.banned
        return not any({source, to} & clusters for clusters in banned.values())

    def _sort_out_names(self) -> None:
        for cluster_id, folder in self.comparison.changes.renamed.items():
            now = self._now(cluster_id)
            homes = {
                folder_name(p.folder) for p in self.comparison.photos if p.cluster_id == cluster_id
            }
            name = " ".join(said_name(folder, cluster_id, homes).split())
            if now is None:
                self._unheard.append(
                    f"cluster {cluster_id} is no more: it cannot be called {name!r}"
                )
            elif not name.isprintable() or not name:
                self._unheard.append(f"a cluster cannot be called {name!r}")
            elif safe(name_or_number(self._names, now)) != name:
                self._renamed[now] = name
        taken = {name: i for i, name in self._names.items() if i not in self._renamed}
        for cluster_id, name in list(self._renamed.items()):
            if name in taken:
                del self._renamed[cluster_id]
                self._unheard.append(
                    f"cluster {cluster_id} cannot be called {name!r}: cluster {taken[name]} is"
                )

    def _sort_out_the_rest(self) -> None:
        banned = self.desk.constraints.banned
        for folder, image_ids in self.comparison.changes.born.items():
            name = " ".join(folder.split())
            bearer = next((i for i, n in self._names.items() if n == name), None)
            clustered = self._gathered(image_ids)
            if bearer is not None and bearer not in self._renamed:
                self._unheard.append(
                    f"{_counted(image_ids)} in the folder {folder!r}: cluster {bearer} is called so"
                )
            elif not name.isprintable():
                self._unheard.append(f"a cluster cannot be called {name!r}")
            elif clustered:
                self._born[folder] = clustered
        self._left = {
            cluster_id: new
            for cluster_id, members in self._leaving().items()
            if (new := [m for m in members if cluster_id not in banned.get(m, ())])
        }

    def _gathered(self, image_ids: Sequence[str]) -> list[str]:
        """What of the photos in a new folder is meant, each by the folder that it came from."""
        by_source: dict[int | None, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_source[self._now(self._origins[image_id])].append(image_id)
        return [m for source, ids in by_source.items() for m in self._clustered(ids, source)]

    def _leaving(self) -> dict[int, list[str]]:
        """What is said not to be of a cluster.

        An unsure photo shows nothing of the cluster that it came from, an empty one nothing of any.
        Of photos put to people, or to those that no detector has seen, nothing is said.
        """
        merged = {source: into for source, into, _ in self._merged}
        left: dict[int, list[str]] = defaultdict(list)
        silent = {i for i in self._put_apart if self._origins[i] is None}
        for cluster_id, image_ids in self.comparison.changes.left.items():
            now = self._now(cluster_id)
            empty = {i for i in image_ids if self._group_of(i) is Group.EMPTY}
            apart = {i for i in image_ids if self._group_of(i)} - empty
            silent |= apart
            if now is None:
                continue
            meant = self._clustered([i for i in image_ids if i not in apart], now)
            left[merged.get(now, now)] += [m for m in meant if m in self._cluster_of]
            for image_id in empty:
                for member, at in self._filing.members(image_id).items():
                    if at not in {None, NOISE, now}:
                        self._photo_of[member] = image_id
                        left[merged.get(at, at)].append(member)
            self._emptied_photos |= {i for i in empty if self._filing.is_seen(i)}
        self._tell_of_silent(silent)
        return left

    def _group_of(self, image_id: str) -> Group | None:
        """What is said of a photo by the folder beside the clusters into which it was put."""
        group, _ = self._put_apart.get(image_id, (None, ""))
        return group

    def _tell_of_silent(self, image_ids: Collection[str]) -> None:
        by_folder: dict[str, list[str]] = defaultdict(list)
        for image_id in image_ids:
            by_folder[self._put_apart[image_id][1]].append(image_id)
        for folder, ids in sorted(by_folder.items()):
            self._unheard.append(
                f"{_counted(ids)} put into {folder!r}: what a detector saw stays as it is"
            )

    def _clustered(
        self, image_ids: Sequence[str], source: int | None, to: int | None = None
    ) -> list[str]:
        """What of some photos is spoken of, as far as it is in the clustering or can join it."""
        found: list[str] = []
        lacking: list[str] = []
        for image_id in image_ids:
            whole = self._filing.whole(image_id)
            if whole is not None:
                self._whole[whole.crop_id] = whole
            meant = self._filing.meant(image_id, source, to)
            known = [m for m in meant if m in self._cluster_of or m in self._whole]
            self._photo_of |= dict.fromkeys(known, image_id)
            found += known
            if len(known) < len(meant):
                lacking.append(image_id)
        if lacking:
            are = "is" if len(lacking) == 1 else "are"
            self._unheard.append(f"{_counted(lacking)} {are} in no clustering yet")
        self.later.update(lacking)
        return found

    def _now(self, cluster_id: int | None) -> int | None:
        return self.became.get(cluster_id)

    # Words ---------------------------------------------------------------------------------

    def words(self) -> Iterator[Word]:
        """What is to be said, in order."""
        for source, into, _ in self._merged:
            yield Word(lambda desk, ids=(into, source): desk.merge(ids))  # type: ignore[misc]
        for cluster_id in self._emptied():
            yield Word(lambda desk, i=cluster_id: desk.retire(i))  # type: ignore[misc]
        for cluster_id, name in _in_order(self._renamed, self._names):
            yield Word(lambda desk, i=cluster_id, n=name: desk.rename(i, n))  # type: ignore[misc]
        last = self._last_to_leave()
        for is_last in (False, True):
            moved: dict[int, list[str]] = defaultdict(list)
            for (_, to), image_ids in self._moved.items():
                moved[to] += [i for i in image_ids if (i in last) is is_last]
            for to, ids in moved.items():
                if ids:
                    yield Word(
                        lambda desk, i=to, images=ids: desk.move(images, i),  # type: ignore[misc]
                        guests=self._guests(ids),
                    )
        for folder, image_ids in self._born.items():
            name = " ".join(folder.split())
            yield Word(
                lambda desk, images=image_ids, n=name: desk.gather(images, n),  # type: ignore[misc]
                makes=folder,
                guests=self._guests(image_ids),
            )
        for cluster_id, image_ids in self._left.items():
            yield Word(lambda desk, i=cluster_id, images=image_ids: desk.deny(images, i))  # type: ignore[misc]

    def _guests(self, members: Sequence[str]) -> list[str]:
        return [member for member in members if member in self._whole]

    @property
    def whole(self) -> list[Crop]:
        """The photos without a crop that are spoken of."""
        spoken = {m for ids in (*self._moved.values(), *self._born.values()) for m in ids}
        return [crop for crop_id, crop in self._whole.items() if crop_id in spoken]

    def _last_to_leave(self) -> set[str]:
        """An image of each cluster that loses all it had and gets others: it is never empty."""
        leaving = {i for ids in self._moved.values() for i in ids}
        reached = {to for _, to in self._moved}
        return {
            min(self._members[i])
            for i in reached
            if self._members[i] and self._members[i] <= leaving
        }

    def _emptied(self) -> list[int]:
        """Clusters that a person named or pinned and that are empty afterwards: they are no more.

        Otherwise their names would be taken for ever by clusters that nobody sees.
        """
        merged = {source for source, _, _ in self._merged}
        leaving = {i for ids in (*self._moved.values(), *self._born.values()) for i in ids}
        reached = {to for _, to in self._moved} | {into for _, into, _ in self._merged}
        candidates = set(self.desk.constraints.required) & set(self.desk.models.ids)
        candidates -= merged | reached | self._renamed.keys() | self._left.keys()
        emptied = [
            c for c in sorted(candidates) if self._members[c] and self._members[c] <= leaving
        ]
        return emptied if len(emptied) < len(self.desk.models.ids) else emptied[1:]

    # Telling -------------------------------------------------------------------------------

    def told(self) -> ReadBack:
        """All of it for a person."""
        changes, photos = self.comparison.changes, self.comparison.photos
        at = {p.step.image_id: path for p, path in zip(photos, changes.paths, strict=True) if path}
        return ReadBack(
            to=self.comparison.to,
            photos=len(photos),
            renamed=[(self._named(i), name) for i, name in sorted(self._renamed.items())],
            merged=[
                (self._named(source), self._named(into), self._photos(ids))
                for source, into, ids in self._merged
            ],
            moved=[
                (self._named(origin), self._named(to), self._photos(ids))
                for (origin, to), ids in self._moved.items()
            ],
            born=[(folder, self._photos(ids)) for folder, ids in sorted(self._born.items())],
            left=[(self._named(i), self._photos(ids)) for i, ids in sorted(self._left.items())],
            gone=len(changes.gone),
            loose=len(changes.loose),
            contradictory=[
                (self.comparison.to / at[i], names) for i, names in changes.contradictory.items()
            ],
            strangers=[self.comparison.to / path for path in changes.strangers],
            unheard=tuple(dict.fromkeys(self._unheard)),
            remarks=tuple(self._remarks()),
            refiled=sum(
                bool(path)
                and (photo.path is None or path_in(self.comparison.to, photo.path) != path)
                for photo, path in zip(photos, changes.paths, strict=True)
            ),
        )

    def _photos(self, members: Sequence[str]) -> int:
        return len({self._photo_of[member] for member in members})

    def _remarks(self) -> Iterator[str]:
        spoken: dict[str, list[str]] = defaultdict(list)
        into: dict[str, int | None] = {}
        for to, ids in (
            *((to, ids) for _, to, ids in self._merged),
            *((to, ids) for (_, to), ids in self._moved.items()),
            *((None, ids) for ids in self._born.values()),
        ):
            for member in ids:
                spoken[self._photo_of[member]].append(member)
                into[self._photo_of[member]] = to
        return remarks(self._filing, spoken, into, len(self._emptied_photos))

    def _named(self, cluster_id: int | None) -> Named:
        return Named(cluster_id, self._names.get(-1 if cluster_id is None else cluster_id))


def said_name(folder: str, cluster_id: int, homes: Collection[str]) -> str:
    """The name that a folder gives a cluster, without the id where the former ones had it.

    Args:
        folder: The folder's new name.
        cluster_id: The cluster.
        homes: The names of its folders before.
    """
    number = rf"0*{cluster_id}"
    patterns = [
        rf"^{number}[ _.-]+(?=.)",
        rf"(?<=.)[ _.-]+\({number}\)$",
        rf"(?<=\D)[_.-]{number}$",
    ]
    for pattern in patterns:
        if any(re.search(pattern, home) for home in homes):
            folder = re.sub(pattern, "", folder)
    return folder


def _in_order(renamed: Mapping[int, str], names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """New names, each once it is free; of those that wait for each other one gives way first."""
    left, called = dict(renamed), dict(names)
    while left:
        taken = {name for i, name in called.items() if i in left}
        free = [i for i, name in left.items() if name not in taken - {called.get(i)}]
        if not free:
            waiting = min(left)
            called[waiting] = f"{left[waiting]} (cluster {waiting})"
            yield waiting, called[waiting]
            continue
        for cluster_id in free:
            called[cluster_id] = left.pop(cluster_id)
            yield cluster_id, called[cluster_id]


def _counted(image_ids: Sequence[str]) -> str:
    return f"{len(image_ids):,} image{'s' if len(image_ids) != 1 else ''}"


# What is the state from now on --------------------------------------------------------------


def _follow_files(store: Store, comparison: Comparison) -> None:
    """Let the rows of files that an arrangement moved say where they are now."""
    moves = {}
    for photo, path in zip(comparison.photos, comparison.changes.paths, strict=True):
        if photo.record.plan.mode is Mode.MOVE and photo.path is not None and path:
            is_elsewhere = path != path_in(comparison.to, photo.path)
            if is_elsewhere and not os.path.lexists(photo.path):
                moves[photo.path] = (comparison.to / path, photo.step.image_id)
    if moves:
        store.photos.relocate(moves, home=comparison.to)


def _remember(
    store: Store, comparison: Comparison, made: Mapping[str, int], later: Collection[str]
) -> None:
    """Write down what was seen: the next read-back is compared with it.

    Args:
        store: The library.
        comparison: What was seen.
        made: The clusters that were made for new folders, by the folder.
        later: Photos that are heard again the next time: they stay in the folder where they were.
    """
    folder = journal_folder(store)
    seen: dict[Key, Remembered] = {
        key: photo for key, photo in remembered(folder).items() if key[0] in comparison.journals
    }
    changes = comparison.changes
    rows = zip(comparison.photos, changes.paths, changes.folders, changes.places, strict=True)
    for photo, path, stands, place in rows:
        if photo.step.image_id in later:
            seen[photo.key] = Remembered(path, photo.folder, photo.cluster_id)
            continue
        cluster_id = made.get(place, photo.cluster_id) if isinstance(place, str) else place
        seen[photo.key] = Remembered(path, stands, cluster_id)
    remember(folder, seen)
