"""Watch folders: what comes is ingested once it is complete, what goes becomes missing."""
