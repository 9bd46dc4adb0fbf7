"""Library: the one place where the stages meet, in packages named after what a user does.

`core` has the object that the command line, the service and a program of one's own use. It composes
what the packages offer: `ingest`, `clustering` (recluster), `clusters`, `corrections`, `review`,
`search`, `reports`, `compare`, `exports`, `folders`, `deployments`, `detections`. Each has an `api`
with the object that `Library` holds, modules that do the work, and the reports of what was done.
Below them lie `images` (what is known of each), `arrangements` (folders that were written), and the
modules that open a library and find it.
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
