"""What an export is made of: the images of a library in batches, with all that is known of them.

`choice` says what is wanted and `options` what a format takes besides; `selecting` finds the images
of which there is enough, and says how many are left out; `membership`, `columns` and `sightings`
look up what is known of them; `source` gives it batch by batch, in one pass over the library;
`running` has it written.
"""

from organizer.library.exporting.choice import ExportChoice, ExportReport
from organizer.library.exporting.running import export

__all__ = ["ExportChoice", "ExportReport", "export"]
