"""The columns and controlled terms of Camtrap DP 1.0.2."""

from __future__ import annotations

CAMTRAP_DP_VERSION = "1.0.2"
SCHEMA_URL = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{CAMTRAP_DP_VERSION}"

DEPLOYMENTS_HEADER = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay",
    "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance",
    "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups", "deploymentTags",
    "deploymentComments",
)  # fmt: skip

MEDIA_HEADER = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName",
    "fileMediatype", "exifData", "favorite", "mediaComments",
)  # fmt: skip

OBSERVATIONS_HEADER = (
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

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "JPEG2000": "image/jp2",
    "HEIF": "image/heif",
    "DIB": "image/bmp",
    "CR2": "image/x-canon-cr2",
    "CR3": "image/x-canon-cr3",
    "NEF": "image/x-nikon-nef",
    "ARW": "image/x-sony-arw",
    "DNG": "image/x-adobe-dng",
    "ORF": "image/x-olympus-orf",
    "RW2": "image/x-panasonic-rw2",
    "RAF": "image/x-fuji-raf",
    "PEF": "image/x-pentax-pef",
    "MP4": "video/mp4",
    "M4V": "video/mp4",
    "MOV": "video/quicktime",
    "AVI": "video/x-msvideo",
    "MKV": "video/x-matroska",
    "MTS": "video/mp2t",
    "M2TS": "video/mp2t",
    "MPG": "video/mpeg",
    "MPEG": "video/mpeg",
    "WMV": "video/x-ms-wmv",
    "ASF": "video/x-ms-asf",
    "WEBM": "video/webm",
    "3GP": "video/3gpp",
}
"""The media types of formats that are not ``image/`` and the format's name."""


def media_type(kind: str) -> str:
    """The media type of files of a format."""
    return MEDIA_TYPES.get(kind, f"image/{kind.lower()}")
