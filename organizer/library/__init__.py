"""Library: the one place where the stages meet, in packages named after what a user does.

`core` has `Library`, the object that the command line and other programs use. It composes the
packages `ingest`, `clustering` (recluster), `clusters`, `corrections`, `review`, `search`,
`reports`, `compare`, `exports`, `folders`, `deployments` and `detections`. Most of them have an
`api` with the object that `Library` holds, modules that do the work, and the reports of what was
done. Below them are `images` (what is known of each), `arrangements` (folders that were written),
and the modules that find and open a library.
"""

from __future__ import annotations

from organizer.library.core import Library
from organizer.library.embedders import describe_embedders
from organizer.library.locate import find_library, library_path, require_library
from organizer.library.progress import Progress

__all__ = [
    "Library",
    "Progress",
    "describe_embedders",
    "find_library",
    "library_path",
    "require_library",
]
