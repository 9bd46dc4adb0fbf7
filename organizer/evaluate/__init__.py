"""labels -> scores: from the vectors alone (`internal`) or against known truth (`external`)."""
