"""The JSON of every command, as models: its fields and their types.

The commands print what the functions of `organizer.fields` and of their own output modules make;
these models say what that is, for the documentation (``docs/make_json.py``) and for programs in
other languages (``docs/reference/json-schema.json``), and a test holds the commands to it. Programs
in Python can read the JSON with them: ``StatusJson.model_validate_json(text)``.
"""

from __future__ import annotations

from organizer.fields.shapes import (
    base,
    clusters,
    duplicates,
    files,
    ingest,
    library,
    quality,
    sightings,
)
from organizer.fields.shapes.base import Shape

SHAPES: dict[str, tuple[type[Shape], ...]] = {
    "ingest": (ingest.IngestJson,),
    "watch": (ingest.WatchJson,),
    "recluster": (clusters.ReclusterJson,),
    "undo": (clusters.UndoneJson,),
    "redo": (clusters.RedoneJson,),
    "search": (library.SearchJson,),
    "show": (clusters.PhotosJson,),
    "browse": (library.BrowseJson,),
    "status": (library.StatusJson,),
    "problems": (library.ProblemsJson,),
    "report": (quality.ReportJson,),
    "review": (quality.ReviewJson, quality.ReviewItemsJson, quality.ReviewFileJson),
    "suggest": (quality.SuggestJson, quality.QuestionsJson, quality.AcceptedJson),
    "compare": (quality.CompareJson, quality.RecipesJson),
    "export": (files.ExportJson, files.ExportOptionsJson),
    "arrange": (files.ArrangeJson, files.ArrangeUndoJson, files.ReadBackJson),
    "duplicates": (duplicates.DuplicatesJson, duplicates.WantedJson),
    "events": (sightings.EventsJson, sightings.BurstsJson),
    "counts": (sightings.CountsJson,),
    "backup": (library.BackupJson, library.BackupChecksJson),
    "restore": (library.RestoreJson,),
    "doctor": (library.DoctorJson, library.MendedJson),
    "unlock": (library.UnlockJson,),
    "open": (library.ServeJson,),
    "serve": (library.ServeJson,),
    "clusters": (clusters.ClustersJson, clusters.NewClustersJson),
    "clusters show": (clusters.MembersJson, clusters.GroupJson),
    "clusters suggest-names": (clusters.NameProposalsJson,),
    "clusters rename": (clusters.DecisionJson,),
    "clusters merge": (clusters.DecisionJson,),
    "clusters split": (clusters.DecisionJson,),
    "clusters move": (clusters.DecisionJson,),
    "clusters new": (clusters.DecisionJson,),
    "clusters exclude": (clusters.DecisionJson,),
    "clusters pin": (clusters.DecisionJson,),
    "clusters retire": (clusters.DecisionJson,),
    "clusters history": (clusters.HistoryJson,),
    "models": (library.ModelsJson,),
    "models list": (library.ModelsJson, library.ModelNamesJson),
    "models pull": (library.WeightsFileJson,),
    "models import": (library.WeightsFileJson,),
    "models where": (library.WeightsPlacesJson, library.WeightsPlaceJson),
}
"""What each command prints: one of these, by its options."""

ERROR = base.ErrorJson
"""What each command prints where it fails."""
