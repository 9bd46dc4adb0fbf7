"""Names and paths as a person types them: in double quotes where a shell would part them.

Double quotes mean the same to the shells of Linux and macOS, to PowerShell and to cmd, which takes
single quotes for part of a name.
"""

from __future__ import annotations

import re
import shlex
import sys

_BARE = re.compile(r"[\w@%+=:,./-]+")
_BARE_ON_WINDOWS = re.compile(r"[\w@+=:./\\-]+")
_READ_IN_DOUBLE_QUOTES = re.compile(r'["$`\\!]')


def as_typed(word: object, *, windows: bool = sys.platform == "win32") -> str:
    """A word of a command, quoted where it has to be.

    Args:
        word: A name or a path.
        windows: Whether it is for a shell of Windows, where a backslash is part of a path.

    Examples:
        >>> as_typed("Fox"), as_typed("Red fox"), as_typed("card 3/IMG_0001.JPG")
        ('Fox', '"Red fox"', '"card 3/IMG_0001.JPG"')
    """
    text = str(word)
    if (_BARE_ON_WINDOWS if windows else _BARE).fullmatch(text):
        return text
    if windows or not _READ_IN_DOUBLE_QUOTES.search(text):
        return f'"{text}"'
    return shlex.quote(text)
