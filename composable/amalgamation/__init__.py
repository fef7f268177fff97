"""Several models made one graph."""
