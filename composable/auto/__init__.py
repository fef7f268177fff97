"""The one call that runs the whole pipeline: from a table to a Run, within one deadline."""
