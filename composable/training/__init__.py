"""One architecture, trained: on every rotation of the rows, scored on the rows it did not learn from."""
