"""Backups: one state of a library in another folder, as often as one likes, and back.

A folder of backups holds the content of files by their hash, each once, and a folder for each
backup, named after its time: the list of its files and, in readable lines, what people decided.
"""

from __future__ import annotations

from organizer.library.backups.check import BackupCheck, check_backups
from organizer.library.backups.folder import BackupFolder, BackupInfo
from organizer.library.backups.make import BackupReport, make_backup
from organizer.library.backups.restore import RestoreReport, restore_backup

__all__ = [
    "BackupCheck",
    "BackupFolder",
    "BackupInfo",
    "BackupReport",
    "RestoreReport",
    "check_backups",
    "make_backup",
    "restore_backup",
]
