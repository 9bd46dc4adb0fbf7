"""What ``report``, ``review``, ``suggest`` and ``compare`` print."""

from __future__ import annotations

from pydantic import Field

from organizer.fields.shapes.base import BoxJson, CandidateJson, LeftOutJson, Shape


class PurityJson(Shape):
    """A purity with its confidence interval."""

    share: float
    low: float
    high: float
    answered: int
    right: int


class ClusterPurityJson(PurityJson):
    """The same of one cluster."""

    cluster_id: int


class AuditJson(Shape):
    """The purity that a person's answers show."""

    purity: PurityJson
    per_cluster: list[ClusterPurityJson]
    confidence: float
    unseen: int


class ClusterScoresJson(Shape):
    """The scores of one cluster; the last three only with labels."""

    cluster_id: int
    name: str | None
    count: int
    silhouette: float | None
    cohesion: float
    spread: float
    inertia: float
    separation: float | None
    nearest: int | None
    reason: str | None
    doubtful: bool
    purity: float | None = None
    majority: str | None = None
    labelled: int | None = None


class FactorJson(Shape):
    """Something that the clusters go with."""

    name: str
    nmi: float
    by_chance: float
    groups: int
    known: int


class ConfusionJson(Shape):
    """How many images of each cluster are of each class."""

    clusters: list[int]
    classes: list[str]
    counts: list[list[int]]
    matched: list[str | None]


class ReportJson(Shape):
    """The scores of a clustering; those from ``purity`` on only with labels."""

    silhouette: float | None
    silhouette_metric: str
    silhouette_sampled: bool
    silhouette_standard_error: float | None
    davies_bouldin: float | None
    calinski_harabasz: float | None
    inertia: float
    per_cluster: list[ClusterScoresJson]
    factors: list[FactorJson]
    unknown_factors: list[str]
    audit: AuditJson | None
    evidence: list[CandidateJson]
    images: int
    unsure: int
    k: int
    clustering_id: int
    embedder: str
    files: list[str] = Field(default_factory=list)
    purity: float | None = None
    nmi: float | None = None
    ari: float | None = None
    acc: float | None = None
    ami: float | None = None
    fmi: float | None = None
    jaccard: float | None = None
    homogeneity: float | None = None
    completeness: float | None = None
    bcubed_precision: float | None = None
    bcubed_recall: float | None = None
    bcubed_f1: float | None = None
    majority_accuracy: float | None = None
    v_measure: float | None = None
    n_labelled: int | None = None
    n_classes: int | None = None
    confusion: ConfusionJson | None = None
    labels: str | None = None
    unmatched_labels: int | None = None
    conflicting_labels: int | None = None


class ReadAnswersJson(Shape):
    """What was read of a table of answers."""

    new: int
    known: int
    blank: int
    elsewhere: int
    differing: int
    left_out: list[LeftOutJson]


class ReviewJson(Shape):
    """The purity by all answers, and what was corrected."""

    audit: AuditJson | None
    wrong: int
    reopened: int
    corrected: int
    read: ReadAnswersJson | None


class ReviewItemJson(Shape):
    """An image to look at."""

    image_id: str
    path: str
    cluster_id: int
    cluster_name: str | None
    typical: list[str]
    drawn: str
    clustering_id: int
    belongs: bool | None
    disagreeing: float | None
    other_id: int | None
    other_name: str | None
    box: BoxJson | None
    missing: bool


class ReviewItemsJson(Shape):
    """The images of a review."""

    images: list[ReviewItemJson]


class ReviewFileJson(Shape):
    """A table to fill in."""

    file: str
    images: int


class SuggestionJson(Shape):
    """A named cluster that an image may belong to."""

    path: str
    image_id: str
    name: str
    cluster_id: int
    confidence: float
    current_cluster: int | None
    box: BoxJson | None
    missing: bool


class AlikeJson(Shape):
    """Two names that are hard to tell apart."""

    first: str
    second: str
    wrong: int
    decided: int


class SuggestJson(Shape):
    """Suggestions, and how far they can be trusted."""

    suggestions: list[SuggestionJson]
    held_out: int
    right: int
    alike: list[AlikeJson]
    lone: list[str]
    file: str | None


class QuestionJson(Shape):
    """An image whose name would teach much."""

    path: str
    image_id: str
    current_cluster: int | None
    current_name: str | None
    guess_cluster: int | None
    guess: str | None
    confidence: float | None
    box: BoxJson | None
    missing: bool


class QuestionsJson(Shape):
    """The images to name."""

    questions: list[QuestionJson]
    file: str | None


class AcceptedClusterJson(Shape):
    """A cluster that images were moved to."""

    cluster_id: int
    name: str | None
    images: int


class AcceptedJson(Shape):
    """What was accepted."""

    accepted: int
    clusters: list[AcceptedClusterJson]
    blank: int
    left_out: list[LeftOutJson]
    notes: list[str]


class CellNameJson(Shape):
    """A way to cluster."""

    embedder: str
    in_place_of: list[str]
    space: str
    lengths: str
    algorithm: str
    k: int | None


class RunJson(Shape):
    """One run of a cell."""

    seed: int
    found: int
    noise: int
    scores: dict[str, float | None]
    seconds: float
    rounds: int | None


class CellJson(CellNameJson):
    """A way to cluster, with its scores."""

    found: float | None
    noise: float | None
    seeded: bool
    refused: str | None
    seconds: float | None
    rounds: float | None
    mean: dict[str, float | None]
    deviation: dict[str, float | None]
    runs: list[RunJson]


class PublishedJson(Shape):
    """A score that was published."""

    score: str
    value: float
    embedder: str
    algorithm: str
    k: int
    on: str
    space: str


class RecipeJson(Shape):
    """A published comparison."""

    name: str
    authors: str
    year: str | None
    title: str
    about: list[str]
    differs: list[str]
    told: list[str]
    published: list[PublishedJson]


class RecipesJson(Shape):
    """The published comparisons that can be done again."""

    recipes: list[RecipeJson]


class BesideJson(PublishedJson):
    """A published score, and the one here."""

    here: float | None
    deviation: float | None
    by: str


class ElbowJson(Shape):
    """Where the inertia has its elbow."""

    embedder: str
    k: int


class MadeClusterJson(Shape):
    """A cluster of a recipe."""

    number: int
    count: int
    silhouette: float | None
    parts: dict[str, int]
    rows: list[int]
    samples: list[str]
    majority: str | None
    share: float | None


class ExampleJson(CellNameJson):
    """The clusters of one cell."""

    mean_share: float | None
    clusters: list[MadeClusterJson]


class RateJson(Shape):
    """How much a score differs across features."""

    algorithm: str
    features: list[str]
    score: str
    value: float | None
    published: float | None
    on: str


class CompareJson(Shape):
    """Ways to cluster, compared; the last five only with a recipe."""

    images: int
    labelled: int
    classes: int
    seed: int
    repeats: int
    cells: list[CellJson]
    best: CellNameJson | None
    rule: str
    verdict: list[str]
    remarks: list[str]
    computed: int
    kept: int
    interrupted: bool
    recipe: RecipeJson | None = None
    beside: list[BesideJson] = Field(default_factory=list)
    elbows: list[ElbowJson] = Field(default_factory=list)
    clusters: list[ExampleJson] = Field(default_factory=list)
    difference_rates: list[RateJson] = Field(default_factory=list)
