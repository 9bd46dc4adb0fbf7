"""FiftyOne's own format, ``fiftyone.types.FiftyOneDataset``: a folder that it loads by itself.

    import fiftyone as fo
    dataset = fo.Dataset.from_dir("organizer-fiftyone", dataset_type=fo.types.FiftyOneDataset)

``metadata.json`` declares the fields, ``samples.json`` has one sample per image, both as MongoDB's
extended JSON. It is the only format of FiftyOne that supports custom fields, their types and
vectors. It is written as by FiftyOne 1.0 (``version``); a later one migrates it on import.

A sample's id is the beginning of the image id, so that two exports of a library have the same ids.
``cluster`` is a Classification with the cluster's name; an unassigned image has the label
"unsure". ``taken_at`` is camera-local time, which FiftyOne reads as UTC. A dataset is of images or
of videos: videos are left out.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from organizer.export.paths import exported_paths
from organizer.types import UNSURE, ExportBatch, ExportInfo, Vectors, VectorUse, label

_VERSION = "1.0.0"
_ID_DIGITS = 24  # an ObjectId has 12 bytes
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "DIB": "image/bmp",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIF": "image/heif",
    "JPEG2000": "image/jp2",
}

_FIELDS = "fiftyone.core.fields"
_PLAIN = {
    "image_id": "StringField",
    "cluster_id": "IntField",
    "state": "StringField",
    "candidate_id": "IntField",
    "distance": "FloatField",
    "margin": "FloatField",
    "missing": "BooleanField",
    "taken_at": "DateTimeField",
    "camera": "StringField",
    "brightness": "FloatField",
    "chroma": "FloatField",
    "deployment": "StringField",
    "event": "IntField",
    "burst": "IntField",
    "infrared": "BooleanField",
}


class FiftyOne:
    """Writes a FiftyOneDataset folder; see the module.

    Paths are absolute, or relative to a folder that the user names; FiftyOne then needs
    ``from_dir(..., rel_dir=FOLDER)``.
    """

    suffix = ""
    file_name = "organizer-fiftyone"
    holds = frozenset({"metadata.json", "samples.json"})
    vectors = VectorUse.ASKED
    takes_videos = False

    def export(self, batches: Iterable[ExportBatch], to: Path, *, about: ExportInfo) -> int:
        """Write into an existing, empty folder."""
        (to / "metadata.json").write_text(_dumps(_dataset(about)) + "\n", encoding="utf-8")
        written = 0
        with (to / "samples.json").open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"samples": [')
            for batch in batches:
                for sample in _samples(batch, about):
                    file.write(",\n" if written else "\n")
                    file.write(_dumps(sample))
                    written += 1
            file.write("\n]}\n")
        return written


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _samples(batch: ExportBatch, about: ExportInfo) -> Iterator[dict[str, Any]]:
    copies = [exported_paths(paths, about) for paths in batch.copies]
    for row, path in enumerate(exported_paths(batch.paths, about)):
        sample: dict[str, Any] = {
            "_id": {"$oid": batch.image_ids[row][:_ID_DIGITS]},
            "filepath": path,
            "tags": [],
            "metadata": _metadata(batch, row),
            "_media_type": "image",
            "_rand": int(batch.image_ids[row][:13], 16) / 16**13,  # FiftyOne's random order
            "image_id": batch.image_ids[row],
            "cluster": _classification(batch, row),
            "cluster_id": batch.cluster_ids[row],
            "state": batch.states[row],
            "candidate_id": batch.candidate_ids[row],
            "distance": batch.distances[row],
            "margin": batch.margins[row],
            "copies": list(copies[row]),
            "missing": batch.missing[row],
            "taken_at": _date(batch.taken_at[row]),
            "camera": batch.cameras[row],
            "location": _location(batch, row),
            "brightness": batch.brightness[row],
            "chroma": batch.chroma[row],
            "deployment": batch.deployments[row],
            "event": batch.events[row],
            "burst": batch.bursts[row],
            "infrared": batch.infrared[row],
            **_extras(batch.extras[row], about),
        }
        if batch.vectors is not None:
            sample["vector"] = _binary(batch.vectors[row])
        yield sample


def _extras(extra: Mapping[str, str | int | float], about: ExportInfo) -> dict[str, Any]:
    """Further metadata, one field each: numbers where all values are, otherwise text."""
    found: dict[str, Any] = {}
    for name, are_numbers in about.extras.items():
        value = extra.get(name)
        kept = value if value is None or are_numbers else str(value)
        found[_extra_field(name)] = float(kept) if are_numbers and kept is not None else kept
    return found


def _extra_field(name: str) -> str:
    """A valid name of a MongoDB field."""
    return "extra_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def _metadata(batch: ExportBatch, row: int) -> dict[str, Any]:
    return {
        "_cls": "ImageMetadata",
        "size_bytes": batch.sizes[row],
        "mime_type": _MIME_TYPES.get(batch.formats[row]),
        "width": batch.widths[row],
        "height": batch.heights[row],
        "num_channels": None,
    }


def _classification(batch: ExportBatch, row: int) -> dict[str, Any] | None:
    if batch.states[row] is None:
        return None
    return {
        "_id": {"$oid": batch.image_ids[row][-_ID_DIGITS:]},
        "_cls": "Classification",
        "tags": [],
        "label": label(batch.cluster_ids[row], batch.cluster_names[row]),
        "confidence": None,
        "logits": None,
    }


def _location(batch: ExportBatch, row: int) -> dict[str, Any] | None:
    latitude, longitude = batch.latitudes[row], batch.longitudes[row]
    if latitude is None or longitude is None:
        return None
    return {
        "_id": {"$oid": batch.image_ids[row][-_ID_DIGITS:]},
        "_cls": "GeoLocation",
        "tags": [],
        "point": {"type": "Point", "coordinates": [longitude, latitude]},
        "line": None,
        "polygon": None,
    }


def _date(taken_at: str | None) -> dict[str, str] | None:
    return None if taken_at is None else {"$date": f"{taken_at}Z"}


def _binary(vector: Vectors) -> dict[str, Any]:
    """A vector as FiftyOne stores it: numpy's file format, deflated."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(vector, dtype=np.float32), allow_pickle=False)
    deflated = zlib.compress(buffer.getvalue(), 1)  # vectors hardly compress at any level
    return {"$binary": {"base64": base64.b64encode(deflated).decode("ascii"), "subType": "00"}}


# metadata.json --------------------------------------------------------------------------------


def _dataset(about: ExportInfo) -> dict[str, Any]:
    return {
        "name": "organizer",
        "version": _VERSION,
        "media_type": "image",
        "sample_collection_name": "samples",
        "persistent": False,
        "group_media_types": {},
        "tags": [],
        "info": {
            "program": about.program,
            "created_at": about.created_at,
            "clustering_id": about.clustering_id,
            "algorithm": about.algorithm,
            "embedder": json.loads(about.embedder.to_json()) if about.embedder else None,
        },
        "app_config": {},
        "classes": {"cluster": _classes(about)},
        "default_classes": [],
        "mask_targets": {},
        "default_mask_targets": {},
        "skeletons": {},
        "sample_fields": _fields(about),
        "frame_fields": [],
        "saved_views": [],
        "workspaces": [],
        "annotation_runs": {},
        "brain_methods": {},
        "evaluations": {},
        "runs": {},
    }


def _classes(about: ExportInfo) -> list[str]:
    names = [label(i, name) for i, name in about.clusters.items()]
    return [*dict.fromkeys(names), UNSURE] if names else []


def _fields(about: ExportInfo) -> list[dict[str, Any]]:
    tags = _field("tags", "ListField", subfield="StringField")
    own = [_field(name, kind) for name, kind in _PLAIN.items()]
    own += [
        _field(_extra_field(name), "FloatField" if are_numbers else "StringField")
        for name, are_numbers in about.extras.items()
    ]
    own.append(_document("cluster", "labels.Classification", [
        _field("id", "ObjectIdField", db_field="_id"),
        tags,
        _field("label", "StringField"),
        _field("confidence", "FloatField"),
        _field("logits", "VectorField"),
    ]))  # fmt: skip
    own.append(_document("location", "labels.GeoLocation", [
        _field("id", "ObjectIdField", db_field="_id"),
        tags,
        _field("point", "GeoPointField"),
        _field("line", "GeoLineStringField"),
        _field("polygon", "GeoPolygonField"),
    ]))  # fmt: skip
    own.append(_field("copies", "ListField", subfield="StringField"))
    if about.dim:
        own.append(_field("vector", "VectorField"))
    return [*_every_sample_has(tags), *own]


def _every_sample_has(tags: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _field("id", "ObjectIdField", db_field="_id"),
        _field("filepath", "StringField"),
        tags,
        _document("metadata", "metadata.ImageMetadata", [
            _field("size_bytes", "IntField"),
            _field("mime_type", "StringField"),
            _field("width", "IntField"),
            _field("height", "IntField"),
            _field("num_channels", "IntField"),
        ]),
        _field("created_at", "DateTimeField", read_only=True),
        _field("last_modified_at", "DateTimeField", read_only=True),
        _field("_media_type", "StringField"),
        _field("_rand", "FloatField"),
        _field("_dataset_id", "ObjectIdField"),
    ]  # fmt: skip


def _document(name: str, kind: str, inside: list[dict[str, Any]]) -> dict[str, Any]:
    declared = _field(name, "EmbeddedDocumentField")
    return {**declared, "embedded_doc_type": f"fiftyone.core.{kind}", "fields": inside}


def _field(
    name: str,
    kind: str,
    *,
    subfield: str | None = None,
    db_field: str | None = None,
    read_only: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "ftype": f"{_FIELDS}.{kind}",
        "embedded_doc_type": None,
        "subfield": f"{_FIELDS}.{subfield}" if subfield else None,
        "fields": [],
        "db_field": db_field or name,
        "description": None,
        "info": None,
        "read_only": read_only,
        "created_at": None,
    }
