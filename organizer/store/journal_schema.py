"""The tables of the journal."""

from __future__ import annotations

_MODE = """
    cluster_id INTEGER NOT NULL,
    mean BLOB NOT NULL,
    count INTEGER NOT NULL,
    distance_mean REAL NOT NULL,
    distance_m2 REAL NOT NULL,
    fit_mean REAL NOT NULL,
    fit_deviation REAL NOT NULL,
    medoid TEXT NOT NULL,
    origin TEXT NOT NULL
"""
"""What is kept of a mode of a cluster; `mean` is float64."""

STATE = """
CREATE TABLE IF NOT EXISTS state (
    revision INTEGER NOT NULL,
    unfinished INTEGER NOT NULL
)
"""
"""One row: the number of commits, and whether a command is at work that takes several."""

TABLE_VERSIONS = """
CREATE TABLE IF NOT EXISTS table_versions (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID
"""
"""The committed version of each Lance table."""

INGESTS = """
CREATE TABLE IF NOT EXISTS ingests (
    ingest_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL
)
"""
"""The ingests that brought something new."""

STEPS = """
CREATE TABLE IF NOT EXISTS steps (
    step_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    about INTEGER NOT NULL,
    former_id INTEGER NOT NULL,
    clustering_id INTEGER NOT NULL,
    ingest_id INTEGER NOT NULL,
    user TEXT NOT NULL DEFAULT ''
)
"""
"""What changed the clusters, in order: a batch of decisions, a recluster, an undo, a redo. `about`
is the step that was undone or redone; `former_id` the clustering that was current before,
`clustering_id` the one that is current after it, 0 for none; `ingest_id` the last ingest before;
`user` who made it, '' where that is not known."""

DECISIONS = """
CREATE TABLE IF NOT EXISTS decisions (
    decision_id INTEGER PRIMARY KEY,
    step_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    cluster_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    image_ids TEXT NOT NULL,
    groups TEXT NOT NULL,
    others TEXT NOT NULL
)
"""
"""What a person decided; append-only. `image_ids`, `groups` and `others` are JSON lists."""

CLUSTERINGS = """
CREATE TABLE IF NOT EXISTS clusterings (
    clustering_id INTEGER PRIMARY KEY,
    parent_id INTEGER,
    base_id INTEGER NOT NULL,
    step_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    action TEXT NOT NULL,
    lineage TEXT NOT NULL,
    embedder TEXT,
    reducer TEXT,
    clusterer TEXT,
    algorithm TEXT,
    evidence TEXT
)
"""
"""The clusterings; append-only. One that decisions made out of its parent shares the members table,
the space and the specs of its base, the recluster that all of them go back to; its own columns are
NULL. Specs, evidence and lineage are JSON."""

MODES = f"""
CREATE TABLE IF NOT EXISTS modes (
    base_id INTEGER NOT NULL,
    mode_id INTEGER NOT NULL,
    {_MODE},
    PRIMARY KEY (base_id, mode_id)
) WITHOUT ROWID
"""
"""The modes of the clusters of each base as they are now."""

MADE_MODES = f"""
CREATE TABLE IF NOT EXISTS made_modes (
    base_id INTEGER NOT NULL,
    mode_id INTEGER NOT NULL,
    {_MODE},
    PRIMARY KEY (base_id, mode_id)
) WITHOUT ROWID
"""
"""The modes as the last step that changed them made them, without what was ingested since."""

FORMER_MODES = f"""
CREATE TABLE IF NOT EXISTS former_modes (
    step_id INTEGER NOT NULL,
    mode_id INTEGER NOT NULL,
    existed INTEGER NOT NULL,
    {_MODE},
    PRIMARY KEY (step_id, mode_id)
) WITHOUT ROWID
"""
"""The modes that a step changed, as they were before it; `existed` is 0 for one that it made."""

CHANGES = """
CREATE TABLE IF NOT EXISTS changes (
    change_id INTEGER PRIMARY KEY,
    base_id INTEGER NOT NULL,
    step_id INTEGER NOT NULL,
    count INTEGER NOT NULL,
    unassigned INTEGER NOT NULL,
    image_ids BLOB NOT NULL,
    before BLOB NOT NULL,
    after BLOB NOT NULL
)
"""
"""Changes of members since the members table of a base was written; append-only. `step_id` is 0 for
those of an ingest; `unassigned` is how many more images are in no cluster. The blobs are described
in `organizer.store.member_changes`."""

CHANGES_OF_BASE = "CREATE INDEX IF NOT EXISTS changes_of_base ON changes (base_id)"
CHANGES_OF_STEP = "CREATE INDEX IF NOT EXISTS changes_of_step ON changes (step_id)"

FOLDED = """
CREATE TABLE IF NOT EXISTS folded (
    base_id INTEGER PRIMARY KEY,
    change_id INTEGER NOT NULL
)
"""
"""The last change of each base that its members table includes."""

CLUSTER_ORIGINS = """
CREATE TABLE IF NOT EXISTS cluster_origins (
    cluster_id INTEGER PRIMARY KEY,
    clustering_id INTEGER NOT NULL,
    origin TEXT NOT NULL
)
"""
"""Every cluster that ever was: the clustering that it began in, and how it came to be."""

ANSWERS = """
CREATE TABLE IF NOT EXISTS answers (
    answer_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    image_id TEXT NOT NULL,
    cluster_id INTEGER NOT NULL,
    clustering_id INTEGER NOT NULL,
    belongs INTEGER NOT NULL,
    drawn TEXT NOT NULL,
    user TEXT NOT NULL DEFAULT ''
)
"""
"""A person's answer whether an image belongs to the cluster that it was shown with; append-only.
`user` is who gave it, '' where that is not known."""

CHOICES = """
CREATE TABLE IF NOT EXISTS choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID
"""
"""What a person chose for this library, by name; the values are JSON."""

DEPLOYMENTS = """
CREATE TABLE IF NOT EXISTS deployments (
    deployment_id TEXT PRIMARY KEY,
    location TEXT,
    camera TEXT,
    latitude REAL,
    longitude REAL,
    start TEXT,
    "end" TEXT,
    shift INTEGER NOT NULL
) WITHOUT ROWID
"""
"""One camera at one place for one period, as a person described it; rewritten whole."""

FORMER_IDS = """
CREATE TABLE IF NOT EXISTS former_ids (
    image_id TEXT PRIMARY KEY,
    now TEXT NOT NULL
) WITHOUT ROWID
"""
"""Images of format 6 and older that turned out to be one picture with another image: `now` is the
image that both are."""

CREATE = (
    STATE,
    "INSERT INTO state SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM state)",
    TABLE_VERSIONS,
    INGESTS,
    STEPS,
    DECISIONS,
    CLUSTERINGS,
    MODES,
    MADE_MODES,
    FORMER_MODES,
    CHANGES,
    CHANGES_OF_BASE,
    CHANGES_OF_STEP,
    FOLDED,
    CLUSTER_ORIGINS,
    ANSWERS,
    CHOICES,
    DEPLOYMENTS,
    FORMER_IDS,
)
"""The statements that make an empty journal, or complete one whose making was interrupted."""
