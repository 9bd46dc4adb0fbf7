"""Update an arranged folder: what its photos have in it becomes what the clusters are now.

Files that a person put into the folder, changed in it or took out of it stay as they are.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from organizer.arrange import (
    ArrangeItem,
    ArrangeMode,
    ArrangePlan,
    ArrangeRecord,
    ArrangeStep,
    LeftFile,
    StepAction,
    make_plan,
)
from organizer.arrange.checks import is_about_as_planned, is_link_to
from organizer.arrange.disk import status_of
from organizer.discover import is_ignored
from organizer.errors import SettingsError
from organizer.file_times import modified_ns
from organizer.library.arrangements.active import (
    ActivePhoto,
    active_photos,
    active_records,
    active_sidecars,
    journal_folder,
    moved_since,
    original_paths,
    placed_steps,
    require_finished,
)
from organizer.library.arrangements.last_seen import SeenPhoto, load_seen, save_seen
from organizer.library.current import require_clustering
from organizer.library.folders.items import collect_items
from organizer.library.folders.options import ArrangeOptions
from organizer.library.folders.photo_folders import PhotoFolders
from organizer.library.folders.read_back.run import preview_read_back
from organizer.library.folders.report import CHANGED_THERE, TAKEN_OUT
from organizer.library.folders.run import PlannedArrangement
from organizer.library.progress import Progress
from organizer.paths import path_below
from organizer.settings import Settings
from organizer.store import Store


def plan_update(
    store: Store,
    options: ArrangeOptions | None,
    to: Path,
    *,
    settings: Settings,
    progress: Progress,
) -> PlannedArrangement:
    """Plan the update of an arranged folder. Nothing is changed.

    Args:
        store: The library.
        options: How folders are named; None as when it was arranged.
        to: The folder.
        settings: Whether photos with people are arranged.
        progress: Receives the progress.

    Raises:
        SettingsError: Nothing is arranged there, or it is not known how; an arrangement was
            interrupted; or the changes of a person in the folder were not read back.
        ClusteringError: The template names the cluster, and there is no clustering.
    """
    active = active_records(store)
    require_finished(active)
    folder, last = _arranged_folder(to, active)
    options = options or _former_options(to, last)
    options = replace(options, to=folder, mode=last.plan.mode)
    template = options.parsed()
    if options.needs_clusters:
        require_clustering(store)
    if last.plan.made_with.get("with_people"):
        settings = settings.model_copy(update={"with_people": True})
    arranged = active_photos(store, active)
    _require_read_back(store, to, folder, arranged, settings=settings, progress=progress)
    found = _FilesThere.look(folder, last.plan.mode, arranged)
    photo_folders = PhotoFolders.read(store)
    items = collect_items(
        store,
        original_paths(arranged),
        photo_folders=photo_folders,
        settings=settings,
        only_named=options.only_named,
    )
    progress.begin("planning", len(items))
    sidecars = {
        target: step
        for target, step in active_sidecars(active).items()
        if target.is_relative_to(folder)
    }

    def planned(some: Sequence[ArrangeItem], going: Collection[Path]) -> ArrangePlan:
        return make_plan(
            some,
            to=folder,
            mode=last.plan.mode,
            template=template,
            placed=placed_steps(arranged),
            vacated=() if last.plan.mode is ArrangeMode.MOVE else going,
            advance=progress.advance,
        )

    rest = [item for item in items if item.source not in found.by_hand]
    kept: dict[Path, ArrangeStep] = {}
    if found.dragged:
        kept = _kept_in_place(planned(rest, ()), found.dragged)
        rest = [item for item in rest if item.source not in kept]
    held = {step.target for step in kept.values()}
    going = [path for path in (*found.placed, *sidecars) if path not in held]
    made = planned(rest, going)
    left = [
        LeftFile(item.source, found.by_hand[item.source], item.image_id)
        for item in items
        if item.source in found.by_hand
    ]
    made = replace(
        made,
        there=(*made.there, *kept.values()),
        left=(*made.left, *left),
        updates=True,
        made_with=options.to_keep(with_people=settings.with_people),
    )
    plan = made
    if made.mode is not ArrangeMode.MOVE:
        plan = _with_removals(made, found, sidecars)
    known = {*(p.path for p in arranged if p.path), *sidecars}
    several = photo_folders.several if options.needs_clusters else 0
    return PlannedArrangement(
        plan, len(items), arranged, several, _count_unknown(folder, known, found.changed)
    )


def save_kept(store: Store, planned: PlannedArrangement) -> None:
    """Store which clusters the photos that kept their place stand for now, for the next read-back.

    Args:
        store: The library.
        planned: The update, which was applied.
    """
    plan = planned.plan
    photos = {photo.path: photo for photo in planned.photos if photo.record.plan.to == plan.to}
    seen = dict(load_seen(journal_folder(store)))
    former = dict(seen)
    for step in plan.there:
        photo = photos.get(step.target) if step.is_photo else None
        if photo is not None and (photo.folder, photo.cluster_id) != (
            step.cluster_folder,
            step.cluster_id,
        ):
            path = path_below(plan.to, step.target)
            seen[photo.key] = SeenPhoto(path, step.cluster_folder, step.cluster_id)
    if seen != former:
        save_seen(journal_folder(store), seen)


def _arranged_folder(to: Path, active: Sequence[ArrangeRecord]) -> tuple[Path, ArrangeRecord]:
    """The folder as an absolute path, and its last arrangement.

    Raises:
        SettingsError: Nothing is arranged there, or in several ways.
    """
    try:
        folder = Path(os.path.realpath(to.expanduser()))
    except RuntimeError as error:  # an unknown ~user
        raise SettingsError(f"there is no folder {to}", "check the path") from error
    mine = [record for record in active if record.plan.to == folder]
    if not mine:
        others = sorted({str(record.plan.to) for record in active})
        hint = f"photos are arranged in {', '.join(others)}" if others else "organizer arrange --to"
        raise SettingsError(f"nothing is arranged in {to}", hint)
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {to}", "is its disk connected?")
    modes = {record.plan.mode for record in mine}
    if len(modes) > 1:
        raise SettingsError(
            f"files were put into {to} in several ways: {', '.join(sorted(modes))}",
            "organizer arrange --undo takes the last one back",
        )
    return folder, mine[-1]


def _former_options(to: Path, last: ArrangeRecord) -> ArrangeOptions:
    """The options with which a folder was arranged.

    Raises:
        SettingsError: The plan was read from a file, which does not tell.
    """
    kept = last.plan.made_with
    if not last.plan.template or not kept:
        raise SettingsError(
            f"how the folders in {to} are named is not known: a plan was applied from a file",
            "tell it as when that plan was made: --by cluster, for example, or --template",
        )
    by = str(kept.get("by", ""))
    return ArrangeOptions(
        last.plan.to,
        last.plan.mode,
        by=by or "cluster",
        template=None if by else last.plan.template,
        keep_tree=bool(kept.get("keep_tree")),
    )


def _require_read_back(
    store: Store,
    to: Path,
    folder: Path,
    arranged: Sequence[ActivePhoto],
    *,
    settings: Settings,
    progress: Progress,
) -> None:
    """Make sure that what a person moved in a folder became decisions.

    Raises:
        SettingsError: It did not.
    """
    if not any(photo.folder for photo in arranged if photo.record.plan.to == folder):
        return  # its folders are not those of clusters
    report = preview_read_back(store, folder, settings=settings, progress=progress)
    if report.has_decisions or report.relocated:
        raise SettingsError(
            f"files or folders in {to} were moved or renamed by hand since, and not read back",
            f"organizer arrange --read-back {to} turns that into decisions; then update",
        )


@dataclass(frozen=True, slots=True)
class _FilesThere:
    """What earlier arrangements put into a folder, as it is on the disk.

    Attributes:
        placed: The photos that are as they were placed, by their path.
        changed: The paths of those that are not.
        dragged: The photos that a person put elsewhere within the folder, by their source.
        by_hand: Why a file of the library is left alone, by its path.
        sources: Where the files of photos are now, by where they were.
    """

    placed: dict[Path, ActivePhoto] = field(default_factory=dict)
    changed: set[Path] = field(default_factory=set)
    dragged: dict[Path, ActivePhoto] = field(default_factory=dict)
    by_hand: dict[Path, str] = field(default_factory=dict)
    sources: Mapping[Path, Path] = field(default_factory=dict)

    @classmethod
    def look(cls, folder: Path, mode: ArrangeMode, arranged: Sequence[ActivePhoto]) -> _FilesThere:
        """Look at the photos of a folder."""
        found = cls(sources=moved_since(arranged))
        for photo in arranged:
            if photo.record.plan.to == folder:
                found._add(photo, mode)
        for photo in found.placed.values():
            found.by_hand.pop(found.source_of(photo), None)  # another file of it is as it was
        return found

    def source_of(self, photo: ActivePhoto) -> Path:
        """The file of the library that a photo is of."""
        if photo.record.plan.mode is ArrangeMode.MOVE and photo.path is not None:
            return photo.path
        return self.sources.get(photo.step.source, photo.step.source)

    def _add(self, photo: ActivePhoto, mode: ArrangeMode) -> None:
        source = self.source_of(photo)
        path = photo.path
        status = None if path is None else status_of(str(path))
        if path is None or status is None:
            if mode is not ArrangeMode.MOVE:  # else the file of the library itself is missing
                self.by_hand[source] = TAKEN_OUT
            return
        step = replace(photo.step, target=path)
        if _is_as_placed(mode, step, source, status):
            self.placed[path] = photo
            if path != photo.step.target:
                self.dragged[source] = photo
        else:
            self.by_hand[source] = CHANGED_THERE
            self.changed.add(path)


def _is_as_placed(
    mode: ArrangeMode, step: ArrangeStep, source: Path, status: os.stat_result
) -> bool:
    """Whether a file is as an arrangement placed it; of a link also where its source is gone."""
    if mode is ArrangeMode.MOVE or step.source == step.target:
        return True
    if mode is ArrangeMode.SYMLINK:
        return is_link_to(step)
    if mode is ArrangeMode.COPY:
        return is_about_as_planned(step, status)
    with suppress(OSError):
        return os.path.samestat(source.stat(), status)
    return True


def _kept_in_place(
    plan: ArrangePlan, dragged: Mapping[Path, ActivePhoto]
) -> dict[Path, ArrangeStep]:
    """The photos that a person put elsewhere within the folder that is still theirs, by source."""
    kept = {}
    for step in (*plan.steps, *plan.there):
        photo = dragged.get(step.source) if step.is_photo else None
        if photo is not None and photo.path is not None and photo.folder == step.cluster_folder:
            kept[step.source] = replace(step, target=photo.path)
    return kept


def _with_removals(
    plan: ArrangePlan, found: _FilesThere, sidecars: Mapping[Path, ArrangeStep]
) -> ArrangePlan:
    """A plan that also removes what is not to be in the folder any more; a copy is renamed."""
    there = {step.target for step in plan.there}
    stale = {
        path: replace(
            photo.step,
            target=path,
            source=photo.step.source
            if plan.mode is ArrangeMode.SYMLINK
            else found.source_of(photo),
            why="not in this folder any more",
        )
        for path, photo in found.placed.items()
        if path not in there
    }
    vacated = {_name_key(found.source_of(found.placed[path])) for path in stale}
    wanted = {step.source for step in plan.steps}
    stale |= {
        path: replace(step, target=path, why="its photo is not in this folder any more")
        for path, step in sidecars.items()
        if path not in there and (step.source in wanted or _name_key(step.source) in vacated)
    }
    lone = {p: s for p, s in stale.items() if plan.mode is not ArrangeMode.SYMLINK and _is_lone(s)}
    stale = {path: step for path, step in stale.items() if path not in lone}
    placing = list(plan.steps)
    relocating: list[ArrangeStep] = []
    if plan.mode is ArrangeMode.COPY:
        relocating, placing = _renamed_copies(placing, stale)
    removing = [replace(step, action=StepAction.REMOVE) for step in stale.values()]
    left = [
        LeftFile(path, "kept: its photo is gone, so that it may be the last copy", "")
        for path in lone
    ]
    return replace(plan, steps=(*removing, *relocating, *placing), left=(*plan.left, *left))


def _name_key(file: Path) -> tuple[Path, str]:
    """What a photo and the files that belong to it have in common."""
    return file.parent, file.name.partition(".")[0]


def _is_lone(step: ArrangeStep) -> bool:
    return not os.path.exists(step.source)  # noqa: PTH110 - a hundred thousand times


def _renamed_copies(
    placing: Iterable[ArrangeStep], stale: dict[Path, ArrangeStep]
) -> tuple[list[ArrangeStep], list[ArrangeStep]]:
    """The copies that can be renamed to where they are wanted, and the steps that are left.

    Args:
        placing: Steps that would copy.
        stale: Copies that are not wanted where they are, by path; those that are renamed go out.
    """
    occupied = set(stale)
    copies: dict[tuple[str, Path], list[Path]] = defaultdict(list)
    for path, step in stale.items():
        copies[step.image_id, step.source].append(path)
    relocating: list[ArrangeStep] = []
    copying: list[ArrangeStep] = []
    for step in placing:
        at = copies[step.image_id, step.source]
        status = status_of(str(at[-1])) if at and step.target not in occupied else None
        if status is None:
            copying.append(step)
            continue
        path = at.pop()
        del stale[path]
        relocating.append(
            replace(
                step,
                source=path,
                size=status.st_size,
                mtime_ns=modified_ns(status),
                action=StepAction.RELOCATE,
            )
        )
    return relocating, copying


def _count_unknown(folder: Path, known: Collection[Path], changed: Collection[Path]) -> int:
    """How many files in a folder no arrangement put there."""
    ours = {*known, *changed}
    count = 0
    for inside, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_ignored(name)]
        count += sum(not is_ignored(name) and Path(inside, name) not in ours for name in files)
    return count
