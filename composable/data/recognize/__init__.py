"""What a column is, recognized by its cells: with the reason, and what the user should know."""
