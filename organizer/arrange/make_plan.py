"""Photos and a template -> a plan in which no two files share a target.

Nothing is touched. Every folder, of sources and of targets, is listed once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from organizer.arrange.photo_units import PhotoUnit, UnitBuilder
from organizer.arrange.sidecars import Sidecar
from organizer.arrange.template import FolderTemplate, cluster_key
from organizer.arrange.types import ArrangeItem, ArrangeMode, ArrangePlan, ArrangeStep, LeftFile
from organizer.arrange.unique_names import TargetNames, unique_suffix
from organizer.errors import SettingsError
from organizer.spelling import is_unicode, name_key


def make_plan(
    items: Iterable[ArrangeItem],
    *,
    to: Path,
    mode: ArrangeMode,
    template: FolderTemplate,
    placed: Mapping[str, ArrangeStep] | None = None,
    vacated: Collection[Path] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> ArrangePlan:
    """Plan where each photo goes.

    Photos whose names would be equal (or differ only by case or normalisation) each get a suffix
    made from their content, so that it is the same in the next run. A photo that is at its target
    already keeps its name.

    Args:
        items: The photos; their order does not matter.
        to: The folder into which they go.
        mode: What is to be done.
        template: The names of targets.
        placed: What earlier arrangements put where, by target; see `journal.placed_by_journals`.
        vacated: Files of an earlier arrangement whose names are free unless their photo keeps them.
        advance: Called with the number of photos that are planned.

    Raises:
        SettingsError: `to` is a file, or its name is not valid UTF-8.
    """
    to = Path(os.path.abspath(to))  # noqa: PTH100 - a link stays one
    if not is_unicode(str(to)):
        raise SettingsError("the name of the folder is not valid UTF-8", "choose another --to")
    if os.path.lexists(to) and not to.is_dir():
        raise SettingsError(f"{to} is a file", "name a folder with --to")
    builder = UnitBuilder(to, mode, template)
    builder.build(sorted(items, key=lambda item: str(item.source)), advance)
    targets = TargetNames(to, mode, placed or {}, vacated)
    units, nameless = targets.choose(builder.units)
    return _Planner(builder, targets, [*builder.left, *nameless]).plan(units)


@dataclass(slots=True)
class _Planner:
    """Makes steps of units that have their names."""

    builder: UnitBuilder
    targets: TargetNames
    left: list[LeftFile]
    steps: list[ArrangeStep] = field(default_factory=list)
    there: list[ArrangeStep] = field(default_factory=list)

    def plan(self, units: list[PhotoUnit]) -> ArrangePlan:
        """The plan, its steps in the order of the sources."""
        taken: dict[str, Path] = {}
        safe_files = 0
        for unit in units:
            refusal = self.targets.why_unlisted(unit.folder)
            if refusal:
                why = f"{unit.folder} cannot be a folder: {refusal}"
                self.left.append(LeftFile(unit.item.source, why, unit.item.image_id))
                continue
            suffix = unique_suffix(unit.item, unit.level)
            safe_files += unit.stem.removesuffix(suffix) != unit.raw_stem
            (self.there if unit.is_there else self.steps).append(self._photo_step(unit))
            for sidecar in unit.sidecars:
                step = _sidecar_step(unit, sidecar)
                owner = taken.setdefault(name_key(str(step.target)), step.source)
                if owner is step.source:
                    self._add_sidecar(unit, step)
                elif owner != step.source:  # sidecars of two photos that are there already
                    self.left.append(LeftFile(step.source, f"{step.target} is for {owner}", ""))
        return ArrangePlan(
            self.builder.to,
            self.builder.mode,
            tuple(self.steps),
            tuple(self.there),
            tuple(dict.fromkeys(self.left)),
            self.builder.template.text,
            safe_files + len(self.builder.changed),
            sum(unit.level > 0 for unit in units),
        )

    def _photo_step(self, unit: PhotoUnit) -> ArrangeStep:
        item = unit.item
        name = self.builder.clusters[cluster_key(item)]
        why = f"{name}: it is in no cluster" if item.cluster_id is None else f"in {name}"
        why = item.why or why
        if unit.level:
            why += "; another file has the name without the suffix"
        return ArrangeStep(
            item.source, Path(unit.target), why, item.image_id, item.cluster_id,
            item.size, item.mtime_ns, unit.cluster_folder, item.file_hash, item.picture_hash,
        )  # fmt: skip

    def _add_sidecar(self, unit: PhotoUnit, step: ArrangeStep) -> None:
        """Add a sidecar to the steps, to what is there, or to what is left.

        Beside a photo that is at its target already, it may be there too, or another file may have
        its place.
        """
        if not unit.is_there or not self.targets.is_taken(unit.folder, step.target.name):
            self.steps.append(step)
        elif self.targets.holds(str(step.target), str(step.source), ""):
            self.there.append(step)
        else:
            self.left.append(LeftFile(step.source, f"another {step.target} is there", ""))


def _sidecar_step(unit: PhotoUnit, sidecar: Sidecar) -> ArrangeStep:
    return ArrangeStep(
        Path(sidecar.path),
        Path(f"{unit.folder}{os.sep}{unit.name(sidecar.tail)}"),
        f"goes with {unit.item.source.name}",
        "",
        unit.item.cluster_id,
        sidecar.size,
        sidecar.mtime_ns,
        unit.cluster_folder,
    )
