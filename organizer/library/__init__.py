"""Library: the one place where the stages meet.

`core` has the object that the command line, the service and a program of one's own use, `opened`,
`words`, `evidence`, `folders`, `fieldwork` and `detecting` what it is made of; `ingest` and
`recluster` hold the two long operations, `joining` and `births` what new images do to the clusters,
`deciding` what a person says of them and `remaking` the clustering that follows, `undoing` the way
back, `embedders` which embedder a library works with, `views` and `history` what a person is shown,
`reporting`, `illustrating` and `publishing` the report, `reviewing` what a person says of samples,
`compare` other embedders and algorithms, `exporting` files for other tools, `arrangement` files in
folders, `contexts` how photos were taken, `crops` and `cropping` the animals in them.
"""

from __future__ import annotations

from organizer.library.core import Library, models
from organizer.library.place import find_library, library_path, require_library
from organizer.library.progress import Progress

__all__ = ["Library", "Progress", "find_library", "library_path", "models", "require_library"]
