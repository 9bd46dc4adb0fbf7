"""Pictures by the id of the image, never by a path: thumbnails, and the files as they are."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import FileResponse

from organizer.service.context import Service, ServiceOf
from organizer.service.file_manager import show_file
from organizer.service.problems import ProblemError
from organizer.service.schemas import ImageIdText
from organizer.service.thumbnails import SIZES, VERSION

router = APIRouter(tags=["pictures"])

_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
_BYTES = "application/octet-stream"
_SCRIPTED = frozenset({"image/svg+xml"})
"""Pictures that are pages too: a browser would run what is in them."""

_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "A JPEG without metadata."}
}
_CONTENT: dict[str, Any] = {"image/*": {}, _BYTES: {}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": _CONTENT, "description": "The file as it is."},
    206: {"content": _CONTENT, "description": "A part of it."},
    304: {"description": "It has not changed."},
    416: {"description": "There is no such part."},
}


@router.head("/images/{image_id}/thumbnail/{size}", include_in_schema=False)
@router.get("/images/{image_id}/thumbnail/{size}", response_class=Response, responses=_JPEG)
def get_thumbnail(
    image_id: Annotated[ImageIdText, Path()],
    size: Annotated[
        int, Path(description=f"Pixels of the longer side: {', '.join(map(str, SIZES))}.")
    ],
    service: ServiceOf,
    v: Annotated[int, Query(description="The version of thumbnails; see the status.")] = VERSION,
) -> Response:
    """A small picture of an image, upright and whole; of a crop what lies in its box.

    Its address names the image, the size and the version, so it never changes.
    """
    del v  # another one is another address, which no cache has kept
    if size not in SIZES:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            f"there are no thumbnails of {size} pixels",
            f"there are: {', '.join(map(str, SIZES))}",
        )
    turns = service.library.store.photos.turns()
    jpeg = service.thumbnails.get(image_id, size, turns=turns)
    if jpeg is None:
        jpeg = _made(service, image_id, size)
        service.thumbnails.put(image_id, size, jpeg, turns=turns)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": _FOR_EVER})


def _made(service: Service, image_id: str, size: int) -> bytes:
    found = service.library.images.thumbnail(image_id, side=size)
    if found is None:
        raise no_picture(image_id)
    jpeg: bytes = found.jpeg
    return jpeg


@router.head("/images/{image_id}/original", include_in_schema=False)
@router.get("/images/{image_id}/original", response_class=Response, responses=_FILE)
def get_original(
    image_id: Annotated[ImageIdText, Path()],
    service: ServiceOf,
    if_none_match: Annotated[
        str | None, Header(description="The ETag of what the client has.")
    ] = None,
) -> Response:
    """The file of an image as it is; of a crop that of its photo. Parts of it by Range.

    A file that holds something else by now is not served as the image.
    """
    file = service.library.images.present_file(image_id)
    if file is None:
        raise no_picture(image_id)
    status = file.stat()
    etag = f"{image_id}-{status.st_size:x}-{status.st_mtime_ns:x}"
    headers = {"Cache-Control": _ASK_AGAIN, "ETag": f'"{etag}"'}
    if if_none_match is not None and names_etag(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    kind = safe_media_type(file)
    return FileResponse(
        file,
        media_type=kind,
        filename=file.name,
        content_disposition_type="inline" if kind != _BYTES else "attachment",
        headers=headers,
    )


@router.post("/images/{image_id}/show", status_code=HTTPStatus.NO_CONTENT)
def show_in_folder(image_id: Annotated[ImageIdText, Path()], service: ServiceOf) -> None:
    """Show the file of an image in the file manager of the service's machine.

    Only where other machines do not reach the service, and it has one: see the status.
    """
    file = service.library.images.present_file(image_id)
    if file is None:
        raise no_picture(image_id)
    show_file(file, service.options)


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether a header If-None-Match names an ETag, or any."""
    given = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(given & {"*", f'"{etag}"'})


def safe_media_type(file: FilePath) -> str:
    """What a browser is told of a file: a picture, or bytes that it does not show."""
    kind = mimetypes.guess_type(file.name)[0] or _BYTES
    return kind if kind.startswith("image/") and kind not in _SCRIPTED else _BYTES


def no_picture(image_id: str) -> ProblemError:
    """The problem of an image of which no file is left that holds it."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"there is no picture of {image_id}",
        "its file is missing, has changed or cannot be read; organizer problems",
    )
