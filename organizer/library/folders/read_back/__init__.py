"""Read-back: what a person did to arranged folders becomes decisions."""
