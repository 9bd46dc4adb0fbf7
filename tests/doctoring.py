"""Damage done to single files of a library, and what a doctor makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organizer.errors import OrganizerError, StoreError
from organizer.library import Library
from organizer.library.doctor import Doctor, MendReport
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.safety.sealed_lines import read_lines, write_lines
from tests.damages import Harm, half, nothing

_DECIDED = {
    "steps": "SELECT step_id, at, kind, about, user FROM steps",
    "decisions": "SELECT * FROM decisions",
    "answers": "SELECT * FROM answers",
    "choices": "SELECT * FROM choices",
    "deployments": "SELECT * FROM deployments",
}
_LOCKS = frozenset({"lock", "ingest", "readers", "arrangement.lock", "journal.sqlite-journal"})


def flipped(data: bytes) -> bytes:
    """One bit in the middle is another one."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


HARMS: dict[str, Harm | None] = {"flipped": flipped, "cut": half, "emptied": nothing, "gone": None}


@dataclass(frozen=True, slots=True)
class Known:
    """What a library knows.

    Attributes:
        decided: The rows that people made.
        names: The names of clusters.
        members: The cluster and state of each image.
        files: The image of each file.
        vectors: The number of vectors, by embedder.
        detections: What detectors saw.
    """

    decided: dict[str, list[dict[str, Any]]]
    names: dict[int, str]
    members: dict[str, tuple[int, str]]
    files: dict[str, str]
    vectors: dict[str, int]
    detections: int

    @classmethod
    def of(cls, home: Path) -> Known:
        database = Database(home / ".organizer")
        decided = {table: database.journal.rows(query) for table, query in _DECIDED.items()}
        database.close()
        with Library.open(home, Settings()) as library:
            store, current = library.store, library.store.clusterings.current()
            members = {}
            if current is not None:
                found = store.clusterings.assignments(current.clustering_id)
                rows = zip(found.image_ids, found.cluster_ids, found.states, strict=True)
                members = {i: (int(cluster), state) for i, cluster, state in rows}
            columns = store.photos.file_columns("path", "image_id")
            return cls(
                decided,
                dict(library.corrections.constraints().names),
                members,
                dict(zip(columns["path"], columns["image_id"], strict=True)),
                {spec.name: store.vectors.count(spec) for spec in store.vectors.specs()},
                store.detections.count(),
            )

    def differences(self, other: Known) -> list[str]:
        """What another one knows otherwise; of decisions, what it does not know any more."""
        others = [
            n for n in Known.__slots__ if n != "decided" if getattr(self, n) != getattr(other, n)
        ]
        lost = any(
            row not in other.decided[table] for table, rows in self.decided.items() for row in rows
        )
        return ["decided"] * lost + others


def files_of(home: Path) -> list[str]:
    """The files of a library, but for locks."""
    folder = home / ".organizer"
    found = (file for file in folder.rglob("*") if file.is_file() and file.name not in _LOCKS)
    return sorted(file.relative_to(folder).as_posix() for file in found)


def kind_of(name: str) -> str:
    """What a file of a library is, whatever it is called this time."""
    parts = name.split("/")
    if parts[0].endswith(".lance"):
        return "/".join([parts[0].split("_")[0].removesuffix(".lance"), parts[1]])
    return parts[0] if len(parts) == 1 else f"{parts[0]}/{parts[-1].split('-')[0]}"


def harm(home: Path, name: str, how: Harm | None) -> bool:
    """Do damage to a file; whether it is another one after it."""
    file = home / ".organizer" / name
    before = file.read_bytes()
    if how is None:
        file.unlink()
        return True
    if not before:
        return False
    file.write_bytes(how(before))
    return True


@dataclass(frozen=True)
class Mended:
    """What came of one damage.

    Attributes:
        errors: What the ways to use the library raised before it was mended.
        report: What the doctor did.
        lacking: What is not as it was before.
    """

    errors: tuple[BaseException, ...]
    report: MendReport
    lacking: tuple[str, ...]

    def complaints(self) -> list[str]:
        """What should not be."""
        found = [repr(e) for e in self.errors if not isinstance(e, OrganizerError)]
        damage = [e for e in self.errors if isinstance(e, StoreError) and "damaged" in e.message]
        found += [f"no doctor in {e.hint!r}" for e in damage if "organizer doctor" not in e.hint]
        others = [e for e in self.errors if isinstance(e, OrganizerError) and e not in damage]
        found += [f"not called damage: {e.message}" for e in others]
        found += [f"left: {finding}" for finding in self.report.left.damage]
        if self.errors and not self.report.mended:
            found.append(f"nothing was mended of {self.errors[0]}")
        if self.lacking and not any(f.advice for f in self.report.mended):
            found.append(f"not told: {self.lacking}")
        for never in ("decided", "names"):
            if never in self.lacking:
                found.append(f"lost: {never}")
        return found


def forget_content(home: Path) -> None:
    """Have no content of files among the safety copies, as of a library whose files are large."""
    file = home / ".organizer" / "safety" / "files.jsonl"
    lines = list(read_lines(file))
    write_lines(file, [{k: v for k, v in line.items() if k != "bytes"} for line in lines])


def forget_copies(home: Path) -> None:
    """Have no safety copies but the readable decisions."""
    for file in (home / ".organizer" / "safety").glob("[fj]*"):
        file.unlink()


def mend_one(
    sound: Path,
    home: Path,
    name: str,
    how: Harm | None,
    known: Known,
    *,
    before: Callable[[Path], None] = lambda _: None,
) -> Mended | None:
    """Damage one file of a copy of a library, use it, mend it; None where there is no damage."""
    shutil.copytree(sound, home)
    before(home)
    if not (home / ".organizer" / name).exists():
        return None
    if not harm(home, name, how):
        return None
    errors = tuple(_use(home))
    report = Doctor(home, Settings()).mend()
    return Mended(errors, report, tuple(known.differences(Known.of(home))))


def _use(home: Path) -> Iterator[BaseException]:
    ways: list[Callable[[Library], object]] = [
        lambda library: library.status(),
        lambda library: library.clusters.summaries(),
        lambda library: library.problems(),
        lambda library: library.assignments(),
        lambda library: library.detections.locations(),
        lambda library: library.store.vectors.read(library.store.vectors.specs()[0]),
    ]
    for way in ways:
        try:
            with Library.open(home, Settings()) as library:
                way(library)
        except BaseException as error:  # noqa: BLE001 - a panic of Rust is no Exception
            yield error
