"""What a worker process did with a file up to format 6, in which an image was a file."""

from __future__ import annotations

from organizer import identity
from organizer.reading import FileReader

WORKER = f"{__name__}:FormerReader"
"""In place of `organizer.reading.WORKER`."""


class FormerReader(FileReader):
    """Reads files; a picture is known by the bytes of its file."""

    def __init__(self) -> None:
        identity.picture_hash = identity.file_hash
