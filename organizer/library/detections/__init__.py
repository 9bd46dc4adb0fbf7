"""Detections: imported from detectors; their crops are embedded and clustered."""
