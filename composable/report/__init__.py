"""One self-contained HTML page about a run, read from the run folder alone."""
