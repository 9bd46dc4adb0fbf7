"""The user's template of target names: ``{cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}``.

Fields and their specs are those of Python's format strings; a slash begins a folder, also in the
spec of a time. A value never does: a slash in a camera's name becomes ``_``. An unknown value is
written as the field's placeholder (``no camera``). The source's suffix is always appended.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from string import Formatter
from typing import Self

from organizer.arrange import names
from organizer.arrange.types import ArrangeItem, Value
from organizer.errors import SettingsError
from organizer.spelling import is_unicode, name_key

_SEPARATOR = re.compile(r"[/\\]")
_TIME = "%Y-%m-%d_%H-%M-%S"
_CLUSTER = frozenset(["cluster", "cluster_name"])
_EXAMPLE = "for example {cluster_name}/{stem}"


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A field that a template can use.

    Attributes:
        sample: A value of its type, on which a format spec is tried.
        missing: The placeholder for an unknown value.
    """

    sample: str | int | float | datetime
    missing: str


_MOMENT = datetime(2024, 5, 31, 23, 59, 58)  # noqa: DTZ001 - a camera's clock has no zone

FIELDS: Mapping[str, TemplateField] = {
    "cluster": TemplateField(7, "unsure"),
    "cluster_name": TemplateField("fox", "unsure"),
    "camera": TemplateField("camera", "no camera"),
    "deployment": TemplateField("deployment", "no deployment"),
    "event": TemplateField(_MOMENT, "no event"),
    "burst": TemplateField(_MOMENT, "no burst"),
    "taken_at": TemplateField(_MOMENT, "no time"),
    "stem": TemplateField("IMG_0001", "no name"),
    "suffix": TemplateField("jpg", "no suffix"),
    "name": TemplateField("IMG_0001.jpg", "no name"),
    "folder": TemplateField("folder", "no folder"),
    "below": TemplateField("a/b", ""),
}
"""The fields of every template. An event or a burst is the time of its first photo."""


@dataclass(frozen=True, slots=True)
class _FieldRef:
    """A field with its format spec, as used in a template."""

    name: str
    spec: str


_Piece = str | _FieldRef


@dataclass(frozen=True, slots=True)
class RenderedTarget:
    """A rendered target, whose names are not yet safe on every system.

    Attributes:
        folders: Names of folders, from the plan's folder downwards.
        stem: The name of the file without its suffix.
        cluster_depth: The depth of the folder that stands for the cluster, counted from 1; 0 where
            no folder does.
    """

    folders: Sequence[str]
    stem: str
    cluster_depth: int


@dataclass(frozen=True, slots=True)
class FolderTemplate:
    """A validated template; see the module.

    Attributes:
        text: As the user wrote it.
        components: The pieces of each folder's name, and last of the file's.
        fields: The fields that it can use.
    """

    text: str
    components: tuple[tuple[_Piece, ...], ...]
    fields: Mapping[str, TemplateField]

    @classmethod
    def parse(cls, text: str, *, fields: Mapping[str, TemplateField] = FIELDS) -> Self:
        """Read a template.

        Args:
            text: As the user wrote it. One that ends with a slash names folders only.
            fields: The fields that it can use.

        Raises:
            SettingsError: It has an unknown field or an invalid format spec, or leads out of the
                folder.
        """
        components = _split(_pieces(text, fields))
        if len(components) > 1 and components[0] == () and not text.startswith("{"):
            raise SettingsError(f"the template {text} begins with a slash", _EXAMPLE)
        *folders, last = components
        kept = [folder for folder in folders if folder and folder != (".",)]
        for component in (*kept, last):
            if all(isinstance(piece, str) for piece in component) and component:
                _require_inside(text, "".join(map(str, component)))
        return cls(text, (*kept, _without_suffix(last) or (_FieldRef("stem", ""),)), fields)

    def keeping_tree(self) -> Self:
        """The same template, with the source's folders below the ingested one kept."""
        below = (_FieldRef("below", ""),)
        if below in self.components:
            return self
        return replace(self, components=(*self.components[:-1], below, self.components[-1]))

    def render(self, values: Mapping[str, Value]) -> RenderedTarget:
        """The target of one photo.

        Args:
            values: By the name of the field; None or no entry for an unknown value.
        """
        folders: list[str] = []
        depth = 0
        for component in self.components[:-1]:
            made, at = self._component(component, values)
            if at is not None:
                depth = len(folders) + at + 1
            folders += [name for name in made if name]
        made, _ = self._component(self.components[-1], values)
        folders += [name for name in made[:-1] if name]
        return RenderedTarget(folders, made[-1], depth)

    def _component(
        self, pieces: tuple[_Piece, ...], values: Mapping[str, Value]
    ) -> tuple[list[str], int | None]:
        """The names that a component renders to, and which of them stands for the cluster."""
        made, of_cluster = [""], None
        for piece in pieces:
            if isinstance(piece, str):
                made[-1] += piece
                continue
            if piece.name in _CLUSTER:
                of_cluster = len(made) - 1
            first, *more = _texts(piece, values.get(piece.name), self.fields[piece.name])
            made[-1] += first
            made += more
        return made, of_cluster


ClusterKey = int | str | None
"""A cluster's id; for photos in no cluster the name of their folder, None where it has none."""


def distinct_clusters(items: Iterable[ArrangeItem]) -> dict[ClusterKey, str]:
    """The name of each cluster's folder; names that would share a folder get the id appended."""
    given = {cluster_key(item): item.fields.get("cluster_name") for item in items}
    missing = FIELDS["cluster_name"].missing
    named = {cluster: str(name or missing) for cluster, name in given.items()}
    groups: dict[str, list[ClusterKey]] = {}
    for cluster, name in named.items():
        groups.setdefault(name_key(names.safe_name(name)), []).append(cluster)
    for group in groups.values():
        for cluster in group:
            if len(group) > 1 and isinstance(cluster, int):
                named[cluster] += f" ({cluster})"
    return named


def cluster_key(item: ArrangeItem) -> ClusterKey:
    """The key of the folder that a photo goes into."""
    if item.cluster_id is not None:
        return item.cluster_id
    name = item.fields.get("cluster_name")
    return str(name) if name else None


def values_of(item: ArrangeItem, clusters: Mapping[ClusterKey, str]) -> dict[str, Value]:
    """The values of a template's fields for a photo."""
    folder, _, name = str(item.source).rpartition(os.sep)
    stem, dot, suffix = name.rpartition(".")
    stem, suffix = (stem, suffix) if dot and stem else (name, "")
    return {
        "cluster": item.cluster_id,
        "stem": stem,
        "suffix": suffix,
        "name": name,
        "folder": folder.rpartition(os.sep)[2],
        "below": item.below,
        **item.fields,
        "cluster_name": clusters[cluster_key(item)],
    }


def _texts(ref: _FieldRef, value: Value, field: TemplateField) -> list[str]:
    """A field's value as text: one name, or several where it makes folders."""
    if value is None or value == "":
        return [field.missing]
    if ref.name == "below":
        return str(value).split("/")
    if isinstance(value, str) and not isinstance(field.sample, str):  # text in place of a number
        return [value]
    if isinstance(value, datetime):
        return _SEPARATOR.split(format(value, ref.spec or _TIME))
    return [format(value, ref.spec)]


def _pieces(text: str, fields: Mapping[str, TemplateField]) -> list[_Piece]:
    pieces: list[_Piece] = []
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise SettingsError(f"the template {text} cannot be read: {error}", _EXAMPLE) from error
    for literal, name, spec, conversion in parsed:
        if literal:
            pieces.append(literal)
        if name is not None:
            _require_field(text, name, spec or "", conversion, fields)
            pieces.append(_FieldRef(name, spec or ""))
    if not is_unicode(text):
        raise SettingsError("the template is not valid UTF-8", _EXAMPLE)
    return pieces


def _require_field(
    text: str, name: str, spec: str, conversion: str | None, fields: Mapping[str, TemplateField]
) -> None:
    if name not in fields:
        near = difflib.get_close_matches(name.lower(), fields, n=1)
        meant = f"did you mean {{{near[0]}}}? " if near else ""
        raise SettingsError(
            f"a template has no field {{{name}}}", f"{meant}there are: {', '.join(fields)}"
        )
    if conversion:
        raise SettingsError(f"{{{name}!{conversion}}} cannot be in a template", f"write {{{name}}}")
    refusal = SettingsError(
        f"{{{name}:{spec}}} cannot be in a template",
        "a time is written as {taken_at:%Y-%m-%d}, a number with three digits as {cluster:03}",
    )
    if "{" in spec or (name == "below" and spec):
        raise refusal
    try:
        tried = format(fields[name].sample, spec)
    except ValueError as error:
        raise refusal from error
    if isinstance(fields[name].sample, datetime):
        for component in _SEPARATOR.split(tried):
            _require_inside(text, component)


def _require_inside(text: str, component: str) -> None:
    if component.strip() in {".", ".."}:
        raise SettingsError(
            f"the template {text} leads out of the folder: {component}", "leave it out"
        )


def _split(pieces: Sequence[_Piece]) -> list[tuple[_Piece, ...]]:
    """The pieces of each folder's name, and last of the file's."""
    components: list[list[_Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, str):
            first, *more = _SEPARATOR.split(piece)
            components[-1] += [first] if first else []
            components += [[text] if text else [] for text in more]
        else:
            components[-1].append(piece)
    return [tuple(component) for component in components]


def _without_suffix(pieces: tuple[_Piece, ...]) -> tuple[_Piece, ...]:
    """Leave out the suffix, which is always appended: of ``{stem}.{suffix}`` and ``{name}``."""
    if not pieces or isinstance(pieces[-1], str):
        return pieces
    if pieces[-1] == _FieldRef("name", ""):
        return (*pieces[:-1], _FieldRef("stem", ""))
    if pieces[-1] == _FieldRef("suffix", "") and len(pieces) > 1:
        before = pieces[-2]
        if before == ".":
            return pieces[:-2]
        if isinstance(before, str) and before.endswith("."):
            return (*pieces[:-2], before[:-1])
    return pieces
