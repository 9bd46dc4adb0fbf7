"""Camera traps in organizer: deployments, detections, bursts, and camera-trap formats."""
