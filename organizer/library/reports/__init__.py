"""Reports: scores, truth, maps and contact sheets."""
