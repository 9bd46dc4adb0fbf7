"""The options of an arrangement, and the folder that it may write to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arguments import require_flag, require_object, require_path, require_text
from organizer.arrange import FIELDS, ArrangeMode, ArrangeRecord, FolderTemplate
from organizer.errors import SettingsError
from organizer.library.duplicates.find import DuplicateOptions
from organizer.library.output_paths import resolve_output
from organizer.store import Store

READY_TEMPLATES = {
    "cluster": "{cluster_name}/{stem}",
    "name": "{cluster_name}/{stem}",
    "event": "{camera}/{event:%Y-%m-%d %H.%M}/{stem}",
    "camera": "{camera}/{stem}",
}
"""Ready templates by name."""

UNSURE_FOLDER, UNNAMED_FOLDER = "unsure", "unnamed"
"""The folder of unassigned images, and with --by name that of images in no named cluster."""

_PLAIN = "{stem}"
"""The template of duplicates: their folders are kept."""

_CLUSTER_FIELD = re.compile(r"\{cluster(_name)?[:}]")


@dataclass(frozen=True, slots=True)
class ArrangeOptions:
    """How to arrange photos in folders.

    Attributes:
        to: The folder, as it was typed.
        mode: What is done with the files.
        by: The name of a ready template.
        template: A template of one's own in its place; None for the ready one.
        keep_tree: Whether the folders that the photos are in now are kept below the new ones.
        duplicates: Arrange only the files that are not needed beside others, as the duplicates and
            bursts that are found so tell; they keep their folders unless there is a `template`. All
            files where None.
        among_photos: Whether links and copies may be put among ingested photos: into a folder that
            was ingested, is inside of one or holds one.
    """

    to: str | Path
    mode: ArrangeMode = ArrangeMode.LINK
    by: str = "cluster"
    template: str | None = None
    keep_tree: bool = False
    duplicates: DuplicateOptions | None = None
    among_photos: bool = False

    @property
    def folder(self) -> Path:
        """The folder as a path."""
        return Path(self.to)

    def checked(self) -> ArrangeOptions:
        """The same options, each known to be of its kind.

        Raises:
            SettingsError: One is not.
        """
        require_text("by", self.by)
        if self.template is not None:
            require_text("template", self.template)
        if self.duplicates is not None:
            require_object("duplicates", self.duplicates, DuplicateOptions)
        return replace(
            self,
            to=require_path("to", self.to),
            mode=require_object("mode", self.mode, ArrangeMode),
            keep_tree=require_flag("keep_tree", self.keep_tree),
            among_photos=require_flag("among_photos", self.among_photos),
        )

    def parsed(self) -> FolderTemplate:
        """Parse the template.

        Raises:
            SettingsError: It cannot be read, or no ready one has that name.
        """
        if self.template is None and self.by not in READY_TEMPLATES:
            raise SettingsError(
                f"--by cannot be {self.by!r}", f"it is one of {', '.join(READY_TEMPLATES)}"
            )
        template = FolderTemplate.parse(self._text, fields=FIELDS)
        return template.keeping_tree() if self.keep_tree or self._is_plain else template

    def to_keep(self, *, with_people: bool) -> dict[str, str | bool]:
        """What an update takes over of them, besides the text of the template."""
        by = self.by if self.template is None else ""
        return {"by": by, "keep_tree": self.keep_tree, "with_people": with_people}

    @property
    def needs_clusters(self) -> bool:
        """Whether the template names the cluster."""
        return _CLUSTER_FIELD.search(self._text) is not None

    @property
    def only_named(self) -> bool:
        """Whether clusters without a name share one folder."""
        return self.template is None and self.by == "name"

    @property
    def _text(self) -> str:
        return _PLAIN if self._is_plain else self.template or READY_TEMPLATES.get(self.by, "")

    @property
    def _is_plain(self) -> bool:
        return self.duplicates is not None and self.template is None


def resolve_target_folder(
    store: Store, options: ArrangeOptions, active: Sequence[ArrangeRecord]
) -> Path:
    """The target folder as an absolute path, if photos may be arranged there.

    Raises:
        SettingsError: It is a file, a photo, inside the library, or a folder that was ingested and
            whose photos would be moved about within it; links and copies would be put among
            ingested photos, which the options do not allow; or active symbolic links would break.
    """
    place = resolve_output(store, options.folder, option="--to")
    real = Path(os.path.realpath(place))
    if os.path.lexists(place) and not place.is_dir():
        raise SettingsError(f"{options.folder} is a file", "name a folder with --to")
    if options.mode is ArrangeMode.MOVE:
        _require_movable(store, real, options, active)
    elif not options.among_photos and all(record.plan.to != real for record in active):
        _require_apart(store, real, options)
    return real


def _require_apart(store: Store, to: Path, options: ArrangeOptions) -> None:
    for root in store.roots.all():
        if to == root.folder:
            where = "was ingested"
        elif to.is_relative_to(root.folder):
            where = f"is inside {root.folder}, which was ingested"
        elif root.folder.is_relative_to(to):
            where = f"holds {root.folder}, which was ingested"
        else:
            continue
        raise SettingsError(
            f"{options.folder} {where}: {options.mode} files would lie among your photos",
            "choose a folder of its own with --to, or add --yes if you want that",
        )


def _require_movable(
    store: Store, to: Path, options: ArrangeOptions, active: Sequence[ArrangeRecord]
) -> None:
    ours = {record.plan.to for record in active}
    if to not in ours and any(root.folder == to for root in store.roots.all()):
        raise SettingsError(
            f"{options.folder} was ingested: its photos would be moved about among themselves",
            f"name a new folder, for example --to {options.folder / 'sorted'}",
        )
    linked = [r for r in active if r.plan.mode is ArrangeMode.SYMLINK]
    if linked:
        raise SettingsError(
            f"the symbolic links in {linked[-1].plan.to} would lead nowhere",
            "undo that arrangement first: organizer arrange --undo",
        )
