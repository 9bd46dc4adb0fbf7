"""The purity that a person's answers show, as JSON fields."""

from __future__ import annotations

from dataclasses import asdict

from organizer.types import Audit

_CONFIDENCE = 0.95


def audit_fields(audit: Audit | None) -> dict[str, object] | None:
    """The purity of all clusters and of each."""
    if audit is None:
        return None
    return {
        "purity": asdict(audit.overall),
        "per_cluster": [
            {"cluster_id": cluster_id, **asdict(found)}
            for cluster_id, found in audit.per_cluster.items()
        ],
        "confidence": _CONFIDENCE,
        "unseen": audit.unseen,
    }
