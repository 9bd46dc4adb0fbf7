"""What a library says of itself, by its commands."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Ran
from tests.warm import Warm

_DONE = "exit code 0"

REPORTS: dict[str, tuple[str, ...]] = {
    "status": ("status", "--json"),
    "clusters": ("clusters", "--json"),
    "history": ("clusters", "history", "--json"),
    "problems": ("problems", "--json"),
    "deployments": ("deployments", "--json"),
    "detections": ("detections", "--json"),
    "review": ("review", "--json"),
    "images": ("export", "csv", "--to", "-", "--with-people"),
}
"""What a library is asked for, in the order in which it is printed."""


@dataclass(frozen=True)
class Facts:
    """What a library reports, and the files in folders that it wrote.

    Attributes:
        reports: What each of `REPORTS` printed.
        files: The hash of the content of each file, by its path on the disk.
        failure: Why it reports nothing; empty where it does.
    """

    reports: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """What is known of each image."""
        printed = self.reports["images"].removesuffix(_DONE)
        return list(csv.DictReader(io.StringIO(printed)))

    @property
    def clusters(self) -> dict[str, str]:
        """The cluster of each image, by the path."""
        return {row["path"]: row["cluster_id"] for row in self.rows}

    def cluster_with(self, part: str) -> int:
        """The cluster of the first image whose path holds a word."""
        return int(next(row["cluster_id"] for row in self.rows if part in row["path"]))

    @property
    def groups(self) -> set[frozenset[str]]:
        """Who is with whom."""
        found: dict[str, set[str]] = {}
        for path, cluster in self.clusters.items():
            found.setdefault(cluster, set()).add(path)
        return {frozenset(group) for group in found.values()}

    def lacking_in(self, found: Facts) -> list[str]:
        """What a library that should report the same reports otherwise."""
        if found.failure:
            return [found.failure]
        other = [name for name in self.reports if self.reports[name] != found.reports[name]]
        gone = [name for name, content in self.files.items() if found.files.get(name) != content]
        files = [f"{len(gone)} files are not there, such as {gone[0]}"] if gone else []
        return [f"{name} differs" for name in other] + files


def look(
    warm: Warm, home: Path, *, folders: Sequence[str] = (), reports: Sequence[str] = (*REPORTS,)
) -> Facts:
    """All that a library reports, and what is in some of its folders."""
    ran, printed = warm.run_all([REPORTS[name] for name in reports], cwd=home)
    if "damaged" in ran.err or len(printed) < len(reports) or not printed[0].endswith(_DONE):
        return Facts({}, failure=what_failed(ran))
    files = [file for name in folders for file in (home / name).rglob("*") if file.is_file()]
    return Facts(
        dict(zip(reports, printed, strict=True)),
        {
            str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        },
    )


def what_failed(ran: Ran) -> str:
    """The exit code of a command, and its error."""
    lines = ran.err.strip().splitlines() or ["nothing"]
    errors = [line for line in lines if line.startswith("error:")]
    first = next((line for line in errors if "damaged" in line), [*errors, lines[-1]][0])
    return f"exit code {ran.code}: {first:.240}"
