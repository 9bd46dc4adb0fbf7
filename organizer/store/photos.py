"""Images, files and problems: what the library knows of the photos themselves."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from organizer.spelling import is_unicode, name_key
from organizer.store.choices import ChoiceTable
from organizer.store.conditions import one_of
from organizer.store.database import Database
from organizer.store.detections import DetectionTables
from organizer.store.file_index import FileImage, FileIndex, path_id
from organizer.store.file_lists import FileLists
from organizer.store.former_folders import FormerFolders
from organizer.store.gone_files import AbsentFiles, absent_files
from organizer.store.ids import IdArray, IdSet, contains_ids, pack_ids
from organizer.store.known_pictures import KnownPictures
from organizer.store.roots import RootTable
from organizer.store.schemas import FILES, IMAGES, PROBLEMS, ArrowTable
from organizer.types import (
    Box,
    Crop,
    FileState,
    ImageFacts,
    ImageRef,
    Outcome,
    Problem,
    ProcessedFile,
)

_ROWS_PER_UPSERT = 10_000
_SOUGHT_BY_ID = 4_000
"""Of more images than these all rows are read."""


@dataclass(frozen=True, slots=True)
class FormerFile:
    """What is known of a path and an image that it holds, or held before another one.

    Attributes:
        state: Whether it holds the image.
        file_hash: The hash of the bytes that were read there.
    """

    state: FileState
    file_hash: str


KnownFiles = dict[FileImage, FormerFile]

_PAIR = ("path_id", "image_id")
_TURNS = "turns"
"""The name among the choices of a library under which they are counted."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A path of an image.

    Attributes:
        box: The part of the picture that is meant, for a crop; None for all of it.
    """

    image_id: str
    file: Path
    state: FileState
    box: Box | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it was not there when last looked for."""
        return self.state is FileState.MISSING


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A path of an image, with what tells whether it is as it was.

    Attributes:
        image_id: The image.
        ref: The file as it was read.
        state: Whether it is there.
        file_hash: The hash of the bytes that were read there.
        picture_hash: The hash of the picture; see `ImageFacts`.
    """

    image_id: str
    ref: ImageRef
    state: FileState
    file_hash: str
    picture_hash: str


class PhotoTables:
    """Images, files and problems of one library.

    Attributes:
        with_people: Whether `files_of` gives the files of photos in quarantine too: those on which
            a detector found a person or a vehicle.
    """

    def __init__(
        self,
        database: Database,
        *,
        roots: RootTable,
        former_folders: FormerFolders,
        detections: DetectionTables,
    ) -> None:
        self._database = database
        self._roots = roots
        self._former_folders = former_folders
        self._detections = detections
        self._choices = ChoiceTable(database)
        self.with_people = False

    # Reading -------------------------------------------------------------------------------

    def index(self, starts: Sequence[Path], embedded: IdSet) -> FileIndex:
        """What is known of all files at or below some folders or files."""
        where = "picture_hash = '' OR view = ''"
        unread = self._database.read("images", ["image_id"], where=where)["image_id"]
        return FileIndex(
            self._database,
            self._roots.all(),
            starts,
            embedded,
            IdSet(pack_ids(unread.to_pylist())),
        )

    def known_pictures(self, embedded: IdSet) -> KnownPictures:
        """All images by the hashes that they are known by."""
        columns = ["image_id", "picture_hash", "file_hash", "view"]
        return KnownPictures(self._database.read("images", columns), embedded)

    def absent(
        self, seen: Mapping[Path, int], gone: Collection[FileImage]
    ) -> tuple[AbsentFiles, ...]:
        """See `absent_files`."""
        return absent_files(self._database, self._roots.all(), seen, gone)

    def image_ids(self) -> IdSet:
        """The ids of all images."""
        return IdSet(pack_ids(self._database.read("images", ["image_id"])["image_id"].to_pylist()))

    def facts_of(self, image_ids: Iterable[str]) -> dict[str, ImageFacts]:
        """What is known of some images; a crop has its frame's facts and the size of its box."""
        wanted = set(image_ids)
        table = self._rows_of("images", wanted, IMAGES.names)
        facts = {row["image_id"]: _facts(row) for row in table.to_pylist()}
        crops = self._detections.crops(wanted - facts.keys())
        if crops:
            frames = self.facts_of({crop.image_id for crop in crops.values()})
            for crop_id, crop in crops.items():
                if crop.image_id in frames:
                    facts[crop_id] = _cut(frames[crop.image_id], crop)
        return facts

    def table(self) -> ArrowTable:
        """What is kept of all images, one row each."""
        return self._database.read("images", IMAGES.names)

    def columns(self, *names: str) -> dict[str, NDArray[np.object_]]:
        """Some columns of all images, row by row alike; None stands where nothing is known."""
        table = self._database.read("images", list(names))
        return {name: np.array(table[name].to_pylist(), dtype=object) for name in names}

    def columns_of(self, image_ids: Set[str], *names: str) -> dict[str, list[Any]]:
        """Some columns of some images, row by row alike; see `columns`."""
        table = self._rows_of("images", image_ids, list(names))
        return {name: table[name].to_pylist() for name in names}

    def file_columns(self, *names: str) -> dict[str, list[Any]]:
        """Some columns of all files, also of those that are gone, row by row alike."""
        table = self._database.read("files", list(names))
        return {name: table[name].to_pylist() for name in names}

    def count_images(self) -> int:
        """Number of images."""
        return self._database.count("images")

    def count_files(self, state: FileState) -> int:
        """Number of files that were there, or not, when last looked for."""
        return self._database.count("files", f"state = '{state.value}'")

    def count_problems(self) -> int:
        """Number of files that could not be used."""
        return self._database.count("problems")

    def files_of(
        self, image_ids: Iterable[str] | None = None, *, with_people: bool | None = None
    ) -> dict[str, list[FileRow]]:
        """The files of some images, or of all: those that are there first, then by path.

        A crop has the files of its frame, with its box; crops are not among all images.

        Args:
            image_ids: The images; all photos where None.
            with_people: Whether also those in quarantine; the attribute where None.
        """
        rows = self._files_of(None if image_ids is None else set(image_ids))
        if self.with_people if with_people is None else with_people:
            return rows
        hidden = self._detections.quarantined(rows.keys())
        return {i: files for i, files in rows.items() if i not in hidden} if hidden else rows

    def hidden(self, image_ids: Collection[str]) -> set[str]:
        """Of some images those in quarantine, where these are not to be shown."""
        return set() if self.with_people else self._detections.quarantined(image_ids)

    def _files_of(self, image_ids: Set[str] | None) -> dict[str, list[FileRow]]:
        columns = ["image_id", "root_id", "path", "state"]
        if image_ids is None:
            table = self._database.read("files", columns)
        else:
            table = self._database.read_by_id("files", "image_id", image_ids, columns)
        folders = {root.root_id: root.folder for root in self._roots.all()}
        rows: dict[str, list[FileRow]] = {}
        for row in table.to_pylist():
            file = folders[row["root_id"]] / row["path"]
            found = FileRow(row["image_id"], file, FileState(row["state"]))
            rows.setdefault(found.image_id, []).append(found)
        for files in rows.values():
            files.sort(key=lambda row: (row.state is FileState.MISSING, str(row.file)))
        return rows if image_ids is None else rows | self._files_of_crops(image_ids - rows.keys())

    def _files_of_crops(self, image_ids: Set[str]) -> dict[str, list[FileRow]]:
        crops = self._detections.crops(image_ids) if image_ids else {}
        frames = self._files_of({crop.image_id for crop in crops.values()}) if crops else {}
        return {
            crop_id: [replace(row, image_id=crop_id, box=crop.box) for row in frames[crop.image_id]]
            for crop_id, crop in crops.items()
            if crop.image_id in frames
        }

    def file_lists(self, image_ids: Set[str] | None = None) -> FileLists:
        """The files of some images, or of all, to be looked up many at a time."""
        folders = {root.root_id: root.folder for root in self._roots.all()}
        columns = list(FileLists.COLUMNS)
        if image_ids is None:
            return FileLists(self._database.read("files", columns), folders)
        return FileLists(self._rows_of("files", image_ids, columns), folders)

    def facts_in_order(self, wanted: IdArray, *, rows: int) -> Iterator[list[ImageFacts]]:
        """What is known of some images, some rows at a time, in one pass over all.

        They come in the order in which the library got to know them.

        Args:
            wanted: Packed ids, ascending.
            rows: How many come at once; fewer only at the end.
        """
        waiting: list[ImageFacts] = []
        for batch in self._database.batches("images", IMAGES.names, rows=rows):
            keep = contains_ids(wanted, pack_ids(batch["image_id"].to_pylist()))
            waiting += [_facts(row) for row in batch.filter(pa.array(keep)).to_pylist()]
            while len(waiting) >= rows:
                yield waiting[:rows]
                del waiting[:rows]
        if waiting:
            yield waiting

    def extra_names(self) -> dict[str, bool]:
        """The names of further metadata, each with whether all that it names are numbers."""
        names: dict[str, bool] = {}
        for text in pc.unique(self._database.read("images", ["extra"])["extra"]).to_pylist():
            for name, value in (json.loads(text) if text else {}).items():
                names[name] = names.get(name, True) and not isinstance(value, str)
        return dict(sorted(names.items()))

    def held_files(self, image_ids: Set[str] | None = None) -> list[HeldFile]:
        """All files by path, each with the content that it held last, there or missing.

        Args:
            image_ids: Only files of these images; of all where None.
        """
        folders = {root.root_id: root.folder for root in self._roots.all()}
        if image_ids is None:
            columns = self._database.read("files", FILES.names[1:]).to_pydict()
            images = self._database.read("images", ["image_id", "picture_hash"]).to_pydict()
        else:
            columns = self._rows_of("files", image_ids, FILES.names[1:]).to_pydict()
            images = self._rows_of("images", image_ids, ["image_id", "picture_hash"]).to_pydict()
        pictures = dict(zip(images["image_id"], images["picture_hash"], strict=True))
        found: dict[tuple[int, str], HeldFile] = {}
        for root_id, path, image_id, size, mtime_ns, state, file_hash in zip(
            *columns.values(), strict=True
        ):
            if state == FileState.PRESENT or (root_id, path) not in found:
                ref = ImageRef(folders[root_id], path, size, mtime_ns)
                picture_hash = pictures.get(image_id, "")
                found[root_id, path] = HeldFile(
                    image_id, ref, FileState(state), file_hash, picture_hash
                )
        return sorted(found.values(), key=lambda held: (str(held.ref.root), held.ref.path))

    def files_holding(self, image_id: str) -> list[HeldFile]:
        """The files of an image, or of the frame of a crop, that are there; by path."""
        crop = self._detections.crops([image_id]).get(image_id)
        frame_id = image_id if crop is None else crop.image_id
        folders = {root.root_id: root.folder for root in self._roots.all()}
        rows = self._database.read_by_id("files", "image_id", [frame_id], FILES.names).to_pylist()
        picture_hash = self.picture_hashes([frame_id]).get(frame_id, "")
        found = [
            HeldFile(
                frame_id,
                ImageRef(folders[row["root_id"]], row["path"], row["size"], row["mtime_ns"]),
                FileState.PRESENT,
                row["file_hash"],
                picture_hash,
            )
            for row in rows
            if row["state"] == FileState.PRESENT
        ]
        return sorted(found, key=lambda held: str(held.ref.file))

    def first_files(self, image_ids: Iterable[str]) -> dict[str, HeldFile]:
        """Of some images the file whose metadata count, where one is there; see `ImageFacts`.

        Its `picture_hash` is left empty.
        """
        wanted = set(image_ids)
        folders = {root.root_id: root.folder for root in self._roots.all()}
        rows = self._rows_of("files", wanted, FILES.names).to_pylist()
        found: dict[str, tuple[str, HeldFile]] = {}
        for row in rows:
            if row["state"] != FileState.PRESENT:
                continue
            image_id = row["image_id"]
            ref = ImageRef(folders[row["root_id"]], row["path"], row["size"], row["mtime_ns"])
            place = str(ref.file)
            if image_id not in found or place < found[image_id][0]:
                held = HeldFile(image_id, ref, FileState.PRESENT, row["file_hash"], "")
                found[image_id] = place, held
        return {image_id: held for image_id, (_, held) in found.items()}

    def _rows_of(self, name: str, image_ids: Set[str], columns: Sequence[str]) -> ArrowTable:
        """The rows of some images: by their ids, or out of all where that is quicker."""
        if len(image_ids) <= _SOUGHT_BY_ID:
            return self._database.read_by_id(name, "image_id", image_ids, columns)
        rows = self._database.read(name, columns)
        return rows.filter(pc.is_in(rows["image_id"], pa.array(sorted(image_ids), pa.string())))

    def picture_hashes(self, image_ids: Iterable[str]) -> dict[str, str]:
        """The hashes of the pictures of some images; empty where one is not known yet."""
        columns = ["image_id", "picture_hash"]
        rows = self._database.read_by_id("images", "image_id", image_ids, columns)
        return dict(
            zip(rows["image_id"].to_pylist(), rows["picture_hash"].to_pylist(), strict=True)
        )

    def image_at(self, file: Path) -> str | None:
        """The id of the image that a path of the library holds, or None for any other path."""
        return self.images_at([file]).get(file)

    def images_at(self, files: Iterable[Path]) -> dict[Path, str]:
        """The images that paths of the library hold; other paths are left out."""
        roots = self._roots.all()
        file_of = {
            path_id(root.root_id, file.relative_to(root.folder).as_posix()): file
            for file in files
            for root in roots
            if file.is_relative_to(root.folder)
        }
        columns = ["path_id", "image_id", "state"]
        rows = self._database.read_by_id("files", "path_id", file_of, columns).to_pylist()
        rows.sort(key=lambda row: row["state"] == FileState.PRESENT)  # the last counts
        return {file_of[row["path_id"]]: row["image_id"] for row in rows}

    def files_ending(self, end: str) -> list[FileRow]:
        """The files whose paths end so, in any case unless one is spelled so.

        Args:
            end: The name of a file, with the folders above it or without, by slashes.
        """
        if not is_unicode(end):
            return []  # such files are problems, and never of the library
        table = self._database.read("files", ["image_id", "root_id", "path", "state"])
        name = unicodedata.normalize("NFC", end.rsplit("/", 1)[-1])
        composed = pc.utf8_normalize(table["path"], form="NFC")
        table = table.filter(pc.ends_with(composed, name, ignore_case=True))
        folders = {root.root_id: root.folder for root in self._roots.all()}
        key = name_key(f"/{end}")
        found = [
            FileRow(row["image_id"], file, FileState(row["state"]))
            for row in table.to_pylist()
            if name_key((file := folders[row["root_id"]] / row["path"]).as_posix()).endswith(key)
        ]
        return [row for row in found if row.file.as_posix().endswith(f"/{end}")] or found

    def known_ids(self, ids: Iterable[str]) -> set[str]:
        """Of some ids those of images and crops."""
        listed = list(ids)
        images = self._database.read_by_id("images", "image_id", listed, ["image_id"])
        crops = self._database.read_by_id("crops", "crop_id", listed, ["crop_id"])
        return {*images["image_id"].to_pylist(), *crops["crop_id"].to_pylist()}

    def images_below(self, folder: Path) -> list[str]:
        """The images of which a file lies in or below a folder, by path."""
        files = self.files_of(with_people=True)
        found = [
            (str(row.file), image_id)
            for image_id, rows in files.items()
            for row in rows
            if row.file.is_relative_to(folder)
        ]
        return list(dict.fromkeys(image_id for _, image_id in sorted(found)))

    def in_order_of_arrival(self, image_ids: Iterable[str]) -> list[str]:
        """Some images in the order in which the library got to know them."""
        where = " OR ".join(one_of("image_id", image_ids))
        rows = self._database.read("images", ["image_id"], where=where or "false")
        return rows["image_id"].to_pylist()  # type: ignore[no-any-return]

    def ids_beginning(self, digits: str) -> list[str]:
        """The ids of images, and of crops, that begin with some hexadecimal digits."""
        ids = self._database.read("images", ["image_id"])["image_id"].to_pylist()
        ids += self._database.read("crops", ["crop_id"])["crop_id"].to_pylist()
        return sorted(image_id for image_id in ids if image_id.startswith(digits))

    def problems(self) -> list[tuple[Path, Outcome, str]]:
        """The files that could not be used, by path, each with its outcome and reason."""
        folders = {root.root_id: root.folder for root in self._roots.all()}
        return sorted(
            (folders[row["root_id"]] / row["path"], Outcome(row["outcome"]), row["reason"])
            for row in self._database.read("problems").to_pylist()
        )

    def extra_of(self, name: str) -> dict[str, str | int | float]:
        """What one name of further metadata holds, by image; images without it are left out."""
        columns = self._database.read("images", ["image_id", "extra"]).to_pydict()
        pairs = zip(columns["image_id"], columns["extra"], strict=True)
        found = {i: json.loads(text) for i, text in pairs if text and f'"{name}"' in text}
        return {image_id: extra[name] for image_id, extra in found.items() if name in extra}

    def path_id(self, ref: ImageRef, root_ids: dict[Path, int]) -> str:
        """The key of a file's path."""
        return path_id(root_ids[ref.root], ref.path)

    def known_at(self, refs: Sequence[ImageRef], root_ids: dict[Path, int]) -> KnownFiles:
        """What is known of some paths, by path id and image id."""
        ids = [path_id(root_ids[ref.root], ref.path) for ref in refs]
        columns = ["path_id", "image_id", "state", "file_hash"]
        rows = self._database.read_by_id("files", "path_id", ids, columns).to_pylist()
        return {
            (row["path_id"], row["image_id"]): FormerFile(FileState(row["state"]), row["file_hash"])
            for row in rows
        }

    def files_in_state(self, image_ids: Iterable[str], state: FileState) -> list[FileImage]:
        """The files of some images that are there, or missing."""
        columns = ["path_id", "image_id", "state"]
        rows = self._database.read_by_id("files", "image_id", image_ids, columns).to_pylist()
        return sorted((row["path_id"], row["image_id"]) for row in rows if row["state"] == state)

    def all_in_state(self, state: FileState) -> list[FileImage]:
        """All files that are there, or missing."""
        where = f"state = '{state.value}'"
        rows = self._database.read("files", ["path_id", "image_id"], where=where).to_pylist()
        return sorted((row["path_id"], row["image_id"]) for row in rows)

    def turns(self) -> int:
        """How often images came to be shown otherwise: what is kept of their pixels is outdated."""
        return int(self._choices.get(_TURNS) or 0)

    # Writing -------------------------------------------------------------------------------

    def count_turn(self) -> None:
        """Note that images are shown otherwise from now on; see `turns`."""
        self._choices.set(_TURNS, self.turns() + 1)

    def add_images(self, facts: Sequence[ImageFacts]) -> None:
        """Add images that are not there; they become real with their first file."""
        if facts:
            self._database.append("images", _image_rows(facts))

    def update_images(self, facts: Sequence[ImageFacts]) -> None:
        """Write what is known of images anew."""
        for start in range(0, len(facts), _ROWS_PER_UPSERT):
            part = facts[start : start + _ROWS_PER_UPSERT]
            self._database.upsert("images", ["image_id"], _image_rows(part))

    def add_files(
        self,
        files: Sequence[ProcessedFile],
        root_ids: dict[Path, int],
        known: KnownFiles | None = None,
    ) -> None:
        """Write what files hold, in place of what was known of the same paths.

        Args:
            files: What was read.
            root_ids: The id of each root folder.
            known: What `known_at` gives for the files, where it is known already.
        """
        ids = [path_id(root_ids[file.ref.root], file.ref.path) for file in files]
        known = self.known_at([f.ref for f in files], root_ids) if known is None else known
        held = {
            (path, file.image_id): _file_row(path, root_ids[file.ref.root], file)
            for path, file in zip(ids, files, strict=True)
            if file.image_id is not None
        }
        # A file that could not be read this time may still hold what it held; one whose image got
        # no vector holds that image, with or without a vector of another embedder.
        read = {
            path
            for path, file in zip(ids, files, strict=True)
            if file.problem is None or file.problem.lasting or file.problem.image_id is not None
        }
        not_embedded = {
            (path, file.problem.image_id)
            for path, file in zip(ids, files, strict=True)
            if file.problem is not None
        }
        replaced = {
            pair
            for pair, former in known.items()
            if pair not in held
            and pair not in not_embedded
            and pair[0] in read
            and former.state is FileState.PRESENT
        }
        # What the paths hold now is written before what they held is struck out: between the two
        # an image may have a row too many, never one too few.
        rows = pa.Table.from_pylist(list(held.values()), schema=FILES)
        if known.keys() & held.keys():
            self._database.upsert("files", _PAIR, rows)
        else:
            self._database.append("files", rows)
        self.mark(replaced, FileState.MISSING)
        self._replace_problems(ids, [f.problem for f in files if f.problem is not None], root_ids)

    def add_problems(self, problems: Sequence[Problem], root_ids: dict[Path, int]) -> None:
        """Write what could not be used, in place of what was known of the same paths."""
        ids = [path_id(root_ids[p.ref.root], p.ref.path) for p in problems]
        self._replace_problems(ids, problems, root_ids)

    def _replace_problems(
        self, ids: Sequence[str], problems: Sequence[Problem], root_ids: dict[Path, int]
    ) -> None:
        if self._database.count("problems"):
            self._database.delete_by_id("problems", "path_id", ids)
        rows = [_problem_row(root_ids[problem.ref.root], problem) for problem in problems]
        self._database.append("problems", pa.Table.from_pylist(rows, schema=PROBLEMS))

    def mark(self, files: Iterable[FileImage], state: FileState) -> None:
        """Note that files are gone, which forgets nothing, or that they are there again."""
        wanted = set(files)
        rows = self._database.read_by_id("files", "path_id", (path for path, _ in wanted))
        pairs = zip(rows["path_id"].to_pylist(), rows["image_id"].to_pylist(), strict=True)
        rows = rows.filter(pa.array([pair in wanted for pair in pairs], pa.bool_()))
        states = pa.array([state.value] * len(rows), pa.string())
        rows = rows.set_column(rows.column_names.index("state"), "state", states)
        for start in range(0, len(rows), _ROWS_PER_UPSERT):
            self._database.upsert("files", _PAIR, rows.slice(start, _ROWS_PER_UPSERT))

    def read_again(self, image_ids: Collection[str]) -> None:
        """Have the next ingest read the files of images, as if they had changed."""
        rows = self._rows_of("files", set(image_ids), FILES.names)
        never = pa.array([0] * len(rows), pa.int64())
        place = rows.schema.get_field_index("mtime_ns")
        rows = rows.set_column(place, "mtime_ns", never)
        self._database.upsert("files", ["path_id", "image_id"], rows)

    def forget_files(self, files: Iterable[FileImage]) -> None:
        """Remove files whose content was found elsewhere; their folders are remembered."""
        pairs = set(files)
        columns = ["path_id", "image_id", "root_id", "path"]
        rows = self._database.read_by_id("files", "path_id", (p for p, _ in pairs), columns)
        # First: a kill in between forgets nothing.
        self._former_folders.remember(
            (row["image_id"], row["root_id"], row["path"])
            for row in rows.to_pylist()
            if (row["path_id"], row["image_id"]) in pairs
        )
        self._database.delete_pairs("files", _PAIR, pairs)

    def forget_problems(self, path_ids: Iterable[str]) -> None:
        """Remove problems of files that are gone."""
        self._database.delete_by_id("problems", "path_id", path_ids)


def _image_rows(facts: Sequence[ImageFacts]) -> ArrowTable:
    rows = {name: [getattr(fact, name) for fact in facts] for name in IMAGES.names}
    rows["extra"] = [_extra(fact) for fact in facts]
    return pa.table(rows, schema=IMAGES)


def _extra(fact: ImageFacts) -> str:
    return json.dumps(dict(fact.extra), sort_keys=True, ensure_ascii=False) if fact.extra else ""


def _facts(row: dict[str, Any]) -> ImageFacts:
    return ImageFacts(**{**row, "extra": json.loads(row["extra"]) if row["extra"] else {}})


def _cut(frame: ImageFacts, crop: Crop) -> ImageFacts:
    left, upper, right, lower = crop.box.pixels(frame.width, frame.height)
    return replace(frame, image_id=crop.crop_id, width=right - left, height=lower - upper)


def _file_row(path: str, root_id: int, file: ProcessedFile) -> dict[str, object]:
    ref = file.ref
    return {
        "path_id": path,
        "root_id": root_id,
        "path": ref.path,
        "image_id": file.image_id,
        "size": ref.size,
        "mtime_ns": ref.mtime_ns,
        "state": FileState.PRESENT.value,
        "file_hash": file.file_hash,
    }


def _problem_row(root_id: int, problem: Problem) -> dict[str, object]:
    ref = problem.ref
    return {
        "path_id": path_id(root_id, ref.path),
        "root_id": root_id,
        "path": ref.path,
        "size": ref.size,
        "mtime_ns": ref.mtime_ns,
        "outcome": problem.outcome.value,
        "reason": problem.reason,
        "lasting": problem.lasting,
    }
