"""The user's template of target names: ``{cluster_name}/{camera}/{taken_at:%Y-%m-%d}_{stem}``.

Fields and their specs are those of Python's format strings; a slash begins a folder, also in the
spec of a time. A value never does: a slash in a camera's name becomes ``_``. What is not known has
a word of its own. The source's suffix is appended always.
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

_SEPARATOR = re.compile(r"[/\\]")
_TIME = "%Y-%m-%d_%H-%M-%S"
_CLUSTER = frozenset(["cluster", "cluster_name"])
_EXAMPLE = "for example {cluster_name}/{stem}"


@dataclass(frozen=True, slots=True)
class TemplateField:
    """What a template can name.

    Attributes:
        sample: A value of its kind: a template's spec is tried on it.
        missing: What stands for it where nothing is known.
    """

    sample: str | int | float | datetime
    missing: str


_MOMENT = datetime(2024, 5, 31, 23, 59, 58)  # noqa: DTZ001 - as a camera's clock says it

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
"""The fields that every template can name. An event or a burst is the time of its first photo."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A field as a template uses it."""

    name: str
    spec: str


_Piece = str | _Use


@dataclass(frozen=True, slots=True)
class RenderedTarget:
    """A target, not yet made safe.

    Attributes:
        folders: Names of folders, from the plan's folder downwards.
        stem: The name of the file without its suffix.
        cluster_depth: How many of the folders lead to the one that stands for the cluster, it
            included; 0 where none does.
    """

    folders: Sequence[str]
    stem: str
    cluster_depth: int


@dataclass(frozen=True, slots=True)
class FolderTemplate:
    """A template that has been checked; see the module.

    Attributes:
        text: As the user wrote it.
        components: What makes each folder, and last the file.
        fields: What can be named.
    """

    text: str
    components: tuple[tuple[_Piece, ...], ...]
    fields: Mapping[str, TemplateField]

    @classmethod
    def parse(cls, text: str, *, fields: Mapping[str, TemplateField] = FIELDS) -> Self:
        """Read a template.

        Args:
            text: As the user wrote it. One that ends with a slash names folders only.
            fields: What it can name.

        Raises:
            SettingsError: It names an unknown field, uses one in a way that cannot be, or leads
                out of the folder.
        """
        components = _split(_pieces(text, fields))
        if len(components) > 1 and components[0] == () and not text.startswith("{"):
            raise SettingsError(f"the template {text} begins with a slash", _EXAMPLE)
        *folders, last = components
        kept = [folder for folder in folders if folder and folder != (".",)]
        for component in (*kept, last):
            if all(isinstance(piece, str) for piece in component) and component:
                _require_inside(text, "".join(map(str, component)))
        return cls(text, (*kept, _without_suffix(last) or (_Use("stem", ""),)), fields)

    @property
    def names_cluster(self) -> bool:
        """Whether a folder stands for the cluster, so that folders can be read back."""
        return any(map(_is_of_cluster, self.components[:-1]))

    def keeping_tree(self) -> Self:
        """The template with the source's folders, below the one that was ingested, kept."""
        below = (_Use("below", ""),)
        if below in self.components:
            return self
        return replace(self, components=(*self.components[:-1], below, self.components[-1]))

    def render(self, values: Mapping[str, Value]) -> RenderedTarget:
        """The target of one photo.

        Args:
            values: By the name of the field; None and what is not there are missing.
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
        """The names that a component makes, and which of them stands for the cluster."""
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


Cluster = int | str | None
"""A cluster by its id, or those in no cluster by the name of their folder; None for the unsure."""


def distinct_clusters(items: Iterable[ArrangeItem]) -> dict[Cluster, str]:
    """The name of each cluster's folder: two that would be one folder have the id behind them."""
    said = {cluster_of(item): item.fields.get("cluster_name") for item in items}
    missing = FIELDS["cluster_name"].missing
    named = {cluster: str(name or missing) for cluster, name in said.items()}
    groups: dict[str, list[Cluster]] = {}
    for cluster, name in named.items():
        groups.setdefault(names.name_key(names.safe_name(name)), []).append(cluster)
    for group in groups.values():
        for cluster in group:
            if len(group) > 1 and isinstance(cluster, int):
                named[cluster] += f" ({cluster})"
    return named


def cluster_of(item: ArrangeItem) -> Cluster:
    """What shares the folder of a photo."""
    if item.cluster_id is not None:
        return item.cluster_id
    name = item.fields.get("cluster_name")
    return str(name) if name else None


def values_of(item: ArrangeItem, clusters: Mapping[Cluster, str]) -> dict[str, Value]:
    """What a template can name of a photo."""
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
        "cluster_name": clusters[cluster_of(item)],
    }


def _texts(use: _Use, value: Value, field: TemplateField) -> list[str]:
    """What a field becomes: a name, or several where it makes folders."""
    if value is None or value == "":
        return [field.missing]
    if use.name == "below":
        return str(value).split("/")
    if isinstance(value, str) and not isinstance(field.sample, str):  # a word for a number
        return [value]
    if isinstance(value, datetime):
        return _SEPARATOR.split(format(value, use.spec or _TIME))
    return [format(value, use.spec)]


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
            pieces.append(_Use(name, spec or ""))
    if not names.is_text_name(text):
        raise SettingsError("the template is no valid UTF-8", _EXAMPLE)
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
    """Pieces by the folder or file of which they make the name."""
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
    """A file's name without the suffix that is appended anyway: ``{stem}.{suffix}``, ``{name}``."""
    if not pieces or isinstance(pieces[-1], str):
        return pieces
    if pieces[-1] == _Use("name", ""):
        return (*pieces[:-1], _Use("stem", ""))
    if pieces[-1] == _Use("suffix", "") and len(pieces) > 1:
        before = pieces[-2]
        if before == ".":
            return pieces[:-2]
        if isinstance(before, str) and before.endswith("."):
            return (*pieces[:-2], before[:-1])
    return pieces


def _is_of_cluster(pieces: tuple[_Piece, ...]) -> bool:
    return any(isinstance(piece, _Use) and piece.name in _CLUSTER for piece in pieces)
