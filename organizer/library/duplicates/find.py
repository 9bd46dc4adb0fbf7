"""Find duplicates and bursts, and choose which file of each to keep."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from organizer.duplicates.groups import group_copies
from organizer.duplicates.keep import Contender, KeepRule, keep_order, why_kept
from organizer.library.duplicates.aside import files_aside
from organizer.library.duplicates.near import NearCopies, find_near
from organizer.library.duplicates.photos import ComparedPhotos, KnownPhotos, read_compared
from organizer.library.duplicates.read_pictures import (
    make_miniatures,
    measure_sharpness_of,
    videos_among,
)
from organizer.library.duplicates.report import DuplicateGroup, DuplicateKind, DuplicatesReport
from organizer.library.duplicates.wanted import WantedImages
from organizer.library.images.capture import read_capture_info
from organizer.library.opening import OpenLibrary
from organizer.library.progress import Progress
from organizer.settings import available_cores
from organizer.store import HeldFile, pack_ids
from organizer.types import NOISE, Box

_AT_THE_EDGE = 0.005
"""A box that comes so near to the edge of the picture, as a share of it, is cut by that."""


@dataclass(frozen=True, slots=True)
class DuplicateOptions:
    """Which duplicates are looked for, and which file of each is proposed to be kept.

    Attributes:
        kinds: What is looked for.
        keep: By what the file to keep is chosen; None for the largest copy, and of a burst the
            sharpest photo.
    """

    kinds: Collection[DuplicateKind] = (DuplicateKind.EXACT, DuplicateKind.NEAR)
    keep: KeepRule | None = None

    def rule(self, kind: DuplicateKind) -> KeepRule:
        """The rule for a kind."""
        usual = KeepRule.SHARPEST if kind is DuplicateKind.BURST else KeepRule.LARGEST
        return self.keep or usual


def find_duplicates(
    opened: OpenLibrary, options: DuplicateOptions, *, progress: Progress
) -> DuplicatesReport:
    """See `Duplicates.find`."""
    store = opened.store
    photos = read_compared(store, files_aside(store))
    finder = _Finder(
        opened, photos, WantedImages(store.decisions.current()), options, progress=progress
    )
    groups: list[DuplicateGroup] = []
    unread = videos = 0
    if DuplicateKind.EXACT in options.kinds:
        groups += _by_path(finder.exact())
    if DuplicateKind.NEAR in options.kinds:
        lacking, videos = _lacking(opened, photos)
        unread = make_miniatures(opened, lacking, progress=progress)
        groups += _by_path(finder.near())
    if DuplicateKind.BURST in options.kinds:
        groups += _by_path(finder.bursts())
    return DuplicatesReport(
        tuple(groups),
        len(photos.image_ids),
        missing=photos.missing,
        unread=unread,
        videos=videos,
        hidden=photos.hidden,
        aside=len(photos.aside),
    )


def _lacking(opened: OpenLibrary, photos: ComparedPhotos) -> tuple[list[str], int]:
    """The images without a miniature that should have one; number of videos."""
    ids = sorted(photos.image_ids)
    has = opened.store.miniatures.ids().holds(pack_ids(ids)) if ids else np.empty(0, dtype=bool)
    without = [image_id for image_id, there in zip(ids, has.tolist(), strict=True) if not there]
    videos = videos_among(opened, without)
    return [image_id for image_id in without if image_id not in videos], len(videos)


def _by_path(groups: Sequence[DuplicateGroup]) -> list[DuplicateGroup]:
    return sorted(groups, key=lambda group: min(str(file.path) for file in group.files))


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the groups of each kind."""

    opened: OpenLibrary
    photos: ComparedPhotos
    wanted: WantedImages
    options: DuplicateOptions
    progress: Progress

    def exact(self) -> list[DuplicateGroup]:
        """Images with several files."""
        ids = [i for i in self.photos.several if not self.wanted.are_both(i, i)]
        known = KnownPhotos(self.opened.store, ids, self.photos.aside)
        rule = self.options.rule(DuplicateKind.EXACT)
        contenders = self._contenders(known, known.first(known.files), rule)
        groups = []
        for image_id, files in known.files.items():
            if len(files) > 1:
                shared = contenders[image_id]
                alike = [
                    replace(shared, path=str(held.ref.file), bytes=held.ref.size) for held in files
                ]
                order = keep_order(alike, rule)
                groups.append(
                    DuplicateGroup(
                        DuplicateKind.EXACT,
                        tuple(known.file(files[p], sharpness=shared.sharpness) for p in order),
                        _why_of_equals([alike[p] for p in order], rule),
                    )
                )
        return groups

    def near(self) -> list[DuplicateGroup]:
        """Images that are copies of one another."""
        store, settings = self.opened.store, self.opened.settings
        found = find_near(
            store,
            sorted(self.photos.image_ids),
            read_capture_info(store, settings=settings),
            self.wanted,
            seed=settings.seed,
            threads=settings.threads or available_cores(),
            progress=self.progress,
        )
        rows = np.unique(np.concatenate([found.first, found.second])).tolist()
        ids = [found.image_ids[row] for row in rows]
        known = KnownPhotos(store, ids, self.photos.aside)
        files = known.first(ids)
        rule = self.options.rule(DuplicateKind.NEAR)
        by_id = self._contenders(known, files, rule)
        contenders = [by_id[held.image_id] for held in files]
        order = [rows[place] for place in keep_order(contenders, rule)]
        groups = group_copies(found.first, found.second, order=order, confirm=found.confirm)
        return [self._near_group(group, found, known, by_id, rule) for group in groups]

    def _near_group(
        self,
        rows: Sequence[int],
        found: NearCopies,
        known: KnownPhotos,
        contenders: dict[str, Contender],
        rule: KeepRule,
    ) -> DuplicateGroup:
        kept, *others = rows
        alike = found.likeness(np.full(len(others), kept), np.array(others)).tolist()
        files = known.first(found.image_ids[row] for row in rows)
        ranked = [contenders[held.image_id] for held in files]
        made = [
            known.file(held, likeness=like, sharpness=one.sharpness)
            for held, one, like in zip(files, ranked, [None, *alike], strict=True)
        ]
        return DuplicateGroup(
            DuplicateKind.NEAR, tuple(made), why_kept(ranked[0], ranked[1:], rule)
        )

    def bursts(self) -> list[DuplicateGroup]:
        """Photos that one camera took soon after each other."""
        store = self.opened.store
        info = read_capture_info(store, settings=self.opened.settings)
        bursts: dict[int, list[str]] = {}
        for image_id, burst in zip(info.image_ids, info.bursts.tolist(), strict=True):
            if burst != NOISE and image_id in self.photos.image_ids:
                bursts.setdefault(burst, []).append(image_id)
        several = {burst: ids for burst, ids in bursts.items() if len(ids) > 1}
        every = {image_id for ids in several.values() for image_id in ids}
        known = KnownPhotos(store, every, self.photos.aside)
        rule = self.options.rule(DuplicateKind.BURST)
        by_id = self._contenders(known, known.first(known.files), rule)
        groups = []
        for ids in several.values():
            files = known.first(ids)
            order = keep_order([by_id[held.image_id] for held in files], rule)
            files = [files[place] for place in order]
            kept = files[0].image_id
            files = [h for h in files if not self.wanted.are_both(kept, h.image_id)]
            ranked = [by_id[held.image_id] for held in files]
            if len(files) > 1:
                made = tuple(known.file(h, sharpness=by_id[h.image_id].sharpness) for h in files)
                why = why_kept(ranked[0], ranked[1:], rule)
                groups.append(DuplicateGroup(DuplicateKind.BURST, made, why))
        return groups

    def _contenders(
        self, known: KnownPhotos, files: Sequence[HeldFile], rule: KeepRule
    ) -> dict[str, Contender]:
        """The images as they may be kept, by id; measured where the rule needs it."""
        found = {held.image_id: known.contender(held) for held in files}
        if rule is not KeepRule.SHARPEST:
            return found
        subjects = self._subjects(found)
        boxes = {image_id: subjects.get(image_id) for image_id in found}
        sharp = measure_sharpness_of(self.opened, boxes, progress=self.progress)
        return {
            image_id: replace(
                one,
                sharpness=sharp[image_id],
                has_subject=image_id in subjects,
                is_cut=image_id in subjects and _is_cut(subjects[image_id]),
            )
            for image_id, one in found.items()
        }

    def _subjects(self, image_ids: Collection[str]) -> dict[str, Box]:
        """Where the animal is that the detector is surest of."""
        surest: dict[str, tuple[float, Box]] = {}
        for crop, box in self.opened.store.detections.current_crops(image_ids):
            if crop.image_id not in surest or box.confidence > surest[crop.image_id][0]:
                surest[crop.image_id] = box.confidence, box.box
        return {image_id: box for image_id, (_, box) in surest.items()}


def _is_cut(box: Box) -> bool:
    edges = (box.x, box.y, 1 - box.x - box.width, 1 - box.y - box.height)
    return min(edges) < _AT_THE_EDGE


def _why_of_equals(ranked: Sequence[Contender], rule: KeepRule) -> str:
    """Why one of files with the same picture is kept."""
    if rule is KeepRule.LARGEST:
        return why_kept(ranked[0], ranked[1:], rule)
    return "the same picture: first by path" if rule is KeepRule.FIRST else _by_size(ranked)


def _by_size(ranked: Sequence[Contender]) -> str:
    return f"the same picture: {why_kept(ranked[0], ranked[1:], KeepRule.LARGEST)}"
