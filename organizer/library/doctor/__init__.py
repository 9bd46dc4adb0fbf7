"""The doctor: what is damaged in a library, and what is done about it.

A library that cannot be opened can be examined and mended. Nothing is deleted, and no decision is
lost: what is damaged is moved aside, into a folder of the library.
"""

from __future__ import annotations

from organizer.library.doctor.api import Doctor, MendReport
from organizer.library.doctor.findings import Diagnosis, Finding, Remedy

__all__ = ["Diagnosis", "Doctor", "Finding", "MendReport", "Remedy"]
