"""Writes images and their clusters in the formats of other tools.

One module per format; `target` replaces files atomically. The input is batches
(`organizer.types.exports.ExportBatch`); nothing here knows of the library or its store.
"""

from organizer.export.embedding_atlas import EmbeddingAtlas
from organizer.export.fiftyone import FiftyOne
from organizer.export.megadetector import MegaDetectorJson
from organizer.export.parquet import Parquet
from organizer.export.spreadsheet import Csv
from organizer.export.workbook import Xlsx

__all__ = ["Csv", "EmbeddingAtlas", "FiftyOne", "MegaDetectorJson", "Parquet", "Xlsx"]
