"""What an export is made of: the images of a library in batches, with all that is known of them.

`choice` says what is wanted and `options` what a format takes besides; `selecting` finds the images
of which there is enough, and says how many are left out; `membership`, `columns` and `sightings`
look up what is known of them; `source` gives it batch by batch, in one pass over the library;
`running` has it written.
"""

from organizer.library.exports.options import ExportOptions, ExportReport
from organizer.library.exports.run import run_export

__all__ = ["ExportOptions", "ExportReport", "run_export"]
