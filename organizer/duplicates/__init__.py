"""Pictures and vectors -> which images are copies of one another, and which of them to keep."""
