"""Scripts that print ratios, each measured in one run."""
