"""The files of the gallery: a page, its modules and its styles; no build step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles

from organizer.service.security import API

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Scope

FOLDER = Path(__file__).parent / "gallery"


class _GalleryFiles(StaticFiles):
    """Files that the browser asks for again each time: an update takes effect at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _GalleryMount(Mount):
    """Everything but the API: what is wrong with a request to it is for the API to say."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"].startswith(f"{API}/"):
            return Match.NONE, {}
        return super().matches(scope)


def mount(app: FastAPI) -> None:
    """Serve the gallery at ``/``."""
    files = _GalleryFiles(directory=FOLDER, html=True)
    app.router.routes.append(_GalleryMount("/", files, name="gallery"))
