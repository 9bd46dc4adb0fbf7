"""Detections: imported from a detector; their crops are embedded and clustered."""
