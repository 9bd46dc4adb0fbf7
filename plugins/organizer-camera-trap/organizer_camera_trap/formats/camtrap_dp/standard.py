"""What Camtrap DP 1.0.2 prescribes: the columns of its tables, in their order, and its words."""

from __future__ import annotations

VERSION = "1.0.2"
PLACE = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay",
    "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance",
    "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups", "deploymentTags",
    "deploymentComments",
)  # fmt: skip

MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName",
    "fileMediatype", "exifData", "favorite", "mediaComments",
)  # fmt: skip

OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd",
    "observationLevel", "observationType", "cameraSetupType", "scientificName", "count",
    "lifeStage", "sex", "behavior", "individualID", "individualPositionRadius",
    "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight",
    "classificationMethod", "classifiedBy", "classificationTimestamp",
    "classificationProbability", "observationTags", "observationComments",
)  # fmt: skip

OBSERVATION_TYPES = ("animal", "human", "vehicle", "blank", "unknown", "unclassified")
SAMPLING_DESIGNS = (
    "simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted",
    "opportunistic",
)  # fmt: skip
CAPTURE_METHODS = ("activityDetection", "timeLapse")
ROLES = ("contact", "principalInvestigator", "rightsHolder", "publisher", "contributor")
RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species", "subspecies")

MEDIATYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "JPEG2000": "image/jp2",
    "HEIF": "image/heif",
    "DIB": "image/bmp",
}
"""Those of Pillow's formats that are not ``image/`` and the format's name."""


def mediatype(kind: str) -> str:
    """The media type of files of one of Pillow's formats."""
    return MEDIATYPES.get(kind, f"image/{kind.lower()}")
