"""Review: a person looks at samples and says whether they belong."""
