"""What is being asked: from a table and its targets to heads, losses, metrics and baselines."""
