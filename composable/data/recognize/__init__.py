"""What a column is, told by its cells: with the reason, and what the user should know."""
