"""What flows between the stages: frozen values.

Only numpy and the standard library are imported here.
"""

from __future__ import annotations

from organizer.types.clusterings import (
    NOISE,
    Assignments,
    AssignmentState,
    Candidate,
    Clustering,
    ClusterModels,
    Exemplars,
    Labels,
    LineageReport,
    Merge,
    Split,
)
from organizer.types.decisions import Decision, DecisionKind
from organizer.types.deployments import Deployment, shifted
from organizer.types.detections import (
    WHOLE,
    Box,
    Crop,
    Detected,
    Detection,
    ImageDetections,
    crop_id,
)
from organizer.types.embeddings import (
    CROPS_PREFIX,
    EmbeddingBatch,
    PartSpec,
    Vectors,
    is_crop_embedder,
)
from organizer.types.exports import (
    UNSURE,
    ExportBatch,
    ExportDetection,
    ExportInfo,
    ExportOption,
    VectorUse,
    label,
)
from organizer.types.hits import Hit
from organizer.types.images import (
    DecodedImage,
    FileState,
    ImageFacts,
    ImageRef,
    Outcome,
    Problem,
    ProcessedBatch,
    ProcessedFile,
    ReaderFailure,
)
from organizer.types.scores import (
    Audit,
    ClusterPurity,
    ClusterShape,
    Explanation,
    Factor,
    InternalScores,
    Proportion,
    Reason,
    Silhouette,
    TruthScores,
)

__all__ = [
    "CROPS_PREFIX",
    "NOISE",
    "UNSURE",
    "WHOLE",
    "AssignmentState",
    "Assignments",
    "Audit",
    "Box",
    "Candidate",
    "ClusterModels",
    "ClusterPurity",
    "ClusterShape",
    "Clustering",
    "Crop",
    "Decision",
    "DecisionKind",
    "DecodedImage",
    "Deployment",
    "Detected",
    "Detection",
    "EmbeddingBatch",
    "Exemplars",
    "Explanation",
    "ExportBatch",
    "ExportDetection",
    "ExportInfo",
    "ExportOption",
    "Factor",
    "FileState",
    "Hit",
    "ImageDetections",
    "ImageFacts",
    "ImageRef",
    "InternalScores",
    "Labels",
    "LineageReport",
    "Merge",
    "Outcome",
    "PartSpec",
    "Problem",
    "ProcessedBatch",
    "ProcessedFile",
    "Proportion",
    "ReaderFailure",
    "Reason",
    "Silhouette",
    "Split",
    "TruthScores",
    "VectorUse",
    "Vectors",
    "crop_id",
    "is_crop_embedder",
    "label",
    "shifted",
]
