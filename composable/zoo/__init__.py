"""One file per architecture family, readable as the paper's figure."""
