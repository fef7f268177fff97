"""Images as rows of a table: where they come from, and the one conversion that all of them go through."""
