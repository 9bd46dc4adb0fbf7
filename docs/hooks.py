"""Text that has its one place elsewhere in the repository, shown on a page of the documentation.

A line ``<!-- include: FILE -->`` becomes the text of the file below its title, and
``<!-- include: FILE # HEADING -->`` the text below that heading, up to the next one of its level.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_INCLUDE = re.compile(r"<!-- include: (?P<file>[^#\n]+?)(?: # (?P<heading>[^\n]+?))? -->")
_HEADING = re.compile(r"(?P<marks>#+) (?P<text>.+)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """What mkdocs calls with the text of every page."""
    return included(markdown)


def included(markdown: str) -> str:
    """A page with what it includes.

    Raises:
        ValueError: A file has no such heading.
        OSError: A file cannot be read.
    """

    def text_of(match: re.Match[str]) -> str:
        text = (ROOT / match["file"]).read_text(encoding="utf-8")
        return _section(text, match["heading"], match["file"])

    return _INCLUDE.sub(text_of, markdown)


def _section(text: str, heading: str | None, file: str) -> str:
    """The text below a heading; below the title where there is none."""
    lines = text.splitlines()
    level, begin = 0, None
    for number, line in enumerate(lines):
        found = _HEADING.fullmatch(line)
        if found is None:
            continue
        if begin is None and (heading is None or found["text"] == heading):
            level, begin = len(found["marks"]), number + 1
        elif begin is not None and len(found["marks"]) <= level:
            return "\n".join(lines[begin:number])
    if begin is None:
        raise ValueError(f"{file} has no heading {heading!r}")
    return "\n".join(lines[begin:])
