"""What people decided in a library of an older format, copied before it is migrated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from organizer.atomic import replace_atomically
from organizer.durable import make_folders
from organizer.store.safety.sealed_lines import Line, seal

_DECIDED = ("decisions", "answers", "choices", "deployments", "heads", "clusterings")
"""Tables of format 4 and older in which decisions were."""
_BESIDE = ("library.json", "journal.sqlite")


def copy_before(path: Path, schema: int) -> None:
    """Copy the decisions of a library, once; it stays for whoever wants to look.

    Args:
        path: The library's folder.
        schema: Its format.

    Raises:
        OSError: There is no room for it. Nothing has been migrated then.
    """
    to = path / "safety" / f"format-{schema}"
    if to.exists():
        return
    make_folders(to.parent)
    with replace_atomically(to, folder=True) as partial:
        for name in _BESIDE:
            if (path / name).is_file():
                shutil.copyfile(path / name, partial / name)
        lines = b"".join(seal(line) for name in _DECIDED for line in _rows(path, name))
        if lines:
            (partial / "decisions.jsonl").write_bytes(lines)


def _rows(path: Path, name: str) -> Iterator[Line]:
    import lance

    folder = path / f"{name}.lance"
    if any(folder.glob("_versions/*.manifest")):
        for row in lance.dataset(str(folder)).to_table().to_pylist():
            yield {"table": name, **row}
