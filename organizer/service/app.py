"""The application: one function that makes it of one library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from platformdirs import user_cache_path
from starlette.middleware.gzip import GZipMiddleware

from organizer.distribution import installed_version
from organizer.library import Library
from organizer.service import (
    clusters,
    decisions,
    deployments,
    events,
    exports,
    folders,
    gallery_files,
    groups,
    history,
    images,
    ingests,
    jobs,
    maps,
    pictures,
    reclusters,
    reports,
    review,
    search,
    sessions,
    status,
    suggestions,
    timeline,
)
from organizer.service.changes import ChangeWatcher
from organizer.service.context import Service
from organizer.service.event_bus import EventBus
from organizer.service.job_runner import Job, JobRunner
from organizer.service.options import ServiceOptions
from organizer.service.problems import MEDIA_TYPE, ProblemDetails, add_handlers
from organizer.service.security import API, Guard, Sessions
from organizer.service.thumbnails import ThumbnailCache
from organizer.service.worker import Worker

_ROUTERS = (
    status.router,
    sessions.router,
    clusters.router,
    images.router,
    pictures.router,
    search.router,
    decisions.router,
    history.router,
    suggestions.router,
    review.router,
    deployments.router,
    reports.router,
    jobs.router,
    ingests.router,
    reclusters.router,
    exports.router,
    folders.router,
    maps.router,
    timeline.router,
    groups.router,
    events.router,
)


def make_app(library: Library, options: ServiceOptions | None = None) -> FastAPI:
    """Make the service of a library: the API below ``/api/v1``, and the gallery at ``/``.

    The caller opens the library, and closes it after the service has ended.

    Args:
        library: The library.
        options: Who may use it, and how much they may send; this machine alone where None.

    Examples:
        >>> with Library.open("photos") as library:  # doctest: +SKIP
        ...     uvicorn.run(make_app(library), host="127.0.0.1", port=8765)
    """
    options = options or ServiceOptions()
    service = _service(library, options)
    app = FastAPI(
        title="organizer",
        version=installed_version(),
        summary="Groups of photos, and what a person decided about them.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # its page fetches scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service, app.state.sessions = service, Sessions()
    add_handlers(app)
    api = APIRouter(prefix=API)
    for router in _ROUTERS:
        api.include_router(router)
    app.include_router(api)
    gallery_files.mount(app)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
    app.add_middleware(Guard, options=options, sessions=app.state.sessions)
    setattr(app, "openapi", lambda: describe_api(app))  # noqa: B010 - FastAPI's documented way
    return app


def _service(library: Library, options: ServiceOptions) -> Service:
    events = EventBus()
    changes = ChangeWatcher(library, events)
    writer = Worker("writer", after_each=changes.look, when_idle=library.tidy)

    def publish(job: Job) -> None:
        events.publish("job", jobs.JobItem.of(job, library).model_dump(mode="json"))

    return Service(
        library,
        options,
        ThumbnailCache(user_cache_path("organizer"), library.store.path),
        events=events,
        changes=changes,
        writer=writer,
        jobs=JobRunner(writer, changed=publish),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.library.defer_upkeep()
    with service.library.serving():
        service.changes.start()
        yield
        service.events.close()
        service.jobs.close()
        service.writer.close()
        service.changes.close()
    service.thumbnails.close()


def describe_api(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description: every route may answer with a problem."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    found = get_openapi(
        title=app.title,
        version="1",
        summary=app.summary,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schemas = found["components"]["schemas"]
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = {
        "description": "What went wrong.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    for path in found["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = problem
    app.openapi_schema = found
    return found
