"""A model put to work: one artifact, verified before it is loaded, that takes raw rows and gives labels."""
