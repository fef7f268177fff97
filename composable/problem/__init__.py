"""The problem to be solved: from a table and its targets to heads, losses, metrics and baselines."""
