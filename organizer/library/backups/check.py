"""Are the backups of a folder as they were written?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from organizer.errors import SettingsError, StoreError
from organizer.library.backups.folder import BackupFolder, BackupInfo
from organizer.library.progress import NoProgress, Progress
from organizer.store.safety.sealed_lines import content_digest


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """What became of a backup.

    Attributes:
        name: Its name.
        info: What it is of; None where that cannot be read.
        damaged: What is not as it was written, by the path in the library.
    """

    name: str
    info: BackupInfo | None
    damaged: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the library can be restored from it."""
        return self.info is not None and not self.damaged


def check_backups(source: Path, *, progress: Progress | None = None) -> list[BackupCheck]:
    """Read all contents of a folder of backups, each once, and compare them with their hashes.

    A content that is not as it was written is put aside in its folder, so that the next backup
    copies it again.

    Raises:
        SettingsError: There are no backups.
    """
    folder = BackupFolder(source)
    infos, unreadable = folder.all(), folder.unreadable()
    if not infos and not unreadable:
        raise SettingsError(f"there is no backup in {source}", "organizer backup FOLDER makes one")
    shown = progress or NoProgress()
    objects = list(folder.objects())
    shown.begin("reading backups", len(objects))
    sizes = {}
    for file in objects:
        size, found = content_digest(file)
        if found == file.name:
            sizes[found] = size
        else:
            file.rename(file.with_name(f"{file.name}.damaged"))
        shown.advance()
    checks = [BackupCheck(name, None, ("backup.json",)) for name in unreadable]
    for info in infos:
        try:
            files = folder.files_of(info)
        except StoreError:
            checks.append(BackupCheck(info.name, info, ("files.jsonl",)))
            continue
        damaged = [file.path for file in files if sizes.get(file.hash) != file.size]
        if not folder.has_lines(info):
            damaged.append("decisions.jsonl")
        checks.append(BackupCheck(info.name, info, tuple(damaged)))
    return sorted(checks, key=lambda check: check.name)
