"""What ``organizer backup`` and ``organizer restore`` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from organizer.cli.next_step import say_next
from organizer.cli.output import count_text, print_json, print_line, print_table
from organizer.cli.session import say
from organizer.typed import as_typed

if TYPE_CHECKING:
    from organizer.library.backups import BackupCheck, BackupReport, RestoreReport

_MEGABYTE = 1e6


def print_backup(report: BackupReport, *, json: bool) -> None:
    """What was backed up."""
    if json:
        print_json(
            {
                "backup": report.folder,
                "files": report.files,
                "bytes": report.bytes,
                "copied": report.copied,
                "copied_bytes": report.copied_bytes,
                "images": report.images,
                "decisions": report.decisions,
                "removed": list(report.removed),
            }
        )
        return
    print_line(
        f"{report.folder}: {count_text(report.images, 'image')}, "
        f"{count_text(report.decisions, 'decision')}"
    )
    print_line(
        f"{count_text(report.files, 'file')}, {_size(report.bytes)}; new of them "
        f"{report.copied:,}, {_size(report.copied_bytes)}"
    )
    if report.removed:
        say(f"removed: {', '.join(report.removed)}")
    folder = as_typed(report.folder.parent)
    say_next("to compare it with its hashes", f"organizer backup {folder} --check")


def print_restore(report: RestoreReport, *, json: bool) -> None:
    """What was restored."""
    if json:
        print_json(
            {
                "library": report.library,
                "backup": report.backup.name,
                "images": report.backup.images,
                "decisions": report.backup.decisions,
                "files": report.files,
            }
        )
        return
    print_line(
        f"{report.library}: as it was at {report.backup.name}, with "
        f"{count_text(report.backup.images, 'image')} and "
        f"{count_text(report.backup.decisions, 'decision')}"
    )
    say("organizer ingest looks for photos that came, went or changed since")


def print_checks(checks: Sequence[BackupCheck], *, json: bool) -> None:
    """Which backups are whole."""
    if json:
        rows = [
            {
                "backup": check.name,
                "whole": check.is_whole,
                "images": check.info.images if check.info else None,
                "decisions": check.info.decisions if check.info else None,
                "damaged": list(check.damaged),
            }
            for check in checks
        ]
        print_json({"backups": rows})
        return
    print_table(
        ["backup", ">images", ">decisions", "state"],
        [
            [
                check.name,
                f"{check.info.images:,}" if check.info else "-",
                f"{check.info.decisions:,}" if check.info else "-",
                "whole" if check.is_whole else f"damaged: {', '.join(check.damaged[:3])}",
            ]
            for check in checks
        ],
    )
    if not all(check.is_whole for check in checks):
        say("hint: make a new backup; what is damaged is copied again where the library has it")


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB"
