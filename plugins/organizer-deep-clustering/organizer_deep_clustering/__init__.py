"""Deep clustering: features and clusters that are learned together."""
