"""Exports: the images of a library with all that is known of them, in formats of other tools.

`options` are the options of every export and `format_options` those of a format; `select` finds the
images that are exported and counts those that are left out; `membership`, `columns` and
`detections` look up what is known of them; `source` gives it batch by batch, in one pass over the
library; `run` writes it.
"""

from organizer.library.exports.options import ExportOptions, ExportReport
from organizer.library.exports.run import run_export

__all__ = ["ExportOptions", "ExportReport", "run_export"]
