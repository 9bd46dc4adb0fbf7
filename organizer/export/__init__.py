"""Images and their clusters in the formats that other tools read.

A module a format; `target` writes whole or not at all. Batches come in as
`organizer.types.exports.ExportBatch`, so nothing here knows of the library or its store.
"""

from organizer.export.embedding_atlas import EmbeddingAtlas
from organizer.export.fiftyone import FiftyOne
from organizer.export.megadetector import MegaDetectorJson
from organizer.export.parquet import Parquet
from organizer.export.spreadsheet import Csv

__all__ = ["Csv", "EmbeddingAtlas", "FiftyOne", "MegaDetectorJson", "Parquet"]
