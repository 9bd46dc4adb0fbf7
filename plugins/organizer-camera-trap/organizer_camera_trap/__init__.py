"""Camera traps in organizer: deployments, detections, bursts, and the formats of the field."""
