"""The service: a REST API over one library, and the gallery that is a client of it."""

from organizer.service.app import make_app
from organizer.service.options import ServiceOptions

__all__ = ["ServiceOptions", "make_app"]
