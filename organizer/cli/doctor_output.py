"""What ``organizer doctor`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organizer.cli.output import count_text, print_json, print_line
from organizer.cli.session import say
from organizer.library.doctor import Remedy

if TYPE_CHECKING:
    from organizer.library.doctor import Diagnosis, Finding, MendReport

_RESTORE = "hint: organizer restore brings a backup back; keep the folder of this library"


def say_step(finding: Finding) -> None:
    """A step of a repair, before it is done."""
    say(f"{finding.where}: {finding.what}; {finding.remedy}")


def print_diagnosis(library: Path, diagnosis: Diagnosis, *, json: bool) -> None:
    """What the doctor found."""
    if json:
        print_json(_fields(library, diagnosis))
        return
    for finding in diagnosis.findings:
        print_line(f"{'' if finding.is_damage else 'note: '}{finding.where}: {finding.what}")
        if finding.remedy is not Remedy.NONE:
            print_line(f"    --fix: {finding.remedy}")
        if finding.advice:
            print_line(f"    {finding.advice}")
    if diagnosis.is_sound:
        print_line(f"nothing is wrong: {count_text(diagnosis.checked_files, 'file')} compared")
    elif any(finding.remedy is not Remedy.NONE for finding in diagnosis.damage):
        say("hint: organizer doctor --fix mends it; nothing is deleted, decisions are kept")
    else:
        say(_RESTORE)


def print_mended(library: Path, report: MendReport, *, json: bool) -> None:
    """What was mended, and what is left."""
    if json:
        print_json(
            _fields(library, report.left) | {"mended": _rows(report.mended), "aside": report.aside}
        )
        return
    for finding in report.mended:
        print_line(f"mended: {finding.where}: {finding.remedy}")
    for line in dict.fromkeys(f.advice for f in report.mended if f.advice):
        print_line(f"    {line}")
    if report.aside is not None:
        print_line(f"damaged files are in {report.aside}")
    if report.left.is_sound:
        print_line("nothing is wrong any more" if report.mended else "nothing is wrong")
    for finding in report.left.damage:
        print_line(f"left: {finding.where}: {finding.what}")
    if not report.left.is_sound:
        say(_RESTORE)


def _fields(library: Path, diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "library": library,
        "sound": diagnosis.is_sound,
        "checked_files": diagnosis.checked_files,
        "findings": _rows(diagnosis.findings),
    }


def _rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "kind": finding.kind,
            "where": finding.where,
            "what": finding.what,
            "damage": finding.is_damage,
            "remedy": finding.remedy.value,
            "advice": finding.advice,
        }
        for finding in findings
    ]
