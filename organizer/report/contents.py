"""The contents of a report, from which the page and the plots are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.types import (
    Audit,
    Box,
    Candidate,
    Explanation,
    InternalScores,
    Labels,
    Silhouette,
    TruthScores,
)


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """A small picture of an image.

    Attributes:
        path: The path of the image, relative to the current folder where possible.
        jpeg: The picture; empty where the file could not be read.
        width: Pixels.
        height: Pixels.
        note: The caption: "typical", "nearest: Lion".
        link: The URL of the file, relative to the page where the page lies near it; empty where
            the picture is not shown on a page.
        box: Where in the photo the image lies, if it is a crop.
    """

    path: str
    jpeg: bytes
    width: int
    height: int
    note: str
    link: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """The contact sheet of a cluster.

    Attributes:
        cluster_id: The cluster.
        typical: The medoid, then the images nearest to the centroid.
        border: The images that are closest to another cluster, the closest first.
    """

    cluster_id: int
    typical: tuple[ReportPicture, ...]
    border: tuple[ReportPicture, ...]


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A picture on the map.

    Attributes:
        row: The point that it belongs to.
        picture: The picture.
    """

    row: int
    picture: ReportPicture


@dataclass(frozen=True, slots=True)
class ReportMap:
    """Images as points of a plane.

    Attributes:
        method: "pca", "tsne" or "umap".
        xy: ``(n, 2)`` float32, scaled so that both axes have the same unit and all lies within
            -1 to 1.
        cluster_ids: ``(n,)`` int64; NOISE for an unassigned image.
        paths: The path of each point's image.
        truth: Class of each point where it is known; empty without labels.
        spots: Points that are drawn as pictures; at the scale of the whole map, pictures of
            `spot_size` do not overlap.
        spot_size: Side of a picture, in the unit of `xy`.
        images: All images; more than points where a sample was drawn.
        links: The URL of each point's file; empty without links.
        hover: Pictures of other points, which are shown when they are pointed at.
    """

    method: str
    xy: NDArray[np.float32]
    cluster_ids: Labels
    paths: tuple[str, ...]
    truth: tuple[str | None, ...]
    spots: tuple[MapPicture, ...]
    spot_size: float
    images: int
    links: tuple[str, ...] = ()
    hover: tuple[MapPicture, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster in the table.

    Attributes:
        cluster_id: Its id.
        name: The name that a person gave it.
        count: Its images.
        decided: Of these, how many a person put there.
    """

    cluster_id: int
    name: str | None
    count: int
    decided: int = 0


@dataclass(frozen=True, slots=True)
class ReportContents:
    """The contents of a report; None or empty for a part without content.

    Attributes:
        library: The library's folder.
        made_at: When the report was made, ISO 8601 with offset.
        facts: How the clustering was made, label and value: embedder, space, algorithm, when.
        images: Images of the clustering, with the unassigned.
        unassigned: Unassigned images.
        clusters: The largest first.
        metric: The metric of distances, as text.
        silhouette: Of the clustering; its rows number the images of `cluster_ids`.
        cluster_ids: ``(images,)`` int64; NOISE for an unassigned image.
        internal: Scores without truth.
        truth: Scores against known truth.
        explanation: What the clusters depend on besides the subject.
        audit: The estimate from a person's review.
        evidence: Scores of each number of clusters that was tried.
        sheets: By cluster id.
        doubtful: Images most of whose neighbours are in another cluster, the worst first.
        doubtful_count: How many such images were found; more than pictures where there are many.
        unassigned_pictures: Some of the unassigned images, drawn at random.
        map: The map.
        remarks: Notes to the reader: samples that were drawn, files that could not be read.
    """

    library: str
    made_at: str
    facts: tuple[tuple[str, str], ...]
    images: int
    unassigned: int
    clusters: tuple[ClusterRow, ...]
    metric: str
    silhouette: Silhouette | None
    cluster_ids: Labels
    internal: InternalScores
    truth: TruthScores | None
    explanation: Explanation | None
    audit: Audit | None
    evidence: tuple[Candidate, ...]
    sheets: Mapping[int, ContactSheet]
    doubtful: tuple[ReportPicture, ...]
    doubtful_count: int
    unassigned_pictures: tuple[ReportPicture, ...]
    map: ReportMap | None
    remarks: tuple[str, ...]
