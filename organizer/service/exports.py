"""Exports as jobs: the images with their clusters, in the format of another tool, to download."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from organizer import registry
from organizer.fields.export import export_fields
from organizer.library.exports import ExportOptions
from organizer.library.exports.format_options import GROUP, format_options, make_exporter
from organizer.service.context import ServiceOf, UserOf
from organizer.service.job_runner import JobAccess, JobResult, JobRun
from organizer.service.jobs import JobItem, accepted
from organizer.service.schemas import Body, EmbedderName, ShortText
from organizer.service.server_paths import ServerPath

router = APIRouter(tags=["jobs"])

_MOST_CLUSTERS = 10_000
_MOST_PARAMS = 100

Param = Annotated[str, Field(max_length=4_096)] | int | float | bool


class ExportRequest(Body):
    """What to export.

    Attributes:
        format: The format: csv, parquet and those that GET /exports lists.
        vectors: With vectors or without; the format decides where null.
        embedder: Whose vectors; the library's own where null.
        clusters: Ids and names of clusters, or "unsure" for the unassigned images; all where empty.
        include_missing: Also images whose files are all missing.
        relative_to: The folder that paths are relative to; the format decides where null.
        leave_out_incomplete: Leave out images that lack what the format needs.
        params: The options of the format, by name.
    """

    format: ShortText
    vectors: bool | None = None
    embedder: EmbedderName | None = None
    clusters: list[int | ShortText] = Field([], max_length=_MOST_CLUSTERS)
    include_missing: bool = False
    relative_to: ServerPath | None = None
    leave_out_incomplete: bool = False
    params: dict[ShortText, Param] = Field({}, max_length=_MOST_PARAMS)


class FormatOption(BaseModel):
    """An option of a format; without `needed` it may be left out."""

    name: str
    help: str
    example: str
    needed: bool


class ExportFormat(BaseModel):
    """A format, and its own options."""

    format: str
    options: list[FormatOption]


class ExportFormats(BaseModel):
    """The formats of this installation, those of plugins too."""

    formats: list[ExportFormat]


@router.get("/exports")
def get_export_formats() -> ExportFormats:
    """The formats that images can be exported in."""
    return ExportFormats(
        formats=[
            ExportFormat(
                format=name,
                options=[
                    FormatOption(name=option, help=o.help, example=o.example or "", needed=o.needed)
                    for option, o in format_options(name).items()
                ],
            )
            for name in registry.part_names(GROUP)
        ]
    )


@router.post("/exports", status_code=202)
def begin_export(
    body: ExportRequest, service: ServiceOf, user: UserOf, response: Response
) -> JobItem:
    """Write the images with their clusters in a format; a folder is downloaded as a zip file."""
    exporter = make_exporter(body.format, body.params)
    options = ExportOptions(
        vectors=body.vectors,
        embedder=body.embedder,
        clusters=body.clusters,
        include_missing=body.include_missing,
        relative_to=None if body.relative_to is None else Path(body.relative_to),
        leave_out_incomplete=body.leave_out_incomplete,
    )

    def work(run: JobRun) -> JobResult:
        target = run.folder / exporter.file_name
        report = service.library.exports.write(
            body.format, target, options, params=body.params, progress=run
        )
        file = _zipped(target) if target.is_dir() else target
        fields = export_fields(report) | {"to": file.name}
        if report.opened_with:  # where it lies here is nowhere for whoever downloads it
            fields["open_with"] = report.opened_with.replace(str(target), target.name)
        return JobResult(fields, file)

    job = service.jobs.submit("export", work, user=user, access=JobAccess.READS)
    return accepted(job, service, response)


def _zipped(folder: Path) -> Path:
    """A folder as a zip file beside it."""
    file = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return file
