"""The last few reports: their scores take seconds where there are many images."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from organizer.fields.report import report_fields
from organizer.library import Library

_KEPT = 4


class ReportCache:
    """The fields of the last few reports, by the state of the library and the labels."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, str | None], dict[str, object]] = OrderedDict()

    def fields(self, library: Library, labels: str | None) -> dict[str, object]:
        """The report's fields; one at a time is made."""
        with self._lock:
            key = library.store.revision(), labels
            if key not in self._known:
                self._known[key] = report_fields(library.reports.make(labels=labels))
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
            return self._known[key]
