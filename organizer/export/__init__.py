"""Images and their clusters in the formats that other tools read."""
