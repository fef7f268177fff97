"""One architecture, trained: on every fold of the rows, scored on the rows it did not learn from."""
